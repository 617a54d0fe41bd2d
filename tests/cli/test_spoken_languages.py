"""The command line speaks the language of the locale: its refusals, findings, results and help."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from fediblog.cli import main, terminal
from fediblog.cli.command_table import COMMANDS
from tests.cli.conftest import PASSWORD, Run
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
        (("nonsense",), "'nonsense' gibt es nicht (möglich sind "),
        (("user", "add"), "es fehlt: NAME"),
        (("post", "alice", "--title"), "Argument --title: braucht einen Wert"),
        (("post", "alice", "--alt", "a cat"), "--alt beschreibt das Bild davor"),
        (("post", "alice", "--attach", "a.jpg", "--focus", "up"), "--focus ist 'up': erwartet wird X,Y"),
        (("user", "add", "carol"), "fediblog: In fediblog-data gibt es noch kein fediblog."),
    ],
)
def test_a_refusal_is_german_where_the_locale_is(run: Run, words: tuple[str, ...], said: str) -> None:
    ran = run(*words)
    assert ran.status == 2
    assert said in ran.err
    assert not english_in(ran.err.replace("fediblog: ", "").splitlines())


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize("words", [(), *sorted({each.words[:n] for each in COMMANDS for n in (1, 2)})])
def test_help_is_german_where_the_locale_is(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words, "--help")
    assert ran.status == 0
    assert ran.out.startswith("Aufruf: fediblog")
    assert "diese Hilfe zeigen und enden" in ran.out
    lines = [re.sub(r"^ *(?:-[\w -]+(?: [A-Z,]+)?|[A-Z]+)? {2,}", "", line) for line in ran.out.splitlines()]
    assert not english_in([*lines, " ".join(lines), *re.split(r"\n\n|\.\n", ran.out)])


@pytest.mark.usefixtures("german")
def test_results_are_german_where_the_locale_is(run: Run, begun: Path, tmp_path: Path) -> None:
    data = ("--data", str(shutil.copytree(begun, tmp_path / "own")))
    said = [
        run("user", "add", "dora", "--password-file", "-", *data, stdin=PASSWORD),
        run("account", "add", "dora", "dora", *data),
        run("user", "list", *data),
        run("post", "alice", "--draft", *data, stdin="Ein Entwurf"),
        run("emoji", "list", *data),
        run("announce", "list", *data),
        run("backup", "own.tar", *data),
        run("account", "delete", "dora", "--sure", *data),
    ]
    assert [ran.status for ran in said] == [0] * len(said)
    assert "dora (member) ist hinzugefügt." in said[0].out
    assert re.search(r"mit 0 Bilddateien, \d+,\d MB\.", said[6].out)
    assert not english_in(line for ran in said for line in ran.out.splitlines())


@pytest.mark.usefixtures("german")
def test_the_doctor_speaks_german(run: Run, begun: Path) -> None:
    ran = run("doctor", "--data", str(begun))
    assert ran.status == 1
    assert "GB sind frei in" in ran.out
    assert "Kein Server arbeitet mit diesem Ordner" in ran.out
    parts = [line[17:].removeprefix("  -> ").strip() for line in ran.out.splitlines()]
    assert not english_in(sentence for part in parts for sentence in part.split(". "))


def test_another_locale_is_answered_in_english(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "pt_PT.UTF-8")
    assert run("migrate", "--data", "nowhere").err.startswith("fediblog: There is no database in nowhere.")


def test_what_strangers_wrote_does_not_speak_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a result nor a warning nor a refusal."""
    name = "Eve\x1b]0;owned\x07\x9b31m\u202e"
    terminal.say(name)
    terminal.tell("cli.follow-asked", handle="alice", other=name)
    terminal.warn("cli.nobody-called", name=name)
    assert main(["post", name, "--data", "nowhere"]) != 0
    written = capsys.readouterr()
    for text, times in ((written.out, 2), (written.err, 1)):
        assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}
        assert text.count(r"Eve\u001b]0;owned\u0007\u009b31m\u202e") >= times
