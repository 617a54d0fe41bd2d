"""The jobs of the worker: one function for each kind, which also marks the job as done or puts down its next step."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Concatenate, ParamSpec

from fediblog import log
from fediblog.actions import post_actions, reaction_actions
from fediblog.domain.accounts import Account
from fediblog.errors import Unavailable
from fediblog.federation import account_export, deleted_posts, relation_import
from fediblog.federation.lookups import (
    first_contact,
    follower_sync,
    link_check,
    media_copies,
    peer_nodeinfo,
    poll_refresh,
    quote_check,
    resolve,
    thread_completion,
    totals_refresh,
)
from fediblog.federation.outbound import push_messages, websub_pings
from fediblog.federation.site import Site
from fediblog.messages import ENGLISH
from fediblog.messages.stored import unpack
from fediblog.protocol import link_relations
from fediblog.store.people import (
    accounts,
    apps,
    forgotten_accounts,
    invitations,
    logins,
    operator_alerts,
    peers,
    relations,
    second_factors,
    verified_links,
)
from fediblog.store.people.forgotten_accounts import Reached
from fediblog.store.posts import media_files, search_index
from fediblog.store.queues import (
    account_exports,
    delivery_queue,
    events,
    incoming_queue,
    job_kinds,
    job_queue,
    profile_totals,
    relation_imports,
)
from fediblog.store.queues.job_queue import Job
from fediblog.store.readers import autosaves, moderation, moderation_log, visits
from fediblog.store.tx import Tx

P = ParamSpec("P")
Handler = Callable[[Site, Job], Awaitable[None]]

CHUNK = 500  # followers that one step of a fan-out reaches: a few ms, in which nobody else can write
DAY = 86_400_000  # ms
SWEEP_EVERY = 3_600_000  # ms
LINKS_EVERY = 7 * DAY  # ms
KEPT_FAILED = 30 * DAY  # ms that a failed delivery is shown
KEPT_SENT = 30 * DAY  # ms that an activity about nothing lasting is kept
SPAN, SPANS = 500, 40  # accounts that are looked at in one go, and how many times in an hour
KEPT_STRANGERS = 30 * DAY  # ms after the last fetch that an account is kept which means nothing to anybody here
PEERS = 4  # servers that are asked for their NodeInfo in one go, one after another
PEERS_PAUSE = 1_000  # ms before the next few
INDEXED, INDEXED_TEXT = 100, 100_000  # posts, and characters of them, that are indexed at a time: some 20 ms
KEPT_UNUSED = DAY  # ms in which an upload can still find its post


async def spread(site: Site, job: Job) -> None:
    """One step of a fan-out: deliveries to inboxes of `CHUNK` followers, later of those followed if so asked."""
    await site.db.write(_spread, job, site.urls.shared_inbox)


def _spread(tx: Tx, job: Job, ours: str) -> None:
    outgoing = delivery_queue.get(tx, int(job.payload["outgoing"]))
    if outgoing is None:
        job_queue.done(tx, job.id)
        return
    after, whom = int(job.payload["after"]), job.payload.get("whom", "followers")
    inboxes = relations.inboxes_of_followed if whom == "followed" else relations.inboxes_of_followers
    found = inboxes(tx, outgoing.account, after=after, limit=CHUNK)
    delivery_queue.add_deliveries(tx, outgoing.id, sorted({inbox for _, inbox in found} - {ours}))
    if len(found) < CHUNK and (then := job.payload.get("then")):
        job_queue.carry_on(tx, job.id, {"outgoing": outgoing.id, "after": 0, "whom": then})
    # What was delivered meanwhile is known until everybody has been gone through, and forgotten in steps as well.
    elif len(found) < CHUNK and delivery_queue.forget_reached(tx, outgoing.id, CHUNK) < CHUNK:
        job_queue.done(tx, job.id)
    else:
        job_queue.carry_on(tx, job.id, job.payload | {"after": found[-1][0] if found else after})


async def release(site: Site, job: Job) -> None:
    """Publish a scheduled post."""
    await site.db.write(_finish, job, post_actions.release, site.urls, int(job.subject))
    await websub_pings.put_down(site, int(job.subject))


async def close_poll(site: Site, job: Job) -> None:
    """End a poll and notify who voted; of one elsewhere the result is fetched first."""
    await poll_refresh.refresh(site, int(job.subject))
    await site.db.write(_finish, job, reaction_actions.close_poll, site.urls, int(job.subject))


async def refresh_poll(site: Site, job: Job) -> None:
    """Fetch how a poll of another server stands."""
    await poll_refresh.refresh(site, int(job.subject))
    await site.db.write(job_queue.done, job.id)


async def send_counts(site: Site, job: Job) -> None:
    """Send how a post of ours stands: its poll and its totals."""
    await site.db.write(_finish, job, post_actions.send_counts, site.urls, int(job.subject))


def _finish(tx: Tx, job: Job, action: Callable[Concatenate[Tx, P], object], *args: P.args, **kwargs: P.kwargs) -> None:
    action(tx, *args, **kwargs)
    job_queue.done(tx, job.id)


async def complete_thread(site: Site, job: Job) -> None:
    """Fetch the posts above a post, and the answers below it, that are not stored."""
    await thread_completion.complete(site, int(job.subject))
    await site.db.write(job_queue.done, job.id)


async def fetch_actor(site: Site, job: Job) -> None:
    """Fetch an account elsewhere again, with its totals."""
    account = await resolve.actor(site, job.subject, fresh=True)
    await _fetch_totals(site, account)
    await site.db.write(job_queue.done, job.id)


async def begin_account(site: Site, job: Job) -> None:
    """Fetch what an account elsewhere pinned and wrote before this server knew it."""
    await first_contact.begin(site, int(job.subject))
    account = await site.db.read(accounts.get, int(job.subject))
    if account is not None:
        await _fetch_totals(site, account)
    await site.db.write(job_queue.done, job.id)


async def fetch_totals(site: Site, job: Job) -> None:
    """Ask an account's server how many followers and posts it has."""
    await totals_refresh.fetch(site, int(job.subject))
    await site.db.write(job_queue.done, job.id)


async def _fetch_totals(site: Site, account: Account) -> None:
    if await site.db.read(profile_totals.is_stale, account):
        await totals_refresh.fetch(site, account.id)


async def check_quote(site: Site, job: Job) -> None:
    """Fetch the authorization by which a post quotes another, both elsewhere (FEP-044f)."""
    await quote_check.check(site, int(job.subject))
    await site.db.write(job_queue.done, job.id)


async def synchronize(site: Site, job: Job) -> None:
    """Set right who of our people follows an account elsewhere, by the list of its server (FEP-8fcf)."""
    await follower_sync.synchronize(site, job.subject, str(job.payload["url"]))
    await site.db.write(job_queue.done, job.id)


async def push(site: Site, job: Job) -> None:
    """Send one push message to an app."""
    await push_messages.push(site, job.subject)
    await site.db.write(job_queue.done, job.id)


async def ping_hub(site: Site, job: Job) -> None:
    """Tell the WebSub hub of a post."""
    await websub_pings.ping(site, int(job.subject))
    await site.db.write(job_queue.done, job.id)


async def fetch_media(site: Site, job: Job) -> None:
    """Fetch copies of pictures and files of other servers that somebody looks at."""
    more = await site.keep(media_copies.MediaFetcher).run()
    await media_copies.trim(site)
    if more:
        await site.db.write(job_queue.carry_on, job.id, {})
    else:
        await site.db.write(job_queue.done, job.id)


async def export_account(site: Site, job: Job) -> None:
    """Write all that an account has here into one file."""
    account = await site.db.read(accounts.get, int(job.subject))
    if account is not None and account.local and account.state != "deleted":
        await site.db.write(account_exports.put, account.id, *await account_export.make(site, account))
    await site.db.write(job_queue.done, job.id)


async def confirm_gone(site: Site, job: Job) -> None:
    """An inbox answered that it is gone: ask whether the actors behind it are, too, and forget those that are."""
    found = await site.db.read(forgotten_accounts.reached_at, job.subject, after=int(job.payload.get("after", 0)))
    gone = []
    for row in found:
        with suppress(Unavailable):  # then nothing is known
            if await resolve.confirm_gone(site, row.uri):
                gone.append(row)
    await site.db.write(_forget, job, found, gone)


def _forget(tx: Tx, job: Job, asked: list[Reached], gone: list[Reached]) -> None:
    tx.hold(*(row.id for row in gone))
    for row in gone:
        forgotten_accounts.set_deleted(tx, row.id)
        log.event("account-gone", account=row.uri)
    if gone:  # where nobody is, the inbox alone has gone, and the next may still answer
        job_queue.carry_on(tx, job.id, {"after": asked[-1].id})
    else:
        job_queue.done(tx, job.id)


async def sweep(site: Site, job: Job) -> None:
    """Forget what is old enough, and remove files that nothing shows; again in an hour."""
    removed = await site.db.write(_sweep_uploads) + await deleted_posts.sweep(site)
    known = await site.db.read(media_files.names)
    removed += await account_export.sweep(site)
    before = site.clock() - KEPT_UNUSED
    removed += await asyncio.to_thread(site.files.sweep, known.__contains__, before)
    after = await _sweep_accounts(site, int(job.payload.get("accounts", 0)))
    copies, last = await media_copies.sweep(site, int(job.payload.get("copies", 0)))
    swept = await site.db.write(_sweep, job, {"accounts": after, "copies": last})
    log.event("swept", rows=swept, files=len(removed), copies=copies)


def _sweep_uploads(tx: Tx) -> list[str]:
    """Remove the rows of uploads that no post shows; the files to be removed after them."""
    tx.hold(*(upload.id for upload in media_files.unused(tx, tx.now - KEPT_UNUSED)))
    unused = media_files.unused(tx, tx.now - KEPT_UNUSED)  # without those that somebody has just put into a post
    for upload in unused:
        media_files.remove(tx, upload.id)
    return [upload.file for upload in unused]


def _sweep(tx: Tx, job: Job, after: Mapping[str, int]) -> int:
    swept = (
        apps.sweep(tx)
        + events.sweep(tx)
        + logins.sweep_sessions(tx)
        + incoming_queue.sweep(tx)
        + moderation.sweep(tx)
        + moderation_log.sweep(tx)
        + invitations.sweep(tx)
    )
    swept += delivery_queue.sweep(tx, failed_before=tx.now - KEPT_FAILED, sent_before=tx.now - KEPT_SENT)
    swept += job_queue.sweep(tx, tx.now - KEPT_FAILED) + peers.sweep(tx)
    swept += autosaves.sweep(tx) + account_exports.sweep(tx) + visits.sweep(tx) + second_factors.sweep(tx)
    swept += relation_imports.sweep(tx)
    job_queue.done(tx, job.id)
    job_queue.add(tx, job_kinds.SWEEP, job.subject, after, run_at=tx.now + SWEEP_EVERY)
    return swept


async def _sweep_accounts(site: Site, after: int) -> int:
    """Forget accounts elsewhere that nobody here has to do with, from `after` on; the number to go on from."""
    before, last, swept = site.clock() - KEPT_STRANGERS, after, 0
    for _ in range(SPANS):
        found, last = await site.db.read(_idle, last, before)
        if found:
            swept += await site.db.write(forgotten_accounts.forget, found, before)
        if not last:
            break
    if swept:
        log.event("accounts-swept", rows=swept)
    return last


def _idle(tx: Tx, after: int, before: int) -> tuple[list[int], int]:
    return forgotten_accounts.idle(tx, after=after, before=before, span=SPAN)


async def ask_peers(site: Site, job: Job) -> None:
    """Ask a few servers which software they run; the next soon if more are due, else in an hour."""
    looked = await site.db.write(peers.meet, job.payload.get("since"))
    hosts = await site.db.scan(peers.due, PEERS)
    for host in hosts:
        await peer_nodeinfo.ask(site, host)
    await site.db.write(_ask_again, job, looked, PEERS_PAUSE if len(hosts) == PEERS else SWEEP_EVERY)


def _ask_again(tx: Tx, job: Job, looked: int, pause: int) -> None:
    job_queue.done(tx, job.id)
    job_queue.add(tx, job_kinds.NODEINFO, job.subject, {"since": looked}, run_at=tx.now + pause)


async def verify_links(site: Site, job: Job) -> None:
    """Look whether the pages to which an account of ours links still link back; again in a week, or sooner."""
    await link_check.check(site, int(job.subject))
    await site.db.write(_verify_again, job)


def _verify_again(tx: Tx, job: Job) -> None:
    job_queue.done(tx, job.id)
    account = accounts.get(tx, int(job.subject))
    if account is not None and account.state != "deleted" and link_relations.field_links(account.fields):
        failing = verified_links.is_failing(tx, account.id)
        job_queue.add(tx, job.kind, job.subject, run_at=tx.now + (DAY if failing else LINKS_EVERY))


async def check_database(site: Site, job: Job) -> None:
    """Check that what is stored can be read; again in a day."""
    await site.db.write(_check_again, job)
    await check(site)


async def check(site: Site) -> None:
    """Check that what is stored can be read, and alert the operator if it cannot. SQLite then writes nothing more.

    On PostgreSQL the finding is an index that is not valid, which is no reason to stop writing.
    """
    damage = await site.db.check()
    if not damage:
        await site.db.write(operator_alerts.clear, operator_alerts.DAMAGE)
        return
    log.event("database-damaged", logging.ERROR, finding=unpack(ENGLISH, damage[0]), advice="restore a backup")
    try:
        await site.db.write(operator_alerts.note, operator_alerts.DAMAGE, damage[0])
    finally:
        if site.db.engine == "sqlite":
            site.db.stop_writing(damage[0])


def _check_again(tx: Tx, job: Job) -> None:
    job_queue.done(tx, job.id)
    job_queue.add(tx, job_kinds.CHECK_DATABASE, job.subject, run_at=tx.now + DAY)


async def index_posts(site: Site, job: Job) -> None:
    """Index some posts for full-text search, the newest first: what an earlier version stored, or of a category."""
    await site.db.write(_index_posts, job)


def _index_posts(tx: Tx, job: Job) -> None:
    before, category = int(job.payload["before"]), job.payload.get("category")
    if category is None:
        reached = search_index.fill(tx, before, INDEXED, INDEXED_TEXT)
    else:
        reached = search_index.renew_filed(tx, int(category), before, INDEXED, INDEXED_TEXT)
    if reached is None:
        job_queue.done(tx, job.id)
    else:
        job_queue.carry_on(tx, job.id, job.payload | {"before": reached})


JOBS: dict[str, Handler] = {
    job_kinds.FANOUT: spread,
    job_kinds.RELEASE: release,
    job_kinds.CLOSE_POLL: close_poll,
    job_kinds.SEND_COUNTS: send_counts,
    job_kinds.REFRESH_POLL: refresh_poll,
    job_kinds.THREAD: complete_thread,
    job_kinds.FETCH_ACTOR: fetch_actor,
    job_kinds.SYNC_FOLLOWERS: synchronize,
    job_kinds.FIRST_POSTS: begin_account,
    job_kinds.PROFILE_TOTALS: fetch_totals,
    job_kinds.QUOTE_PROOF: check_quote,
    job_kinds.CONFIRM_GONE: confirm_gone,
    job_kinds.SWEEP: sweep,
    job_kinds.CHECK_DATABASE: check_database,
    job_kinds.NODEINFO: ask_peers,
    job_kinds.VERIFY_LINKS: verify_links,
    job_kinds.PUSH: push,
    job_kinds.INDEX_POSTS: index_posts,
    job_kinds.WEBSUB: ping_hub,
    job_kinds.FETCH_MEDIA: fetch_media,
    job_kinds.EXPORT: export_account,
    job_kinds.IMPORT: relation_import.step,
}


def start_repeating(tx: Tx) -> None:
    """Add the jobs that repeat: the hourly sweep, the daily check, NodeInfo of other servers, links of profiles.

    Those there are stay.
    """
    job_queue.add(tx, job_kinds.SWEEP, "hourly", run_at=tx.now + SWEEP_EVERY)
    job_queue.add(tx, job_kinds.CHECK_DATABASE, "daily", run_at=tx.now + DAY)
    for account in accounts.ours(tx):
        subject = str(account.id)
        if link_relations.field_links(account.fields) and not job_queue.is_open(tx, job_kinds.VERIFY_LINKS, subject):
            job_queue.add(tx, job_kinds.VERIFY_LINKS, subject)
    job_queue.add(tx, job_kinds.NODEINFO, "hourly", run_at=tx.now + SWEEP_EVERY)
