"""Requests to quote our posts: granted, refused, answered, and shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fediblog.actions import moderation_actions, post_actions, quote_actions
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.store.posts import posts, quotes
from tests.federation.stranger import Home, Person

Json = dict[str, Any]


def asks(sender: Person, quoted: Post, note: Any, number: int = 1) -> Json:
    return sender.does("QuoteRequest", quoted.uri, number, instrument=note, to=[quoted.author])


async def answers(home: Home) -> list[Json]:
    """What was sent, with the inboxes it goes to."""
    rows = await home.ask(
        "select o.body, d.inbox from outgoing o join delivery d on d.outgoing = o.id"
        " where o.kind in ('Accept', 'Reject') order by o.id"
    )
    return [{**json.loads(body), "inbox": inbox} for body, inbox in rows]


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.UNLISTED])
async def test_what_everybody_may_see_may_be_quoted(at_home: Home, bob: Person, visibility: Visibility) -> None:
    post = await at_home.writes(visibility=visibility)
    note = bob.note(quote=post.uri)
    assert (await at_home.send(bob, asks(bob, post, note))).status == 202
    (answer,) = await answers(at_home)
    assert (answer["type"], answer["actor"], answer["inbox"]) == ("Accept", at_home.alice.uri, f"{bob.uri}/inbox")
    assert answer["object"]["id"] == asks(bob, post, note)["id"]
    assert (answer["object"]["type"], answer["object"]["actor"]) == ("QuoteRequest", bob.uri)
    assert (answer["object"]["object"], answer["object"]["instrument"]) == (post.uri, note["id"])
    (given,) = await at_home.site.db.read(quotes.standing, post.id)
    assert answer["result"] == at_home.site.urls.authorization(given.id)
    assert (given.quoting, given.account.uri) == (note["id"], bob.uri)


async def test_a_post_named_by_its_id_is_looked_at_first(at_home: Home, bob: Person, carol: Person) -> None:
    post = await at_home.writes()
    note, other = bob.note(1, quote=post.uri), carol.note(2, quote=post.uri)
    await at_home.send(bob, asks(bob, post, note["id"], 1))
    await at_home.send(bob, asks(bob, post, other["id"], 2))
    await at_home.send(bob, asks(bob, post, "https://bob.test/nothing", 3))
    await at_home.work()
    assert [each["type"] for each in await answers(at_home)] == ["Accept", "Reject", "Reject"]
    assert await at_home.count("post") == 1


async def test_a_post_of_somebody_else_or_about_another_is_no_quote(at_home: Home, bob: Person, carol: Person) -> None:
    post = await at_home.writes()
    await at_home.send(bob, asks(bob, post, carol.note(quote=post.uri), 1))
    await at_home.send(bob, asks(bob, post, bob.note(2, quote="https://carol.test/n/carol/1"), 2))
    await at_home.work()
    assert [each["type"] for each in await answers(at_home)] == ["Reject", "Reject"]
    assert await at_home.site.db.read(quotes.standing, post.id) == []


async def test_whom_the_author_blocks_is_refused(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    account = await at_home.know(bob)
    await at_home.site.db.write(moderation_actions.block, at_home.site.urls, at_home.alice.id, account.id)
    await at_home.send(bob, asks(bob, post, bob.note(quote=post.uri)))
    assert [each["type"] for each in await answers(at_home)] == ["Reject"]


async def test_a_post_for_a_few_is_not_quoted_and_not_betrayed(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)
    hidden = await at_home.writes(visibility=Visibility.FOLLOWERS)
    await at_home.send(bob, asks(bob, hidden, bob.note(1, quote=hidden.uri), 1))
    assert await answers(at_home) == []
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    await at_home.send(bob, asks(bob, hidden, bob.note(2, quote=hidden.uri), 2))
    assert [each["type"] for each in await answers(at_home)] == ["Accept", "Reject"]  # of the Follow, of the quote


async def test_a_second_request_gets_the_same_authorization(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    note = bob.note(quote=post.uri)
    for number in (1, 1, 2):
        await at_home.send(bob, asks(bob, post, note, number))
    found = await answers(at_home)
    assert len(found) == 2
    assert len({each["result"] for each in found}) == 1


async def test_one_account_gets_so_many(at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotes, "MOST", 2)
    post = await at_home.writes()
    for number in range(3):
        await at_home.send(bob, asks(bob, post, bob.note(number, quote=post.uri), number))
    assert [each["type"] for each in await answers(at_home)] == ["Accept", "Accept", "Reject"]


async def test_what_was_taken_back_is_not_given_again(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    note = bob.note(quote=post.uri)
    await at_home.send(bob, asks(bob, post, note))
    (given,) = await at_home.site.db.read(quotes.standing, post.id)
    await at_home.site.db.write(quote_actions.revoke, at_home.site.urls, at_home.alice.id, given.id)
    await at_home.send(bob, asks(bob, post, note, 2))
    assert [each["type"] for each in await answers(at_home)] == ["Accept", "Reject"]


async def test_a_quote_of_ours_is_kept_told_and_shown_until_it_is_taken_back(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    note = bob.note(quote=post.uri)
    await at_home.send(bob, asks(bob, post, note))
    await at_home.send(bob, bob.creates(note))
    assert await at_home.notices() == [("quote", "bob")]
    found = await at_home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    assert found.quoted is not None
    assert found.quoted.uri == post.uri
    (given,) = await at_home.site.db.read(quotes.standing, post.id)
    await at_home.site.db.write(quote_actions.revoke, at_home.site.urls, at_home.alice.id, given.id)
    found = await at_home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    assert (found.quote, found.quoted) == (post.uri, None)


async def test_a_quote_that_is_deleted_needs_no_authorization(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    note = bob.note(quote=post.uri)
    await at_home.send(bob, asks(bob, post, note))
    await at_home.send(bob, bob.creates(note))
    await at_home.send(bob, bob.does("Delete", note["id"]))
    assert await at_home.site.db.read(quotes.standing, post.id) == []


async def test_servers_that_show_a_quote_hear_that_the_post_is_gone(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    await at_home.send(bob, asks(bob, post, bob.note(quote=post.uri)))
    (given,) = await at_home.site.db.read(quotes.standing, post.id)
    await at_home.site.db.write(post_actions.delete, at_home.site.urls, at_home.alice.id, post.id)
    told = await at_home.ask(
        "select d.inbox from outgoing o join delivery d on d.outgoing = o.id where o.kind = 'Delete'"
    )
    assert told == [("https://bob.test/inbox",)]
    assert await at_home.site.db.read(quotes.get, given.id) is None


async def test_a_request_about_nothing_of_ours_is_dropped(at_home: Home, bob: Person, carol: Person) -> None:
    await at_home.know(bob)
    about = bob.does("QuoteRequest", "https://carol.test/n/carol/1", instrument=bob.note()["id"])
    assert (await at_home.send(bob, about)).status == 202
    await at_home.send(bob, bob.does("QuoteRequest", at_home.site.urls.post(1), 2, instrument=bob.note()))
    assert await answers(at_home) == []


async def test_whom_the_author_lets_quote(at_home: Home, bob: Person) -> None:
    nobody = await at_home.writes(quotable="nobody")
    followers = await at_home.writes(quotable="followers")
    await at_home.send(bob, asks(bob, nobody, bob.note(1, quote=nobody.uri), 1))
    await at_home.send(bob, asks(bob, followers, bob.note(2, quote=followers.uri), 2))
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri, 3))
    await at_home.send(bob, asks(bob, followers, bob.note(4, quote=followers.uri), 4))
    told = [each["type"] for each in await answers(at_home) if each["object"]["type"] == "QuoteRequest"]
    assert told == ["Reject", "Reject", "Accept"]
