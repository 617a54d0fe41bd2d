"""Turns a template and its values into a response; the one place for what all pages share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.resources import files
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.federation.site import Site
from fediblog.markup.html import excerpt
from fediblog.messages import known, text
from fediblog.messages.stored import unpack
from fediblog.protocol import previews
from fediblog.store.posts.free_pages import FreePage
from fediblog.web import cookies, known_devices, sessions
from fediblog.web.components import emoji_images, post_text
from fediblog.web.components.action_bar import DRAWINGS, Reader, filtered, foot
from fediblog.web.components.browser_names import browser_name
from fediblog.web.components.comments import address, comment, comments
from fediblog.web.components.entries import blog_list
from fediblog.web.components.frame import Frame, frame_of, look_file
from fediblog.web.components.page_elements import (
    ago,
    at,
    audience,
    avatar,
    byline,
    clock,
    day,
    face,
    icon,
    iso,
    letter_band,
    moment,
    month,
    named,
    portrait,
    reaction,
    when,
)
from fediblog.web.components.page_head import Head
from fediblog.web.components.page_links import Links
from fediblog.web.components.photos import photo, scaled
from fediblog.web.components.post_cards import card
from fediblog.web.languages import PAGES_VARY, language_of
from fediblog.web.negotiation import VARY, site_of, tag_of

PUBLIC = "max-age=0, must-revalidate"
PRIVATE = "private, no-store"
OWN_FORM = "private, max-age=0, must-revalidate"  # for long forms: browsers forget what was typed where it is no-store
_FLASH = "flash"
_NO_HEAD = Head()

T = TypeVar("T")


def render(
    request: Request,
    name: str,
    /,
    status: int = 200,
    *,
    head: Head = _NO_HEAD,
    private: bool = False,
    to_read: bool = False,
    context: str = "",
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> Response:
    """The page as a response. Public pages get an ETag; all others are kept by nobody.

    A page is public if nobody has signed in and `private` does not say otherwise. Posts on a page `to_read` have no
    buttons: each leads to a page loaded anew, without what was typed beside it. `context` is that of `Reader`.
    """
    site, user, language = site_of(request), sessions.current_user(request), language_of(request)
    flash = request.cookies.get(cookies.name_of(site, _FLASH), "")
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    links, csrf, now = Links.of(site.urls, user is not None), forms_token(user) if user else "", site.clock()
    frame, actor = _frame(site, language), user.account.id if user and not to_read else None
    body = _filled(
        language,
        name,
        site_title=frame.title,
        frame=frame,
        source=site.settings.source,
        urls=site.urls,
        head=head,
        status=status,
        now=now,
        path=request.url.path,
        here=here,
        user=user,
        csrf=csrf,
        flash=_flash(site, language, flash),
        links=links,
        reader=_reader(user, Reader.at(here, links, actor, csrf), now, context),
        **values,
    )
    kept = not (user or private or flash or status != 200)
    response = public(request, body, "text/html; charset=utf-8", PAGES_VARY) if kept else private_page(body, status)
    response.headers.update(headers or {})
    if head.robots:
        response.headers["X-Robots-Tag"] = head.robots
    if flash:
        _forget_flash(site, response)
    return renewed(request, response)


def _forget_flash(site: Site, response: Response) -> None:
    cookies.drop(site, response, cookies.name_of(site, _FLASH))


class Flash(Struct, frozen=True):
    """What is said once about what has just been done.

    Of a post that waits also its number, and in how many seconds it leaves.
    """

    words: str
    leaving: str = ""
    seconds: int = 0


def _flash(site: Site, language: str, cookie: str) -> Flash | None:
    name, _, about = cookie.partition("~")
    if not known(f"flash.{name}"):
        return None
    words = text(language, f"flash.{name}")
    if not (about.isascii() and about.isdigit()):
        return Flash(words)
    seconds = site.settings.take_back_seconds
    return Flash(f"{words} {text(language, 'post.leaves-in', n=seconds)}", about, seconds)


def _reader(user: sessions.CurrentUser | None, reader: Reader, now: int, context: str) -> Reader:
    """The same with what only those have who have signed in."""
    return replace(reader, now=now, filters=user.filters, context=context) if user is not None else reader


def _frame(site: Site, language: str) -> Frame:
    sheet = look_file(site.blog)
    return frame_of(site.blog, site.title, language, static(sheet) if sheet else "", site.pages, site.writer)


def _filled(language: str, name: str, /, **values: object) -> bytes:
    """The template with its values. Piece by piece: most are ASCII, which is far faster to encode than the whole."""
    template = environment(language).get_template(name)
    try:
        return b"".join(map(str.encode, template.root_render_func(template.new_context(values))))
    except Exception:
        environment(language).handle_exception()  # raises it again, with the line of the template


def forms_token(user: sessions.CurrentUser) -> str:
    """What each form carries: the token of the session, and the account that it is made for."""
    return f"{user.session.csrf}~{user.account.id}"


def renewed(request: Request, response: Response) -> Response:
    """The response, with the cookie again if the session was prolonged in this request."""
    if token := getattr(request.state, "renewed", ""):
        sessions.set_cookie(site_of(request), response, token)
        if user := sessions.current_user(request):
            known_devices.remember(request, response, user.login.name, user.login.mark)
    return response


def public(request: Request, body: bytes, media_type: str, vary: str = VARY) -> Response:
    """A response that anybody may see and keep; 304 for those who have it already."""
    tag = tag_of(body)
    headers = {"ETag": f"W/{tag}", "Cache-Control": PUBLIC, "Vary": vary}
    given = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if given & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def private_page(body: bytes, status: int) -> Response:
    """A response for this visitor alone, or an error: nothing may keep it."""
    headers = {"Cache-Control": PRIVATE, "Vary": PAGES_VARY}
    return Response(body, status, headers=headers, media_type="text/html; charset=utf-8")


def back(request: Request, to: str, message: str = "", leaving: int | None = None) -> Response:
    """Go on to a page of ours, which then shows the message `flash.<message>` once.

    With it stands when the post `leaving` leaves, and how to see it and to take it back.
    """
    response = RedirectResponse(to, 303, headers={"Cache-Control": PRIVATE})
    if message:
        site = site_of(request)
        value = message if leaving is None else f"{message}~{leaving}"
        cookies.put(site, response, cookies.name_of(site, _FLASH), value, seconds=60)
    return renewed(request, response)


def lead_on(request: Request, to: str) -> Response:
    """Lead on to the address that a page has now: for good, but asked for each time, since it may get the former back.

    Who has signed in is led there this time only.
    """
    known = sessions.current_user(request) is not None
    headers = {"Cache-Control": PRIVATE if known else PUBLIC, "Vary": PAGES_VARY}
    return renewed(request, RedirectResponse(to, 303 if known else 301, headers=headers))


def add_link(response: Response, address: str, rel: str, media_type: str) -> None:
    """A Link header, which programs read without the page (RFC 8288)."""
    MutableHeaders(raw=response.raw_headers).append("link", f'<{address}>; rel="{rel}"; type="{media_type}"')


@cache
def environment(language: str) -> Environment:
    """The templates for pages in that language, with the few words that they know."""
    made = Environment(
        loader=PackageLoader("fediblog.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(t=partial(text, language), language=language, static=static, comment_page=address)
    made.globals.update(drawings=DRAWINGS)
    made.filters.update(contents=post_text.contents, excerpt=excerpt)
    made.filters.update(written=_with_links(partial(post_text.content, language)))
    filters = (
        previews.warning,
        previews.written_abstract,
        previews.unfolded,
        previews.words,
        previews.label,
        previews.abstract_html,
        previews.hashtags,
        previews.picture,
    )
    made.filters.update({each.__name__: each for each in (*filters, previews.gallery, previews.has_hero)})
    made.filters.update({each.__name__: each for each in (icon, portrait, iso)})
    linked = (avatar, face, named, reaction, content, photo, scaled)
    made.filters.update({each.__name__: _with_links(each) for each in linked})
    spoken = (
        ago,
        at,
        audience,
        blog_list,
        byline,
        card,
        clock,
        comment,
        comments,
        day,
        foot,
        letter_band,
        moment,
        month,
    )
    made.filters["filtered"] = partial(_filtered, language)
    made.filters.update({each.__name__: partial(each, language) for each in (*spoken, browser_name, unpack, when)})
    return made


@cache
def static(name: str) -> str:
    """The address of a style sheet, script or icon; it changes with the file, so that it may be kept for ever."""
    data = files("fediblog.web").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(data).hexdigest()[:12]}"


def _filtered(language: str, html: str, post: Post, reader: Reader) -> Markup:
    return Markup(filtered(language, post, reader, html))  # noqa: S704  of what a template has made


def _with_links(filter: Callable[..., T]) -> Callable[..., T]:
    """A filter whose second argument is the `links` of the page."""

    @pass_context
    def linked(context: Context, value: object, *args: object, **kwargs: object) -> T:
        return filter(value, context["links"], *args, **kwargs)

    return linked


def content(html: str, links: Links, owner: Post | Account | FreePage) -> Markup:
    """Stored HTML of a post, an account or a page, which was cleaned on its way in."""
    match owner:
        case Post():
            return emoji_images.pictured(html, owner.emoji, links.emoji, partial(links.shown_in, owner))
        case Account():
            return emoji_images.pictured(html, owner.emoji, links.emoji, partial(links.shown, owner))
    return emoji_images.pictured(html, (), links.emoji, partial(links.loaded, f"s{owner.id}"))
