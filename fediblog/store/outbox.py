"""What goes out: activities stored once, one delivery for each distinct inbox, and the hosts they wait for.

A host is leased to one worker at a time; the lease is what claims its deliveries, so that a worker that dies gives
them back by itself. A failure puts off the host, not the message: a thousand waiting messages cause one probe.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from fediblog.store import jobs
from fediblog.store.accounts import host_of
from fediblog.store.hosts import give_back as give_back
from fediblog.store.hosts import host_answered as host_answered
from fediblog.store.hosts import host_heard as host_heard
from fediblog.store.hosts import remember_scheme as remember_scheme
from fediblog.store.hosts import schemes as schemes
from fediblog.store.hosts import troubled_hosts as troubled_hosts
from fediblog.store.tx import Row, Scalar, Tx

KEPT_TRYING = 7 * 86_400_000  # ms; after that a message is given up
MOST_TRIES = 12  # of one message whose host answers, but with an error each time
LEASE = 120_000  # ms
SPACING = 10  # ms from one inbox of an activity to the next, where the hosts take turns

# When a message that its host answered with an error may be tried again, by the number of tries: the same waits as
# for hosts that do not answer, counted from when it was made. One that met no answer waits for its host alone.
_RIPE = (
    "d.created + case d.tries when 0 then 0 when 1 then 60000 when 2 then 360000 when 3 then 1260000"
    " when 4 then 4860000 when 5 then 15660000 else 44460000 + (d.tries - 6) * 86400000 end"
)

# Two queries use it, so that the usual one stops after a few rows: a host that is away may have thousands waiting.
_WAITING = (
    "select d.id, d.outgoing, d.account, d.inbox, d.host, d.subject, d.tries, o.body, coalesce((select 1 from post p"
    " where p.id = o.post and p.visibility = 'followers'), 0) as to_followers from delivery d"
    " join outgoing o on o.id = d.outgoing where d.host = :host and d.state = 'waiting'"
    " and not exists (select 1 from delivery e where e.host = d.host and e.inbox = d.inbox"
    " and e.subject = d.subject and e.state = 'waiting' and e.id < d.id and e.tries > 0)"
)

_DUE = "select name, scheme, failures from host where pending = 1 and leased = 0 and"
_WORKING = f"{_DUE} failures = 0 and +next_try <= :now order by turn limit :n"  # + hinders the index that does not sort
_FAILED = f"{_DUE} failures > 0 and next_try <= :now order by next_try limit :n"

Backoff = Callable[[int, int | None], int]
"""(failures in a row, failing since ms) -> when to try the host again, ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One activity for one inbox. Those with the same inbox and subject keep their order."""

    id: int
    outgoing: int
    account: int
    inbox: str
    host: str
    subject: str
    tries: int
    body: str
    to_followers: int = 0  # 1: it is about a post for followers only


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The deliveries of one leased host that may go now."""

    host: str
    scheme: str
    failures: int
    deliveries: tuple[Delivery, ...]


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
) -> None:
    """Store an activity and the work that spreads it: to these inboxes, and to all followers' if so asked.

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
        jobs.add(tx, "fanout", str(number), {"outgoing": number, "after": 0})


def add_deliveries(tx: Tx, outgoing: int, inboxes: Sequence[str]) -> int:
    """One delivery for each inbox that has none of this activity yet; returns how many."""
    whole = get(tx, outgoing)
    if whole is None or not inboxes:
        return 0
    present = {
        row.inbox
        for row in tx.all("select inbox from delivery where outgoing = :id and inbox in (:i)", id=outgoing, i=inboxes)
    }
    fresh = [inbox for inbox in inboxes if inbox not in present]
    shared: dict[str, Scalar] = {
        "outgoing": outgoing,
        "account": whole.account,
        "subject": whole.subject,
        "now": tx.now,
    }
    tx.many(
        "insert into delivery (id, outgoing, account, inbox, host, subject, created)"
        " values (:id, :outgoing, :account, :inbox, :host, :subject, :now)",
        [shared | {"id": tx.new_id(), "inbox": inbox, "host": host_of(inbox)} for inbox in fresh],
    )
    tx.many(
        "insert into host (name, pending, turn, changed) values (:host, 1, :turn, :now)"
        " on conflict (name) do update set pending = 1, next_try ="
        " case when host.failures = 0 and host.next_try > :now then :now else host.next_try end, turn ="
        " case when host.pending = 0 or host.turn > excluded.turn then excluded.turn else host.turn end",
        _turns(whole, fresh, tx.now),
    )
    tx.run("update outgoing set total = total + :n where id = :id", n=len(fresh), id=outgoing)
    tx.notify("deliveries")
    return len(fresh)


def _turns(whole: Outgoing, inboxes: Sequence[str], now: int) -> list[dict[str, Scalar]]:
    """The hosts of more inboxes, and when each should have its turn."""
    places = {host_of(inbox): place for place, inbox in enumerate(inboxes, whole.total)}
    return [
        {"host": host, "turn": whole.created + place * SPACING, "now": now} for host, place in sorted(places.items())
    ]


def get(tx: Tx, number: int) -> Outgoing | None:
    """The activity of that number."""
    row = tx.one("select * from outgoing where id = :id", id=number)
    return Outgoing(**row._asdict()) if row else None


def by_uri(tx: Tx, uri: str) -> Outgoing | None:
    """The activity of that id."""
    row = tx.one("select * from outgoing where uri = :uri", uri=uri)
    return Outgoing(**row._asdict()) if row else None


def latest(tx: Tx, account: int, *, before: int | None = None, limit: int = 50) -> list[Outgoing]:
    """What the account sent about its posts, newest first, for the page that shows how far each got."""
    rows = tx.all(
        "select * from outgoing where account = :id and post is not null and id < :before order by id desc limit :n",
        id=account,
        before=before or (1 << 63) - 1,
        n=limit,
    )
    return [Outgoing(**row._asdict()) for row in rows]


def failures(tx: Tx, outgoing: int, limit: int = 100) -> list[Row]:
    """inbox, host, status, error, state and tries of the deliveries that have not succeeded."""
    return tx.all(
        "select d.inbox, d.host, d.status, d.error, d.state, d.tries, h.next_try, h.last_error from delivery d"
        " left join host h on h.name = d.host where d.outgoing = :id and d.state <> 'reached'"
        " order by d.host limit :n",
        id=outgoing,
        n=limit,
    )


def lease(tx: Tx, *, hosts: int = 32, probes: int = 8, each: int = 20) -> list[Batch]:
    """Take up to so many due hosts, with up to so many deliveries each.

    They have their turn as if each activity went to its inboxes one by one, slowly: so what is for a few goes out at
    once, though something for very many was there first, and no host waits for ever. Of hosts that failed the last
    time at most `probes` are taken, with one delivery each.
    """
    batches = []
    bodies: dict[int, str] = {}  # of each activity one, for all the hosts that it goes to
    tx.run("update host set leased = 0 where pending = 1 and leased > 0 and leased <= :now", now=tx.now)
    for row in (*_due(tx, _WORKING, hosts), *_due(tx, _FAILED, probes)):
        waiting = _next(tx, row.name, each if row.failures == 0 else 1, bodies)
        if waiting:
            tx.run("update host set leased = :until where name = :host", until=tx.now + LEASE, host=row.name)
            batches.append(Batch(host=row.name, scheme=row.scheme, failures=row.failures, deliveries=tuple(waiting)))
        else:
            _rest(tx, row.name)
    return batches


def _due(tx: Tx, query: str, limit: int) -> list[Row]:
    return tx.all(f"{query}{tx.skip_locked}", now=tx.now, n=limit) if limit else []


def _next(tx: Tx, host: str, limit: int, bodies: dict[int, str]) -> list[Delivery]:
    """What may go now: messages never tried come first, and alone, so that one that always fails hinders no other."""
    rows = tx.all(f"{_WAITING} and d.tries = 0 order by d.id limit :n", host=host, n=limit) or tx.all(
        f"{_WAITING} and d.tries > 0 and (d.status is null or {_RIPE} <= :now) order by d.tries, d.id limit :n",
        host=host,
        now=tx.now,
        n=limit,
    )
    found = (Delivery(**row._asdict() | {"body": bodies.setdefault(row.outgoing, row.body)}) for row in rows)
    return sorted(found, key=lambda each: each.id)


def _rest(tx: Tx, host: str) -> None:
    """Nothing may go to the host now: it is due again with the first message that becomes ripe, if there is one."""
    row = tx.one(
        f"select min({_RIPE}) as at from delivery d where d.host = :host and d.state = 'waiting'"
        " and d.status is not null",
        host=host,
    )
    ripe = row.at if row else None
    tx.run(
        "update host set leased = 0, pending = :pending, next_try = :at where name = :host",
        pending=int(ripe is not None),
        at=max(ripe or 0, tx.now),
        host=host,
    )


def delivered(tx: Tx, delivery: Delivery) -> None:
    """It was taken in; nothing more to do.

    While the activity is still being spread its row stays, or the inbox would get it again as a follower's.
    """
    if jobs.is_open(tx, "fanout", str(delivery.outgoing)):
        done = tx.run(
            "update delivery set state = 'reached', error = '', ended = :now where id = :id and state = 'waiting'",
            now=tx.now,
            id=delivery.id,
        )
    else:
        done = tx.run("delete from delivery where id = :id and state = 'waiting'", id=delivery.id)
    tx.run("update outgoing set reached = reached + :n where id = :id", n=done, id=delivery.outgoing)


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
        error=error[:300],
        now=tx.now,
        id=delivery.id,
    )
    tx.run("update outgoing set failed = failed + :n where id = :id", n=done, id=delivery.outgoing)


def put_off(tx: Tx, delivery: Delivery, status: int | None, error: str) -> None:
    """Not now. The host's next try decides when; a message that its host always answers with an error is given up."""
    if status is not None and delivery.tries + 1 >= MOST_TRIES:
        refused(tx, delivery, status, error)
        return
    tx.run(
        "update delivery set tries = tries + 1, status = :status, error = :error where id = :id and state = 'waiting'",
        status=status,
        error=error[:300],
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
        error=error[:300],
        now=tx.now,
        dead=int(tx.now - since >= KEPT_TRYING),
        host=host,
    )
    _give_up(tx, host, "the server did not answer for seven days", tx.now - KEPT_TRYING)


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


def refuse_all(tx: Tx, host: str, error: str) -> None:
    """Nothing that waits for the host will be sent: it is blocked."""
    _give_up(tx, host, error, tx.now + 1)
    tx.run("update host set leased = 0, pending = 0 where name = :host", host=host)


def release_all(tx: Tx) -> None:
    """Give back every lease: for a process that knows that it is the only worker."""
    tx.run("update host set leased = 0, pending = 1 where leased > 0")


def next_due(tx: Tx) -> int | None:
    """When the next host becomes due (ms)."""
    row = tx.one(
        "select min(at) as at from (select min(next_try) as at from host where pending = 1 and leased = 0 union all"
        " select min(case when leased > next_try then leased else next_try end) from host"
        " where pending = 1 and leased > 0) as times"
    )
    return row.at if row else None


def waiting(tx: Tx) -> int:
    """How many deliveries wait."""
    row = tx.one("select count(*) as n from delivery where state = 'waiting'")
    return int(row.n) if row else 0


def sweep(tx: Tx, *, failed_before: int, sent_before: int) -> int:
    """Forget failed deliveries that ended, and activities that were made, before these times (ms)."""
    gone = tx.run("delete from delivery where ended is not null and ended < :before", before=failed_before)
    return gone + tx.run(
        "delete from outgoing where created < :before and not exists (select 1 from delivery d"
        " where d.outgoing = outgoing.id)"
        " and (post is null or not exists (select 1 from post p where p.id = outgoing.post))",
        before=sent_before,
    )
