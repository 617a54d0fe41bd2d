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
from typing import TextIO

from fediblog.counters import BUGS

_LOG = logging.getLogger("fediblog")
_LEVELS = {
    each: logging.getLevelName(each).lower() for each in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
}
_TRACEBACKS = logging.Formatter()
LONGEST = 2000  # characters of a value; what is longer is cut
# What a terminal obeys and what turns the text around it: C0 without tab and line feed, C1, separators of lines, bidi
# controls. And halves of surrogate pairs, which no stream takes.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_ODD = re.compile(f'[ "\\n\\t{_CONTROLS}]')


@dataclass(slots=True)
class Request:
    """A request that is being answered: its id, and facts that its line is to tell at the end."""

    id: str
    facts: dict[str, object] = field(default_factory=dict)


REQUEST: ContextVar[Request | None] = ContextVar("request", default=None)
_Error = tuple[type[BaseException], BaseException, TracebackType | None]
_Cause = _Error | tuple[None, None, None] | None  # as a record may have it


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
    handlers = _LOG.handlers
    if len(handlers) == 1 and isinstance(handlers[0], _Lines) and not _LOG.propagate:
        handlers[0].put(name, level, error, facts)
    else:  # somebody else listens
        _LOG.handle(_record(name, level, error, facts))


def _record(name: str, level: int, error: _Error | None, facts: Mapping[str, object]) -> logging.LogRecord:
    # By hand, since `Logger.log` would first look for the file and the line that call it, which are not written.
    record = logging.LogRecord(_LOG.name, level, "", 0, name, None, error)
    record.facts = facts
    return record


class _Lines(logging.StreamHandler[TextIO]):
    """Writes each line at once and as a whole. Alone, it needs no record of it: those take longer than the line."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._second = (0, "")  # the last one, and how it is written: most lines share it with the line before

    def put(self, name: str, level: int, error: _Error | None, facts: Mapping[str, object]) -> None:
        """Write one line, as `handle` does with a record."""
        self.acquire()
        try:
            self.stream.write(self._text(time.time(), level, name, error, facts) + "\n")
            self.stream.flush()
        except RecursionError:
            raise
        except Exception:
            self.handleError(_record(name, level, error, facts))
        finally:
            self.release()

    def format(self, record: logging.LogRecord) -> str:
        facts: Mapping[str, object] = getattr(record, "facts", {})
        return self._text(record.created, record.levelno, record.getMessage(), record.exc_info, facts)

    def _text(self, created: float, level: int, name: str, error: _Cause, facts: Mapping[str, object]) -> str:
        written = f"{self._time(int(created))} {_LEVELS[level]} {name}"
        if request := REQUEST.get():
            written += f" request={request.id}"
        for key, value in facts.items():
            written += f" {key}={_plain(value)}"
        return f"{written}\n{printable(_TRACEBACKS.formatException(error))}" if error else written

    def _time(self, second: int) -> str:
        known, written = self._second
        if known != second:
            written = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(second))
            self._second = (second, written)
        return written


def _plain(value: object) -> str:
    text = str(value)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    return printable(json.dumps(text, ensure_ascii=False)) if not text or _ODD.search(text) else text


def printable(text: str) -> str:
    """What may be written to a terminal: each control character but tab and line feed stands there as `\\u001b`."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def configure(level: str = "info") -> None:
    """Send the project's log lines to standard error."""
    _LOG.handlers[:] = [_Lines(sys.stderr)]
    _LOG.setLevel(level.upper())
    _LOG.propagate = False
