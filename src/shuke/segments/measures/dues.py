"""Of whom a tree may hold, or not hold any more, merely because time passes: who, and when first.

Windows lose what becomes too old and gain what was dated ahead, days become other days at midnight, tags expire, and
what did not follow in time is known once the time is over. Each such moment is found from the rows that it depends on,
so that everybody else need not be asked again. Too many may be found, whose answer stays what it is; never too few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

import ibis
import ibis.expr.types as ir

from shuke.segments.measures.happenings import matching, now_of, table_of
from shuke.segments.measures.subjects import Subjects
from shuke.segments.measures.values import holds
from shuke.segments.model.clock import Clock, exact_us, is_exact, us_of
from shuke.segments.model.kinds import FIGURES, Kind, kind_of, measured_of
from shuke.segments.model.tree import (
    Attribute,
    Did,
    Facts,
    Figure,
    Group,
    Last,
    Measured,
    Moved,
    Node,
    Op,
    Sequence,
    Tagged,
    Test,
    What,
    Window,
)

__all__ = ["dues"]

_BY_DAY = (Op.LAST_DAYS, Op.NEXT_DAYS, Op.DAYS_AGO, Op.ANNIVERSARY)


def dues(node: Node, subjects: Subjects, clock: Clock, until: datetime, kinds: Mapping[str, Kind]) -> ir.Table | None:
    """Customers whom a tree may mean, or not mean any more, after now and up to ``until``, while nothing happens.

    Args:
        node: a tree that can be asked, in which no other segment is named any more.
        subjects: of whom.
        clock: now.
        until: up to when; each midnight before it is looked at by itself, so that it should be hours, not months.
        kinds: of the attributes that the tree names.

    Returns:
        ``customer_id`` and ``due_us``, the first such moment of each; None where time alone changes nothing.
    """
    found = _Dues(subjects, clock, until, kinds, tuple(_midnights(clock, until)))
    parts = list(found.of(node))
    if not parts:
        return None
    rows = reduce(lambda left, right: left.union(right), parts)
    return rows.group_by("customer_id").aggregate(due_us=rows.due_us.min())


def _midnights(clock: Clock, until: datetime) -> Iterable[tuple[Clock, Clock]]:
    """The clocks on both sides of each midnight that is to come."""
    before, day = clock, clock.today + timedelta(days=1)
    while (begins := clock.moment(clock.begins_us(day))) <= until:
        after = clock.at(begins)
        yield before, after
        before, day = after, day + timedelta(days=1)


@dataclass(frozen=True)
class _Dues:
    subjects: Subjects
    clock: Clock
    until: datetime
    kinds: Mapping[str, Kind]
    midnights: tuple[tuple[Clock, Clock], ...]

    def of(self, node: Node) -> Iterable[ir.Table]:
        """What each statement of the tree waits for."""
        if isinstance(node, Group):
            for one in node.of:
                yield from self.of(one)
        elif isinstance(node, Figure):
            people = self.subjects.people
            yield from self._at_midnight(people, people[node.name.value], FIGURES[node.name], node.test)
        elif isinstance(node, Attribute):
            people, kind = self.subjects.people, self.kinds[node.name]
            value = self.subjects.read(people.attributes, node.name, kind)
            yield from self._at_midnight(people, value, kind, node.test)
        elif isinstance(node, Tagged):
            tags = self.subjects.tags
            yield self._soon(tags.filter(tags.tag == node.tag), lambda rows: rows.expires_us)
        elif isinstance(node, Moved):
            yield from self._of_window(Facts(kind="stage"), node.window)
        elif isinstance(node, Did | Measured):
            yield from self._of_window(measured_of(node) if isinstance(node, Measured) else node.what, node.window)
            if isinstance(node, Measured) and kind_of(node, self.kinds) is Kind.MOMENT:
                rows = self._rows(node.what)
                yield from self._at_midnight(rows, rows.us, Kind.MOMENT, node.test)
        elif isinstance(node, Sequence):
            yield from self._of_window(node.steps[0].what, node.window)
            for step in node.steps:
                if step.unless is not None:
                    length = exact_us(step.unless.within)
                    yield self._soon(self._rows(step.what), lambda rows, length=length: rows.us + length)  # type: ignore[misc] # bound now

    def _rows(self, what: What) -> ir.Table:
        name, meant = matching(what, self.subjects, self.clock)
        table = table_of(name, self.subjects)
        return table.filter(meant(table))

    def _of_window(self, what: What, window: Window) -> Iterable[ir.Table]:
        if not isinstance(window, Last):
            return
        rows, span = self._rows(what), window.span
        yield self._soon(rows, lambda rows: rows.us)
        if is_exact(span):
            # At this distance it is within the window still.
            yield self._soon(rows, lambda rows: rows.us + exact_us(span) + 1)
            return
        for before, after in self.midnights:
            crossed = (rows.us >= before.back_us(span)) & (rows.us < after.back_us(span))
            yield _due(rows.filter(crossed), ibis.literal(after.now_us))

    def _at_midnight(self, rows: ir.Table, value: ir.Value, kind: Kind, test: Test) -> Iterable[ir.Table]:
        if test.op not in _BY_DAY:
            return
        for before, after in self.midnights:
            other = holds(value, kind, test, before) != holds(value, kind, test, after)
            yield _due(rows.filter(other), ibis.literal(after.now_us))

    def _soon(self, rows: ir.Table, moment: Callable[[ir.Table], ir.Value]) -> ir.Table:
        """Those whose moment comes after now and up to the end."""
        end = us_of(self.until)
        due = moment(rows)
        return _due(rows.filter((due > now_of(self.subjects, self.clock)) & (due <= end)), due)


def _due(rows: ir.Table, moment: ir.Value) -> ir.Table:
    return rows.select("customer_id", due_us=moment.cast("int64"))
