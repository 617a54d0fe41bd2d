"""Who uses an SQLite file: each process holds a shared lock beside it, and brings it up to date only while it is alone.

The system lets go of the lock if the process is killed. On PostgreSQL advisory locks do the same.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from fediblog.errors import Misuse, Refused

if sys.platform != "win32":
    import fcntl

Upgrade = Literal["never", "held", "alone", "force"]
"""Whether a database of an older version is brought up to date: `never` (commands that only use it), `alone` (if no
process of the older version uses it), `held` (such a process is known of, so no), `force` (whoever uses it)."""

TRIES = 20
PAUSE = 0.05  # seconds: two new processes that start at once may take each other for an old one, for a moment
SUFFIX = ".lock"


class SchemaLock:
    """The lock of this process on one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path.with_name(path.name + SUFFIX), os.O_RDWR | os.O_CREAT, 0o600)

    def share(self) -> None:
        """Use the file beside others; waits for one that is bringing it up to date."""
        if sys.platform != "win32":
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def alone(self) -> bool:
        """Keep all others out; False if somebody uses the file, and then nothing is held."""
        if sys.platform != "win32":
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                fcntl.flock(self._file, fcntl.LOCK_UN)
                return False
        return True

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)


def may_upgrade(upgrade: Upgrade, current: int, newest: int, alone: Callable[[], bool]) -> bool:
    """Whether the schema may be changed now; False asks to look again: another process may have done it meanwhile.

    Misuse or Refused says what to do first. A new database (`current` is 0) is nobody's yet.
    """
    if current == 0 or upgrade == "force":
        return True
    if upgrade == "never":
        raise Misuse("misuse.database-older", current=current, newest=newest)
    return upgrade == "alone" and alone()


def refuse_in_use(current: int, newest: int) -> None:
    """A process that does not know the newer schema uses the database."""
    raise Refused("database-in-use", current=current, newest=newest)


def wait_until_alone(alone: Callable[[], bool]) -> None:
    """Give others a second to let go: a connection that was closed may be there a moment longer. Refused after that."""
    for _ in range(TRIES):
        if alone():
            return
        wait_a_moment()
    raise Refused("database-used")


def wait_a_moment() -> None:
    """Until the next attempt; in threads, or where nothing else runs yet."""
    time.sleep(random.uniform(0.5, 1.5) * PAUSE)  # noqa: S311 - jitter, so that two part
