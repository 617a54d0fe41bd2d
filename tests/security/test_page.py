"""The page of rules names tests that exist, so that nobody believes in one that is gone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`([\w/]+)::(test_\w+)`")


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_named_test_exists() -> None:
    named = NAMED.findall(PAGE.read_text())
    assert len(named) > 60
    for file, test in named:
        path = ROOT / "tests" / f"{file}.py"
        assert path.is_file(), file
        assert test in functions_of(path), f"{file}::{test}"


def test_every_rule_names_one() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| rule")]
    assert rows
    assert [line for line in rows if not NAMED.search(line)] == []
