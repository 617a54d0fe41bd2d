"""The guide for writers names what stands on the screen."""

from __future__ import annotations

import re
from pathlib import Path

from fediblog.messages import ENGLISH, catalogue

DOCS = Path(__file__).parent.parent / "docs"


def test_what_is_bold_in_the_first_hour_stands_on_the_screen() -> None:
    chapter = (DOCS / "guide.md").read_text().partition("## From WordPress")[2].partition("\n## ")[0]
    told = {" ".join(each.split()) for each in re.findall(r"\*\*(.+?)\*\*", chapter, re.DOTALL)}
    known = {each for each in catalogue(ENGLISH).messages.values() if isinstance(each, str)}
    assert "Publish" in told
    assert told - known == {"bold"}


def test_every_picture_of_the_guide_is_there() -> None:
    named = re.findall(r"images/[\w-]+\.webp", (DOCS / "guide.md").read_text())
    assert [each for each in named if not (DOCS / each).is_file()] == []
