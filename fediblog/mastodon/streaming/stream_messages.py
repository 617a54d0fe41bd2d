"""From an event to messages: on which streams it is sent, and what is sent there.

The lists that the API pages through are asked for the one place in question, so that a stream shows what a list would.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from msgspec import Struct

from fediblog.mastodon.calls import encode
from fediblog.mastodon.entities.instance_entity import announcement
from fediblog.mastodon.entities.notification_entity import notifications as made
from fediblog.mastodon.entities.status_entity import statuses
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.streaming.streams import DIRECT, LIST, NOTICES, PUBLIC, TAG, USER, Stream, hears_notices
from fediblog.mastodon.timelines import conversations_api, timelines_api
from fediblog.store.id_paging import Window
from fediblog.store.people import relations
from fediblog.store.people.apps import AccessToken
from fediblog.store.queues import events
from fediblog.store.queues.events import Event
from fediblog.store.readers import announcements, notification_lists
from fediblog.store.tx import Tx

Place: TypeAlias = tuple[int, Stream]
"""An account that listens, and the stream that it listens to."""

_POSTS = (events.POST, events.EDIT, events.DELETE)
_HOME = (*_POSTS, events.BOOST)
_HEARD: dict[str, tuple[str, ...]] = {
    USER: (*_HOME, events.NOTICE, events.FILTERS, events.ANNOUNCEMENT),
    NOTICES: (events.NOTICE,),
    LIST: _HOME,
    DIRECT: (events.CONVERSATION,),
    TAG: _POSTS,
    PUBLIC: _POSTS,
}
_NAMES = {
    events.POST: "update",
    events.BOOST: "update",
    events.EDIT: "status.update",
    events.DELETE: "delete",
    events.NOTICE: "notification",
    events.FILTERS: "filters_changed",
    events.CONVERSATION: "conversation",
}
_OF_ONE = (events.NOTICE, events.FILTERS, events.CONVERSATION)


class Message(Struct, frozen=True):
    """One message: where it comes from, what it is, and its JSON as text."""

    label: list[str]
    event: str
    payload: str


def hears(stream: Stream, event: Event, token: AccessToken) -> bool:
    """Whether such an event may be sent on the stream at all, as far as can be said without reading the database."""
    if event.kind not in _HEARD[stream.kind]:
        return False
    if event.kind in _OF_ONE and event.account != token.account:
        return False
    return event.kind != events.NOTICE or stream.kind == NOTICES or hears_notices(token)


def messages(tx: Tx, context: EntityContext, event: Event, asked: Collection[Place]) -> dict[Place, Message]:
    """The message for each of the places where the event is to be sent."""
    name = _NAMES.get(event.kind, "")
    match event.kind:
        case events.ANNOUNCEMENT:
            name, payload = _announcement(tx, event)
            payloads = dict.fromkeys(asked, payload)
        case events.DELETE:
            payloads = {place: str(event.post) for place in asked if _may_hear_of(tx, event, place[0])}
        case events.NOTICE:
            payloads = _notice(tx, context, event, asked)
        case events.CONVERSATION:
            payloads = _conversation(tx, context, event, asked)
        case events.FILTERS:
            payloads = dict.fromkeys(asked, "")
        case _:
            payloads = _post(tx, context, event, asked)
    return {place: Message(place[1].label, name, payload) for place, payload in payloads.items()}


def _text(entity: object) -> str:
    return encode(entity).decode()


def _may_hear_of(tx: Tx, event: Event, viewer: int) -> bool:
    """Whether the viewer may have seen what is gone now: its author, and for whom it was, stand in the event."""
    audience = event.detail.split()
    if audience[:1] in (["public"], ["unlisted"]) or viewer == event.account or str(viewer) in audience[1:]:
        return True
    return audience[:1] == ["followers"] and relations.is_following(tx, viewer, event.account)


def _announcement(tx: Tx, event: Event) -> tuple[str, str]:
    """An announcement of the owner, or that it was taken back."""
    found = next((each for each in announcements.current(tx, 0) if each.id == event.item), None)
    if found is None:
        return "announcement.delete", str(event.item)
    return "announcement", _text(announcement(found))


def _notice(tx: Tx, context: EntityContext, event: Event, asked: Collection[Place]) -> dict[Place, str]:
    found = notification_lists.get(tx, event.account, event.item)
    shown = made(tx, context, [found], event.account) if found is not None else []
    return dict.fromkeys(asked, _text(shown[0])) if shown else {}


def _conversation(tx: Tx, context: EntityContext, event: Event, asked: Collection[Place]) -> dict[Place, str]:
    entity = conversations_api.one(tx, context, event.account, event.item)
    return dict.fromkeys(asked, _text(entity)) if entity is not None else {}


def _post(tx: Tx, context: EntityContext, event: Event, asked: Collection[Place]) -> dict[Place, str]:
    item = event.item or event.post
    window = Window(before=item + 1, after=item - 1, limit=1)
    homes = {viewer for viewer, stream in asked if stream.kind in (USER, LIST)}
    reached = events.receivers(tx, item, homes) if homes else set()
    made: dict[Place, str] = {}
    for viewer in {viewer for viewer, _ in asked}:
        found: dict[int, str] = {}  # by viewer: most of the streams of one viewer show the same
        for stream in sorted({each for who, each in asked if who == viewer}, key=lambda each: each.name):
            if stream.kind in (USER, LIST) and viewer not in reached:
                continue
            shown = timelines_api.piece(tx, viewer, stream, window)
            if shown and viewer not in found:
                found[viewer] = _text(statuses(tx, context, shown, viewer)[0])
            if shown:
                made[viewer, stream] = found[viewer]
    return made
