"""Polls: how they stand, and voting. A poll goes by the number of its post."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.actions import reaction_actions
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.federation import quotas
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities.status_entity import poll
from fediblog.mastodon.statuses import statuses_api
from fediblog.store.posts import reader_marks
from fediblog.store.queues import poll_totals
from fediblog.store.tx import Tx

API = Table()


@API.get("/api/v1/polls/{id}", scope="read:statuses", who="anybody", gives="Poll", tier=2)
async def one(call: Call) -> Json:
    """A poll."""
    found, due = await call.read(_look, call.site.urls, call.number(), call.viewer)
    if due:
        await call.write(poll_totals.refresh, due)
    return found


def _look(tx: Tx, urls: Urls, number: int, viewer: int) -> tuple[Json, list[int]]:
    """The poll, and its number if its totals are to be asked for again."""
    post = _asking(tx, number, viewer)
    return _entity(tx, urls, post, viewer), poll_totals.stale(tx, [post]) if viewer else []


@API.post("/api/v1/polls/{id}/votes", scope="write:statuses", gives="Poll", tier=2)
async def vote(call: Call) -> Json:
    """Vote for the answers in choices[], which are places in the list of options, the first one 0."""
    quotas.use(call.site, call.account, "action")
    choices = call.params.numbers("choices")
    await call.write(_vote, call.site.urls, call.account, call.number(), choices)
    return await call.read(_shape, call.site.urls, call.number(), call.account)


def _vote(tx: Tx, urls: Urls, account: int, number: int, choices: Sequence[int]) -> None:
    post = _asking(tx, number, account)
    names = [option.name for option in post.poll.options] if post.poll else []
    if any(choice >= len(names) for choice in choices):
        raise Invalid("choices", "api.no-choice")
    reaction_actions.vote(tx, urls, account, post.id, [names[choice] for choice in choices])


def _shape(tx: Tx, urls: Urls, number: int, viewer: int) -> Json:
    return _entity(tx, urls, _asking(tx, number, viewer), viewer)


def _entity(tx: Tx, urls: Urls, post: Post, viewer: int) -> Json:
    own = reader_marks.marks(tx, viewer, [post.id]).votes.get(post.id, ()) if viewer else ()
    return poll(post, urls, own, viewer, tx.now) or {}


def _asking(tx: Tx, number: int, viewer: int) -> Post:
    post = statuses_api.subject(tx, number, viewer)
    if post.poll is None:
        raise NotFound()
    return post
