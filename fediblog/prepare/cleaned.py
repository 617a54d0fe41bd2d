"""What strangers sent, with nothing in it that could harm a reader: the types by which it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fediblog.domain.documents import Actor, Note

if TYPE_CHECKING:

    class CleanNote(Note, frozen=True, kw_only=True):
        """A post with nothing in it that could harm a reader. Only `note_cleaner.harmless` makes one."""

    class CleanActor(Actor, frozen=True, kw_only=True):
        """An account with nothing in it that could harm a reader. Only `actor_cleaner.harmless` makes one."""
else:
    CleanNote, CleanActor = Note, Actor
