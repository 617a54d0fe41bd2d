"""A database of another version: only `serve` and `migrate` change it, and only if no older process uses it."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fediblog.cli import worker_lock
from fediblog.cli.command import Command
from fediblog.cli.command_table import COMMANDS
from fediblog.settings import Settings
from fediblog.store.engine.database import connect
from fediblog.store.engine.migrate import Migration, known_migrations
from tests.cli.conftest import Run, Start

STEPS = known_migrations()
NEWEST = STEPS[-1].version
CHANGE_IT = {("serve",), ("migrate",)}
USE_NO_DATABASE = {("demo",), ("restore",)}  # these make a new folder
LATER = Migration(NEWEST + 1, "later", "alter table post add column mood text not null default 'calm';")


def schema(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "fediblog.db")) as db:
        (found,) = db.execute("select max(version) from schema_version").fetchone()
    return int(found)


@pytest.fixture
def older(tmp_path: Path, begun: Path) -> Path:
    """A data folder whose database lacks the last step."""
    folder = tmp_path / "older"
    shutil.copytree(begun, folder)
    (folder / "fediblog.db").unlink()

    async def make() -> None:
        await (await connect(folder / "fediblog.db", migrations=STEPS[:-1])).close()

    asyncio.run(make())
    assert schema(folder) == NEWEST - 1
    return folder


@pytest.fixture
def newer(tmp_path: Path, begun: Path) -> Path:
    """A data folder whose database has one step more than we know."""
    folder = tmp_path / "newer"
    shutil.copytree(begun, folder)

    async def make() -> None:
        await (await connect(folder / "fediblog.db", migrations=[*STEPS, LATER])).close()

    asyncio.run(make())
    return folder


def words_of(command: Command, folder: Path, file: Path) -> list[str]:
    """A call of the command, with something in the place of each argument that it needs."""
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    words = list(command.words)
    for action in parser._actions:
        value = str(action.choices[0]) if isinstance(action.choices, list | tuple) else str(file)
        value = "1" if action.type is int else value
        if not action.option_strings and action.nargs not in ("?", "*"):
            words.append(value)
        elif action.required:
            words += [action.option_strings[-1], value]
    if any("--password-file" in action.option_strings for action in parser._actions):
        words += ["--password-file", "-"]
    if command.words == ("go-live",):
        words += ["--origin", "https://blog.example"]
    return [*words, "--data", str(folder)]


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(each.words) for each in COMMANDS])
def test_no_command_but_two_changes_the_schema(run: Run, older: Path, tmp_path: Path, command: Command) -> None:
    if command.words in CHANGE_IT | USE_NO_DATABASE:
        return
    file = tmp_path / "new-file"
    ran = run(*words_of(command, older, file), stdin="a long enough password")
    assert schema(older) == NEWEST - 1
    assert (ran.status, ran.out) == (2, "")
    assert f"has schema {NEWEST - 1}, and this version of fediblog needs {NEWEST}" in ran.err
    assert "`fediblog migrate`" in ran.err
    assert not file.exists()


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(each.words) for each in COMMANDS])
def test_each_command_says_what_to_do_about_a_newer_schema(
    run: Run, newer: Path, tmp_path: Path, command: Command
) -> None:
    if command.words in USE_NO_DATABASE:
        return
    words = words_of(command, newer, tmp_path / "new-file")
    words += ["--listen", "127.0.0.1:0"] if command.words == ("serve",) else []
    ran = run(*words, stdin="a long enough password")
    assert (ran.status, schema(newer)) == (2, NEWEST + 1)
    assert "Install the newer version again" in ran.err


def test_migrate_and_serve_do_change_it(run: Run, start: Start, older: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(older, other)
    assert run("migrate", "--data", str(older)).status == 0
    assert schema(older) == NEWEST
    process = start("serve", "--data", str(other), "--listen", "127.0.0.1:0", "--origin", "https://blog.example")
    process.until(" is ready: ")
    assert process.end() == 0
    assert schema(other) == NEWEST


def test_migrate_is_refused_while_a_worker_of_the_older_version_runs(run: Run, older: Path) -> None:
    with worker_lock.only_worker(Settings(data=older)):
        ran = run("migrate", "--data", str(older))
        assert (ran.status, schema(older)) == (1, NEWEST - 1)
        assert "a process of the older version still uses it" in ran.err
        web = run("serve", "--data", str(older), "--role", "web", "--listen", "127.0.0.1:0")
        assert (web.status, schema(older)) == (1, NEWEST - 1)
        assert run("migrate", "--data", str(older), "--yes").status == 0
        assert schema(older) == NEWEST
