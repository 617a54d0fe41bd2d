"""What apps cannot do without, from `demands.json`: for each app, by entity, its members and the types it can read.

A line is `name:type …`. Types are s: text, u: an address, n: digits, d: a time, D: a day, i: a whole number of 32
bits, f: any number, b: true or false, {}: any object, a|b|c: one of these, else the name of an entity; [] a list of it.
After a type, ~ may be null, * may be missing, ? may be either. Entities and their parts have the names of the schemas.
Under "Mastodon" stands what its own serializers send (4.5 to 4.7), in the same words: * is also what newer ones add.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from fediblog.mastodon.schemas import definitions

Json = dict[str, Any]
WHOLE = "Mastodon"
_BASIC = {"Id": "n", "Digits": "n", "Moment": "d", "Day": "D", "Url": "u", "Count": "i", "Number": "i"}
_READ_AS = {"n": "s", "d": "s", "D": "s", "u": "s", "i": "f"}  # whoever reads the second can read the first
_TEXT = {
    "s": r"(?s).*",
    "u": r"https?://\S+",
    "n": r"\d+",
    "d": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "D": r"\d{4}-\d\d-\d\d",
}
_JSON = {"string": "s", "integer": "i", "number": "f", "boolean": "b", "null": "null"}


@dataclass(frozen=True)
class Demand:
    """One member of an entity as an app reads it."""

    kind: str
    null: bool
    missing: bool


@cache
def demands() -> dict[str, dict[str, dict[str, Demand]]]:
    """By app, by entity, by member."""
    told = json.loads(Path(__file__).with_name("demands.json").read_text("utf-8"))
    return {app: {entity: _members(line) for entity, line in each.items()} for app, each in told.items()}


def _members(line: str) -> dict[str, Demand]:
    found = {}
    for part in line.split():
        name, _, kind = part.rpartition(":")
        found[name] = Demand(kind.rstrip("~*?"), kind[-1] in "~?", kind[-1] in "*?")
    return found


def properties(name: str) -> Json:
    """The members of an entity, with those of the one that it adds to."""
    schema = definitions()[name]
    found: Json = {}
    for part in schema.get("allOf", ()):
        found |= properties(part["$ref"].rpartition("/")[2])
    found |= schema.get("properties", {})
    return found


def required(name: str) -> set[str]:
    """Those that are always there."""
    schema = definitions()[name]
    parts = [required(part["$ref"].rpartition("/")[2]) for part in schema.get("allOf", ())]
    return set(schema.get("required", ())).union(*parts)


def kinds(schema: Json) -> Iterator[str]:
    """Every type that a schema lets through, in the words of `demands.json`; `null` is one."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        inner = definitions()[name]
        yield from [_BASIC[name]] if name in _BASIC else [name] if _is_entity(inner) else kinds(inner)
    elif "anyOf" in schema or "oneOf" in schema:
        for each in schema.get("anyOf") or schema["oneOf"]:
            yield from kinds(each)
    elif "const" in schema:
        yield "i" if isinstance(schema["const"], int) else f"={schema['const']}"
    elif "enum" in schema:
        yield from ("null" if each is None else f"={each}" for each in schema["enum"])
    else:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        for each in types:
            yield from _listed(schema) if each == "array" else ["{}" if each == "object" else _JSON[each]]


def _is_entity(schema: Json) -> bool:
    return "properties" in schema or "allOf" in schema


def _listed(schema: Json) -> Iterator[str]:
    if schema.get("maxItems") == 0:
        yield "[]"
    elif "items" in schema:
        yield from (f"{each}[]" for each in kinds(schema["items"]))
    else:
        yield "{}[]"


def reads(demand: Demand, kind: str) -> bool:
    """Whether an app that demands this can read a value of that type."""
    if kind == "null":
        return demand.null
    wanted = demand.kind
    if kind.endswith("[]"):
        listed = Demand(wanted.removesuffix("[]"), null=False, missing=False)
        return wanted.endswith("[]") and (kind == "[]" or reads(listed, kind.removesuffix("[]")))
    if kind.startswith("="):
        return wanted == "s" or kind[1:] in wanted.split("|")
    return wanted in (kind, _READ_AS.get(kind)) or (wanted == "{}" and kind in definitions())


def troubles(app: str, entity: str) -> Iterator[tuple[str, str]]:
    """What of a schema that app cannot read: the member, and why."""
    members, there = properties(entity), required(entity)
    for name, demand in demands()[app][entity].items():
        if name not in members:
            if not demand.missing:
                yield name, "is not there"
            continue
        if name not in there and not demand.missing:
            yield name, "may be missing"
        unread = [kind for kind in kinds(members[name]) if not reads(demand, kind)]
        if unread:
            yield name, f"may be {', '.join(unread)}, not {demand.kind}"


def parts(schema: Json, value: Any) -> Iterator[tuple[str, Json]]:
    """Every entity in an answer of that schema, by its name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if _is_entity(definitions()[name]):
            yield name, value
            for member, inner in properties(name).items():
                if member in value:
                    yield from parts(inner, value[member])
        else:
            yield from parts(definitions()[name], value)
    elif "anyOf" in schema or "oneOf" in schema:
        fits = (each for each in schema.get("anyOf") or schema["oneOf"] if _validator(each).is_valid(value))
        yield from parts(next(fits), value)
    elif isinstance(value, list):
        for each in value:
            yield from parts(schema.get("items", {}), each)


def _validator(schema: Json) -> Draft202012Validator:
    return Draft202012Validator({"$defs": definitions(), **schema})


def holds(demand: Demand, value: Any) -> bool:
    """Whether an app that demands this can read the value."""
    if value is None:
        return demand.null
    if demand.kind.endswith("[]"):
        inner = Demand(demand.kind[:-2], null=False, missing=False)
        return isinstance(value, list) and all(holds(inner, each) for each in value)
    if demand.kind in ("i", "f"):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return (whole and abs(value) < 2**31) or (demand.kind == "f" and isinstance(value, float))
    if demand.kind == "b":
        return isinstance(value, bool)
    if demand.kind in _TEXT:
        return isinstance(value, str) and re.fullmatch(_TEXT[demand.kind], value) is not None
    return value in demand.kind.split("|") if "|" in demand.kind else isinstance(value, dict)
