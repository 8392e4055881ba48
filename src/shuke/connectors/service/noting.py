"""What happened becomes messages: for each endpoint what it wants to know of the changes since it was last told.

Each endpoint remembers the last change that it has its messages for, in the same transaction that makes them, so that
none is made twice and none is left out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from shuke import segments
from shuke.connectors.model import EventKind, State
from shuke.connectors.tables import deliveries, endpoints
from shuke.platform import Database, Transaction, log

__all__ = ["CUSTOMERS_MAX", "TAKEN_MAX", "WAITING_MAX", "note_changes"]

#: Customers in one message.
CUSTOMERS_MAX = 100
#: Changes that become messages in one transaction.
TAKEN_MAX = 10_000
#: Messages that wait for one endpoint; from there on changes stay where they are until some have gone.
WAITING_MAX = 20_000


def note_changes(database: Database, now: datetime) -> int:
    """Make the messages that are due for changes of segments; returns how many were made."""
    with database.read() as tx:
        last = segments.last_change(tx)
        behind = sa.select(endpoints.c.endpoint_id).where(endpoints.c.state == State.ON, endpoints.c.told_to < last)
        endpoint_ids = list(tx.scalars(behind))
    made = 0
    for endpoint_id in endpoint_ids:
        more = True
        while more:
            try:
                with database.begin() as tx:
                    count, more = _note(tx, endpoint_id, now)
            except sa.exc.SQLAlchemyError as reason:
                # The others are told nevertheless; this one has its turn again the next time.
                log.error("no messages made", endpoint_id=str(endpoint_id), exc_info=reason)
                break
            made += count
    return made


def _note(tx: Transaction, endpoint_id: UUID, now: datetime) -> tuple[int, bool]:
    """The next changes for one endpoint: how many messages they made, and whether more changes wait."""
    # What another worker is just telling the same endpoint is looked at when it has done so.
    one = sa.select(endpoints).where(endpoints.c.endpoint_id == endpoint_id, endpoints.c.state == State.ON)
    row = tx.execute(one.with_for_update()).one_or_none()
    if row is None or _waiting(tx, endpoint_id) >= WAITING_MAX:
        return 0, False
    told = segments.changes_after(row.told_to, TAKEN_MAX).subquery("told")
    reached, count = tx.execute(sa.select(sa.func.max(told.c.change_id), sa.func.count()).select_from(told)).one()
    if reached is None:
        return 0, False
    made = tx.execute(
        sa.insert(deliveries).from_select(
            ["endpoint_id", "kind", "body", "customers", "created_at", "due_at"], _messages(row, reached, now)
        ),
        execution_options={"preserve_rowcount": True},
    ).rowcount
    tx.execute(sa.update(endpoints).where(endpoints.c.endpoint_id == endpoint_id).values(told_to=reached))
    return made, count == TAKEN_MAX


def _waiting(tx: Transaction, endpoint_id: UUID) -> int:
    waits = sa.select(deliveries.c.delivery_id).where(
        deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "waiting"
    )
    return tx.scalar(sa.select(sa.func.count()).select_from(waits.limit(WAITING_MAX).subquery())) or 0


def _messages(endpoint: sa.Row[Any], reached: int, now: datetime) -> sa.Select[Any]:
    """One message for at most :data:`CUSTOMERS_MAX` customers who entered, or left, the same version of a segment."""
    told = segments.changes_after(endpoint.told_to, TAKEN_MAX).subquery("told")
    kind = sa.case((told.c.entered, EventKind.SEGMENT_ENTERED.value), else_=EventKind.SEGMENT_LEFT.value)
    of_one = (told.c.segment_id, told.c.entered, told.c.version)
    place = sa.func.row_number().over(partition_by=of_one, order_by=told.c.change_id)
    wanted = [told.c.change_id <= reached, kind.in_(endpoint.kinds)]
    if endpoint.segment_ids:
        wanted.append(told.c.segment_id.in_(endpoint.segment_ids))
    part = (place - 1) // CUSTOMERS_MAX
    rows = sa.select(told, kind.label("kind"), part.label("part")).where(*wanted).subquery("rows")
    customer = sa.func.json_build_object(*("customer_id", rows.c.customer_id, "at", rows.c.at, "why", rows.c.why))
    customers = sa.func.json_agg(aggregate_order_by(customer, rows.c.change_id))
    data = sa.func.json_build_object(
        *("segment_id", rows.c.segment_id, "segment", rows.c.segment, "version", rows.c.version),
        *("customers", customers),
    )
    body = sa.func.json_build_object("type", rows.c.kind, "timestamp", sa.func.max(rows.c.at), "data", data)
    moment = sa.literal(now, sa.DateTime(timezone=True))
    return (
        sa.select(
            sa.literal(endpoint.endpoint_id, sa.Uuid),
            rows.c.kind,
            sa.cast(body, sa.Text),
            sa.func.count(),
            moment,
            moment.label("due_at"),
        )
        .group_by(rows.c.segment_id, rows.c.segment, rows.c.version, rows.c.kind, rows.c.part)
        .order_by(sa.func.min(rows.c.change_id))
    )
