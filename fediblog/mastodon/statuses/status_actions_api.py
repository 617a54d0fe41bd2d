"""What readers do with a status: like it, boost it, keep it, pin it, hear no more of its thread; and take that back."""

from __future__ import annotations

from collections.abc import Callable

from fediblog.actions import post_actions, reaction_actions
from fediblog.domain.documents import Visibility
from fediblog.domain.urls import Urls
from fediblog.federation import quotas
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities.base import NAMED
from fediblog.mastodon.statuses.posting_defaults import preferred
from fediblog.mastodon.statuses.statuses_api import show, subject
from fediblog.store.posts import reaction_lists, reader_marks
from fediblog.store.tx import Tx

API = Table()
Action = Callable[[Tx, Urls, int, int], None]
_BOOSTS = tuple(name for name in NAMED if name != "direct")


async def _do(call: Call, action: Action) -> Json:
    """Do it to the post itself, also where the number is that of a boost, and show how it then stands."""
    quotas.use(call.site, call.account, "action")
    number = await call.write(_act, call.site.urls, call.account, call.number(), action)
    return await call.read(show, call.context, number, call.account)


def _act(tx: Tx, urls: Urls, account: int, number: int, action: Action) -> int:
    post = subject(tx, number, account)
    action(tx, urls, account, post.id)
    return post.id


@API.post("/api/v1/statuses/{id}/favourite", scope="write:favourites", gives="Status", tier=2)
async def favourite(call: Call) -> Json:
    """Like a status."""
    return await _do(call, reaction_actions.like)


@API.post("/api/v1/statuses/{id}/unfavourite", scope="write:favourites", gives="Status", tier=2)
async def unfavourite(call: Call) -> Json:
    """Take a like back."""
    return await _do(call, reaction_actions.unlike)


@API.post("/api/v1/statuses/{id}/reblog", scope="write:statuses", gives="Status", tier=2)
async def reblog(call: Call) -> Json:
    """Boost a status, for everybody or as `visibility` says."""
    quotas.use(call.site, call.account, "action")
    wanted = NAMED[call.params.choice("visibility", _BOOSTS, "public")] if call.params.text("visibility") else None
    number = await call.write(_reblog, call.site.urls, call.account, call.number(), wanted)
    return await call.read(show, call.context, number, call.account)


def _reblog(tx: Tx, urls: Urls, account: int, number: int, wanted: Visibility | None) -> int:
    post = subject(tx, number, account)
    visibility = wanted or preferred(tx, account).visibility
    reaction_actions.boost(
        tx, urls, account, post.id, Visibility.FOLLOWERS if visibility == Visibility.DIRECT else visibility
    )
    standing = reaction_lists.own_boost(tx, account, post.id)
    return int(standing.id) if standing is not None else post.id


@API.post("/api/v1/statuses/{id}/unreblog", scope="write:statuses", gives="Status", tier=2)
async def unreblog(call: Call) -> Json:
    """Take a boost back."""
    return await _do(call, reaction_actions.unboost)


@API.post("/api/v1/statuses/{id}/bookmark", scope="write:bookmarks", gives="Status", tier=2)
async def bookmark(call: Call) -> Json:
    """Keep a status among one's bookmarks."""
    return await _do(call, lambda tx, _urls, account, post: reader_marks.bookmark(tx, account, post))


@API.post("/api/v1/statuses/{id}/unbookmark", scope="write:bookmarks", gives="Status", tier=2)
async def unbookmark(call: Call) -> Json:
    """Take a status from one's bookmarks."""
    return await _do(call, lambda tx, _urls, account, post: reader_marks.unbookmark(tx, account, post))


@API.post("/api/v1/statuses/{id}/pin", scope="write:accounts", gives="Status", tier=2)
async def pin(call: Call) -> Json:
    """Show a status of one's own at the top of the profile."""
    return await _do(call, post_actions.pin)


@API.post("/api/v1/statuses/{id}/unpin", scope="write:accounts", gives="Status", tier=2)
async def unpin(call: Call) -> Json:
    """Take a status down from the top of the profile."""
    return await _do(call, post_actions.unpin)


@API.post("/api/v1/statuses/{id}/mute", scope="write:mutes", gives="Status", tier=2)
async def mute(call: Call) -> Json:
    """Mute a thread: no more notifications of it."""
    return await _do(call, _mute)


@API.post("/api/v1/statuses/{id}/unmute", scope="write:mutes", gives="Status", tier=2)
async def unmute(call: Call) -> Json:
    """Unmute a thread: notifications of it come again."""
    return await _do(call, _unmute)


def _mute(tx: Tx, _urls: Urls, account: int, post: int) -> None:
    reader_marks.mute_thread(tx, account, _root(tx, account, post))


def _unmute(tx: Tx, _urls: Urls, account: int, post: int) -> None:
    reader_marks.unmute_thread(tx, account, _root(tx, account, post))


def _root(tx: Tx, account: int, post: int) -> int:
    whole = subject(tx, post, account)
    return whole.root or whole.id
