"""The corpus of real documents and test vectors, where it is at hand; it is not part of the project."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def _find() -> Path | None:
    given = os.environ.get("FEDIBLOG_CORPUS")
    path = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "corpus"
    return path if (path / "MANIFEST.json").is_file() else None


CORPUS = _find()

needs_corpus = pytest.mark.skipif(
    CORPUS is None, reason="the corpus of real documents is not here: set FEDIBLOG_CORPUS"
)


def documents() -> Iterator[tuple[Path, bytes, dict[str, Any]]]:
    """Every document with its bytes and what the manifest says of it; none if there is no corpus."""
    if CORPUS is None:
        return
    for entry in json.loads((CORPUS / "MANIFEST.json").read_bytes()):
        path = CORPUS / entry["path"]
        yield path, path.read_bytes(), entry


def vectors(name: str) -> list[dict[str, Any]]:
    """The test vectors of one file, such as `digest`; none if there is no corpus."""
    if CORPUS is None:
        return []
    found: list[dict[str, Any]] = json.loads((CORPUS / "vectors" / f"{name}.json").read_bytes())["vectors"]
    return found
