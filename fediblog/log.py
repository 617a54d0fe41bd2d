"""One line per unit of work: a stable event name and its facts, with the request's id where there is one."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType

from fediblog.counters import BUGS

_LOG = logging.getLogger("fediblog")
_ODD = re.compile(r'[ "\n\r\t]')


@dataclass(slots=True)
class Request:
    """A request that is being answered: its id, and facts that its line is to tell at the end."""

    id: str
    facts: dict[str, object] = field(default_factory=dict)


REQUEST: ContextVar[Request | None] = ContextVar("request", default=None)
_Error = tuple[type[BaseException], BaseException, TracebackType | None]


def event(name: str, /, level: int = logging.INFO, **facts: object) -> None:
    """Write one line. Never a body, never a secret."""
    line(name, facts, level)


def line(name: str, facts: Mapping[str, object], level: int = logging.INFO) -> None:
    """As `event`, of facts that were gathered."""
    if _LOG.isEnabledFor(level):
        _write(name, level, None, facts)


def outcome(name: str, /, **facts: object) -> None:
    """What came of a unit of work: told by the line of the request that it is, or else by a line of its own."""
    request = REQUEST.get()
    if request is None:
        line(name, facts)
    else:
        request.facts.update(facts)


def trouble(name: str, error: BaseException, /, **facts: object) -> None:
    """Write one line and the traceback: for bugs, not for what others do wrong."""
    BUGS.add(name)
    if _LOG.isEnabledFor(logging.ERROR):
        _write(name, logging.ERROR, (type(error), error, error.__traceback__), facts)


def _write(name: str, level: int, error: _Error | None, facts: Mapping[str, object]) -> None:
    # By hand, since `Logger.log` would first look for the file and the line that call it, which are not written.
    record = logging.LogRecord(_LOG.name, level, "", 0, name, None, error)
    record.facts = facts
    _LOG.handle(record)


class _Line(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self._second = (0, "")  # the last one, and how it is written: most lines share it with the line before

    def format(self, record: logging.LogRecord) -> str:
        facts: Mapping[str, object] = getattr(record, "facts", {})
        written = f"{self._time(int(record.created))} {record.levelname.lower()} {record.getMessage()}"
        if request := REQUEST.get():
            written += f" request={request.id}"
        for key, value in facts.items():
            written += f" {key}={_plain(value)}"
        return f"{written}\n{self.formatException(record.exc_info)}" if record.exc_info else written

    def _time(self, second: int) -> str:
        known, written = self._second
        if known != second:
            written = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(second))
            self._second = (second, written)
        return written


def _plain(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or _ODD.search(text) else text


def configure(level: str = "info") -> None:
    """Send the project's log lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    _LOG.handlers[:] = [handler]
    _LOG.setLevel(level.upper())
    _LOG.propagate = False
    # What is written of no record need not be found out for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
