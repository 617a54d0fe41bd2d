"""Accounts of others are kept for as long as somebody here has to do with them, on both engines."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.federation import jobs
from fediblog.federation.site import Site
from fediblog.store.engine.database import Database, connect
from fediblog.store.people import accounts, forgotten_accounts, relation_lists, relations
from fediblog.store.posts import post_writing, reactions
from fediblog.store.posts.post_columns import Placement
from fediblog.store.queues import incoming_queue, job_queue
from fediblog.store.readers import moderation, notifications
from fediblog.store.tx import Tx
from tests.conftest import Clock, empty_database, options
from tests.federation.stranger import Person, home
from tests.store.makers import local, note, remote

DAY = 86_400_000
# Columns that refer to an account, but only ever to one of ours.
OURS = {
    "account_export.account",
    "trash.account",
    "relation_import.account",
    *("media.account", "outgoing.account", "featured_tag.account", "stream.account", "notice.account", "mute.account"),
    *("session.account", "token.account", "app_code.account", "push_subscription.account", "bookmark.account"),
    *("marker.account", "user_list.account", "word_filter.account", "followed_tag.account", "account_note.account"),
    *("endorsement.account", "thread_mute.account", "host_mute.account", "suggestion_dismissed.account"),
    *("preference.account", "conversation.account", "notice_policy.account", "notice_consent.account"),
    *("showcase.account", "former_post_slug.account", "autosave.account"),
    *("announcement_read.account", "report.assigned", "report.closed_by"),
    *(
        "numbering.account",
        "former_notice.account",
        "account_access.account",
        "group_member.group_account",
        "circle.account",
    ),
}
# These go with the account; an authorization stands no longer than the answer, which keeps the account.
ITS = {
    *("signing_key.account", "suggestion_dismissed.target", "reply_authorization.account", "profile_totals.account"),
}

Ties = Callable[[Tx, Account, Account], Any]


def _post(tx: Tx, author: Account) -> int:
    return post_writing.insert(tx, note(author), author, Placement(visibility=Visibility.PUBLIC))


def _mention(tx: Tx, alice: Account, bob: Account) -> None:
    post_writing.address(tx, _post(tx, alice), [(bob.id, "", False)])


def _vote(tx: Tx, alice: Account, bob: Account) -> None:
    sql = "insert into poll_vote (post, account, choice, uri, created) values (:post, :bob, 'a', 'u', :now)"
    tx.run(sql, post=_post(tx, alice), bob=bob.id, now=tx.now)


def _waits(state: str) -> Ties:
    def keep(tx: Tx, _: Account, bob: Account) -> None:
        incoming_queue.keep(tx, "https://far.example/x", bob.uri, accounts.host_of(bob.uri), "{}")
        tx.run("update incoming set state = :state", state=state)

    return keep


TIES: dict[str, Ties] = {
    "follows": lambda tx, alice, bob: relations.put_follow(tx, bob.id, alice.id, "u", "accepted"),
    "asks to follow": lambda tx, alice, bob: relations.put_follow(tx, bob.id, alice.id, "u", "pending"),
    "is followed": lambda tx, alice, bob: relations.put_follow(tx, alice.id, bob.id, "u", "accepted"),
    "wrote": lambda tx, alice, bob: _post(tx, bob),
    "is mentioned": _mention,
    "liked": lambda tx, alice, bob: reactions.react(tx, bob.id, _post(tx, alice), "u"),
    "boosted": lambda tx, alice, bob: reactions.boost(tx, bob.id, _post(tx, alice), "u"),
    "voted": _vote,
    "is in a notice": lambda tx, alice, bob: notifications.add(tx, alice.id, "follow", bob.id),
    "is blocked": lambda tx, alice, bob: relations.block(tx, alice.id, bob.id, "u"),
    "blocks": lambda tx, alice, bob: relations.block(tx, bob.id, alice.id, "u"),
    "is muted": lambda tx, alice, bob: relations.mute(tx, alice.id, bob.id),
    "is on a note": lambda tx, alice, bob: relation_lists.set_note(tx, alice.id, bob.id, "who was that?"),
    "is endorsed": lambda tx, alice, bob: relation_lists.endorse(tx, alice.id, bob.id),
    "reports": lambda tx, alice, bob: moderation.report(tx, "u", bob.id, alice.id, [], ""),
    "is reported": lambda tx, alice, bob: moderation.report(tx, "u", alice.id, bob.id, [], ""),
    "is suspended": lambda tx, alice, bob: accounts.set_state(tx, bob.id, "suspended"),
    "has sent what waits": _waits("waiting"),
    "has sent what is being done": _waits("running"),
    "was fetched lately": lambda tx, alice, bob: tx.run("update account set fetched = fetched + :d", d=DAY),
}


def _sweep(tx: Tx) -> int:
    before = tx.now - jobs.KEPT_STRANGERS
    found, last = forgotten_accounts.idle(tx, after=0, before=before, span=100)
    assert last == 0
    return forgotten_accounts.forget(tx, found, before)


async def _left(db: Database) -> list[str]:
    return await db.read(lambda tx: [row.handle for row in tx.all("select handle from account order by id")])


@pytest.mark.parametrize("tie", TIES)
async def test_who_means_something_here_stays(db: Database, clock: Clock, tie: str) -> None:
    alice, bob = await db.write(local), await db.write(remote)
    await db.write(remote, "carol", "third.example")
    await db.write(lambda tx: TIES[tie](tx, alice, bob))
    clock.forward(days=30, ms=1)
    await db.write(_sweep)
    assert "bob" in await _left(db)
    assert ("carol" in await _left(db)) == (tie == "was fetched lately")


async def test_the_others_go_with_their_keys(db: Database, clock: Clock) -> None:
    await db.write(local)
    for number in range(3):
        await db.write(remote, f"bob{number}")
    clock.forward(days=30)
    assert await db.write(_sweep) == 0
    clock.forward(ms=1)
    assert await db.write(_sweep) == 3
    assert await _left(db) == ["alice"]
    keys = await db.read(lambda tx: [row.uri for row in tx.all("select uri from signing_key")])
    assert len(keys) == 1
    back = await db.write(remote, "bob0")  # who comes again is there again
    assert back.handle == "bob0"


async def test_who_gets_a_tie_meanwhile_stays(db: Database, clock: Clock) -> None:
    alice, bob = await db.write(local), await db.write(remote)
    clock.forward(days=31)
    before = clock.now - jobs.KEPT_STRANGERS
    found, _ = await db.read(lambda tx: forgotten_accounts.idle(tx, after=0, before=before, span=100))
    assert found == [bob.id]
    await db.write(relations.put_follow, alice.id, bob.id, "u", "pending")
    assert await db.write(forgotten_accounts.forget, found, before) == 0


async def test_it_goes_on_in_steps_and_from_hour_to_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SPAN", 2)
    monkeypatch.setattr(jobs, "SPANS", 2)
    async with home(tmp_path) as place:
        for number in range(5):
            await place.know(Person(place.web, f"s{number}.test", "eve"))
        kept = await place.follows(Person(place.web, "kept.test", "kay"))
        await place.site.db.write(jobs.start_repeating)
        place.clock.forward(days=31)
        left, cursors = [], []
        for _ in range(4):
            cursors.append(await _sweep_hourly(place.site))
            left.append(await place.count("account"))
            place.clock.forward(hours=1)
        assert left[0] > left[-1] == 3  # the one who is followed, alice, and the server's own
        assert left[0] >= 8 - 4  # no more than was looked at
        assert cursors[0] > 0
        assert 0 in cursors  # and then from the beginning
        assert await place.ask("select handle from account where local = 0") == [(kept.handle,)]


async def _sweep_hourly(site: Site) -> int:
    """Do the hourly job; where it goes on the next time."""
    (due,) = [job for job in await site.db.write(job_queue.claim, 50) if job.kind == "sweep"]
    await jobs.JOBS["sweep"](site, due)
    (again,) = await site.db.read(lambda tx: tx.all("select payload from job where kind = 'sweep'"))
    return int(json.loads(again.payload)["accounts"])


@pytest.fixture
async def sqlite(tmp_path: Path, clock: Clock) -> AsyncIterator[Database]:
    path = tmp_path / "schema.db"
    path.write_bytes(empty_database())
    database = await connect(path, **options(clock))
    yield database
    await database.close()


async def test_every_reference_to_an_account_is_known_and_has_an_index(sqlite: Database) -> None:
    """Whoever adds one says whether it may be somebody elsewhere; without an index each account that goes costs a
    look at the whole table."""

    def look(tx: Tx) -> tuple[set[str], set[str]]:
        names, without = set(), set()
        for table in tx.all("select name from sqlite_master where type = 'table'"):
            indexed = _first_columns(tx, table.name)
            for key in tx.all("select * from pragma_foreign_key_list(:name)", name=table.name):
                if key.table == "account":
                    names.add(f"{table.name}.{getattr(key, 'from', '') or key[3]}")
                    without |= {f"{table.name}.{key[3]}"} - indexed
        return names, without

    names, without = await sqlite.read(look)
    asked = {name for name in names if f"from {name.partition('.')[0]} where {name.partition('.')[2]} = a.id" in SQL}
    assert names - asked - OURS - ITS == set()
    assert without - {"app_code.account"} == set()  # of which there are only those of the last minutes


SQL = forgotten_accounts._FIND


def _first_columns(tx: Tx, table: str) -> set[str]:
    first = {f"{table}.{row.name}" for row in tx.all("select name from pragma_table_info(:t) where pk = 1", t=table)}
    for index in tx.all("select name from pragma_index_list(:t)", t=table):
        row = tx.one("select name from pragma_index_info(:i) where seqno = 0", i=index.name)
        first |= {f"{table}.{row.name}"} if row else set()
    return first


async def test_the_question_reads_no_table_whole(sqlite: Database) -> None:
    def plan(tx: Tx) -> list[str]:
        explained = "explain query plan " + forgotten_accounts._FIND
        return [row.detail for row in tx.all(explained, after=0, last=10**9, before=0)]

    steps = await sqlite.read(plan)
    assert [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step] == []
