"""A text read and written in one go, as `prepare.texts` does it in two."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fediblog.markup.html import MentionTarget
from fediblog.markup.markdown import Rendered, parse, write
from fediblog.markup.text import MARKDOWN


def render(
    source: str,
    *,
    mentions: Mapping[str, MentionTarget],
    tag_url: Callable[[str], str],
    inline_images: bool = True,
    breaks: bool = False,
    base: str = "",
    anchor: str = "",
    kind: str = MARKDOWN,
) -> Rendered:
    """The text as HTML."""
    parsed = parse(source, breaks=breaks, kind=kind)
    return write(parsed, mentions=mentions, tag_url=tag_url, inline_images=inline_images, base=base, anchor=anchor)


def find_mentions(source: str, kind: str = MARKDOWN) -> tuple[str, ...]:
    """Whom a text mentions."""
    return parse(source, kind=kind).mentions


def find_hashtags(source: str, kind: str = MARKDOWN) -> tuple[str, ...]:
    """The hashtags of a text."""
    return render(source, mentions={}, tag_url=str, kind=kind).hashtags
