"""What is asked, in one question, before something of somebody else's comes in."""

from __future__ import annotations

import pytest

from fediblog import inbox
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Activity, Mention
from fediblog.inbox import Facts, Outcome
from fediblog.inbox.post_handlers import take_in
from fediblog.prepare.note_cleaner import harmless
from fediblog.store.engine.database import Database
from fediblog.store.people import apps, relations
from fediblog.store.posts import arrivals, posts, reactions, tombstones
from fediblog.store.queues import incoming_queue, push_subscriptions
from fediblog.store.tx import Tx
from tests import host_blocks
from tests.store import makers
from tests.store.makers import URLS, Watched, local, remote, scans, undone


def _stands(tx: Tx, author: Account, **changes: object) -> dict[str, int]:
    found = arrivals.post(tx, makers.note(author, uri=f"{author.uri}/p/1", **changes), author)
    return {
        name: getattr(found, name)
        for name in ("stored", "early", "buried", "host_blocked", "followed", "author_blocked")
    }


async def test_each_answer_has_its_own_cause(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob = local(tx), remote(tx, "bob", "a.far.example:444")
        uri = f"{bob.uri}/p/1"
        ours = makers.whole(tx, makers.post(tx, alice))
        below = makers.whole(tx, makers.post(tx, remote(tx, "eve", "eve.example"), in_reply_to=ours.uri))
        assert not any(_stands(tx, bob, in_reply_to=ours.uri).values())
        relations.put_follow(tx, alice.id, bob.id, "https://x.example/f", "pending")
        assert not _stands(tx, bob)["followed"]
        relations.accept(tx, alice.id, bob.id)
        assert _stands(tx, bob)["followed"]
        relations.block(tx, alice.id, bob.id, "https://x.example/b")
        assert [_stands(tx, bob, in_reply_to=each.uri)["author_blocked"] for each in (ours, below)] == [1, 1]
        assert not _stands(tx, bob)["author_blocked"]
        incoming_queue.remember_early(tx, uri, "https://other.example/u", "Delete")
        assert not _stands(tx, bob)["early"]
        incoming_queue.remember_early(tx, uri, bob.uri, "Delete")
        tombstones.leave(tx, uri, bob.uri)
        makers.post(tx, bob, uri=uri)
        host_blocks.block(tx, "far.example")
        stands = _stands(tx, bob)
        assert (stands["early"], stands["buried"], stands["stored"], stands["host_blocked"]) == (1, 1, 1, 1)
        assert not _stands(tx, remote(tx, "x", "notfar.example"))["host_blocked"]

    await undone(db, check)


async def test_the_post_above_is_found_by_its_id_or_its_page(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob = remote(tx)
        above = makers.post(tx, bob, uri=f"{bob.uri}/p/0", url=f"{bob.uri}/page")
        for name, number in (
            (f"{bob.uri}/p/0", above),
            (f"{bob.uri}/page", above),
            (f"{bob.uri}/p/9", None),
            ("", None),
        ):
            found = arrivals.post(tx, makers.note(bob, uri=f"{bob.uri}/p/1", in_reply_to=name), bob)
            assert (found.answered and (found.answered.id, found.answered.account)) == (number and (number, bob.id))

    await undone(db, check)


async def test_how_many_reactions_of_the_one_who_reacts_stand_beside_a_post(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob, dora = local(tx), remote(tx), remote(tx, "dora")
        ours, other = (makers.whole(tx, makers.post(tx, alice)) for _ in range(2))
        for number, text in enumerate("🐈🐕🦊"):
            reactions.react(tx, bob.id, ours.id, f"{bob.uri}/e/{number}", kind="emoji", content=text)
        found = [arrivals.target(tx, post.uri, actor, "") for post in (ours, other) for actor in (bob, dora)]
        assert [each and each.reactions for each in found] == [3, 0, 0, 0]

    await undone(db, check)


def _pushes(tx: Tx, account: int) -> None:
    """An app of the account that wants to be woken by whatever there is."""
    token = apps.add_token(tx, f"hash of {account}", ["push"], account=account)
    alerts = dict.fromkeys(push_subscriptions.ALERTS, True)
    push_subscriptions.put(
        tx,
        token,
        account,
        endpoint="https://push.test/1",
        key="k",
        secret="s",
        standard=True,
        alerts=alerts,
        policy="all",
        sealed="",
    )


def _does(kind: str, actor: Account, uri: str) -> Activity:
    return Activity(kind=kind, actor=actor.uri, uri=f"{actor.uri}/{kind}", object=uri, object_uri=uri, to=(PUBLIC,))


async def test_whether_apps_are_woken_is_known_of_all_who_may_be_told(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob, people = remote(tx), (local(tx), local(tx, "ann"))
        _pushes(tx, people[0].id)
        for account, pushed in zip(people, (True, False), strict=True):
            ours = makers.whole(tx, makers.post(tx, account))
            found = arrivals.post(tx, makers.note(bob, uri=f"{bob.uri}/p/1", in_reply_to=ours.uri), bob)
            asked = (
                found.answered,
                arrivals.target(tx, ours.uri, bob, ""),
                arrivals.people(tx, [account.uri])[account.uri],
                posts.owner(tx, ours.id),
            )
            assert [each and bool(each.pushed) for each in asked] == [pushed] * 4

    await undone(db, check)


@pytest.mark.parametrize("href", ["{uri}", "{url}", ""])
async def test_whatever_comes_in_wakes_the_apps_of_those_who_are_told(db: Database, href: str) -> None:
    def check(tx: Tx) -> None:
        bob, alice, ann, eve = remote(tx), local(tx), local(tx, "ann"), local(tx, "eve")
        for each in (alice, ann):
            _pushes(tx, each.id)
        ours = makers.whole(tx, makers.post(tx, alice))
        named = tuple(
            Mention(href=href.format(uri=each.uri, url=each.url), name=f"@{each.handle}@{each.domain}")
            for each in (alice, ann, eve)
        )
        note = makers.note(bob, uri=f"{bob.uri}/p/1", in_reply_to=ours.uri, to=(PUBLIC,), mentions=named)
        assert take_in(tx, URLS, note, Facts(actor=bob, cleaned=((note, harmless(note)),))) is Outcome.DONE
        for kind in ("Like", "Announce"):
            assert inbox.apply(tx, URLS, _does(kind, bob, ours.uri), Facts(actor=bob)) is Outcome.DONE
        told = [(row.account, row.kind) for row in tx.all("select account, kind from notice")]
        assert sorted(told) == sorted(
            [*((alice.id, kind) for kind in ("reply", "like", "boost")), (ann.id, "mention"), (eve.id, "mention")]
        )
        assert len(tx.all("select 1 as yes from job where kind = 'push'")) == 4

    await undone(db, check)


async def test_few_statements_take_in_an_answer_and_a_like(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob = local(tx), remote(tx)
        ours = makers.whole(tx, makers.post(tx, alice))
        named = (Mention(href=alice.uri, name="@alice"),)
        note = makers.note(bob, uri=f"{bob.uri}/p/1", in_reply_to=ours.uri, to=(PUBLIC,), mentions=named)
        watched = Watched(tx)
        assert take_in(watched, URLS, note, Facts(actor=bob, cleaned=((note, harmless(note)),))) is Outcome.DONE
        assert len(watched.asked) <= 7 + (tx.engine == "postgres"), [sql for sql, _ in watched.asked]
        if tx.engine == "sqlite":
            assert not scans(watched.plans(), "post", "early", "tombstone", "follow", "account", "notice")
        watched = Watched(tx)
        like = Activity(kind="Like", actor=bob.uri, uri=f"{bob.uri}/l/1", object=ours.uri, object_uri=ours.uri)
        assert inbox.apply(watched, URLS, like, Facts(actor=bob)) is Outcome.DONE
        assert len(watched.asked) <= 5, [sql for sql, _ in watched.asked]

    await undone(db, check)
