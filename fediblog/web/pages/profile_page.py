"""Profiles: those of our own accounts for anybody, everybody else's for readers who have signed in."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fediblog.actions import reader_actions
from fediblog.domain.accounts import Account, Relation
from fediblog.domain.posts import Post
from fediblog.domain.showcase import ShowcaseSection
from fediblog.errors import NotFound
from fediblog.protocol.negotiate import ACTIVITY_TYPE
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import account_counts, accounts, relation_lists, relations, showcases
from fediblog.store.posts import account_posts
from fediblog.store.posts.account_posts import ProfileFilter
from fediblog.store.queues import background_fetches, profile_totals, stale_accounts
from fediblog.store.readers import lists
from fediblog.store.readers.lists import List
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import page_head, paging
from fediblog.web.components.page_elements import iso
from fediblog.web.components.render import add_link, back, render
from fediblog.web.languages import say
from fediblog.web.negotiation import site_of
from fediblog.web.pages.blog_pages import SIZE, account_named
from fediblog.web.sessions import CurrentUser, ask, ask_as, page

TABS = ("posts", "articles", "replies")


class Profile(Struct, frozen=True, kw_only=True):
    """An account, its numbers, and the posts that the chosen tab shows."""

    account: Account
    posts: Sequence[Post]
    tab: str
    pinned: Sequence[Post] = ()
    showcase: Sequence[ShowcaseSection] = ()
    months: Sequence[tuple[str, int]] = ()
    total: int = 0
    followers: int = 0
    following: int = 0
    relation: Relation | None = None
    lists: Sequence[List] = ()  # of the reader, and which of them hold the account
    holding: frozenset[int] = frozenset()
    note: str = ""  # the reader's about the account
    due: bool = False  # the totals are to be asked for
    kept_back: bool = False  # limited, and not followed by the reader: shown to who asks for one of its tabs


async def local(request: Request) -> Response:
    """The profile of one of our accounts."""
    tab = request.query_params.get("show", "posts")
    tab = tab if tab in TABS else "posts"
    found = await ask(request, _local, request.path_params["handle"], tab, paging.window(request, SIZE))
    account = found.account
    if request.path_params["handle"] != account.handle:
        return RedirectResponse(f"/@{account.handle}", 301)
    if found.kept_back and "show" not in request.query_params:
        return render(request, "limited.html", account=account)
    shown = paging.page(request, found.posts, SIZE, lambda post: post.id)
    above = {post.id for post in found.pinned}
    shown = replace(shown, items=tuple(post for post in shown.items if post.id not in above))
    head = page_head.of_profile(account, found.followers, found.total)
    if tab != "posts":
        head = replace(head, part=say(request, f"tab.{tab}"))
    head = page_head.turned(page_head.context(request), head, shown.number)
    since = iso(account.published or account.created)[:7].replace("-", "/")
    response = render(
        request, "profile.html", head=head, context="account", profile=found, account=account, posts=shown, since=since
    )
    add_link(response, account.uri, "alternate", ACTIVITY_TYPE.partition(";")[0])
    return response


def _local(tx: Tx, viewer: int, handle: str, tab: str, window: Window) -> Profile:
    account = account_named(tx, handle)
    followers, following = relations.counts(tx, account.id)
    first = window.before == FAR and tab == "posts"
    profile = Profile(
        account=account,
        posts=_shown(tx, account, viewer, tab, window),
        tab=tab,
        total=account_posts.total_of_account(tx, account.id),
        followers=followers,
        following=following,
        pinned=account_posts.pinned(tx, account.id, viewer) if first else (),
        showcase=showcases.of(tx, account.id) if first else (),
        months=account_posts.months(tx, account.id),
    )
    return _as_read(tx, viewer, profile)


def _as_read(tx: Tx, viewer: int, profile: Profile) -> Profile:
    """With what the account is to its reader, who has signed in, and what that one keeps of it."""
    number, limited = profile.account.id, bool(profile.account.limited)
    if viewer in (0, number):
        return replace(profile, kept_back=limited and not viewer)
    relation = relations.between(tx, viewer, number)
    return replace(
        profile,
        relation=relation,
        kept_back=limited and not relation.following,
        lists=lists.of_account(tx, viewer),
        holding=frozenset(each.id for each in lists.holding(tx, viewer, number)),
        note=relation_lists.note_of(tx, viewer, number),
    )


async def remote(request: Request) -> Response:
    """Any profile, for readers who have signed in: with what one may do about it."""
    tab = request.query_params.get("show", "posts")
    found = await ask_as(request, _remote, request.path_params["n"], tab if tab in TABS else "posts", request)
    if found.account.local and found.account.login is not None:
        return RedirectResponse(f"/@{found.account.handle}", 303)
    site = site_of(request)
    if stale_accounts.is_stale(found.account, site.clock()):
        await site.write_aside(stale_accounts.renew, found.account)
    if not found.posts:  # as of those whom a file of follows named: nothing of them has been fetched
        await site.write_aside(background_fetches.of_account, found.account)
    if found.due:
        await site.write_aside(profile_totals.refresh, found.account)
    if found.kept_back and "show" not in request.query_params:
        return render(request, "limited.html", account=found.account)
    shown = paging.page(request, found.posts, SIZE, lambda post: post.id)
    return render(request, "account.html", context="account", profile=found, account=found.account, posts=shown)


def _remote(tx: Tx, user: CurrentUser, number: int, tab: str, request: Request) -> Profile:
    account = accounts.get(tx, number)
    if account is None or account.state == "deleted":
        raise NotFound("error.account-unknown")
    viewer = user.account.id
    followers, following, total, _ = account_counts.totals(tx, [account.id])[account.id]
    profile = Profile(
        account=account,
        posts=_shown(tx, account, viewer, tab, paging.window(request, SIZE)),
        tab=tab,
        total=total,
        followers=followers,
        following=following,
        due=profile_totals.is_stale(tx, account),
    )
    return _as_read(tx, viewer, profile)


async def keep(request: Request) -> Response:
    """Put somebody into lists, and note something about them: nobody else sees either."""
    site, form = site_of(request), await forms.read(request)
    number, comment = request.path_params["n"], form.block("comment", reader_actions.LONGEST_NOTE)
    if form.errors:
        return render(request, "error.html", 422, message=form.errors["comment"])
    chosen = form.numbers("list")
    await site.db.write(reader_actions.keep_account, form.sender.account.id, number, chosen, comment)
    return back(request, f"/account/{number}", "list-saved")


def _shown(tx: Tx, account: Account, viewer: int, tab: str, window: Window) -> list[Post]:
    wanted = ProfileFilter(replies="all" if tab == "replies" else "none", articles=tab == "articles", letters=False)
    return account_posts.written(tx, account.id, viewer, window, wanted)


async def own(request: Request) -> Response:
    """The address that needs no handle: to the profile of the account that acts."""
    user = await ask_as(request, lambda _tx, user: user)
    return RedirectResponse(site_of(request).urls.profile(user.account.handle), 303)


ROUTES = [
    Route("/@{handle:handle}", page(local)),
    Route("/account/{n:number}", page(remote)),
    Route("/account/{n:number}/keep", page(keep), methods=["POST"]),
    Route("/me", page(own)),
]
