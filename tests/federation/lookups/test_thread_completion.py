"""Threads made whole: what is above a post, and answers that were never delivered here."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import fediblog
from fediblog.domain.documents import PUBLIC
from fediblog.errors import Refused, Unavailable
from fediblog.federation.jobs import JOBS
from fediblog.federation.lookups import fetch_budget, thread_completion
from fediblog.store.posts import posts
from fediblog.store.queues import job_queue
from tests.federation.stranger import Home, Person, Web, home
from tests.store.makers import comments_of


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as place:
        yield place


@pytest.fixture
def bob(at_home: Home) -> Person:
    return Person(at_home.web, "bob.test", "bob")


@pytest.fixture
def carol(at_home: Home) -> Person:
    return Person(at_home.web, "carol.test", "carol")


async def number_of(at_home: Home, note: dict[str, Any]) -> int:
    found = await at_home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    return found.id


async def thread(at_home: Home, root: int) -> list[str]:
    return [each.uri for each in await at_home.site.db.read(comments_of, root)]


async def test_the_missing_parent_is_fetched_and_ties_the_thread(at_home: Home, bob: Person, carol: Person) -> None:
    post = await at_home.writes()
    first = carol.note(inReplyTo=post.uri)
    second = bob.note(inReplyTo=first["id"])
    await at_home.follows(bob)
    await at_home.send(bob, bob.creates(second))
    assert await thread(at_home, post.id) == []
    await thread_completion.complete(at_home.site, await number_of(at_home, second))
    assert set(await thread(at_home, post.id)) == {first["id"], second["id"]}


async def test_two_that_came_at_one_moment_are_tied_later(at_home: Home, bob: Person, carol: Person) -> None:
    post = await at_home.writes()
    first = carol.note(inReplyTo=post.uri)
    second = bob.note(inReplyTo=first["id"])
    await at_home.follows(bob)
    for who, note in ((carol, first), (bob, second)):
        await at_home.send(who, who.creates(note))
    number = await number_of(at_home, second)
    await at_home.site.db.write(
        lambda tx: tx.run("update post set parent = null, root = null where id = :id", id=number)
    )
    assert await thread(at_home, post.id) == [first["id"]]
    at_home.web.asked.clear()
    await thread_completion.complete(at_home.site, number)
    assert set(await thread(at_home, post.id)) == {first["id"], second["id"]}
    assert not any(url.startswith("https://carol.test") for url in at_home.web.asked)


async def test_answers_below_an_answer_to_ours_are_found(at_home: Home, bob: Person, carol: Person) -> None:
    post = await at_home.writes()
    first = bob.note(1, inReplyTo=post.uri, replies="https://bob.test/n/bob/1/replies")
    second = carol.note(2, inReplyTo=first["id"])
    third = bob.note(3, inReplyTo=second["id"])
    elsewhere = carol.note(4, inReplyTo="https://else.test/9")
    loose = carol.note(5)
    pages = [[third["id"], {**second, "content": "forged"}], [elsewhere["id"], loose["id"], post.uri, 7, None]]
    base = str(first["replies"])
    at_home.web.put(base, {"id": base, "type": "Collection", "first": f"{base}?page=0"})
    for at, items in enumerate(pages):
        page = {"id": f"{base}?page={at}", "type": "CollectionPage", "items": items, "next": f"{base}?page={at + 1}"}
        at_home.web.put(f"{base}?page={at}", page)
    await at_home.send(bob, bob.creates(first))
    assert ("thread", str(await number_of(at_home, first))) in await at_home.ask("select kind, subject from job")
    await thread_completion.complete(at_home.site, await number_of(at_home, first))
    assert set(await thread(at_home, post.id)) == {first["id"], second["id"], third["id"]}
    found = await at_home.site.db.read(posts.by_uri, second["id"])
    assert found is not None
    assert found.content == "<p>note 2</p>"
    assert await at_home.count("post") == 4
    assert not any(url.startswith("https://home.test") for url in at_home.web.asked)


async def test_pages_in_a_circle_and_without_end(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    first = bob.note(1, inReplyTo=post.uri, replies="https://bob.test/r")
    page = {"id": "https://bob.test/r", "type": "Collection", "items": [], "next": "https://bob.test/r2"}
    at_home.web.put("https://bob.test/r", page)
    at_home.web.put("https://bob.test/r2", {**page, "id": "https://bob.test/r2", "next": "https://bob.test/r"})
    await at_home.send(bob, bob.creates(first))
    await thread_completion.complete(at_home.site, await number_of(at_home, first))
    assert at_home.web.asked.count("https://bob.test/r") == 1
    second = bob.note(2, inReplyTo=post.uri, replies="https://bob.test/s/0")
    for number in range(50):
        url = f"https://bob.test/s/{number}"
        follow = {"id": url, "type": "CollectionPage", "items": [], "next": f"https://bob.test/s/{number + 1}"}
        at_home.web.put(url, follow)
    await at_home.send(bob, bob.creates(second, 2))
    await thread_completion.complete(at_home.site, await number_of(at_home, second))
    assert len([url for url in at_home.web.asked if "/s/" in url]) <= 6


async def test_a_thread_bomb_is_bounded(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    first = bob.note("first", inReplyTo=post.uri, replies="https://bob.test/r")
    items = [bob.note(number, inReplyTo=first["id"])["id"] for number in range(400)]
    at_home.web.put("https://bob.test/r", {"id": "https://bob.test/r", "type": "Collection", "items": items})
    await at_home.send(bob, bob.creates(first))
    await thread_completion.complete(at_home.site, await number_of(at_home, first))
    assert 100 < await at_home.count("post") <= 202


async def test_the_same_thread_is_not_completed_again_at_once(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    first = bob.note(1, inReplyTo=post.uri, replies="https://bob.test/r")
    await at_home.send(bob, bob.creates(first))
    number = await number_of(at_home, first)
    await thread_completion.complete(at_home.site, number)
    await thread_completion.complete(at_home.site, number)
    assert at_home.web.asked.count("https://bob.test/r") == 1


async def test_nothing_is_done_for_posts_that_are_ours_or_gone(at_home: Home) -> None:
    post = await at_home.writes()
    await thread_completion.complete(at_home.site, post.id)
    await thread_completion.complete(at_home.site, 12)
    assert at_home.web.asked == []


def _names_notes(web: Web, bob: Person) -> list[str]:
    return [f"https://third.test/n/{number}" for number in range(200)]


def _names_redirects(web: Web, bob: Person) -> list[str]:
    uris = [f"https://bob.test/away/{number}" for number in range(200)]
    web.redirects |= {uri: uri.replace("bob.test", "third.test") for uri in uris}
    return uris


def _names_handles(web: Web, bob: Person) -> list[str]:
    """Notes by authors who all say that their handle lives at the third host."""
    return [_author(web, number, webfinger=f"u{number}@third.test") for number in range(200)]


def _names_handles_elsewhere(web: Web, bob: Person) -> list[str]:
    """Notes by authors whose WebFinger redirects to the third host."""
    uris = [_author(web, number) for number in range(200)]
    web.redirects |= {
        url: url.replace("bob.test", "third.test")
        for url in web.pages
        if url.startswith("https://bob.test/.well-known")
    }
    return uris


def _author(web: Web, number: int, **extra: Any) -> str:
    return str(
        Person(web, "bob.test", f"u{number}", extra, alike="u0").note(inReplyTo="https://bob.test/n/bob/first")["id"]
    )


def _names_one_host_in_many_ways(web: Web, bob: Person) -> list[str]:
    """A soft hyphen in a name says nothing: the client asks the same host."""
    return [f"https://th{chr(0xAD) * (number % 10)}ird.test/n/{number}" for number in range(200)]


@pytest.mark.parametrize(
    "names", [_names_one_host_in_many_ways, _names_notes, _names_redirects, _names_handles, _names_handles_elsewhere]
)
async def test_a_thread_asks_a_third_host_so_often(
    at_home: Home, bob: Person, names: Callable[[Web, Person], list[str]]
) -> None:
    post = await at_home.writes()
    first = bob.note("first", inReplyTo=post.uri, replies="https://bob.test/r")
    at_home.web.put(
        "https://bob.test/r", {"id": "https://bob.test/r", "type": "Collection", "items": names(at_home.web, bob)}
    )
    await at_home.send(bob, bob.creates(first))
    at_home.web.asked.clear()
    await thread_completion.complete(at_home.site, await number_of(at_home, first))
    asked = [url.replace(chr(0xAD), "") for url in at_home.web.asked]
    assert len([url for url in asked if url.startswith("https://third.test")]) <= fetch_budget.FOREIGN


def _third(at_home: Home) -> int:
    return len([url for url in at_home.web.asked if url.startswith("https://third.test")])


async def test_all_answers_of_a_thread_are_one_cause(at_home: Home, bob: Person) -> None:
    """Each of ten answers, each named by the one before it, names twenty more of a third host."""
    post = await at_home.writes()
    above, notes = post.uri, []
    for number in range(10):
        replies = f"https://bob.test/r/{number}"
        note = bob.note(number, inReplyTo=above, replies=replies)
        items = [f"https://bob.test/n/bob/{number + 1}", *(f"https://third.test/n/{number}/{n}" for n in range(20))]
        at_home.web.put(replies, {"id": replies, "type": "Collection", "items": items})
        above = note["id"]
        notes.append(note)
    await at_home.send(bob, bob.creates(notes[0]))
    for note in notes:
        await thread_completion.complete(at_home.site, await number_of(at_home, note))
    assert _third(at_home) == fetch_budget.FOREIGN
    at_home.clock.now += fetch_budget.THREAD
    await thread_completion.complete(at_home.site, await number_of(at_home, notes[5]))
    assert _third(at_home) == 2 * fetch_budget.FOREIGN


_AWAY = [f"https://third.test/x/{number}" for number in range(100)]
_LINKS: dict[str, dict[str, Any]] = {
    "attachments": {"attachment": [{"type": "Image", "mediaType": "image/png", "url": u} for u in _AWAY]},
    "emoji": {
        "tag": [{"type": "Emoji", "name": f":e{n}:", "icon": {"type": "Image", "url": u}} for n, u in enumerate(_AWAY)]
    },
    "mentions": {"tag": [{"type": "Mention", "href": u, "name": f"@u{n}@third.test"}
                                     for n, u in enumerate(_AWAY)]},
    "hashtags": {"tag": [{"type": "Hashtag", "href": u, "name": f"#t{n}"} for n, u in enumerate(_AWAY)]},
    "audience": {"to": [PUBLIC, *_AWAY], "cc": _AWAY},
    "a quote": {"quote": _AWAY[0], "quoteAuthorization": _AWAY[1]},
    "many quotes": {"quote": _AWAY, "quoteUri": _AWAY[2], "quoteUrl": _AWAY[3],
                                "quoteAuthorization": _AWAY[1:]},
    "collections": {"replies": _AWAY[0], "context": _AWAY[1], "likes": _AWAY[2], "shares": _AWAY[3]},
    "pages": {"replies": {"type": "Collection", "first": {"type": "CollectionPage", "items": _AWAY}}},
    "links": {"url": _AWAY[0], "content": "".join(f'<a href="{u}">x</a><img src="{u}">' for u in _AWAY)},
    "above": {"inReplyTo": _AWAY[0]},
}  # fmt: skip


@pytest.mark.parametrize("embedded", [False, True])
@pytest.mark.parametrize("what", _LINKS)
async def test_what_a_post_names_asks_a_third_host_so_often(
    at_home: Home, bob: Person, what: str, embedded: bool
) -> None:
    """Whatever it names and however many, with all jobs that follow from it, and again if it is edited."""
    post = await at_home.writes()
    await at_home.follows(bob)
    note = bob.note(1, **{"inReplyTo": post.uri, **_LINKS[what]})
    await at_home.send(bob, bob.creates(note) if embedded else bob.does("Create", note["id"]))
    await _all_work(at_home)
    assert await at_home.count("post") == 2
    assert _third(at_home) <= fetch_budget.FOREIGN
    await at_home.send(bob, bob.does("Update", {**note, "content": "again", "updated": "2025-07-01T00:00:00Z"}, 2))
    await _all_work(at_home)
    assert _third(at_home) <= 2 * fetch_budget.FOREIGN


_PROFILE: dict[str, dict[str, Any]] = {
    "pictures": {"icon": [{"type": "Image", "url": u} for u in _AWAY], "image": {"url": _AWAY[0]}},
    "emoji": _LINKS["emoji"],
    "fields": {"attachment": [{"type": "PropertyValue", "name": "x", "value": f"<a href='{u}'>x</a>"}
                                      for u in _AWAY]},
    "names": {"alsoKnownAs": _AWAY, "movedTo": _AWAY[0], "webfinger": "bob@third.test", "url": _AWAY},
}  # fmt: skip


@pytest.mark.parametrize("what", [*_PROFILE, "featured", "outbox", "boosts"])
async def test_what_an_account_names_asks_a_third_host_so_often(at_home: Home, bob: Person, what: str) -> None:
    if what in _PROFILE:
        bob.publish(**_PROFILE[what])
    else:
        bob.publish(type="Group")
        items: list[Any] = [bob.does("Announce", uri, n) for n, uri in enumerate(_AWAY)] if what == "boosts" else _AWAY
        where = "featured" if what == "featured" else "outbox"
        at_home.web.put(f"{bob.uri}/{where}", {"id": f"{bob.uri}/{where}", "type": "Collection", "items": items})
    await at_home.follows(bob)
    await at_home.send(bob, bob.does("Update", bob.document))
    await _all_work(at_home)
    assert _third(at_home) <= fetch_budget.FOREIGN


async def _all_work(at_home: Home) -> None:
    """All that waits, and all jobs that follow, however late they are to run."""
    await at_home.work()
    for _ in range(5):
        at_home.clock.now += 60_000
        for job in await at_home.site.db.write(job_queue.claim):
            if job.kind not in ("sweep", "check-database"):
                with suppress(Refused, Unavailable):
                    await JOBS[job.kind](at_home.site, job)


def test_documents_of_others_are_fetched_in_one_place_within_a_budget() -> None:
    folder = Path(fediblog.__file__).parent
    found = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if re.search(r"client\.fetch\(|engine\.exchange\(", path.read_text("utf-8"))
    }
    by_the_operator = {"cli/doctor_remote.py", "cli/demo.py"}
    within_net = {"net/client.py", "net/transport.py"}
    assert found - by_the_operator - within_net == {
        "federation/lookups/document_fetch.py",
        "federation/lookups/media_copies.py",  # no documents: pictures, within bounds of their own
        "federation/outbound/deliver.py",
    }
