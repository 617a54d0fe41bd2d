"""How long a text may be: the same for pages and apps; who writes more is told how much fits and keeps the text."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from fediblog.actions import account_actions, drafts
from fediblog.protocol import notes
from tests.mastodon.server import Server
from tests.security.reading import press, reader

LONG = "a long word " * 2000
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


@pytest.mark.parametrize(
    ("field", "typed", "limit"),
    [
        ("source", {"source": LONG}, drafts.NOTE_LIMIT),
        ("title", {"source": "x", "title": LONG[:400]}, drafts.TITLE_LIMIT),
        ("summary", {"source": "x", "title": "T", "summary": LONG[:2000]}, drafts.SUMMARY_LIMIT),
        ("warning", {"source": "x", "warning": LONG[:2000]}, drafts.SUMMARY_LIMIT),
        ("poll", {"source": "x", "answer": [LONG[:400], "b"]}, drafts.ANSWER_LIMIT),
    ],
)
async def test_a_page_says_how_much_fits_and_keeps_what_was_typed(
    server: Server, field: str, typed: dict[str, str], limit: int
) -> None:
    browser = await reader(server.site, server.people["alice"], server.app)
    answer = await press(browser, "/write", {**typed, "do": "publish"})
    assert answer.status_code == 422
    assert str(limit) in answer.text
    name = "answer" if field == "poll" else field
    value = typed[name][0] if field == "poll" else typed[name]
    assert " ".join(value.split()) in " ".join(unescape(answer.text).split())
    assert await server.read(lambda tx: tx.all("select id from post")) == []


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ({"status": LONG}, drafts.NOTE_LIMIT),
        ({"status": "x", "spoiler_text": LONG}, drafts.SUMMARY_LIMIT),
        ({"status": "x", "fediblog": {"title": LONG}}, drafts.TITLE_LIMIT),
        ({"status": "x", "fediblog": {"title": "T", "summary": LONG}}, drafts.SUMMARY_LIMIT),
        ({"status": "x", "poll": {"options": [LONG, "b"], "expires_in": 3600}}, drafts.ANSWER_LIMIT),
    ],
)
async def test_an_app_is_told_how_much_fits(server: Server, said: dict[str, object], limit: int) -> None:
    api = await server.api("alice")
    answer = await api.call("POST", "/api/v1/statuses", json=said)
    assert answer.status_code == 422
    assert str(limit) in answer.json()["error"]
    assert await server.read(lambda tx: tx.all("select id from post")) == []


def test_the_manual_tells_the_limits() -> None:
    manual = OPERATING.read_text()
    told = manual[manual.index("- Texts, in characters") :].partition("- Each account")[0]
    limits = [drafts.NOTE_LIMIT, drafts.ARTICLE_LIMIT, drafts.TITLE_LIMIT, drafts.SUMMARY_LIMIT, drafts.ANSWER_LIMIT]
    limits += [drafts.ALT_LIMIT, account_actions.BIO_LIMIT, notes.CONTENT_LIMIT, notes.ARTICLE_LIMIT]
    assert [int(each) for each in re.findall(r"\d+", re.sub(r"(\d) (\d)", r"\1\2", told))] == limits
