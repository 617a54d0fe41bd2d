"""Pages for the owner: deliveries of each post, refusals, rules about servers, reports."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import ruling_actions
from fediblog.domain.posts import Post
from fediblog.errors import Forbidden, Invalid
from fediblog.store.people import host_rules, hosts, operator_alerts
from fediblog.store.people.host_rules import AllowedHost, HostRule, Severity
from fediblog.store.people.hosts import TroubledHost
from fediblog.store.people.operator_alerts import OperatorAlert
from fediblog.store.posts import posts
from fediblog.store.queues import delivery_queue, job_kinds, job_queue
from fediblog.store.queues.delivery_queue import Failure, Outgoing
from fediblog.store.readers import moderation, moderation_log
from fediblog.store.readers.moderation_log import LogEntry
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
    """How far each of the account's posts got, or the one that is asked for."""
    about = forms.whole(request.query_params.get("post", ""))
    sent, hosts, noticed = await ask_as(request, _deliveries, paging.mark(request), about)
    shown = paging.page(request, sent, SIZE, lambda each: each.outgoing.id)
    return render(request, "deliveries.html", sent=shown, hosts=hosts, troubles=noticed)


def _deliveries(
    tx: Tx, user: CurrentUser, before: int | None, about: int | None
) -> tuple[list[Sent], list[TroubledHost], list[OperatorAlert]]:
    if about is not None:
        latest = delivery_queue.about(tx, user.account.id, about, SIZE)
    else:
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
    """Rules about servers, and reports."""
    return await show_overview(request, Form.empty())


async def block_host(request: Request) -> Response:
    """Have a rule about a server: block it, limit it, or take neither its media nor its reports."""
    site, form = site_of(request), await owners_form(request)
    try:
        await site.db.write(ruling_actions.rule_on_host, site.urls, form.sender.account.id, _rule_in(form))
    except Invalid as error:
        form.refuse(error)
        return await show_overview(request, form)
    return back(request, "/moderation", "host-blocked")


def _rule_in(form: Form) -> HostRule:
    return HostRule(
        host=form.line("host", 300),
        severity=next((each for each in Severity if each == form.line("severity")), Severity.SUSPEND),
        reject_media=form.flag("reject_media"),
        reject_reports=form.flag("reject_reports"),
        reason=form.line("reason"),
    )


async def unblock_host(request: Request) -> Response:
    """Have no rule about a server any more."""
    site, form = site_of(request), await owners_form(request)
    await site.db.write(ruling_actions.unblock_host, site.urls, form.sender.account.id, form.line("host", 300))
    return back(request, "/moderation", "host-unblocked")


async def allow_host(request: Request) -> Response:
    """Put a server on the allow-list."""
    site, form = site_of(request), await owners_form(request)
    try:
        await site.db.write(
            ruling_actions.allow_host, site.urls, form.sender.account.id, form.line("allowed", 300), field="allowed"
        )
    except Invalid as error:
        form.refuse(error)
        return await show_overview(request, form)
    return back(request, "/moderation", "host-allowed")


async def disallow_host(request: Request) -> Response:
    """Take a server off the allow-list."""
    site, form = site_of(request), await owners_form(request)
    await site.db.write(ruling_actions.disallow_host, form.sender.account.id, form.line("host", 300))
    return back(request, "/moderation", "host-disallowed")


async def switch_allow_list(request: Request) -> Response:
    """Hear only servers on the allow-list, or all again."""
    site, form = site_of(request), await owners_form(request)
    in_force = form.line("do") == "on"
    await site.db.write(ruling_actions.set_allow_list, form.sender.account.id, in_force=in_force)
    return back(request, "/moderation", "allow-list-on" if in_force else "allow-list-off")


async def show_overview(request: Request, form: Form) -> Response:
    """The page with what is wrong with a form."""
    found = await ask_as(request, _overview)
    return render(
        request,
        "moderation.html",
        422 if form.errors else 200,
        hosts=found.hosts,
        allowed=found.allowed,
        allow_list=found.allow_list,
        reports=found.reports,
        log=found.log,
        rule=_rule_in(form),
        typed_allowed=form.line("allowed", 300),
        errors=form.errors,
        troubles=found.alerts,
    )


class Overview(Struct, frozen=True, kw_only=True):
    """What the page shows; `allow_list` is whether the list of those `allowed` is in force."""

    hosts: list[HostRule]
    allowed: list[AllowedHost]
    allow_list: bool
    reports: list[moderation.Report]
    log: list[LogEntry]
    alerts: list[OperatorAlert]


def _overview(tx: Tx, user: CurrentUser) -> Overview:
    check_owner(user)
    return Overview(
        hosts=host_rules.everything(tx),
        allowed=host_rules.allowed(tx),
        allow_list=host_rules.is_allow_list(tx),
        reports=moderation.reports(tx),
        log=moderation_log.latest(tx),
        alerts=operator_alerts.standing(tx),
    )


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
    Route("/moderation/allow", page(allow_host), methods=["POST"]),
    Route("/moderation/disallow", page(disallow_host), methods=["POST"]),
    Route("/moderation/allow-list", page(switch_allow_list), methods=["POST"]),
]
