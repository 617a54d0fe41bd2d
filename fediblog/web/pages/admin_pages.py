"""Pages for the owner: deliveries of each post, refusals, blocked servers, reports."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import moderation_actions
from fediblog.domain.posts import Post
from fediblog.errors import Forbidden, Invalid
from fediblog.store.people import hosts, operator_alerts, relations
from fediblog.store.people.hosts import TroubledHost
from fediblog.store.people.operator_alerts import OperatorAlert
from fediblog.store.posts import posts
from fediblog.store.queues import delivery_queue, job_kinds, job_queue
from fediblog.store.queues.delivery_queue import Failure, Outgoing
from fediblog.store.readers import moderation
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

SIZE = 25
_DAY = 86_400_000


class Sent(Struct, frozen=True):
    """One activity about a post, how far it got, and the servers that it has not reached.

    While it is `spreading`, it is not known yet how many servers there are.
    """

    outgoing: Outgoing
    post: Post | None
    failures: Sequence[Failure]
    spreading: bool


async def deliveries(request: Request) -> Response:
    """How far each of the account's posts got."""
    sent, hosts, noticed = await ask_as(request, _deliveries, paging.mark(request))
    shown = paging.page(request, sent, SIZE, lambda each: each.outgoing.id)
    return render(request, "deliveries.html", sent=shown, hosts=hosts, troubles=noticed)


def _deliveries(
    tx: Tx, user: CurrentUser, before: int | None
) -> tuple[list[Sent], list[TroubledHost], list[OperatorAlert]]:
    latest = delivery_queue.latest(tx, user.account.id, before=before, limit=SIZE + 1)
    sent = [
        Sent(
            outgoing,
            posts.stored(tx, outgoing.post) if outgoing.post is not None else None,
            delivery_queue.failures(tx, outgoing.id) if outgoing.total > outgoing.reached else (),
            job_queue.is_open(tx, job_kinds.FANOUT, str(outgoing.id)),
        )
        for outgoing in latest
    ]
    return sent, hosts.troubled_hosts(tx), operator_alerts.standing(tx) if user.is_owner else []


async def refusals(request: Request) -> Response:
    """What was refused and why."""
    found, totals, noticed = await ask_as(request, _refusals)
    return render(request, "refusals.html", refusals=found, totals=totals, troubles=noticed)


def _refusals(tx: Tx, user: CurrentUser) -> tuple[list[moderation.Refusal], list[tuple[str, int]], list[OperatorAlert]]:
    check_owner(user)
    return moderation.refusals(tx), moderation.refusal_totals(tx, tx.now - 7 * _DAY), operator_alerts.standing(tx)


async def overview(request: Request) -> Response:
    """Blocked servers and reports."""
    return await _moderation(request, Form.empty())


async def block_host(request: Request) -> Response:
    """Stop listening to a server."""
    site, form = site_of(request), await owners_form(request)
    try:
        await site.db.write(moderation_actions.block_host, site.urls, form.line("host", 300), form.line("reason"))
    except Invalid as error:
        form.refuse(error)
        return await _moderation(request, form)
    return back(request, "/moderation", "host-blocked")


async def unblock_host(request: Request) -> Response:
    """Listen to a server again."""
    site, form = site_of(request), await owners_form(request)
    await site.db.write(moderation_actions.unblock_host, site.urls, form.line("host", 300))
    return back(request, "/moderation", "host-unblocked")


async def close_report(request: Request) -> Response:
    """Mark a report as dealt with."""
    form = await owners_form(request)
    await site_of(request).db.write(moderation.close_report, request.path_params["n"], form.sender.account.id)
    return back(request, "/moderation", "report-closed")


async def _moderation(request: Request, form: Form) -> Response:
    hosts, reports, noticed = await ask_as(request, _overview)
    return render(
        request,
        "moderation.html",
        422 if form.errors else 200,
        hosts=hosts,
        reports=reports,
        host=form.line("host", 300),
        reason=form.line("reason"),
        errors=form.errors,
        troubles=noticed,
    )


def _overview(
    tx: Tx, user: CurrentUser
) -> tuple[list[relations.BlockedHost], list[moderation.Report], list[OperatorAlert]]:
    check_owner(user)
    return relations.blocked_hosts(tx), moderation.reports(tx), operator_alerts.standing(tx)


async def owners_form(request: Request) -> Form:
    """A form that the owner of the server alone may send. Raises Forbidden."""
    form = await forms.read(request)
    check_owner(form.sender)
    return form


def check_owner(user: CurrentUser) -> None:
    """Raise Forbidden unless the visitor looks after the server."""
    if not user.is_owner:
        raise Forbidden


ROUTES = [
    Route("/deliveries", page(deliveries)),
    Route("/refusals", page(refusals)),
    Route("/moderation", page(overview), methods=["GET"]),
    Route("/moderation/block", page(block_host), methods=["POST"]),
    Route("/moderation/unblock", page(unblock_host), methods=["POST"]),
    Route("/moderation/report/{n:number}/close", page(close_report), methods=["POST"]),
]
