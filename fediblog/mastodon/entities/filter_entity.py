"""Filter, FilterResult and the older V1::Filter; and which posts a reader's filters match."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from fediblog.domain.posts import Post
from fediblog.markup.html import plain
from fediblog.mastodon.entities.base import Json, maybe_moment
from fediblog.store.readers import filters
from fediblog.store.readers.filters import Filter, Keyword
from fediblog.store.tx import Tx

_WORD = re.compile(r"\w")


class FilterMatcher(Struct, frozen=True):
    """The filters of one reader that count now, ready to be compared with posts."""

    filters: tuple[tuple[Filter, re.Pattern[str] | None], ...] = ()
    viewer: int = 0

    def __bool__(self) -> bool:
        return bool(self.filters)

    def results(self, post: int, author: int, text: str) -> list[Json]:
        """FilterResult of each filter that matches; nobody's own posts are filtered. `text` as `searched` makes it."""
        if author == self.viewer:
            return []
        found = []
        for each, pattern in self.filters:
            match = pattern.search(_one_form(text)) if pattern is not None else None
            held = any(post == number for _, number in each.posts)
            if match is not None or held:
                found.append({
                    "filter": shape(each, whole=False),
                    "keyword_matches": [match.group()] if match is not None else None,
                    "status_matches": [str(post)] if held else None,
                })  # fmt: skip
        return found


NOTHING = FilterMatcher()


def matcher(tx: Tx, viewer: int) -> FilterMatcher:
    """What finds the filters of that reader that match a post."""
    found = filters.of_account(tx, viewer, active=True) if viewer else []
    return FilterMatcher(tuple((each, _pattern(each.keywords)) for each in found), viewer) if found else NOTHING


@lru_cache(maxsize=1000)
def _pattern(keywords: tuple[Keyword, ...]) -> re.Pattern[str] | None:
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


def shape(each: Filter, *, whole: bool = True) -> Json:
    """Filter, with its keywords and posts unless it stands beside a match."""
    entity: Json = {
        "id": str(each.id),
        "title": each.title,
        "context": list(each.contexts),
        "expires_at": maybe_moment(each.expires),
        "filter_action": each.action,
    }
    if whole:
        entity["keywords"] = [keyword(one) for one in each.keywords]
        entity["statuses"] = [entry(number, post) for number, post in each.posts]
    return entity


def keyword(each: Keyword) -> Json:
    """FilterKeyword: one keyword of a filter."""
    return {"id": str(each.id), "keyword": each.keyword, "whole_word": each.whole_word}


def entry(number: int, post: int) -> Json:
    """FilterStatus: one post that a filter holds."""
    return {"id": str(number), "status_id": str(post)}


def old(each: Filter, one: Keyword) -> Json:
    """V1::Filter: a single keyword, which had the filter's settings."""
    return {
        "id": str(one.id),
        "phrase": one.keyword,
        "context": list(each.contexts),
        "whole_word": one.whole_word,
        "expires_at": maybe_moment(each.expires),
        "irreversible": each.action == "hide",
    }
