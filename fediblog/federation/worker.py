"""The worker: takes what is due from the three queues, a bounded amount at a time, and does it side by side."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from typing import TypeAlias, TypeVar

from msgspec import Struct

from fediblog import log
from fediblog.counters import JOBS as JOBS_DONE
from fediblog.errors import Refused, Unavailable
from fediblog.federation.inbound import receive
from fediblog.federation.jobs import JOBS, start_repeating
from fediblog.federation.outbound.deliver import deliver_batch, take
from fediblog.federation.outbound.delivery_results import Dice, ResultWriter
from fediblog.federation.site import Site
from fediblog.pacing import Slots
from fediblog.store.queues import clock_repair, delivery_queue, incoming_queue, job_queue, leases, lost_workers
from fediblog.store.queues.incoming_queue import Incoming
from fediblog.store.queues.job_queue import Job
from fediblog.store.queues.leases import Batch
from fediblog.store.tx import Tx

T = TypeVar("T")
Task: TypeAlias = "asyncio.Task[None]"

CHANNELS = (delivery_queue.CHANNEL, job_queue.CHANNEL, incoming_queue.CHANNEL)
SHORTEST = 0.02  # seconds
LOOK = 3_000  # ms from one look for processes that are gone to the next
POLL = 1.0  # seconds; on SQLite another process may write without our hearing of it
HOSTS = 700  # delivered to at a time, most of which may hang: a connection each
PROBES = 100  # of these, hosts that did not answer the last time
BEGINNING = 40  # that are talked to at a time, beside those that hang
TAKEN = 50  # hosts claimed in one go
AHEAD = 25  # hosts that may wait to be talked to when more are claimed: few, so that what comes new is not behind them
JOBS_AT_ONCE, INCOMING_AT_ONCE = 8, 16
FIRST_PAUSE, LONGEST_PAUSE = 30_000, 3_600_000  # ms before a failed job is tried again


class _Taken(Struct, frozen=True):
    batches: list[Batch]
    jobs: list[Job]
    incoming: list[Incoming]


class Worker:
    """Does the site's work in the background. On PostgreSQL several may run, each in a process of its own."""

    def __init__(self, site: Site, *, dice: Dice = random.random) -> None:
        self._site = site
        self._writer = ResultWriter(site, dice)
        self._wake = asyncio.Event()
        self._slots = Slots(BEGINNING, few=AHEAD, ebb=self._wake.set)
        self._clock = 0  # as it was the last time, in ms
        self._closing = False
        self._loop: Task | None = None
        self._sending: dict[Task, Batch] = {}
        self._working: dict[Task, Job] = {}
        self._hearing: dict[Task, Incoming] = {}
        self._last_of: dict[str, Task] = {}  # by actor: what one sent is done in its order
        self._looked = -LOOK  # when it last looked for processes that are gone, in ms of the event loop's time
        self._missed: set[int] = set()  # those that had claims then and were not there
        self._left = False  # the database failed us, and claims of ours stand for which nobody works

    def start(self) -> None:
        """Begin to work in the background."""
        self._loop = asyncio.create_task(self.run())

    async def run(self) -> None:
        """Work until `stop`."""
        endings = [self._site.db.listen(channel, self._wake.set) for channel in CHANNELS]
        try:
            try:
                await self.recover()
            except Unavailable as error:  # then claims run out by themselves
                log.event("worker-waits", reason=error.reason, detail=error.detail)
            while not self._closing:
                self._wake.clear()
                await self._turn()
        finally:
            for end in endings:
                end()

    async def recover(self) -> None:
        """Take back what a worker that died had begun, if there can be no other one; see that the sweep runs.

        On SQLite whoever works holds the lock of the data folder; on PostgreSQL claims say whose they are.
        """
        alone = self._site.db.engine == "sqlite" and self._site.settings.role != "web"
        await self._site.db.write(_recover, alone, self._left)

    async def stop(self, grace: float = 10.0) -> None:
        """Take nothing new, let what has begun end within `grace` seconds, and leave the rest to the next start."""
        self._closing = True
        self._wake.set()
        begun = [task for task in (*self._tasks(), self._loop) if task is not None]
        if begun:
            _, late = await asyncio.wait(begun, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*begun, return_exceptions=True)

    async def idle(self) -> int:
        """Do everything that is due, and what becomes due by it, until nothing is; returns how much that was."""
        total = 0
        while True:
            was_busy = bool(self._tasks())
            taken = await self._take()
            total += taken
            if self._tasks():
                await asyncio.wait(self._tasks(), return_when=asyncio.FIRST_COMPLETED)
            elif not taken and not was_busy:  # else what has just ended may have made more due
                return total

    async def _turn(self) -> None:
        """Take what is due, then wait until there may be more: somebody calls, a time comes, or something is done."""
        pause = POLL
        try:
            await self._take()
            due = None if self._tasks() else await self._site.db.read(_next_due)
            if due is not None and not self._tasks():
                pause = min(max((due - self._site.clock()) / 1000, SHORTEST), POLL)
        except Unavailable as error:  # the database: it will be back
            log.event("worker-waits", reason=error.reason, detail=error.detail)
        except Exception as error:  # a mistake of ours, for which not all work should stop
            log.trouble("worker-failed", error)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._wake.wait()

    def _tasks(self) -> list[Task]:
        return [*self._sending, *self._working, *self._hearing]

    async def _take(self) -> int:
        """Claim as much as there is room for, and begin it."""
        if self._left:
            if self._tasks():
                return 0
            await self.recover()
            self._left = False
        await self._look_at_clock()
        await self._look_for_gone()
        if self._closing or not await self._site.db.read(_is_due):
            return 0
        taken = await self._site.db.write(_claim, *self._room())
        for batch in taken.batches:
            self._begin(self._sending, batch, self._send(batch))
        if len(taken.batches) >= TAKEN:  # there may be more
            self._wake.set()
        for job in taken.jobs:
            if not self._is_at(job):
                self._begin(self._working, job, self._work(job))
        for item in taken.incoming:
            self._last_of[item.actor] = self._begin(
                self._hearing, item, self._hear(item, self._last_of.get(item.actor))
            )
        return len(taken.batches) + len(taken.jobs) + len(taken.incoming)

    def _room(self) -> tuple[int, int, int, int]:
        """For how many hosts, probes, jobs and incoming activities there is room."""
        probing = sum(batch.failures > 0 for batch in self._sending.values())
        most = TAKEN if self._slots.waiting <= AHEAD else 0
        return (
            min(max(HOSTS - PROBES - (len(self._sending) - probing), 0), most),
            min(max(PROBES - probing, 0), most),
            max(JOBS_AT_ONCE - len(self._working), 0),
            max(INCOMING_AT_ONCE - len(self._hearing), 0),
        )

    async def _look_at_clock(self) -> None:
        """Repair the times in the queues if the clock was set back, so that nothing waits for a time that was wrong."""
        now = self._site.clock()
        if now < self._clock - clock_repair.TOLERANCE:
            log.event("clock-set-back", ms=await self._site.db.write(clock_repair.mend))
        self._clock = now

    async def _look_for_gone(self) -> None:
        """Take back the claims of processes that are gone: missed twice, since once may be but a lost connection."""
        now = round(asyncio.get_running_loop().time() * 1000)
        if self._site.db.engine != "postgres" or now - self._looked < LOOK:
            return
        self._looked = now
        missed = await self._site.db.read(lost_workers.claimants)
        if dead := missed & self._missed:
            await self._site.db.write(lost_workers.take_back, dead)
            log.event("claims-taken-back", processes=len(dead))
        self._missed = missed - dead

    def _is_at(self, job: Job) -> bool:
        """Whether a job that was claimed again still runs here, since it takes longer than a claim holds.

        The next step of a job that carried on is not that: it may be claimed before the task of the last has ended.
        """
        return any(
            each.id == job.id and each.tries < job.tries for task, each in self._working.items() if not task.done()
        )

    def _begin(self, table: dict[Task, T], what: T, work: Coroutine[None, None, None]) -> Task:
        task = asyncio.create_task(work)
        table[task] = what

        def end(done: Task) -> None:
            table.pop(done, None)
            # While many wait for a slot no more are taken, and to look for them after each would cost much.
            if table is not self._sending or self._slots.waiting <= AHEAD:
                self._wake.set()

        task.add_done_callback(end)
        return task

    async def _send(self, batch: Batch) -> None:
        try:
            await deliver_batch(
                self._site, batch, slots=self._slots, writer=self._writer, closing=lambda: self._closing
            )
        except Unavailable as error:  # the database
            self._left = True
            log.event("batch-failed", host=batch.host, reason=error.reason)
        except Exception as error:
            log.trouble("batch-failed", error, host=batch.host)

    async def _work(self, job: Job) -> None:
        try:
            handler = JOBS.get(job.kind)
            if handler is None:
                raise Refused("job-unknown", detail=job.kind)  # of a later version, perhaps
            started = asyncio.get_running_loop().time()
            await handler(self._site, job)
            took = round((asyncio.get_running_loop().time() - started) * 1000, 1)
            JOBS_DONE.add(job.kind, "done")
            log.event("job", kind=job.kind, subject=job.subject, ms=took)
        except Exception as error:
            known = job.kind if job.kind in JOBS else "other"
            JOBS_DONE.add(known, "refused" if isinstance(error, Refused) else "put-off")
            if not isinstance(error, Refused | Unavailable):
                log.trouble("job-failed", error, kind=job.kind, subject=job.subject)
            try:
                await self._site.db.write(_put_off_job, job, error)
            except Unavailable as trouble:  # the database
                self._left = True
                log.event("worker-waits", reason=trouble.reason, detail=trouble.detail)

    async def _hear(self, item: Incoming, before: Task | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await receive.process(self._site, item)  # which stores what came of it, also of a failure
        except Unavailable as error:  # the database
            self._left = True
            log.event("worker-waits", reason=error.reason, detail=error.detail)
        except Exception as error:
            log.trouble("incoming-failed", error, activity=item.uri, actor=item.actor)
        finally:
            if self._last_of.get(item.actor) is asyncio.current_task():
                del self._last_of[item.actor]


def _recover(tx: Tx, alone: bool, left: bool) -> None:
    clock_repair.mend(tx)
    if left:
        lost_workers.take_back(tx, [tx.worker])
    if alone:
        leases.release_all(tx)
        job_queue.release_all(tx)
        incoming_queue.release_all(tx)
    start_repeating(tx)


def _next_due(tx: Tx) -> int | None:
    times = (leases.next_due(tx), job_queue.next_due(tx), incoming_queue.next_due(tx))
    return min((at for at in times if at is not None), default=None)


def _is_due(tx: Tx) -> bool:
    """Whether anything can be claimed: a read, which is cheap and keeps nobody from writing."""
    due = _next_due(tx)
    return due is not None and due <= tx.now


def _claim(tx: Tx, hosts: int, probes: int, work: int, incoming: int) -> _Taken:
    return _Taken(
        batches=take(tx, hosts, probes),
        jobs=job_queue.claim(tx, work) if work else [],
        incoming=incoming_queue.claim(tx, incoming) if incoming else [],
    )


def _put_off_job(tx: Tx, job: Job, error: Exception) -> None:
    if isinstance(error, Refused):  # trying again cannot help
        log.event("job-refused", kind=job.kind, subject=job.subject, reason=error.reason)
        job_queue.done(tx, job.id)
    else:
        job_queue.put_off(tx, job, _said(error), _pause(error, job.tries - 1))


def _pause(error: Exception, tries: int) -> int:
    """Milliseconds until the next try: what was asked for, else longer each time."""
    if isinstance(error, Unavailable) and error.delay is not None:
        return min(max(round(error.delay * 1000), 1000), LONGEST_PAUSE)
    return min(FIRST_PAUSE << min(tries, 10), LONGEST_PAUSE)


def _said(error: Exception) -> str:
    return error.packed() if isinstance(error, Refused | Unavailable) else f"{type(error).__name__}: {error}"
