"""The desk that files are opened on: a DuckDB of its own beside the engine, and a folder for what it writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from shuke.platform import close_at_once

#: Enough for sorting and grouping in memory what is sorted and grouped here; DuckDB spills beyond it.
MEMORY_LIMIT = "1GB"
_VECTOR = 2048
_NARROW = 20
_GROUP_CELLS = _NARROW * 60 * _VECTOR


class Desk:
    """Runs DuckDB SQL over files, whichever engine runs the analysis. Keeps the order of rows, which numbers them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.connection = duckdb.connect(
            config={
                "temp_directory": str(folder / "spill"),
                "memory_limit": MEMORY_LIMIT,
                "preserve_insertion_order": True,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self.connection.execute("SET TimeZone = 'UTC'")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The result of a query."""
        return self.connection.execute(sql).fetchall()

    def row(self, sql: str) -> tuple[Any, ...]:
        """The one row of a query."""
        (found,) = self.rows(sql)
        return found

    def write(self, sql: str, name: str, *, columns: int = 1) -> Path:
        """The rows of a query as a Parquet file in the folder."""
        path = self.folder / name
        # Row groups are held in memory until they are whole: the more columns, the fewer rows.
        group = max(_VECTOR, _GROUP_CELLS // max(columns, _NARROW) // _VECTOR * _VECTOR)
        self.connection.execute(f"COPY ({sql}) TO {quoted(path)} (FORMAT parquet, ROW_GROUP_SIZE {group})")
        return path

    def types(self, sql: str) -> dict[str, str]:
        """The columns of a query and their DuckDB types."""
        return {name: kind for name, kind, *_ in self.rows(f"DESCRIBE {sql}")}

    def close(self) -> None:
        """Let go of the connection; the folder belongs to the caller."""
        close_at_once(self.connection)


def quoted(text: str | Path) -> str:
    """A SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def named(column: str) -> str:
    """A SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def listed(texts: Sequence[str]) -> str:
    """A SQL list of strings."""
    return "[" + ", ".join(quoted(text) for text in texts) + "]"
