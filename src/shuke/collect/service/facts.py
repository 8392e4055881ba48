"""Facts onto the timeline, many at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from shuke import profiles
from shuke.collect.model import Event
from shuke.collect.tables import facts
from shuke.platform import Transaction, copy_columns, driver

__all__ = [
    "PreparedFact",
    "make_months",
    "microseconds",
    "prepared",
    "record_fact_table",
    "record_facts",
    "record_found_facts",
]


class PreparedFact(msgspec.Struct, frozen=True, gc=False):
    """A fact in the form in which PostgreSQL takes it, without the identity that it belongs to."""

    occurred_at: datetime
    store: str | None
    columns: tuple[object, ...]


# As what each column goes over the wire: those that the driver is slow at are put into PostgreSQL's own form here.
_WIRE = {
    "identity_id": "bigint",
    "fact_id": "bytea",
    "occurred_at": "bigint",
    "received_at": "bigint",
    "kind": "text",
    "properties": "bytea",
    "name": "text",
    "source_id": "integer",
    "channel": "text",
    "store": "text",
    "session": "text",
    "amount_minor": "bigint",
    "currency": "text",
    "order_id": "text",
    "original_at": "bigint",
}
_COPY = f"COPY facts ({', '.join(_WIRE)}) FROM STDIN (FORMAT binary)"
_JSONB_VERSION = b"\x01"
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """A moment as a binary COPY has it: since PostgreSQL's epoch."""
    return (moment - _POSTGRES_EPOCH) // _MICROSECOND


def prepared(event: Event, *, fact_id: UUID, source_id: int) -> PreparedFact:
    """What can be done before it is known whose the fact is."""
    columns = (
        fact_id.bytes,
        microseconds(event.occurred_at),
        microseconds(event.received_at),
        event.kind,
        _JSONB_VERSION + _json(event.properties),
        event.name,
        source_id,
        event.channel,
        event.store,
        event.session,
        event.amount_minor,
        event.currency,
        event.order_id,
        event.original_at and microseconds(event.original_at),
    )
    return PreparedFact(event.occurred_at, event.store, columns)


def record_facts(tx: Transaction, new: Sequence[tuple[int, PreparedFact]]) -> None:
    """Put facts of identities on the timeline with one COPY, making the months that they fall into."""
    if not new:
        return
    make_months(tx, (fact.occurred_at for _, fact in new))
    with driver(tx).cursor() as cursor, cursor.copy(_COPY.encode()) as copy:
        copy.set_types(tuple(_WIRE.values()))
        for identity_id, fact in new:
            copy.write_row((identity_id, *fact.columns))
    profiles.note_stores(tx, ((identity_id, fact.store) for identity_id, fact in new if fact.store))


def _json(value: object) -> bytes:
    try:
        return msgspec.json.encode(value)
    except OverflowError:
        # A whole number of more than 64 bits.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def record_found_facts(tx: Transaction, found: sa.Select[Any], *, occurred_at: datetime) -> int:
    """Put what a query finds on the timeline, as one statement; returns how many facts that were.

    Args:
        tx: the caller's.
        found: selects columns by their names in the table, but for ``fact_id``, which is made here, and
            ``occurred_at``.
        occurred_at: when all of it happened.
    """
    make_months(tx, {occurred_at})
    found = found.add_columns(sa.literal(occurred_at, sa.DateTime(timezone=True)).label("occurred_at"))
    rows = found.add_columns(sa.func.gen_random_uuid().label("fact_id"))
    told = facts.insert().from_select(rows.selected_columns.keys(), rows)
    return tx.execute(told, execution_options={"preserve_rowcount": True}).rowcount


def record_fact_table(tx: Transaction, new: pa.Table) -> int:
    """Put the rows of an Arrow table on the timeline with one COPY; returns how many.

    Args:
        tx: the caller's.
        new: columns by their names in the table, ``fact_id`` and ``properties`` as text; those that are not there stay
            empty.
    """
    months = pc.unique(pc.floor_temporal(new["occurred_at"], unit="month"))
    make_months(tx, set(months.to_pylist()))
    rows = copy_columns(tx, "facts", dict(zip(new.column_names, new.columns, strict=True)))
    if {"identity_id", "store"} <= set(new.column_names):
        seen = new.select(["identity_id", "store"]).drop_null().group_by(["identity_id", "store"]).aggregate([])
        profiles.note_stores(tx, zip(seen["identity_id"].to_pylist(), seen["store"].to_pylist(), strict=True))
    return rows


def make_months(tx: Transaction, moments: Iterable[datetime]) -> None:
    """Make the months of the timeline that these moments fall into, where they are not there."""
    in_utc = (moment if moment.tzinfo is UTC else moment.astimezone(UTC) for moment in moments)
    months = [datetime(*month, 1, tzinfo=UTC) for month in sorted({(moment.year, moment.month) for moment in in_utc})]
    tx.execute(
        sa.text("SELECT make_fact_months(month, month) FROM unnest(CAST(:months AS timestamptz[])) AS month"),
        {"months": months},
    )
