"""How the server is: what runs, what waits, what takes room; and what it gives all who use it."""

from __future__ import annotations

import asyncio
import platform
import shutil
from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import fediblog
from fediblog.actions import server_actions, site_actions
from fediblog.errors import Invalid, NotFound
from fediblog.federation import prepared_actions
from fediblog.store.people import hosts, operator_alerts
from fediblog.store.people.hosts import TroubledHost
from fediblog.store.people.operator_alerts import OperatorAlert
from fediblog.store.posts import custom_emoji, remote_media
from fediblog.store.posts.custom_emoji import OwnEmoji
from fediblog.store.queues import incoming_queue, job_queue, leases, queue_lengths
from fediblog.store.queues.queue_lengths import QueueLengths
from fediblog.store.readers import announcements
from fediblog.store.readers.announcements import Announcement
from fediblog.store.tx import Tx
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.pages.admin_pages import check_owner, owners_form
from fediblog.web.pages.post_form import stored_upload
from fediblog.web.sessions import CurrentUser, ask_as, page

PATH = "/moderation/server"
QUEUES = ("deliveries", "jobs", "incoming")
STATES = ("waiting", "running", "dead")
_DAY = 86_400_000


class ServerState(Struct, frozen=True, kw_only=True):
    """What the page shows: `late` (ms) is for how long something has been due, `copies` bytes, `dead` jobs given up.

    `hidden` are addresses of emoji of other servers. Of a dead job its kind, what it was about, and the error as it is
    stored.
    """

    alerts: list[OperatorAlert]
    late: int
    lengths: QueueLengths
    troubled: list[TroubledHost]
    dead: Sequence[tuple[str, str, str]]
    copies: int
    emoji: list[OwnEmoji]
    hidden: list[str]
    announcements: list[Announcement]


async def show(request: Request) -> Response:
    """All of it."""
    return await _show(request, Form.empty())


async def _show(request: Request, form: Form) -> Response:
    site = site_of(request)
    state = await ask_as(request, _state)
    disk = await asyncio.to_thread(shutil.disk_usage, site.settings.data)
    return render(
        request,
        "server.html",
        form.status,
        headers=form.headers,
        state=state,
        disk=disk,
        queues=QUEUES,
        states=STATES,
        version=fediblog.__version__,
        python=platform.python_version(),
        settings=site.settings,
        typed={name: form.line(name, 200) for name in ("name", "category", "days", "address")},
        text=form.text("text"),
        errors=form.errors,
    )


def _state(tx: Tx, user: CurrentUser) -> ServerState:
    check_owner(user)
    due = [at for at in (leases.next_due(tx), job_queue.next_due(tx), incoming_queue.next_due(tx)) if at is not None]
    return ServerState(
        alerts=operator_alerts.standing(tx),
        late=max((tx.now - at for at in due), default=0),
        lengths=queue_lengths.measure(tx),
        troubled=hosts.troubled_hosts(tx),
        dead=job_queue.dead(tx, 10),
        copies=remote_media.total(tx),
        emoji=custom_emoji.everything(tx),
        hidden=custom_emoji.hidden(tx),
        announcements=announcements.everything(tx),
    )


async def act_on_host(request: Request) -> Response:
    """Try a server again, or send it nothing of what waits."""
    form, actions = (
        await owners_form(request),
        {"retry": server_actions.retry_host, "drop": server_actions.drop_deliveries},
    )
    action = form.line("do")
    if action not in actions:
        raise NotFound
    await site_of(request).db.write(actions[action], form.sender.account.id, form.line("host", 300))
    return back(request, PATH, f"host-{action}")


async def clean(request: Request) -> Response:
    """Remove copies of pictures that are old or too many."""
    form = await owners_form(request)
    await site_of(request).db.write(server_actions.clean_copies, form.sender.account.id)
    return back(request, PATH, "copies-cleaned")


async def add_emoji(request: Request) -> Response:
    """A picture for a name, in place of an earlier one."""
    site, form = site_of(request), await owners_form(request)
    chosen = next(iter(form.files("picture")), None)
    try:
        name = site_actions.check_emoji_name(form.line("name", 100))
    except Invalid as error:
        form.refuse(error)
    if chosen is None:
        form.fault("picture", "server.no-picture")
    elif (chosen.size or 0) > site_actions.EMOJI_BYTES:
        form.fault("picture", "server.emoji-too-large", n=site_actions.EMOJI_BYTES // 1024)
    elif not form.errors and (upload := await stored_upload(site, form, "picture", chosen)) is not None:
        category = form.line("category", site_actions.CATEGORY_LIMIT)
        await site.db.write(site_actions.add_emoji, site.urls, name, upload.id, category)
    return await _show(request, form) if form.errors else back(request, PATH, "emoji-added")


async def remove_emoji(request: Request) -> Response:
    """Show a picture no more: its name stands there again."""
    form = await owners_form(request)
    await site_of(request).db.write(site_actions.remove_emoji, form.line("emoji", 100))
    return back(request, PATH, "emoji-removed")


async def disable_emoji(request: Request) -> Response:
    """Keep a picture, and neither offer nor show it; or do so again."""
    site, form = site_of(request), await owners_form(request)
    name, disabled = form.line("emoji", 100), form.line("do") != "enable"
    await site.db.write(site_actions.set_emoji_disabled, site.urls, form.sender.account.id, name, disabled=disabled)
    return back(request, PATH, "emoji-disabled" if disabled else "emoji-enabled")


async def hide_emoji(request: Request) -> Response:
    """Show an emoji of another server to nobody here."""
    site, form = site_of(request), await owners_form(request)
    try:
        await site.db.write(site_actions.hide_emoji, site.urls, form.sender.account.id, form.line("address", 4_000))
    except Invalid as error:
        form.refuse(error)
        return await _show(request, form)
    return back(request, PATH, "emoji-hidden")


async def show_emoji(request: Request) -> Response:
    """Show an emoji of another server again."""
    form = await owners_form(request)
    await site_of(request).db.write(site_actions.show_emoji, form.sender.account.id, form.line("emoji", 4_000))
    return back(request, PATH, "emoji-shown")


async def announce(request: Request) -> Response:
    """Tell all who use the server something, for some days or until it is taken back."""
    site, form = site_of(request), await owners_form(request)
    words, days = form.block("text", site_actions.ANNOUNCEMENT_LIMIT).strip(), form.number("days") or 0
    ends = site.clock() + min(days, 3650) * _DAY if days else None
    try:
        wording = await prepared_actions.word(site, site_actions.announcement_texts(words), find=False)
        await site.db.write(site_actions.announce, site.urls, words, ends, wording)
    except Invalid as error:
        form.refuse(error)
        return await _show(request, form)
    return back(request, PATH, "announced")


async def end_announcement(request: Request) -> Response:
    """Tell it no more."""
    await owners_form(request)
    await site_of(request).db.write(site_actions.withdraw, request.path_params["n"])
    return back(request, PATH, "announcement-ended")


ROUTES = [
    Route(PATH, page(show), methods=["GET"]),
    Route("/moderation/host", page(act_on_host), methods=["POST"]),
    Route("/moderation/copies", page(clean), methods=["POST"]),
    Route("/moderation/emoji", page(add_emoji), methods=["POST"]),
    Route("/moderation/emoji/remove", page(remove_emoji), methods=["POST"]),
    Route("/moderation/emoji/disable", page(disable_emoji), methods=["POST"]),
    Route("/moderation/emoji/hide", page(hide_emoji), methods=["POST"]),
    Route("/moderation/emoji/show", page(show_emoji), methods=["POST"]),
    Route("/moderation/announcement", page(announce), methods=["POST"]),
    Route("/moderation/announcement/{n:number}/end", page(end_announcement), methods=["POST"]),
]
