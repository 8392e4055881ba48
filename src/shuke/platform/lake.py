"""The lake: a columnar copy for analysis, as Delta tables that anyone's Spark, DuckDB or Polars can read.

A table is a folder. Every batch is appended in one Delta commit together with an application transaction (the name of
the writer and the version of its batch), so that a batch that is offered twice, after a crash or a retry, is there
once. A reader sees the batches that were committed when it looked, never a part of one.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import ibis.expr.types as ir
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from shuke.base.errors import BadInput, CannotSay
from shuke.platform.engines import Engine

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class Lake:
    """Delta tables in one folder.

    Of two processes that offer batches of the same ``app_id`` at once, Delta refuses the later one's commit
    (``deltalake.exceptions.CommitFailedError``), so that neither batch is there twice.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, batch: pa.Table | pa.RecordBatchReader, *, app_id: str, version: int) -> bool:
        """Append one batch to the table ``name``, which comes into being with its first batch.

        Args:
            name: of the table: small letters, digits and underscores.
            batch: rows with the columns of the table.
            app_id: who writes.
            version: number of the batch, growing with each batch of this writer.

        Returns:
            False when this writer's batch of this version, or a later one, is already there; nothing changes then.

        Raises:
            BadInput: ``platform.bad_table_name``.
        """
        path = self._path(name)
        target: Path | DeltaTable = path
        if DeltaTable.is_deltatable(str(path)):
            # Delta refuses the commit if another writer's batch of this application came in since this look.
            target = DeltaTable(path)
            last = target.transaction_version(app_id)
            if last is not None and version <= last:
                return False
        write_deltalake(
            target,
            batch,
            mode="append",
            commit_properties=CommitProperties(app_transactions=[Transaction(app_id, version)]),
        )
        return True

    def read(self, engine: Engine, name: str) -> ir.Table:
        """The table as it stands now, for any engine.

        Raises:
            CannotSay: ``platform.no_table`` when there is no such table.
            BadInput: ``platform.bad_table_name``.
        """
        path = self._path(name)
        if not DeltaTable.is_deltatable(str(path)):
            raise CannotSay("platform.no_table", table=name)
        # The files of the present version; an older or half-written file is in the folder but not in this list.
        return engine.read_parquet([_local(uri) for uri in DeltaTable(path).file_uris()])

    def compact(self, name: str) -> int:
        """Merge the small files of many batches into few; rows and transactions stay. Returns the files left."""
        table = DeltaTable(self._path(name))
        table.optimize.compact()
        return len(table.file_uris())

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise BadInput("platform.bad_table_name", table=name)
        return self.folder / name


def _local(uri: str) -> Path:
    """The path that Delta names, which it gives with or without a scheme, and percent-encoded either way."""
    return Path(unquote(urlparse(uri).path))
