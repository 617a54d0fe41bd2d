"""What strangers sent, with nothing in it that could harm a reader: the types by which it is known."""

from __future__ import annotations

from typing import NewType

from fediblog.domain.documents import Actor, Note

CleanNote = NewType("CleanNote", Note)
"""A post with nothing in it that could harm a reader. Only `note_cleaner.harmless` makes one."""

CleanActor = NewType("CleanActor", Actor)
"""An account likewise. Only `actor_cleaner.harmless` makes one."""
