"""Notifications in groups: favourites, boosts and follows of the same half day make one."""

from __future__ import annotations

from collections.abc import Collection

from fediblog.domain.posts import Notice
from fediblog.errors import NotFound
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entities.notification_entity import GROUPED, Group, group_key, grouped_results, groups, span_of
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.notifications.notifications_api import MOST_COUNTED, READ, WRITE, wanted
from fediblog.mastodon.params import Params
from fediblog.store.id_paging import Window
from fediblog.store.readers import notification_lists, notifications
from fediblog.store.readers.notification_lists import NotificationFilter
from fediblog.store.tx import Tx

API = Table()
MOST_READ = 500  # notices of which the groups of one answer are made


@API.get(
    "/api/v2/notifications",
    scope=READ,
    gives="GroupedNotificationsResults",
    tier=3,
    note="Paging goes by the latest of each group; what is older of a group comes again on the next page.",
)
async def index(call: Call) -> Reply:
    """What happened to the account, in groups, newest first."""
    params, window = call.params, call.window(40, 80)
    partly = params.text("expand_accounts") == "partial_avatars"
    body, numbers, full = await call.read(
        _index, call.context, call.account, wanted(params), window, _grouped(params), partly=partly
    )
    return call.page(body, numbers, full=full)


def _grouped(params: Params) -> Collection[str]:
    return frozenset(params.texts("grouped_types")) & GROUPED if params.has("grouped_types") else GROUPED


def _index(
    tx: Tx,
    context: EntityContext,
    viewer: int,
    wanted: NotificationFilter,
    window: Window,
    grouped: Collection[str],
    *,
    partly: bool,
) -> tuple[Json, list[int], bool]:
    window = notifications.placed(tx, viewer, window)
    whole = Window(before=window.before, after=window.after, limit=MOST_READ, upwards=window.upwards)
    found = notification_lists.page(tx, viewer, wanted, whole)
    # Upwards those nearest to where the reader was are wanted, and these come last.
    made = groups(found[::-1] if window.upwards else found, grouped, window.limit)
    if window.upwards:
        made.reverse()
    numbers = [group.notices[0].id for group in made]
    full = len(made) >= window.limit or len(found) >= MOST_READ
    return grouped_results(tx, context, made, viewer, partly=partly), numbers, full


@API.get("/api/v2/notifications/unread_count", scope=READ, gives="UnreadCount", tier=3)
async def unread_count(call: Call) -> Json:
    """How many groups were read neither on a page here nor up to the marker; counted up to `limit`."""
    limit, grouped = call.limit(100, MOST_COUNTED), _grouped(call.params)
    found = await call.read(notification_lists.unread, call.account, wanted(call.params), MOST_COUNTED)
    keys = {group_key(each.kind, each.id, each.post, each.created, grouped) for each in found}
    return {"count": min(len(keys), limit)}


@API.get("/api/v2/notifications/{key}", scope=READ, gives="GroupedNotificationsResults", tier=3)
async def show(call: Call) -> Json:
    """One group."""
    return await call.read(_show, call.context, call.account, call.path["key"])


def _show(tx: Tx, context: EntityContext, viewer: int, key: str) -> Json:
    return grouped_results(tx, context, [Group(key, _members(tx, viewer, key))], viewer)


@API.get("/api/v2/notifications/{key}/accounts", scope=READ, gives="Account[]", tier=3)
async def members(call: Call) -> list[Json]:
    """Everybody of a group."""
    return await call.read(_accounts, call.context, call.account, call.path["key"])


def _accounts(tx: Tx, context: EntityContext, viewer: int, key: str) -> list[Json]:
    actors = {each.actor.id: each.actor for each in _members(tx, viewer, key)}
    return account_entity.accounts(tx, context, list(actors.values()))


def _members(tx: Tx, viewer: int, key: str) -> list[Notice]:
    """The notices of a group, newest first. Raises NotFound."""
    span = span_of(key)
    found: list[Notice] = []
    if isinstance(span, int):
        one = notification_lists.get(tx, viewer, notifications.number_of(tx, viewer, span))
        found = [one] if one is not None else []
    elif span is not None:
        found = notification_lists.of_span(tx, viewer, span, MOST_READ)
    if not found:
        raise NotFound()
    return found


@API.post("/api/v2/notifications/{key}/dismiss", scope=WRITE, tier=3)
async def dismiss(call: Call) -> None:
    """Forget a group."""
    await call.write(_dismiss, call.account, call.path["key"])


def _dismiss(tx: Tx, viewer: int, key: str) -> None:
    span = span_of(key)
    gone = False
    if isinstance(span, int):
        gone = notification_lists.dismiss(tx, viewer, notifications.number_of(tx, viewer, span))
    elif span is not None:
        gone = notification_lists.dismiss_span(tx, viewer, span)
    if not gone:
        raise NotFound()
