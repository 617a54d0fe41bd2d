"""Commands that we name are written so that they work where the program was started."""

from __future__ import annotations

from pathlib import Path

import pytest

from fediblog.messages.program import called


@pytest.mark.parametrize(
    ("started", "word"),
    [
        (".venv/bin/fediblog", ".venv/bin/fediblog"),
        ("/opt/fediblog/bin/fediblog", "/opt/fediblog/bin/fediblog"),
        ("/opt/fediblog/__main__.py", "fediblog"),
        ("/a folder/fediblog", "fediblog"),
        ("/{data}/fediblog", "fediblog"),
        ("", "fediblog"),
    ],
)
def test_it_is_called_as_it_was_started(started: str, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert called(started) == word


def test_it_is_called_by_its_name_where_a_shell_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "fediblog"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert called(str(program)) == "fediblog"
