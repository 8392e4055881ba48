"""Members follow what happens, within seconds: whom facts and changes touched is asked again, and nobody else.

Each round notes whom transactions have touched that the last round could not see, and asks some of those who are due,
in PostgreSQL, by the same expression that builds ask of everybody. Whom time alone will change was found ahead of time
(:mod:`shuke.segments.measures.dues`) and is due at that moment. Who waits is kept in ``segment_dues``, so that nobody
is forgotten when a worker is stopped.

A tree that compares customers with all others is not followed: builds ask it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import ibis
import ibis.expr.datatypes as dt
import psycopg
import sqlalchemy as sa

from shuke.base.errors import ShukeError
from shuke.platform import Snapshot, Transaction, Workplace, driver, log, snapshot_now
from shuke.segments.measures import dues as dues_of
from shuke.segments.measures import members
from shuke.segments.model.clock import Clock
from shuke.segments.model.kinds import Kind
from shuke.segments.model.segment import Segment
from shuke.segments.model.tree import Node
from shuke.segments.rules.checking import checked, ranks, read_tree, written_tree
from shuke.segments.service.asking import Asking, asking
from shuke.segments.service.definitions import SEGMENTS_MAX, list_segments
from shuke.segments.service.membership import asked as asked_table
from shuke.segments.service.membership import hold, keep, touched_since
from shuke.segments.service.subjects import lay_out, unbound, written
from shuke.segments.tables import dues, segments, touched
from shuke.segments.tables import follow as followed

__all__ = ["NOW_US", "Round", "day_of", "follow", "followable", "now_us", "write_ahead"]

#: Customers who are asked in one transaction.
ROUND_MAX = 10_000
#: From this many that wait on, asking everybody anew is cheaper.
WAITING_MAX = 100_000
# So that what has been written since stays a short range.
_SEEN_SECONDS_MAX = 60
#: The setting of a transaction that says what time it is.
NOW_US = "shuke.now_us"


@ibis.udf.scalar.builtin(name="current_setting", signature=((dt.string,), dt.string))
def _setting(name):  # type: ignore[no-untyped-def] # Ibis reads the signature above
    """PostgreSQL's own."""


@dataclass(frozen=True)
class Round:
    """How many customers were asked again, how many came or went, whether more wait, and whether too many do."""

    asked: int
    moved: int
    more: bool
    too_many: bool


_NOTHING = Round(0, 0, more=False, too_many=False)


def follow(workplace: Workplace, now: datetime) -> Round:
    """Ask those who are due. Nothing is followed before the first build."""
    with workplace.database.begin() as tx:
        if not tx.scalar(sa.select(sa.select(segments).where(segments.c.archived_at.is_(None)).exists())):
            _rest(tx)
            return _NOTHING
        state = tx.execute(sa.select(followed)).one_or_none()
        if state is None:
            # What is noted meanwhile is for the build that is to come.
            return _NOTHING
        hold(tx)
        _note_touched(tx, Snapshot(state.seen), state.at, now)
        waiting = tx.scalar(sa.select(sa.func.count()).select_from(_due(now, WAITING_MAX + 1))) or 0
        if not waiting:
            return _NOTHING
        tx.execute(sa.insert(asked_table).from_select(["customer_id", "why"], _chosen(now)))
        customer_ids = set(tx.scalars(sa.select(asked_table.c.customer_id)))
        tx.execute(
            sa.text("SELECT set_config(:name, :us, true)"), {"name": NOW_US, "us": str(Clock(now, "UTC").now_us)}
        )
        asked = asking(tx, workplace, now)
        lay_out(tx, customer_ids, asked.currency)
        tx.execute(sa.delete(dues).where(dues.c.customer_id.in_(sa.select(asked_table.c.customer_id))))
        followable_now = list(followable(tx, asked))
        asked_ids = [one.segment_id for one, tree in followable_now if _ask(tx, one, tree, asked, state.until)]
        moved = keep(tx, asked_ids, at=now, now=now, but=False)
        for one in moved:
            values = {"customers": segments.c.customers + one.entered - one.left, "built_at": now}
            tx.execute(sa.update(segments).where(segments.c.segment_id == one.segment_id).values(**values))
        return Round(
            len(customer_ids),
            sum(one.entered + one.left for one in moved),
            more=waiting > len(customer_ids),
            too_many=waiting > WAITING_MAX,
        )


def day_of(clock: Clock) -> Clock:
    """The clock at the beginning of its day: all that a statement may know which is asked the whole day."""
    return clock.at(clock.moment(clock.begins_us(clock.today)))


def followable(tx: Transaction, asked: Asking) -> Iterator[tuple[Segment, Node]]:
    """The segments that are followed, with their whole trees; one that cannot be asked any more says so.

    Those are followed whose members are of the definition as it is now, and can be asked for few customers.
    """
    for segment in list_segments(tx):
        try:
            checked(segment.definition, asked.vocabulary)
        except ShukeError as reason:
            _failed(tx, segment, reason.code)
            continue
        whole = asked.whole(segment.definition)
        if segment.built_version == segment.version and not ranks(whole):
            yield segment, whole


def _rest(tx: Transaction) -> None:
    """Remember nothing while there is nothing to follow: the next build begins anew."""
    for table in (followed, dues, touched):
        if tx.scalar(sa.select(sa.select(table).exists())):
            tx.execute(sa.delete(table))


def _note_touched(tx: Transaction, seen: Snapshot, at: datetime, now: datetime) -> None:
    """Have everybody be due who was touched since the last time, and remember what has been seen."""
    # Before what was written is looked for: what ends between the two is found a second time, not missed.
    reached = snapshot_now(tx)
    found = touched_since(seen).add_columns(sa.literal(now, sa.DateTime(timezone=True)), sa.literal("facts"))
    noted = tx.execute(sa.insert(dues).from_select(["customer_id", "due_at", "why"], found))
    if noted.rowcount or (now - at).total_seconds() > _SEEN_SECONDS_MAX:
        tx.execute(sa.update(followed).values(seen=reached.text, at=now))


def _due(now: datetime, limit: int) -> sa.Subquery:
    whose = sa.select(dues.c.customer_id).where(dues.c.due_at <= now).distinct()
    return whose.limit(limit).subquery("due")


def _chosen(now: datetime) -> sa.Select[tuple[UUID, str]]:
    """Those who wait longest; whoever something happened to is asked for that."""
    return (
        sa.select(dues.c.customer_id, sa.func.min(dues.c.why))
        .where(dues.c.due_at <= now)
        .group_by(dues.c.customer_id)
        .order_by(sa.func.min(dues.c.due_at), dues.c.customer_id)
        .limit(ROUND_MAX)
    )


def _ask(tx: Transaction, segment: Segment, tree: Node, asked: Asking, until: datetime) -> bool:
    """Put whom the segment means among those who are laid out into ``segment_meant``, and when time changes that."""
    meant, later = _statements(tree, asked.clock, asked)
    # Within a savepoint: one that fails stops no other.
    try:
        with tx.begin_nested():
            run = driver(tx).execute
            run(_MEANT.format(segment_id=segment.segment_id, found=meant).encode())
            if later is not None:
                run(_LATER.format(found=later, until=Clock(until, "UTC").now_us).encode())
    except psycopg.Error as reason:
        _failed(tx, segment, "segments.engine")
        # What PostgreSQL says beside its code repeats what it was asked.
        log.warning("segment not followed", segment_id=str(segment.segment_id), reason=reason.sqlstate)
        return False
    return True


def _failed(tx: Transaction, segment: Segment, code: str) -> None:
    if segment.failed != code:
        tx.execute(sa.update(segments).where(segments.c.segment_id == segment.segment_id).values(failed=code))


def write_ahead(workplace: Workplace, now: datetime) -> bool:
    """Write the statements of one segment that its rounds will ask today or tomorrow; whether all are written.

    Else the first round of a day would write those of all segments, while everybody who is due waits.
    """
    with workplace.database.begin() as tx:
        asked = asking(tx, workplace, now)
        trees = [tree for _, tree in followable(tx, asked)]
    begun = _members_sql.cache_info().misses
    for tree in trees:
        for day in (now, now + timedelta(days=1)):
            _statements(tree, asked.clock.at(day), asked)
        if _members_sql.cache_info().misses > begun:
            return False
    return True


def _statements(tree: Node, clock: Clock, asked: Asking) -> tuple[str, str | None]:
    """Whom a tree means among those who are laid out, and of whom time will change that, in SQL of the clock's day."""
    document = json.dumps(written_tree(tree), sort_keys=True)
    day = day_of(clock)
    kinds = tuple(sorted(asked.kinds.items(), key=lambda kind: kind[0]))
    return _members_sql(document, day, kinds), _dues_sql(document, day, kinds)


# To write a tree in SQL takes much longer than to ask it of a few customers. The day's numbers are in the text; now is
# a setting of the transaction.
@lru_cache(maxsize=2 * SEGMENTS_MAX)
def _members_sql(document: str, day: Clock, kinds: tuple[tuple[str, Kind], ...]) -> str:
    return written(members(read_tree(json.loads(document)), unbound(now_us()), day, dict(kinds)))


@lru_cache(maxsize=2 * SEGMENTS_MAX)
def _dues_sql(document: str, day: Clock, kinds: tuple[tuple[str, Kind], ...]) -> str | None:
    # To the end of the next day, which is further ahead than builds look.
    until = Clock.moment(day.begins_us(day.today + timedelta(days=2)))
    found = dues_of(read_tree(json.loads(document)), unbound(now_us()), day, until, dict(kinds))
    return None if found is None else written(found)


def now_us() -> ibis.expr.types.IntegerValue:
    """Now, as the transaction says it."""
    return _setting(NOW_US).cast("int64")


_MEANT = "INSERT INTO segment_meant SELECT '{segment_id}', customer_id FROM ({found}) AS found"
_LATER = """
    INSERT INTO segment_dues
    SELECT customer_id, timestamptz 'epoch' + due_us * interval '1 microsecond', 'time' FROM ({found}) AS found
    WHERE due_us <= {until}
"""
