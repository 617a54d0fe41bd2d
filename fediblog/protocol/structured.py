"""Header fields as the newer specifications write them: combined (RFC 9110), parsed and serialised (RFC 8941)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

Headers = Sequence[tuple[str, str]] | dict[str, str]
"""Lower-case names with their values, in the order of the message; a name may repeat. Or what `joined` makes of it."""

MAX_LENGTH = 16_384  # characters of one field, all its lines together
MAX_MEMBERS = 64  # of a dictionary, of an inner list, of a set of parameters


class Token(str):
    """A bare word, which is not the same as a quoted string."""

    __slots__ = ()


Bare = int | Decimal | str | bytes
"""Bare items; a bool is an int, a `Token` is a str. Dates and display strings (RFC 9651) are in no field we read."""


class Item(Struct, frozen=True):
    """One value with its parameters."""

    value: Bare
    params: Mapping[str, Bare]


class InnerList(Struct, frozen=True):
    """A list in brackets, with parameters of its own."""

    items: tuple[Item, ...]
    params: Mapping[str, Bare]


Member = Item | InnerList

_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_BARE = re.compile(
    r'"(?P<string>(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"'
    r"|:(?P<bytes>[A-Za-z0-9+/=]*):"
    r"|\?(?P<bool>[01])"
    r"|(?P<decimal>-?[0-9]{1,12}\.[0-9]{1,3})(?![0-9.])"
    r"|(?P<integer>-?[0-9]{1,15})(?![0-9.])"
    r"|(?P<token>[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*)"
)


def joined(headers: Headers) -> dict[str, str]:
    """The value of each field, its lines joined as RFC 9110 §5.3 has it."""
    if isinstance(headers, dict):
        return headers
    fields = {name: value.strip(" \t") for name, value in headers}
    if len(fields) == len(headers):
        return fields
    lines: dict[str, list[str]] = {}
    for name, value in headers:
        lines.setdefault(name, []).append(value.strip(" \t"))
    return {name: ", ".join(values) for name, values in lines.items()}


def read_base64(text: str) -> bytes | None:
    """What the standard alphabet says in its one canonical spelling (RFC 4648 §3.5); else None."""
    try:
        octets = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # of which binascii.Error is one
        return None
    return octets if binascii.b2a_base64(octets, newline=False).decode() == text else None


def read_dictionary(text: str | None) -> dict[str, Member] | None:
    """The members of a dictionary field, or None for anything that is not exactly one.

    Stricter than RFC 8941 §4.2 in one point: a key that comes twice is an error, not the last one. Who signs does not
    repeat himself, and two readers that choose differently are how signatures get bypassed.
    """
    if text is None or len(text) > MAX_LENGTH:
        return None
    try:
        return _Reader(text.strip(" ")).dictionary()
    except _MalformedError:
        return None


def write_list(value: InnerList) -> str:
    """An inner list in its one canonical form (RFC 8941 §4.1.1.1)."""
    return f"({' '.join(map(write_item, value.items))}){_write_params(value.params)}"


def write_item(value: Item) -> str:
    """An item in its one canonical form (RFC 8941 §4.1.3). ValueError for text that a string cannot hold."""
    return _write_bare(value.value) + _write_params(value.params)


def _write_params(params: Mapping[str, Bare]) -> str:
    return "".join(f";{key}" if value is True else f";{key}={_write_bare(value)}" for key, value in params.items())


def _write_bare(value: Bare) -> str:
    match value:
        case bool():
            return f"?{value:d}"
        case int():
            return str(value)
        case Decimal():
            whole, _, fraction = f"{value:.3f}".partition(".")
            return f"{whole}.{fraction.rstrip('0') or '0'}"
        case bytes():
            return f":{base64.b64encode(value).decode()}:"
        case Token():
            return str(value)
    if not all(" " <= character <= "~" for character in value):
        raise ValueError("a structured string holds printable ASCII only")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class _MalformedError(Exception):
    pass


class _Reader:
    """The parser of RFC 8941 §4.2. No part of the grammar nests, so that it never recurses."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def dictionary(self) -> dict[str, Member]:
        members: dict[str, Member] = {}
        while self.at < len(self.text):
            if members:
                self.skip(" \t")
                self.expect(",")
                self.skip(" \t")
            key = self.key()
            if key in members or len(members) == MAX_MEMBERS:
                raise _MalformedError
            members[key] = self.member() if self.take("=") else Item(True, self.params())
        return members

    def member(self) -> Member:
        return self.inner_list() if self.take("(") else self.item()

    def inner_list(self) -> InnerList:
        items: list[Item] = []
        self.skip(" ")
        while not self.take(")"):
            if len(items) == MAX_MEMBERS:
                raise _MalformedError
            items.append(self.item())
            if self.peek() not in (" ", ")"):
                raise _MalformedError
            self.skip(" ")
        return InnerList(tuple(items), self.params())

    def item(self) -> Item:
        return Item(self.bare(), self.params())

    def params(self) -> dict[str, Bare]:
        params: dict[str, Bare] = {}
        while self.take(";"):
            self.skip(" ")
            key = self.key()
            if key in params or len(params) == MAX_MEMBERS:
                raise _MalformedError
            params[key] = self.bare() if self.take("=") else True
        return params

    def bare(self) -> Bare:
        found = self.match(_BARE)
        text = found[found.lastgroup or 0]
        match found.lastgroup:
            case "string":
                return re.sub(r"\\(.)", r"\1", text)
            case "bytes":
                octets = read_base64(text)
                if octets is None:
                    raise _MalformedError
                return octets
            case "bool":
                return text == "1"
            case "decimal":
                return Decimal(text)
            case "integer":
                return int(text)
        return Token(text)

    def key(self) -> str:
        return self.match(_KEY)[0]

    def match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if not found:
            raise _MalformedError
        self.at = found.end()
        return found

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> bool:
        taken = self.peek() == character
        self.at += taken
        return taken

    def expect(self, character: str) -> None:
        if not self.take(character):
            raise _MalformedError

    def skip(self, characters: str) -> None:
        while self.peek() and self.peek() in characters:
            self.at += 1
