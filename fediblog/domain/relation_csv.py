"""The files in which people carry their relations from server to server: CSV as Mastodon exports and imports it.

Its columns are not specified anywhere; they are those of Mastodon 4.5 (`app/models/export.rb`). Files of single columns
and lists have no heading there; one is understood where it stands.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

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


def write(kind: str, rows: Iterable[Sequence[str]]) -> str:
    """The file of that kind."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(filter(None, (COLUMNS[kind],)))
    writer.writerows(rows)
    return out.getvalue()


def truth(value: bool) -> str:
    """A flag as it stands in these files."""
    return "true" if value else "false"
