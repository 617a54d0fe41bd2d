"""Pictures in text: custom emoji in that of cleaned HTML, never in its tags; and where those in its tags come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape, unescape

from markupsafe import Markup

from fediblog.domain.documents import Emoji

_TAG = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r":([A-Za-z0-9_]{1,64}):")
_IMAGE = re.compile(r'<(a) |<(/a)>|<img ([^>]*?)src="(https?://[^"]*)"([^>]*)>')
_ALT = re.compile(r' alt="([^"]*)"')
_MOST = 200  # pictures in one text; what follows stays as it was written


Shown = Callable[[str], str]
"""The address from which a picture is loaded, by that which its server gave."""


def pictured(html: str, emoji: Iterable[Emoji], drawn: Shown, shown: Shown) -> Markup:
    """Cleaned HTML, safe to be shown, with pictures in place of `:name:` where the text says that.

    `drawn` says where emoji are loaded from, `shown` where the pictures in its tags are.
    The sanitiser escapes `<` and `>` inside of attributes, so what stands between angle brackets is a whole tag.
    """
    if "<img " in html:
        html = loaded_here(html, shown)
    known = {each.name: each.url for each in emoji if each.url.startswith(("https://", "http://"))} if emoji else {}
    if not known or ":" not in html:
        return Markup(html)  # noqa: S704  cleaned when it was stored
    parts = _TAG.split(html)
    count = 0

    def picture(found: re.Match[str]) -> str:
        nonlocal count
        url = known.get(found[1])
        if url is None or count >= _MOST:
            return found[0]
        count += 1
        name, here = escape(found[0]), escape(drawn(url))
        return f'<img class="emoji" src="{here}" alt="{name}" title="{name}" loading="lazy" decoding="async">'

    parts[::2] = [_NAME.sub(picture, part) for part in parts[::2]]
    return Markup("".join(parts))  # noqa: S704  cleaned when it was stored, and built from escaped parts here


def loaded_here(html: str, shown: Shown) -> str:
    """Cleaned HTML whose pictures are loaded from where `shown` says. One from elsewhere is a link to where it is.

    Where `shown` says nothing, there is no more than the link.
    """
    linked = False

    def loaded(found: re.Match[str]) -> str:
        nonlocal linked
        if found[1] or found[2]:
            linked = bool(found[1])
            return found[0]
        before, address, after = found[3], found[4], found[5]
        url = unescape(address)
        here = shown(url)
        lazy = "" if "loading=" in found[0] else ' loading="lazy" decoding="async"'
        picture = f'<img {before}src="{escape(here)}"{after}{lazy}>' if here else _described(found[0]) or address
        if linked or here == url:
            return picture
        return f'<a class="picture" href="{address}" rel="nofollow noopener noreferrer">{picture}</a>'

    return _IMAGE.sub(loaded, html)


def _described(image: str) -> str:
    """The description in a tag, as it stands there."""
    found = _ALT.search(image)
    return found[1] if found else ""


def named(name: str, emoji: Iterable[Emoji], drawn: Shown) -> Markup:
    """Plain text, such as a display name, with pictures."""
    return pictured(escape(name), emoji, drawn, drawn)
