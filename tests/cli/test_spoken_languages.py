"""The command line speaks the language of the locale: its refusals, findings, results and help."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.messages.english import english_in


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("doctor", "--data", "nowhere"), "fediblog: In nowhere gibt es noch kein fediblog."),
        (("serve", "--log-level", "loud"), "--log-level ist 'loud': erwartet wird eines von debug, info,"),
        (("serve", "--origin", "ftp://a.example"), "--origin ist 'ftp://a.example': erwartet wird eine Adresse wie"),
        (("migrate", "--data", "nowhere"), "fediblog: In nowhere gibt es keine Datenbank."),
        (("restore", "nothing.tar"), "fediblog: Sag, in welchen neuen Ordner: fediblog restore FILE --data FOLDER"),
        (("doctor", "too", "many"), "Das ist nicht zu verstehen: too many"),
    ],
)
def test_a_refusal_is_german_where_the_locale_is(run: Run, words: tuple[str, ...], said: str) -> None:
    ran = run(*words)
    assert ran.status == 2
    assert said in ran.err
    assert not english_in(ran.err.replace("fediblog: ", "").splitlines())


@pytest.mark.usefixtures("german")
def test_the_doctor_speaks_german(run: Run, begun: Path) -> None:
    ran = run("doctor", "--data", str(begun))
    assert ran.status == 1
    assert "GB sind frei in" in ran.out
    assert "Kein Server arbeitet mit diesem Ordner" in ran.out
    parts = [line[17:].removeprefix("  -> ").strip() for line in ran.out.splitlines()]
    assert not english_in(sentence for part in parts for sentence in part.split(". "))


def test_another_locale_is_answered_in_english(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert run("migrate", "--data", "nowhere").err.startswith("fediblog: There is no database in nowhere.")
