"""What the worker would know of an activity, worked out without a network and in one go."""

from __future__ import annotations

from typing import Any

from fediblog import inbox
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity
from fediblog.inbox import Facts
from fediblog.prepare.note_cleaner import harmless


def facts_of(actor: Account, activity: Activity, **more: Any) -> Facts:
    """As `prefetch.prepare` makes them: with the post that comes along, and with what is shown of all posts in them."""
    handler = inbox.handler_of(activity)
    reading = handler.read(activity) if handler is not None else None
    own = [reading.own] if reading is not None and reading.own is not None else []
    notes = [*own, *more.get("notes", {}).values()]
    return Facts(actor=actor, reading=reading, cleaned=tuple((each, harmless(each)) for each in notes), **more)
