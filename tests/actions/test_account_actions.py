"""Accounts of ours: how they begin, show themselves, move and end."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from fediblog.actions import account_actions, follow_actions, moderation_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft
from fediblog.domain.documents import PUBLIC
from fediblog.errors import Forbidden, Invalid, Refused
from fediblog.outgoing import own_documents
from fediblog.store.people import accounts, relations, server_state
from fediblog.store.posts import posts, reactions
from tests import wording
from tests.actions.stage import KEYS, URLS, Stage, make_local
from tests.remote_accounts import save_remote
from tests.store import makers
from tests.wording import publish


async def test_the_set_up_link_works_once(stage: Stage) -> None:
    await stage.db.write(server_state.put, account_actions.SETUP_TOKEN, "hash of the token")

    async def set_up(token: str, handle: str) -> str:
        _, account = await stage.do(
            account_actions.set_up,
            token_hash=token,
            name=handle,
            password_hash="-",
            handle=handle,
            display="Somebody",
            keys=KEYS,
        )
        return account.handle

    with pytest.raises(Refused):
        await set_up("another", "eve")
    assert await set_up("hash of the token", "eva") == "eva"
    with pytest.raises(Refused):
        await set_up("hash of the token", "eve")


@pytest.mark.parametrize("handle", ["", "a b", "ä", "x" * 31, "instance", "Admin", "a.b", "../x"])
async def test_handles_that_cannot_be_had(stage: Stage, handle: str) -> None:
    with pytest.raises(Invalid) as caught:
        await stage.do(account_actions.add_account, stage.ann.login, handle, "", KEYS)
    assert caught.value.field == "handle"


async def test_a_handle_is_taken_once(stage: Stage) -> None:
    with pytest.raises(Invalid):
        await stage.do(account_actions.add_account, stage.ann.login, "@CEM", "", KEYS)
    second = await stage.do(account_actions.add_account, stage.ann.login, "@Ann_Two", "Ann's other", KEYS)
    assert (second.handle, second.login) == ("ann_two", stage.ann.login)


async def test_the_document_of_an_account(stage: Stage) -> None:
    document = await stage.db.read(own_documents.actor_document, URLS, stage.ann)
    assert document["id"] == stage.ann.uri
    assert document["preferredUsername"] == "ann"
    assert document["inbox"] == f"{stage.ann.uri}/inbox"
    assert document["endpoints"] == {"sharedInbox": URLS.shared_inbox}
    assert document["publicKey"] == {
        "id": f"{stage.ann.uri}#main-key",
        "owner": stage.ann.uri,
        "publicKeyPem": "a public key",
    }
    assert str(stage.ann.followers).endswith("/followers")


async def test_a_profile_is_told_to_followers(stage: Stage) -> None:
    icon = await stage.upload(stage.ann)
    profile = ProfileChanges(
        name="Ann \u202eB.",
        summary="I *am* <b>x</b>",
        fields=(("Home", "https://ann.test"), ("", "dropped")),
        icon=icon,
    )
    changed = await stage.do(wording.update_profile, stage.ann.id, profile)
    assert changed.name == "Ann B."
    sent = await stage.last()
    assert (sent.kind, sent.subject, sent.followers) == ("Update", stage.ann.uri, True)
    assert sent.document["to"] == [PUBLIC]
    actor = sent.object
    assert actor["id"] == stage.ann.uri
    assert "<em>am</em>" in actor["summary"]
    assert "<b>" not in actor["summary"]
    (field,) = actor["attachment"]
    assert (field["type"], field["name"]) == ("PropertyValue", "Home")
    assert 'href="https://ann.test"' in field["value"]
    assert actor["icon"]["url"].startswith(URLS.media("aa/bb/"))
    again = await stage.do(wording.update_profile, stage.ann.id, ProfileChanges(name="Ann"))
    assert again.icon == changed.icon


async def test_what_does_not_fit_into_a_profile(stage: Stage) -> None:
    theirs = await stage.upload(stage.cem)
    wrong = {
        "summary": ProfileChanges(summary="x" * 5001),
        "fields": ProfileChanges(fields=(("a", "b"),) * 17),
        "icon": ProfileChanges(icon=theirs),
        "image": ProfileChanges(image=12345),
    }
    for field, profile in wrong.items():
        with pytest.raises(Invalid) as caught:
            await stage.do(wording.update_profile, stage.ann.id, profile)
        assert caught.value.field == field
    assert await stage.sent() == []


async def test_a_move_needs_the_other_accounts_word(stage: Stage) -> None:
    with pytest.raises(Invalid):
        await stage.do(account_actions.move, stage.ann.id, stage.cem.id)
    await stage.do(account_actions.add_alias, stage.cem.id, stage.ann.uri)
    await stage.do(account_actions.add_alias, stage.cem.id, stage.ann.uri)
    alias = await stage.last()
    assert alias.object["alsoKnownAs"] == [stage.ann.uri]
    await stage.do(account_actions.move, stage.ann.id, stage.cem.id)
    update, move = (await stage.sent())[-2:]
    assert update.object["movedTo"] == stage.cem.uri
    assert move.kind == "Move"
    assert move.document["actor"] == move.document["object"] == stage.ann.uri
    assert (move.document["target"], move.document["to"]) == (stage.cem.uri, [stage.ann.followers])
    assert move.followers


async def test_nobody_who_blocks_the_server_of_the_new_account_keeps_the_old_one_from_moving(stage: Stage) -> None:
    zoe = await stage.db.write(make_local, "zoe")
    for follower in (stage.cem, zoe):
        await stage.do(follow_actions.follow, follower.id, stage.ann.id)
    await stage.do(moderation_actions.mute_host, stage.cem.id, "ben.test")
    await stage.db.write(save_remote, replace(stage.ben, also_known_as=(stage.ann.uri,)), "ben.test")
    await stage.do(account_actions.move, stage.ann.id, stage.ben.id)
    followed = [await stage.db.read(relations.follow, who.id, stage.ben.id) for who in (stage.cem, zoe)]
    assert [each is not None for each in followed] == [False, True]
    for follower in (stage.cem, zoe):
        assert await stage.db.read(relations.follow, follower.id, stage.ann.id) is None
        assert (await stage.told(follower))[0].kind == "move"


async def test_an_account_and_all_it_wrote_ends(stage: Stage) -> None:
    await stage.follows(stage.ben, stage.ann)
    await stage.follows(stage.ann, stage.dan)
    post = await stage.publish("Farewell")
    theirs = await stage.remote_post(stage.ben)
    await stage.db.write(reactions.react, stage.ann.id, theirs.id, "https://blog.test/x/1")
    await stage.do(account_actions.delete_account, stage.ann.id)
    sent = await stage.last()
    assert (sent.kind, sent.document["object"], sent.document["actor"]) == ("Delete", stage.ann.uri, stage.ann.uri)
    assert sent.document["to"] == [PUBLIC]
    assert sent.followers
    job = await stage.db.read(lambda tx: tx.one("select payload from job where subject = :id", id=str(sent.number)))
    assert job is not None
    assert json.loads(job.payload)["then"] == "followed"  # whom she followed is told too
    assert await stage.db.read(posts.stored, post.id) is None
    assert (await stage.post(theirs.id)).like_total == 0
    for uri in (post.uri, stage.ann.uri):
        assert await stage.db.read(makers.tombstone, uri) is not None
    gone = await stage.db.read(accounts.get, stage.ann.id)
    assert gone is not None
    assert gone.state == "deleted"
    with pytest.raises(Forbidden):
        await stage.do(publish, stage.ann.id, Draft(source="I am back"))
    # Those who follow must still be found, to be told.
    assert len(await stage.db.read(relations.inboxes_of_followers, stage.ann.id)) == 1
    with pytest.raises(Invalid):
        await stage.do(account_actions.add_account, stage.cem.login, "ann", "", KEYS)  # a name is not given twice
