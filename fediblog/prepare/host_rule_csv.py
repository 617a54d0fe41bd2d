"""Lists of rules about servers, as operators hand them on: CSV as Mastodon's administrators export and import it.

Columns are told by the heading; a file without one has names of servers in its first column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from fediblog.prepare.relation_csv import means_yes, rows_of, truth

HEAD: Final = ("#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate")
MOST_LINES: Final = 20_000


class HostLine(Struct, frozen=True):
    """One line: its number from 1, and what it says of which server; the severity is empty where it says none."""

    number: int
    host: str
    severity: str = ""
    reject_media: bool = False
    reject_reports: bool = False
    comment: str = ""


def write(lines: Iterable[HostLine]) -> str:
    """The file, with its heading."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(
        (each.host, each.severity, truth(each.reject_media), truth(each.reject_reports), each.comment, truth(False))
        for each in lines
    )
    return out.getvalue()


def read(data: bytes) -> list[HostLine]:
    """The lines of a file: the first `MOST_LINES`, and one more if there are more. Remarks (`# …`) are left out."""
    found: list[HostLine] = []
    names: Sequence[str] = ("domain",)
    for number, row in rows_of(data):
        bare = [each.lstrip("#").strip().lower() for each in row]
        cells = dict(zip(names, row, strict=False))
        if "domain" in bare and not found:
            names = bare
        elif not row[0].startswith("#") and cells.get("domain"):
            found.append(
                HostLine(
                    number,
                    cells["domain"],
                    cells.get("severity", "").lower(),
                    bool(means_yes(cells.get("reject_media", ""))),
                    bool(means_yes(cells.get("reject_reports", ""))),
                    cells.get("public_comment", "")[:500],
                )
            )
        if len(found) > MOST_LINES:
            break
    return found
