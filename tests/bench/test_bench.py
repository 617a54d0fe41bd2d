"""The benchmark's own arithmetic; what it measures is not asserted anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import NAMES, read_arguments, wanted_of
from tests.bench.instructions import Instructions
from tests.bench.load import get, post
from tests.bench.measure import Meter, Row, Spent, as_table, cpu_of_family, family, memory, percentile, row

_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_all_is_wanted_if_nothing_is_named() -> None:
    assert {name for members in wanted_of([]).values() for name in members} == set(NAMES)


def test_a_group_and_a_name() -> None:
    assert wanted_of(["deliver", "like"]) == {
        "deliver": {"deliver-warm", "deliver-new", "deliver-dead"},
        "receive": {"like"},
    }


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_arguments(["lik"])
    assert "unknown: lik" in capsys.readouterr().err


def test_instructions_are_added_up_over_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def control(meter: Instructions, what: str) -> None:
        if what == "--dump":
            (tmp_path / "callgrind.1").write_text("version: 1\nsummary: 30\n1 30\ntotals: 30\n")
            (tmp_path / "callgrind.1-02").write_text("version: 1\n1 12\ntotals: 12\n")

    monkeypatch.setattr(Instructions, "_control", control)
    meter = Instructions(1, tmp_path)
    meter.start()
    assert [meter.stop().instructions for _ in range(2)] == [42, 84]
    made = row("x", 2, Spent(server=0.0, database=0.0, seconds=1.0, instructions=3_000_000))
    assert (made.instructions, made.cpu) == (1.5, None)


def test_percentiles() -> None:
    seconds = [each / 1000 for each in range(100)]
    assert (percentile(seconds, 0.5), percentile(seconds, 0.99), percentile([], 0.5)) == (50.0, 99.0, None)
    assert percentile([0.001], 0.99) == 1.0


def test_a_row_counts_the_database_twice_nowhere() -> None:
    made = row("x", 10, Spent(server=0.02, database=0.01, seconds=2.0), [0.001])
    assert made.cpu == pytest.approx(3.0)
    assert made.database == pytest.approx(1.0)
    assert made.rate == 5.0


def test_the_table_leaves_out_what_nobody_has() -> None:
    table = as_table([Row(name="a", operations=1, cpu=1.0, remark="yes"), Row(name="bb", operations=2000)])
    assert table.splitlines() == [
        "| benchmark | operations | CPU ms/op | remark |",
        "| --------- | ---------: | --------: | ------ |",
        "| a         |          1 |     1.000 | yes    |",
        "| bb        |       2000 |           |        |",
    ]


@_LINUX
def test_the_time_of_a_child_counts() -> None:
    meter = Meter(os.getpid())
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.1: pass"], check=True)
    assert meter.stop().server >= 0.08


@_LINUX
def test_another_process_is_measured_from_outside() -> None:
    code = "import time\nwhile time.process_time() < 0.1: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert cpu_of_family(process.pid) >= 0.1
        assert process.pid in family(os.getpid())
        pss, rss = memory(process.pid)
        assert 0 < pss <= rss
        process.communicate(b"\n")


def test_requests_as_buffers() -> None:
    assert get("h", "/p", "*/*", If_None_Match='"e"') == (
        b'GET /p HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nIf-None-Match: "e"\r\n\r\n'
    )
    assert post("/inbox", {"Host": "h"}, b"{}") == b"POST /inbox HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
