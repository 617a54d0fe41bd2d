"""Follows, and those who follow us; blocks and mutes."""

from __future__ import annotations

import pytest

from fediblog.actions import follow_actions, moderation_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.domain.accounts import Account
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.store.people import host_rules, hosts, relations
from tests import wording
from tests.actions.stage import URLS, Stage


async def relation(stage: Stage, one: Account, other: Account) -> tuple[bool, bool, bool]:
    """Follows, has asked, is followed."""
    found = await stage.db.read(relations.between, one.id, other.id)
    return found.following, found.requested, found.followed_by


async def test_a_follow_waits_for_its_answer(stage: Stage) -> None:
    found = await stage.do(follow_actions.follow, stage.ann.id, stage.ben.id)
    assert (found.following, found.requested) == (False, True)
    sent = await stage.last()
    assert (sent.kind, sent.document["object"], sent.document["to"]) == ("Follow", stage.ben.uri, [stage.ben.uri])
    assert sent.inboxes == {stage.ben.inbox}


async def test_each_follow_has_an_id_of_its_own(stage: Stage) -> None:
    for _ in range(2):
        await stage.do(follow_actions.follow, stage.ann.id, stage.ben.id)
        await stage.do(follow_actions.follow, stage.ann.id, stage.ben.id)  # pressed once more: that is not sent
        stage.clock.forward(ms=follow_actions.ASKED_PAUSE + 1)
    first, second = await stage.sent()
    assert first.document["id"] != second.document["id"]
    standing = await stage.db.read(relations.follow, stage.ann.id, stage.ben.id)
    assert standing is not None
    assert standing.uri == second.document["id"]


async def test_a_follow_that_stands_is_not_sent_again(stage: Stage) -> None:
    await stage.follows(stage.ann, stage.ben)
    await stage.do(follow_actions.follow, stage.ann.id, stage.ben.id)
    assert await stage.sent() == []


async def test_the_end_of_a_follow_quotes_it(stage: Stage) -> None:
    await stage.do(follow_actions.follow, stage.ann.id, stage.ben.id)
    await stage.do(follow_actions.unfollow, stage.ann.id, stage.ben.id)
    await stage.do(follow_actions.unfollow, stage.ann.id, stage.ben.id)
    follow, undo = await stage.sent()
    assert undo.kind == "Undo"
    assert undo.object == {key: value for key, value in follow.document.items() if key != "@context"}
    assert undo.subject == follow.subject
    assert await relation(stage, stage.ann, stage.ben) == (False, False, False)


async def test_our_own_people_follow_each_other_at_once(stage: Stage) -> None:
    await stage.do(follow_actions.follow, stage.cem.id, stage.ann.id)
    assert await relation(stage, stage.cem, stage.ann) == (True, False, False)
    assert [each.kind for each in await stage.told(stage.ann)] == ["follow"]
    assert await stage.sent() == []


async def test_a_locked_account_of_ours_is_asked(stage: Stage) -> None:
    await stage.do(wording.update_profile, stage.ann.id, ProfileChanges(locked=True))
    await stage.do(follow_actions.follow, stage.cem.id, stage.ann.id)
    assert await relation(stage, stage.cem, stage.ann) == (False, True, False)
    assert [each.kind for each in await stage.told(stage.ann)] == ["follow_request"]
    await stage.do(follow_actions.accept, stage.ann.id, stage.cem.id)
    assert await relation(stage, stage.cem, stage.ann) == (True, False, False)
    assert [each.kind for each in await stage.told(stage.ann)] == ["follow"]


async def test_a_follow_that_came_without_an_id_is_answered_without_one(stage: Stage) -> None:
    await stage.db.write(relations.put_follow, stage.ben.id, stage.ann.id, "", "pending")
    await stage.do(follow_actions.accept, stage.ann.id, stage.ben.id)
    assert "id" not in (await stage.last()).object


@pytest.mark.parametrize(("action", "kind"), [(follow_actions.accept, "Accept"), (follow_actions.refuse, "Reject")])
async def test_an_answer_quotes_the_whole_question(stage: Stage, action: object, kind: str) -> None:
    await stage.follows(stage.ben, stage.ann, "pending")
    assert callable(action)
    await stage.do(action, stage.ann.id, stage.ben.id)
    sent = await stage.last()
    assert sent.kind == kind
    assert sent.document["to"] == [stage.ben.uri]
    assert sent.object["type"] == "Follow"
    assert sent.object["id"] == f"{stage.ben.uri}/follows/{stage.ann.id}"
    assert (sent.object["actor"], sent.object["object"]) == (stage.ben.uri, stage.ann.uri)
    assert sent.inboxes == {stage.ben.inbox}
    assert await relation(stage, stage.ben, stage.ann) == (kind == "Accept", False, False)


async def test_there_is_nothing_to_answer(stage: Stage) -> None:
    for action in (follow_actions.accept, follow_actions.refuse, follow_actions.remove_follower):
        with pytest.raises(NotFound):
            await stage.do(action, stage.ann.id, stage.ben.id)


async def test_a_follower_is_removed(stage: Stage) -> None:
    await stage.follows(stage.ben, stage.ann)
    await stage.do(follow_actions.remove_follower, stage.ann.id, stage.ben.id)
    assert await stage.kinds() == ["Reject"]
    assert await relation(stage, stage.ben, stage.ann) == (False, False, False)


async def test_whom_one_cannot_follow(stage: Stage) -> None:
    with pytest.raises(Invalid):
        await stage.do(follow_actions.follow, stage.ann.id, stage.ann.id)
    with pytest.raises(NotFound):
        await stage.do(follow_actions.follow, stage.ann.id, 12345)
    await stage.do(moderation_actions.block, stage.cem.id, stage.ann.id)
    with pytest.raises(Forbidden):
        await stage.do(follow_actions.follow, stage.ann.id, stage.cem.id)
    with pytest.raises(Invalid):
        await stage.do(follow_actions.follow, stage.cem.id, stage.ann.id)
    with pytest.raises(Forbidden):
        await stage.do(follow_actions.follow, stage.ben.id, stage.ann.id)


async def test_a_block_ends_the_follows_and_is_told(stage: Stage) -> None:
    await stage.follows(stage.ben, stage.ann)
    await stage.follows(stage.ann, stage.ben)
    await stage.do(moderation_actions.block, stage.ann.id, stage.ben.id)
    await stage.do(moderation_actions.block, stage.ann.id, stage.ben.id)
    reject, undo, block = await stage.sent()
    assert [reject.kind, undo.kind, block.kind] == ["Reject", "Undo", "Block"]
    assert (block.document["object"], block.document["to"]) == (stage.ben.uri, [stage.ben.uri])
    assert block.inboxes == {stage.ben.inbox}
    assert await relation(stage, stage.ann, stage.ben) == (False, False, False)

    await stage.do(moderation_actions.unblock, stage.ann.id, stage.ben.id)
    await stage.do(moderation_actions.unblock, stage.ann.id, stage.ben.id)
    lifted = await stage.last()
    assert lifted.kind == "Undo"
    assert lifted.object == {key: value for key, value in block.document.items() if key != "@context"}
    assert len(await stage.sent()) == 4


async def test_a_mute_is_told_to_nobody(stage: Stage) -> None:
    await stage.follows(stage.ann, stage.cem)
    await stage.do(moderation_actions.mute, stage.ann.id, stage.cem.id, stage.clock.now + 1000)
    await stage.publish("Hello @ann", by=stage.cem)
    assert await stage.stream(stage.ann) == []
    assert await stage.told(stage.ann) == []
    stage.clock.forward(seconds=2)
    assert len(await stage.stream(stage.ann)) == 1
    await stage.do(moderation_actions.mute, stage.ann.id, stage.cem.id)
    assert await stage.stream(stage.ann) == []
    await stage.do(moderation_actions.unmute, stage.ann.id, stage.cem.id)
    assert len(await stage.stream(stage.ann)) == 1
    assert await stage.kinds() == ["Create"]


async def test_oneself_is_neither_blocked_nor_muted(stage: Stage) -> None:
    for action in (moderation_actions.block, moderation_actions.mute):
        with pytest.raises(Invalid):
            await stage.do(action, stage.ann.id, stage.ann.id)


async def test_a_server_is_blocked_with_what_is_stored_of_it(stage: Stage) -> None:
    await stage.follows(stage.ann, stage.ben)
    await stage.do(moderation_actions.block_host, " https://BEN.test/ ", " spam ")
    assert await stage.db.read(host_rules.everything) == [
        host_rules.HostRule(host="ben.test", reason="spam", created=stage.clock.now)
    ]
    for host in ("ben.test", "ben.test:8443", "deep.ben.test"):
        assert await stage.db.read(hosts.is_blocked, host)
    assert not await stage.db.read(hosts.is_blocked, "notben.test")
    await stage.do(moderation_actions.unblock_host, "Ben.test")
    assert await stage.db.read(host_rules.everything) == []
    assert await stage.sent() == []


@pytest.mark.parametrize("host", ["", "blog.test", "a b", "http:", "-x.test", URLS.origin])
async def test_what_is_no_other_server_is_not_blocked(stage: Stage, host: str) -> None:
    with pytest.raises(Invalid):
        await stage.do(moderation_actions.block_host, host)
