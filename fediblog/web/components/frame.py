"""The frame of the blog's pages: its title and tagline, the menu, the foot, and the style sheets of its look."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

from msgspec import Struct

from fediblog.domain.blog import LOOKS, PLACES, TILED, Blog, MenuItem
from fediblog.domain.colours import Rgb, contrast, read_colour, readable, write_colour
from fediblog.messages import text
from fediblog.store.posts.free_pages import PageLink

_BLACK: Rgb = (0, 0, 0)
_WHITE: Rgb = (255, 255, 255)
_LIGHT: tuple[Rgb, ...] = ((239, 232, 218), (229, 220, 201), _WHITE)  # the grounds of all looks, light and dark
_DARK: tuple[Rgb, ...] = ((36, 31, 24), (32, 34, 39), (40, 34, 26))


class FrameLink(Struct, frozen=True):
    """A link of the menu or the foot."""

    label: str
    address: str


class Frame(Struct, frozen=True, kw_only=True):
    """What stands around each page of the blog, in one language. Pictures and style sheets are addresses."""

    title: str
    tagline: str = ""
    menu: tuple[FrameLink, ...] = ()
    foot: tuple[FrameLink, ...] = ()
    look: str = ""  # the address of the style sheet, if the look has one
    own_css: str = ""  # that of accent and own rules, if there are any
    writer: str = ""  # the handle of who writes the blog alone
    icon: str = ""
    logo: str = ""
    header: str = ""
    tiled: bool = False  # articles are listed as large pictures

    @property
    def sheets(self) -> tuple[str, ...]:
        """The style sheets that come after the first."""
        return tuple(each for each in (self.look, self.own_css) if each)


@lru_cache(maxsize=32)
def frame_of(
    blog: Blog, title: str, language: str, static: str, pages: tuple[PageLink, ...] = (), writer: str = ""
) -> Frame:
    """The frame for readers of that language; `title` stands where the owner has given none.

    `static` is the address of the look's own style sheet, empty if it has none.
    """
    about = next((f"/{page.slug}" for page in pages if page.role == "about"), PLACES["about"])
    titles = {f"/{page.slug}": page.title for page in pages}
    return Frame(
        title=blog.title or title,
        tagline=blog.tagline,
        menu=tuple(_link(item, language, about, titles) for item in blog.menu),
        foot=(
            *(_link(MenuItem(place), language, about, titles) for place in ("archive", "about")),
            *(FrameLink(page.title, f"/{page.slug}") for page in pages if f"/{page.slug}" != about),
        ),
        look=static,
        own_css=own_sheet(blog).address,
        writer=writer,
        icon=_picture(blog.icon),
        logo=_picture(blog.logo),
        header=_picture(blog.header),
        tiled=blog.look in TILED,
    )


def look_file(blog: Blog) -> str:
    """The style sheet of the chosen look among the static files; empty for the first, which every page has."""
    return f"looks/{blog.look}.css" if blog.look in LOOKS[1:] else ""


class OwnSheet(Struct, frozen=True):
    """The style sheet of what the owner chose beside the look. Its address changes with it, and is empty as it is."""

    css: str
    version: str

    @property
    def address(self) -> str:
        """The path, with the version."""
        return f"/look.css?v={self.version}" if self.css else ""


@lru_cache(maxsize=4)
def own_sheet(blog: Blog) -> OwnSheet:
    """The style sheet of what the owner chose: an accent, in shades that can be read, and rules of their own."""
    colour, rules = read_colour(blog.accent), ""
    if colour is not None:
        light, dark = readable(colour, _LIGHT, _BLACK), readable(colour, _DARK, _WHITE)
        rules = (
            f":root{{--accent:{write_colour(light)};--accent-ink:{_ink(light)};--accent-wash:var(--wash)}}\n"
            f"@media (prefers-color-scheme:dark){{:root{{--accent:{write_colour(dark)};--accent-ink:{_ink(dark)}}}}}\n"
        )
    css = rules + blog.css
    return OwnSheet(css, sha256(css.encode()).hexdigest()[:12])


def _ink(ground: Rgb) -> str:
    return write_colour(max(_BLACK, _WHITE, key=lambda ink: contrast(ink, ground)))


def _link(item: MenuItem, language: str, about: str, titles: Mapping[str, str]) -> FrameLink:
    place = about if item.target == "about" else PLACES.get(item.target)
    if place is None:
        return FrameLink(item.label or titles.get(item.target, item.target), item.target)
    return FrameLink(item.label or text(language, f"menu.{item.target}"), place)


def _picture(name: str) -> str:
    return f"/media/{name}" if name else ""
