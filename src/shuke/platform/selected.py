"""What a query finds, as Arrow batches, by way of COPY."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv
from psycopg.abc import Buffer

from shuke.platform.database import Transaction, driver

__all__ = ["Selected", "selected"]

_TEXT_BYTES = 4 * 2**20


class Selected:
    """The rows of a query on their way: ``reader`` hands them on, ``rows`` counts what has gone through."""

    def __init__(self, copy: psycopg.Copy, schema: pa.Schema) -> None:
        self.rows = 0
        self._schema = schema
        self._copy = copy
        self.reader = pa.RecordBatchReader.from_batches(schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for text in _texts(self._copy):
            for batch in _parsed(text, self._schema).to_batches():
                self.rows += batch.num_rows
                yield batch


def _texts(rows: Iterable[Buffer]) -> Iterator[bytes]:
    """Many whole rows at a time; PostgreSQL sends each by itself."""
    text = io.BytesIO()
    for row in rows:
        # Not kept to be joined: the driver's views of rows, held by the thousand, cost more than all else here.
        text.write(row)
        if text.tell() >= _TEXT_BYTES:
            yield text.getvalue()
            text = io.BytesIO()
    if text.tell():
        yield text.getvalue()


def _parsed(text: bytes, schema: pa.Schema) -> pa.Table:
    """Rows as PostgreSQL writes them in CSV."""
    return pacsv.read_csv(
        pa.BufferReader(text),
        # In one block, of which no row reaches out, though values may have line breaks.
        read_options=pacsv.ReadOptions(column_names=schema.names, block_size=len(text) + 1, use_threads=False),
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=schema,
            # PostgreSQL writes null as nothing, and an empty text in quotes.
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
            timestamp_parsers=[pacsv.ISO8601],
        ),
    )


@contextmanager
def selected(tx: Transaction, query: str, schema: pa.Schema) -> Iterator[Selected]:
    """The rows of a query as Arrow batches of this schema, streamed: all of it is in memory neither here nor there."""
    with (
        driver(tx).cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy,
    ):
        yield Selected(copy, schema)
