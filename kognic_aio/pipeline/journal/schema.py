"""What tables a journal has: those that we make, word for word, and nothing else.

So no trigger, view, index, check or expression of somebody else's runs when the journal is read or written.
"""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from kognic_aio.pipeline.journal.rules import (
    FIRST_SCHEMA,
    FIRST_VERSION,
    MAX_ROW_SIZE,
    SCHEMA,
    SCHEMA_VERSION,
)


def difference(found: Iterable[Sequence[Any]], version: int) -> str | None:
    """What a schema has that this version has not, or lacks; None if it is the same.

    Args:
        found: Rows of `sqlite_master`: type, name, table and SQL.
        version: The version.
    """
    missing = dict(_TABLES[version])
    for kind, name, table, sql in found:
        if kind != "table" or name != table or not isinstance(sql, str) or missing.get(name) != _tidy(sql):
            return f"the {kind!r:.20} {name!r:.100}"
        del missing[name]
    return f"no table {next(iter(missing))!r}" if missing else None


def large_row(version: int) -> str:
    """A query for the first value of a row that is too large for one of ours."""
    queries = [_large_row(name, re.findall(r"(\w+) TEXT", sql)) for name, sql in _TABLES[version].items()]
    return " UNION ALL ".join(queries) + " LIMIT 1"


def _large_row(table: str, texts: Sequence[str]) -> str:
    # Where there is octet_length, SQLite need not load the text.
    length = "octet_length" if sqlite3.sqlite_version_info >= (3, 43) else "length"
    size = " + ".join(f"coalesce({length}({text}), 0)" for text in texts)
    return f"SELECT {texts[0]} FROM {table} WHERE {size} > {MAX_ROW_SIZE}"  # noqa: S608  # names of ours


def _tidy(sql: str) -> str:
    """The SQL without the spaces that do not matter: a column that is added by ALTER TABLE leaves others."""
    return re.sub(r" ?([(),]) ?", r"\1", " ".join(sql.split()))


def _tables(script: str) -> dict[str, str]:
    tables = re.findall(r"CREATE TABLE (\w+) [^;]*", script)
    return dict(zip(tables, (_tidy(sql) for sql in re.findall(r"CREATE TABLE [^;]*", script)), strict=True))


_TABLES = {FIRST_VERSION: _tables(FIRST_SCHEMA), SCHEMA_VERSION: _tables(SCHEMA)}
