"""JSON schemas (2020-12) of every entity, a file for each group of them: what an answer must look like."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

DRAFT = "https://json-schema.org/draft/2020-12/schema"


@cache
def definitions() -> dict[str, Any]:
    """Every entity's schema by its name. Raises ValueError if two files describe the same."""
    found: dict[str, Any] = {}
    for entry in sorted(files(__name__).iterdir(), key=lambda each: each.name):
        if not entry.name.endswith(".json"):
            continue
        for name, schema in json.loads(entry.read_text("utf-8")).items():
            if name in found:
                raise ValueError(f"{name} is described twice")
            found[name] = schema
    return found


def schema_of(gives: str) -> dict[str, Any]:
    """The schema of an answer: `Status`, `Status[]` for a list, nothing for an empty object."""
    name = gives.removesuffix("[]")
    inner = {"$ref": f"#/$defs/{name}"} if name else {"type": "object"}
    whole = {"type": "array", "items": inner} if gives.endswith("[]") else inner
    return {"$schema": DRAFT, "$defs": definitions(), **whole}
