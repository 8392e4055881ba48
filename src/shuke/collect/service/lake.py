"""The copy of facts, orders and what belongs to them in the lake, kept up to date exactly once.

**What is new** is told by transactions, not by clocks or counters: those are given out before a transaction commits, so
that one which commits late would be stepped over. Every fact, and every note of a changed row, carries the number of
the transaction that wrote it. A copy takes those from where the last one ended up to the oldest transaction that was
still running (``pg_snapshot_xmin``): below that number all is decided, above it all is left for the next copy.

**Once**, because that number is the version of the Delta transaction that carries the batch. The lake knows itself how
far it is; there is no second watermark that could be lost between two commits.

Facts are only ever added, so their batches are appended. Of the other tables the keys that changed are looked up as
they are now, and merged; what is not there any more goes.

What is personal is not in the tables that are copied. Their columns are listed here: no attributes, no blind indexes.
"""

# ruff: noqa: S608 - SQL has no parameters for columns and tables; every name in it is ours

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from shuke import catalog, profiles
from shuke.base.errors import Conflict
from shuke.platform import Lake, Transaction, Workplace, decided, log, selected

__all__ = ["LAKE_TABLES", "LakeTable", "copy_to_lake", "forget_copied", "lake_of", "update_lake"]

_LOCK = 7_485_380_061
# From this many small files on, a table is compacted.
COMPACT_FILES = 32
# A change of more rows than these, and than a quarter of the table, is cheaper to write as the whole table.
MERGE_ROWS_MAX = 200_000

_TYPES = {
    "text": pa.string(),
    "whole": pa.int32(),
    "big": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "moment": pa.timestamp("us", "UTC"),
}


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake: its columns in order, those that make its key, and what PostgreSQL calls the key's types.

    Without a key, rows are only ever added. ``computed`` are the columns that PostgreSQL does not have as such.
    ``found`` is how the room whose table it is gives its rows; None for tables of this room.
    """

    name: str
    columns: Mapping[str, pa.DataType]
    key: Mapping[str, str]
    computed: Mapping[str, str] = field(default_factory=dict)
    found: sa.Select[Any] | None = None

    @property
    def source(self) -> str:
        """What PostgreSQL is asked to read from."""
        return self.name if self.found is None else f"({self.found}) AS {self.name}"

    @property
    def schema(self) -> pa.Schema:
        """The columns as Arrow has them."""
        return pa.schema(list(self.columns.items()))

    @property
    def selected(self) -> str:
        """The columns as PostgreSQL is asked for them."""
        return ", ".join(f"{self.computed[name]} AS {name}" if name in self.computed else name for name in self.columns)


def _columns(words: str) -> dict[str, pa.DataType]:
    """``name:type`` for each column."""
    pairs = (word.partition(":") for word in words.split())
    return {name: _TYPES[kind] for name, _, kind in pairs}


LAKE_TABLES: tuple[LakeTable, ...] = (
    LakeTable(
        "facts",
        _columns(
            "fact_id:text occurred_at:moment received_at:moment identity_id:big kind:text name:text source_id:whole"
            " channel:text store:text session:text amount_minor:big currency:text order_id:text simulated:flag"
            " properties:text"
        ),
        key={},
    ),
    LakeTable(
        "orders",
        _columns(
            "source_id:whole order_id:text identity_id:big ordered_at:moment amount_minor:big discount_minor:big"
            " currency:text status:text channel:text store:text region:text cancelled_at:moment"
        ),
        key={"source_id": "integer", "order_id": "text"},
    ),
    LakeTable(
        "order_lines",
        _columns(
            "source_id:whole order_id:text line:whole product_id:text product_name:text category:text brand:text"
            " quantity:number amount_minor:big cost_minor:big"
        ),
        key={"source_id": "integer", "order_id": "text", "line": "integer"},
    ),
    LakeTable(
        "refunds",
        _columns(
            "source_id:whole refund_id:text order_id:text line:whole refunded_at:moment amount_minor:big"
            " currency:text product_id:text fact_id:text"
        ),
        key={"source_id": "integer", "refund_id": "text"},
        # Its fact on the timeline, which knows whose refund it is where nobody knows the order.
        computed={"fact_id": "md5('refund/' || source_id || '/' || refund_id)::uuid"},
    ),
    LakeTable(
        "products",
        _columns(
            "product_id:text name:text category:text brand:text price_minor:big cost_minor:big currency:text"
            " active:flag"
        ),
        key={"product_id": "text"},
        found=catalog.every_product(),
    ),
    LakeTable(
        "costs",
        _columns("channel:text period:day currency:text spend_minor:big"),
        key={"channel": "text", "period": "date", "currency": "text"},
    ),
    # Who an identity belongs to now. The identity itself (a telephone number, say) is not known to the lake.
    LakeTable(
        "identities",
        _columns("identity_id:big customer_id:text"),
        key={"identity_id": "bigint"},
        found=profiles.owners(),
    ),
)


def lake_of(workplace: Workplace) -> Lake:
    """The lake of this data folder, which all workers have to share."""
    return Lake(workplace.settings.data_folder / "lake")


def update_lake(workplace: Workplace, *, rebuild: bool = False, wait: bool = False) -> dict[str, int]:
    """Copy what is new, and forget what the lake has now; opens its own transactions.

    ``wait`` is for another process that is copying to be done.

    Raises:
        Conflict: ``collect.lake_busy`` when another process is copying.
    """
    lake = lake_of(workplace)
    with workplace.database.read() as tx:
        rows = copy_to_lake(tx, lake, rebuild=rebuild, wait=wait)
    with workplace.database.begin() as tx:
        forget_copied(tx, lake)
    return rows


def copy_to_lake(tx: Transaction, lake: Lake, *, rebuild: bool = False, wait: bool = False) -> dict[str, int]:
    """Bring every table of the lake to what ``tx`` sees of decided transactions, each in one Delta commit.

    A table is written whole when it is not there, when ``rebuild`` says so, or when the lake cannot be continued: it is
    a copy of another database (or of this one before it was restored), or is older than the changes that are noted.

    Args:
        tx: reads one state of the database (:meth:`Database.read`).
        lake: where the copy is.
        rebuild: whether to make every table anew, from its first row.
        wait: whether to wait for another process that is copying.

    Returns:
        The rows written, by table.

    Raises:
        Conflict: ``collect.lake_busy`` when another process is copying.
    """
    # This may take as long as it takes, and holds the snapshot meanwhile.
    tx.execute(sa.text("SET LOCAL statement_timeout = 0"))
    tx.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    if wait:
        # What ``tx`` sees is settled before the wait: where the other copied more, nothing is left to do.
        tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    elif not tx.scalar(sa.text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
        raise Conflict("collect.lake_busy")
    app_id = _writer(tx)
    end = decided(tx)
    pruned = {row.table_name: row.below for row in tx.execute(sa.text("SELECT table_name, below FROM lake_pruned"))}
    rows = {}
    for table in LAKE_TABLES:
        reached = lake.version(table.name, app_id=app_id)
        if rebuild or reached is None or reached < pruned.get(table.name, 0):
            log.info("lake table written whole", table=table.name, asked=rebuild)
            rows[table.name] = _replace(tx, lake, table, app_id, end)
        elif reached < end:
            copied = _append if not table.key else _merge
            rows[table.name] = copied(tx, lake, table, app_id, reached, end)
        else:
            rows[table.name] = 0
        if lake.files(table.name) >= COMPACT_FILES:
            lake.compact(table.name)
    return rows


def forget_copied(tx: Transaction, lake: Lake) -> int:
    """Delete the notes of changes that the lake has. Returns how many.

    A crash before this leaves notes of rows that the lake has already, which the next copy does not look at.
    """
    app_id = _writer(tx)
    forgotten = 0
    for table in LAKE_TABLES:
        reached = lake.version(table.name, app_id=app_id)
        if not table.key or reached is None:
            continue
        values = {"table": table.name, "reached": reached}
        done = tx.execute(
            sa.text("DELETE FROM lake_changes WHERE table_name = :table AND written_in < :reached"), values
        )
        forgotten += done.rowcount
        tx.execute(
            sa.text(
                "INSERT INTO lake_pruned (table_name, below) VALUES (:table, :reached)"
                " ON CONFLICT (table_name) DO UPDATE SET below = excluded.below"
                " WHERE lake_pruned.below <> excluded.below"
            ),
            values,
        )
    return forgotten


def _writer(tx: Transaction) -> str:
    """Who writes: this database, on this history of this cluster. Elsewhere the same numbers are other transactions."""
    name = sa.text(
        "SELECT format('shuke/%s/%s/%s', system_identifier, timeline_id, (SELECT oid FROM pg_database"
        " WHERE datname = current_database())) FROM pg_control_system(), pg_control_checkpoint()"
    )
    return str(tx.scalars(name).one())


def _replace(tx: Transaction, lake: Lake, table: LakeTable, app_id: str, decided: int) -> int:
    # A fact above the number would come a second time with the next batch; the other tables are merged anyway.
    where = "" if table.key else f"WHERE written_in < {decided}"
    with selected(tx, f"SELECT {table.selected} FROM {table.source} {where}", table.schema) as found:
        lake.replace(table.name, found.reader, app_id=app_id, version=decided)
    return found.rows


def _append(tx: Transaction, lake: Lake, table: LakeTable, app_id: str, reached: int, decided: int) -> int:
    where = f"WHERE written_in >= {reached} AND written_in < {decided}"
    if not tx.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {table.name} {where})")):
        return 0
    with selected(tx, f"SELECT {table.selected} FROM {table.name} {where}", table.schema) as found:
        lake.write(table.name, found.reader, app_id=app_id, version=decided)
    return found.rows


def _merge(tx: Transaction, lake: Lake, table: LakeTable, app_id: str, reached: int, decided: int) -> int:
    changes = (
        f"SELECT DISTINCT key FROM lake_changes WHERE table_name = '{table.name}'"
        f" AND written_in >= {reached} AND written_in < {decided}"
    )
    changed = tx.execute(sa.text(f"SELECT count(*) FROM ({changes}) AS changes")).scalar_one()
    if not changed:
        return 0
    if changed > MERGE_ROWS_MAX and changed * 4 > lake.rows(table.name):
        return _replace(tx, lake, table, app_id, decided)
    keys = {name: f"key[{place}]::{kind}" for place, (name, kind) in enumerate(table.key.items(), start=1)}
    noted = replace(table, computed={**table.computed, **keys})
    same = " AND ".join(f"{name} = {value}" for name, value in keys.items())
    # As the row is now, which may be newer than the note; the later note then finds the same again.
    query = (
        f"SELECT {noted.selected}, {next(iter(keys))} IS NULL AS gone"
        f" FROM ({changes}) AS changes LEFT JOIN {table.source} ON {same}"
    )
    with selected(tx, query, table.schema.append(pa.field("gone", pa.bool_()))) as found:
        lake.merge(table.name, found.reader, keys=tuple(table.key), gone="gone", app_id=app_id, version=decided)
    return found.rows
