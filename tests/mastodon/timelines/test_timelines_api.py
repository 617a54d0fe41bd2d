"""Timelines: what is in each of them, for whom, and how they are paged."""

from __future__ import annotations

import re
from typing import Any

from fediblog.actions import moderation_actions, reaction_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.documents import Visibility
from fediblog.store.people import accounts
from tests import wording
from tests.mastodon.server import Api, Server

NEXT = re.compile(r'<([^>]*)>; rel="next"')
PREV = re.compile(r'<([^>]*)>; rel="prev"')


def ids(found: list[Any]) -> list[str]:
    return [each["id"] for each in found]


async def walk(api: Api, path: str) -> list[str]:
    """All ids, by the links to the older page; and back again by those to the newer one."""
    found: list[str] = []
    last = ""
    while path:
        answer = await api.call("GET", path)
        found += ids(answer.json())
        link = answer.headers.get("link", "")
        last = PREV.search(link).group(1) if PREV.search(link) else last  # type: ignore[union-attr]
        path = NEXT.search(link).group(1) if NEXT.search(link) else ""  # type: ignore[union-attr]
    back: list[str] = []
    while last:
        answer = await api.call("GET", last)
        back = ids(answer.json()) + back
        match = PREV.search(answer.headers.get("link", ""))
        last = match.group(1) if match else ""
    assert back == found[: len(back)]
    return found


async def test_home_has_posts_and_boosts_and_is_paged_both_ways(both: Server) -> None:
    server = both
    carol = await server.person("carol")
    await server.follow("alice", "bob")
    made = [await server.publish("bob", f"Post {n}") for n in range(5)]
    hers = await server.publish("carol", "Of Carol")
    await server.write(reaction_actions.boost, server.site.urls, server.people["bob"].id, hers.id)
    own = await server.publish("alice", "My own")
    await server.publish("carol", "Not for Alice")
    api = await server.api("alice")
    home = await api.get("/api/v1/timelines/home")
    assert ids(home)[0] == str(own.id)
    assert ids(home)[2:] == [str(post.id) for post in reversed(made)]
    assert home[1]["reblog"]["id"] == str(hers.id)
    assert home[1]["account"]["acct"] == "bob"
    assert home[1]["content"] == ""
    assert home[1]["reblog"]["account"]["id"] == str(carol.id)
    assert await walk(api, "/api/v1/timelines/home?limit=2") == ids(home)
    above = await api.get("/api/v1/timelines/home", min_id=str(made[0].id), limit=2)
    assert ids(above) == [str(made[2].id), str(made[1].id)]
    assert ids(await api.get("/api/v1/timelines/home", since_id=str(made[4].id))) == ids(home)[:2]


async def test_public_shows_what_is_for_everybody_and_no_answers(both: Server) -> None:
    server = both
    post = await server.publish("bob", "Hello #Hills")
    await server.publish("bob", "Quiet", visibility=Visibility.UNLISTED)
    await server.publish("bob", "Private", visibility=Visibility.FOLLOWERS)
    await server.publish("alice", "An answer", reply_to=post.id)
    again = await server.publish("bob", "I go on", reply_to=post.id)
    nobody = await server.api()
    for path in ("/api/v1/timelines/public", "/api/v1/timelines/public?local=true"):
        assert ids(await nobody.get(path)) == [str(again.id), str(post.id)]
    assert await nobody.get("/api/v1/timelines/public?remote=true") == []
    assert await nobody.get("/api/v1/timelines/public?only_media=true") == []
    assert await nobody.status("GET", "/api/v1/timelines/home") == 401
    api = await server.api("alice")
    await server.write(moderation_actions.block, server.site.urls, server.people["alice"].id, server.people["bob"].id)
    assert await api.get("/api/v1/timelines/public") == []


async def test_tags_are_joined_and_left_out(both: Server) -> None:
    server = both
    one = await server.publish("bob", "#Hills")
    two = await server.publish("bob", "#hills and #lakes")
    three = await server.publish("bob", "#lakes and #rain")
    api = await server.api()
    path = "/api/v1/timelines/tag"
    assert ids(await api.get(f"{path}/HILLS")) == [str(two.id), str(one.id)]
    assert ids(await api.get(f"{path}/hills?any[]=lakes")) == [str(each.id) for each in (three, two, one)]
    assert ids(await api.get(f"{path}/hills?any[]=lakes&none[]=rain")) == [str(two.id), str(one.id)]
    assert ids(await api.get(f"{path}/hills?all[]=lakes")) == [str(two.id)]
    assert ids(await api.get(f"{path}/hills?none[]=lakes&local=true")) == [str(one.id)]
    assert await api.get(f"{path}/hills?remote=true") == []
    assert await walk(api, f"{path}/hills?limit=1") == [str(two.id), str(one.id)]


async def test_a_link_has_a_timeline_and_follows_edits(both: Server) -> None:
    server = both
    post = await server.publish("bob", "See <https://example.org/a?b=1&c=2> by @alice #tag")
    await server.publish("bob", "Also <https://example.org/a?b=1&c=2>", visibility=Visibility.UNLISTED)
    api = await server.api()
    found = await api.get("/api/v1/timelines/link", url="https://example.org/a?b=1&c=2")
    assert ids(found) == [str(post.id)]
    await server.write(
        wording.edit,
        server.site.urls,
        server.people["bob"].id,
        post.id,
        Draft(source="See <https://example.org/z>"),
    )
    assert await api.get("/api/v1/timelines/link", url="https://example.org/a?b=1&c=2") == []
    assert ids(await api.get("/api/v1/timelines/link", url="https://example.org/z")) == [str(post.id)]
    assert await api.status("GET", "/api/v1/timelines/link") == 422
    rows = await server.read(lambda tx: tx.all("select link from post_link"))
    assert [row.link for row in rows] == ["https://example.org/z"]


async def test_bookmarks_and_favourites_go_by_when_they_were_set(both: Server) -> None:
    server = both
    made = [await server.publish("bob", f"Post {n}") for n in range(3)]
    api = await server.api("alice")
    for number in (1, 0, 2):
        await api.post(f"/api/v1/statuses/{made[number].id}/bookmark")
        await api.post(f"/api/v1/statuses/{made[number].id}/favourite")
        server.clock.forward(ms=5)
    expected = [str(made[number].id) for number in (2, 0, 1)]
    for path in ("bookmarks", "favourites"):
        assert await walk(api, f"/api/v1/{path}?limit=1") == expected, path
    other = await server.api("bob")
    assert await other.get("/api/v1/bookmarks") == await other.get("/api/v1/favourites") == []


async def test_names_of_others_in_a_status_follow_their_profiles(server: Server) -> None:
    await server.publish("bob", "Hello @alice")
    api = await server.api()
    before = await api.get("/api/v1/timelines/public")
    assert before[0]["mentions"][0]["acct"] == "alice"
    await server.write(lambda tx: accounts.update_profile(tx, server.people["bob"].id, name="Robert"))
    after = await api.get("/api/v1/timelines/public")
    assert after[0]["account"]["display_name"] == "Robert"
