"""Goes through a file of relations that somebody has brought: whom each line names is looked up, then it is done.

A step takes few lines, and of one server fewer, then everybody has a rest: five thousand follows take an hour or two,
and no server is asked more often than a reader might ask it. What is done is stored with each line, so that a restart
does nothing twice.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from fediblog import log
from fediblog.actions import import_actions
from fediblog.errors import NotFound, Refused, Unavailable
from fediblog.federation.lookups import resolve
from fediblog.federation.site import Site
from fediblog.messages.stored import pack
from fediblog.store.posts import posts
from fediblog.store.queues import job_queue, relation_imports
from fediblog.store.queues.job_queue import Job
from fediblog.store.queues.relation_imports import RelationImport, WaitingLine
from fediblog.store.tx import Tx

LINES: Final = 20
"""That one step does, of all servers."""
LINES_OF_HOST: Final = 2
"""That one step does of one server: each may ask it for a handle and an account, and then sends it a Follow."""
PAUSE: Final = 5_000
"""ms from one step to the next: with four requests a step, 240 in five minutes, where Mastodon allows 300."""
ENDED: Final = 40
"""Relations that one step ends: nobody is asked for that."""
TRIES: Final = 4
RETRY: Final = 900_000
"""ms until a server that did not answer is asked again, more each time."""


async def step(site: Site, job: Job) -> None:
    """One step with the oldest file of an account; the job carries on until all of its files have ended."""
    brought = await site.db.read(relation_imports.under_way, int(job.subject))
    if brought is None:
        await site.db.write(job_queue.done, job.id)
    elif brought.overwrite and brought.cleared is None:
        await site.db.write(import_actions.clear, site.urls, brought, ENDED)
        await site.db.write(job_queue.carry_on, job.id, {}, pause=PAUSE)
    else:
        hosts = defaultdict[str, list[WaitingLine]](list)
        for each in chosen(brought, await site.db.read(relation_imports.due, brought.id, LINES * LINES_OF_HOST)):
            hosts[each.line.host(brought.kind)].append(each)
        await asyncio.gather(*(_use_all(site, brought, lines) for lines in hosts.values()))
        await site.db.write(_go_on, job, brought)


def chosen(brought: RelationImport, due: Sequence[WaitingLine]) -> list[WaitingLine]:
    """Those of the lines that one step does; of a server that nobody has to ask any number."""
    taken, of_host = list[WaitingLine](), defaultdict[str, int](int)
    for each in due:
        host = each.line.host(brought.kind)
        of_host[host] += 1
        if len(taken) < LINES and (not host or of_host[host] <= LINES_OF_HOST):
            taken.append(each)
    return taken


async def _use_all(site: Site, brought: RelationImport, lines: Sequence[WaitingLine]) -> None:
    for each in lines:
        await _use(site, brought, each)


async def _use(site: Site, brought: RelationImport, waiting: WaitingLine) -> None:
    number, line = brought.id, waiting.line
    try:
        target = await _look_up(site, brought, waiting)
        await site.db.write(import_actions.use, site.urls, brought, line, target)
    except Refused as error:
        await site.db.write(relation_imports.fail, number, line.number, error.packed())
    except Unavailable as error:
        if waiting.tries + 1 < TRIES:
            await site.db.write(relation_imports.put_off, number, line.number, RETRY * (waiting.tries + 1))
        else:
            missing = error.key == "unavailable.no-address"
            reason = pack("error.no-server" if missing else "import.no-answer")
            await site.db.write(relation_imports.fail, number, line.number, reason)
    except Exception as error:  # a mistake of ours, for which the other lines should not stop
        log.trouble("import-failed", error, kind=brought.kind)
        await site.db.write(relation_imports.fail, number, line.number, pack("import.broken"))


async def _look_up(site: Site, brought: RelationImport, waiting: WaitingLine) -> int:
    """The number of the account or post that a line names, 0 for a server."""
    if brought.kind == "servers":
        return 0
    if brought.kind != "bookmarks":
        return (await resolve.by_handle(site, waiting.line.acct(brought.kind))).id
    found = await resolve.post(site, waiting.line.name(brought.kind), depth=0)
    if found is None or await site.db.read(posts.get, found.id, brought.account) is None:
        raise NotFound("import.no-post")
    return found.id


def _go_on(tx: Tx, job: Job, brought: RelationImport) -> None:
    due = relation_imports.next_due(tx, brought.id)
    if due is None:
        relation_imports.end(tx, brought.id)
        due = tx.now
    job_queue.carry_on(tx, job.id, {}, pause=max(due - tx.now, PAUSE))
