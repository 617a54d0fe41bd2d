"""Report an account: what is wrong, which of its posts show that, and whether its own server is told."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import report_actions
from fediblog.actions.report_actions import CATEGORIES, COMMENT_LIMIT, ReportDraft
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.errors import Invalid, NotFound
from fediblog.federation import quotas
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts
from fediblog.store.posts import account_posts, posts
from fediblog.store.posts.account_posts import ProfileFilter
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

SHOWN = 10  # of the latest posts, of which one may name some


class Reported(Struct, frozen=True):
    """Whom one would report, and the posts that one may name."""

    account: Account
    posts: Sequence[Post]


async def ask(request: Request) -> Response:
    """The form, about the account and the post from which one came."""
    chosen = forms.whole(request.query_params.get("post", "")) or 0
    came_from = request.headers.get("referer", "").removeprefix(site_of(request).urls.origin)
    place = forms.own_path(came_from, f"/account/{request.path_params['n']}").partition("#")[0]
    return await _show(request, Form.empty(), {chosen}, f"{place}#p{chosen}" if chosen else place)


async def _show(request: Request, form: Form, chosen: set[int], place: str) -> Response:
    found = await ask_as(request, _reported, request.path_params["n"], chosen)
    return render(
        request,
        "report.html",
        form.status,
        account=found.account,
        posts=found.posts,
        chosen=chosen,
        categories=CATEGORIES,
        category=form.choice("category", CATEGORIES, "other"),
        comment=form.text("comment"),
        forward=form.flag("forward"),
        longest=COMMENT_LIMIT,
        back=place,
        errors=form.errors,
    )


def _reported(tx: Tx, user: CurrentUser, number: int, chosen: set[int]) -> Reported:
    account, viewer = accounts.get(tx, number), user.account.id
    if account is None or account.state == "deleted" or account.id == viewer:
        raise NotFound("error.account-unknown")
    named = [each for each in posts.many(tx, chosen, viewer).values() if each.account.id == number]
    latest = account_posts.written(tx, number, viewer, Window(limit=SHOWN), ProfileFilter(replies="all"))
    return Reported(account, [*named, *(each for each in latest if each.id not in chosen)])


async def report(request: Request) -> Response:
    """Send the report."""
    site, form = site_of(request), await forms.read(request)
    quotas.use(site, form.sender.account.id, "action")
    chosen, place = form.numbers("post"), forms.own_path(form.line("next", 2000))
    draft = ReportDraft(
        target=request.path_params["n"],
        posts=tuple(chosen),
        comment=form.block("comment", COMMENT_LIMIT),
        category=form.choice("category", CATEGORIES, "other"),
        forward=form.flag("forward"),
    )
    if not form.errors:
        try:
            await site.db.write(report_actions.report, site.urls, form.sender.account.id, draft)
        except Invalid as error:
            form.refuse(error)
    if form.errors:
        return await _show(request, form, set(chosen), place)
    return back(request, place, "reported")


ROUTES = [
    Route("/people/{n:number}/report", page(ask), methods=["GET"]),
    Route("/people/{n:number}/report", page(report), methods=["POST"]),
]
