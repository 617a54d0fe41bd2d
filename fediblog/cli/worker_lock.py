"""One worker for each SQLite folder: two would deliver twice, since SQLite cannot share its queues out."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from fediblog.cli.terminal import translated
from fediblog.errors import Refused
from fediblog.settings import Settings
from fediblog.store.engine.database import sqlite_path
from fediblog.store.engine.schema_lock import Upgrade

if sys.platform != "win32":
    import fcntl

LOCK_FILE = "worker.lock"


def upgrade_of(found: Settings, *, yes: bool) -> Upgrade:
    """Whether a process that starts beside a worker may bring the database up to date; `yes`: whatever it does.

    A worker that runs is one of an older version, if the database is: also one so old that it holds no other lock.
    """
    if yes:
        return "force"
    return "held" if is_working(found) else "alone"


def yes_argument(parser: ArgumentParser) -> None:
    """`--yes`."""
    parser.add_argument(
        "--yes",
        action="store_true",
        help=translated("argument.yes"),
    )


def is_alone(found: Settings) -> bool:
    """Whether holding the lock means that nobody else works on this database."""
    return sys.platform != "win32" and sqlite_path(found.database_url) is not None


@contextmanager
def only_worker(found: Settings) -> Iterator[None]:
    """Holds the folder's lock, which the system lets go if we are killed. Raises Refused if another holds it."""
    if not is_alone(found):
        yield
        return
    handle = os.open(found.data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _take(handle):
            raise Refused("already-running", folder=found.data)
        yield
    finally:
        os.close(handle)


def is_working(found: Settings) -> bool | None:
    """Whether a worker runs on this folder; None where that cannot be known."""
    path = found.data / LOCK_FILE
    if not is_alone(found):
        return None
    if not path.exists():
        return False
    handle = os.open(path, os.O_RDWR)
    try:
        return not _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
