"""One post with its thread: at its own address for anybody, at /post/… for readers who have signed in."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post, Reaction
from fediblog.domain.thread_order import OPEN_ANSWERS, ThreadBranch
from fediblog.domain.urls import Urls
from fediblog.errors import Gone, NotFound
from fediblog.messages import text
from fediblog.protocol.negotiate import ACTIVITY_TYPE
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts, post_preferences
from fediblog.store.posts import (
    account_posts,
    approvals,
    posts,
    quotes,
    reaction_lists,
    reply_policy,
    threads,
    tombstones,
)
from fediblog.store.posts.quotes import Authorization
from fediblog.store.posts.threads import RepliesPage
from fediblog.store.queues import background_fetches, delivery_queue, poll_totals
from fediblog.store.queues.delivery_queue import Outgoing
from fediblog.store.tx import Tx
from fediblog.web.components import page_head
from fediblog.web.components.comments import Comment, CommentBranch, address, found_at
from fediblog.web.components.page_head import Head
from fediblog.web.components.paging import mark
from fediblog.web.components.render import add_link, lead_on, render
from fediblog.web.feeds import Feed
from fediblog.web.languages import say
from fediblog.web.negotiation import site_of
from fediblog.web.pages.blog_pages import FEED_SIZE, account_named, feed_response
from fediblog.web.pages.post_form import PostFields, blank
from fediblog.web.sessions import CurrentUser, ask, ask_as, page

DEEPEST = 2  # levels of indentation; answers below stay at that level
FACES = 24


class WantedComments(Struct, frozen=True):
    """Which comments are asked for: a page of all or of one branch, or that on which one comment is."""

    page: int = 1
    branch: int = 0
    focus: int = 0


class Thread(Struct, frozen=True, kw_only=True):
    """A post with all that its page shows."""

    post: Post
    above: Sequence[Post] = ()
    comments: Sequence[CommentBranch] = ()  # one page of them
    branch: int = 0  # the comment at the head of the only branch that is shown
    found: str = ""  # the address of the page on which the comment is that was asked for
    page: int = 1
    pages: int = 1
    cut: bool = False  # there is more above than is shown
    elsewhere: bool = False  # there are more comments at its origin than here
    likes: Sequence[Reaction] = ()
    boosters: Sequence[Account] = ()
    earlier: Post | None = None  # the author's article before this one
    later: Post | None = None
    sent: Outgoing | None = None  # how far it got, for its author alone
    quotes: Sequence[Authorization] = ()  # posts that may quote it, for its author alone
    let: Sequence[tuple[int, Account, str]] = ()  # answers that have its author's leave, for its author alone
    approval: str = ""  # what became of an answer to somebody elsewhere, for its author alone
    waiting: Sequence[str] = ()  # `like` and `boost` of the reader that the author has to approve
    answer: PostFields | None = None  # the reader's, with whom it names; None where there may be none
    closed: str = ""  # followers or nobody, if only these may comment and the reader is none of them


async def by_number(request: Request) -> Response:
    """A note at its own address."""
    params = request.path_params
    thread = await ask(request, _by_number, site_of(request).urls, params["handle"], params["n"], _asked(request))
    return _answer(request, thread)


async def by_slug(request: Request) -> Response:
    """An article at its own address."""
    params = request.path_params
    month = f"{params['year']}/{params['month']}"
    thread = await ask(
        request, _by_slug, site_of(request).urls, params["handle"], month, params["slug"], _asked(request)
    )
    return _answer(request, thread)


async def for_reader(request: Request) -> Response:
    """Any post that the reader may see, wherever it comes from."""
    site = site_of(request)
    thread, due, asked = await ask_as(request, _for_reader, site.urls, request.path_params["n"], _asked(request))
    if due:  # what strangers answered was never delivered here
        await site.write_aside(background_fetches.of_thread, due)
    if asked:
        await site.write_aside(poll_totals.refresh, asked)
    post = thread.post
    if post.local and post.state == "published":
        return RedirectResponse(urlsplit(post.url).path + thread.found, 303)
    if thread.found:
        return RedirectResponse(request.url.path + thread.found, 303)
    return render(request, "post.html", context="thread", head=_head(request, thread), thread=thread, post=post)


async def comments_feed(request: Request) -> Response:
    """The feed of the comments below a post that everybody may see."""
    site, params = site_of(request), request.path_params
    post, comments = await site.db.read(_commented, params["handle"], params["n"])
    language = site.settings.language
    title = text(language, "post.comments-feed", title=page_head.title_of(language, post))
    base = site.urls.origin + page_head.comments_path(post)
    return await feed_response(request, Feed(title=title, description="", page=post.url, base=base), comments)


def _commented(tx: Tx, handle: str, number: int) -> tuple[Post, list[Post]]:
    """A post of ours that everybody may see, and what was answered to it last."""
    account, post = account_named(tx, handle), posts.get(tx, number)
    if post is None or post.account.id != account.id:
        raise NotFound
    return post, threads.latest(tx, post, FEED_SIZE)


def _answer(request: Request, thread: Thread) -> Response:
    post = thread.post
    right = urlsplit(post.url).path
    if thread.found:
        return RedirectResponse(right + thread.found, 303)
    if request.scope.get("raw_path", b"").decode("latin-1") != right and request.url.path != right:
        return lead_on(request, right)
    private = post.visibility in (Visibility.FOLLOWERS, Visibility.DIRECT)
    head = _head(request, thread)
    response = render(request, "post.html", context="thread", head=head, private=private, thread=thread, post=post)
    add_link(response, post.uri, "alternate", ACTIVITY_TYPE.partition(";")[0])
    return response


def _head(request: Request, thread: Thread) -> Head:
    head = page_head.of_post(page_head.context(request), thread.post)
    parts = [say(request, "thread.one")] if thread.branch else []
    if thread.page > 1:
        parts.append(say(request, "post.comment-page", page=thread.page, pages=thread.pages))
    return replace(head, part=" – ".join(parts))


def _by_number(tx: Tx, viewer: int, urls: Urls, handle: str, number: int, asked: WantedComments) -> Thread:
    post = posts.get(tx, number, viewer)
    if post is not None and post.local and post.state == "published":
        return thread_of(tx, viewer, post, asked)
    if post is None and tombstones.of_public(tx, urls.post(number)) is not None:
        raise Gone
    account_named(tx, handle)
    raise NotFound


def _by_slug(tx: Tx, viewer: int, urls: Urls, handle: str, month: str, slug: str, asked: WantedComments) -> Thread:
    account = account_named(tx, handle)
    post = posts.by_slug(tx, account.id, month, slug, viewer)
    if post is None:
        post = posts.by_former_slug(tx, account.id, month, slug, viewer)
    if post is None:  # the month may be wrong where a link was typed by hand
        months = account_posts.months(tx, account.id)
        others = (posts.by_slug(tx, account.id, name, slug.lower(), viewer) for name, _ in months)
        post = next((other for other in others if other is not None), None)
    if post is None and tombstones.of_page(tx, urls.page(account.handle, 0, month, slug)) is not None:
        raise Gone
    if post is None or post.state != "published":
        raise NotFound
    return thread_of(tx, viewer, post, asked)


def _for_reader(
    tx: Tx, user: CurrentUser, urls: Urls, number: int, asked: WantedComments
) -> tuple[Thread, list[int], list[int]]:
    """The thread, the posts of other servers in whose threads answers may be missing, and their polls that are old."""
    post = posts.get(tx, number, user.account.id)
    if post is None and tombstones.of_public(tx, urls.post(number)) is not None:
        raise Gone
    if post is None:
        raise NotFound
    thread = thread_of(tx, user.account.id, post, asked)
    due = background_fetches.threads_due(tx, {each.id for each in (post, *thread.above[:1])})
    return thread, due, poll_totals.stale(tx, [post])


def _asked(request: Request) -> WantedComments:
    return WantedComments(
        *(mark(request, name) or missing for name, missing in (("comments", 1), ("branch", 0), ("focus", 0)))
    )


def thread_of(tx: Tx, viewer: int, post: Post, asked: WantedComments) -> Thread:
    """The post with what hangs on it; or only where the comment is that was asked for."""
    if asked.focus and (place := threads.place_of(tx, post, viewer, asked.focus)) is not None:
        return Thread(post=post, found=f"{address(*place)}#p{asked.focus}")
    above, below = threads.ancestors(tx, post, viewer), threads.below(tx, post, viewer, asked.page, asked.branch)
    earlier, later = account_posts.neighbours(tx, post, viewer) if post.is_article and post.local else (None, None)
    return Thread(
        post=post,
        earlier=earlier,
        later=later,
        above=above,
        cut=len(above) == threads.DEPTH and above[0].parent is not None,
        comments=[_branch(post, below, each) for each in below.branches],
        branch=below.branch,
        page=below.page,
        pages=below.pages,
        elsewhere=not post.local and post.comments > below.total,
        likes=reaction_lists.first_reactions(tx, post.id, viewer, FACES),
        boosters=_first_boosters(tx, viewer, post),
        sent=delivery_queue.get(tx, post.id) if viewer == post.account.id and post.local else None,
        quotes=quotes.standing(tx, post.id) if viewer == post.account.id else (),
        let=approvals.replies_let(tx, post.id) if viewer == post.account.id else (),
        approval=_approval(tx, post) if viewer == post.account.id and post.in_reply_to else "",
        waiting=approvals.waiting(tx, viewer, post.id) if viewer and not post.local else (),
        answer=_fields_for_answer(tx, viewer, post),
        closed=_closed(tx, viewer, post),
    )


def _fields_for_answer(tx: Tx, viewer: int, post: Post) -> PostFields | None:
    account = accounts.get(tx, viewer) if viewer and post.state == "published" else None
    return blank(account, post_preferences.defaults(tx, viewer), post) if account else None


def _first_boosters(tx: Tx, viewer: int, post: Post) -> list[Account]:
    found = reaction_lists.boosters(tx, post.id, viewer, Window(limit=FACES, upwards=True))
    return [account for _, account in reversed(found)]


def _approval(tx: Tx, post: Post) -> str:
    found = approvals.of(tx, post.uri)
    return found.state if found is not None else ""


def _closed(tx: Tx, viewer: int, post: Post) -> str:
    if reply_policy.may_comment(tx, viewer, post):
        return ""
    root = posts.owner(tx, post.root) if post.root is not None else None
    policies = {post.repliable, root.repliable if root is not None else "public"}
    return "nobody" if "nobody" in policies else "followers"


def _branch(post: Post, below: RepliesPage, branch: ThreadBranch) -> CommentBranch:
    """Comments that belong together: each says whom it answers if that cannot be seen from how far it is indented."""
    head, folded = branch.places[0].id, not below.branch
    here = {post.id, *(place.id for place in branch.places)}
    found: list[Comment] = []
    for at, place in enumerate(branch.places):
        away = place.parent not in here
        unclear = away or place.depth > DEEPEST or (folded and at == 1 + OPEN_ANSWERS and place.depth > 1)
        answered = below.shown.get(place.parent) if unclear else None
        where = found_at(place.parent) if away else ""
        found.append(Comment(below.shown.get(place.id), min(place.depth, DEEPEST), answered, where))
    where = f"{address(head, 1 + len(found) // threads.PAGE)}#p{branch.left[0].id}" if branch.left else ""
    return CommentBranch(found, folded, below.left.get(head, 0), where)


ROUTES = [
    Route("/@{handle:handle}/{n:number}", page(by_number)),
    Route("/@{handle:handle}/{n:number}/feed.{format:feed}", comments_feed),
    Route("/@{handle:handle}/{year:year}/{month:month}/{slug}", page(by_slug)),
    Route("/post/{n:number}", page(for_reader)),
]
