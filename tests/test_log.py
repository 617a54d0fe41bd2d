"""A line of the log: a time, a level, a name and the facts, which nobody outside can make look like another line."""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator

import pytest

from fediblog import log


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    logger = logging.getLogger("fediblog")
    before = (logger.handlers[:], logger.level, logger.propagate)
    flags = (logging.logThreads, logging.logProcesses, logging.logMultiprocessing)
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    log.configure("info")
    yield stream
    logger.handlers[:], logger.level, logger.propagate = before
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = flags


def test_a_line_says_when_what_and_the_facts(lines: io.StringIO) -> None:
    token = log.REQUEST.set(log.Request("r1"))
    try:
        log.event("inbox.done", kind="Like", n=3, empty="", odd='a "b" c', forged="x\n2025 info owned")
    finally:
        log.REQUEST.reset(token)
    log.event("whispered", logging.DEBUG)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d info inbox\.done request=r1 kind=Like n=3 empty=\"\""
        r' odd="a \\"b\\" c" forged="x\\n2025 info owned"\n',
        lines.getvalue(),
    )


def test_no_value_speaks_to_a_terminal_or_fills_the_log(lines: io.StringIO) -> None:
    """Nor does the text of an error, which may be a stranger's."""
    odd = "".join(map(chr, (*range(32), *range(127, 160), 0x61C, 0x200E, 0x2028, 0x2029, 0x202E, 0x2066)))
    for each in odd:
        log.event("x", path=f"a{each}b")
    log.event("x", path="/" + "x" * 60_000)
    try:
        raise ZeroDivisionError(odd)
    except ZeroDivisionError as error:
        log.trouble("failed", error, uri=odd)
    written = lines.getvalue()
    assert sorted(map(ord, set(written) & set(odd))) == [9, 10]  # which the traceback has
    assert 'path="a\\u001bb"\n' in written
    assert 'path="a\\u202eb"\n' in written
    assert max(map(len, written.splitlines())) < log.LONGEST + 100
    assert log.printable("\ud800") == r"\ud800"  # which no stream takes
    assert log.printable("Zoë 👩\u200d💻\ta\nb") == "Zoë 👩\u200d💻\ta\nb"


def test_what_came_of_a_request_stands_in_its_own_line(lines: io.StringIO) -> None:
    log.outcome("inbox.done", kind="Like")
    assert lines.getvalue().endswith(" info inbox.done kind=Like\n")
    request = log.Request("r1")
    token = log.REQUEST.set(request)
    try:
        log.outcome("inbox.done", kind="Follow")
    finally:
        log.REQUEST.reset(token)
    assert lines.getvalue().count("\n") == 1
    assert request.facts == {"kind": "Follow"}


def _stand_still(monkeypatch: pytest.MonkeyPatch, second: float) -> None:
    monkeypatch.setattr(time, "time", lambda: second)
    monkeypatch.setattr(time, "time_ns", lambda: int(second * 1e9))  # which records ask, from Python 3.13 on


def test_the_time_is_that_of_each_line(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    for second in (1_750_000_000.1, 1_750_000_000.9, 1_750_000_001.0, 1_750_000_000.5):
        _stand_still(monkeypatch, second)
        log.event("x")
    written = [time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(1_750_000_000 + n)) for n in (0, 0, 1, 0)]
    assert lines.getvalue().splitlines() == [f"{each} info x" for each in written]


def test_trouble_comes_with_where_it_began(lines: io.StringIO) -> None:
    try:
        raise ZeroDivisionError("a mistake of ours")
    except ZeroDivisionError as error:
        log.trouble("inbox.failed", error, uri="u:1")
    first, *rest = lines.getvalue().splitlines()
    assert first.endswith(" error inbox.failed uri=u:1")
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "ZeroDivisionError: a mistake of ours"


def _alone() -> logging.Logger:
    """The logger with nobody who listens but what was configured, which is the first."""
    logger = logging.getLogger("fediblog")
    del logger.handlers[1:]
    return logger


def test_a_line_is_the_same_when_somebody_else_listens(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Alone it is written without a record of it; with others who listen it is a record for them and for us."""
    _stand_still(monkeypatch, 1_750_000_000.5)
    logger, written = _alone(), []
    for _ in range(2):
        log.event("seen", logging.WARNING, who="a b", n=1.5)
        log.trouble("failed", ZeroDivisionError("a mistake of ours"), n=2)
        written.append(lines.getvalue())
        lines.seek(lines.truncate(0))
        logger.addHandler(caplog.handler)
    assert written[0] == written[1]
    assert written[0].count("\n") == 3
    assert [record.getMessage() for record in caplog.records] == ["seen", "failed"]


def test_a_line_that_cannot_be_written_breaks_nothing(lines: io.StringIO) -> None:
    class Broken:
        def __str__(self) -> str:
            raise ZeroDivisionError

    _alone()
    log.event("x", what=Broken())
    assert lines.getvalue() == ""
    log.event("x", what="whole")
    assert lines.getvalue().endswith(" info x what=whole\n")
