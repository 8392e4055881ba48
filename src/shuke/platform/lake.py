"""The lake: a columnar copy for analysis, as Delta tables that anyone's Spark, DuckDB or Polars can read.

A table is a folder. Every batch goes in as one Delta commit together with an application transaction (the name of the
writer and the version of its batch), so that a batch that is offered twice, after a crash or a retry, is there once.
A reader sees the batches that were committed when it looked, never a part of one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlparse

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from shuke.base.errors import BadInput, CannotSay
from shuke.platform.engines import Engine

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# Files that no reader can need any more: a reader that takes longer than this over one look is not expected.
_KEPT_HOURS = 7 * 24

Batch: TypeAlias = pa.Table | pa.RecordBatchReader


class Lake:
    """Delta tables in one folder.

    Of two processes that offer batches of the same ``app_id`` at once, Delta refuses the later one's commit
    (``deltalake.exceptions.CommitFailedError``), so that neither batch is there twice.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def version(self, name: str, *, app_id: str) -> int | None:
        """The version of this writer's last batch in the table; None where there is no table, or none of its batches.

        Raises:
            BadInput: ``platform.bad_table_name``.
        """
        path = self._path(name)
        if not DeltaTable.is_deltatable(str(path)):
            return None
        found: int | None = DeltaTable(path).transaction_version(app_id)
        return found

    def states(self, *names: str) -> tuple[int | None, ...]:
        """A number for each table that changes with whatever changes in it; None where there is no table.

        Raises:
            BadInput: ``platform.bad_table_name``.
        """
        paths = [self._path(name) for name in names]
        return tuple(DeltaTable(path).version() if DeltaTable.is_deltatable(str(path)) else None for path in paths)

    def write(self, name: str, batch: Batch, *, app_id: str, version: int) -> bool:
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
        write_deltalake(target, batch, mode="append", commit_properties=_committed(app_id, version))
        return True

    def replace(self, name: str, batch: Batch, *, app_id: str, version: int) -> None:
        """Put this batch in the place of everything in the table, and its columns in the place of the columns.

        Readers see the old table until the new one is whole. The version may be lower than the last one.

        Raises:
            BadInput: ``platform.bad_table_name``.
        """
        write_deltalake(
            self._path(name),
            batch,
            mode="overwrite",
            schema_mode="overwrite",
            commit_properties=_committed(app_id, version),
        )

    def merge(self, name: str, batch: Batch, *, keys: Sequence[str], gone: str, app_id: str, version: int) -> bool:
        """Put each row of the batch in the place of the row with the same key, add it where there is none.

        Args:
            name: of a table that is there.
            batch: rows with the columns of the table and ``gone``; no two with the same key.
            keys: the columns that make the key; never null.
            gone: a boolean column of the batch, true for keys whose row is to go.
            app_id: who writes.
            version: as in :meth:`write`.

        Returns:
            False when this writer's batch of this version, or a later one, is already there; nothing changes then.

        Raises:
            CannotSay: ``platform.no_table`` when there is no such table.
            BadInput: ``platform.bad_table_name``.
        """
        table = self._table(name)
        last = table.transaction_version(app_id)
        if last is not None and version <= last:
            return False
        values = {field.name: f"new.{field.name}" for field in batch.schema if field.name != gone}
        merger = table.merge(
            batch,
            " AND ".join(f"old.{key} = new.{key}" for key in keys),
            source_alias="new",
            target_alias="old",
            commit_properties=_committed(app_id, version),
        )
        merger = merger.when_matched_delete(predicate=f"new.{gone}")
        merger = merger.when_matched_update(values, predicate=f"NOT new.{gone}")
        merger.when_not_matched_insert(values, predicate=f"NOT new.{gone}").execute()
        return True

    def read(self, engine: Engine, name: str) -> ir.Table:
        """The table as it stands now, for any engine.

        Raises:
            CannotSay: ``platform.no_table`` when there is no such table.
            BadInput: ``platform.bad_table_name``.
        """
        table = self._table(name)
        # The files of the present version; an older or half-written file is in the folder but not in this list.
        files = [_local(uri) for uri in table.file_uris()]
        return engine.read_parquet(files) if files else engine.upload(table.to_pyarrow_table(), f"lake_{name}")

    def compact(self, name: str) -> int:
        """Merge the small files of many batches into few; rows and transactions stay. Returns the files left.

        Files that were replaced more than a week ago are deleted.
        """
        table = self._table(name)
        table.optimize.compact()
        table.vacuum(retention_hours=_KEPT_HOURS, dry_run=False)
        return len(table.file_uris())

    def files(self, name: str) -> int:
        """How many files the table consists of."""
        return len(self._table(name).file_uris())

    def rows(self, name: str) -> int:
        """How many rows the table has."""
        return int(pc.sum(pa.table(self._table(name).get_add_actions(flatten=True))["num_records"]).as_py() or 0)

    def _table(self, name: str) -> DeltaTable:
        path = self._path(name)
        if not DeltaTable.is_deltatable(str(path)):
            raise CannotSay("platform.no_table", table=name)
        return DeltaTable(path)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise BadInput("platform.bad_table_name", table=name)
        return self.folder / name


def _committed(app_id: str, version: int) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(app_id, version)])


def _local(uri: str) -> Path:
    """The path that Delta names, which it gives with or without a scheme, and percent-encoded either way."""
    return Path(unquote(urlparse(uri).path))
