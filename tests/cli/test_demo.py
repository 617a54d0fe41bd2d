"""The demo: two servers in processes of their own, and every step seen on the other side."""

from __future__ import annotations

import io
import re
import signal
from pathlib import Path

import pytest
from PIL import Image

from fediblog.cli.demo_steps import paint
from tests.cli.conftest import Start


@pytest.mark.slow
def test_the_demo_plays_to_its_end(start: Start) -> None:
    process = start("demo", "--once")
    status = process.wait()
    said = "\n".join(process.said)
    assert status == 0, said
    assert "NOT seen" not in said
    assert "12 of 12 steps were seen on the other side." in said
    for crossed in ("Follow ann->ben 202, Accept ben->ann 202", "Announce ann->ben 202", "Delete ann->ben 202"):
        assert crossed in said
    assert len(re.findall(r"http://127\.0\.0\.1:\d+/@\w+", said)) >= 5


@pytest.mark.slow
@pytest.mark.parametrize(("number", "said"), [(signal.SIGINT, "Ctrl-C ends the demo"), (signal.SIGTERM, "ann is @")])
def test_the_demo_stays_until_it_is_ended(start: Start, tmp_path: Path, number: int, said: str) -> None:
    """Whichever signal ends it, and how far it has come: nothing is left behind."""
    process = start("demo", TMPDIR=str(tmp_path))
    if number == signal.SIGINT:
        process.until("name ann   password ")
    process.until(said)
    assert list(tmp_path.glob("fediblog-demo-*"))
    assert process.end(number) == 0
    assert process.said[-1] == "The demo has ended; nothing of it is kept."
    assert list(tmp_path.glob("fediblog-demo-*")) == []


def test_the_picture_is_one() -> None:
    assert Image.open(io.BytesIO(paint())).size == (960, 600)
