"""Counts the statements that a call makes, so that none of them asks once for each item of a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from fediblog.store.engine import sqlite_connection
from fediblog.store.engine.sqlite_connection import SqliteTx


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that runs on SQLite meanwhile."""
    asked: list[str] = []
    execute = SqliteTx._execute

    def noted(self: SqliteTx, sql: str, params: Mapping[str, Any]) -> Any:
        asked.append(sql)
        return execute(self, sql, params)

    # What takes too long on the event loop would begin again on a thread, and be counted twice.
    with patch.object(SqliteTx, "_execute", noted), patch.object(sqlite_connection, "MOST_SECONDS", 60.0):
        yield asked
