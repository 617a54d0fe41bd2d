"""Counts the statements that a call makes, so that none of them asks once for each item of a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from fediblog.store.sqlite_connection import SqliteTx


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that runs on SQLite meanwhile."""
    asked: list[str] = []
    execute = SqliteTx._execute

    def noted(self: SqliteTx, sql: str, params: Mapping[str, Any]) -> Any:
        asked.append(sql)
        return execute(self, sql, params)

    with patch.object(SqliteTx, "_execute", noted):
        yield asked
