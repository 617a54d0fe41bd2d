"""The style sheet that all pages have."""

from __future__ import annotations

from importlib.resources import files

import pytest


@pytest.mark.parametrize("selector", [".rest a", ".pager > a:not(.button)", ".fold > summary"])
def test_what_one_presses_below_a_list_is_large_enough(selector: str) -> None:
    """Also the numbers of pages, and the way to the rest of a branch of comments."""
    rules = files("fediblog.web").joinpath("static", "style.css").read_text()
    found = [rule for rule in rules.split("}") if rule.partition("{")[0].strip() == selector]
    assert any("min-block-size: var(--touch)" in rule or "min-block-size: 3.25rem" in rule for rule in found)


def test_what_one_presses_in_an_entry_lies_above_the_link_that_covers_it() -> None:
    """Its warning opens, and does not lead away."""
    rules = files("fediblog.web").joinpath("static", "style.css").read_text()
    [above] = [rule for rule in rules.split("}") if ".entry .actions" in rule and "z-index: 1" in rule]
    assert {".entry .mark a", ".entry .warning", ".entry .actions"} <= {
        *map(str.strip, above.partition("{")[0].split(","))
    }
