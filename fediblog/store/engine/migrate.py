"""Brings a database to the schema of this version: numbered SQL files, each applied once, in its own transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from msgspec import Struct

from fediblog.errors import Misuse
from fediblog.store.engine import host_migration
from fediblog.store.engine.sql import define
from fediblog.store.posts import search_index, tags
from fediblog.store.tx import EngineName, Tx

_FILE = re.compile(r"(\d{4})_(\w+)\.sql")
_ONLY = re.compile(r"\s*--\s*(sqlite|postgres):(.*)")
_COMMENT = re.compile(r"('(?:[^']|'')*')|--.*")
# What SQL cannot say of a step, done after its statements.
_BESIDE: Mapping[str, Callable[[Tx], None]] = {
    "hashtags": tags.renew_keys,
    "hostnames": host_migration.renew,
    "search": search_index.fill_later,
    "search_beside_the_text": search_index.fill_later,
}
_TABLE = (
    "create table if not exists schema_version (version integer primary key, name text not null, at integer not null)"
)


class Migration(Struct, frozen=True):
    """One step of the schema."""

    version: int
    name: str
    text: str


@cache
def known_migrations() -> tuple[Migration, ...]:
    """Our own steps, in order."""
    return tuple(migrations_in(files("fediblog.store").joinpath("migrations")))


def migrations_in(folder: Traversable) -> list[Migration]:
    """The steps in a folder of files named `NNNN_name.sql`, in order."""
    if not folder.is_dir():
        return []
    named = [(found, entry) for entry in folder.iterdir() if (found := _FILE.fullmatch(entry.name))]
    steps = [Migration(int(found[1]), found[2], entry.read_text("utf-8")) for found, entry in named]
    steps.sort(key=lambda step: step.version)
    if len({step.version for step in steps}) != len(steps):
        raise Misuse("misuse.same-migration")
    return steps


def statements(text: str, engine: EngineName) -> Iterator[str]:
    """The statements of a file that this engine runs; each ends with `;` at the end of a line.

    A line `-- sqlite:` or `-- postgres:` keeps the statement after it for that engine, in that engine's own words.
    """
    only: str | None = None
    lines: list[str] = []
    for line in text.splitlines():
        marked = _ONLY.fullmatch(line)
        if marked and not lines:
            only, line = marked.groups()
        line = _COMMENT.sub(lambda found: found[1] or "", line).rstrip()
        if line:
            lines.append(line)
        if line.endswith(";"):
            yield from _chosen("\n".join(lines)[:-1], only, engine)
            only, lines = None, []
    if lines:
        yield from _chosen("\n".join(lines), only, engine)


def _chosen(statement: str, only: str | None, engine: EngineName) -> Iterator[str]:
    if only is None:
        yield define(statement, engine)
    elif only == engine:
        yield statement


def version(tx: Tx) -> int:
    """The newest step that has been applied; 0 for a new database."""
    row = tx.one("select max(version) as version from schema_version")
    return (row.version if row else None) or 0


def prepare(tx: Tx) -> None:
    """Makes the table that remembers the steps."""
    tx.run(define(_TABLE, tx.engine))


def pending(current: int, steps: Sequence[Migration]) -> list[Migration]:
    """What is still to be applied to a database at this version."""
    newest = max((step.version for step in steps), default=0)
    if current > newest:
        raise Misuse("misuse.database-newer", current=current, newest=newest)
    return [step for step in steps if step.version > current]


def apply(tx: Tx, step: Migration) -> bool:
    """Applies one step, unless another process was faster."""
    if version(tx) >= step.version:
        return False
    for statement in statements(step.text, tx.engine):
        tx.run(statement)
    if step.name in _BESIDE:
        _BESIDE[step.name](tx)
    tx.run(
        "insert into schema_version (version, name, at) values (:version, :name, :at)",
        version=step.version,
        name=step.name,
        at=tx.now,
    )
    return True
