"""How good the data are, as they come in: how much of what, what was refused and why, what the events look like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from shuke.collect.model import DataQuality, EventField, EventVolume, SourceHour
from shuke.collect.rules.changes import sudden_changes
from shuke.collect.tables import event_fields, sources, volumes
from shuke.platform import Transaction

__all__ = ["ALL_FIELDS", "DUPLICATE", "FACT", "FieldKey", "VolumeKey", "forget_volumes", "quality", "record"]

FACT = "fact"
DUPLICATE = "duplicate"
#: Stands for all fields together: how many events there were.
ALL_FIELDS = ""
#: Names beyond so many of one source in an hour are counted together.
NAMES_OF_AN_HOUR_MAX = 1_000
OTHER_NAMES = "…"
#: Fields beyond so many of one source are not described.
FIELDS_OF_A_SOURCE_MAX = 10_000
VOLUME_DAYS = 90
#: What one view shows at most.
HOURS_MAX = 24 * 31
EVENTS_SHOWN_MAX = 5_000

#: Source, hour, type of event, its name, and what became of it.
VolumeKey = tuple[int, datetime, str, str, str]
#: Source, type of event, its name, a field, and the field's type.
FieldKey = tuple[int, str, str, str, str]


def record(tx: Transaction, counted: Mapping[VolumeKey, int], fields: Mapping[FieldKey, int], now: datetime) -> None:
    """Add what one pass has counted."""
    counted = _within_limit(tx, counted)
    keys = sorted(counted)
    tx.execute(
        sa.text(
            """
            INSERT INTO volumes AS v (source_id, hour, kind, name, outcome, events)
            SELECT * FROM unnest(CAST(:sources AS integer[]), CAST(:hours AS timestamptz[]), CAST(:kinds AS text[]),
                                 CAST(:names AS text[]), CAST(:outcomes AS text[]), CAST(:events AS bigint[]))
            ON CONFLICT (source_id, hour, kind, name, outcome) DO UPDATE SET events = v.events + excluded.events
            """
        ),
        {
            "sources": [key[0] for key in keys],
            "hours": [key[1] for key in keys],
            "kinds": [key[2] for key in keys],
            "names": [key[3] for key in keys],
            "outcomes": [key[4] for key in keys],
            "events": [counted[key] for key in keys],
        },
    )
    places = sorted(fields)
    tx.execute(
        sa.text(
            """
            WITH given AS (
                SELECT *, EXISTS (
                    SELECT FROM event_fields e WHERE (e.source_id, e.kind, e.name, e.field, e.type) =
                        (g.source_id, g.kind, g.name, g.field, g.type)
                ) AS known
                FROM unnest(CAST(:sources AS integer[]), CAST(:kinds AS text[]), CAST(:names AS text[]),
                            CAST(:fields AS text[]), CAST(:types AS text[]), CAST(:events AS bigint[]))
                    AS g (source_id, kind, name, field, type, events)
            ), room AS (
                SELECT source_id, :limit - count(*) AS fields FROM event_fields
                WHERE source_id = ANY(CAST(:sources AS integer[])) GROUP BY source_id
            ), ranked AS (
                SELECT *, row_number() OVER (PARTITION BY source_id, known ORDER BY kind, name, field, type) AS place
                FROM given LEFT JOIN room USING (source_id)
            )
            INSERT INTO event_fields AS e (source_id, kind, name, field, type, events, first_seen_at, last_seen_at)
            SELECT source_id, kind, name, field, type, events, :now, :now FROM ranked
            WHERE known OR place <= coalesce(fields, :limit)
            ORDER BY source_id, kind, name, field, type
            ON CONFLICT (source_id, kind, name, field, type)
            DO UPDATE SET events = e.events + excluded.events, last_seen_at = excluded.last_seen_at
            """
        ),
        {
            "sources": [key[0] for key in places],
            "kinds": [key[1] for key in places],
            "names": [key[2] for key in places],
            "fields": [key[3] for key in places],
            "types": [key[4] for key in places],
            "events": [fields[key] for key in places],
            "limit": FIELDS_OF_A_SOURCE_MAX,
            "now": now,
        },
    )


def _within_limit(tx: Transaction, counted: Mapping[VolumeKey, int]) -> dict[VolumeKey, int]:
    """The same counts, with names that are too many put together."""
    hours = {(source_id, hour) for source_id, hour, *_ in counted}
    rows = tx.execute(
        sa.select(volumes.c.source_id, volumes.c.hour, volumes.c.name)
        .where(sa.tuple_(volumes.c.source_id, volumes.c.hour).in_(hours))
        .distinct()
    )
    names: dict[tuple[int, datetime], set[str]] = {hour: set() for hour in hours}
    for source_id, hour, name in rows:
        names[(source_id, hour)].add(name)
    within: Counter[VolumeKey] = Counter()
    for (source_id, hour, kind, name, outcome), events in counted.items():
        known = names[(source_id, hour)]
        if name not in known and len(known) >= NAMES_OF_AN_HOUR_MAX:
            within[(source_id, hour, kind, OTHER_NAMES, outcome)] += events
        else:
            known.add(name)
            within[(source_id, hour, kind, name, outcome)] += events
    return dict(within)


def quality(tx: Transaction, *, now: datetime, hours: int = 24, source: str | None = None) -> DataQuality:
    """What came in during the last hours, and what its events look like.

    Sudden changes compare the last full hour with the same hour of the days before.
    """
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=min(hours, HOURS_MAX))
    wanted = sources.c.name == source if source is not None else sa.true()
    joined = volumes.join(sources, sources.c.source_id == volumes.c.source_id)
    total = sa.func.sum(volumes.c.events)
    by_hour = tx.execute(
        sa.select(sources.c.name, volumes.c.hour, volumes.c.outcome, total)
        .select_from(joined)
        .where(volumes.c.hour >= since, wanted)
        .group_by(sources.c.name, volumes.c.hour, volumes.c.outcome)
        .order_by(volumes.c.hour, sources.c.name, volumes.c.outcome)
    )
    hourly = tuple(SourceHour(name, hour, outcome, int(events)) for name, hour, outcome, events in by_hour)
    rejected: Counter[str] = Counter()
    for one in hourly:
        if one.outcome not in (FACT, DUPLICATE):
            rejected[one.outcome] += one.events
    return DataQuality(
        since=since,
        hours=hourly,
        rejects=dict(rejected.most_common()),
        fields=_fields(tx, wanted),
        changes=sudden_changes(_history(tx, wanted, now), now),
    )


def _fields(tx: Transaction, wanted: sa.ColumnElement[bool]) -> tuple[EventField, ...]:
    whole = event_fields.alias("whole")
    same = [whole.c[name] == event_fields.c[name] for name in ("source_id", "kind", "name")]
    columns: list[sa.ColumnElement[Any]] = [
        sources.c.name,
        *(event_fields.c[name] for name in ("kind", "name", "field", "type", "events")),
        whole.c.events,
        *(event_fields.c[name] for name in ("first_seen_at", "last_seen_at")),
    ]
    rows = tx.execute(
        sa.select(*columns)
        .select_from(event_fields)
        .join(sources, sources.c.source_id == event_fields.c.source_id)
        .join(whole, sa.and_(*same, whole.c.field == ALL_FIELDS))
        .where(event_fields.c.field != ALL_FIELDS, wanted)
        .order_by(sources.c.name, *(event_fields.c[name] for name in ("kind", "name", "field", "type")))
        .limit(EVENTS_SHOWN_MAX)
    )
    return tuple(
        EventField(source, kind, name, field, type_, events, events / of, first, last)
        for source, kind, name, field, type_, events, of, first, last in rows
    )


def _history(tx: Transaction, wanted: sa.ColumnElement[bool], now: datetime) -> list[EventVolume]:
    """The facts of the last full hour and of the same hour of the days before, by event."""
    last = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    rows = tx.execute(
        sa.select(sources.c.name, volumes.c.kind, volumes.c.name, volumes.c.hour, volumes.c.events)
        .join(sources, sources.c.source_id == volumes.c.source_id)
        .where(volumes.c.hour.in_([last - timedelta(days=days) for days in range(8)]), wanted)
        .where(volumes.c.outcome == FACT)
        .order_by(sources.c.name, volumes.c.kind, volumes.c.name, volumes.c.hour)
    )
    return [EventVolume(*row) for row in rows]


def forget_volumes(tx: Transaction, now: datetime) -> None:
    """Delete the counts of hours that are longer ago than :data:`VOLUME_DAYS`."""
    tx.execute(sa.delete(volumes).where(volumes.c.hour < now - timedelta(days=VOLUME_DAYS)))
