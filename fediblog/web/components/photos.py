"""A picture that a post shows, in the sizes that there are of it: a browser takes the one that it has room for."""

from __future__ import annotations

from html import escape

from markupsafe import Markup

from fediblog.domain.documents import Attachment, Picture
from fediblog.domain.posts import Post
from fediblog.web.components.page_links import Links

_COLUMN = 42  # rem: the widest that a picture alone is shown
_COPY, _SMALL_COPY = 1600, 480  # pixels of the longer side of a copy, as the decoder makes them
_MOVING = ("image/gif", "image/webp")  # what moves may be one, and a smaller size does not move
_PREVIEWS = (1280, 400)  # of the smaller sizes of an upload


def photo(file: Attachment, links: Links, post: Post, among: int) -> Markup:
    """The picture as a link to itself, one of so many of a post."""
    whole, smaller, width, small_width = _sizes(file, links, post)
    alt = escape(file.alt)
    shown = f'src="{escape(smaller if among > 1 else whole)}" alt="{alt}"'
    if alt:
        shown += f' title="{alt}"'
    if width and smaller != whole:
        room = f"(max-width: {_COLUMN}rem) 100vw, {_COLUMN}rem"
        if among > 1:
            room = f"(max-width: {_COLUMN}rem) 50vw, {_COLUMN // 2}rem"
        shown += f' srcset="{escape(smaller)} {small_width}w, {escape(whole)} {width}w" sizes="{room}"'
    if file.width and file.height:
        shown += f' width="{file.width}" height="{file.height}"'
    return Markup(  # noqa: S704  of escaped parts
        f'<a class="picture" href="{escape(whole)}"><img class="u-photo {focus(file)}" {shown}'
        ' loading="lazy" decoding="async"></a>'
    )


def scaled(file: Picture | Attachment, links: Links, post: Post, room: str, *, first: bool = False) -> Markup:
    """The attributes of a picture that stands for its post, in a box as wide as `room` says (an HTML `sizes`).

    The `first` of a page is loaded at once, others when somebody comes near.
    """
    whole, smaller, width, small_width = _sizes(file, links, post)
    shown = f'src="{escape(whole if first else smaller)}" alt="{escape(file.alt)}"'
    if width and smaller != whole:
        shown += f' srcset="{escape(smaller)} {small_width}w, {escape(whole)} {width}w" sizes="{room}"'
    if file.width and file.height:
        shown += f' width="{file.width}" height="{file.height}"'
    loading = 'fetchpriority="high"' if first else 'loading="lazy"'
    return Markup(f'{shown} {loading} decoding="async"')  # noqa: S704  of escaped parts


def _sizes(file: Picture | Attachment, links: Links, post: Post) -> tuple[str, str, int, int]:
    """Where it is loaded from whole and smaller, and how many pixels wide these are; 0 if that is not known."""
    whole, longer = links.shown_in(post, file.url), max(file.width or 0, file.height or 0)
    if file.media_type in _MOVING:
        return whole, whole, 0, 0
    if post.local:
        smaller = links.shown_in(post, file.preview) or whole
        return whole, smaller, _scaled(file, longer), _scaled(file, next((n for n in _PREVIEWS if n < longer), longer))
    smaller = whole if 0 < longer <= _SMALL_COPY else links.shown_in(post, file.url, "small")
    return whole, smaller, _scaled(file, _COPY), _scaled(file, _SMALL_COPY)


def _scaled(file: Picture | Attachment, side: int) -> int:
    """Its width in pixels where its longer side has at most so many."""
    if not file.width or not file.height:
        return 0
    return round(file.width * min(1.0, side / max(file.width, file.height)))


def focus(file: Attachment) -> str:
    """The class that says which part of a cropped picture must stay visible."""
    x, y = file.focus or (0.0, 0.0)
    across = "left" if x < -0.33 else "right" if x > 0.33 else "centre"
    down = "bottom" if y < -0.33 else "top" if y > 0.33 else "middle"
    return f"focus-{across} focus-{down}"
