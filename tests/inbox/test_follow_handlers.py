"""Follow, Accept, Reject and Block by others, and taking them back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fediblog.actions import follow_actions
from fediblog.store.people import accounts, relations
from fediblog.store.tx import Tx
from tests.federation.stranger import Home, Person


async def followed(home: Home, person: Person) -> bool:
    account = await home.know(person)
    return await home.site.db.read(relations.is_following, account.id, home.alice.id)


async def follows(home: Home, person: Person) -> str:
    """State of alice's follow."""
    account = await home.know(person)
    found = await home.site.db.read(relations.follow, home.alice.id, account.id)
    return found.state if found else ""


async def sent(home: Home) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in await home.ask("select body from outgoing order by id")]


async def asks(home: Home, person: Person) -> str:
    """Alice asks to follow; the id of the Follow."""
    account = await home.know(person)

    def action(tx: Tx) -> str:
        follow_actions.follow(tx, home.site.urls, home.alice.id, account.id)
        found = relations.follow(tx, home.alice.id, account.id)
        assert found is not None
        return found.uri

    return await home.site.db.write(action)


async def test_a_follow_is_answered_with_the_whole_follow(at_home: Home, bob: Person) -> None:
    follow = bob.does("Follow", at_home.alice.uri)
    assert (await at_home.send(bob, follow)).status == 202
    [accept] = await sent(at_home)
    assert (accept["type"], accept["actor"]) == ("Accept", at_home.alice.uri)
    assert accept["object"]["id"] == follow["id"]
    assert accept["object"]["actor"] == bob.uri
    assert await at_home.notices() == [("follow", "bob")]


async def test_ten_copies_of_a_follow_are_answered_once_and_a_later_one_again(at_home: Home, bob: Person) -> None:
    follow = bob.does("Follow", at_home.alice.uri)
    for _ in range(10):
        assert (await at_home.send(bob, follow)).status == 202
    assert len(await sent(at_home)) == 1
    at_home.clock.forward(minutes=5)
    await at_home.send(bob, follow)
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri, 2))
    assert len(await sent(at_home)) == 3
    assert await at_home.notices() == [("follow", "bob")]


async def test_a_locked_account_is_asked_first(at_home: Home, bob: Person) -> None:
    await at_home.site.db.write(lambda tx: accounts.update_profile(tx, at_home.alice.id, locked=1))
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    assert not await followed(at_home, bob)
    assert await sent(at_home) == []
    assert await at_home.notices() == [("follow_request", "bob")]
    await at_home.send(bob, bob.does("Undo", bob.does("Follow", at_home.alice.uri)))
    assert await at_home.count("follow") == 0
    assert await at_home.notices() == []


async def test_whom_we_block_cannot_follow(at_home: Home, bob: Person) -> None:
    account = await at_home.know(bob)
    await at_home.site.db.write(relations.block, at_home.alice.id, account.id, "https://home.test/x/1")
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    assert not await followed(at_home, bob)
    assert [each["type"] for each in await sent(at_home)] == ["Reject"]


async def test_an_undo_by_the_bare_id_is_understood(at_home: Home, bob: Person) -> None:
    follow = bob.does("Follow", at_home.alice.uri)
    await at_home.send(bob, follow)
    await at_home.send(bob, bob.does("Undo", follow["id"]))
    assert not await followed(at_home, bob)
    await at_home.send(bob, follow)  # the same again
    assert await followed(at_home, bob)


async def test_an_undo_that_came_first_wins(at_home: Home, bob: Person) -> None:
    follow = bob.does("Follow", at_home.alice.uri)
    await at_home.send(bob, bob.does("Undo", follow))
    await at_home.send(bob, follow)
    assert not await followed(at_home, bob)


async def test_a_follow_without_an_id_is_accepted_too(at_home: Home, bob: Person) -> None:
    follow = bob.does("Follow", at_home.alice.uri)
    del follow["id"]
    await at_home.send(bob, follow)
    assert await followed(at_home, bob)
    [accept] = await sent(at_home)
    assert "id" not in accept["object"]


async def test_nobody_follows_the_server_itself(at_home: Home, bob: Person) -> None:
    await at_home.send(bob, bob.does("Follow", at_home.site.urls.instance_actor))
    await at_home.send(bob, bob.does("Follow", f"{at_home.site.urls.origin}/a/12"))
    assert await at_home.count("follow") == 0


async def test_only_the_followed_grants_a_follow(at_home: Home, bob: Person, carol: Person) -> None:
    uri = await asks(at_home, bob)
    await at_home.know(carol)
    follow = {"id": uri, "type": "Follow", "actor": at_home.alice.uri, "object": bob.uri}
    assert (await at_home.send(carol, carol.does("Accept", uri))).status == 403
    assert (await at_home.send(carol, carol.does("Accept", follow))).status == 403
    assert (await at_home.send(carol, carol.does("Reject", uri))).status == 403
    assert await follows(at_home, bob) == "pending"
    assert (await at_home.send(bob, bob.does("Accept", uri))).status == 202
    assert await follows(at_home, bob) == "accepted"


async def test_an_accept_of_what_we_never_asked_is_nothing(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)
    follow = {"id": "https://home.test/x/9", "type": "Follow", "actor": at_home.alice.uri, "object": bob.uri}
    assert (await at_home.send(bob, bob.does("Accept", follow))).status == 202
    assert await follows(at_home, bob) == ""


async def test_an_accept_may_embed_a_follow_with_another_id(at_home: Home, bob: Person) -> None:
    await asks(at_home, bob)
    follow = {"id": f"{bob.uri}#invented", "type": "Follow", "actor": at_home.alice.uri, "object": bob.uri}
    await at_home.send(bob, bob.does("Accept", follow))
    assert await follows(at_home, bob) == "accepted"


async def test_a_reject_after_the_accept_removes_us(at_home: Home, bob: Person) -> None:
    uri = await asks(at_home, bob)
    await at_home.send(bob, bob.does("Accept", uri))
    await at_home.send(bob, bob.does("Reject", uri))
    assert await follows(at_home, bob) == ""
    assert (await at_home.send(bob, bob.does("Reject", uri, 2))).status == 202


async def test_an_acceptance_can_be_taken_back(at_home: Home, bob: Person) -> None:
    uri = await asks(at_home, bob)
    follow = {"id": uri, "type": "Follow", "actor": at_home.alice.uri, "object": bob.uri}
    await at_home.send(bob, bob.does("Accept", follow))
    await at_home.send(bob, bob.does("Undo", bob.does("Accept", follow)))
    assert await follows(at_home, bob) == ""


async def test_a_block_ends_both_follows_and_can_be_lifted(at_home: Home, bob: Person) -> None:
    account = await at_home.follows(bob)
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    block = bob.does("Block", at_home.alice.uri)
    await at_home.send(bob, block)
    assert await at_home.count("follow") == 0
    relation = await at_home.site.db.read(relations.between, at_home.alice.id, account.id)
    assert relation.blocked_by
    await at_home.send(bob, bob.does("Undo", block))
    relation = await at_home.site.db.read(relations.between, at_home.alice.id, account.id)
    assert not relation.blocked_by


async def test_a_follow_that_crossed_a_block_is_taken_back(at_home: Home, bob: Person) -> None:
    await asks(at_home, bob)
    await at_home.send(bob, bob.does("Block", at_home.alice.uri))
    kinds = await at_home.ask("select kind from outgoing order by id")
    assert kinds == [("Follow",), ("Undo",)]  # else they might take the Follow after they lift the block


async def test_a_late_reject_of_an_earlier_follow_ends_the_later_one_on_both_sides(at_home: Home, bob: Person) -> None:
    first = await asks(at_home, bob)
    account = await at_home.know(bob)
    await at_home.site.db.write(follow_actions.unfollow, at_home.site.urls, at_home.alice.id, account.id)
    second = await asks(at_home, bob)
    follow = {"id": first, "type": "Follow", "actor": at_home.alice.uri, "object": bob.uri}
    await at_home.send(bob, bob.does("Reject", follow))
    assert await follows(at_home, bob) == ""
    ((body,),) = await at_home.ask("select body from outgoing order by id desc limit 1")
    undo = json.loads(body)
    assert (undo["type"], undo["object"]["id"]) == ("Undo", second)


@pytest.mark.parametrize("verb", ["Accept", "Reject"])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("before", [False, True])
async def test_a_follow_is_known_by_the_very_id_that_was_sent(
    at_home: Home, bob: Person, verb: str, whole: bool, before: bool
) -> None:
    """Now a fragment of the actor's, in earlier versions an address of its own: answers and the Undo name that."""
    uri = await asks(at_home, bob)
    assert uri.startswith(f"{at_home.alice.uri}#")
    account = await at_home.know(bob)
    if before:
        uri = f"{at_home.site.urls.origin}/x/7"
        await at_home.site.db.write(relations.put_follow, at_home.alice.id, account.id, uri, "pending")
    asked = {"id": uri, "type": "Follow", "actor": at_home.alice.uri, "object": bob.uri} if whole else uri
    await at_home.send(bob, bob.does(verb, asked))
    assert await follows(at_home, bob) == {"Accept": "accepted", "Reject": ""}[verb]
    if verb == "Accept":
        await at_home.site.db.write(follow_actions.unfollow, at_home.site.urls, at_home.alice.id, account.id)
        assert (await sent(at_home))[-1]["object"]["id"] == uri
