"""A PostgreSQL cluster of the tests' own: in a temporary folder, on a Unix socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

REQUIRED = os.environ.get("FEDIBLOG_REQUIRE_POSTGRES") == "1"
_SPEED = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60")
_PLACE = ("listen_addresses=", "jit=off", "autovacuum=off", "deadlock_timeout=100ms")


def programs() -> Path | None:
    """The folder with PostgreSQL's server programs, of the newest version that is installed."""
    folders = [found.parent for found in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    folders.sort(key=lambda folder: float(folder.parent.name) if folder.parent.name.isdigit() else 0)
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    usable = [folder for folder in folders if (folder / "postgres").exists() and (folder / "pg_ctl").exists()]
    return usable[-1] if usable else None


def _unprivileged() -> dict[str, object]:
    """PostgreSQL refuses to run as root, so there it runs as somebody else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": ()}
    raise RuntimeError("no account to run PostgreSQL with")


def _room() -> str:
    """Where all temporary files are, if that is open to PostgreSQL's user and short: a socket's path has 107 bytes."""
    folder = tempfile.gettempdir()
    return folder if len(folder) < 60 and os.stat(folder).st_mode & stat.S_IXOTH else "/tmp"


class Cluster:
    """A running server; hands out databases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(1)

    def url(self, name: str) -> str:
        return f"postgresql://tests@/{name}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """A new database like the template; its name. To copy its files takes half the time of logging them."""
        name = f"test_{next(self._numbers)}"
        self._run(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            ),
        )
        return name

    def drop(self, name: str) -> None:
        self._run(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_cluster(binaries: Path) -> Iterator[Cluster]:
    """Starts a server for the time of the tests."""
    who = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="fediblog-pg-", dir=_room()))
    if "user" in who:
        os.chown(folder, who["user"], who["group"])  # type: ignore[arg-type]
    data = folder / "data"
    options = " ".join(f"-c {option}" for option in (*_SPEED, *_PLACE, f"unix_socket_directories={folder}"))

    def run(program: str, *args: str) -> None:
        subprocess.run(
            [binaries / program, *args],
            check=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=120,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(folder)},
            **who,  # type: ignore[call-overload]
        )

    try:
        run("initdb", "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "-t", "60", "start")
        try:
            yield Cluster(folder)
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
