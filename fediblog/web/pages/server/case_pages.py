"""One report, for the owner: whom it is about, what it names, what was known before, and what can be done."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import ruling_actions
from fediblog.domain.documents import OPEN
from fediblog.domain.posts import Post
from fediblog.errors import Invalid, NotFound
from fediblog.store.people import admin_accounts
from fediblog.store.people.admin_accounts import Member
from fediblog.store.posts import posts
from fediblog.store.readers import moderation, moderation_log
from fediblog.store.readers.moderation import Report
from fediblog.store.readers.moderation_log import LogEntry
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.languages import explain
from fediblog.web.negotiation import site_of
from fediblog.web.pages.admin_pages import check_owner, owners_form
from fediblog.web.sessions import CurrentUser, ask_as, page

_MOST_SHOWN = 50


class Case(Struct, frozen=True, kw_only=True):
    """A report with all that one decides by.

    `shown` are its posts that are here and that the one who reported them could read, `others` the addresses of the
    rest; `before` and `before_host` count the reports about the account and its server.
    """

    report: Report
    member: Member
    shown: list[Post]
    others: list[str]
    before: int
    before_host: int
    log: list[LogEntry]


async def show(request: Request) -> Response:
    """The report."""
    return await _show(request, Form.empty())


async def _show(request: Request, form: Form) -> Response:
    case = await ask_as(request, _case, request.path_params["n"])
    return render(
        request,
        "case.html",
        form.status,
        to_read=True,
        case=case,
        report=case.report,
        answer=form.line("answer", 2_000),
        errors=form.errors,
    )


def _case(tx: Tx, user: CurrentUser, number: int) -> Case:
    check_owner(user)
    report = moderation.get_report(tx, number)
    if report is None:
        raise NotFound
    found = {uri: post for uri in report.posts[:_MOST_SHOWN] if (post := _readable(tx, report, uri)) is not None}
    return Case(
        report=report,
        member=admin_accounts.many(tx, {report.target.id})[report.target.id],
        shown=list(found.values()),
        others=[uri for uri in report.posts if uri not in found],
        before=moderation.total_about(tx, report.target.id),
        before_host=0 if report.target.local else moderation.total_about_host(tx, report.target.domain),
        log=moderation_log.of_report(tx, number),
    )


def _readable(tx: Tx, report: Report, uri: str) -> Post | None:
    """A post that was reported, if everybody may read it or the one who reported it may."""
    post = posts.by_uri(tx, uri)
    if post is None or post.is_draft or post.account.id != report.target.id:
        return None
    reporter = report.reporter.id if report.reporter is not None else 0
    return post if post.visibility in OPEN else posts.get(tx, post.id, reporter)


async def close(request: Request) -> Response:
    """Mark the report as dealt with."""
    form, number = await owners_form(request), request.path_params["n"]
    await site_of(request).db.write(ruling_actions.close_report, form.sender.account.id, number)
    return back(request, "/moderation", "report-closed")


async def answer(request: Request) -> Response:
    """Tell the one of ours who reported it what came of that."""
    site, form, number = site_of(request), await owners_form(request), request.path_params["n"]
    words = form.line("answer", 2_000)
    try:
        await site.db.write(ruling_actions.answer_report, site.urls, form.sender.account.id, number, words)
    except Invalid as error:
        form.refuse(error)
        return await _show(request, form)
    return back(request, f"/moderation/report/{number}", "report-answered")


async def reopen(request: Request) -> Response:
    """Let the report wait again."""
    form, number = await owners_form(request), request.path_params["n"]
    await site_of(request).db.write(ruling_actions.reopen_report, form.sender.account.id, number)
    return back(request, f"/moderation/report/{number}", "report-reopened")


async def rule_on_account(request: Request) -> Response:
    """Suspend an account, keep its owner out, delete it, or take that back."""
    site, form = site_of(request), await owners_form(request)
    action, onward = form.line("do"), forms.own_path(form.line("next", 2000), "/moderation")
    try:
        await site.db.write(
            ruling_actions.rule_on_account,
            site.urls,
            form.sender.account.id,
            action,
            request.path_params["n"],
            form.number("report"),
            form.line("reason"),
        )
    except Invalid as error:
        return render(request, "error.html", 422, message=explain(request, error))
    return back(request, onward, f"ruled-{action}")


async def rule_on_post(request: Request) -> Response:
    """Hide a post, show it again, or remove it."""
    site, form = site_of(request), await owners_form(request)
    action, onward = form.line("do"), forms.own_path(form.line("next", 2000), "/moderation")
    await site.db.write(
        ruling_actions.rule_on_post,
        site.urls,
        form.sender.account.id,
        action,
        request.path_params["n"],
        form.number("report"),
        form.line("reason"),
    )
    return back(request, onward, f"ruled-{action}-post")


ROUTES = [
    Route("/moderation/report/{n:number}", page(show), methods=["GET"]),
    Route("/moderation/report/{n:number}/close", page(close), methods=["POST"]),
    Route("/moderation/report/{n:number}/answer", page(answer), methods=["POST"]),
    Route("/moderation/report/{n:number}/reopen", page(reopen), methods=["POST"]),
    Route("/moderation/account/{n:number}", page(rule_on_account), methods=["POST"]),
    Route("/moderation/post/{n:number}", page(rule_on_post), methods=["POST"]),
]
