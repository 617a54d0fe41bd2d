"""Tokens, emoji and announcements from the command line."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fediblog.store.engine.database import connect
from fediblog.store.people import apps
from fediblog.store.posts import custom_emoji
from fediblog.store.readers import announcements
from tests.cli.conftest import Run


@pytest.fixture
def data(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with alice in it, where commands look by themselves."""
    folder = tmp_path / "data"
    shutil.copytree(begun, folder)
    monkeypatch.setenv("FEDIBLOG_DATA", str(folder))
    return folder


def ask(data: Path, question: Callable[..., Any], *args: Any) -> Any:
    async def look() -> Any:
        db = await connect(data / "fediblog.db", readers=1)
        try:
            return await db.read(question, *args)
        finally:
            await db.close()

    return asyncio.run(look())


def test_a_token_is_printed_and_nothing_else(data: Path, run: Run) -> None:
    made = run("token", "@alice", "--scopes", "read write:statuses", "--name", "the weather script")
    assert (made.status, made.err) == (0, "")
    secret = made.out.removesuffix("\n")
    assert len(secret) > 40
    assert secret.split() == [secret]
    found = ask(data, apps.token, apps.digest(secret))
    assert (found.scopes, found.name) == (("read", "write:statuses"), "the weather script")
    assert secret.encode() not in b"".join(path.read_bytes() for path in data.glob("fediblog.db*"))
    for wrong in (("nobody", "--scopes", "read"), ("alice", "--scopes", "everything"), ("alice", "--scopes", " ")):
        refused = run("token", *wrong)
        assert (refused.status, refused.out) == (1, ""), wrong
        assert refused.err.startswith("fediblog: ")
    assert run("token", "alice").status == 2


def test_emoji_are_added_listed_and_removed(data: Path, run: Run, tmp_path: Path) -> None:
    assert "None yet" in run("emoji", "list").out
    Image.new("RGBA", (64, 32), (200, 80, 20, 128)).save(tmp_path / "cat.png")
    assert ":blobcat:" in run("emoji", "add", ":blobcat:", "cat.png", "--category", "Cats").out
    (found,) = ask(data, custom_emoji.everything)
    assert (found.name, found.category) == ("blobcat", "Cats")
    assert (data / "media" / found.file).exists()
    assert run("emoji", "list").out == ":blobcat:  Cats\n"
    (tmp_path / "large.png").write_bytes(b"x" * 300_000)
    (tmp_path / "text.png").write_text("no picture")
    refused = (
        ("a", "cat.png", 1),
        ("a b", "cat.png", 1),
        ("ok", "text.png", 1),
        ("ok", "large.png", 2),
        ("ok", "x", 2),
    )
    for name, file, status in refused:
        assert run("emoji", "add", name, file).status == status, (name, file)
    assert run("emoji", "remove", "blobcat").status == 0
    assert run("emoji", "remove", "blobcat").status == 1


def test_announcements_are_made_listed_and_removed(data: Path, run: Run) -> None:
    assert "Nothing" in run("announce", "list").out
    made = run("announce", "Back", "soon.", "--until", "2090-05-01T09:00+00:00")
    number = made.out.split()[-1]
    (found,) = ask(data, announcements.everything)
    assert (str(found.id), found.content) == (number, "<p>Back soon.</p>\n")
    assert run("announce", "list").out == f"{number}  until 2090-05-01 09:00 UTC  Back soon.\n"
    assert run("announce", "Late", "--until", "2001-01-01T09:00").status == 1
    assert "--until" in run("announce", "Late", "--until", "tomorrow").err
    assert run("announce", "remove", number).status == 0
    assert run("announce", "remove", number).status == 1
