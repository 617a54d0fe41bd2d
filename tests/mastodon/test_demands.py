"""The type of every member of every entity, against what Mastodon sends and what each app demands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fediblog.actions import ruling_actions
from fediblog.domain.documents import Attachment, Emoji, Option, Poll
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.mastodon.entities.base import blurhash
from fediblog.mastodon.schemas import definitions
from fediblog.store.tx import Tx
from tests.mastodon.demands import WHOLE, Demand, demands, holds, kinds, parts, properties, reads, troubles
from tests.mastodon.inhabited import inhabit
from tests.mastodon.server import Api, Server, schema_of
from tests.mastodon.test_every_answer import ABSENT, _asked, _furnish, _path
from tests.store import makers

OURS = {"Article", "OwnLimits"}
MARKS = {"favourited", "reblogged", "bookmarked", "muted", "filtered"}  # on every status, for whoever is signed in
NEVER_THERE = {"PushMessage", "Rule", "Suggestion", "UnfinishedMedia"}  # in no answer here; the last while at work
LINK = "https://far.example/lakes"


def _reason(entity: str, member: str) -> str:
    return str(properties(entity).get(member, {}).get("description", ""))


def _entities() -> Iterator[str]:
    for name, schema in definitions().items():
        if "properties" in schema or "allOf" in schema:
            yield name


@pytest.mark.parametrize("app", demands())
def test_what_an_app_cannot_read_is_in_no_schema_without_its_reason(app: str) -> None:
    found = [(entity, *trouble) for entity in demands()[app] for trouble in troubles(app, entity)]
    assert [each for each in found if app not in _reason(*each[:2]) and (app != WHOLE or not _reason(*each[:2]))] == []


def test_what_mastodon_does_not_send_has_its_reason_and_reasons_have_their_difference() -> None:
    differing = {(entity, name) for app in demands() for entity in demands()[app] for name, _ in troubles(app, entity)}
    for entity in set(_entities()) - OURS:
        own = definitions()[entity].get("properties", {})
        differing |= {(entity, name) for name in own if name not in demands()[WHOLE].get(entity, ())}
    told = {(entity, name) for entity in set(_entities()) - OURS for name in definitions()[entity].get("properties", ())
            if _reason(entity, name)}  # fmt: skip
    assert differing == told


def test_every_entity_is_among_those_that_mastodon_sends() -> None:
    assert set(_entities()) - OURS == set(demands()[WHOLE])


def _odd(tx: Tx) -> int:
    """Somebody far away whose posts hold what apps fail on, and a picture behind a link; the number of a poll."""
    author = makers.remote(tx, "odd.two", name="Odd", discoverable=True, published=-62_135_596_800_000)
    file = Attachment(
        kind="Image", url=f"{LINK}.png", media_type="image/png", blurhash="LE", focus=(0.5, -1.0), width=9
    )
    makers.post(tx, author, url=LINK, title="Lakes", kind="Article", attachments=(file,), published=-62_135_596_800_000)
    tx.run("update post set app_name = 'Tusky', app_website = 'https://app.example/' where kind = 'Article'")
    poll = Poll(options=tuple(Option(name=name, votes=2**31 - 1) for name in ("tea", "coffee")), multiple=True)
    return makers.post(tx, author, kind="Question", poll=poll, emoji=(Emoji(name="tea", url=f"{LINK}/tea.png"),))


async def _more(server: Server, alice: Api, bob: Api) -> list[tuple[str, Any]]:
    """What else apps read: schemas and answers."""
    poll = {"options": ["tea", "milk"], "expires_in": 3600}
    asked = await bob.post("/api/v1/statuses", {"status": "Which?", "poll": poll})
    await alice.post(f"/api/v1/statuses/{await server.write(_odd)}/reblog", {})
    linking = await bob.post("/api/v1/statuses", {"status": LINK})
    paths = {
        "/api/v1/timelines/home?limit=40": "Status[]",
        f"/api/v1/statuses/{asked['id']}/history": "StatusEdit[]",
        "/api/v1/trends/links": "TrendsLink[]",
    }
    found = [(gives, await bob.get(path)) for path, gives in paths.items()]
    await server.write(
        ruling_actions.rule_on_account, server.site.urls, server.people["alice"].id, "limit", server.people["bob"].id
    )
    groups = "/api/v2/notifications?expand_accounts=partial_avatars"
    app = await bob.post("/api/v1/apps", {"client_name": "Tusky", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"})
    named = {name: app[name] for name in ("client_id", "client_secret")}
    later = {"status": "Later?", "scheduled_at": "2031-01-01T00:00:00Z", "poll": poll}
    rude = {"account_id": str(server.people["alice"].id), "status_ids": [asked["id"]], "comment": "Rude"}
    return [
        *found,
        ("GroupedNotificationsResults", await alice.get(groups)),
        ("Notification[]", await bob.get("/api/v1/notifications", **{"types[]": "moderation_warning"})),
        ("CredentialApplication", app),
        ("Token", await bob.post("/oauth/token", {"grant_type": "client_credentials", **named})),
        ("ScheduledStatus", await bob.post("/api/v1/statuses", later)),
        ("Report", await bob.post("/api/v1/reports", rude)),
        ("Error", (await bob.call("GET", "/api/v1/statuses/1")).json()),
        ("DeletedStatus", (await bob.call("DELETE", f"/api/v1/statuses/{linking['id']}")).json()),
    ]


@pytest.mark.slow
async def test_every_app_reads_all_that_every_answer_holds(server: Server) -> None:
    alice, bob = await inhabit(server)
    world = await _furnish(server, alice, bob)
    answers = await _more(server, alice, bob)
    for row in [each for each in ENDPOINTS if each.method == "GET" and each.path not in ABSENT]:
        answers.append((row.gives, await alice.get(_path(row, world), **_asked(row, world))))
    seen, statuses = set(), []
    for gives, answer in answers:
        for entity, found in parts(schema_of(gives), answer):
            seen.add(entity)
            statuses += [found] if entity == "Status" else []
            assert set(found) <= set(properties(entity)), (gives, entity)
            for app, wanted in demands().items():
                for name, demand in wanted.get(entity, {}).items():
                    there = holds(demand, found[name]) if name in found else demand.missing
                    assert there or _reason(entity, name), (app, entity, name, found.get(name))
    assert set(_entities()) - seen == NEVER_THERE
    assert [each["uri"] for each in statuses if not set(each) >= MARKS] == []
    assert {"Article", "Question", "Note"} <= {each["fediblog"]["type"] for each in statuses if each["fediblog"]}
    assert any(each["reblog"] for each in statuses)
    assert any(each["filtered"] for each in statuses)


def test_what_an_app_cannot_read_is_noticed() -> None:
    text, maybe = Demand("s", null=False, missing=False), Demand("i", null=True, missing=False)
    assert reads(text, "n")
    assert reads(text, "=public")
    assert not reads(text, "null")
    assert not reads(text, "i")
    assert reads(maybe, "null")
    assert not reads(maybe, "s")
    assert not holds(maybe, 2**31)
    assert not holds(maybe, True)
    assert not reads(Demand("warn|hide", null=False, missing=False), "=blur")
    assert list(kinds({"type": ["string", "null"]})) == ["s", "null"]
    assert list(kinds(schema_of("Status[]"))) == ["Status[]"]


@pytest.mark.parametrize(
    ("told", "shown"),
    [("", None), ("LE", None), ("00Eyb[", "00Eyb["), ("00Eyb[ ", None), ("0 Eyb[", None), ("~" * 6, None)],
)
def test_only_what_decodes_is_a_blurhash(told: str, shown: str | None) -> None:
    assert blurhash(told) == shown
