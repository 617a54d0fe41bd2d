"""What is typed is kept while it is typed; and where a text was changed elsewhere meanwhile, that is noticed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Concatenate, ParamSpec

import msgspec
from msgspec import Struct
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fediblog.actions.draft_of_post import draft_of
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.federation.site import Site
from fediblog.markup.text import one_line
from fediblog.store.posts import posts
from fediblog.store.readers import autosaves
from fediblog.store.readers.autosaves import Autosave
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import PRIVATE, back
from fediblog.web.forms import Form
from fediblog.web.languages import language_of
from fediblog.web.negotiation import site_of
from fediblog.web.pages import post_form
from fediblog.web.pages.post_form import PostFields
from fediblog.web.sessions import CurrentUser, page

P = ParamSpec("P")

MARK = 40  # characters at most
_WORDS = ("title", "source", "summary", "warning", "tags")  # by the first that is filled a text is known among others
_TYPED = {*_WORDS, "new-category", "slug", "answer", "hero", "hero-alt", "hero-caption", "file", "new-alt"}


class OpenedPage(Struct, frozen=True, kw_only=True):
    """A page on which somebody writes, as its form says it again: what it is about, and how that stood then.

    `seen` is when the post had been changed last, 0 for none; `at` when the page was opened. Both in ms.
    """

    mark: str
    about: str = "new"
    seen: int = 0
    at: int = 0


class OtherVersion(Struct, frozen=True, kw_only=True):
    """A text that was kept elsewhere: that of the post, or what stands on the page of that mark."""

    fields: PostFields
    at: int  # ms
    mark: str = ""


class ChangedElsewhere(Exception):
    """What is to be stored was changed elsewhere since its page was opened: on the page of that mark, or '' saved."""

    def __init__(self, mark: str) -> None:
        super().__init__(mark)
        self.mark = mark


def changed(post: Post | None) -> int:
    """When a post of ours was changed last, in ms."""
    return (post.updated or post.published or 0) if post is not None else 0


def open_page(tx: Tx, about: str, post: Post | None = None) -> OpenedPage:
    """A page that is opened now."""
    return OpenedPage(mark=secrets.token_urlsafe(12), about=about, seen=changed(post), at=tx.now)


def page_of(form: Form) -> OpenedPage:
    """The page that the form was sent from; once its writer has chosen between two texts, as it has seen both."""
    if form.flag("mine") or form.flag("theirs"):
        return msgspec.structs.replace(
            _opened(form), seen=form.number("seen-both") or 0, at=form.number("both-at") or 0
        )
    return _opened(form)


def _opened(form: Form) -> OpenedPage:
    return OpenedPage(
        mark=form.line("mark", MARK),
        about=form.line("about", MARK) or "new",
        seen=form.number("seen") or 0,
        at=form.number("opened") or 0,
    )


async def autosave(request: Request) -> Response:
    """Keep what is typed, and say when; `elsewhere` is when it was changed on another page meanwhile, or 0."""
    site, form = site_of(request), await forms.read(request)
    opened = page_of(form)
    words = next(filter(None, (one_line(form.line(name, 100), 100) for name in _WORDS)), "")
    pairs = [(name, value) for name, value in forms.worth_keeping(form.data) if name not in ("next", "do")]
    kept = Autosave(
        mark=opened.mark, about=opened.about, words=words, fields=msgspec.json.encode(pairs).decode(), changed=0
    )
    typed = any(value.strip() for name, value in pairs if name in _TYPED)
    at, elsewhere = await site.db.write(_keep, form.sender.account.id, kept, opened, typed=typed)
    return JSONResponse({"at": at, "elsewhere": elsewhere}, headers={"Cache-Control": PRIVATE})


def _keep(tx: Tx, account: int, kept: Autosave, opened: OpenedPage, *, typed: bool) -> tuple[int, int]:
    """Keep it, unless nothing is typed there; what is kept of other pages of the account meanwhile waits."""
    tx.hold(-account)
    if kept.mark and typed:
        autosaves.put(tx, account, kept)
    elif kept.mark:
        autosaves.drop(tx, account, kept.mark)
    return tx.now, _changed_elsewhere(tx, account, opened)[0]


def _changed_elsewhere(tx: Tx, account: int, opened: OpenedPage) -> tuple[int, str]:
    """When what is edited was changed since the page was opened, and on which page that is not saved; 0 if not."""
    kind, _, number = opened.about.partition(" ")
    if kind != "edit" or not opened.at:
        return 0, ""
    other = autosaves.newest(tx, account, opened.about, since=opened.at, but=opened.mark)
    post = posts.get(tx, forms.whole(number) or 0, account)
    if post is not None and changed(post) > opened.seen:
        return changed(post), ""
    return (other.changed, other.mark) if other is not None else (0, "")


def unless_changed_elsewhere(
    opened: OpenedPage, action: Callable[Concatenate[Tx, Urls, int, P], Post]
) -> Callable[Concatenate[Tx, Urls, int, P], Post]:
    """The action of an account that stores what stands on the page, in the same transaction as the look elsewhere.

    It raises ChangedElsewhere. With it goes what was kept of the page.
    """

    def act(tx: Tx, urls: Urls, account: int, /, *args: P.args, **kwargs: P.kwargs) -> Post:
        tx.hold(-account)  # before a look: another page may be saving
        at, mark = _changed_elsewhere(tx, account, opened)
        if at:
            raise ChangedElsewhere(mark)
        post = action(tx, urls, account, *args, **kwargs)
        autosaves.drop(tx, account, opened.mark)
        return post

    return act


async def version(site: Site, form: Form, number: int | None, mark: str) -> OtherVersion | None:
    """The text that stands on the page of that mark; without one that of the post."""
    account = form.sender.account.id
    if not mark:
        return await site.db.read(_standing, account, number)
    kept = await site.db.read(autosaves.get, account, mark)
    if kept is None:
        return None
    fields = await post_form.from_form(site, _form_of(kept, form.language, form.user))
    return OtherVersion(fields=fields, at=kept.changed, mark=mark)


def _form_of(kept: Autosave, language: str, user: CurrentUser | None) -> Form:
    return Form(FormData(list[tuple[str, str | UploadFile]](kept.form)), language, user)


def _standing(tx: Tx, account: int, number: int | None) -> OtherVersion | None:
    post = posts.get(tx, number, account) if number is not None else None
    if post is None or post.account.id != account:
        return None
    return OtherVersion(fields=post_form.of_draft(tx, draft_of(tx, post), account), at=changed(post))


async def restored(request: Request, user: CurrentUser, mark: str) -> tuple[PostFields, OpenedPage] | None:
    """What was kept of a page of the account, to go on with it there; None if it is not there any more."""
    site = site_of(request)
    kept = await site.db.read(autosaves.get, user.account.id, mark)
    if kept is None:
        return None
    form = _form_of(kept, language_of(request), user)
    return await post_form.from_form(site, form), msgspec.structs.replace(page_of(form), at=kept.changed)


async def discard(request: Request) -> Response:
    """Throw away what was kept."""
    site, form = site_of(request), await forms.read(request)
    await site.db.write(autosaves.drop, form.sender.account.id, form.line("mark", MARK))
    return back(request, "/drafts", "thrown-away")


ROUTES = [
    Route("/write/autosave", page(autosave), methods=["POST"]),
    Route("/write/discard", page(discard), methods=["POST"]),
]
