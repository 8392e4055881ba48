"""Who is in segments: what has been worked out is compared with what is kept; every difference is kept, and told.

Builds and following take turns (:func:`hold`), so that each works on what the other has left. What is worked out lies
in temporary tables of the transaction: ``segment_meant`` (segment_id, customer_id) says whom each segment means,
``segment_asked`` (customer_id, why) who was asked, or is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from shuke import collect, profiles
from shuke.platform import Snapshot, Transaction, written_after
from shuke.segments.tables import changes, segments, touched

__all__ = ["Moved", "asked", "hold", "keep", "meant", "touched_since"]

_LOCK = 7_485_380_073

#: Temporary tables of one transaction.
meant = sa.table("segment_meant", sa.column("segment_id", sa.Uuid), sa.column("customer_id", sa.Uuid))
asked = sa.table("segment_asked", sa.column("customer_id", sa.Uuid), sa.column("why", sa.Text))


@dataclass(frozen=True)
class Moved:
    """How many entered and left a segment."""

    segment_id: UUID
    entered: int
    left: int


def hold(tx: Transaction) -> None:
    """Wait for one's turn at the members, until the end of the transaction; the temporary tables are there then."""
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    for name, columns in (
        ("segment_meant", "segment_id uuid, customer_id uuid"),
        ("segment_asked", "customer_id uuid, why text"),
    ):
        tx.execute(sa.text(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS"))


def touched_since(snapshot: Snapshot) -> sa.Select[tuple[UUID]]:
    """The customers (``customer_id``) of whom anything that trees may ask was written after a snapshot.

    Figures are not looked at: they change for everybody at once.
    """
    told, owners = collect.told_since(snapshot).subquery("told"), profiles.owners().subquery("owners")
    by_fact = sa.select(owners.c.customer_id).join_from(told, owners, owners.c.identity_id == told.c.identity_id)
    noted = sa.select(touched.c.customer_id).where(written_after(touched.c.written_in, snapshot)).cte("noted")
    parts = profiles.parts_of_present().subquery("parts")
    stand = sa.select(parts.c.customer_id).join_from(noted, parts, parts.c.part == noted.c.customer_id)
    return sa.select(sa.union(by_fact, sa.select(noted.c.customer_id), stand).subquery("found").c.customer_id)


def keep(
    tx: Transaction, segment_ids: Iterable[UUID], *, at: datetime, now: datetime, but: bool, why: str = "facts"
) -> list[Moved]:
    """Bring the members of these segments to ``segment_meant``, and tell who came and went on the timeline.

    Args:
        tx: one that holds the members.
        segment_ids: those that were asked.
        at: the moment that the answers are as of.
        now: of the facts' receipt.
        but: whether everybody was asked but those in ``segment_asked``, who stay as they are; else those alone.
        why: of those who are not in ``segment_asked``.
    """
    last = tx.scalar(sa.select(sa.func.coalesce(sa.func.max(changes.c.change_id), 0))) or 0
    values = {"at": at, "why": why, "segments": [str(one) for one in segment_ids]}
    whom = "NOT EXISTS" if but else "EXISTS"
    for statement in (_ENTER, _LEAVE):
        tx.execute(sa.text(statement.format(whom=whom)), values)
    _tell(tx, last, at, now)
    entered = sa.func.count().filter(changes.c.entered)
    left = sa.func.count().filter(~changes.c.entered)
    rows = tx.execute(
        sa.select(changes.c.segment_id, entered, left)
        .where(changes.c.change_id > last)
        .group_by(changes.c.segment_id)
        .order_by(changes.c.segment_id)
    )
    return [Moved(*row) for row in rows]


def _tell(tx: Transaction, after: int, at: datetime, now: datetime) -> None:
    """Who entered and who left, as facts on the timeline, at the first identity of each customer."""
    owners = profiles.owners().subquery("owners")
    first = sa.func.min(owners.c.identity_id)
    named = sa.func.jsonb_build_object(
        *("segment_id", sa.cast(changes.c.segment_id, sa.Text), "segment", segments.c.name)
    )
    collect.record_found_facts(
        tx,
        sa.select(
            sa.literal(now, sa.DateTime(timezone=True)).label("received_at"),
            first.label("identity_id"),
            sa.literal("segment").label("kind"),
            sa.case((changes.c.entered, "entered"), else_="left").label("name"),
            named.label("properties"),
        )
        .join_from(changes, owners, owners.c.customer_id == changes.c.customer_id)
        .join(segments, segments.c.segment_id == changes.c.segment_id)
        .where(changes.c.change_id > after)
        .group_by(changes.c.change_id, changes.c.customer_id, changes.c.entered, changes.c.segment_id, segments.c.name)
        .order_by(first),
        occurred_at=at,
    )


# ``whom`` is EXISTS for those who were asked, NOT EXISTS for all but those.
_ENTER = """
    WITH changed AS (
        INSERT INTO segment_members (segment_id, customer_id, since)
        SELECT m.segment_id, m.customer_id, :at FROM segment_meant m
        WHERE {whom} (SELECT FROM segment_asked a WHERE a.customer_id = m.customer_id)
            AND NOT EXISTS (
                SELECT FROM segment_members k WHERE k.segment_id = m.segment_id AND k.customer_id = m.customer_id
            )
        ORDER BY m.segment_id, m.customer_id
        RETURNING segment_id, customer_id
    )
    INSERT INTO segment_changes (segment_id, customer_id, at, entered, version, why)
    SELECT c.segment_id, c.customer_id, :at, true, s.version, coalesce(a.why, :why)
    FROM changed c JOIN segments s USING (segment_id) LEFT JOIN segment_asked a USING (customer_id)
    ORDER BY c.segment_id, c.customer_id
"""
_LEAVE = """
    WITH changed AS (
        DELETE FROM segment_members k
        WHERE k.segment_id = ANY (CAST(:segments AS uuid[]))
            AND {whom} (SELECT FROM segment_asked a WHERE a.customer_id = k.customer_id)
            AND NOT EXISTS (
                SELECT FROM segment_meant m WHERE m.segment_id = k.segment_id AND m.customer_id = k.customer_id
            )
        RETURNING segment_id, customer_id
    )
    INSERT INTO segment_changes (segment_id, customer_id, at, entered, version, why)
    SELECT c.segment_id, c.customer_id, :at, false, s.version, coalesce(a.why, :why)
    FROM changed c JOIN segments s USING (segment_id) LEFT JOIN segment_asked a USING (customer_id)
    ORDER BY c.segment_id, c.customer_id
"""
