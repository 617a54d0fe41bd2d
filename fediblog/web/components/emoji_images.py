"""Custom emoji: puts their pictures into the text of cleaned HTML, never into its tags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from markupsafe import Markup

from fediblog.domain.documents import Emoji

_TAG = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r":([A-Za-z0-9_]{1,64}):")
_MOST = 200  # pictures in one text; what follows stays as it was written


def pictured(html: str, emoji: Iterable[Emoji]) -> Markup:
    """Cleaned HTML, safe to be shown, with pictures in place of `:name:` where the text says that.

    The sanitiser escapes `<` and `>` inside of attributes, so what stands between angle brackets is a whole tag.
    """
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
        name = escape(found[0])
        return (
            f'<img class="emoji" src="{escape(url)}" alt="{name}" title="{name}" loading="lazy" decoding="async"'
            ' referrerpolicy="no-referrer">'
        )

    parts[::2] = [_NAME.sub(picture, part) for part in parts[::2]]
    return Markup("".join(parts))  # noqa: S704  cleaned when it was stored, and built from escaped parts here


def named(name: str, emoji: Iterable[Emoji]) -> Markup:
    """Plain text, such as a display name, with pictures."""
    return pictured(escape(name), emoji)
