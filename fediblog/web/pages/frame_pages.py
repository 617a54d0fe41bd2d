"""What belongs to the frame of the blog: its own style sheet, the way to follow it, and the owner's page about it."""

from __future__ import annotations

import re
from urllib.parse import quote

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.blog import CSS_LIMIT, LOOKS, MENU_LIMIT, PLACES, Blog, MenuItem
from fediblog.domain.colours import read_colour, write_colour
from fediblog.federation.site import LiveBlog
from fediblog.media.pictures import Shape
from fediblog.store.people import blog_settings
from fediblog.web import forms
from fediblog.web.components.frame import own_sheet
from fediblog.web.components.render import OWN_FORM, back, public, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.pages.admin_pages import check_owner
from fediblog.web.pages.blog_pages import account_named
from fediblog.web.pages.post_form import stored_upload
from fediblog.web.sessions import ask, ask_as, page

_SHAPES: dict[str, Shape] = {"icon": "avatar", "logo": "header", "header": "header"}
_SERVER = re.compile(r"(?:https?://|@?[^@/\s]+@)?((?:[\w-]+\.)+[\w-]{2,}(?::\d{1,5})?)/?(?:@[\w.-]+/?)?\Z")
_ADDRESS = re.compile(r"(?:https?://[^\s/]+|/(?!/))[^\s]*\Z")
_OTHER = "other"  # an address of one's own instead of a place


async def look_css(request: Request) -> Response:
    """The accent and the rules of the owner, for the pages that visitors read.

    To be kept for long by who asks for the version that it is; a page of before or after a change asks for another.
    """
    sheet = own_sheet(await site_of(request).db.read(blog_settings.get))
    response = public(request, sheet.css.encode(), "text/css; charset=utf-8")
    if request.query_params.get("v") == sheet.version:
        response.headers["Cache-Control"] = "public, max-age=86400"
    return response


async def follow(request: Request) -> Response:
    """The way to follow an account of ours, or to write to it, from one's own server: a link to that server."""
    asked = request.query_params
    account = await ask(request, lambda tx, _viewer: account_named(tx, asked.get("account", "")))
    found = _SERVER.match(asked.get("server", "").strip())
    server = found[1].lower() if found else ""
    there = f"https://{server}/authorize_interaction?uri={quote(f'acct:{account.acct}', safe='')}" if server else ""
    status = 200 if server or not asked.get("server") else 422
    return render(
        request,
        "follow.html",
        status,
        private=True,
        account=account,
        writes=asked.get("do") == "write",
        typed=asked.get("server", ""),
        server=server,
        there=there,
    )


async def settings(request: Request) -> Response:
    """What the owner may decide about the blog."""
    await ask_as(request, lambda _tx, user: check_owner(user))
    return _show(request, site_of(request).blog)


async def save(request: Request) -> Response:
    """Keep what the owner decided; it shows at once."""
    site, form = site_of(request), await forms.read(request)
    check_owner(form.sender)
    blog = await _changed(request, form, await site.db.read(blog_settings.get))
    if form.errors:
        return _show(request, blog, form)
    await site.db.write(blog_settings.put, blog)
    site.keep(LiveBlog).now = blog
    return back(request, "/settings/blog", "blog-saved")


async def _changed(request: Request, form: Form, before: Blog) -> Blog:
    pictures = {}
    for name, shape in _SHAPES.items():
        if form.flag(f"{name}-drop"):
            pictures[name] = ""
        for chosen in form.files(name)[:1]:
            if upload := await stored_upload(site_of(request), form, name, chosen, shape):
                pictures[name] = upload.file
    accent = read_colour(form.line("accent")) if form.flag("accent-on") else None
    if form.flag("accent-on") and accent is None:
        form.fault("accent", "blog.accent-wrong")
    return replace(
        before,
        title=form.line("title", 200),
        tagline=form.line("tagline", 400),
        menu=_menu(form),
        look=form.choice("look", LOOKS),
        accent=write_colour(accent) if accent else "",
        css=form.block("css", CSS_LIMIT),
        **pictures,
    )


def _menu(form: Form) -> tuple[MenuItem, ...]:
    """The items in the order of their numbers; rows that lead nowhere are left out."""
    rows = zip(form.lines("place"), form.lines("label"), form.lines("address"), form.lines("order"), strict=False)
    found = []
    for number, (place, label, address, order) in enumerate(rows):
        rank = (int(order) if order.isascii() and order.isdigit() and len(order) < 4 else 999, number)
        if place in PLACES:
            found.append((rank, MenuItem(place, label[:60])))
        elif place == _OTHER:
            if not _ADDRESS.match(address) or not label:
                form.fault("menu", "blog.menu-wrong")
            found.append((rank, MenuItem(address[:500], label[:60])))
    return tuple(item for _, item in sorted(found)[:MENU_LIMIT])


def _show(request: Request, blog: Blog, form: Form | None = None) -> Response:
    typed = form or Form.empty()
    rows = [*blog.menu, *[MenuItem("")] * max(2, 7 - len(blog.menu))][:MENU_LIMIT]
    return render(
        request,
        "blog-settings.html",
        typed.status,
        headers={"Cache-Control": OWN_FORM, **typed.headers},
        blog=blog,
        rows=rows,
        places=tuple(PLACES),
        looks=LOOKS,
        errors=typed.errors,
    )


ROUTES = [
    Route("/look.css", look_css),
    Route("/follow", page(follow)),
    Route("/settings/blog", page(settings), methods=["GET"]),
    Route("/settings/blog", page(save), methods=["POST"]),
]
