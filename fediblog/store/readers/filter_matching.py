"""Which posts a reader's filters match, by the words that are in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from fediblog.domain.posts import Post
from fediblog.markup.html import plain
from fediblog.store.readers import filters
from fediblog.store.readers.filters import Filter, Keyword
from fediblog.store.tx import Tx

_WORD = re.compile(r"\w")


class FilterMatch(Struct, frozen=True):
    """A filter that matches a post: by a word, or since it holds the post itself."""

    filter: Filter
    word: str | None
    held: bool


class FilterMatcher(Struct, frozen=True):
    """The filters of one reader that count now, ready to be compared with posts."""

    filters: tuple[tuple[Filter, re.Pattern[str] | None], ...] = ()
    viewer: int = 0

    def __bool__(self) -> bool:
        return bool(self.filters)

    def matches(self, post: int, author: int, text: str) -> list[FilterMatch]:
        """Each filter that matches; nobody's own posts are filtered. `text` as `searched` makes it."""
        if author == self.viewer:
            return []
        found = []
        for each, pattern in self.filters:
            match = pattern.search(_one_form(text)) if pattern is not None else None
            held = any(post == number for _, number in each.posts)
            if match is not None or held:
                found.append(FilterMatch(each, match.group() if match is not None else None, held))
        return found

    def found(self, post: Post, context: str) -> list[Filter]:
        """The filters of that context, one of `filters.CONTEXTS`, that match a post."""
        if not any(context in each.contexts for each, _ in self.filters):
            return []
        matches = self.matches(post.id, post.account.id, searched(post))
        return [each.filter for each in matches if context in each.filter.contexts]

    def hides(self, post: Post, context: str) -> bool:
        """Whether a filter of that context lets nothing of a post be seen, not even that it is there."""
        return any(each.action == "hide" for each in self.found(post, context))


NOTHING = FilterMatcher()


def matcher(tx: Tx, viewer: int) -> FilterMatcher:
    """What finds the filters of that reader that match a post."""
    found = filters.of_account(tx, viewer, active=True) if viewer else []
    return FilterMatcher(tuple((each, pattern_of(each.keywords)) for each in found), viewer) if found else NOTHING


@lru_cache(maxsize=1000)
def pattern_of(keywords: tuple[Keyword, ...]) -> re.Pattern[str] | None:
    words = [_expression(each) for each in keywords if each.keyword]
    return re.compile("|".join(words), re.IGNORECASE) if words else None


def _expression(each: Keyword) -> str:
    """As Mastodon's: a border only beside a letter or digit, so that `#tag` or `:(` can be whole words too."""
    keyword = _one_form(each.keyword)
    word = re.escape(keyword)
    if not each.whole_word:
        return word
    before = r"\b" if _WORD.match(keyword[0]) else ""
    after = r"\b" if _WORD.match(keyword[-1]) else ""
    return f"{before}{word}{after}"


def _one_form(text: str) -> str:
    """The same letters however they were typed, as in `hashtags.key`; case is for the pattern."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def searched(post: Post) -> str:
    """All words of a post: warning, title, content, the answers of a poll, what is said about pictures."""
    return text_of(
        (post.warning, post.title),
        (post.summary, post.content),
        [*(each.name for each in post.poll.options), *_alts(post)] if post.poll else _alts(post),
    )


def _alts(post: Post) -> list[str]:
    return [each.alt for each in post.attachments]


def text_of(before: Iterable[str], html: Iterable[str], after: Sequence[str]) -> str:
    """The words of some texts, of some HTML, and of some more texts."""
    parts = [*before, *(plain(each) for each in html if each), *after]
    return "\n\n".join(each for each in parts if each)
