"""Notifications: what happened to the account, one by one; and who must ask before being heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fediblog.errors import Invalid, NotFound
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities.notification_entity import kinds, requests
from fediblog.mastodon.entities.notification_entity import notifications as made
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.params import Params
from fediblog.store.id_paging import Window
from fediblog.store.readers import notification_lists, notification_policy, notifications
from fediblog.store.readers.notification_lists import NotificationFilter
from fediblog.store.readers.notification_policy import RULES, VERDICTS, Verdict
from fediblog.store.tx import Tx

API = Table()
READ, WRITE = "read:notifications", "write:notifications"
_OLD_RULES = {f"filter_{rule}": rule for rule in RULES if rule != "limited_accounts"}
MOST_COUNTED = 1000
MOST_AT_ONCE = 100


def wanted(params: Params) -> NotificationFilter:
    """Which notices the parameters ask for."""
    return NotificationFilter(
        kinds=kinds(params.texts("types"), params.texts("exclude_types")),
        actor=params.number("account_id") or 0,
        filtered=params.flag("include_filtered"),
    )


@API.get("/api/v1/notifications", scope=READ, gives="Notification[]", tier=1)
async def index(call: Call) -> Reply:
    """What happened to the account, newest first."""
    body, numbers = await call.read(_index, call.context, call.account, wanted(call.params), call.window(40, 80))
    return call.page(body, numbers)


def _index(
    tx: Tx, context: EntityContext, viewer: int, wanted: NotificationFilter, window: Window
) -> tuple[list[Json], list[int]]:
    found = notification_lists.page(tx, viewer, wanted, notifications.placed(tx, viewer, window))
    return made(tx, context, found, viewer), [each.id for each in found]


@API.get("/api/v1/notifications/unread_count", scope=READ, gives="UnreadCount", tier=2)
async def unread_count(call: Call) -> Json:
    """How many were read neither on a page here nor up to the marker; counted up to `limit`."""
    limit = call.limit(100, MOST_COUNTED)
    return {"count": len(await call.read(notification_lists.unread, call.account, wanted(call.params), limit))}


@API.post("/api/v1/notifications/clear", scope=WRITE, tier=2)
async def clear(call: Call) -> None:
    """Forget all notifications."""
    await call.write(notification_lists.clear, call.account)


@API.get("/api/v1/notifications/{id}", scope=READ, gives="Notification", tier=1)
async def show(call: Call) -> Json:
    """One notification."""
    return await call.read(_show, call.context, call.account, call.number())


def _show(tx: Tx, context: EntityContext, viewer: int, number: int) -> Json:
    found = notification_lists.get(tx, viewer, notifications.number_of(tx, viewer, number))
    if found is None:
        raise NotFound()
    return made(tx, context, [found], viewer)[0]


@API.post("/api/v1/notifications/{id}/dismiss", scope=WRITE, tier=2)
async def dismiss(call: Call) -> None:
    """Forget one notification."""
    await _dismiss(call, call.number())


@API.post("/api/v1/notifications/dismiss", scope=WRITE, tier=3, note="The older form, with `id` as a parameter.")
async def dismiss_named(call: Call) -> None:
    """Forget one notification."""
    await _dismiss(call, call.params.number("id") or 0)


async def _dismiss(call: Call, number: int) -> None:
    if not await call.write(_forget, call.account, number):
        raise NotFound()


def _forget(tx: Tx, viewer: int, number: int) -> bool:
    return notification_lists.dismiss(tx, viewer, notifications.number_of(tx, viewer, number))


@API.get("/api/v2/notifications/policy", scope=READ, gives="NotificationPolicy", tier=3)
async def policy(call: Call) -> Json:
    """What is done with notifications of people whom the account does not know."""
    return await call.read(_policy, call.account)


@API.patch("/api/v2/notifications/policy", scope=WRITE, gives="NotificationPolicy", tier=3)
async def change_policy(call: Call) -> Json:
    """Change the policy for strangers: each of `for_not_following` and so on is accept, filter or drop."""
    changes = {rule: _verdict(call.params, f"for_{rule}") for rule in RULES if call.params.has(f"for_{rule}")}
    return await call.write(_change, call.account, changes, _policy)


@API.get("/api/v1/notifications/policy", scope=READ, gives="V1NotificationPolicy", tier=3)
async def old_policy(call: Call) -> Json:
    """What is done with notifications of people whom the account does not know, in the words of Mastodon 4.3 betas."""
    return await call.read(_old_policy, call.account)


@API.patch("/api/v1/notifications/policy", scope=WRITE, gives="V1NotificationPolicy", tier=3)
async def change_old_policy(call: Call) -> Json:
    """Change the policy of Mastodon 4.3 betas: each of `filter_not_following` and so on is true or false."""
    return await _change_old(call)


@API.put("/api/v1/notifications/policy", scope=WRITE, gives="V1NotificationPolicy", tier=3)
async def put_old_policy(call: Call) -> Json:
    """Change the policy of Mastodon 4.3 betas: each of `filter_not_following` and so on is true or false."""
    return await _change_old(call)


async def _change_old(call: Call) -> Json:
    flags = {rule: call.params.maybe_flag(name) for name, rule in _OLD_RULES.items()}
    changes: dict[str, Verdict] = {
        rule: "filter" if flag else "accept" for rule, flag in flags.items() if flag is not None
    }
    return await call.write(_change, call.account, changes, _old_policy)


def _verdict(params: Params, name: str) -> Verdict:
    given = params.text(name)
    for verdict in VERDICTS:
        if verdict == given:
            return verdict
    raise Invalid(name, "api.policy-word", name=name)


def _change(tx: Tx, account: int, changes: dict[str, Verdict], shape: Callable[[Tx, int], Json]) -> Json:
    notification_policy.put(tx, account, changes)
    return shape(tx, account)


def _policy(tx: Tx, account: int) -> Json:
    verdicts = notification_policy.get(tx, account)
    return {**{f"for_{rule}": verdict for rule, verdict in verdicts.items()}, "summary": _summary(tx, account)}


def _old_policy(tx: Tx, account: int) -> Json:
    verdicts = notification_policy.get(tx, account)
    flags = {name: verdicts[rule] != "accept" for name, rule in _OLD_RULES.items()}
    return {**flags, "summary": _summary(tx, account)}


def _summary(tx: Tx, account: int) -> Json:
    people, total = notification_policy.pending(tx, account)
    return {"pending_requests_count": people, "pending_notifications_count": total}


@API.get("/api/v1/notifications/requests", scope=READ, gives="NotificationRequest[]", tier=3)
async def index_requests(call: Call) -> Reply:
    """Whose notifications wait; the `id` of a request is that of the account."""
    body, numbers = await call.read(_requests, call.context, call.account, call.window(40, 80))
    return call.page(body, numbers)


def _requests(tx: Tx, context: EntityContext, account: int, window: Window) -> tuple[list[Json], list[int]]:
    found = notification_policy.requests(tx, account, window)
    return requests(tx, context, found, account), [each.actor for each in found]


@API.get("/api/v1/notifications/requests/merged", scope=READ, gives="Merged", tier=3)
async def merged(call: Call) -> Json:
    """Whether what was accepted is in the list by now: it is at once."""
    return {"merged": True}


@API.get("/api/v1/notifications/requests/{id}", scope=READ, gives="NotificationRequest", tier=3)
async def show_request(call: Call) -> Json:
    """One request."""
    return await call.read(_request, call.context, call.account, call.number())


def _request(tx: Tx, context: EntityContext, account: int, number: int) -> Json:
    around = Window(before=number + 1, after=number - 1, limit=1)
    found, _ = _requests(tx, context, account, around)
    if not found:
        raise NotFound()
    return found[0]


@API.post("/api/v1/notifications/requests/accept", scope=WRITE, tier=3)
async def accept_many(call: Call) -> None:
    """Hear all of the people `id[]` from now on."""
    await call.write(
        notification_policy.accept, call.account, await _waiting(call, call.params.numbers("id")[:MOST_AT_ONCE])
    )


@API.post("/api/v1/notifications/requests/dismiss", scope=WRITE, tier=3)
async def dismiss_many(call: Call) -> None:
    """Forget what waits from all of the people `id[]`."""
    await call.write(
        notification_policy.dismiss, call.account, await _waiting(call, call.params.numbers("id")[:MOST_AT_ONCE])
    )


@API.post("/api/v1/notifications/requests/{id}/accept", scope=WRITE, tier=3)
async def accept(call: Call) -> None:
    """Hear this person from now on, and what waits."""
    await call.write(notification_policy.accept, call.account, await _one_waiting(call))


@API.post("/api/v1/notifications/requests/{id}/dismiss", scope=WRITE, tier=3)
async def dismiss_request(call: Call) -> None:
    """Forget what waits from this person."""
    await call.write(notification_policy.dismiss, call.account, await _one_waiting(call))


async def _one_waiting(call: Call) -> list[int]:
    found = await _waiting(call, [call.number()])
    if not found:
        raise NotFound()
    return found


async def _waiting(call: Call, numbers: Sequence[int]) -> list[int]:
    return await call.read(notification_policy.waiting, call.account, numbers)
