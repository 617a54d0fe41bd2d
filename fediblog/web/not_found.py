"""What is offered where no page was found: what is called alike, and what was written last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from msgspec import Struct

from fediblog.markup.slug import slugify
from fediblog.store.posts import archive, free_pages
from fediblog.store.posts.archive import ArticleLink
from fediblog.store.tx import Tx

LOOKED_AT = 200  # articles, the newest
LATEST = 5
NEAREST = 3


class Suggestions(Struct, frozen=True, kw_only=True):
    """Articles and pages whose addresses are like one that leads nowhere, and the newest articles."""

    near: Sequence[ArticleLink]
    latest: Sequence[ArticleLink]


def suggested(tx: Tx, viewer: int, path: str) -> Suggestions:
    """What everybody finds, the viewer too, that may have been meant with a path of ours.

    A number or a file is like no address.
    """
    last = path.rstrip("/").rpartition("/")[2]
    slug = "" if "." in last or "@" in last or last.isdigit() else slugify(last)
    articles = archive.latest_articles(tx, viewer, LOOKED_AT)
    pages = (ArticleLink(title=each.title, slug=each.slug, url=f"/{each.slug}") for each in free_pages.published(tx))
    by_slug = {each.slug: each for each in (*articles, *pages)}
    near = [by_slug[each] for each in _alike(slug, by_slug)] if slug else []
    latest = [each for each in articles[:LATEST] if each not in near]
    return Suggestions(near=near, latest=latest)


def _alike(slug: str, known: Iterable[str]) -> list[str]:
    """Those that hold the slug or lie in it, as a whole or but for its last letter, then those that differ little."""
    known = list(known)
    within = [each for each in known if len(slug) > 3 and (slug[:-1] in each or (len(each) > 3 and each in slug))]
    return list(dict.fromkeys([*within, *get_close_matches(slug, known, NEAREST)]))[:NEAREST]
