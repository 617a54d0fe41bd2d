"""Pages that stand by themselves, such as an imprint: as visitors read them, and where the owner writes them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import cast
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from fediblog.actions import page_actions
from fediblog.actions.page_actions import PageDraft
from fediblog.errors import Invalid, NotFound
from fediblog.federation import prepared_actions
from fediblog.markup.html import excerpt
from fediblog.markup.slug import slugify
from fediblog.messages import LANGUAGES, text
from fediblog.store.people import accounts
from fediblog.store.posts import free_pages
from fediblog.store.posts.free_pages import ROLES, FreePage, PageRole
from fediblog.store.tx import Tx
from fediblog.web.components import page_head
from fediblog.web.components.render import OWN_FORM, back, lead_on, render
from fediblog.web.forms import Form
from fediblog.web.languages import say
from fediblog.web.negotiation import site_of
from fediblog.web.pages.admin_pages import check_owner, owners_form
from fediblog.web.pages.post_form import MOST_BYTES
from fediblog.web.route_index import first_words
from fediblog.web.sessions import CurrentUser, ask, ask_as, page

SETTINGS = "/settings/pages"


class FreePageRoute(Route):
    """Every address of one word that no other route begins with."""

    def __init__(self, reserved: AbstractSet[str]) -> None:
        super().__init__("/{slug:slug}", page(shown))
        self._reserved = reserved

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Not where the word belongs to another route, which may have other methods."""
        if scope["path"][1:] in self._reserved:
            return Match.NONE, {}
        return super().matches(scope)


async def shown(request: Request) -> Response:
    """A page, for everybody; the menu of each blog has one about who writes, which is a profile until it is written."""
    slug = request.path_params["slug"]
    found = await ask(request, lambda tx, _viewer: free_pages.by_slug(tx, slug))
    if found is None and slug == "about":
        return await _writer(request)
    if found is None:
        raise NotFound
    if found.slug != slug:
        return lead_on(request, f"/{quote(found.slug)}")
    at, about = page_head.context(request), excerpt(found.content, page_head.DESCRIPTION)
    head = page_head.of_site_page(at, found.title, f"/{quote(slug)}", about)
    return render(request, "page.html", head=head, page=found)


async def _writer(request: Request) -> Response:
    people = await ask(request, lambda tx, _viewer: accounts.listed(tx))
    if not people:
        raise NotFound
    return RedirectResponse(f"/@{people[0].handle}", 302)


async def overview(request: Request) -> Response:
    """All pages, for the owner."""
    found, reserved = await ask_as(request, _owners_pages), first_words(request)
    return render(request, "page-list.html", pages=found, reserved=reserved)


def _owners_pages(tx: Tx, user: CurrentUser) -> list[FreePage]:
    check_owner(user)
    return free_pages.every(tx)


async def new(request: Request) -> Response:
    """An empty page; one of a role that is asked for, unless there is one already."""
    role = request.query_params.get("role", "")
    pages = await ask_as(request, _owners_pages)
    if role not in ROLES[:-1]:
        return _show(request, Form.empty(), None, PageDraft())
    if found := next((each for each in pages if each.role == role), None):
        return back(request, f"{SETTINGS}/{found.id}")
    return _show(request, Form.empty(), None, PageDraft(title=say(request, f"page.role-{role}"), role=role))


async def edit(request: Request) -> Response:
    """A page on the desk again."""
    found = await ask_as(request, _owners_page, request.path_params["n"])
    return _show(request, Form.empty(), found, _draft_of(found))


def _owners_page(tx: Tx, user: CurrentUser, number: int) -> FreePage:
    check_owner(user)
    found = free_pages.get(tx, number)
    if found is None:
        raise NotFound
    return found


def _draft_of(found: FreePage) -> PageDraft:
    return PageDraft(
        title=found.title,
        slug=found.slug,
        source=found.source,
        language=found.language,
        role=found.role,
        published=found.state == "published",
    )


async def save(request: Request) -> Response:
    """What the buttons below the form do: preview, keep as a draft, publish."""
    site, form = site_of(request), await owners_form(request)
    number: int | None = request.path_params.get("n")
    found = await site.db.read(_owners_page, form.sender, number) if number is not None else None
    wanted = form.choice("do", ("publish", "preview", "draft"))
    title, slug = form.line("title", 1000), form.line("slug", 200)
    role = form.choice("role", ("", *ROLES))
    draft = PageDraft(
        title=title,
        slug=slug,
        source=form.block("source"),
        language=form.line("language", 35),
        role=cast(PageRole, role or role_named(title, slug)),
        published=wanted == "publish",
    )
    if form.errors:
        return _show(request, form, found, draft)
    try:
        if wanted == "preview":
            wording = await prepared_actions.word(site, page_actions.texts_of(draft), find=False)
            return _show(request, form, found, draft, Markup(wording.words[0].numbered("page")))  # noqa: S704
        await prepared_actions.save_page(site, number, draft, first_words(request))
    except Invalid as error:
        form.refuse(error)
        return _show(request, form, found, draft)
    return back(request, SETTINGS, "page-published" if draft.published else "page-kept")


async def remove(request: Request) -> Response:
    """Delete a page."""
    site, form = site_of(request), await owners_form(request)
    found = await site.db.read(_owners_page, form.sender, request.path_params["n"])
    if not form.flag("sure"):
        form.fault("sure", "error.sure")
        return _show(request, form, found, _draft_of(found))
    await site.db.write(page_actions.remove, found.id)
    return back(request, SETTINGS, "page-removed")


def role_named(title: str, slug: str) -> PageRole:
    """What a page of that title or slug is for, by what such pages are called in any of our languages."""
    called = {title.strip().casefold(), slugify(slug), slugify(title)}
    for role in ROLES[:-1]:
        names = {text(language, f"page.role-{role}") for language in LANGUAGES}
        if called & {role, *(name.casefold() for name in names), *map(slugify, names)}:
            return role
    return "other"


def _show(
    request: Request, form: Form, found: FreePage | None, draft: PageDraft, preview: Markup | None = None
) -> Response:
    return render(
        request,
        "page-edit.html",
        form.status,
        headers={"Cache-Control": OWN_FORM, **form.headers},
        page=found,
        draft=draft,
        roles=ROLES,
        role=draft.role if found or form.text("role") else "",
        preview=preview,
        most_bytes=MOST_BYTES,
        errors=form.errors,
    )


ROUTES = [
    Route(SETTINGS, page(overview)),
    Route(f"{SETTINGS}/new", page(new), methods=["GET"]),
    Route(f"{SETTINGS}/new", page(save), methods=["POST"]),
    Route(f"{SETTINGS}/{{n:number}}", page(edit), methods=["GET"]),
    Route(f"{SETTINGS}/{{n:number}}", page(save), methods=["POST"]),
    Route(f"{SETTINGS}/{{n:number}}/delete", page(remove), methods=["POST"]),
]
