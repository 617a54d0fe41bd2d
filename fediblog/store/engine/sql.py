"""Makes one hand-written SQL text run on both engines: parameters, lists and the types of columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from operator import itemgetter
from typing import Any

from fediblog.store.tx import EngineName, Param, Scalar

_PLAIN = frozenset((int, str, bytes, float, type(None)))
_LISTS = (list, tuple, set, frozenset)
_UNTOUCHED = r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|::"
_PARAMETER = re.compile(rf"({_UNTOUCHED})|:([A-Za-z_]\w*)")
_ROWS = re.compile(r"\bvalues\s*\(\s*\Z", re.IGNORECASE)
_NOT_IN = re.compile(r"\bnot\s+in\s*\(\s*$", re.IGNORECASE)

_TYPES = {"integer": "bigint", "blob": "bytea", "real": "double precision"}
_TYPE = re.compile(rf"({_UNTOUCHED})|\b(integer|blob|real)\b", re.IGNORECASE)

Lengths = tuple[tuple[str, int], ...]
InOrder = Callable[[Mapping[str, Any]], Sequence[Any]]


def bind(sql: str, params: Mapping[str, Param]) -> tuple[str, Sequence[Scalar]]:
    """The text and the parameters as SQLite wants them: by number, since names take it as long as all the rest."""
    text, names, in_order = questioned(sql)
    found = in_order(params)
    if _PLAIN.issuperset(map(type, found)):
        return text, found
    values, lengths = _flat(names, found)
    return questioned(sql, lengths)[0] if lengths else text, values


def bind_in_order(sql: str, params: Mapping[str, Param]) -> tuple[bytes, list[Scalar]]:
    """The text and the parameters as PostgreSQL wants them."""
    text, names = numbered(sql)
    values, lengths = _flat(names, [params[name] for name in names])
    return numbered(sql, lengths)[0] if lengths else text, values


def _flat(names: Sequence[str], found: Iterable[Any]) -> tuple[list[Scalar], Lengths]:
    """Values that a driver takes, the items of a list one after another in its place; and how long the lists are."""
    values: list[Scalar] = []
    lengths: Lengths = ()
    for name, value in zip(names, found, strict=True):
        if type(value) in _PLAIN:
            values.append(value)
        elif isinstance(value, _LISTS):
            items = _padded([item if type(item) in _PLAIN else plain(item) for item in value])
            lengths += ((name, len(items)),)
            values += items
        else:
            values.append(plain(value))
    return values, lengths


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
def questioned(sql: str, lengths: Lengths = ()) -> tuple[str, tuple[str, ...], InOrder]:
    """The text for SQLite, with `?1` for what is named first; the names; and what puts parameters into that order."""
    text, names = _numbered(sql, lengths, "?")
    if len(names) > 1:
        return text, names, itemgetter(*names)
    return text, names, lambda params: [params[name] for name in names]


@lru_cache(maxsize=4096)
def numbered(sql: str, lengths: Lengths = ()) -> tuple[bytes, tuple[str, ...]]:
    """The text for PostgreSQL, with `$1` for what is named first; and the names in the order of their numbers."""
    text, names = _numbered(sql, lengths, "$")
    return text.encode(), names


def _numbered(sql: str, lengths: Lengths, mark: str) -> tuple[str, tuple[str, ...]]:
    """Every parameter as a mark with its number, a list as that of its items: as rows, if it stands for `values`."""
    listed = dict(lengths)
    numbers: dict[str, int] = {}

    def form(name: str) -> str:
        return f"{mark}{numbers.setdefault(name, len(numbers) + 1)}"

    def replace(found: re.Match[str]) -> str:
        untouched, name = found.groups()
        if name is None:
            return untouched
        length = listed.get(name)
        if length is None:
            return form(name)
        if length == 0:
            return _nothing(sql[: found.start()])
        between = "), (" if _ROWS.search(sql, 0, found.start()) else ", "
        return between.join(map(form, _names(name, length)))

    return _PARAMETER.sub(replace, sql), tuple(numbers)


def _nothing(before: str) -> str:
    """An empty list. `not in (null)` would be true for no row, where "not in nothing" is meant to be true for all."""
    return "'-9223372036854775808'" if _NOT_IN.search(before) else "null"


def define(sql: str, engine: EngineName) -> str:
    """A definition of tables with the engine's names for the types: SQLite's are 64 bit wide by themselves."""
    if engine == "sqlite":
        return sql
    return _TYPE.sub(lambda found: found[1] or _TYPES[found[2].lower()], sql)
