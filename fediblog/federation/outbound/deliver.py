"""Sends what waits for one host: signed, in order, two at a time, and learns from the answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache
from itertools import groupby
from typing import Any

from fediblog import log
from fediblog.counters import DELIVERIES
from fediblog.errors import Refused, Unavailable
from fediblog.federation.lookups import follower_sync
from fediblog.federation.outbound.delivery_results import BatchResults, DeliveryResult, Dice, ResultWriter
from fediblog.federation.site import Site
from fediblog.messages import ENGLISH
from fediblog.messages.stored import pack, unpack
from fediblog.net import MAX_RECEIPT, Response, Scheme, Target, check_url, other
from fediblog.pacing import Slots
from fediblog.protocol import retry
from fediblog.protocol.follower_digest import HEADER
from fediblog.protocol.retry import Verdict
from fediblog.store.people.hosts import blocked_among
from fediblog.store.queues import delivery_queue, leases
from fediblog.store.queues.leases import Batch, Delivery
from fediblog.store.tx import Tx

CONTENT_TYPE = "application/activity+json"  # without a parameter, as everybody sends it
AT_ONCE = 2  # exchanges with one host
LONGEST = 60.0  # seconds after which a batch begins nothing more, so that its lease does not run out under it
_NOT_UNDERSTOOD = frozenset({400, 401})  # what a server answers that could not read the signature
_TOO_MANY = 429
_OURS = frozenset({"busy"})  # a failure that says nothing about the other side


def take(tx: Tx, hosts: int, probes: int) -> list[Batch]:
    """Lease due hosts. What waits for a blocked one is refused here, and never sent."""
    batches = leases.lease(tx, hosts=hosts, probes=probes)
    blocked = blocked_among(tx, [batch.host for batch in batches])
    for host in sorted(blocked):
        delivery_queue.refuse_all(tx, host, pack("delivery.blocked"))
    return [batch for batch in batches if batch.host not in blocked]


async def deliver_batch(
    site: Site,
    batch: Batch,
    *,
    slots: Slots | None = None,
    writer: ResultWriter | None = None,
    dice: Dice = random.random,
    closing: Callable[[], bool] = lambda: False,
) -> None:
    """Send the deliveries of a leased host and store what came of it, in one transaction, perhaps with others.

    Those about the same thing for the same inbox go one after another, the others two at a time. The first failure
    that is the host's ends the batch: what was not tried goes later. `closing` says that nothing new should begin.
    """
    delivering = _Delivering(site, batch, slots, closing)
    writer = writer or ResultWriter(site, dice)
    writer.begin()
    try:
        await delivering.make()
    finally:
        await writer.settle(delivering.results)


class _Delivering:
    """One batch while it is delivered: what is left of it, and what came of it so far."""

    def __init__(self, site: Site, batch: Batch, slots: Slots | None, closing: Callable[[], bool]) -> None:
        self.results = BatchResults(batch.host, suspect=batch.suspect)
        self._site = site
        self._slots = slots
        self._closing = closing
        self._lanes = _lanes(batch.deliveries)
        self._scheme: Scheme = "rfc9421" if batch.scheme == "rfc9421" else "cavage"
        self._end = asyncio.get_running_loop().time() + LONGEST
        self._stopped = False
        self._digests: dict[int, str] = {}  # about the followers on this host, by account

    async def make(self) -> None:
        if len(self._lanes) == 1:  # as for most hosts
            await self._walk(None, 1)
            return
        async with asyncio.TaskGroup() as group:
            await self._walk(group, 1)

    async def _walk(self, group: asyncio.TaskGroup | None, at_once: int) -> None:
        """Take one lane after another, each to its end or to the first message in it that must be sent again.

        A second walk begins once the host has answered, so that a host that hangs takes up a single slot.
        """
        while self._lanes:
            for delivery in self._lanes.pop(0):
                if self._stopped or self._closing() or asyncio.get_running_loop().time() > self._end:
                    return
                if not await self._send(delivery):
                    break
                if group is not None and at_once < AT_ONCE and self._lanes:
                    at_once += 1
                    group.create_task(self._walk(group, AT_ONCE))

    async def _send(self, delivery: Delivery) -> bool:
        """Send one delivery; whether the next one in its lane may follow."""
        try:
            target = check_url(delivery.inbox, self._site.client.policy)
            async with self._slots.take() if self._slots else nullcontext():
                answer = await self._knock(target, delivery)
        except Refused as error:
            if error.reason.startswith("answer-"):
                return self._failed(delivery, error.packed())
            self._note(delivery, Verdict.FINAL, None, error.packed())
            return True
        except Unavailable as error:
            self._stopped = True
            return False if error.reason in _OURS else self._failed(delivery, error.packed())
        except Exception as error:  # a mistake of ours, which must not stop what else waits
            log.trouble("delivery-failed", error, host=delivery.host, activity=delivery.outgoing)
            self._note(delivery, Verdict.LATER, 0, pack("delivery.bug", kind=type(error).__name__))
            return False
        return self._judge(delivery, answer)

    def _failed(self, delivery: Delivery, error: str) -> bool:
        """Note that the host gave no HTTP response, which ends the batch and puts off the host; False."""
        self._stopped = True
        self.results.failure = error
        self._note(delivery, Verdict.LATER, None, error)
        return False

    async def _knock(self, target: Target, delivery: Delivery) -> Response:
        """POST the delivery, signed in the scheme that the host understood last; if it does not now, in the other."""
        answer = await self._once(target, delivery, self._scheme)
        if answer.status not in _NOT_UNDERSTOOD:
            return answer
        second = await self._once(target, delivery, other(self._scheme))
        if second.status in _NOT_UNDERSTOOD or second.status >= 500:
            return answer
        self._scheme = self.results.scheme = other(self._scheme)
        return second

    async def _once(self, target: Target, delivery: Delivery, scheme: Scheme) -> Response:
        policy = self._site.client.policy
        body = _encoded(delivery.body)
        fields = {"host": target.authority, "user-agent": policy.user_agent, "content-type": CONTENT_TYPE}
        if delivery.to_followers and (digests := await self._followers(delivery.account, target.authority)):
            fields[HEADER] = digests
        signer = await self._site.keys.signer(delivery.account)
        # Signed right here: 0.25 ms, which is less than a thread would cost.
        added = signer("POST", target.url, fields, body, scheme)
        fields |= {name.lower(): value for name, value in added.items()}
        return await self._site.engine.exchange(
            "POST", target.url, fields, body, limit=MAX_RECEIPT, deadline=policy.deadline
        )

    async def _followers(self, account: int, host: str) -> str:
        if account not in self._digests:
            self._digests[account] = await self._site.db.read(follower_sync.header, account, host)
        return self._digests[account]

    def _judge(self, delivery: Delivery, answer: Response) -> bool:
        """Note what a response means; whether the next one in the lane may follow.

        An error counts against the message; against the host if it asks for a pause, or if the message before met one.
        """
        gap = retry.clock_gap(answer.header("date") or "", self._site.clock()) if answer.status == 401 else None
        verdict = retry.verdict(answer.status, clock_gap=gap)
        self.results.clock_gap = self.results.clock_gap if gap is None else gap
        self._note(delivery, verdict, answer.status, _answered(answer.status))
        if verdict is not Verdict.LATER:
            self.results.answered, self.results.suspect = True, None
            return True
        self.results.erred = True
        self.results.wait = retry.retry_after(answer.header("retry-after") or "", self._site.clock())
        in_a_row = self.results.suspect not in (None, delivery.outgoing)
        self.results.suspect = delivery.outgoing
        if in_a_row or answer.status == _TOO_MANY or self.results.wait is not None:
            self._stopped = True
            self.results.failure = _answered(answer.status)
        return False

    def _note(self, delivery: Delivery, verdict: Verdict, status: int | None, error: str) -> None:
        DELIVERIES.add(verdict.value)
        self.results.done.append(DeliveryResult(delivery, verdict, status, error))
        came: dict[str, Any] = {"status": status} if status else {"error": unpack(ENGLISH, error)}
        log.event("delivery", host=delivery.host, activity=delivery.outgoing, verdict=verdict.value, **came)


@lru_cache(maxsize=64)
def _answered(status: int) -> str:
    """The packed message that is stored for a response of that status."""
    return pack("delivery.answered", status=status)


@lru_cache(maxsize=8)
def _encoded(body: str) -> bytes:
    """The body as bytes, the same object for all its inboxes, so that its digest is computed once."""
    return body.encode()


def _lanes(deliveries: tuple[Delivery, ...]) -> list[list[Delivery]]:
    """The deliveries by inbox and subject, which keep their order; the lanes by their first delivery."""
    if len(deliveries) == 1:
        return [list(deliveries)]

    def place(delivery: Delivery) -> tuple[str, str]:
        return (delivery.inbox, delivery.subject)

    ordered = sorted(deliveries, key=lambda each: (place(each), each.id))
    return sorted((list(group) for _, group in groupby(ordered, place)), key=lambda lane: lane[0].id)
