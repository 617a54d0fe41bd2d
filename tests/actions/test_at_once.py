"""Actions of our people that cross: each looks at what the other has done, whichever is first."""

from __future__ import annotations

import asyncio

import pytest

from fediblog.actions import (
    account_actions,
    follow_actions,
    moderation_actions,
    oauth_grants,
    post_actions,
    reaction_actions,
)
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.domain.documents import Actor
from fediblog.errors import Invalid
from fediblog.federation.jobs import _sweep_uploads
from fediblog.store.people import accounts, apps, foreign_inboxes, logins, relations, server_state
from fediblog.store.posts import posts, quotes
from fediblog.store.tx import Conflict, Tx
from fediblog.web import sessions
from fediblog.web.pages import consent_page
from tests import wording
from tests.actions.stage import URLS, Stage
from tests.crossing import Work, cross
from tests.remote_accounts import save_remote
from tests.world import keys_of


async def count(stage: Stage, sql: str) -> int:
    found = await stage.db.read(lambda tx: tx.one(sql))
    assert found is not None
    return int(found.n)


@pytest.mark.parametrize("action", ["like", "boost", "follow", "block"])
async def test_a_button_pressed_twice_sends_one_activity(stage: Stage, action: str) -> None:
    post = await stage.db.write(wording.publish, URLS, stage.cem.id, Draft(source="Hello"))
    presses: dict[str, Work] = {
        "like": lambda tx: reaction_actions.like(tx, URLS, stage.ann.id, post.id),
        "boost": lambda tx: reaction_actions.boost(tx, URLS, stage.ann.id, post.id),
        "follow": lambda tx: follow_actions.follow(tx, URLS, stage.ann.id, stage.ben.id),
        "block": lambda tx: moderation_actions.block(tx, URLS, stage.ann.id, stage.ben.id),
    }
    before = await count(stage, "select count(*) as n from outgoing")
    await cross(stage.db, presses[action], presses[action])
    sent = await count(stage, "select count(*) as n from outgoing") - before
    assert sent == (0 if action == "like" else 1)  # Cem lives here and is told without


async def test_two_of_ours_who_follow_and_block_each_other(stage: Stage) -> None:
    ann, cem = stage.ann.id, stage.cem.id
    for first, second in (("follow", "block"), ("block", "follow")):
        actions: dict[str, Work] = {
            "follow": lambda tx: follow_actions.follow(tx, URLS, ann, cem),
            "block": lambda tx: moderation_actions.block(tx, URLS, cem, ann),
        }
        await cross(stage.db, actions[first], actions[second])
        assert await stage.db.read(relations.follow, ann, cem) is None
        await stage.db.write(moderation_actions.unblock, URLS, cem, ann)


async def test_two_who_follow_each_other_at_once_do_not_wait_for_each_other(stage: Stage) -> None:
    ann, cem = stage.ann.id, stage.cem.id
    await asyncio.gather(
        stage.db.write(follow_actions.follow, URLS, ann, cem), stage.db.write(follow_actions.follow, URLS, cem, ann)
    )
    assert await count(stage, "select count(*) as n from follow") == 2


async def test_one_vote_of_one_of_ours(stage: Stage) -> None:
    poll = PollDraft(options=("tea", "milk"), multiple=False, seconds=3600)
    post = await stage.db.write(wording.publish, URLS, stage.cem.id, Draft(source="What?", poll=poll))

    def vote(name: str) -> Work:
        return lambda tx: reaction_actions.vote(tx, URLS, stage.ann.id, post.id, [name])

    _, second = await cross(stage.db, vote("tea"), vote("milk"))
    assert isinstance(second, Invalid)
    stored = await stage.db.read(posts.stored, post.id)
    assert stored is not None
    assert stored.poll is not None
    assert [each.votes for each in stored.poll.options] == [1, 0]


async def test_the_limit_of_pinned_posts(stage: Stage) -> None:
    made = [
        await stage.db.write(wording.publish, URLS, stage.ann.id, Draft(source="Hello"))
        for _ in range(post_actions.MOST_PINNED + 1)
    ]
    for post in made[2:]:
        await stage.db.write(post_actions.pin, URLS, stage.ann.id, post.id)

    def pin(number: int) -> Work:
        return lambda tx: post_actions.pin(tx, URLS, stage.ann.id, made[number].id)

    _, second = await cross(stage.db, pin(0), pin(1))
    assert isinstance(second, Invalid)


async def test_one_owner_one_handle_and_so_many_accounts_of_a_login(stage: Stage) -> None:
    await stage.db.write(lambda tx: tx.run("update login set disabled = 1"))

    def login(name: str) -> Work:
        return lambda tx: account_actions.add_login(tx, name, "-")

    one, two = await cross(stage.db, login("one"), login("two"))
    assert {one.role, two.role} == {"owner", "member"}

    def account(handle: str, owner: int) -> Work:
        keys = keys_of("a.test", handle)
        return lambda tx: account_actions.add_account(tx, URLS, owner, handle, "", keys, most=1)

    _, refused = await cross(stage.db, account("red", one.id), account("blue", one.id))
    assert isinstance(refused, Invalid)
    _, taken = await cross(stage.db, account("pink", two.id), account("pink", two.id))
    assert isinstance(taken, Invalid)


@pytest.mark.parametrize("swept_first", [True, False])
async def test_a_picture_that_is_used_while_old_ones_are_swept(stage: Stage, swept_first: bool) -> None:
    upload = await stage.upload(stage.ann)
    stage.clock.forward(days=2)

    def publish(tx: Tx) -> object:
        return wording.publish(tx, URLS, stage.ann.id, Draft(source="Look", files=(File(upload=upload),)))

    if swept_first:
        _, refused = await cross(stage.db, _sweep_uploads, publish)
        assert isinstance(refused, Invalid)
    else:
        await cross(stage.db, publish, _sweep_uploads)
        assert await count(stage, "select count(*) as n from attachment where media is not null") == 1


async def test_the_limit_of_inboxes_on_a_host_that_is_new(stage: Stage) -> None:
    def save(number: int) -> Work:
        uri = f"https://far{number}.test/u"
        actor = Actor(uri=uri, kind="Person", handle="u", inbox=f"https://target.test/{number}")
        return lambda tx: save_remote(tx, actor, f"far{number}.test")

    for number in range(foreign_inboxes.MOST - 1):
        await stage.db.write(save(number))
    _, refused = await cross(stage.db, save(10), save(11))
    assert getattr(refused, "reason", "") == "inbox-elsewhere"


async def test_the_set_up_link_works_once(stage: Stage) -> None:
    await stage.db.write(server_state.put, account_actions.SETUP_TOKEN, "hash")

    def set_up(handle: str) -> Work:
        keys = keys_of("a.test", handle)

        def work(tx: Tx) -> object:
            more = {"name": handle, "password_hash": "-", "handle": handle, "display": ""}
            return account_actions.set_up(tx, URLS, token_hash="hash", keys=keys, **more)

        return work

    _, second = await cross(stage.db, set_up("red"), set_up("blue"))
    assert getattr(second, "reason", "") == "setup-done"


def _code(tx: Tx, account: int, login: int) -> apps.App:
    number = apps.add_app(
        tx, client="c", secret="s", name="A", website="", redirects=(oauth_grants.OOB,), scopes=("read",)
    )
    app = apps.app(tx, number)
    assert app is not None
    what = apps.Code(
        app=app.id,
        login=login,
        account=account,
        scopes=("read",),
        redirect=oauth_grants.OOB,
        challenge="",
        expires=tx.now + 1000,
    )
    apps.add_code(tx, apps.digest("code"), what)
    return app


async def test_a_code_that_is_used_twice_at_once(stage: Stage) -> None:
    row = await stage.db.read(lambda tx: tx.one("select login from account where id = :id", id=stage.ann.id))
    assert row is not None
    app = await stage.db.write(_code, stage.ann.id, row.login)

    def swap(tx: Tx) -> object:
        return oauth_grants.swap(tx, app, code="code", redirect=oauth_grants.OOB, verifier="", proven=True)

    _, second = await cross(stage.db, swap, swap)
    assert isinstance(second, oauth_grants.Denied)
    assert await count(stage, "select count(*) as n from token") == 0


@pytest.mark.parametrize("first", ["ended", "let in"])
@pytest.mark.parametrize("how", ["another password", "disabled"])
@pytest.mark.parametrize("way", ["log in", "allow an app", "swap a code"])
async def test_nobody_is_let_in_while_the_password_changes(stage: Stage, way: str, how: str, first: str) -> None:
    """Whichever is first: what is just being given by the old password ends with it."""
    login = await stage.db.read(logins.get, stage.ann.login or 0)
    assert login is not None
    app = await stage.db.write(_code, stage.ann.id, login.id)
    old = await stage.db.read(logins.password_hash, login.name) or ""
    assert await stage.db.write(sessions._begin, login, sessions.password_proof(login, old), "before", "", "")
    held = await stage.db.read(sessions.held_by, "before")
    assert held is not None
    user = await stage.db.read(sessions.current_user_of, held)
    assert user is not None
    asked = oauth_grants.AuthorizationRequest(
        app=app, redirect=oauth_grants.OOB, scopes=("read",), state="", challenge=""
    )
    ways: dict[str, Work] = {
        "log in": lambda tx: sessions._begin(tx, login, sessions.password_proof(login, old), "token", "", ""),
        "allow an app": lambda tx: consent_page._grant(tx, user, asked, stage.ann.id),
        "swap a code": lambda tx: oauth_grants.swap(
            tx, app, code="code", redirect=oauth_grants.OOB, verifier="", proven=True
        ),
    }  # fmt: skip

    def end(tx: Tx) -> None:
        if how == "disabled":
            logins.set_disabled(tx, login.id, disabled=True)
        else:
            logins.set_password(tx, login.id, "new")

    await cross(stage.db, *((end, ways[way]) if first == "ended" else (ways[way], end)))
    for table in ("session", "app_code", "token"):
        assert await count(stage, f"select count(*) as n from {table}") == 0, table


async def test_what_is_looked_for_in_vain_by_two_is_found_the_second_time(stage: Stage) -> None:
    """A rule of the database is no error where another transaction was faster; where it is one, it stays one."""
    post = await stage.db.write(wording.publish, URLS, stage.ann.id, Draft(source="Hello"))

    def grant(tx: Tx) -> int | None:
        return quotes.grant(tx, post.id, stage.ben.id, "https://ben.test/n/1")

    one, two = await cross(stage.db, grant, grant)
    assert one == two
    with pytest.raises(Conflict):
        await stage.db.write(lambda tx: tx.run("insert into block (account, target, uri) values (1, 2, 'x')"))
    assert await stage.db.read(accounts.get, stage.ann.id) is not None
