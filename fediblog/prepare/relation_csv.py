"""The files in which people carry their relations from server to server: CSV as Mastodon exports and imports it.

Its columns are not specified anywhere; they are those that Mastodon 4.5 writes. Files of single columns and lists have
no heading there; one is understood where it stands, as are files of before, which have fewer columns.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from fediblog.markup.text import tidy
from fediblog.protocol import json_values
from fediblog.protocol.authority import compared_host, origin
from fediblog.protocol.webfinger import parse_domain, parse_handle

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "following": ("Account address", "Show boosts", "Notify on new posts", "Languages"),
    "lists": (),
    "muted": ("Account address", "Hide notifications"),
    "blocked": (),
    "servers": (),
    "bookmarks": (),
    "followers": (),
}
"""The heading of each kind of file; none where Mastodon writes none."""
FILES: Final[dict[str, str]] = {
    "following": "following_accounts.csv",
    "lists": "lists.csv",
    "muted": "muted_accounts.csv",
    "blocked": "blocked_accounts.csv",
    "servers": "blocked_domains.csv",
    "bookmarks": "bookmarks.csv",
}
"""What Mastodon calls each file."""
MOST_LINES: Final = 20_000
"""Lines of one file, as many as Mastodon takes."""
LONGEST: Final = 2_000
"""Characters of a cell; what is longer is cut, and then names nothing."""

Cells = tuple[str, ...]
"""What stands in a line, in the order of `_HEADINGS`; the last of these columns may be missing in files of before."""

_HEADINGS: Final[dict[str, tuple[str, ...]]] = {
    "following": COLUMNS["following"],
    "lists": ("List name", "Account address"),
    "muted": COLUMNS["muted"],
    "blocked": ("Account address",),
    "servers": ("#domain",),
    "bookmarks": ("#uri",),
}
_FIRST = {columns[0].lower() for columns in _HEADINGS.values()}
_NAMES = {  # with which the names of such files begin
    "following": ("following", "follows"),
    "lists": ("lists",),
    "muted": ("muted", "mutes"),
    "blocked": ("blocked_accounts", "blocks"),
    "servers": ("blocked_domains", "domain_blocks"),
    "bookmarks": ("bookmarks",),
}
_NO = {"false", "f", "0", "no", "off"}
_LANGUAGE = re.compile(r"[a-z]{2,3}\Z")


class RelationLine(Struct, frozen=True):
    """One line of a file: its number, from 1 as editors count, and what stands in it."""

    number: int
    cells: Cells

    def name(self, kind: str) -> str:
        """What the line of such a file is about, in the one form that is compared; empty if it names nothing.

        user@host in lower case, with the list behind it in files of lists; a host; the address of a post.
        """
        if kind == "bookmarks":
            return json_values.url(self.cells[0])
        if kind == "servers":
            return parse_domain(compared_host(self.cells[0])) or ""
        acct = self.acct(kind).lower()
        return acct if kind != "lists" or not acct else f"{acct} {self.cells[0]}" if self.cells[0] else ""

    def acct(self, kind: str) -> str:
        """The account that the line of such a file is about, as user@host; empty if it names none."""
        found = parse_handle(self.cells[1 if kind == "lists" else 0])
        return "@".join(found) if found else ""

    def host(self, kind: str) -> str:
        """The server that has to be asked about the line, empty if none has."""
        if kind == "servers":
            return ""
        if kind == "bookmarks":
            return found[1] if (found := origin(self.cells[0])) else ""
        return self.acct(kind).rpartition("@")[2]

    def flag(self, column: int) -> bool | None:
        """Whether a column says yes; None if it says nothing."""
        return means_yes(self.cells[column]) if column < len(self.cells) else None

    @property
    def languages(self) -> list[str] | None:
        """Of a follow: the languages that are shown, none for all; None if the file does not say."""
        if len(self.cells) < 4:
            return None
        named = (each.partition("-")[0].strip() for each in self.cells[3].lower().split(","))
        return list(filter(_LANGUAGE.match, named))


def write(kind: str, rows: Iterable[Sequence[str]], more: Sequence[str] = ()) -> str:
    """The file of that kind; `more` are headings of columns that it has beside its own."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([[*COLUMNS[kind], *more]] if COLUMNS[kind] else [])
    writer.writerows(rows)
    return out.getvalue()


def read(kind: str, data: bytes) -> list[RelationLine]:
    """The lines of a file of that kind that are not empty: the first `MOST_LINES`, and one more if there are more.

    Nothing is refused: a line may name nothing.
    """
    found: list[RelationLine] = []
    places: list[int] = []
    for number, row in rows_of(data):
        if not places:
            places, is_heading = _places(kind, [cell.lower() for cell in row])
            if is_heading:
                continue
        found.append(RelationLine(number, tuple(row[at] if 0 <= at < len(row) else "" for at in places)))
        if len(found) > MOST_LINES:
            break
    return found


def _places(kind: str, first: list[str]) -> tuple[list[int], bool]:
    """Where the columns of the kind stand in each line, without those missing at the end, by the first line.

    -1 is nowhere. And whether that line is a heading.
    """
    wanted, least = [column.lower() for column in _HEADINGS[kind]], 2 if kind == "lists" else 1
    if _FIRST.isdisjoint(first):
        return [*range(max(least, min(len(first), len(wanted))))], False
    places = [first.index(each) if each in first else -1 for each in wanted]
    while len(places) > least and places[-1] < 0:
        places.pop()
    return places, True


def kind_of(file: str, data: bytes) -> str:
    """The kind of file that its headings or its name speak of; empty if neither does."""
    _, first = next(rows_of(data), (0, [""]))
    head = {cell.lower() for cell in first}
    for kind in ("muted", "following", "lists", "servers", "bookmarks"):
        own = set(_HEADINGS[kind]) - {"Account address"}
        if any(each.lower() in head for each in own):
            return kind
    return next((kind for kind, names in _NAMES.items() if file.lower().startswith(names)), "")


def rows_of(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of each line of a CSV file in which anything stands; spreadsheets may have their own encoding."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    rows, number = csv.reader(io.StringIO(text, newline="")), 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error:  # a cell as long as a book: the rest is no table
            yield number, ["…"]
            return
        if row is None:
            return
        cells = [tidy(cell, LONGEST).strip() for cell in row]
        if any(cells):
            yield number, cells
        number = rows.line_num + 1


def means_yes(cell: str) -> bool | None:
    """Whether a cell of these files says yes; None if it says nothing."""
    return cell.lower() not in _NO if cell else None


def truth(value: bool) -> str:
    """A flag as it stands in these files."""
    return "true" if value else "false"
