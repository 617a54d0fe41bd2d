"""The form with which visitors without an account here report a post or an account of ours to the owner."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import report_actions
from fediblog.actions.report_actions import COMMENT_LIMIT
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.errors import NotFound, TooOften
from fediblog.federation.site import Site
from fediblog.limits import Limit, network, party
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import page, visitor

TRAP = "homepage"  # a field that no person sees: only a program fills it in


class ReportLimits:
    """How often visitors may report: from one address, and from one network."""

    def __init__(self, site: Site) -> None:
        self.addresses = Limit(burst=5, seconds=600, clock=site.clock)
        self.networks = Limit(burst=20, seconds=300, clock=site.clock)

    def take(self, address: str) -> int:
        """Count one report: 0, or the seconds to wait."""
        return self.addresses.take(party(address)) or self.networks.take(network(address))


class VisibleTarget(Struct, frozen=True):
    """What is reported: an account of ours, and perhaps a post of it."""

    account: Account
    post: Post | None = None

    @property
    def address(self) -> str:
        """The page where it is."""
        return self.post.url if self.post is not None else self.account.url


async def ask(request: Request) -> Response:
    """The form; who has signed in has one of their own."""
    asked, user = request.query_params, await visitor(request)
    found = await site_of(request).db.read(
        _reported, forms.whole(asked.get("post", "")), forms.whole(asked.get("account", ""))
    )
    if user is not None:
        return back(request, f"/people/{found.account.id}/report")
    return _show(request, found, Form.empty())


def _reported(tx: Tx, post: int | None, account: int | None) -> VisibleTarget:
    """What everybody may see of ours by that number. Raises NotFound."""
    if post is not None:
        found = posts.get(tx, post, 0)
        if found is not None and found.local and found.state == "published":
            return VisibleTarget(found.account, found)
    elif account is not None:
        known = accounts.get(tx, account)
        if known is not None and known.local and known.login is not None and known.state == "active":
            return VisibleTarget(known)
    raise NotFound


async def take(request: Request) -> Response:
    """Keep the report."""
    site, form = site_of(request), await forms.read_open(request)
    found = await site.db.read(_reported, form.number("post"), form.number("account"))
    comment = form.block("comment", COMMENT_LIMIT)
    if not comment.strip():
        form.fault("comment", "case.say-why")
    address = request.client.host if request.client else ""
    if not form.errors and (wait := site.keep(ReportLimits).take(address)):
        form.defer("comment", TooOften("error.too-often", wait))
    if form.errors:
        return _show(request, found, form)
    if not form.flag(TRAP):
        named = [found.post.uri] if found.post is not None else []
        await site.db.write(report_actions.report_by_visitor, site.urls, found.account.id, named, comment)
    return back(request, found.address.removeprefix(site.urls.origin), "reported")


def _show(request: Request, found: VisibleTarget, form: Form) -> Response:
    return render(
        request,
        "visitor-report.html",
        form.status,
        private=True,
        headers=form.headers,
        reported=found,
        comment=form.text("comment"),
        trap=TRAP,
        errors=form.errors,
    )


ROUTES = [
    Route("/report", page(ask), methods=["GET"]),
    Route("/report", page(take), methods=["POST"]),
]
