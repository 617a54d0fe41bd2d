"""What a search finds: people, posts, and what is at an address; for visitors and for who has signed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Refused, TooOften, Unavailable
from fediblog.federation import prepared_actions, quotas
from fediblog.hashtags import SIGNS, first_in, key
from fediblog.markup.search_words import Piece, Query, marked, read_query
from fediblog.protocol import previews
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import account_search, accounts
from fediblog.store.posts import archive, posts, search, timelines
from fediblog.store.posts.search import SearchFilter
from fediblog.store.tx import Tx
from fediblog.web import forms, sessions
from fediblog.web.components import paging
from fediblog.web.components.page_links import Links
from fediblog.web.components.paging import Page
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.languages import explain, explain_unreachable, language_of
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import ask_as, ask_long, page

SIZE = 20
PEOPLE = 10  # that a search shows
LONGEST = 200  # characters of what is looked for
_FIRST_YEAR = 1970
_KINDS = {"article", "note"}


class SearchForm(Struct, frozen=True, kw_only=True):
    """What somebody looks for, as the address says it: the words, and to what they are narrowed."""

    words: str = ""
    author: str = ""  # the handle of an account of ours
    kind: str = ""
    tag: str = ""
    year: int = 0
    newest: bool = False  # first, instead of what answers best

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the words is asked for."""
        return self != SearchForm(words=self.words)

    @property
    def address(self) -> str:
        """Where this is looked for."""
        asked = {"q": self.words, "by": self.author, "kind": self.kind, "tag": self.tag, "year": self.year or ""}
        asked["order"] = "newest" if self.newest else ""
        return f"/search?{urlencode({name: value for name, value in asked.items() if value})}"

    @property
    def whole(self) -> str:
        """Where the same words are looked for everywhere."""
        return f"/search?{urlencode({'q': self.words})}"


class Hit(Struct, frozen=True):
    """A post that was found: its title and the text around what was looked for, or its warning instead."""

    post: Post
    title: Sequence[Piece]
    text: Sequence[Piece]


class Found(Struct, frozen=True, kw_only=True):
    """What a search found; `total` is 0 where it is not counted. `authors` and `years` are what one may choose from."""

    people: Sequence[Account] = ()
    posts: Sequence[Post] = ()
    hits: Sequence[Hit] = ()  # of the posts that are shown
    total: int = 0
    is_all: bool = True  # what is counted is all that there is
    reached: int = 0  # if it is not all: older ones than this have not been looked at
    authors: Sequence[Account] = ()
    years: Sequence[int] = ()


async def find_here(request: Request) -> Response:
    """People, and posts: with some words or a hashtag, by who was named, or at an address."""
    form, window = _form(lambda name: request.query_params.get(name, "")), paging.window(request, SIZE)
    number = paging.mark(request, "page") or 1
    found = await ask_long(request, _search_and_mark, form, window, number)
    if _is_ranked(form):
        shown = paging.counted(request, found.posts, SIZE, number, found.total)
    else:
        shown = paging.page(request, found.posts, SIZE, lambda post: post.id, reached=found.reached)
    return _found(request, form, found, shown)


def _search_and_mark(tx: Tx, viewer: int, form: SearchForm, window: Window, number: int) -> Found:
    """What a search finds, with what is shown of each post: it takes too long for the event loop in long texts."""
    found, query = _search(tx, viewer, form, window, number), read_query(form.words)
    return replace(found, hits=[_hit(post, query) for post in found.posts[:SIZE]])


def _form(asked: Callable[[str], str]) -> SearchForm:
    year = forms.whole(asked("year")) or 0
    return SearchForm(
        words=" ".join(asked("q").split())[:LONGEST],
        author=asked("by").strip().lstrip("@")[:LONGEST],
        kind=kind if (kind := asked("kind")) in _KINDS else "",
        tag=first_in(asked("tag")),
        year=year if _FIRST_YEAR < year < 10_000 else 0,
        newest=asked("order") == "newest",
    )


def _is_ranked(form: SearchForm) -> bool:
    """Whether what is found goes by how well it answers; what is at an address or has a hashtag goes by its time."""
    return not form.newest and not _is_plain(form)


def _is_plain(form: SearchForm) -> bool:
    return not form.is_narrowed and (_is_hashtag(form.words) or _is_address(form.words))


def _search(tx: Tx, viewer: int, form: SearchForm, window: Window, number: int) -> Found:
    choice, query = Found(authors=accounts.listed(tx), years=_years(tx)), read_query(form.words)
    if len(form.words) < 2 and not query.terms:
        return choice
    people = _people(tx, form, viewer) if not form.is_narrowed else []
    named = people if window.before == FAR and number == 1 else []
    if _is_plain(form):
        return replace(choice, people=named, posts=_plain(tx, form, viewer, people, window))
    narrowed = _narrowed(tx, form)
    if narrowed is None:
        return choice
    if form.newest:
        newest = search.newest(tx, form.words, viewer, window, narrowed)
        return replace(choice, posts=newest.posts, is_all=newest.is_all, reached=newest.reached)
    best = search.ranked(tx, query, viewer, narrowed, limit=SIZE, offset=(number - 1) * SIZE)
    shown = best.posts
    if not best.total and not viewer:  # visitors find by its author what says nothing of the kind
        shown = _of_people(tx, people, viewer, window)[:SIZE]
    return replace(choice, people=named, posts=shown, total=best.total, is_all=best.is_all)


def _people(tx: Tx, form: SearchForm, viewer: int) -> list[Account]:
    if form.words[:1] in SIGNS:
        return []
    return account_search.people(tx, form.words, viewer, limit=PEOPLE, by_name=True)


def _plain(tx: Tx, form: SearchForm, viewer: int, people: Sequence[Account], window: Window) -> Sequence[Post]:
    """What has a hashtag, for visitors as its page shows it; or what is at an address, or by whom a handle names."""
    if not _is_hashtag(form.words):
        return search.at(tx, form.words, viewer) or _of_people(tx, people, viewer, window)
    if viewer:
        return search.newest(tx, form.words, viewer, window).posts
    wanted = timelines.TagFilter(tag=key(form.words), side="local")
    return posts.hydrate(tx, timelines.tagged(tx, viewer, wanted, window), viewer)


def _of_people(tx: Tx, people: Sequence[Account], viewer: int, window: Window) -> list[Post]:
    return search.of_people(tx, [each.id for each in people], viewer, window)


def _narrowed(tx: Tx, form: SearchForm) -> SearchFilter | None:
    """To what the search is narrowed; None if it is to the posts of somebody who is not here."""
    author = accounts.local_by_handle(tx, form.author) if form.author else None
    if form.author and author is None:
        return None
    return SearchFilter(account=author.id if author else 0, kind=form.kind, tag=key(form.tag), year=form.year)


def _years(tx: Tx) -> range:
    """The years in which our people wrote, the latest first."""
    this = datetime.fromtimestamp(tx.now / 1000, UTC).year
    return range(this, min(archive.first_year(tx) or this, this) - 1, -1)


def _found(
    request: Request,
    form: SearchForm,
    found: Found,
    shown: Page[Post],
    sent: Form | None = None,
) -> Response:
    """What a search found; who has signed in may have a handle or an address of elsewhere looked up where it is."""
    user, urls, sent = sessions.current_user(request), site_of(request).urls, sent or Form.empty()
    return render(
        request,
        "search.html",
        sent.status,
        headers=sent.headers,
        private=True,  # one page for each of all words that anybody types is not worth keeping
        form=form,
        found=found,
        posts=shown,
        is_elsewhere=not sent.errors
        and (_is_address(form.words) and user is not None and not _is_ours(urls, form.words)),
        is_partial=user is None and not _is_hashtag(form.words),
        errors=sent.errors,
    )


def _hit(post: Post, query: Query) -> Hit:
    title = marked(query, post.title, len(post.title))
    return Hit(post, title, previews.around(post, query))


async def find(request: Request) -> Response:
    """Open the account or post that a handle or an address names, wherever it is; other words are searched for."""
    sent = await forms.read(request)
    form = _form(lambda name: sent.line(name, LONGEST))
    if not _names_one(form.words) or form.is_narrowed:
        return back(request, form.address)
    return await _open(request, sent, sent.line("q", 2000))


async def interact(request: Request) -> Response:
    """Go to the account or post that somebody found on another server, to follow, answer, like or boost it from here.

    Other servers lead their visitors here, by the template of WebFinger or, as Mastodon does, without asking for one.
    Nothing is looked up for who has not signed in.
    """
    user = await ask_as(request, lambda _tx, user: user)
    wanted = request.query_params.get("uri") or request.query_params.get("acct", "")
    if not wanted.strip():
        return back(request, "/search")
    return await _open(request, Form(FormData(), language_of(request), user), wanted)


async def _open(request: Request, sent: Form, wanted: str) -> Response:
    """Go to what a handle or an address names; or say why not, with what is found here of the same words."""
    site, account, wanted = site_of(request), sent.sender.account.id, named_by(wanted)
    links, found = Links(site.urls, True), None
    try:
        quotas.use(site, account, "action")
        found = await prepared_actions.find(site, wanted)
    except TooOften as error:
        sent.defer("q", error)
    except Refused as error:
        sent.errors["q"] = explain(request, error)
    except Unavailable as error:
        sent.errors["q"] = explain_unreachable(request, error)
    if isinstance(found, Post):  # stored, but perhaps not for this reader: then it is not there
        found = await site.db.read(posts.get, found.id, account)
    if found is not None:
        return back(request, links.account(found) if isinstance(found, Account) else links.post(found))
    if not sent.errors:
        sent.fault("q", "search.nothing-there")
    form = SearchForm(words=wanted[:LONGEST])
    here = await ask_long(request, _search_and_mark, form, Window(limit=SIZE), 1)
    return _found(request, form, here, Page(tuple(here.posts[:SIZE])), sent)


def named_by(wanted: str) -> str:
    """A handle or an address as other servers and people hand it over."""
    return " ".join(wanted.split())[:500].removeprefix("acct:")


def _names_one(words: str) -> bool:
    """Whether words are meant as a handle or an address, and not as words."""
    return " " not in words and ("://" in words or "@" in words[1:])


def _is_hashtag(words: str) -> bool:
    return words[:1] in SIGNS and " " not in words and bool(key(words))


def _is_ours(urls: Urls, words: str) -> bool:
    """Whether a handle or an address is of this server, so that nothing elsewhere can be meant."""
    return urls.owns(words) or ("/" not in words and words.rpartition("@")[2].lower() == urls.handle_domain)


def _is_address(words: str) -> bool:
    return " " not in words and (words.startswith(("https://", "http://")) or "@" in words)


ROUTES = [
    Route("/search", page(find_here)),
    Route("/find", page(find), methods=["POST"]),
    Route("/authorize_interaction", page(interact)),
]
