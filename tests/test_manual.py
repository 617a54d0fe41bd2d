"""FEDERATION.md says what the tables say."""

from __future__ import annotations

import ast
from pathlib import Path

from fediblog.federation import manual
from fediblog.inbox import HANDLERS

ROOT = Path(__file__).parent.parent


def test_the_page_is_as_the_tables_are() -> None:
    written = (ROOT / "FEDERATION.md").read_text()
    assert written == manual.page(), "run: python -m fediblog.federation.manual > FEDERATION.md"


def test_every_activity_that_comes_in_is_described() -> None:
    listed = {verb for verb, _, _ in manual.received_rows()}
    assert listed == {verb for verb, _ in HANDLERS}


def test_every_activity_that_goes_out_is_described() -> None:
    verbs: set[str] = set()
    for path in (ROOT / "fediblog" / "actions").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "write_activity":
                verbs |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()  # type: ignore[arg-type]
    assert verbs
    assert verbs <= set(manual.SENT)
