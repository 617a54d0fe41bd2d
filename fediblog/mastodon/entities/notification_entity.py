"""Notification, NotificationGroup, NotificationRequest: what happened, one by one and in groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct, field

from fediblog.domain.posts import Notice
from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entities.base import Json, moment
from fediblog.mastodon.entities.status_entity import statuses
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.params import whole
from fediblog.store.posts import posts
from fediblog.store.queues.push_subscriptions import ALERT_OF
from fediblog.store.readers.notification_lists import NotificationGroup
from fediblog.store.readers.notification_policy import NotificationRequest
from fediblog.store.tx import Tx

TYPES = {**ALERT_OF, "move": "moved", "warning": "moderation_warning"}
"""The API's word for each kind of notice."""
WARNINGS = {"limit": "silence", "suspend": "suspend", "disable": "disable", "remove-post": "delete_statuses"}
"""What the API calls decisions about an account; all others are `none`."""
HIDDEN = frozenset({"moved"})  # which apps do not know: only for those that ask for it
GROUPED = frozenset({"favourite", "reblog", "follow"})
SPAN = 12 * 3_600_000  # ms: what happens in the same half day makes one group
PARTLY = ("id", "acct", "url", "avatar", "avatar_static", "avatar_description", "locked", "bot")
SAMPLE = 8  # people who are named of a group


class Group(Struct):
    """Notices that make one group, newest first."""

    key: str
    notices: list[Notice] = field(default_factory=list)


def kinds(types: Collection[str], without: Collection[str] = ()) -> list[str]:
    """The kinds of notices that some types of the API mean: all that apps know, if none are named."""
    wanted = set(types) or set(TYPES.values()) - HIDDEN
    return [kind for kind, name in TYPES.items() if name in wanted and name not in without]


def notifications(tx: Tx, context: EntityContext, found: Sequence[Notice], viewer: int) -> list[Json]:
    """Notification entities, in the order given."""
    actors = account_entity.accounts(tx, context, [each.actor for each in found])
    about = {each.post.id: each.post for each in found if each.post is not None}
    shown = dict(zip(about, statuses(tx, context, list(about.values()), viewer), strict=True))
    return [
        {
            "id": str(each.id),
            "type": TYPES.get(each.kind, each.kind),
            "created_at": moment(each.created),
            "group_key": group_key(each.kind, each.id, each.post.id if each.post else None, each.created),
            "account": actor,
            **({"status": shown[each.post.id]} if each.post is not None else {}),
            **({"filtered": True} if each.filtered else {}),
            **_warning(tx, context, each, viewer),
        }
        for each, actor in zip(found, actors, strict=True)
    ]


def _warning(tx: Tx, context: EntityContext, notice: Notice, viewer: int) -> Json:
    """The AccountWarning of a notice that is one, under its name."""
    if notice.kind != "warning":
        return {}
    action, _, reason = notice.told
    return {
        "moderation_warning": {
            "id": str(notice.id),
            "action": WARNINGS.get(action, "none"),
            "text": reason,
            "status_ids": None,
            "target_account": account_entity.by_number(tx, context, [viewer])[viewer],
            "appeal": None,
            "created_at": moment(notice.created),
        }
    }


def group_key(kind: str, number: int, post: int | None, created: int, grouped: Collection[str] = GROUPED) -> str:
    """The name of the group that a notice belongs to."""
    name = TYPES.get(kind, kind)
    if name not in grouped or name not in GROUPED:
        return f"ungrouped-{number}"
    return "-".join([name, *([str(post)] if post is not None else []), str(created // SPAN)])


def span_of(key: str) -> NotificationGroup | int | None:
    """What the name of a group means: a span, or the number of a single notice; None if it is no such name."""
    name, *rest = key.split("-")
    numbers = [whole(each) for each in rest]
    match name, numbers:
        case "ungrouped", [int(number)]:
            return number
        case "follow", [int(span)]:
            return NotificationGroup(kinds=("follow",), post=0, first=span * SPAN, last=(span + 1) * SPAN)
        case "favourite" | "reblog", [int(post), int(span)]:
            return NotificationGroup(kinds=kinds({name}), post=post, first=span * SPAN, last=(span + 1) * SPAN)
        case _:
            return None


def groups(found: Sequence[Notice], grouped: Collection[str], limit: int) -> list[Group]:
    """The first groups of these notices, in the order of the first of each, with all that belongs to them."""
    made: dict[str, Group] = {}
    for each in found:
        key = group_key(each.kind, each.id, each.post.id if each.post else None, each.created, grouped)
        if key in made or len(made) < limit:
            made.setdefault(key, Group(key)).notices.append(each)
    for group in made.values():
        group.notices.sort(key=lambda each: each.id, reverse=True)
    return list(made.values())


def grouped_results(
    tx: Tx, context: EntityContext, found: Sequence[Group], viewer: int, *, partly: bool = False
) -> Json:
    """GroupedNotificationsResults; `partly`: of people who are not the first of a group only the picture."""
    first = {group.notices[0].actor.id: group.notices[0].actor for group in found}
    every = {each.actor.id: each.actor for group in found for each in group.notices[:SAMPLE]}
    rest = {number: each for number, each in every.items() if number not in first}
    about = {each.post.id: each.post for group in found for each in group.notices if each.post is not None}
    results: Json = {
        "accounts": account_entity.accounts(tx, context, list((first if partly else every).values())),
        "statuses": statuses(tx, context, list(about.values()), viewer),
        "notification_groups": [_group(each) | _warning(tx, context, each.notices[0], viewer) for each in found],
    }
    if partly:
        results["partial_accounts"] = [
            {name: entity[name] for name in PARTLY}
            for entity in account_entity.accounts(tx, context, list(rest.values()))
        ]
    return results


def _group(group: Group) -> Json:
    latest = group.notices[0]
    return {
        "group_key": group.key,
        "notifications_count": len(group.notices),
        "type": TYPES.get(latest.kind, latest.kind),
        "most_recent_notification_id": latest.id,
        "page_min_id": str(group.notices[-1].id),
        "page_max_id": str(latest.id),
        "latest_page_notification_at": moment(latest.created),
        "sample_account_ids": list(dict.fromkeys(str(each.actor.id) for each in group.notices))[:SAMPLE],
        **({"status_id": str(latest.post.id)} if latest.post is not None else {}),
    }


def requests(tx: Tx, context: EntityContext, found: Sequence[NotificationRequest], viewer: int) -> list[Json]:
    """NotificationRequest entities, in the order given; a request goes by the number of the person."""
    actors = account_entity.by_number(tx, context, [each.actor for each in found])
    about = posts.many(tx, {each.post for each in found if each.post is not None}, viewer)
    shown = dict(zip(about, statuses(tx, context, list(about.values()), viewer), strict=True))
    return [
        {
            "id": str(each.actor),
            "created_at": moment(each.first),
            "updated_at": moment(each.last),
            "notifications_count": str(each.total),
            "account": actors[each.actor],
            "last_status": shown.get(each.post or 0),
        }
        for each in found
        if each.actor in actors
    ]
