"""FEDERATION.md and the page of the API say what the tables say."""

from __future__ import annotations

import ast
from pathlib import Path

from fediblog.federation import federation_manual
from fediblog.inbox import HANDLERS
from fediblog.mastodon import api_manual
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.mastodon.schemas import definitions
from fediblog.protocol.activities import VERBS

ROOT = Path(__file__).parent.parent


def test_the_page_is_as_the_tables_are() -> None:
    written = (ROOT / "FEDERATION.md").read_text()
    assert written == federation_manual.page(), "run: python -m fediblog.federation.federation_manual > FEDERATION.md"


def test_what_an_inbox_answers_is_described() -> None:
    told = " ".join(federation_manual.page().split())
    told = told[told.index("An inbox answers 202") :].partition("##")[0]
    for status in (400, 401, 403, 413, 415, 503):
        assert f" {status} " in told
    for kind in ("application/activity+json", "application/ld+json"):
        assert kind in told


def test_every_activity_that_comes_in_is_described() -> None:
    listed = {verb for verb, _, _ in federation_manual.received_rows()}
    assert listed == {verb for verb, _ in HANDLERS}


def test_every_activity_that_goes_out_is_described() -> None:
    words = {
        node.value
        for path in (ROOT / "fediblog" / "outgoing").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    }
    assert words & VERBS == set(federation_manual.SENT)


def test_the_page_of_the_api_is_as_the_table_is() -> None:
    written = (ROOT / "docs" / "client-api.md").read_text()
    assert written == api_manual.page(), "run: python -m fediblog.mastodon.api_manual > docs/client-api.md"


def test_every_call_says_what_it_does_and_gives_what_a_schema_describes() -> None:
    for row in ENDPOINTS:
        assert row.about, row.path
        assert not row.gives or row.gives.removesuffix("[]") in definitions(), f"{row.path} gives {row.gives}"
        assert row.tier in api_manual.TIERS, row.path
