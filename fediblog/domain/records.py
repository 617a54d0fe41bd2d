"""Values of many fields, which are made by the hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass

    def record(*, frozen, **options):
        """A dataclass that is frozen for the type checker, and at run time only not meant to be changed.

        Where Python itself forbids it, each field is set by a call: a post of fifty takes four times as long to make.
        """
        return dataclass(unsafe_hash=frozen, **options)


__all__ = ["record"]
