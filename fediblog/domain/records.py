"""Values: dataclasses that are made quickly, by the hundred, and whose classes are made quickly too, at each start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass, fields
    from operator import attrgetter

    def record(*, frozen=False, eq=True, **options):
        """A dataclass that is frozen for the type checker, and at run time only not meant to be changed.

        Where Python itself forbids it, each field is set by a call: a post of fifty takes four times as long to make.
        Of its methods only `__init__` is written and compiled for each class, which takes a tenth of a millisecond:
        the others do the same for all classes.
        """

        def make(cls):
            made = dataclass(repr=False, eq=False, **options)(cls)
            made.__repr__ = _repr
            if eq:
                _compare_by_value(made, hashable=frozen)
            return made

        return make

    def _repr(self):
        shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
        return f"{type(self).__qualname__}({shown})"

    def _compare_by_value(cls, *, hashable):
        values = attrgetter(*(each.name for each in fields(cls) if each.compare))

        def __eq__(self, other):
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        cls.__eq__ = __eq__
        cls.__hash__ = (lambda self: hash(values(self))) if hashable else None


__all__ = ["record"]
