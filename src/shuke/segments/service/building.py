"""Whom segments mean: worked out of everybody, kept, and told.

A build asks the columns of everybody and keeps what changed: who entered, who left, and why. Each segment is built by
itself, so that one which cannot be asked any more stops no other. Readers see the members of before until those of now
are committed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import duckdb
import ibis
import pyarrow as pa
import pyarrow.csv as pacsv
import sqlalchemy as sa

from shuke import collect, profiles
from shuke.base.errors import ShukeError
from shuke.platform import DuckDBEngine, Transaction, Workplace, driver, duckdb_of, log
from shuke.segments.model.segment import Preview, Segment
from shuke.segments.model.tree import Node
from shuke.segments.rules.checking import checked
from shuke.segments.service.asking import Asking, asking
from shuke.segments.service.columns import MEMORY_BYTES_MAX, Columns, Turns, columns_now, latest_columns
from shuke.segments.service.definitions import get_segment, list_segments
from shuke.segments.service.overlapping import kept_members, meant, sharing
from shuke.segments.service.words import words_of
from shuke.segments.tables import changes, segments

__all__ = ["Built", "build", "build_all", "preview"]

#: Customers that a preview shows.
SOME = 10
#: Previews at once in a process.
AT_ONCE_MAX = 2

_turns = Turns(AT_ONCE_MAX)


@dataclass(frozen=True)
class Built:
    """What a build changed."""

    segment_id: UUID
    customers: int
    entered: int
    left: int


def preview(workplace: Workplace, asked: Asking, tree: Node) -> Preview:
    """Whom a checked tree would mean, by the newest columns and as of them; where there are none yet, they are made.

    Raises NotAvailable ``segments.busy`` when too many others are worked out at the same time.
    """
    with _turns.taken():
        return _preview(workplace, asked, tree)


def _preview(workplace: Workplace, asked: Asking, tree: Node) -> Preview:
    columns = latest_columns(workplace) or columns_now(workplace)
    asked = asked.as_of(columns.at)
    with workplace.database.read() as tx:
        there = list_segments(tx)
    with duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
        found = engine.keep(meant(engine, columns, asked, tree), "meant")
        overlap, compared = sharing(engine, columns, asked, found, there)
        people = columns.subjects(engine).people
        value = ibis.coalesce(people.total_clv_minor, people.historic_clv_minor, 0)
        worth = people.select("customer_id", "id", value=value).join(found, "customer_id")
        sums = worth.aggregate(customers=worth.count(), value=worth["value"].sum()).to_pyarrow().to_pylist()[0]
        first = worth.order_by(worth["value"].desc(), worth.id).limit(SOME)
        return Preview(
            as_of=columns.at,
            customers=sums["customers"],
            everybody=int(people.count().to_pyarrow().as_py()),
            value_minor=int(sums["value"] or 0),
            some=tuple(UUID(one) for one in first.select("id").to_pyarrow()["id"].to_pylist()),
            overlap=overlap,
            compared=compared,
        )


def build_all(workplace: Workplace, now: datetime) -> list[Built]:
    """Build every segment anew, each in a transaction of its own; one that fails says so, and keeps its members."""
    columns = columns_now(workplace)
    with workplace.database.read() as tx:
        ids = [one.segment_id for one in list_segments(tx)]
    done = []
    for segment_id in ids:
        with suppress(ShukeError, duckdb.Error):
            done.append(_built(workplace, segment_id, columns, now))
    # So that nobody waits for them.
    with suppress(ShukeError, duckdb.Error):
        words_of(workplace, columns)
    return done


def build(workplace: Workplace, segment_id: UUID, now: datetime) -> Built:
    """Build one segment anew.

    Raises:
        NotFound: ``segments.no_segment``.
        BadInput: what is wrong with its definition by now; it keeps its members, and says so.
    """
    return _built(workplace, segment_id, columns_now(workplace), now)


def _built(workplace: Workplace, segment_id: UUID, columns: Columns, now: datetime) -> Built:
    try:
        with workplace.database.begin() as tx:
            tx.execute(sa.text("SET LOCAL statement_timeout = 0"))
            tx.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:one, 72))"), {"one": str(segment_id)})
            segment = get_segment(tx, segment_id)
            if _is_newer(segment, columns):
                return Built(segment_id, segment.customers or 0, 0, 0)
            asked = asking(tx, workplace, columns.at)
            checked(segment.definition, asked.vocabulary)
            with duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
                ids = _ids(engine, columns, asked, segment.definition)
            return _kept(tx, segment, ids, columns, now)
    except (ShukeError, duckdb.Error) as reason:
        code = reason.code if isinstance(reason, ShukeError) else "segments.engine"
        log.warning("segment not built", segment_id=str(segment_id), reason=code)
        with workplace.database.begin() as tx:
            tx.execute(sa.update(segments).where(segments.c.segment_id == segment_id).values(failed=code))
        raise


def _is_newer(segment: Segment, columns: Columns) -> bool:
    """Whether the segment was built meanwhile, as it is defined now, of columns that were begun later."""
    built = segment.built_at is not None and segment.built_at > columns.at
    return built and segment.built_version == segment.version


def _ids(engine: DuckDBEngine, columns: Columns, asked: Asking, tree: Node) -> pa.ChunkedArray:
    found = engine.read_parquet(kept_members(engine, columns, asked, tree))
    return found.join(columns.ids(engine), "customer_id").select("id").to_pyarrow()["id"]


def _kept(tx: Transaction, segment: Segment, ids: pa.ChunkedArray, columns: Columns, now: datetime) -> Built:
    tx.execute(sa.text("CREATE TEMPORARY TABLE meant (customer_id uuid PRIMARY KEY) ON COMMIT DROP"))
    text = pa.BufferOutputStream()
    pacsv.write_csv(pa.table({"customer_id": ids}), text, pacsv.WriteOptions(include_header=False))
    with driver(tx).cursor() as cursor, cursor.copy("COPY meant FROM STDIN (FORMAT csv)") as copy:
        copy.write(memoryview(text.getvalue()))
    tx.execute(sa.text("ANALYZE meant"))
    values = {
        "segment_id": segment.segment_id,
        "version": segment.version,
        "at": columns.at,
        "why": "facts" if segment.built_version == segment.version else "definition",
    }
    entered = tx.execute(sa.text(_ENTER), values).rowcount
    left = tx.execute(sa.text(_LEAVE), values).rowcount
    _tell(tx, segment, columns.at, now)
    customers = len(ids)
    built = {"built_version": segment.version, "built_at": columns.at, "customers": customers, "failed": None}
    tx.execute(sa.update(segments).where(segments.c.segment_id == segment.segment_id).values(**built))
    return Built(segment.segment_id, customers, entered, left)


def _tell(tx: Transaction, segment: Segment, at: datetime, now: datetime) -> None:
    """Who entered and who left, as facts on the timeline, at the first identity of each customer."""
    owners = profiles.owners().subquery("owners")
    first = sa.func.min(owners.c.identity_id)
    named = sa.func.jsonb_build_object(
        *("segment_id", sa.cast(segment.segment_id, sa.Text), "segment", sa.cast(sa.literal(segment.name), sa.Text))
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
        .where(changes.c.segment_id == segment.segment_id, changes.c.at == at)
        .group_by(changes.c.customer_id, changes.c.entered)
        .order_by(first),
        occurred_at=at,
    )


_ENTER = """
    WITH changed AS (
        INSERT INTO segment_members (segment_id, customer_id, since)
        SELECT :segment_id, customer_id, :at FROM meant
        WHERE NOT EXISTS (
            SELECT FROM segment_members m WHERE m.segment_id = :segment_id AND m.customer_id = meant.customer_id
        )
        ORDER BY customer_id
        RETURNING customer_id
    )
    INSERT INTO segment_changes (segment_id, customer_id, at, entered, version, why)
    SELECT :segment_id, customer_id, :at, true, :version, :why FROM changed ORDER BY customer_id
"""
_LEAVE = """
    WITH changed AS (
        DELETE FROM segment_members m
        WHERE m.segment_id = :segment_id AND NOT EXISTS (SELECT FROM meant WHERE meant.customer_id = m.customer_id)
        RETURNING customer_id
    )
    INSERT INTO segment_changes (segment_id, customer_id, at, entered, version, why)
    SELECT :segment_id, customer_id, :at, false, :version, :why FROM changed ORDER BY customer_id
"""
