"""One line per unit of work: a stable event name and its facts, with the request's id where there is one."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar

from fediblog.counters import BUGS

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
_LOG = logging.getLogger("fediblog")


def event(name: str, /, level: int = logging.INFO, **facts: object) -> None:
    """Write one line. Never a body, never a secret."""
    if _LOG.isEnabledFor(level):
        _LOG.log(level, name, extra={"facts": facts})


def trouble(name: str, error: BaseException, /, **facts: object) -> None:
    """Write one line and the traceback: for bugs, not for what others do wrong."""
    BUGS.add(name)
    _LOG.error(name, exc_info=error, extra={"facts": facts})


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, object] = getattr(record, "facts", {})
        request = REQUEST_ID.get()
        parts = [self.formatTime(record, "%Y-%m-%dT%H:%M:%S"), record.levelname.lower(), record.getMessage()]
        parts += [f"request={request}"] if request else []
        parts += [f"{key}={_plain(value)}" for key, value in facts.items()]
        line = " ".join(parts)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _plain(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or any(c in text for c in ' "\n\r\t') else text


def configure(level: str = "info") -> None:
    """Send the project's log lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    _LOG.handlers[:] = [handler]
    _LOG.setLevel(level.upper())
    _LOG.propagate = False
