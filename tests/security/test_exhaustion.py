"""What strangers send may be anything, and as much as they like: what we keep of it has an end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fediblog.app import create_app
from fediblog.counters import BUGS
from fediblog.domain.documents import PUBLIC
from fediblog.federation import jobs
from fediblog.store.people import accounts
from fediblog.store.posts import post_writing, posts
from fediblog.store.queues import incoming_queue
from fediblog.store.readers import moderation
from fediblog.store.tx import Tx
from tests.federation.stranger import ACTIVITY, Home, Person
from tests.world import ask

# Every table, and what ends it where strangers fill it. Whoever adds one has to think of that.
ENDS = {
    **dict.fromkeys(
        ("setting", "schema_version", "shut_out", "login", "account_access", "session", "media", "outgoing", "mute"),
        "ours alone",
    ),
    **dict.fromkeys(("delivery", "job", "stream", "revision", "attachment"), "swept, or goes with what it hangs on"),
    **dict.fromkeys(("mention", "post_tag", "featured_tag"), "so many of one post or account"),
    **dict.fromkeys(("follow", "block", "boost", "reaction", "poll_vote"), "so many between one account and one thing"),
    **dict.fromkeys(
        ("seen", "early", "tombstone", "incoming", "refusal", "report", "moderation_log", "invitation"), "swept"
    ),
    "quote_authorization": "so many of one account for one post",
    "group_member": "so many of one account and group; nobody joins yet",
    "former_notice": "none is added",
    "poll_check": "goes with its post",
    "profile_totals": "goes with its account",
    "numbering": "one for each of our accounts",
    "approval": "one for each like, boost and answer of ours",
    "reply_authorization": "one for each answer",
    "quote_proof": "one for each post",
    "quote_request": "one for each of our posts that quotes",
    **dict.fromkeys(("blocked_host", "allowed_host", "hidden_emoji"), "the owner's"),
    "account": "only by who proves a key of a server of its own; swept once nobody here has to do with it",
    **dict.fromkeys(("app", "app_code", "token", "event", "idempotency"), "swept"),
    **dict.fromkeys(
        ("push_subscription", "bookmark", "marker", "user_list", "list_member", "word_filter"), "ours alone"
    ),
    **dict.fromkeys(("filter_keyword", "filter_post", "followed_tag", "account_note", "endorsement"), "ours alone"),
    **dict.fromkeys(("thread_mute", "host_mute", "suggestion_dismissed", "preference", "notice_policy"), "ours alone"),
    **dict.fromkeys(("announcement", "announcement_read", "custom_emoji", "notice_consent"), "ours alone"),
    **dict.fromkeys(("conversation", "post_link"), "goes with the posts that it is of"),
    **dict.fromkeys(("circle", "circle_member", "post_circle"), "ours alone"),
    **dict.fromkeys(("category", "page", "former_category_slug", "former_page_slug"), "the owner's"),
    **dict.fromkeys(("post_category", "former_post_slug", "showcase"), "ours alone"),
    **dict.fromkeys(
        ("post_words", *(f"post_words_found{part}" for part in ("", "_config", "_data", "_docsize", "_idx"))),
        "one row for each post that is found by its words",
    ),
    "account_export": "one of each of our accounts, and swept",
    **dict.fromkeys(("relation_import", "relation_import_line"), "so many of one of our accounts, and swept"),
    "visit": "one for each of our posts and day; swept",
    "trash": "ours alone, and swept",
    "autosave": "so many of one of our accounts, and swept",
    **dict.fromkeys(("authenticator", "recovery_code", "passkey"), "so many of one login"),
    "passkey_challenge": "so many of one network in a minute; swept",
    "half_login": "only by who knows a password; swept",
    "guest": "nothing fills it yet",
    "remote_media": "up to so many bytes and days, and each of something that is stored",
    "signing_key": "so many of one account",
    "post": "what our people follow or are addressed by",
    "notice": "what happened to our people, once each",
    "host": "servers to which something was sent",
    "peer": "swept once no account and no delivery of that server is left",
}


async def test_every_table_has_an_end(at_home: Home) -> None:
    rows = await at_home.ask("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    assert {row[0] for row in rows} - set(ENDS) == set()


@pytest.mark.parametrize("path", ["/a/12345/inbox", "/a/9223372036854775807/inbox"])
async def test_an_inbox_of_nobody_takes_nothing(at_home: Home, bob: Person, path: str) -> None:
    """Else it would be kept for somebody who is not there, and fail for ever."""
    before = BUGS.total()
    note = bob.note(to=[], cc=[])
    request = at_home.request(bob, json.dumps(bob.creates(note)).encode(), path)
    app = create_app(at_home.site)
    answer = await ask(app, "POST", f"https://home.test{path}", dict(request.headers), request.body)
    assert answer.status_code == 404
    assert await at_home.count("incoming") == await at_home.count("post") == 0
    await at_home.site.db.write(accounts.set_state, at_home.alice.id, "deleted")
    path = f"/a/{at_home.alice.id}/inbox"
    request = at_home.request(bob, json.dumps(bob.creates(note)).encode(), path)
    answer = await ask(app, "POST", f"https://home.test{path}", dict(request.headers), request.body)
    assert answer.status_code == 410
    assert BUGS.total() == before


async def test_complaints_of_one_are_kept_up_to_a_number(at_home: Home, bob: Person) -> None:
    for number in range(moderation.OPEN_REPORTS + 5):
        await at_home.send(bob, bob.does("Flag", at_home.alice.uri, number, content="again"))
    assert await at_home.count("report") == moderation.OPEN_REPORTS
    await at_home.site.db.write(lambda tx: tx.run("update report set closed = 1"))
    await at_home.send(bob, bob.does("Flag", at_home.alice.uri, "later", content="again"))
    assert await at_home.count("report") == moderation.OPEN_REPORTS + 1


async def test_old_versions_of_what_others_wrote_are_kept_up_to_a_number(
    at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_writing, "KEPT_REVISIONS", 3)
    await at_home.follows(bob)
    note = bob.note()
    await at_home.send(bob, bob.creates(note))
    for number in range(8):
        at_home.clock.forward(minutes=1)
        stamp = f"2025-06-05T10:00:0{number}Z"
        edited = {**note, "content": f"<p>version {number}</p>", "updated": stamp}
        await at_home.send(bob, bob.does("Update", edited, number))
    found = await at_home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    assert found.content == "<p>version 7</p>"
    kept = await at_home.site.db.read(post_writing.revisions, found.id)
    assert [each.content for each in kept] == [f"<p>version {number}</p>" for number in (4, 5, 6)]


async def test_the_parts_of_a_post_are_counted(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    many = range(300)
    image = {"type": "Image", "url": "https://bob.test/a.png"}
    tags: list[Any] = [{"type": "Hashtag", "name": f"#tag{n}"} for n in many]
    tags += [{"type": "Mention", "href": f"https://m.test/u/{n}"} for n in many]
    tags += [{"type": "Emoji", "name": f":e{n}:", "icon": image} for n in many]
    note = bob.note(
        type="Question",
        name="n" * 5000,
        summary="s" * 50_000,
        content="<p>" + "c" * 200_000,
        attachment=[image] * 500,
        tag=tags,
        oneOf=[{"type": "Note", "name": f"{n}" * 300} for n in many],
        to=[PUBLIC, *(f"https://m.test/u/{n}" for n in many)],
    )
    before = len(at_home.web.asked)
    assert (await at_home.send(bob, bob.creates(note))).status == 202
    assert len(at_home.web.asked) == before  # nobody who is named is looked up
    found = await at_home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    assert found.poll is not None
    assert len(found.attachments) <= 16
    assert len(found.hashtags) <= 50
    assert len(found.emoji) <= 64
    assert len(found.poll.options) <= 20
    assert max(len(option.name) for option in found.poll.options) <= 500
    assert len(found.title) <= 500
    assert len(found.summary) <= 2_000
    assert len(found.content) <= 101_000
    assert len(found.to) <= 256


async def test_the_parts_of_a_profile_are_counted(at_home: Home, bob: Person) -> None:
    bob.publish(
        name="n" * 5_000,
        summary="s" * 300_000,
        attachment=[{"type": "PropertyValue", "name": "n" * 3_000, "value": "v" * 9_000}] * 30,
        alsoKnownAs=[f"https://m.test/u/{n}" for n in range(1000)],
    )
    found = await at_home.know(bob)
    assert len(found.name) <= 200
    assert len(found.summary) <= 101_000
    assert len(found.fields) <= 16
    assert all(len(field.name) <= 200 and len(field.value) <= 3_000 for field in found.fields)
    assert len(found.also_known_as) <= 256


NUMBERS = ["9" * 400, "-" + "9" * 400, "1e308", "9223372036854775808", "1.5", '"9"', "true", "null", "[]"]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda value: value[:12])
async def test_no_number_is_too_large(at_home: Home, bob: Person, number: str) -> None:
    """Neither for Python nor for the database, wherever one may stand."""
    before = BUGS.total()
    await at_home.follows(bob)
    note = bob.note(replies={"totalItems": 0}, likes={"totalItems": 0}, type="Question")
    note |= {"oneOf": [{"name": "a", "replies": {"totalItems": 0}}], "votersCount": 0, "x": 0}
    note |= {"attachment": [{"type": "Image", "url": "https://bob.test/a.png", "width": 0, "focalPoint": [0, 0]}]}
    body = json.dumps(bob.creates(note)).replace(": 0", f": {number}").replace("[0, 0]", f"[{number}, {number}]")
    receipt = await at_home.send(bob, body.encode())
    assert receipt.status == 202, receipt
    assert await at_home.count("post") == 1
    assert BUGS.total() == before


async def test_a_body_without_end_is_not_read_to_its_end(at_home: Home) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"x" * 100_000

    from tests.security.reading import visitor

    answer = await visitor(at_home.site).post("/inbox", content=body(), headers={"content-type": ACTIVITY})
    assert answer.status_code == 413
    assert read <= 12


async def test_what_is_swept_has_an_age(at_home: Home, bob: Person) -> None:
    """Marks of what strangers sent go away by themselves."""
    await at_home.know(bob)
    for number in range(5):
        await at_home.send(bob, bob.does("Undo", f"https://bob.test/never/{number}", number))
        await at_home.send(bob, bob.does("Delete", f"https://bob.test/n/bob/{number}", number))
    await at_home.send(bob, bob.does("Like", (await at_home.writes()).uri))
    assert await at_home.count("early") == 10
    assert await at_home.count("seen") == 1
    at_home.clock.forward(days=100)
    await at_home.site.db.write(_sweep)
    assert await at_home.count("early") == await at_home.count("seen") == 0


def _sweep(tx: Tx) -> None:
    incoming_queue.sweep(tx)
    moderation.sweep(tx)


async def test_the_hourly_sweep_is_always_planned(at_home: Home) -> None:
    await at_home.site.db.write(jobs.start_repeating)
    assert await at_home.ask("select count(*) from job where kind = 'sweep'") == [(1,)]
