"""What a request brings: query, JSON, form or multipart, read into one nested value, as Rails and PHP nest names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from fediblog import formdata
from fediblog.errors import Invalid, Refused
from fediblog.protocol.jsontext import refuse_deep_or_many

MOST_FIELDS = 500
_FORM = formdata.Limits(fields=MOST_FIELDS, files=2, size=2_500_000)
DEPTH = 5
MOST_DEPTH = 100  # of JSON, of which what is deeper than DEPTH is left out
MOST_MARKS = 20 * MOST_FIELDS  # strings, brackets and commas of JSON: few milliseconds
_NAME = re.compile(r"[^\[\]]+|\[[^\[\]]*\]")
_TRUE = frozenset({"true", "1", "on", "yes", "t"})
_FALSE = frozenset({"false", "0", "off", "no", "f", "", "null"})
_HIGHEST = (1 << 63) - 1


class Params:
    """The parameters of a request. What is of another type than asked for counts as absent, unless it says Invalid.

    `asked` has the names that the endpoint has looked for: no others mean anything to it.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.asked = set[str]()

    def _get(self, name: str) -> Any:
        self.asked.add(name)
        return self.values.get(name)

    def has(self, name: str) -> bool:
        """Whether it was sent at all, even empty."""
        self.asked.add(name)
        return name in self.values

    def text(self, name: str, otherwise: str = "") -> str:
        """A text; a number or a boolean is written out."""
        value = self._get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int | float) else otherwise

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """A boolean in any of the ways in which one is sent."""
        found = self.maybe_flag(name)
        return otherwise if found is None else found

    def maybe_flag(self, name: str) -> bool | None:
        """A boolean, or None where none was sent."""
        value = self._get(name)
        if isinstance(value, bool) or value is None:
            return value
        word = str(value).lower()
        return True if word in _TRUE else False if word in _FALSE else None

    def number(self, name: str) -> int | None:
        """A whole number, as our ids are; None for anything else."""
        return whole(self._get(name))

    def items(self, name: str) -> list[Any]:
        """A list, however it was sent: `a[]=`, `a[0]=`, a JSON array, or a single value."""
        value = self._get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return value
        if isinstance(value, Mapping):
            return list(value.values())
        return [value]

    def texts(self, name: str) -> list[str]:
        """The texts of a list."""
        return [str(each) for each in self.items(name) if isinstance(each, str | int | float)]

    def numbers(self, name: str) -> list[int]:
        """The numbers of a list; what is none is left out."""
        return [number for each in self.items(name) if (number := whole(each)) is not None]

    def inner(self, name: str) -> Params:
        """The parameters below a name, such as `poll` of `poll[options][]`."""
        value = self._get(name)
        return Params(value if isinstance(value, Mapping) else {})

    def each(self, name: str) -> list[Params]:
        """The parameters of each item of a list of objects."""
        return [Params(each) for each in self.items(name) if isinstance(each, Mapping)]

    def file(self, name: str) -> UploadFile | None:
        """An uploaded file."""
        value = self._get(name)
        return value if isinstance(value, UploadFile) else None

    def choice(self, name: str, choices: Iterable[str], otherwise: str) -> str:
        """One of several words. Raises Invalid for another one."""
        allowed = tuple(choices)
        value = self.text(name) or otherwise
        if value not in allowed:
            raise Invalid(name, "api.one-of", name=name, choices=", ".join(allowed))
        return value


def whole(value: object) -> int | None:
    """A number of ours: digits, at most 63 bits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value <= _HIGHEST else None
    if not isinstance(value, str) or not (value.isascii() and value.isdigit() and len(value) <= 19):
        return None
    number = int(value)
    return number if number <= _HIGHEST else None


async def read(request: Request) -> Params:
    """Everything that the request says, its body over its query. Raises Refused for a body that cannot be read."""
    query = list(request.query_params.multi_items())
    body: Mapping[str, Any] = {}
    if request.method not in ("GET", "HEAD") or formdata.kind_of(request) == "application/json":  # Mastodon.py asks so
        body = await _body(request)
    if not query:
        return Params(body)
    return Params({**nest(query), **body})


async def _body(request: Request) -> Mapping[str, Any]:
    if formdata.kind_of(request) in (formdata.URLENCODED, formdata.MULTIPART):
        return nest((await formdata.read(request, _FORM)).multi_items())
    data = await request.body()
    if not data:
        return {}
    try:
        text = data.decode(json.detect_encoding(data), "surrogatepass")
        refuse_deep_or_many(text, MOST_DEPTH, MOST_MARKS)
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("bad-json") from None
    if not isinstance(found, dict):
        raise Refused("bad-json", key="refusal.bad-json-kind")
    return {str(name): _tidy(value) for name, value in found.items()}


def _tidy(value: Any, depth: int = 0) -> Any:
    """Without what no text of ours holds: NUL, lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, list) and depth < DEPTH:
        return [_tidy(each, depth + 1) for each in value[:MOST_FIELDS]]
    if isinstance(value, dict) and depth < DEPTH:
        return {_tidy(name): _tidy(each, depth + 1) for name, each in list(value.items())[:MOST_FIELDS]}
    return value if isinstance(value, int | float | bool) else None


def nest(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """`a[]=1&a[]=2`, `a[0]=1` and `a[b][c]=1` as lists and dictionaries; `a=1&a=2` keeps the last."""
    found: dict[str, Any] = {}
    for index, (name, value) in enumerate(pairs):
        if index >= MOST_FIELDS:
            raise Refused("too-many-fields", n=MOST_FIELDS)
        parts = [part.strip("[]") if part.startswith("[") else part for part in _NAME.findall(name)]
        while parts[-2:] == ["", ""]:  # Mastodon.py writes `id[][]=`
            parts.pop()
        if parts and len(parts) <= DEPTH:
            _put(found, parts, _tidy(value) if isinstance(value, str) else value)
    return found


def _put(into: dict[str, Any], parts: list[str], value: Any) -> None:
    name, rest = parts[0], parts[1:]
    if not rest:
        into[name] = value
    elif rest == [""]:
        standing = into.setdefault(name, [])
        if isinstance(standing, list):
            standing.append(value)
    elif rest[0] == "":
        standing = into.setdefault(name, [])
        if isinstance(standing, list):
            _put(_open(standing, rest[1:]), rest[1:], value)
    else:
        standing = into.setdefault(name, {})
        if isinstance(standing, dict):
            _put(standing, rest, value)


def _open(items: list[Any], parts: list[str]) -> dict[str, Any]:
    """In `a[][b]=`, the last object, or a new one if that has the name already."""
    if not items or not isinstance(items[-1], dict) or any(_has(items[-1], parts)):
        items.append({})
    last: dict[str, Any] = items[-1]
    return last


def _has(item: Mapping[str, Any], parts: list[str]) -> Iterator[bool]:
    yield parts[0] in item and len(parts) == 1
