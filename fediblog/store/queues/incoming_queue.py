"""What comes in: activities that wait for the worker, those seen already, and what was undone before it came."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.store.ids import first_of
from fediblog.store.people import accounts
from fediblog.store.people.accounts import StoredKey
from fediblog.store.people.hosts import SHUT_OUT, domains
from fediblog.store.queues import claims
from fediblog.store.tx import Row, Tx

CHANNEL = "incoming"
MOST_TRIES = 3  # of one that makes a handler fail: then it is put aside and shown
MOST_CLAIMS = 8  # of one that also waits for other servers, or with which the process ends
FULL = 10_000  # waiting activities; beyond that the door is closed for a while
HOST_SHARE = 1_000  # of which one host may have so many
KEPT_SEEN = 30 * 86_400_000  # ms
KEPT_EARLY = 6 * 3_600_000  # ms
_STANDING = (
    "select case when :uri <> '' and exists (select 1 from seen where uri = :uri) then 1 else 0 end as seen,"
    " case when exists (select 1 from host where name = :host and failures > 0) then 1 else 0 end as silent,"
    f" case when {SHUT_OUT} then 1 else 0 end as blocked,"
    " case when exists (select 1 from post where uri = :about and state = 'published') then 1 else 0 end as here,"
    f" {accounts.KEY} from (select 1 as yes) o left join signing_key k on k.uri = :key"
    " left join account a on a.id = k.account"
)


class Incoming(Struct, frozen=True, kw_only=True):
    """An activity that was answered with 202 and is still to be done; `actor` is who signed it.

    `inbox_owner` is the account whose own inbox it came to. `tries` counts this one.
    """

    id: int
    uri: str
    actor: str
    host: str
    body: str
    tries: int
    inbox_owner: int | None = None


def first_time(tx: Tx, uri: str) -> bool:
    """Mark an activity as seen; False if it was. One without an id is always new."""
    if not uri:
        return True
    return tx.run("insert into seen (uri, at) values (:uri, :now) on conflict do nothing", uri=uri, now=tx.now) > 0


def was_seen(tx: Tx, uri: str) -> bool:
    """Whether the activity was dealt with."""
    return bool(uri) and tx.one("select 1 as yes from seen where uri = :uri", uri=uri) is not None


class KnownActivity(NamedTuple):
    """What is known of an activity and its object, and of the servers of who signed it and of its actor."""

    seen: bool  # it was dealt with
    silent: bool  # the signer's server did not answer when we last sent something to it
    blocked: bool  # one of the two is
    here: bool  # the object is a post that is stored
    held: tuple[StoredKey, Account] | None = None  # the key of that id, and whose it is


def standing(tx: Tx, uri: str, signer: str, actor: str, key: str = "", about: str = "") -> KnownActivity:
    """How an activity stands before it is proven.

    `signer` and `actor` are hosts, `key` is the id of the key, `about` that of the object.
    """
    row = tx.one(_STANDING, uri=uri, host=signer, hosts=domains(signer, actor), key=key, about=about)
    assert row is not None  # it asks for one row
    held = accounts.held(tx, row) if row.version is not None else None
    return KnownActivity(bool(row.seen), bool(row.silent), bool(row.blocked), bool(row.here), held)


def has_room(tx: Tx, host: str) -> bool:
    """Whether one more activity of the host may wait."""
    row = tx.one(
        "select (select count(*) from (select 1 as yes from incoming where state = 'waiting' limit :full) as t) as n,"
        " (select count(*) from incoming where state = 'waiting' and host = :host) as theirs",
        full=FULL,
        host=host,
    )
    return row is not None and row.n < FULL and row.theirs < HOST_SHARE


def keep(tx: Tx, uri: str, actor: str, host: str, body: str, inbox_owner: int | None = None) -> None:
    """Store an activity for the worker, before it is acknowledged."""
    tx.run(
        "insert into incoming (id, uri, actor, host, body, inbox_owner, run_at, created)"
        " values (:id, :uri, :actor, :host, :body, :owner, :now, :now)",
        id=tx.new_id(),
        uri=uri,
        actor=actor,
        host=host,
        body=body,
        owner=inbox_owner,
        now=tx.now,
    )
    tx.notify(CHANNEL)


def claim(tx: Tx, limit: int = 16) -> list[Incoming]:
    """Take activities that are due, oldest first; also one whose worker went away, if that was not often."""
    return claims.take(tx, claims.INCOMING, _claimed, limit, MOST_CLAIMS)


def _claimed(row: Row) -> Incoming:
    return Incoming(
        id=row.id,
        uri=row.uri,
        actor=row.actor,
        host=row.host,
        body=row.body,
        tries=row.tries + 1,
        inbox_owner=row.inbox_owner,
    )


def done(tx: Tx, number: int) -> None:
    """Dealt with."""
    tx.run("delete from incoming where id = :id", id=number)


def put_off(tx: Tx, item: Incoming, error: str, delay: int, *, most: int = MOST_TRIES) -> bool:
    """It did not work; once more after `delay` ms. After too many tries it is put aside: returns True then."""
    aside = item.tries >= most
    tx.run(
        "update incoming set state = :state, error = :error, run_at = :at, claimed = null where id = :id",
        state="dead" if aside else "waiting",
        error=error[:500],
        at=tx.now + delay,
        id=item.id,
    )
    return aside


def release_all(tx: Tx) -> None:
    """Give back every claim: for a process that knows that it is the only worker."""
    claims.release_all(tx, claims.INCOMING)


def next_due(tx: Tx) -> int | None:
    """When the next one becomes due (ms), or its claim runs out."""
    return claims.next_due(tx, claims.INCOMING)


def totals(tx: Tx) -> dict[str, int]:
    """How many there are in each state."""
    return claims.totals(tx, claims.INCOMING)


def remember_early(tx: Tx, uri: str, actor: str, kind: str) -> None:
    """An Undo or Delete of something that we do not know yet: it wins if the thing comes within some hours."""
    tx.run(
        "insert into early (uri, actor, kind, at) values (:uri, :actor, :kind, :now) on conflict do nothing",
        uri=uri,
        actor=actor,
        kind=kind,
        now=tx.now,
    )


def undone_early(tx: Tx, uri: str, actor: str) -> bool:
    """Whether that actor took the thing back before it came; asked once."""
    return bool(uri) and tx.run("delete from early where uri = :uri and actor = :actor", uri=uri, actor=actor) > 0


def sweep(tx: Tx) -> int:
    """Forget what is old enough."""
    gone = tx.run("delete from seen where at < :before", before=tx.now - KEPT_SEEN)
    gone += tx.run("delete from early where at < :before", before=tx.now - KEPT_EARLY)
    gone += tx.run("delete from incoming where state = 'dead' and created < :before", before=tx.now - KEPT_SEEN)
    return gone + tx.run("delete from tombstone where local = 0 and at < :before", before=tx.now - 90 * 86_400_000)


def forget(tx: Tx, uri: str) -> None:
    """An activity was taken back: if it comes again under the same id, it counts again."""
    tx.run("delete from seen where uri = :uri", uri=uri)


def sent_since(tx: Tx, account: int, kind: str, subject: str, since: int) -> bool:
    """Whether the account sent an activity of that kind about that thing since a time (ms)."""
    row = tx.one(
        "select 1 as yes from outgoing where account = :account and id >= :first and kind = :kind"
        " and subject = :subject limit 1",
        account=account,
        first=first_of(since),
        kind=kind,
        subject=subject,
    )
    return row is not None
