"""Stores what came of deliveries: in one transaction for as many hosts as have been dealt with within a moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeAlias

from msgspec import Struct, field

from fediblog.errors import Unavailable
from fediblog.federation.site import Site
from fediblog.net import Scheme
from fediblog.protocol import retry
from fediblog.protocol.retry import Verdict
from fediblog.store.people import hosts, operator_alerts
from fediblog.store.queues import delivery_queue, job_kinds, job_queue
from fediblog.store.queues.leases import Delivery
from fediblog.store.tx import Tx

PAUSE = 0.02  # seconds that the first one waits for others
MOST = 64  # hosts in one transaction

Dice = Callable[[], float]
"""A random number from 0 to 1."""

_Waiting: TypeAlias = "tuple[BatchResults, asyncio.Future[None]]"


class DeliveryResult(Struct, frozen=True):
    """What came of one try. `status` is None if there was no answer; `error` is a packed message."""

    delivery: Delivery
    verdict: Verdict
    status: int | None
    error: str


class BatchResults(Struct):
    """What came of the batch of one host so far."""

    host: str
    done: list[DeliveryResult] = field(default_factory=list)
    scheme: Scheme | None = None  # if another one was understood than was known
    answered: bool = False
    erred: bool = False  # a message was answered with an error
    suspect: int | None = None  # activity that was answered with an error, if nothing else was since
    failure: str = ""  # the host's, not a message's: a packed message
    wait: int | None = None  # ms that it asked us to wait
    clock_gap: int | None = None  # ms by which its clock is ahead of ours, if it refused a signature for that


class ResultWriter:
    """Writes what came of batches, those that end within a moment of each other in one transaction."""

    def __init__(self, site: Site, dice: Dice = random.random) -> None:
        self._site, self._dice = site, dice
        self._open = 0
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._ripe = False  # the first of those has waited for others long enough
        self._writing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Count a batch that has begun: writing may wait for its end."""
        self._open += 1

    async def settle(self, learned: BatchResults) -> None:
        """Hand in what came of a batch that has ended; returns once it is stored, or raises what kept it from that."""
        loop = asyncio.get_running_loop()
        self._open -= 1
        stored = loop.create_future()
        self._waiting.append((learned, stored))
        if self._timer is None and not self._ripe:
            self._timer = loop.call_later(PAUSE, self._ripen)
        self._go_on()
        await stored

    def _ripen(self) -> None:
        self._timer, self._ripe = None, True
        self._go_on()

    def _go_on(self) -> None:
        """Write if it is time, one transaction at a time: two would wait for each other."""
        if self._writing is None and (self._ripe or not self._open or len(self._waiting) >= MOST):
            self._write()

    def _write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        self._ripe = bool(self._waiting)
        if some:
            self._writing = asyncio.create_task(self._store(some))
            self._writing.add_done_callback(self._written)

    def _written(self, _: asyncio.Task[None]) -> None:
        self._writing = None
        self._go_on()

    async def _store(self, some: Sequence[_Waiting]) -> None:
        error = await self._try([learned for learned, _ in some])
        for learned, stored in some:
            # A mistake of ours about one of them must not undo what is known of the others.
            alone = len(some) > 1 and error is not None and not isinstance(error, Unavailable)
            its_own = await self._try([learned]) if alone else error
            if stored.done():  # by being cancelled
                continue
            if its_own is None:
                stored.set_result(None)
            else:
                stored.set_exception(its_own)

    async def _try(self, some: Sequence[BatchResults]) -> Exception | None:
        try:
            await self._site.db.write(settle, some, self._site.clock(), self._dice)
        except Exception as error:
            return error
        return None


def settle(tx: Tx, some: Sequence[BatchResults], now: int, dice: Dice) -> None:
    """Store what came of these batches, each of another host."""
    hosts.lock_hosts(tx, [learned.host for learned in some])
    outcomes = sorted((each for learned in some for each in learned.done), key=lambda each: each.delivery.outgoing)
    for outgoing, group in groupby(outcomes, lambda each: each.delivery.outgoing):
        _settle_activity(tx, outgoing, list(group))
    for learned in some:
        if learned.scheme is not None:
            hosts.remember_scheme(tx, learned.host, learned.scheme)
    if working := [each.host for each in some if each.answered or (each.erred and not each.failure)]:
        hosts.hosts_answered(tx, working)
    for learned in some:
        if learned.clock_gap is not None:
            operator_alerts.note_clock(tx, learned.host, learned.clock_gap)
        _settle_failure(tx, learned, now, dice)


def _settle_activity(tx: Tx, outgoing: int, outcomes: Sequence[DeliveryResult]) -> None:
    if taken := [each.delivery.id for each in outcomes if each.verdict is Verdict.DELIVERED]:
        delivery_queue.delivered_all(tx, outgoing, taken)
    for each in outcomes:
        if each.verdict is Verdict.LATER:
            delivery_queue.put_off(tx, each.delivery, each.status, each.error)
        elif each.verdict is not Verdict.DELIVERED:
            delivery_queue.refused(tx, each.delivery, each.status, each.error)
        if each.verdict is Verdict.GONE:
            job_queue.add(tx, job_kinds.CONFIRM_GONE, each.delivery.inbox)


def _settle_failure(tx: Tx, learned: BatchResults, now: int, dice: Dice) -> None:
    """Store whether the host failed; not if it answered a single message with an error: that one waits alone."""

    def backoff(failures: int, since: int | None) -> int:
        jitter = dice() * 2 - 1
        if retry.is_unavailable(since, now):
            return retry.next_probe(now, jitter)
        return retry.next_try(failures, now, learned.wait, jitter) or retry.next_probe(now, jitter)

    if learned.erred and learned.suspect is not None:
        hosts.suspect(tx, learned.host, learned.suspect)
    if learned.failure:
        delivery_queue.host_failed(tx, learned.host, learned.failure, backoff)
    elif not learned.answered and not learned.erred:
        hosts.give_back(tx, learned.host)
