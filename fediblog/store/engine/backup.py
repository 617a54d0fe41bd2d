"""Copies of the data: of an SQLite file while the server runs, and a dump that either engine can write and load."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from msgspec import Struct

from fediblog.errors import Misuse, Unavailable
from fediblog.store.tx import Row, Scalar, Tx

FORMAT = 1
_BATCH = 500  # rows handed to the database at once
_OWN = "schema_version"  # describes the database, does not belong to the data

_SQLITE_COLUMNS = """
select t.name as name, c.name as field from pragma_table_list t join pragma_table_xinfo(t.name) c
where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite$_%' escape '$' and c.hidden = 0
order by t.name, c.cid"""
# Search columns that PostgreSQL keeps for itself are left out: no other engine has their type.
_POSTGRES_COLUMNS = """
select c.table_name as name, c.column_name as field from information_schema.columns c
join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
and c.data_type in ('bigint', 'integer', 'smallint', 'text', 'bytea', 'double precision', 'real', 'numeric')
order by c.table_name, c.ordinal_position"""
_POSTGRES_REFERENCES = """
select r.relname as name, c.conname as rule from pg_constraint c join pg_class r on r.oid = c.conrelid
where c.contype = 'f' and not c.condeferrable and r.relnamespace = current_schema()::regnamespace"""

# Statements below are put together from names of tables and columns that this database has, always quoted.

Table = tuple[str, list[str], Iterable[Sequence[Scalar]]]


class Header(Struct, frozen=True):
    """The first line of a dump."""

    schema: int
    made: int  # UTC ms


def backup_sqlite(source: Path, target: Path) -> None:
    """Copies an SQLite database as one snapshot, whoever writes meanwhile, and replaces `target` at the end."""
    if not source.is_file():
        raise Misuse("misuse.no-database-file", file=source)
    part = _new_file(target)
    try:
        _copy(source, part)
        os.replace(part, target)
        _sync_folder(target.parent)
    except sqlite3.Error as error:
        raise Unavailable("backup-failed", detail=f"{target}: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _new_file(target: Path) -> Path:
    """A file beside the target that only we may read."""
    try:
        handle, name = tempfile.mkstemp(prefix=target.name + ".", suffix=".part", dir=target.parent)
    except OSError as error:
        raise Misuse("misuse.backup-target", target=target, error=error.strerror) from error
    os.close(handle)
    return Path(name)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source, timeout=10)) as old, closing(sqlite3.connect(target)) as new:
        new.execute("pragma synchronous = full")
        old.backup(new)  # in one step: a read transaction, which in WAL hinders no writer
        new.execute("pragma journal_mode = delete")  # one file, without -wal and -shm
        found = new.execute("pragma quick_check(1)").fetchone()[0]
    if found != "ok":
        raise Unavailable("backup-failed", detail=f"{source}: {found}")


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def tables(tx: Tx) -> dict[str, list[str]]:
    """The tables that hold data, with their columns. Search indexes are made from these and are not listed."""
    found: dict[str, list[str]] = {}
    for row in tx.all(_SQLITE_COLUMNS if tx.engine == "sqlite" else _POSTGRES_COLUMNS):
        found.setdefault(row.name, []).append(row.field)
    found.pop(_OWN, None)
    return found


def dump(tx: Tx) -> Iterator[tuple[str, list[str], Iterator[Row]]]:
    """All data, table after table."""
    for table, columns in tables(tx).items():
        yield table, columns, tx.each(f"select {_list(columns)} from {_quoted(table)}")


def load(tx: Tx, data: Iterable[Table], *, replace: bool = False) -> int:
    """Puts in what `dump` gave, from whichever engine; the number of rows. The database must be empty, or is emptied.

    A table or column that this engine does not have is passed over.
    """
    present = tables(tx)
    rules = _defer(tx)
    _empty(tx, present, replace)
    count = 0
    for table, columns, rows in data:
        known = [index for index, column in enumerate(columns) if column in present.get(table, ())]
        if known:
            _empty(tx, (table,), replace=True)  # of what triggers put in: the dump has it
            count += _insert(tx, table, [columns[index] for index in known], known, rows)
        else:
            count += sum(0 for _ in rows)
    _enforce(tx, rules)
    return count


def _insert(tx: Tx, table: str, columns: list[str], known: list[int], rows: Iterable[Sequence[Scalar]]) -> int:
    names = [f"c{index}" for index in known]
    sql = f"insert into {_quoted(table)} ({_list(columns)}) values (:{', :'.join(names)})"
    count = 0
    source = iter(rows)
    while batch := [{f"c{index}": row[index] for index in known} for row in islice(source, _BATCH)]:
        tx.many(sql, batch)
        count += len(batch)
    return count


def _empty(tx: Tx, present: Iterable[str], replace: bool) -> None:
    for table in present:
        if replace:
            tx.run(f"delete from {_quoted(table)}")
        elif tx.one(f"select 1 as one from {_quoted(table)} limit 1"):
            raise Misuse("misuse.database-not-empty", table=table)


def _defer(tx: Tx) -> list[tuple[str, str]]:
    """Rows refer to rows that come later, so references are checked at the end."""
    if tx.engine == "sqlite":
        tx.run("pragma defer_foreign_keys = on")  # until the commit
        return []
    rules = [(_quoted(row.name), _quoted(row.rule)) for row in tx.all(_POSTGRES_REFERENCES)]
    for table, rule in rules:
        tx.run(f"alter table {table} alter constraint {rule} deferrable initially deferred")
    return rules


def _enforce(tx: Tx, rules: list[tuple[str, str]]) -> None:
    if rules:
        tx.run("set constraints all immediate")
    for table, rule in rules:
        tx.run(f"alter table {table} alter constraint {rule} not deferrable")


def write_dump(tx: Tx, file: TextIO) -> int:
    """Writes all data as lines of JSON: a header, then for each table its columns and its rows, then their number."""
    row = tx.one("select max(version) as version from schema_version")
    _line(file, {"fediblog": FORMAT, "schema": (row and row.version) or 0, "made": tx.now})
    count = 0
    for table, columns, rows in dump(tx):
        _line(file, {"table": table, "columns": columns})
        for row in rows:
            _line(file, [_to_json(value) for value in row])
            count += 1
    _line(file, {"rows": count})
    return count


def read_header(file: TextIO) -> Header:
    """Reads the first line of a dump."""
    header = _parse(file.readline())
    if not isinstance(header, dict) or header.get("fediblog") != FORMAT:
        raise Misuse("misuse.no-dump")
    return Header(int(header["schema"]), int(header["made"]))


def load_dump(tx: Tx, file: TextIO, *, replace: bool = False) -> int:
    """Loads what `write_dump` wrote; the header has been read. The schemas must be the same."""
    return load(tx, _read_tables(file), replace=replace)


def _read_tables(file: TextIO) -> Iterator[Table]:
    reader = _Reader(file)
    while (head := reader.next_head()) is not None:
        yield head["table"], head["columns"], reader.rows()


class _Reader:
    """Reads a dump table by table, and knows at the end whether it is complete."""

    def __init__(self, file: TextIO) -> None:
        self._lines = map(_parse, file)
        self._head: dict[str, Any] | None = None
        self._count = 0
        self._advance()

    def _advance(self) -> list[Any] | None:
        """The next row, or None if something else comes: then that is the head."""
        line = next(self._lines, None)
        if isinstance(line, list):
            self._count += 1
            return line
        if not isinstance(line, dict):
            raise Misuse("misuse.dump-cut-off")
        self._head = line
        return None

    def next_head(self) -> dict[str, Any] | None:
        head, self._head = self._head, None
        if head is None:
            raise Misuse("misuse.dump-damaged")
        if "table" in head:
            return head
        if head.get("rows") != self._count:
            raise Misuse("misuse.dump-incomplete")
        return None

    def rows(self) -> Iterator[list[Scalar]]:
        while (row := self._advance()) is not None:
            yield [_from_json(value) for value in row]


def _line(file: TextIO, value: Any) -> None:
    file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _parse(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise Misuse("misuse.dump-no-json") from error


def _to_json(value: Scalar) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _from_json(value: Any) -> Scalar:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _list(columns: Iterable[str]) -> str:
    return ", ".join(map(_quoted, columns))
