"""A data folder for commands, a way to run them in this process, and one to run them as processes of their own."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

import pytest

from fediblog.cli import main

ORIGIN = "https://blog.example"
PASSWORD = "correct horse battery"
PATIENCE = 30.0  # seconds until a process that says nothing is taken for stuck


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str


class Terminal(io.StringIO):
    """Standard input that looks like a terminal."""

    def isatty(self) -> bool:
        return True


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those of the test, and a folder of its own to be in."""
    for name in [name for name in os.environ if name.startswith("FEDIBLOG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process: `run("post", "alice", stdin="Hello")`."""

    def command(*words: str, stdin: str = "", terminal: bool = False) -> Ran:
        monkeypatch.setattr(sys, "stdin", Terminal() if terminal else io.StringIO(stdin))
        status = main(words)
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return command


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the login and the account alice, to be copied."""
    folder = tmp_path_factory.mktemp("begun") / "data"
    secret = folder.with_name("password")
    secret.write_text(f"{PASSWORD}\n")
    for words in (
        ("user", "add", "alice", "--password-file", str(secret), "--origin", ORIGIN),
        ("account", "add", "alice", "alice", "--name", "Alice A."),
    ):
        assert main([*words, "--data", str(folder)]) == 0
    return folder


@dataclass
class Process:
    """`fediblog …` as a process, and the lines that it has said."""

    popen: subprocess.Popen[str]
    lines: Queue[str] = field(default_factory=Queue)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.lines.put(line.rstrip("\n"))

    def until(self, words: str) -> str:
        """The first line that holds these words; waits for it."""
        while True:
            try:
                line = self.lines.get(timeout=PATIENCE)
            except Empty:
                pytest.fail(f"never said {words!r}, but:\n" + "\n".join(self.said))
            self.said.append(line)
            if words in line:
                return line

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.popen.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; the exit code."""
        status = self.popen.wait(timeout=PATIENCE)
        self._reader.join()
        while not self.lines.empty():
            self.said.append(self.lines.get())
        return status


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `fediblog …` as a process; whatever still runs at the end is killed."""
    begun: list[Process] = []

    def process(*words: str, **environment: str) -> Process:
        popen = subprocess.Popen(
            [sys.executable, "-m", "fediblog", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | environment,
        )
        begun.append(Process(popen))
        return begun[-1]

    yield process
    for each in begun:
        with suppress(ProcessLookupError):
            each.popen.kill()
        each.popen.wait()
        assert each.popen.stdout is not None
        each.popen.stdout.close()
