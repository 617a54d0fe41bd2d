"""Keeps the catalogues whole.

`python -m fediblog.messages.catalogues` adds the keys that the code asks for, drops those that nobody asks for, writes
the English sentence above each message that is to be translated, and fills in what CLDR knows. It prints what is
wrong or left to do, and then fails; with `--check` it changes nothing. It needs Babel, the server does not.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from fediblog.messages import ENGLISH, LANGUAGES, catalogue

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ROOT = Path(__file__).parent.parent
CALENDARS = {ENGLISH: "en_GB"}
"""The locale of CLDR for the dates of a language, where it is not that of the same name."""

_HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""
# The place of the key among the arguments of what takes one.
_TAKES_KEY = {
    **{"text": 1, "say": 1, "fault": 1, "Invalid": 1, "Denied": 1},
    **{"phrase": 0, "NotFound": 0, "Gone": 0, "Forbidden": 0, "TooOften": 0, "Unauthorized": 0, "Unsent": 0, "pack": 0},
    **{"Misuse": 0, "translated": 0, "tell": 0, "warn": 0},
}
_DEFAULTS = (
    *("refusal.not-found", "refusal.gone", "refusal.forbidden"),
    *(
        "unavailable.detailed",
        "unavailable.disk-error",
        "unavailable.database-read-only",
        "unavailable.database-damaged",
    ),
)
_BY_REASON = {"Refused": "refusal", "Unavailable": "unavailable"}
_BY_CLDR = ("date.", "month.", "month-alone.", "script.")
_KEY = re.compile(r"[a-z][a-z-]*\.[a-zA-Z0-9_.-]*[a-zA-Z0-9]")
_WORD = re.compile(r"[a-z][a-z-]*\.[a-zA-Z0-9_.-]*")
_IN_TEMPLATE = re.compile(r"\bt\(\s*[\"']([^\"']+)[\"']\s*[,)]")
_LITERAL = re.compile(r"[\"']([a-z][a-z-]*\.[a-zA-Z0-9_.-]*)[\"']")


@dataclass
class Asked:
    """What code and templates ask for: keys with the file that does, and words that may be keys or beginnings of keys.

    `given` has the values that every call with a key gives it.
    """

    keys: dict[str, str] = field(default_factory=dict)
    given: dict[str, set[str]] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)

    def has(self, key: str) -> bool:
        """Whether somebody asks for the key, perhaps with an end that is made up at run time."""
        return key in self.keys or key in self.words or key.startswith(tuple(self._beginnings))

    @property
    def _beginnings(self) -> list[str]:
        return [word for word in self.words if word.endswith((".", "-"))]


@cache
def asked() -> Asked:
    """What all of the source asks for."""
    found = Asked(dict.fromkeys(_DEFAULTS, "errors.py"))
    for path in sorted(ROOT.rglob("*.py")):
        if path.parent.name != "messages":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if path.name != "errors.py":  # where keys are begun, for reasons that others give
                    _note_word(found, node)
                _note_call(found, node, str(path.relative_to(ROOT)))
    for path in sorted(ROOT.rglob("*.html")):
        source = path.read_text(encoding="utf-8")
        found.keys.update(dict.fromkeys(_IN_TEMPLATE.findall(source), path.name))
        found.words.update(_LITERAL.findall(source))
    return found


def _note_word(found: Asked, node: ast.AST) -> None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.fullmatch(node.value):
        found.words.add(node.value)


def _note_call(found: Asked, node: ast.AST, where: str) -> None:
    if not isinstance(node, ast.Call):
        return
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    place, named = _TAKES_KEY.get(name), [each.value for each in node.keywords if each.arg == "key"]
    if name in _BY_REASON and not named and node.args:
        found.keys.update({f"{_BY_REASON[name]}.{reason}": where for reason in _constants(node.args[0])})
    if place is not None:
        named += node.args[place : place + 1]
    given = {each.arg or "" for each in node.keywords} | ({"n"} if name == "TooOften" else set())  # "": it may be any
    for key in (key for each in named for key in _constants(each) if _KEY.fullmatch(key)):
        found.keys[key] = where
        found.given[key] = given & found.given.get(key, given)


def _constants(node: ast.expr) -> Iterator[str]:
    """The strings that an expression may be, as far as they stand there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)


def problems() -> list[str]:
    """What is wrong with the catalogues of all complete languages, in words for those who write code."""
    english = catalogue(ENGLISH).messages
    found = [
        f"{where} asks for {key}: not in the catalogues" for key, where in asked().keys.items() if key not in english
    ]
    found += [f"nobody asks for {key}" for key in english if not key.startswith(_BY_CLDR) and not asked().has(key)]
    for key, given in asked().given.items():
        if "" not in given and (lacking := _kinds(english.get(key, ""))[1] - given - {"program"}):
            found.append(f"{asked().keys[key]} gives {key} no {', '.join(lacking)}")
    for language in LANGUAGES:
        found += [f"{language}: {each}" for each in _problems_of(language)]
    return found


def _problems_of(language: str) -> Iterator[str]:
    english, translated = catalogue(ENGLISH).messages, catalogue(language).messages
    yield from (f"{key} is missing" for key in english if not all(_forms(translated.get(key, ""))))
    yield from (f"{key} is stale" for key in translated if key not in english)
    for key, message in translated.items():
        if key in english and _kinds(message) != _kinds(english[key]):
            yield f"{key} has other values than in English, or no plural where that has one"
    for key, said in conventions(language).items():
        if translated.get(key) != said:
            yield f"{key} is not {said!r}, as in CLDR"
    if path(language).read_text(encoding="utf-8") != _written(language):
        yield "the file is not as the command writes it"


def _forms(message: str | tuple[str, ...]) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else message


def _kinds(message: str | tuple[str, ...]) -> tuple[bool, frozenset[str]]:
    """Whether it depends on a number, and which values it has; a form for one alone need not say the number."""
    names = {name for form in _forms(message) for _, name, _, _ in Formatter().parse(form) if name is not None}
    return isinstance(message, tuple), frozenset(names)


@cache
def conventions(language: str) -> dict[str, str]:
    """What CLDR says: names of months, within a date and alone; the order of day, month and year; which way to read.

    `script.direction` is that of a page, `ltr` or `rtl` (UTS #35, characterOrder).
    """
    from babel import Locale
    from babel.dates import get_month_names

    locale = Locale.parse(CALENDARS.get(language, language))
    found = {"script.direction": locale.text_direction}
    within, alone = get_month_names("wide", "format", locale), get_month_names("wide", "stand-alone", locale)
    for number in range(1, 13):
        found |= {f"month.{number}": within[number], f"month-alone.{number}": alone[number]}
    found["date.day"] = _pattern(locale.date_formats["long"].pattern)
    found["date.month"] = _pattern(locale.datetime_skeletons["yMMMM"].pattern)
    return found


def _pattern(cldr: str) -> str:
    """A pattern of CLDR (UTS #35), such as `d. MMMM y`, with our values."""
    values = {"d": "{day}", "M": "{month}", "L": "{month}", "y": "{year}"}
    return re.sub(r"'([^']*)'|([dMLy])\2*", lambda found: found[1] or values[found[2]], cldr)


def path(language: str) -> Path:
    """Where the catalogue of a language is."""
    return Path(__file__).parent / language / "LC_MESSAGES" / "fediblog.po"


def update() -> None:
    """Write all catalogues anew; what is to be translated stands there with an empty message."""
    for language in LANGUAGES:
        written = _written(language)
        path(language).write_text(written, encoding="utf-8")
    catalogue.cache_clear()


def _written(language: str) -> str:
    """The file of a language as it should be, by what the code asks for and what it has."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    english, translated = catalogue(ENGLISH).messages, catalogue(language).messages
    made: Catalog = Catalog(locale=language, charset="utf-8")
    known = {key for key in english if key.startswith(_BY_CLDR) or asked().has(key)} | set(asked().keys)
    for key in known | set(conventions(language)):
        message = conventions(language).get(key) or translated.get(key, "")
        pattern = english.get(key, "")
        comments = [] if language == ENGLISH or key in conventions(language) else [_forms(pattern)[-1]]
        if isinstance(pattern, tuple):
            made.add((key, key), message or ("", ""), auto_comments=comments)
        else:
            made.add(key, message, auto_comments=comments)
    file = BytesIO()
    write_po(file, made, width=0, omit_header=True, sort_output=True)
    return _HEADER.format(language=language, plural=made.plural_forms) + file.getvalue().decode()


def main() -> int:
    """Mend what can be mended, print the rest; 1 if there is any."""
    if "--check" not in sys.argv[1:]:
        update()
    found = problems()
    print("\n".join(found) or "All catalogues are whole.")  # noqa: T201
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())
