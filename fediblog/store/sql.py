"""Makes one hand-written SQL text run on both engines: parameters, lists and the types of columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

from fediblog.store.tx import EngineName, Param, Scalar

_PLAIN = frozenset((int, str, bytes, float, type(None)))
_LISTS = (list, tuple, set, frozenset)
_UNTOUCHED = r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|::"
_PARAMETER = re.compile(rf"({_UNTOUCHED})|:([A-Za-z_]\w*)|%")
_NOT_IN = re.compile(r"\bnot\s+in\s*\(\s*$", re.IGNORECASE)

_TYPES = {"integer": "bigint", "blob": "bytea", "real": "double precision"}
_TYPE = re.compile(rf"({_UNTOUCHED})|\b(integer|blob|real)\b", re.IGNORECASE)

Lengths = tuple[tuple[str, int], ...]


def bind(sql: str, params: Mapping[str, Param], engine: EngineName) -> tuple[str, dict[str, Scalar]]:
    """The text and the parameters as the engine's driver wants them."""
    values: dict[str, Any] = dict(params)
    lengths: Lengths = ()
    for name, value in params.items():
        if type(value) in _PLAIN:
            continue
        if isinstance(value, _LISTS):
            del values[name]
            items = _padded([item if type(item) in _PLAIN else plain(item) for item in value])
            lengths += ((name, len(items)),)
            values.update(zip(_names(name, len(items)), items, strict=True))
        else:
            values[name] = plain(value)
    if engine == "sqlite" and not lengths:
        return sql, values
    return render(sql, lengths, engine), values


def bind_row(row: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The parameters of one row of many."""
    return {name: value if type(value) in _PLAIN else plain(value) for name, value in row.items()}


def plain(value: Any) -> Scalar:
    """A value that both drivers take: no bool, no enum member, no subclass of str."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if value is None or isinstance(value, int | float | bytes):
        return value
    raise TypeError(f"SQL cannot take a {type(value).__name__}")


def _padded(items: list[Scalar]) -> list[Scalar]:
    """Repeats the last item up to a power of two: few lengths make few statements, which then stay prepared."""
    wanted = 1 << (len(items) - 1).bit_length() if items else 0
    return items + items[-1:] * (wanted - len(items))


@lru_cache(maxsize=1024)
def _names(name: str, length: int) -> tuple[str, ...]:
    """What the items of a list are called in the text."""
    return tuple(f"{name}__{index}" for index in range(length))


@lru_cache(maxsize=4096)
def render(sql: str, lengths: Lengths, engine: EngineName) -> str:
    """Expands lists; for PostgreSQL writes `:name` as `%(name)s` and doubles `%`."""
    form = ":%s" if engine == "sqlite" else "%%(%s)s"
    percent = "%" if engine == "sqlite" else "%%"
    listed = dict(lengths)

    def replace(found: re.Match[str]) -> str:
        untouched, name = found.groups()
        if name is None:
            return (untouched or "%").replace("%", percent)
        length = listed.get(name)
        if length is None:
            return form % name
        if length == 0:
            return _nothing(sql[: found.start()])
        return ", ".join(form % each for each in _names(name, length))

    return _PARAMETER.sub(replace, sql)


def _nothing(before: str) -> str:
    """An empty list. `not in (null)` would be true for no row, where "not in nothing" is meant to be true for all."""
    return "'-9223372036854775808'" if _NOT_IN.search(before) else "null"


def define(sql: str, engine: EngineName) -> str:
    """A definition of tables with the engine's names for the types: SQLite's are 64 bit wide by themselves."""
    if engine == "sqlite":
        return sql
    return _TYPE.sub(lambda found: found[1] or _TYPES[found[2].lower()], sql)
