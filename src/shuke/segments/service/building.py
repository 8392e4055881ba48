"""Whom segments mean: worked out of everybody, kept, and told.

A build asks the columns of everybody and keeps what changed: who entered, who left, and why. Each segment is built by
itself, so that one which cannot be asked any more stops no other. Readers see the members of before until those of now
are committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
import sqlalchemy as sa

from shuke import lifecycle
from shuke.base.errors import ShukeError
from shuke.platform import Engine, Transaction, Workplace, copy_columns, duckdb_of, log
from shuke.segments.measures import Subjects
from shuke.segments.measures import dues as dues_of
from shuke.segments.measures import members as members_of
from shuke.segments.model.segment import Segment
from shuke.segments.rules.checking import checked, naming, ranks
from shuke.segments.service.asking import asking
from shuke.segments.service.columns import MEMORY_BYTES_MAX, Columns, columns_now, latest_columns
from shuke.segments.service.definitions import get_segment, list_segments
from shuke.segments.service.following import followable
from shuke.segments.service.membership import asked as asked_table
from shuke.segments.service.membership import hold, keep, touched_since
from shuke.segments.service.sets import Sets
from shuke.segments.service.words import words_of
from shuke.segments.tables import dues, members, segments, touched
from shuke.segments.tables import follow as followed

__all__ = ["Built", "build", "build_all", "build_defined"]

#: How far ahead what time alone changes is found: somewhat longer than from one build of everything to the next.
AHEAD = timedelta(minutes=20)
#: How old columns may be of which one segment is built, and how long whom changes touched is remembered.
COLUMNS_AGE_MAX = timedelta(minutes=30)
TOUCHED_AGE_MAX = timedelta(hours=2)


@dataclass(frozen=True)
class Built:
    """What a build changed."""

    segment_id: UUID
    customers: int
    entered: int
    left: int


def build_all(workplace: Workplace, now: datetime, engine: Engine | None = None) -> list[Built]:
    """Build every segment anew, each in a transaction of its own; one that fails says so, and keeps its members.

    From then on members follow what happens, and for :data:`AHEAD` what time alone changes.

    Args:
        workplace: the installation's.
        now: the moment as of which members are meant.
        engine: what asks the columns, whose workers have to see the data folder; None is DuckDB in this process.
    """
    columns = columns_now(workplace)
    with workplace.database.read() as tx:
        ids = [one.segment_id for one in list_segments(tx)]
    done = []
    with _everybody(workplace, columns, engine) as everybody:
        for segment_id in ids:
            with suppress(*everybody.errors):
                done.append(_built(workplace, segment_id, everybody, now))
        with workplace.database.begin() as tx:
            _expect(tx, workplace, everybody, now)
    # So that nobody waits for them.
    with suppress(ShukeError, duckdb.Error):
        words_of(workplace, columns)
    _keep_members(workplace, columns)
    return done


def build(workplace: Workplace, segment_id: UUID, now: datetime) -> Built:
    """Build one segment anew, of the newest columns where those do: who was touched since is asked by the next round.

    Raises:
        NotFound: ``segments.no_segment``.
        BadInput: what is wrong with its definition by now; it keeps its members, and says so.
    """
    latest = latest_columns(workplace)
    with workplace.database.read() as tx:
        refreshed = lifecycle.last_refresh(tx)
    refresh_id = refreshed.refresh_id if refreshed else None
    if latest is None or latest.refresh_id != refresh_id or now - latest.at > COLUMNS_AGE_MAX:
        latest = columns_now(workplace)
    with _everybody(workplace, latest) as everybody:
        built = _built(workplace, segment_id, everybody, now)
        with workplace.database.begin() as tx:
            _expect(tx, workplace, everybody, now, segment_id)
    return built


def build_defined(workplace: Workplace, segment_id: UUID, now: datetime) -> None:
    """Build a segment that has been defined anew, and those that mean others with it; one that fails says so itself."""
    with workplace.database.read() as tx:
        others = naming(segment_id, asking(tx, workplace, now).vocabulary.segments)
    for one in (segment_id, *sorted(others)):
        with suppress(ShukeError, duckdb.Error):
            build(workplace, one, now)


def _keep_members(workplace: Workplace, columns: Columns) -> None:
    """Keep whom each segment means of the columns, since every preview says whom it shares with them."""
    with workplace.database.read() as tx:
        asked, there = asking(tx, workplace, columns.at), list_segments(tx)
    with Sets(workplace, columns, asked) as sets:
        for one in there:
            with suppress(ShukeError, duckdb.Error):
                sets.of_segment(checked(one.definition, asked.vocabulary))


@dataclass(frozen=True)
class _Everybody:
    """Columns of everybody in an engine, and what comes of a segment that cannot be asked there."""

    columns: Columns
    subjects: Subjects
    errors: tuple[type[Exception], ...]


@contextmanager
def _everybody(workplace: Workplace, columns: Columns, engine: Engine | None = None) -> Iterator[_Everybody]:
    own = duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) if engine is None else nullcontext(engine)
    with own as asked:
        yield _Everybody(columns, columns.subjects(asked), (ShukeError, *asked.errors))


def _built(workplace: Workplace, segment_id: UUID, everybody: _Everybody, now: datetime) -> Built:
    columns, subjects = everybody.columns, everybody.subjects
    try:
        with workplace.database.begin() as tx:
            tx.execute(sa.text("SET LOCAL statement_timeout = 0"))
            hold(tx)
            segment = get_segment(tx, segment_id)
            # No segment goes back in time: what followed since is of a later moment.
            at = max(now, tx.scalar(sa.select(followed.c.at)) or now)
            asked = asking(tx, workplace, at)
            checked(segment.definition, asked.vocabulary)
            tree = asked.whole(segment.definition)
            if ranks(tree):
                at, asked = columns.at, asking(tx, workplace, columns.at)
                if _is_newer(segment, columns):
                    return Built(segment_id, segment.customers or 0, 0, 0)
            else:
                _leave_touched(tx, columns, at)
            found = members_of(tree, subjects, asked.clock, asked.kinds)
            return _kept(tx, segment, _named(found, subjects).to_pyarrow()["id"], at, now)
    except everybody.errors as reason:
        code = reason.code if isinstance(reason, ShukeError) else "segments.engine"
        log.warning("segment not built", segment_id=str(segment_id), reason=code)
        with workplace.database.begin() as tx:
            tx.execute(sa.update(segments).where(segments.c.segment_id == segment_id).values(failed=code))
        raise


def _leave_touched(tx: Transaction, columns: Columns, at: datetime) -> None:
    """Leave out whom anything happened to that is not in the columns, and have them be asked by the next round."""
    found = touched_since(columns.snapshot).add_columns(sa.literal("facts"))
    tx.execute(sa.insert(asked_table).from_select(["customer_id", "why"], found))
    waits = sa.select(dues).where(dues.c.customer_id == asked_table.c.customer_id, dues.c.due_at <= at).exists()
    due = sa.select(asked_table.c.customer_id, sa.literal(at, sa.DateTime(timezone=True)), asked_table.c.why)
    tx.execute(sa.insert(dues).from_select(["customer_id", "due_at", "why"], due.where(~waits)))


def _is_newer(segment: Segment, columns: Columns) -> bool:
    """Whether the segment was built meanwhile, as it is defined now, of columns that were begun later."""
    built = segment.built_at is not None and segment.built_at > columns.at
    return built and segment.built_version == segment.version


def _named(found: ir.Table, subjects: Subjects) -> ir.Table:
    """The same customers with their ids."""
    return found.join(subjects.people.select("customer_id", "id"), "customer_id").drop("customer_id")


def _kept(tx: Transaction, segment: Segment, ids: pa.ChunkedArray, at: datetime, now: datetime) -> Built:
    copy_columns(tx, "segment_meant", {"segment_id": str(segment.segment_id), "customer_id": ids})
    tx.execute(sa.text("ANALYZE segment_meant, segment_asked"))
    why = "facts" if segment.built_version == segment.version else "definition"
    moved = keep(tx, [segment.segment_id], at=at, now=now, but=True, why=why)
    of_it = sa.select(sa.func.count()).where(members.c.segment_id == segment.segment_id)
    customers = tx.scalar(of_it) or 0
    built = {"built_version": segment.version, "built_at": at, "customers": customers, "failed": None}
    tx.execute(sa.update(segments).where(segments.c.segment_id == segment.segment_id).values(**built))
    entered, left = (moved[0].entered, moved[0].left) if moved else (0, 0)
    return Built(segment.segment_id, customers, entered, left)


def _expect(
    tx: Transaction,
    workplace: Workplace,
    everybody: _Everybody,
    now: datetime,
    segment_id: UUID | None = None,
) -> None:
    """Note whom time alone will change soon; after a build of everything, in place of what was noted before."""
    hold(tx)
    columns = everybody.columns
    state = tx.execute(sa.select(followed)).one_or_none()
    asked = asking(tx, workplace, now)
    until = now + AHEAD if segment_id is None else (state.until if state else now)
    if state is None:
        tx.execute(sa.insert(followed).values(only_one=True, seen=columns.snapshot.text, at=now, until=until))
    if segment_id is None:
        tx.execute(sa.update(followed).values(until=until))
        tx.execute(sa.delete(dues))
        tx.execute(sa.delete(touched).where(touched.c.at < now - TOUCHED_AGE_MAX))
        _leave_touched(tx, columns, now)
    for one, tree in followable(tx, asked):
        if segment_id in (None, one.segment_id):
            _wait(tx, one, dues_of(tree, everybody.subjects, asked.clock, until, asked.kinds), everybody)


def _wait(tx: Transaction, segment: Segment, found: ir.Table | None, everybody: _Everybody) -> None:
    if found is None:
        return
    try:
        rows = _named(found, everybody.subjects).to_pyarrow()
    except everybody.errors:
        # Time is known ahead for the others nevertheless.
        log.warning("segment not looked ahead for", segment_id=str(segment.segment_id))
        return
    due_at = rows["due_us"].cast(pa.timestamp("us", "UTC"))
    copy_columns(tx, "segment_dues", {"customer_id": rows["id"], "due_at": due_at, "why": "time"})
