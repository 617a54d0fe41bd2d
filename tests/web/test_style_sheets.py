"""The style sheet that all pages have."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from pygments.token import STANDARD_TYPES


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


WEB = files("fediblog.web")
# What classes are for besides looks: programs that read microformats, our scripts, and what other code finds.
HOOKS = re.compile(r"(?:h|p|u|e|dt)-[a-z-]+|older|close|reply|fn-ref|fn-back|footnotes")


def _texts(kind: str) -> str:
    return "\n".join(path.read_text() for path in sorted(Path(str(WEB)).rglob(f"*.{kind}")))


def _styled() -> set[str]:
    """The classes that have a rule in any style sheet."""
    sheets = re.sub(r"/\*.*?\*/|url\([^)]*\)|\"[^\"]*\"", "", _texts("css"), flags=re.DOTALL)
    return {
        name for selectors in re.findall(r"([^{}]*)\{", sheets) for name in re.findall(r"\.([a-zA-Z][\w-]*)", selectors)
    }


def test_each_class_of_a_page_has_a_rule() -> None:
    """Or is there for programs; what a template computes is left out."""
    written = re.findall(r'class="([^"\n]*)"', re.sub(r"\{[%{].*?[%}]\}", "{}", _texts("html")) + _texts("py"))
    used = {name for each in written for name in each.split() if re.fullmatch(r"[\w-]+", name)}
    assert {name for name in used - _styled() if not HOOKS.fullmatch(name)} == set()


def test_each_rule_is_for_a_class_of_a_page() -> None:
    """By its name, or by the beginning that code completes; those of coloured code are made by Pygments."""
    markup = "\n".join(path.read_text() for path in sorted(Path(str(files("fediblog.markup"))).rglob("*.py")))
    code = _texts("html") + _texts("py") + _texts("js") + markup
    words, begun = set(re.findall(r"[\w-]+", code)), set(re.findall(r"([a-z]+-)[{%\"]", code))
    unused = {
        name for name in _styled() - words - set(STANDARD_TYPES.values()) if re.sub("[^-]+$", "", name) not in begun
    }
    assert unused == set()
