"""Others' posts and accounts are cleaned before the transaction that stores them, and stored with their place."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.domain.documents import Activity, Note
from fediblog.domain.posts import Post
from fediblog.federation.inbound import prefetch
from fediblog.federation.lookups import cleaning, resolve
from fediblog.inbox import Facts, Needs, note_storage, post_handlers
from fediblog.prepare.cleaned import CleanNote
from fediblog.prepare.note_cleaner import harmless
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from tests.federation.stranger import Home, Person

AUTHOR = "https://far.example/bob"
BAD = '<p onclick="x()">Hi <script>evil()</script><a href="https://far.example/">there</a></p>'
GOOD = '<p>Hi <a href="https://far.example/" rel="nofollow noopener noreferrer ugc">there</a></p>'


def note(kind: str = "Note", **values: Any) -> Note:
    return Note(uri="https://far.example/1", kind=kind, author=AUTHOR, **values)


async def test_it_is_worked_out_before_the_transaction(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    sent = bob.note(1, content=BAD)
    await at_home.send(bob, bob.creates(sent))
    elsewhere = bob.note(2, content=BAD)
    await at_home.send(bob, bob.does("Create", elsewhere["id"], 2))  # which the worker fetches
    await at_home.work()
    for each in (sent, elsewhere):
        stored = await at_home.site.db.read(posts.by_uri, str(each["id"]))
        assert stored is not None
        assert stored.content.startswith("<p>Hi <a")
        assert "evil" not in stored.content


async def test_what_is_long_is_left_to_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[bool] = []

    def watched(note: Note) -> CleanNote:
        where.append(threading.current_thread() is threading.main_thread())
        return harmless(note)

    monkeypatch.setattr(prefetch, "harmless", watched)
    actor: Any = None
    for length in (cleaning.LONG, cleaning.LONG + 1):
        long = note(content="a" * length)
        facts = await prefetch.prepare(Facts(actor=actor, notes={long.uri: long}))
        assert facts.clean(long) == harmless(long)
    assert where == [True, False]


def test_it_stands_for_that_post_alone() -> None:
    """Also one that says the same is cleaned for itself, as is the post in another activity."""
    actor: Any = None
    sent = note(content=BAD)
    facts = Facts(actor=actor, cleaned=((sent, harmless(sent)),))
    assert facts.clean(sent) is not None
    with pytest.raises(RuntimeError):
        facts.clean(replace(sent))
    told = {"id": "https://far.example/1", "type": "Note", "attributedTo": AUTHOR, "content": "x"}
    one = Activity(kind="Create", actor=AUTHOR, object=told, object_uri="https://far.example/1")
    reading = post_handlers.arrived.read(one)
    assert reading.own is not None
    assert post_handlers.arrived.read(one, reading) is reading
    assert post_handlers.arrived.read(replace(one), reading) is not reading
    theirs = post_handlers.arrived.read(replace(one, actor="https://far.example/eve"), reading)
    assert theirs.note is not None
    assert theirs.own is None, "a post of somebody else's is not believed as it stands"
    assert post_handlers.arrived.needs_of(reading) == Needs()
    assert post_handlers.arrived.needs_of(theirs).posts == ("https://far.example/1",)


async def test_the_place_of_a_new_post_is_known_without_asking(
    at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed: list[Post] = []
    place = note_storage._placed

    def watch(*args: Any) -> Post:
        placed.append(place(*args))
        return placed[-1]

    monkeypatch.setattr(note_storage, "_placed", watch)
    ours = await at_home.writes()
    tags = [{"type": "Mention", "href": at_home.alice.uri, "name": "@alice"}, {"type": "Hashtag", "name": "#Cats"}]
    first = bob.note(1, inReplyTo=ours.uri, content=BAD, tag=tags)
    second = bob.note(2, inReplyTo=first["id"], to=[at_home.alice.uri], cc=[])
    for number, each in enumerate((first, second)):
        assert (await at_home.send(bob, bob.creates(each, number))).status == 202
    assert len(placed) == 2
    for post in placed:
        stored = await at_home.site.db.read(posts.stored, post.id)
        assert stored is not None
        for name in ("id", "uri", "visibility", "parent", "root", "in_reply_to", "quote", "replies", "addressed"):
            assert getattr(post, name) == getattr(stored, name), name
        assert (post.account.id, post.hashtags, post.language, post.content) == (
            stored.account.id,
            stored.hashtags,
            stored.language,
            stored.content,
        )


async def test_an_account_is_cleaned_when_it_is_fetched_and_when_it_tells_of_its_change(
    at_home: Home, bob: Person
) -> None:
    await at_home.follows(bob)
    changed = {**bob.document, "summary": BAD, "attachment": [{"type": "PropertyValue", "name": "Web", "value": BAD}]}
    await at_home.send(bob, bob.does("Update", changed, 1))
    await at_home.work()
    stored = await at_home.site.db.read(accounts.by_uri, bob.uri)
    assert stored is not None
    assert (stored.summary, [each.value for each in stored.fields]) == (GOOD, [GOOD])
    bob.web.put(bob.uri, {**changed, "summary": BAD + BAD, "attachment": []})
    fetched = await resolve.actor(at_home.site, bob.uri, fresh=True)
    assert (fetched.summary, fetched.fields) == (GOOD + GOOD, ())
