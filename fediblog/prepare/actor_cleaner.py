"""What is shown of somebody else's account: pure and slow, so it is worked out before a transaction, not inside."""

from __future__ import annotations

from typing import cast

from msgspec.structs import replace

from fediblog.domain.documents import Actor
from fediblog.markup.clean import clean
from fediblog.prepare.cleaned import CleanActor


def harmless(actor: Actor) -> CleanActor:
    """The account with nothing in its summary and fields that could harm a reader."""
    fields = tuple(replace(each, value=clean(each.value)) for each in actor.fields)
    return cast(CleanActor, replace(actor, summary=clean(actor.summary), fields=fields))


def size(actor: Actor) -> int:
    """Characters of what is cleaned."""
    return len(actor.summary) + sum(len(each.value) for each in actor.fields)
