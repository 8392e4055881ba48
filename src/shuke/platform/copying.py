"""Columns into a table of PostgreSQL, by way of COPY."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from shuke.platform.database import Transaction, driver

__all__ = ["copy_columns"]


def copy_columns(tx: Transaction, table: str, columns: Mapping[str, Any]) -> int:
    """Arrow's columns, and constants, as CSV into a table: neither side looks at a row in Python.

    At least one is a column; names of table and columns are the program's own. Returns the number of rows.
    """
    rows = next(len(column) for column in columns.values() if isinstance(column, pa.Array | pa.ChunkedArray))
    if not rows:
        return 0
    data = pa.table(
        {
            name: column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.repeat(column, rows)
            for name, column in columns.items()
        }
    )
    sink = pa.BufferOutputStream()
    pacsv.write_csv(data, sink, pacsv.WriteOptions(include_header=False))
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
    with driver(tx).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(memoryview(sink.getvalue()))
    return rows
