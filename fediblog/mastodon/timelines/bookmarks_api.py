"""What the account keeps: bookmarks and favourites."""

from __future__ import annotations

from fediblog.mastodon.calls import Call, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.timelines.timelines_api import reply
from fediblog.store.posts import timelines

API = Table()


@API.get("/api/v1/bookmarks", scope="read:bookmarks", gives="Status[]", tier=1)
async def bookmarks(call: Call) -> Reply:
    """What the account bookmarked, the latest bookmark first; paging goes by the bookmark."""
    viewer, window = call.account, call.window()
    return await reply(call, lambda tx: timelines.bookmarked(tx, viewer, window))


@API.get("/api/v1/favourites", scope="read:favourites", gives="Status[]", tier=1)
async def favourites(call: Call) -> Reply:
    """What the account favourited, the latest first; paging goes by the favourite."""
    viewer, window = call.account, call.window()
    return await reply(call, lambda tx: timelines.liked(tx, viewer, window))
