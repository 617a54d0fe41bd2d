"""How many instructions a server executes, counted by valgrind's callgrind.

The time that something takes differs by half from hour to hour, and by a factor of two with what runs beside it on the
same core; this number does not. What the kernel does is not in it, nor what a server does each second of itself, which
would be the more the longer it takes.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

from tests.bench.measure import Spent

_NAME = "callgrind"
SLOWER = 1000  # times that a program within valgrind takes, at most


def counting(folder: Path) -> tuple[str, ...]:
    """The program that counts, within which the server is to run; it writes into the folder."""
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed.")
    return ("valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder / _NAME}")


class Instructions:
    """A meter of one process that runs within valgrind."""

    def __init__(self, pid: int, folder: Path) -> None:
        self._pid, self._folder = pid, folder
        self._counted, self._began = 0, 0.0
        self._at_rest = 0.0  # instructions a second

    async def learn_rest(self, seconds: float) -> None:
        """See what the server does when nobody asks for anything; from then on that is no part of what is counted."""
        self.start()
        await asyncio.sleep(seconds)
        spent = self.stop()
        assert spent.instructions is not None
        self._at_rest = spent.instructions / spent.seconds

    def start(self) -> None:
        """Count from here."""
        self._control("--instr=on")
        self._take()
        self._counted, self._began = 0, time.monotonic()

    def stop(self) -> Spent:
        """What was executed since."""
        self._counted += self._take()
        seconds = time.monotonic() - self._began
        return Spent(0.0, 0.0, seconds, max(self._counted - round(self._at_rest * seconds), 0))

    def _take(self) -> int:
        """What was executed since the last time, by all threads."""
        self._control("--dump")
        parts = list(self._folder.glob(f"{_NAME}.*"))
        found = sum(_total(part) for part in parts)
        for part in parts:
            part.unlink()
        return found

    def _control(self, what: str) -> None:
        subprocess.run(["callgrind_control", what, str(self._pid)], check=True, capture_output=True)


def _total(part: Path) -> int:
    """The sum at the end of what callgrind has written."""
    for line in reversed(part.read_text().splitlines()):
        name, _, value = line.partition(":")
        if name in ("totals", "summary"):
            return int(value)
    return 0
