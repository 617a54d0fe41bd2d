"""Filter, FilterResult and the older V1::Filter; and what of a reader matches a post."""

from __future__ import annotations

from fediblog.mastodon.entities.base import Json, maybe_moment
from fediblog.store.readers.filter_matching import FilterMatcher
from fediblog.store.readers.filters import Filter, Keyword


def results(matcher: FilterMatcher, post: int, author: int, text: str) -> list[Json]:
    """FilterResult of each filter that matches."""
    return [
        {
            "filter": shape(each.filter, whole=False),
            "keyword_matches": [each.word] if each.word is not None else None,
            "status_matches": [str(post)] if each.held else None,
        }
        for each in matcher.matches(post, author, text)
    ]


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
