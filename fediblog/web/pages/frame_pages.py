"""What belongs to the frame of the blog: its own style sheet, the way to follow it, and the owner's page about it."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.blog import (
    CRAWLERS,
    CSS_LIMIT,
    LOOKS,
    MENU_LIMIT,
    PLACES,
    TAGLINE_LIMIT,
    TITLE_LIMIT,
    Blog,
    MenuItem,
)
from fediblog.domain.colours import read_colour, write_colour
from fediblog.federation.site import LiveBlog, Site
from fediblog.markup.bare_links import web_address
from fediblog.media.pictures import Shape
from fediblog.messages import text
from fediblog.store.people import blog_settings
from fediblog.store.posts import media_files
from fediblog.store.posts.media_files import Upload
from fediblog.web import forms
from fediblog.web.components import time_zone
from fediblog.web.components.frame import own_sheet
from fediblog.web.components.render import OWN_FORM, back, public, render, static
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.pages.admin_pages import check_owner
from fediblog.web.pages.blog_pages import account_named
from fediblog.web.pages.post_form import stored_upload
from fediblog.web.sessions import ask, ask_as, page

_SHAPES: dict[str, Shape] = {"icon": "avatar", "logo": "header", "header": "header"}
_SERVER = re.compile(r"(?:https?://|@?[^@/\s]+@)?((?:[\w-]+\.)+[\w-]{2,}(?::\d{1,5})?)/?(?:@[\w.-]+/?)?\Z")
_WORD = re.compile(r"[\w-]+(/[\w-]+)*\Z")  # an address here, but for its beginning
_ADDRESS = re.compile(r"(?:https?://[^\s/]+|/(?!/))[^\s]*\Z")
ICON = 400  # pixels of the width and height of the owner's icon, at most
PAPER = "#fcfbf8"  # on which the desk is written, as style.css has it
_OTHER = "other"  # an address of one's own instead of a place
_NOTHING: Mapping[str, int] = MappingProxyType({})


async def look_css(request: Request) -> Response:
    """The accent and the rules of the owner, for the pages that visitors read.

    To be kept for long by who asks for the version that it is; a page of before or after a change asks for another.
    """
    sheet = own_sheet(await site_of(request).db.read(blog_settings.get))
    response = public(request, sheet.css.encode(), "text/css; charset=utf-8")
    if request.query_params.get("v") == sheet.version:
        response.headers["Cache-Control"] = "public, max-age=86400"
    return response


async def manifest(request: Request) -> Response:
    """What a phone installs: the desk under the name and icon of the blog, and where it hands over what is shared.

    <https://www.w3.org/TR/appmanifest/>, <https://w3c.github.io/web-share-target/>
    """
    site = site_of(request)
    icon = [{"src": f"/media/{site.blog.icon}", "sizes": f"{ICON}x{ICON}"}] if site.blog.icon else []
    name = site.blog.title or site.title
    made = {
        "name": name,
        "short_name": name[:30],
        "id": "/stream",
        "start_url": "/stream",
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [*icon, {"src": static("icon.svg"), "type": "image/svg+xml", "sizes": "any"}],
        "share_target": {
            "action": "/share",
            "method": "GET",
            "enctype": "application/x-www-form-urlencoded",
            "params": {"title": "title", "text": "text", "url": "url"},
        },
    }
    return public(request, json.dumps(made).encode(), "application/manifest+json")


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


class MenuRow(Struct, frozen=True):
    """A row of the form for the menu, as it is typed: `place` is one of PLACES, `other` or nothing."""

    order: str = ""
    place: str = ""
    label: str = ""
    address: str = ""

    @classmethod
    def of(cls, number: int, item: MenuItem, pages: Container[str]) -> MenuRow:
        """The row of an item; `pages` are the addresses of pages that stand by themselves."""
        if item.target in PLACES or item.target in pages:
            return cls(str(number), item.target, item.label)
        return cls(str(number), _OTHER, item.label, item.target)

    @property
    def target(self) -> str:
        """Where it leads; empty if that is nowhere."""
        if self.place != _OTHER:
            return self.place if self.place in PLACES or _ADDRESS.match(self.place) else ""
        return f"/{self.address}" if _WORD.match(self.address) else self.address


async def settings(request: Request) -> Response:
    """What the owner may decide about the blog."""
    await ask_as(request, lambda _tx, user: check_owner(user))
    blog, pages = site_of(request).blog, _pages(request)
    return _show(request, blog, [MenuRow.of(number, item, pages) for number, item in enumerate(blog.menu, 1)])


def _pages(request: Request) -> dict[str, str]:
    """The titles of pages that stand by themselves, by their addresses; that about who writes has a place already."""
    pages = site_of(request).keep(LiveBlog).pages
    about = next((page.slug for page in pages if page.role == "about"), "")
    return {f"/{page.slug}": page.title for page in pages if page.slug != about}


async def save(request: Request) -> Response:
    """Keep what the owner decided; it shows at once."""
    site, form = site_of(request), await forms.read(request)
    check_owner(form.sender)
    kept: dict[str, int] = {}
    blog = await _changed(request, form, await site.db.read(blog_settings.get), kept)
    if form.errors:
        return _show(request, blog, _rows(form), form, kept)
    await site.db.write(blog_settings.put, blog)
    site.keep(LiveBlog).now = blog
    return back(request, "/settings/blog", "blog-saved")


async def _changed(request: Request, form: Form, before: Blog, kept: dict[str, int]) -> Blog:
    """What the form makes of the blog; the numbers of its new pictures go into `kept`, for the form after a mistake."""
    site, pictures = site_of(request), {}
    for name, shape in _SHAPES.items():
        upload = await _chosen(site, form, name, shape)
        if upload is not None:
            pictures[name], kept[name] = upload.file, upload.id
        elif form.flag(f"{name}-drop"):
            pictures[name] = ""
    accent = read_colour(form.line("accent")) if form.flag("accent-on") else None
    if form.flag("accent-on") and accent is None:
        form.fault("accent", "blog.accent-wrong")
    zone, hub = form.line("time-zone", 100), form.line("websub-hub", 500)
    if zone and time_zone.find(zone) is None:
        form.fault("time-zone", "blog.time-zone-wrong")
    if hub and not web_address(hub):
        form.fault("websub-hub", "expected.address")
    return replace(
        before,
        title=form.line("title", TITLE_LIMIT),
        tagline=form.line("tagline", TAGLINE_LIMIT),
        menu=_menu(form, _rows(form)),
        look=form.choice("look", LOOKS),
        accent=write_colour(accent) if accent else "",
        css=form.block("css", CSS_LIMIT),
        time_zone=zone,
        ai_crawlers=form.choice("ai-crawlers", CRAWLERS),
        websub_hub=hub,
        **pictures,
    )


async def _chosen(site: Site, form: Form, name: str, shape: Shape) -> Upload | None:
    """The picture that is chosen now, else the one that was chosen before a mistake elsewhere in the form."""
    for file in form.files(name)[:1]:
        return await stored_upload(site, form, name, file, shape)
    number = form.number(f"{name}-kept")
    return await site.db.read(media_files.get, number, form.sender.account.id) if number is not None else None


def _rows(form: Form) -> list[MenuRow]:
    columns = zip(form.lines("order"), form.lines("place"), form.lines("label"), form.lines("address"), strict=False)
    return [MenuRow(*(each[:500] for each in row)) for row in columns][:MENU_LIMIT]


def _menu(form: Form, rows: Sequence[MenuRow]) -> tuple[MenuItem, ...]:
    """The items in the order of their numbers, without rows that lead nowhere; what is wrong is noted at its row."""
    found, addresses = [], set[str]()
    for number, row in enumerate(rows, 1):
        order, address = row.order, PLACES.get(row.target, row.target)
        rank = (int(order) if order.isascii() and order.isdigit() and len(order) < 4 else 999, number)
        if row.place == _OTHER and not (_ADDRESS.match(address) and row.label):
            form.fault(f"menu-{number}", "blog.menu-wrong")
        elif address in addresses:
            name = row.label or (text(form.language, f"menu.{row.place}") if row.place in PLACES else address)
            form.fault(f"menu-{number}", "blog.menu-twice", name=name)
        elif address:
            addresses.add(address)
            found.append((rank, MenuItem(row.target, row.label[:60])))
    return tuple(item for _, item in sorted(found))


def _show(
    request: Request, blog: Blog, rows: Sequence[MenuRow], form: Form | None = None, kept: Mapping[str, int] = _NOTHING
) -> Response:
    """`kept` has the numbers of pictures that were chosen in this form, which is not saved yet."""
    typed, used = form or Form.empty(), len(rows)
    free = [MenuRow(str(used + n)) for n in range(1, 1 + max(2, 7 - used))] if form is None else []
    return render(
        request,
        "blog-settings.html",
        typed.status,
        headers={"Cache-Control": OWN_FORM, **typed.headers},
        blog=blog,
        rows=[*rows, *free][:MENU_LIMIT],
        places=tuple(PLACES),
        pages=_pages(request),
        looks=LOOKS,
        accented=bool(blog.accent) or typed.flag("accent-on"),
        dropped={name for name in _SHAPES if typed.flag(f"{name}-drop")},
        kept=kept,
        crawlers=CRAWLERS,
        defaults=site_of(request).settings,
        errors=typed.errors,
    )


ROUTES = [
    Route("/look.css", look_css),
    Route("/manifest.webmanifest", manifest),
    Route("/follow", page(follow)),
    Route("/settings/blog", page(settings), methods=["GET"]),
    Route("/settings/blog", page(save), methods=["POST"]),
]
