"""Lists of rules about servers: saved for others, and taken in once it was shown what they do."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import host_list_actions
from fediblog.errors import Invalid
from fediblog.prepare import host_rule_csv
from fediblog.prepare.host_rule_csv import HostLine
from fediblog.store.people import host_rules
from fediblog.store.people.host_rules import HostRule
from fediblog.store.tx import Tx
from fediblog.web.components.render import PRIVATE, back, render, renewed
from fediblog.web.negotiation import site_of
from fediblog.web.pages.admin_pages import check_owner, owners_form, show_overview
from fediblog.web.sessions import CurrentUser, ask_as, page

SHOWN = 100  # of the new rules, and of the lines that cannot be used


async def export(request: Request) -> Response:
    """The rules in Mastodon's format for such lists."""

    def every(tx: Tx, user: CurrentUser) -> list[HostRule]:
        check_owner(user)
        return host_rules.everything(tx)

    rules = await ask_as(request, every)
    headers = {"Cache-Control": PRIVATE, "Content-Disposition": 'attachment; filename="domain_blocks.csv"'}
    written = host_rule_csv.write(_line(each) for each in rules)
    return renewed(request, Response(written, media_type="text/csv; charset=utf-8", headers=headers))


def _line(rule: HostRule) -> HostLine:
    return HostLine(0, rule.host, rule.severity.value, rule.reject_media, rule.reject_reports, rule.reason)


async def take_in(request: Request) -> Response:
    """Show what a list does; once that was seen, which the form says by the new rules in it, do it."""
    site, form = site_of(request), await owners_form(request)
    rules, files = form.text("rules"), form.files("list")
    data = rules.encode() if rules else await files[0].read() if files else b""
    lines = await asyncio.to_thread(host_rule_csv.read, data)
    try:
        if rules:
            await site.db.write(host_list_actions.put_in_force, site.urls, form.sender.account.id, lines)
            return back(request, "/moderation", "hosts-imported")
        effect = await site.db.scan(host_list_actions.effect, site.urls, lines)
    except Invalid as error:
        form.refuse(error)
        return await show_overview(request, form)
    new = host_rule_csv.write(_line(each.rule) for each in effect.new)
    return render(request, "block-list.html", effect=effect, rules=new, most=SHOWN)


ROUTES = [
    Route("/moderation/blocks.csv", page(export), methods=["GET"]),
    Route("/moderation/import", page(take_in), methods=["POST"]),
]
