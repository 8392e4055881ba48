"""Faults that the comparison has to find: one wrong word in the measures, and some tree means other customers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import ibis
import pytest

from shuke.segments.measures import happenings, tree, values
from shuke.segments.model import clock
from shuke.segments.model.tree import (
    Anchored,
    Attribute,
    Did,
    Facts,
    Last,
    Measured,
    Node,
    Op,
    Orders,
    Property,
    Sequence,
    Span,
    Top,
    Unit,
)

from .engines import Asked, OnDuckDB, difference
from .evaluator import meant
from .histories import history_of
from .trees import trees_of

#: How many trees that touch the fault may be asked until one shows it.
TREES_MAX = 200

Plant = Callable[[pytest.MonkeyPatch], None]


def parts(value: Any) -> Iterator[Any]:
    """A tree and all that is in it."""
    if isinstance(value, tuple):
        for one in value:
            yield from parts(one)
    elif is_dataclass(value):
        yield value
        for field in fields(value):
            yield from parts(getattr(value, field.name))


@dataclass(frozen=True)
class Fault:
    """What is planted, and on which part of a tree it bears."""

    plant: Plant
    bears: Callable[[Any], bool]


def _negation_forgets_what_is_not_known(patch: pytest.MonkeyPatch) -> None:
    holds = values.holds

    def wrong(value: Any, kind: Any, test: Any, *rest: Any) -> Any:
        found = holds(value, kind, test, *rest)
        return found & value.notnull() if test.op in (Op.IS_NOT, Op.LACKS) else found

    patch.setattr(tree, "holds", wrong)
    patch.setattr(happenings, "holds", wrong)


def _window_without_its_edge(patch: pytest.MonkeyPatch) -> None:
    within = happenings.within

    def wrong(window: Any, rows: Any, subjects: Any, clock: Any) -> Any:
        found = within(window, rows, subjects, clock)
        return found & (rows.us > clock.back_us(window.span)) if isinstance(window, Last) else found

    patch.setattr(tree, "within", wrong)
    patch.setattr(happenings, "within", wrong)


def _anchor_itself_counts(patch: pytest.MonkeyPatch) -> None:
    within = happenings.within

    def wrong(window: Any, rows: Any, subjects: Any, clock: Any) -> Any:
        found = within(window, rows, subjects, clock)
        return found | (rows.us == rows.from_us) if isinstance(window, Anchored) else found

    patch.setattr(tree, "within", wrong)


def _days_of_utc(patch: pytest.MonkeyPatch) -> None:
    def wrong(_: clock.Clock, day: date) -> int:
        return clock.us_of(datetime(day.year, day.month, day.day, tzinfo=UTC))

    patch.setattr(clock.Clock, "begins_us", wrong)


def _days_of_24_hours(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: clock.Clock, span: Span) -> int:
        exact = span.unit in (Unit.MINUTES, Unit.HOURS, Unit.MONTHS)
        return back(self, span) if exact else self.begins_us(self.today) - clock.exact_us(span)

    back = clock.Clock.back_us
    patch.setattr(clock.Clock, "back_us", wrong)


def _months_of_30_days(patch: pytest.MonkeyPatch) -> None:
    back = clock.Clock.day_back
    days = {Unit.MONTHS: 30}

    def wrong(self: clock.Clock, span: Span) -> date:
        return back(self, Span(n=span.n * days[span.unit], unit=Unit.DAYS) if span.unit in days else span)

    patch.setattr(clock.Clock, "day_back", wrong)


def _what_came_twice_counts_once(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any, node: Did) -> Any:
        name = self._ask(node.what, node.window, lambda rows, meant: rows.us.nunique(where=meant))
        return lambda people: ibis.coalesce(people[name], 0)

    patch.setattr(tree._Asked, "_times", wrong)


def _orders_count_by_line(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any, node: Did) -> Any:
        name = self._ask(node.what, node.window, lambda rows, meant: rows.count(where=meant))
        return lambda people: ibis.coalesce(people[name], 0)

    patch.setattr(tree._Asked, "_times", wrong)


def _sequences(change: Callable[[Sequence], Sequence]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        followed = tree.followed
        patch.setattr(tree, "followed", lambda node, *rest: followed(change(node), *rest))

    return plant


def _lengths_without_their_end(patch: pytest.MonkeyPatch) -> None:
    exact = happenings.exact_us
    patch.setattr(happenings, "exact_us", lambda span: exact(span) - 1)


def _only_the_first_thing_is_looked_for(patch: pytest.MonkeyPatch) -> None:
    narrowed = happenings._narrowed
    patch.setattr(happenings, "_narrowed", lambda table, about, *rest: narrowed(table, about[:1], *rest))


def _ends(change: Callable[[Measured], Measured]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        end = tree._Asked._end
        patch.setattr(tree._Asked, "_end", lambda self, node, value: end(self, change(node), value))

    return plant


def _lesser_of_two_at_one_moment(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any, node: Measured, value: Any) -> str:
        name, matches = tree.matching(node.what, self.subjects, self.clock)
        rows = tree.reaching(node.window, tree.table_of(name, self.subjects), self.subjects, self.clock)
        rows = rows.filter(matches(rows) & tree.within(node.window, rows, self.subjects, self.clock))
        rows = rows.select("customer_id", "us", value=value(rows)).filter(ibis._["value"].notnull())
        time = rows.us if node.by == "first" else rows.us.desc()
        place = ibis.row_number().over(ibis.window(group_by=rows.customer_id, order_by=[time, rows["value"]]))
        rows = rows.mutate(place=place).filter(ibis._.place == 0)
        column = f"end_{len(self.ends)}"
        self.ends.append(rows.select("customer_id", **{column: ibis._["value"]}))
        return column

    patch.setattr(tree._Asked, "_end", wrong)


def _conditions_before_the_first_order(patch: pytest.MonkeyPatch) -> None:
    matching = happenings.matching

    def wrong(what: Any, *rest: Any) -> Any:
        return matching(replace(what, which="any") if isinstance(what, Orders) else what, *rest)

    patch.setattr(tree, "matching", wrong)
    patch.setattr(happenings, "matching", wrong)


def _top_by_id_alone(patch: pytest.MonkeyPatch) -> None:
    top = tree._top
    patch.setattr(tree, "_top", lambda everybody, node: top(everybody.mutate(created_at=0), node))


def _capitals_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(values, "folded", lambda value: value)


def _share_of_the_goods_alone(patch: pytest.MonkeyPatch) -> None:
    share = tree._Asked._share
    patch.setattr(
        tree._Asked,
        "_share",
        lambda self, node, goods: share(self, replace(node, what=replace(node.what, goods=goods)), goods),
    )


def _nothing_of_it_is_not_known(patch: pytest.MonkeyPatch) -> None:
    share = tree._Asked._share

    def wrong(self: Any, node: Measured, goods: Any) -> Any:
        value = share(self, node, goods)
        return lambda people: value(people).nullif(0.0)

    patch.setattr(tree._Asked, "_share", wrong)


def _shares(part: Any) -> bool:
    return isinstance(part, Measured) and part.by == "share"


def _asks(*ops: Op) -> Callable[[Any], bool]:
    return lambda part: isinstance(part, Attribute | Property) and part.test.op in ops


def _of_days(part: Any) -> bool:
    return isinstance(part, Last) and part.span.unit in (Unit.DAYS, Unit.WEEKS)


FAULTS = {
    "negation forgets what is not known": Fault(_negation_forgets_what_is_not_known, _asks(Op.IS_NOT, Op.LACKS)),
    "a window without its edge": Fault(_window_without_its_edge, lambda part: isinstance(part, Last)),
    "the anchor itself counts": Fault(_anchor_itself_counts, lambda part: isinstance(part, Anchored)),
    "days of UTC": Fault(_days_of_utc, _of_days),
    "days of 24 hours": Fault(_days_of_24_hours, _of_days),
    "months of 30 days": Fault(
        _months_of_30_days, lambda part: isinstance(part, Last) and part.span.unit is Unit.MONTHS
    ),
    "what came twice counts once": Fault(
        _what_came_twice_counts_once, lambda part: isinstance(part, Did) and isinstance(part.what, Facts)
    ),
    "orders count by line": Fault(
        _orders_count_by_line,
        lambda part: isinstance(part, Did) and isinstance(part.what, Orders) and part.what.goods is not None,
    ),
    "unless is forgotten": Fault(
        _sequences(lambda node: replace(node, steps=tuple(replace(step, unless=None) for step in node.steps))),
        lambda part: isinstance(part, Sequence) and any(step.unless for step in part.steps),
    ),
    "of any session": Fault(
        _sequences(lambda node: replace(node, same=None)),
        lambda part: isinstance(part, Sequence) and part.same is not None and len(part.steps) > 1,
    ),
    "only the first thing is looked for": Fault(
        _only_the_first_thing_is_looked_for, lambda part: isinstance(part, Sequence) and len(part.steps) > 1
    ),
    "a length without its end": Fault(
        _lengths_without_their_end, lambda part: isinstance(part, Sequence) and any(step.within for step in part.steps)
    ),
    "the last for the first": Fault(
        _ends(lambda node: replace(node, by="last")), lambda part: isinstance(part, Measured) and part.by == "first"
    ),
    "the lesser of two at one moment": Fault(
        _lesser_of_two_at_one_moment, lambda part: isinstance(part, Measured) and part.by in ("first", "last")
    ),
    "conditions before the first order": Fault(
        _conditions_before_the_first_order, lambda part: isinstance(part, Orders) and part.which != "any"
    ),
    "a share of the goods alone": Fault(_share_of_the_goods_alone, _shares),
    "a share of nothing is not known": Fault(_nothing_of_it_is_not_known, _shares),
    "the top by id alone": Fault(_top_by_id_alone, lambda part: isinstance(part, Top)),
    "capitals count": Fault(
        _capitals_count,
        lambda part: isinstance(part, Attribute) and part.test.op in (Op.CONTAINS, Op.BEGINS, Op.LACKS),
    ),
}


def touched(bears: Callable[[Any], bool]) -> Iterator[tuple[int, Node]]:
    """Trees that have such a part and part the customers, with the numbers of their histories; always the same ones."""
    for number in range(1000):
        history = history_of(number)
        # A leaf shows a fault that a group may hide.
        bearing = (one for one in trees_of(number, history, 80) if one.node not in ("all", "any", "none"))
        bearing = (one for one in bearing if any(map(bears, parts(one))))
        telling = (one for one in bearing if 0 < len(meant(one, history)) < len(history.people))
        yield from ((number, one) for one in itertools.islice(telling, 12))


# The others go the same way, and take half a minute.
QUICK = (
    "negation forgets what is not known",
    "a window without its edge",
    "days of UTC",
    "what came twice counts once",
    "only the first thing is looked for",
    "a share of the goods alone",
)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.faults) for name in FAULTS]
)
def test_the_comparison_finds_what_is_planted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]
    engines: dict[str, Asked] = {"DuckDB": OnDuckDB()}
    loaded: int | None = None
    fault.plant(monkeypatch)
    for place, (number, wanted) in enumerate(touched(fault.bears)):
        assert place < TREES_MAX, "nothing was found"
        history = history_of(number)
        if number != loaded:
            engines["DuckDB"].load(history)
            loaded = number
        told = difference(wanted, history, engines)
        if told is not None:
            assert "too many" in told, told
            break
