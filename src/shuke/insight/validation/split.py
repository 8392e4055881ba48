"""A customer base cut at a day: what was known of each customer then, and how often each ordered afterwards."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from shuke.base.errors import CannotSay
from shuke.insight.clv.model import Floats
from shuke.insight.clv.statistics import Statistics
from shuke.insight.summary import DAYS_PER_UNIT, Unit, customer_summary, last_known_day
from shuke.insight.tables import Tables

__all__ = ["Split", "days_to_test", "morning_after", "split_at", "split_periods_at"]

_LEARNING_DAYS_MIN, _TEST_DAYS_MIN, _TEST_DAYS_MAX = 120, 56, 365


@dataclass(frozen=True, eq=False)
class Split:
    """Cells of customers with the same history up to ``calibration_end`` and the same number of orders after it.

    ``statistics``: the histories, in ``unit``; ``later`` (cells,): order days (for :func:`split_periods_at` periods
    with an order) from the day after ``calibration_end`` to ``holdout_end``, both inclusive; ``horizon``: that
    stretch in units. Only customers who ordered by ``calibration_end`` are in it.
    """

    calibration_end: dt.date
    holdout_end: dt.date
    unit: Unit
    statistics: Statistics
    later: Floats

    @property
    def horizon_days(self) -> int:
        """Length of the holdout in days."""
        return (self.holdout_end - self.calibration_end).days

    @property
    def horizon(self) -> float:
        """Length of the holdout in units."""
        return self.horizon_days / DAYS_PER_UNIT[self.unit]

    @property
    def purchases_later(self) -> float:
        """Orders of all customers in the holdout."""
        return float(self.statistics.weight @ self.later)

    def thinned(self, cells_max: int) -> Split:
        """The same from a deterministic sample of about ``cells_max`` cells."""
        own = self.statistics
        cells = Statistics(own.x, own.t_x, own.T, own.weight, own.log_gap_sum, {"later": self.later}).thinned(cells_max)
        plain = Statistics(cells.x, cells.t_x, cells.T, cells.weight, cells.log_gap_sum)
        return Split(self.calibration_end, self.holdout_end, self.unit, plain, (cells.covariates or {})["later"])


def days_to_test(history_days: int, *, horizon_days: int) -> int | None:
    """How long the holdout at the end of a history should be: a third of it, and no longer than is looked ahead.

    None where it would be too short to tell, or would leave too little to learn from.
    """
    days = min(history_days // 3, horizon_days, _TEST_DAYS_MAX)
    return None if days < _TEST_DAYS_MIN or history_days - days < _LEARNING_DAYS_MIN else days


def morning_after(day: dt.date) -> dt.datetime:
    """The moment at which all of a day is known."""
    return dt.datetime.combine(day, dt.time()) + dt.timedelta(days=1)


def split_at(
    tables: Tables,
    *,
    calibration_end: dt.date,
    as_of: dt.datetime,
    unit: Unit = "week",
    with_gaps: bool = True,
    may_be_empty: bool = False,
) -> Split:
    """Cut at the end of ``calibration_end``; what is known before ``as_of`` is the holdout. Runs one query.

    Orders of one day are one occasion, in the holdout as in the summary. Raises CannotSay ``insight.no_holdout`` when
    nothing lies after the cut (unless it ``may_be_empty``) or nobody before it.
    """
    _refuse_without_holdout(calibration_end, as_of, may_be_empty=may_be_empty)
    summary = customer_summary(
        tables, as_of=morning_after(calibration_end), unit=unit, with_gaps=with_gaps, with_repeat_amount=False
    )
    days = _order_days(tables, as_of)
    later = days.filter(days.day > ibis.literal(calibration_end)).group_by("customer_id").agg(later=lambda t: t.count())
    joined = summary.left_join(later, "customer_id")
    keys = ["frequency", "recency", "age", "later"]
    columns = {name: summary[name].cast("float64") for name in keys[:3]}
    rows = joined.select(
        **columns,
        later=later.later.cast("float64").fill_null(0.0),
        **({"log_gap_sum": summary.log_gap_sum} if with_gaps else {}),
    )
    measures = {"customers": rows.count().cast("float64")}
    if with_gaps:
        measures["log_gap_sum"] = rows.log_gap_sum.mean()
    return _split(rows.group_by(keys).agg(**measures).to_pyarrow(), calibration_end, last_known_day(as_of), unit)


def split_periods_at(
    tables: Tables, *, calibration_end: dt.date, as_of: dt.datetime, unit: Unit = "week", may_be_empty: bool = False
) -> Split:
    """The same in whole periods, for BG/BB: each period after a customer's first is one opportunity to order.

    Periods are ``unit`` long and counted from the morning after ``calibration_end``, backwards and forwards, so that
    all of them are complete; the holdout ends with its last complete one. x is the number of periods with an order
    after the customer's first such period, t_x the number of the last of them and T = n how many there were.
    """
    length = int(DAYS_PER_UNIT[unit])
    ahead = (last_known_day(as_of) - calibration_end).days // length
    holdout_end = calibration_end + dt.timedelta(days=ahead * length)
    _refuse_without_holdout(calibration_end, morning_after(holdout_end), may_be_empty=may_be_empty)
    days = _order_days(tables, morning_after(holdout_end))
    since = days.day.delta(ibis.literal(calibration_end + dt.timedelta(days=1)), unit="day")
    # Period −1 is the last of the calibration, 0 the first of the holdout.
    periods = days.mutate(period=(since / length).floor().cast("int64")).select("customer_id", "period").distinct()
    past = periods.period < 0
    people = periods.group_by("customer_id").agg(
        first=periods.period.min(),
        last=periods.period.max(where=past),
        active=past.cast("int64").sum().cast("int64"),
        all=periods.count(),
    )
    known = people.filter(people["first"] < 0)
    rows = known.select(
        frequency=(known.active - 1).cast("float64"),
        recency=(known["last"] - known["first"]).cast("float64"),
        age=(-1 - known["first"]).cast("float64"),
        later=(known.all - known.active).cast("float64"),
    )
    cells = rows.group_by(["frequency", "recency", "age", "later"]).agg(customers=rows.count().cast("float64"))
    return _split(cells.to_pyarrow(), calibration_end, holdout_end, unit)


def _order_days(tables: Tables, as_of: dt.datetime) -> ir.Table:
    orders = tables.orders.filter(tables.orders.ordered_at < ibis.literal(as_of), tables.orders.customer_id.notnull())
    return orders.select("customer_id", day=orders.ordered_at.date()).distinct()


def _refuse_without_holdout(calibration_end: dt.date, as_of: dt.datetime, *, may_be_empty: bool) -> None:
    ahead = (last_known_day(as_of) - calibration_end).days
    if ahead < 0 or (ahead == 0 and not may_be_empty):
        raise CannotSay("insight.no_holdout", calibration_end=calibration_end, last_day=last_known_day(as_of))


def _split(cells: pa.Table, calibration_end: dt.date, holdout_end: dt.date, unit: Unit) -> Split:
    if len(cells) == 0:
        raise CannotSay("insight.no_holdout", calibration_end=calibration_end, last_day=holdout_end)
    columns: dict[str, Any] = {name: cells.column(name).to_numpy() for name in cells.column_names}
    # Through the grouping of Statistics, so that cells come in its canonical order whatever the engine returned.
    grouped = Statistics.from_arrays(
        columns["frequency"],
        columns["recency"],
        columns["age"],
        weight=columns["customers"],
        log_gap_sum=columns.get("log_gap_sum"),
        covariates={"later": columns["later"]},
    )
    plain = Statistics(grouped.x, grouped.t_x, grouped.T, grouped.weight, grouped.log_gap_sum)
    later = np.asarray((grouped.covariates or {})["later"])
    return Split(calibration_end, holdout_end, unit, plain, later)
