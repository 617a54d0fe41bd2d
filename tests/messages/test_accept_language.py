"""Which language a browser asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.messages import LANGUAGES, accept_language
from fediblog.messages.accept_language import wanted


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: two for these tests."""
    monkeypatch.setattr(accept_language, "LANGUAGES", {"en": "English", "de": "Deutsch"})
    accept_language.best.cache_clear()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"), ("de", "de"), ("DE", "de"), ("de-AT", "de"), ("de-Latn-CH-1996", "de"), ("fr", "en"),
        ("fr, de;q=0.5, en;q=0.3", "de"), ("en;q=0.3,de;q=0.5", "de"), ("de;q=0.3, en;q=0.5", "en"),
        ("de, en", "de"), ("en, de", "en"), ("*", "en"), ("fr, *;q=0.1", "en"), ("de;q=0", "en"), ("de;q=0, *", "en"),
        ("de;q=x", "en"), ("de;q=-1", "en"), ("de;q=", "en"), ("de;level=1", "en"), ("de ; q=0.2", "de"), ("d", "en"),
        ("de-", "de"), (",,de", "de"), ("x" * 500, "en"), ("de" + "," * 400, "en"),
    ],
)  # fmt: skip
def test_the_best_that_there_is(header: str, language: str) -> None:
    assert wanted([(b"accept-language", header.encode())] if header else [], "en") == language


def test_what_nobody_asks_for_is_the_sites() -> None:
    assert wanted([], "de") == wanted([(b"accept-language", b"fr, *")], "de") == "de"
    assert wanted([(b"accept-language", b"fr, en;q=0.1")], "de") == "en"


def test_two_lines_are_one_list() -> None:
    lines = [(b"accept-language", b"fr"), (b"accept", b"de"), (b"accept-language", b"de;q=0.5")]
    assert wanted(lines, "en") == "de"


def test_what_is_too_long_is_not_kept_either() -> None:
    for value in (b"de" + b"," * 399, b"de" + b"," * 398):
        assert wanted([(b"accept-language", value)], "en") == ("de" if len(value) <= 400 else "en")
    assert wanted([(b"accept-language", b"de" + b"," * 300)] * 2, "en") == "en"
    assert accept_language.best.cache_info().currsize == 1


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_anything_is_an_answer(values: list[bytes]) -> None:
    assert wanted([(b"accept-language", value) for value in values], "en") in LANGUAGES | {"de": ""}
