"""The question part of a Question."""

from __future__ import annotations

from fediblog.domain.documents import Json, Note, Option, Poll
from fediblog.protocol import json_values

LIMIT = 20
OPTION_LIMIT = 300


def read_poll(document: dict[str, Json]) -> Poll | None:
    """The poll, or None if there is nothing to choose from."""
    choices = json_values.listed(document.get("oneOf"))
    multiple = not choices
    options: dict[str, Option] = {}
    for entry in map(json_values.fields, (choices or json_values.listed(document.get("anyOf")))[:LIMIT]):
        # Misskey puts the text into `content` as well
        label = json_values.name(entry.get("name"), OPTION_LIMIT) or json_values.name(
            entry.get("content"), OPTION_LIMIT
        )
        if label:
            options.setdefault(label, Option(name=label, votes=_votes(entry)))
    if not options:
        return None
    ends = json_values.moment(document.get("endTime"))
    return Poll(
        options=tuple(options.values()),
        multiple=multiple,
        ends=ends,
        closed=_closed(document, ends),
        voters=json_values.total(document.get("votersCount")),
    )


def is_vote(note: Note, poll: Poll | None) -> bool:
    """Whether a Note that answers a poll is a vote in it, whatever else it says: its name is one of the options."""
    return poll is not None and note.kind == "Note" and any(each.name == note.title for each in poll.options)


def write_poll(poll: Poll) -> dict[str, Json]:
    """The properties that make a Question of a post."""
    document: dict[str, Json] = {
        "anyOf" if poll.multiple else "oneOf": [
            {"type": "Note", "name": option.name, "replies": {"type": "Collection", "totalItems": option.votes}}
            for option in poll.options
        ]
    }
    if poll.ends is not None:
        document["endTime"] = json_values.stamp(poll.ends)
    if poll.closed is not None:
        document["closed"] = json_values.stamp(poll.closed)
    if poll.voters is not None:
        document["votersCount"] = poll.voters
    return document


def _votes(entry: dict[str, Json]) -> int:
    replies = json_values.fields(entry.get("replies"))
    return json_values.total(replies.get("totalItems")) or json_values.total(entry.get("_misskey_votes")) or 0


def _closed(document: dict[str, Json], ends: int | None) -> int | None:
    """`closed` is a date or a boolean (Activity Vocabulary §3.3); a bare yes gets the earliest date."""
    closed = document.get("closed")
    if not json_values.flag(closed):
        return json_values.moment(closed)
    dates = (ends, json_values.moment(document.get("updated")), json_values.moment(document.get("published")))
    return min((date for date in dates if date is not None), default=0)
