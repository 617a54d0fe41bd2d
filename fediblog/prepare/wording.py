"""Texts of our own people as transactions take them: read and rendered before."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from fediblog.markup.html import Html, MentionTarget
from fediblog.markup.text import MARKDOWN


class Outdated(Exception):
    """A text was rendered for what is not so any more: another kind of post, other accounts. It is rendered again."""


class Text(Struct, frozen=True, kw_only=True):
    """What somebody typed, and how it is shown."""

    source: str
    kind: str = MARKDOWN  # or PLAIN
    breaks: bool = False  # whether a new line is a line break, as in notes
    inline_images: bool = True


class Words(Struct, frozen=True, kw_only=True):
    """A text rendered. `anchor` stands in its ids where the number of a post belongs; empty if it has none."""

    html: Html
    hashtags: tuple[str, ...] = ()
    emoji: tuple[str, ...] = ()  # names of custom emoji that it may mean
    anchor: str = ""

    def numbered(self, name: str) -> Html:
        """The HTML with `name` in the ids, or with ids without one."""
        return Html(self.html.replace(f"-{self.anchor}", name and f"-{name}")) if self.anchor else self.html


class Wording(Struct, frozen=True, kw_only=True):
    """Texts that belong together, rendered, and whom they mention: links lead to `people`, by the name as typed.

    `found` are numbers of accounts that were looked up for these names.
    """

    texts: tuple[Text, ...]
    words: tuple[Words, ...]
    names: tuple[str, ...] = ()
    people: Mapping[str, MentionTarget] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)
