"""Totals that anybody may ask for, under ever new addresses, are not counted anew each time."""

from __future__ import annotations

import re

from fediblog.actions.drafts import Draft
from fediblog.mastodon.endpoints import ENDPOINTS
from tests import wording
from tests.mastodon.counting import statements
from tests.security.test_privacy import READ, asked
from tests.world import JSON, World

A = "alice.test"
_ALL_POSTS = re.compile(r"from (?:post|account) where (?:account = :id|local = 1)|from host\b", re.DOTALL)


def _counted(asked_for: list[str]) -> list[str]:
    """Statements that count all posts, of everybody or of one account."""
    whole = [sql for sql in asked_for if "count(" in sql and _ALL_POSTS.search(sql)]
    return [sql for sql in whole if "featured_tag" not in sql]  # those with a few tags


async def test_no_address_has_all_posts_counted_again_within_a_minute() -> None:
    async with World(A) as world:
        alice = await world.person(A, "alice")
        post = await world.do(A, wording.publish, alice.id, Draft(source="Hello #world", title="A title"))
        pages = [
            asked(path.replace("{number:number}", str(alice.id)) if "/a/" in path else path, post) for path in READ
        ]
        calls = [
            re.sub(r"{\w+(:\w+)?}", str(alice.id), each.path)
            for each in ENDPOINTS
            if each.method == "GET" and each.who == "anybody"
        ]
        again: dict[str, list[str]] = {}
        first: set[str] = set()
        for path in dict.fromkeys([*pages, *calls]):
            for accept in (JSON, "text/html"):
                with statements() as said:
                    await world.get(A, f"{path}?x=1", accept)
                first |= set(_counted(said))
                with statements() as said:
                    await world.get(A, f"{path}?x=2", accept)
                if _counted(said):
                    again[path] = _counted(said)
        assert again == {}
        assert len(first) >= 4, "nodeinfo, weeks, archive, outbox: else this test looks for the wrong words"


async def test_a_new_post_is_in_the_archive_at_once_and_all_totals_a_minute_later() -> None:
    async with World(A) as world:
        alice = await world.person(A, "alice")
        totals = []
        for number in range(3):
            await world.do(A, wording.publish, alice.id, Draft(source=f"Number {number}", title=f"Title {number}"))
            outbox = (await world.get(A, f"/a/{alice.id}/outbox")).json()["totalItems"]
            usage = (await world.get(A, f"/nodeinfo/2.1?{number}")).json()["usage"]["localPosts"]
            totals.append((outbox, usage))
            if number == 1:
                world.clock.forward(minutes=1)
        assert totals == [(1, 1), (2, 1), (3, 3)]
