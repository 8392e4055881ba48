"""Facts onto the timeline, many at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from shuke import profiles
from shuke.collect.service.copying import copy_columns, microseconds
from shuke.collect.tables import facts
from shuke.platform import Transaction, driver

__all__ = ["NewFact", "make_months", "record_fact_table", "record_facts", "record_found_facts"]


class NewFact(msgspec.Struct, frozen=True):
    """A fact to be put on the timeline, by the names of the table's columns.

    ``properties`` hold nothing personal; ``original_at`` is what the sender's clock said, where that differs.
    """

    fact_id: UUID
    occurred_at: datetime
    received_at: datetime
    identity_id: int | None
    kind: str
    properties: dict[str, Any]
    name: str = ""
    source_id: int | None = None
    channel: str | None = None
    store: str | None = None
    session: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    order_id: str | None = None
    simulated: bool = False
    original_at: datetime | None = None


_COPY = f"COPY facts ({', '.join(NewFact.__struct_fields__)}) FROM STDIN (FORMAT binary)"
# As what each column goes over the wire: those that the driver is slow at are put into PostgreSQL's own form here.
_TYPES = (
    *("bytea", "bigint", "bigint", "bigint", "text", "bytea", "text", "integer", "text", "text", "text"),
    *("bigint", "text", "text", "boolean", "bigint"),
)
_JSONB_VERSION = b"\x01"


def record_facts(tx: Transaction, new: Sequence[NewFact]) -> None:
    """Put facts on the timeline with one COPY, making the months that they fall into."""
    if not new:
        return
    make_months(tx, (fact.occurred_at for fact in new))
    with driver(tx).cursor() as cursor, cursor.copy(_COPY.encode()) as copy:
        copy.set_types(_TYPES)
        for fact in new:
            copy.write_row(_wire(fact))
    seen = ((fact.identity_id, fact.store) for fact in new if fact.store)
    profiles.note_stores(tx, ((identity, store) for identity, store in seen if identity is not None))


def _wire(fact: NewFact) -> tuple[object, ...]:
    """The fact in the form of `_TYPES`."""
    return (
        fact.fact_id.bytes,
        microseconds(fact.occurred_at),
        microseconds(fact.received_at),
        fact.identity_id,
        fact.kind,
        _JSONB_VERSION + _json(fact.properties),
        fact.name,
        fact.source_id,
        fact.channel,
        fact.store,
        fact.session,
        fact.amount_minor,
        fact.currency,
        fact.order_id,
        fact.simulated,
        fact.original_at and microseconds(fact.original_at),
    )


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
        found: selects columns by the names of :class:`NewFact`, but for ``fact_id``, which is made here, and
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
        new: columns by the names of :class:`NewFact`, ``fact_id`` and ``properties`` as text; those that are not there
            stay empty.
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
