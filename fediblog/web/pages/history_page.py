"""The history of a post: what each edit changed, for those who may see it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.documents import OPEN
from fediblog.domain.posts import Post
from fediblog.errors import NotFound
from fediblog.federation import version_differences
from fediblog.markup.differences import ChangedPiece, differences
from fediblog.markup.html import plain
from fediblog.store.posts import post_writing, posts
from fediblog.store.posts.post_writing import Revision
from fediblog.store.tx import Tx
from fediblog.web.components.render import render
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import ask, page

MOST_VERSIONS = 10


class PostVersion(Struct, frozen=True, kw_only=True):
    """What a post came to say at a time (ms), as what differs from the version before; `warning` is that of either."""

    at: int
    title: Sequence[ChangedPiece]
    summary: Sequence[ChangedPiece]
    text: Sequence[ChangedPiece]
    warning: str


async def history(request: Request) -> Response:
    """Its latest versions, the newest first."""
    post, earlier = await ask(request, _versions, request.path_params["n"])
    texts = await version_differences.compare(site_of(request), ["", *(each.content for each in earlier), post.content])
    versions = _changes(post, earlier, texts)
    return render(request, "history.html", private=post.visibility not in OPEN, post=post, versions=versions)


def _versions(tx: Tx, viewer: int, number: int) -> tuple[Post, list[Revision]]:
    """The post and what it said before. Posts of other servers are for those who have signed in."""
    post = posts.get(tx, number, viewer)
    if post is None or post.state != "published" or not (post.local or viewer) or not post.updated:
        raise NotFound
    return post, post_writing.revisions(tx, post.id)[1 - MOST_VERSIONS :]


def _changes(post: Post, earlier: Sequence[Revision], texts: Sequence[Sequence[ChangedPiece]]) -> list[PostVersion]:
    now = Revision(
        title=post.title,
        summary=post.summary,
        warning=post.warning,
        content=post.content,
        source=None,
        at=post.updated or 0,
    )
    nothing = Revision(title="", summary="", warning="", content="", source=None, at=0)
    pairs = zip(pairwise((nothing, *earlier, now)), texts, strict=True)
    return [_version(post, before, after, text) for (before, after), text in pairs][::-1]


def _version(post: Post, before: Revision, after: Revision, text: Sequence[ChangedPiece]) -> PostVersion:
    title, summary = (
        differences(before.title, after.title),
        differences(_abstract(post, before), _abstract(post, after)),
    )
    found: tuple[Sequence[ChangedPiece], ...] = (title, summary, text)
    if not before.at:  # the earliest that is known: nothing in it has changed
        found = tuple([ChangedPiece("same", each.text) for each in pieces] for pieces in found)
    return PostVersion(
        at=after.at,
        title=found[0],
        summary=found[1],
        text=found[2],
        warning=_warning(post, after) or _warning(post, before),
    )


def _warning(post: Post, version: Revision) -> str:
    return version.warning if post.is_article else version.summary


def _abstract(post: Post, version: Revision) -> str:
    return plain(version.summary) if post.is_article else ""


ROUTES = [Route("/post/{n:number}/history", page(history))]
