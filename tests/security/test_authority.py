"""May they do that? Whatever is said about somebody's things counts only from that very actor, or from its origin."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.actions import follow_actions
from fediblog.domain.documents import PUBLIC
from fediblog.store.people import accounts, relations
from fediblog.store.posts import account_posts, posts
from tests.federation.stranger import Home, Person


@pytest.fixture
def neighbour(at_home: Home) -> Person:
    """Somebody else on bob's own server."""
    return Person(at_home.web, "bob.test", "mallory")


async def ours_follows(at_home: Home) -> list[Any]:
    return await at_home.ask("select followed, state from follow where follower = :id", id=at_home.alice.id)


@pytest.mark.parametrize("shape", ["whole", "id alone", "another id", "without id", "of somebody else"])
async def test_an_accept_of_what_was_never_asked_makes_no_follow(
    at_home: Home, bob: Person, eve: Person, shape: str
) -> None:
    await at_home.know(bob)
    asked = {"id": "https://home.test/x/1", "type": "Follow", "actor": at_home.alice.uri, "object": bob.uri}
    thing: Any = {
        "whole": asked,
        "id alone": asked["id"],
        "another id": {**asked, "id": f"{bob.uri}#f"},
        "without id": {key: value for key, value in asked.items() if key != "id"},
        "of somebody else": {**asked, "object": eve.uri},
    }[shape]
    await at_home.send(bob, bob.does("Accept", thing))
    await at_home.work()
    assert await ours_follows(at_home) == []


async def test_only_the_one_who_was_asked_accepts_and_rejects(
    at_home: Home, bob: Person, eve: Person, neighbour: Person
) -> None:
    account = await at_home.know(bob)
    await at_home.site.db.write(follow_actions.follow, at_home.site.urls, at_home.alice.id, account.id)
    [(uri,)] = await at_home.ask("select uri from follow")
    asked = {"id": uri, "type": "Follow", "actor": at_home.alice.uri, "object": bob.uri}
    for number, who in enumerate((eve, neighbour)):
        for verb in ("Accept", "Reject"):
            for thing in (asked, uri, {**asked, "object": who.uri}):
                await at_home.send(who, who.does(verb, thing, number))
                await at_home.send(who, {**who.does(verb, thing, number), "actor": bob.uri})
    await at_home.work()
    assert await ours_follows(at_home) == [(account.id, "pending")]
    await at_home.send(bob, bob.does("Accept", asked))
    assert await ours_follows(at_home) == [(account.id, "accepted")]


@pytest.mark.parametrize("who", ["eve", "neighbour"])
async def test_pins_are_of_ones_own_posts_on_ones_own_profile(
    at_home: Home, bob: Person, eve: Person, neighbour: Person, who: str
) -> None:
    await at_home.follows(bob)
    other = eve if who == "eve" else neighbour
    account = await at_home.follows(other)
    note, own, ours = bob.note(), other.note(), await at_home.writes()
    await at_home.send(bob, bob.creates(note))
    await at_home.send(other, other.creates(own))
    for target in (f"{bob.uri}/featured", at_home.alice.featured):  # what is one's own, but not on one's own profile
        await at_home.send(other, other.does("Add", own["id"], target[-20:].replace("/", ""), target=target))
    for number, (verb, thing, target) in enumerate(
        (verb, thing, target)
        for verb in ("Add", "Remove")
        for thing in (note["id"], ours.uri, note)
        for target in (f"{other.uri}/featured", f"{bob.uri}/featured", at_home.alice.featured)
    ):
        await at_home.send(other, other.does(verb, thing, number, target=target))
    await at_home.work()
    assert await at_home.site.db.read(account_posts.pinned, account.id) == []
    assert await at_home.ask("select count(*) from post where pinned is not null") == [(0,)]
    await at_home.send(bob, bob.does("Add", note["id"], "own", target=f"{bob.uri}/featured"))
    assert await at_home.ask("select count(*) from post where pinned is not null") == [(1,)]
    await at_home.send(other, other.does("Remove", note["id"], "r", target=f"{bob.uri}/featured"))
    await at_home.send(other, other.does("Remove", note["id"], "r2", target=f"{other.uri}/featured"))
    assert await at_home.ask("select count(*) from post where pinned is not null") == [(1,)]


@pytest.mark.parametrize("inner", ["Create", "Update"])
async def test_what_a_group_passes_on_is_taken_from_its_origin(at_home: Home, bob: Person, inner: str) -> None:
    """Whatever words it puts into the mouths of others."""
    group = Person(at_home.web, "group.test", "group", {"type": "Group"})
    await at_home.follows(group)
    note = bob.note(content="<p>true</p>")
    if inner == "Update":
        await at_home.follows(bob)
        await at_home.send(bob, bob.creates(note))
    forged = {**note, "content": "<p>forged</p>", "updated": "2025-06-03T10:00:00Z"}
    passed = {**bob.does(inner, forged), "cc": [group.uri]}
    await at_home.send(group, group.does("Announce", passed, to=[PUBLIC]))
    await at_home.work()
    found = await at_home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    assert found.content == "<p>true</p>"


@pytest.mark.parametrize("verb", ["Like", "Undo", "Delete", "Follow", "Accept", "Move", "Add", "Block"])
async def test_a_group_does_nothing_in_the_name_of_others(at_home: Home, bob: Person, verb: str) -> None:
    group = Person(at_home.web, "group.test", "group", {"type": "Group"})
    await at_home.follows(group)
    await at_home.follows(bob)
    post, note = await at_home.writes(), bob.note()
    await at_home.send(bob, bob.creates(note))
    await at_home.send(bob, bob.does("Like", post.uri, "real"))
    thing: Any = {
        "Undo": bob.does("Like", post.uri, "real"),
        "Delete": note["id"],
        "Like": note["id"],
        "Move": bob.uri,
        "Add": note["id"],
    }.get(verb, at_home.alice.uri)
    before = [await at_home.count(table) for table in ("post", "reaction", "follow", "block")]
    told = {**bob.does(verb, thing, "told"), "target": "https://group.test/u/group"}
    await at_home.send(group, group.does("Announce", told, to=[PUBLIC]))
    await at_home.work()
    assert [await at_home.count(table) for table in ("post", "reaction", "follow", "block")] == before
    stored = await at_home.site.db.read(accounts.by_uri, bob.uri)
    assert stored is not None
    assert (stored.moved_to, stored.state) == ("", "active")


@pytest.mark.parametrize("consent", ["none", "of another", "old", "a neighbour's word"])
async def test_a_move_without_consent_moves_nobody(at_home: Home, bob: Person, neighbour: Person, consent: str) -> None:
    """Consent as it stands now at the new account, not as it was remembered."""
    account = await at_home.follows(bob)
    new = Person(at_home.web, "new.test", "bob")
    if consent == "of another":
        new.publish(alsoKnownAs=["https://bob.test/u/bob2", f"{bob.uri}/"])
    if consent == "old":
        new.publish(alsoKnownAs=[bob.uri])
        await at_home.know(new)
        new.publish(alsoKnownAs=[])
    if consent == "a neighbour's word":
        new.publish(alsoKnownAs=[bob.uri])
        await at_home.send(neighbour, neighbour.does("Move", bob.uri, target=new.uri))
    else:
        await at_home.send(bob, bob.does("Move", bob.uri, target=new.uri))
    await at_home.work()
    assert await ours_follows(at_home) == [(account.id, "accepted")]


async def test_an_undo_counts_once_however_often_it_comes(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    await at_home.send(bob, bob.does("Like", post.uri, 1))
    carol = Person(at_home.web, "carol.test", "carol")
    await at_home.send(carol, carol.does("Like", post.uri, 1))
    for number in range(3):
        for undone in (bob.does("Like", post.uri, 1), bob.does("Like", post.uri, 1)["id"]):
            await at_home.send(bob, bob.does("Undo", undone, number))
    whole = await at_home.site.db.read(posts.stored, post.id)
    assert whole is not None
    assert whole.like_total == 1


async def test_what_a_server_says_of_our_totals_counts_for_nothing(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    told = {
        "id": post.uri,
        "type": "Note",
        "attributedTo": at_home.alice.uri,
        "to": [PUBLIC],
        "likes": {"totalItems": 9000},
    }
    for verb in ("Create", "Update", "Announce"):
        await at_home.send(bob, bob.does(verb, told, 1, to=[PUBLIC]))
    await at_home.work()
    whole = await at_home.site.db.read(posts.stored, post.id)
    assert whole is not None
    assert (whole.like_total, whole.comments) == (0, 0)


async def test_a_block_by_the_author_ends_what_a_reader_may_do(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    account = await at_home.know(bob)
    await at_home.site.db.write(relations.block, at_home.alice.id, account.id, "https://home.test/x/b")
    for verb in ("Like", "Announce"):
        await at_home.send(bob, bob.does(verb, post.uri, to=[PUBLIC]))
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    reply = bob.note(inReplyTo=post.uri, cc=[at_home.alice.uri], tag=[{"type": "Mention", "href": at_home.alice.uri}])
    await at_home.send(bob, bob.creates(reply))
    await at_home.work()
    for table in ("reaction", "boost", "follow", "notice"):
        assert await at_home.count(table) == 0, table
    assert await at_home.count("post") == 1


@pytest.mark.parametrize("verb", ["Create", "Update"])
@pytest.mark.parametrize("who", ["eve", "neighbour"])
async def test_nobody_takes_a_post_over_by_calling_it_their_own(
    at_home: Home, bob: Person, eve: Person, neighbour: Person, verb: str, who: str
) -> None:
    """Under the id of bob's post, with themselves as its author: on one server that is one origin."""
    other = eve if who == "eve" else neighbour
    await at_home.follows(bob)
    await at_home.follows(other)
    note = bob.note(content="<p>true</p>")
    await at_home.send(bob, bob.creates(note))
    mine = {**note, "attributedTo": other.uri, "content": "<p>forged</p>", "updated": "2025-06-03T10:00:00Z"}
    for number, thing in enumerate((mine, {**mine, "attributedTo": [other.uri, bob.uri]}, {**mine, "url": other.uri})):
        await at_home.send(other, other.does(verb, thing, number, to=[PUBLIC]))
    await at_home.work()
    found = await at_home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    assert (found.content, found.author) == ("<p>true</p>", bob.uri)
    assert await at_home.count("post") == 1
