"""Timelines: home, public, of a hashtag, of a list, of a link, and the old one of private posts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fediblog.errors import Invalid, NotFound
from fediblog.hashtags import key
from fediblog.mastodon.calls import Call, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities.status_bytes import listed
from fediblog.mastodon.entities.status_entity import Shown
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.params import Params
from fediblog.mastodon.streaming import streams
from fediblog.mastodon.streaming.streams import Stream
from fediblog.store.id_paging import Window
from fediblog.store.posts import conversations, timelines
from fediblog.store.posts.timelines import Entry, TagFilter
from fediblog.store.readers import lists
from fediblog.store.tx import Tx

API = Table()
MOST_TAGS = 4  # of each of any[], all[] and none[], as Mastodon has it
Source = Callable[[Tx], list[Entry]]


@API.get("/api/v1/timelines/home", scope="read:statuses", gives="Status[]", tier=1)
async def home(call: Call) -> Reply:
    """Posts of those whom the account follows, with what they boosted, newest first."""
    viewer, window = call.account, call.window()
    return await reply(call, lambda tx: timelines.home(tx, viewer, window))


@API.get("/api/v1/timelines/public", scope="read:statuses", who="anybody", gives="Status[]", tier=1)
async def public(call: Call) -> Reply:
    """Public posts that are known here; with `local` or `remote` one half, with `only_media` those with files."""
    viewer, window = call.viewer, call.window()
    side, media = _side(call.params), call.params.flag("only_media")
    return await reply(call, lambda tx: timelines.public(tx, viewer, window, side=side, media=media))


@API.get("/api/v1/timelines/tag/{name}", scope="read:statuses", who="anybody", gives="Status[]", tier=1)
async def tag(call: Call) -> Reply:
    """Public posts with a hashtag, or `any[]` others; with `all[]` and without `none[]` others."""
    viewer, window, params = call.viewer, call.window(), call.params
    wanted = TagFilter(
        tag=_tag(call.path["name"]),
        either=_tags(params, "any"),
        every=_tags(params, "all"),
        none=_tags(params, "none"),
        side=_side(params),
        media=params.flag("only_media"),
    )
    return await reply(call, lambda tx: timelines.tagged(tx, viewer, wanted, window))


@API.get("/api/v1/timelines/list/{id}", scope="read:lists", gives="Status[]", tier=2)
async def of_list(call: Call) -> Reply:
    """Posts of the members of a list, with what they boosted."""
    viewer, number, window = call.account, call.number(), call.window()
    return await reply(call, lambda tx: _of_list(tx, viewer, number, window))


def _of_list(tx: Tx, viewer: int, number: int, window: Window) -> list[Entry]:
    found = lists.own(tx, viewer, number)
    if found is None:
        raise NotFound()
    return timelines.of_list(tx, viewer, number, found.replies, window)


@API.get("/api/v1/timelines/link", scope="read:statuses", who="anybody", gives="Status[]", tier=2)
async def link(call: Call) -> Reply:
    """Public posts that point to the page `url`."""
    viewer, window, url = call.viewer, call.window(), call.params.text("url")
    if not url:
        raise Invalid("url", "api.link-missing")
    return await reply(call, lambda tx: timelines.linked(tx, viewer, url, window))


@API.get(
    "/api/v1/timelines/direct",
    scope="read:statuses",
    gives="Status[]",
    tier=2,
    note="Only for old apps: the last post of each conversation.",
)
async def direct(call: Call) -> Reply:
    """The last post of each private conversation."""
    viewer, window = call.account, call.window()
    return await reply(call, lambda tx: conversations.last_posts(tx, viewer, window))


async def reply(call: Call, source: Source) -> Reply:
    """The statuses of some rows, with the links to the rows beside them."""
    body, numbers = await call.read(_made, call.context, source, call.viewer)
    return call.page(body, numbers)


def _made(tx: Tx, context: EntityContext, source: Source, viewer: int) -> tuple[bytes, list[int]]:
    rows = source(tx)
    return listed(tx, context, rows, viewer), [row.item for row in rows]


def piece(tx: Tx, viewer: int, stream: Stream, window: Window) -> list[Shown]:
    """A piece of the timeline that a stream is the living form of."""
    match stream.kind:
        case streams.USER:
            rows = timelines.home(tx, viewer, window)
        case streams.LIST:
            found = lists.own(tx, viewer, int(stream.about))
            rows = timelines.of_list(tx, viewer, found.id, found.replies, window) if found else []
        case streams.TAG:
            tags = TagFilter(tag=stream.about, side="local" if stream.is_local else "")
            rows = timelines.tagged(tx, viewer, tags, window)
        case streams.PUBLIC:
            side = "local" if stream.is_local else "remote" if stream.is_remote else ""
            rows = timelines.public(tx, viewer, window, side=side, media=stream.is_media)
        case _:
            rows = []
    return shown(tx, rows, viewer)


def shown(tx: Tx, rows: Sequence[Entry], viewer: int) -> list[Shown]:
    """The whole posts of a timeline."""
    return [Shown.of(each) for each in timelines.whole(tx, rows, viewer)]


def _side(params: Params) -> str:
    return "local" if params.flag("local") else "remote" if params.flag("remote") else ""


def _tag(name: str) -> str:
    return key(name)


def _tags(params: Params, name: str) -> list[str]:
    return [_tag(each) for each in params.texts(name)[:MOST_TAGS]]
