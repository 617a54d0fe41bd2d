"""JSON schemas (2020-12) of every entity, a file for each group of them: what an answer must look like."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


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
