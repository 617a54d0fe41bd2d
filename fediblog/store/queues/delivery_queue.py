"""What goes out: activities stored once, one delivery for each distinct inbox, and the hosts they wait for.

A host is leased to one worker at a time; the lease is what claims its deliveries, so that a worker that dies gives
them back by itself. A failure puts off the host, not the message: a thousand waiting messages cause one probe.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from msgspec import Struct

from fediblog.messages.stored import pack
from fediblog.store.people.accounts import host_of
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.queues.leases import Delivery
from fediblog.store.tx import Scalar, Tx

CHANNEL = "deliveries"
KEPT_TRYING = 7 * 86_400_000  # ms; after that a message is given up
MOST_TRIES = 12  # of one message whose host answers, but with an error each time
MOST_ERROR = 1_000  # characters of a packed message
MANY = 500  # deliveries of an activity, with which it matters how they are looked for
SPACING = 10  # ms from one inbox of an activity to the next, where the hosts take turns

Backoff = Callable[[int, int | None], int]
"""(failures in a row, failing since ms) -> when to try the host again, ms."""


class Failure(NamedTuple):
    """A delivery that has not succeeded: waiting or failed, with what its inbox answered last (0 and '': nothing yet).

    `error` and `last_error` are packed messages (`messages.stored`), or plain text of earlier versions.

    The last two are those of the host: when it is tried again (ms), and what was wrong with it.
    """

    inbox: str
    host: str
    status: int | None
    error: str
    state: str
    tries: int
    next_try: int | None
    last_error: str | None


class Outgoing(Struct, frozen=True, kw_only=True):
    """An activity of ours and how far it got."""

    id: int
    uri: str
    account: int
    kind: str
    subject: str
    post: int | None
    body: str
    created: int
    total: int
    reached: int
    failed: int

    @property
    def waiting(self) -> int:
        """Servers that it has not reached yet and that are still tried."""
        return max(self.total - self.reached - self.failed, 0)


def emit(
    tx: Tx,
    account: int,
    uri: str,
    kind: str,
    subject: str,
    body: str,
    *,
    number: int,
    post: int | None = None,
    inboxes: Collection[str] = (),
    followers: bool = False,
    followed: bool = False,
) -> None:
    """Store an activity and the work that spreads it: to these inboxes, and to all followers' if so asked.

    With `followed` also to all whom the account follows.

    `subject` is the id of the thing it is about: activities about one thing reach each inbox in order.
    """
    tx.run(
        "insert into outgoing (id, uri, account, kind, subject, post, body, created)"
        " values (:id, :uri, :account, :kind, :subject, :post, :body, :now)",
        id=number,
        uri=uri,
        account=account,
        kind=kind,
        subject=subject,
        post=post,
        body=body,
        now=tx.now,
    )
    if inboxes:
        add_deliveries(tx, number, sorted(set(inboxes)))
    if followers:
        job_queue.add(
            tx,
            job_kinds.FANOUT,
            str(number),
            {"outgoing": number, "after": 0, **({"then": "followed"} if followed else {})},
        )


def add_deliveries(tx: Tx, outgoing: int, inboxes: Sequence[str]) -> int:
    """One delivery for each inbox that has none of this activity yet; returns how many."""
    whole = get(tx, outgoing)
    if whole is None or not inboxes:
        return 0
    present = {
        row.inbox
        for row in tx.all("select inbox from delivery where outgoing = :id and inbox in (:i)", id=outgoing, i=inboxes)
    }
    fresh = {inbox: host_of(inbox) for inbox in inboxes if inbox not in present}
    shared: dict[str, Scalar] = {
        "outgoing": outgoing,
        "account": whole.account,
        "subject": whole.subject,
        "now": tx.now,
    }
    tx.many(
        "insert into delivery (id, outgoing, account, inbox, host, subject, created)"
        " values (:id, :outgoing, :account, :inbox, :host, :subject, :now)",
        [shared | {"id": tx.new_id(), "inbox": inbox, "host": host} for inbox, host in fresh.items()],
    )
    tx.many(
        "insert into host (name, pending, turn, changed) values (:host, 1, :turn, :now)"
        " on conflict (name) do update set pending = 1, next_try ="
        " case when host.failures = 0 and host.next_try > :now then :now else host.next_try end, turn ="
        " case when host.pending = 0 or host.turn > excluded.turn then excluded.turn else host.turn end",
        _turns(whole, list(fresh.values()), tx.now),
    )
    tx.run("update outgoing set total = total + :n where id = :id", n=len(fresh), id=outgoing)
    tx.notify(CHANNEL)
    _analyze(tx, whole.total, whole.total + len(fresh))
    return len(fresh)


def _analyze(tx: Tx, before: int, after: int) -> None:
    """PostgreSQL plans by what it knows of a table, and of this one, which is empty most of the time, that is nothing.

    Whenever an activity has twice as many deliveries it looks again: else each lease would read all that waits.
    """
    if tx.engine == "postgres" and after >= MANY and after.bit_length() > before.bit_length():
        tx.run("analyze (skip_locked) delivery, host")


def _turns(whole: Outgoing, hosts: Sequence[str], now: int) -> list[dict[str, Scalar]]:
    """The hosts of more inboxes, and when each should have its turn."""
    places = {host: place for place, host in enumerate(hosts, whole.total)}
    return [
        {"host": host, "turn": whole.created + place * SPACING, "now": now} for host, place in sorted(places.items())
    ]


def get(tx: Tx, number: int) -> Outgoing | None:
    """The activity of that number."""
    row = tx.one("select * from outgoing where id = :id", id=number)
    return Outgoing(**row._asdict()) if row else None


def about(tx: Tx, account: int, post: int, limit: int = 50) -> list[Outgoing]:
    """What the account sent about that post last, newest first."""
    rows = tx.all(
        "select * from outgoing where post = :post and account = :id order by id desc limit :n",
        post=post,
        id=account,
        n=limit,
    )
    return [Outgoing(**row._asdict()) for row in rows]


def latest(tx: Tx, account: int, *, before: int | None = None, limit: int = 50) -> list[Outgoing]:
    """What the account sent about its posts, newest first, for the page that shows how far each got."""
    rows = tx.all(
        "select * from outgoing where account = :id and post is not null and id < :before order by id desc limit :n",
        id=account,
        before=before or (1 << 63) - 1,
        n=limit,
    )
    return [Outgoing(**row._asdict()) for row in rows]


def is_leaving(tx: Tx, account: int, uri: str, since: int) -> bool:
    """Whether the Delete of an account itself, made after `since` (ms), is still on its way to somebody."""
    rows = tx.all(
        "select o.id, exists (select 1 from delivery d where d.outgoing = o.id and d.state = 'waiting') as waits"
        " from outgoing o where o.account = :id and o.kind = 'Delete' and o.subject = :uri and o.created > :since",
        id=account,
        uri=uri,
        since=since,
    )
    return any(row.waits or job_queue.is_open(tx, job_kinds.FANOUT, str(row.id)) for row in rows)


def failures(tx: Tx, outgoing: int, limit: int = 100) -> list[Failure]:
    """The deliveries of an activity that have not succeeded, in order of their hosts."""
    rows = tx.all(
        "select d.inbox, d.host, d.status, d.error, d.state, d.tries, h.next_try, h.last_error from delivery d"
        " left join host h on h.name = d.host where d.outgoing = :id and d.state <> 'reached'"
        " order by d.host limit :n",
        id=outgoing,
        n=limit,
    )
    return [Failure._make(row) for row in rows]


def delivered_all(tx: Tx, outgoing: int, deliveries: Sequence[int]) -> None:
    """These deliveries of one activity, by their numbers, were taken in; nothing more to do.

    While the activity is still being spread their rows stay, or the inboxes would get it again as a follower's.
    """
    if job_queue.is_open(tx, job_kinds.FANOUT, str(outgoing)):
        done = tx.run(
            "update delivery set state = 'reached', error = '', ended = :now where id in (:ids) and state = 'waiting'",
            now=tx.now,
            ids=deliveries,
        )
    else:
        done = tx.run("delete from delivery where id in (:ids) and state = 'waiting'", ids=deliveries)
    tx.run("update outgoing set reached = reached + :n where id = :id", n=done, id=outgoing)


def forget_reached(tx: Tx, outgoing: int, limit: int) -> int:
    """Once an activity has been spread: rows of inboxes that have it, which were kept until then; returns how many."""
    return tx.run(
        "delete from delivery where id in (select id from delivery where outgoing = :id and state = 'reached'"
        " limit :n)",
        id=outgoing,
        n=limit,
    )


def refused(tx: Tx, delivery: Delivery, status: int | None, error: str) -> None:
    """It was refused for good; the row stays for a while, to be shown."""
    done = tx.run(
        "update delivery set state = 'failed', status = :status, error = :error, ended = :now, tries = tries + 1"
        " where id = :id and state = 'waiting'",
        status=status,
        error=error[:MOST_ERROR],
        now=tx.now,
        id=delivery.id,
    )
    tx.run("update outgoing set failed = failed + :n where id = :id", n=done, id=delivery.outgoing)
    _forget_request(tx, delivery.outgoing)
    if status == 403:
        _forget_like(tx, delivery.outgoing)


def _forget_like(tx: Tx, outgoing: int) -> None:
    """A like that its author's server forbids is none."""
    tx.run(
        "delete from reaction where uri in (select uri from outgoing where id = :id and kind = 'Like')"
        " and account in (select account from outgoing where id = :id)",
        id=outgoing,
    )


def _forget_request(tx: Tx, outgoing: int) -> None:
    """A Follow that could not be delivered asks nobody: it is not "requested" any more."""
    tx.run(
        "delete from follow where state = 'pending'"
        " and uri = (select uri from outgoing where id = :id and kind = 'Follow')",
        id=outgoing,
    )


def put_off(tx: Tx, delivery: Delivery, status: int | None, error: str) -> None:
    """Not now. The host's next try decides when; a message that its host always answers with an error is given up."""
    if status is not None and delivery.tries + 1 >= MOST_TRIES:
        refused(tx, delivery, status, error)
        return
    tx.run(
        "update delivery set tries = tries + 1, status = :status, error = :error where id = :id and state = 'waiting'",
        status=status,
        error=error[:MOST_ERROR],
        id=delivery.id,
    )


def host_failed(tx: Tx, host: str, error: str, backoff: Backoff, retry_after: int | None = None) -> None:
    """The host does not answer or asks us to wait (`retry_after`, ms): put it off, and give up what is too old."""
    row = tx.one("select failures, failing_since from host where name = :host", host=host)
    if row is None:
        return
    since = row.failing_since if row.failing_since is not None else tx.now
    when = retry_after if retry_after is not None else backoff(row.failures + 1, since)
    tx.run(
        "update host set failures = failures + 1, failing_since = :since, next_try = :when, leased = 0,"
        " last_error = :error, changed = :now, unavailable = case when :dead = 1 then coalesce(unavailable, :now) end"
        " where name = :host",
        since=since,
        when=when,
        error=error[:MOST_ERROR],
        now=tx.now,
        dead=int(tx.now - since >= KEPT_TRYING),
        host=host,
    )
    _give_up(tx, host, pack("delivery.given-up"), tx.now - KEPT_TRYING)


def _give_up(tx: Tx, host: str, error: str, before: int) -> None:
    old = tx.all(
        "update delivery set state = 'failed', ended = :now, error = :error"
        " where host = :host and state = 'waiting' and created < :before returning outgoing",
        now=tx.now,
        error=error,
        host=host,
        before=before,
    )
    for row in old:
        tx.run("update outgoing set failed = failed + 1 where id = :id", id=row.outgoing)
        _forget_request(tx, row.outgoing)


def refuse_all(tx: Tx, host: str, error: str) -> None:
    """Nothing that waits for the host will be sent: it is blocked."""
    _give_up(tx, host, error, tx.now + 1)
    tx.run("update host set leased = 0, pending = 0 where name = :host", host=host)


def waiting(tx: Tx) -> int:
    """How many deliveries wait."""
    row = tx.one("select count(*) as n from delivery where state = 'waiting'")
    return int(row.n) if row else 0


def sweep(tx: Tx, *, failed_before: int, sent_before: int) -> int:
    """Forget failed deliveries that ended, and activities that were made, before these times (ms).

    An activity stays as long as its post, and as long as somebody has not got it.
    """
    gone = tx.run("delete from delivery where ended is not null and ended < :before", before=failed_before)
    gone += tx.run(
        "delete from outgoing where post is null and created < :before"
        " and not exists (select 1 from delivery d where d.outgoing = outgoing.id)",
        before=sent_before,
    )
    return gone + tx.run(
        "delete from outgoing where id in (select o.id from outgoing o where o.post is not null"
        " and not exists (select 1 from post p where p.id = o.post)) and created < :before"
        " and not exists (select 1 from delivery d where d.outgoing = outgoing.id)",
        before=sent_before,
    )
