"""When customers buy: by month, by weekday and hour, and the part of it that comes back every year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from shuke.base.errors import CannotSay

__all__ = ["MONTHS_NEEDED", "SeasonalIndex", "monthly_sales", "seasonal_index", "weekday_hour"]

# A centred average over twelve months loses six months at either end: two years leave one ratio per calendar month.
MONTHS_NEEDED = 24


def monthly_sales(orders: ir.Table, *, as_of: datetime) -> ir.Table:
    """One row per calendar month from the first order to ``as_of`` (exclusive), also months without an order.

    Columns: month (date, its first day), orders, customers, new_customers (first order ever in that month), amount,
    average_order_value (null without orders), days (that the data cover: from the day of the first order to ``as_of``),
    complete (whether those are all days of the month). Compare only complete months with each other.
    """
    known = orders.filter(orders.ordered_at < ibis.literal(as_of))
    day = known.ordered_at.date()
    known = known.mutate(month=day.truncate("M"), day=day)
    newest: ir.Table = known.group_by("customer_id").aggregate(month=lambda t: t.month.min())
    newest = newest.filter(newest.customer_id.notnull())
    new = newest.group_by(new_month=newest.month).aggregate(new_customers=lambda t: t.count())
    sold = known.group_by(sold_month=known.month).aggregate(
        orders=lambda t: t.count(),
        customers=lambda t: t.customer_id.nunique(),
        amount=lambda t: t.amount.sum().cast("float64"),
    )
    bounds = known.aggregate(first_day=known.day.min(), first_month=known.month.min())
    last_month = as_of.year * 12 + as_of.month
    steps = last_month - (bounds.first_month.year() * 12 + bounds.first_month.month())
    bounds = bounds.mutate(step=ibis.range(0, steps + 1).unnest())
    bounds = bounds.mutate(month=bounds.first_month + bounds.step.as_interval("M"))
    bounds = bounds.mutate(end=bounds.first_month + (bounds.step + 1).as_interval("M"))
    until = ibis.least(bounds.end, ibis.literal(as_of.date()))
    since = ibis.greatest(bounds.month, bounds.first_day)
    covered = bounds.select(
        "month",
        days=until.delta(since, unit="day").cast("int64"),
        days_in_month=bounds.end.delta(bounds.month, unit="day").cast("int64"),
    )
    # With as_of at the first midnight of a month, that month has not begun.
    covered = covered.filter(covered.days > 0)
    joined = covered.left_join(sold, covered.month == sold.sold_month)
    joined = joined.left_join(new, joined.month == new.new_month)
    return joined.select(
        "month",
        orders=joined.orders.fill_null(0),
        customers=joined.customers.fill_null(0),
        new_customers=joined.new_customers.fill_null(0),
        amount=joined.amount.fill_null(0.0),
        average_order_value=joined.amount / joined.orders.cast("float64"),
        days=joined.days,
        complete=joined.days == joined.days_in_month,
    ).order_by("month")


def weekday_hour(orders: ir.Table) -> ir.Table:
    """Orders by weekday (0 = Monday … 6) and hour (0…23), all 168 rows: weekday, hour, orders, amount, share.

    ``share`` is of all orders. When every order falls into hour 0, the times carry no clock and only weekdays speak.
    """
    placed = orders.select(
        weekday=orders.ordered_at.day_of_week.index(), hour=orders.ordered_at.hour(), amount="amount"
    )
    sold = placed.group_by(sold_weekday=placed.weekday, sold_hour=placed.hour).aggregate(
        orders=lambda t: t.count(), amount=lambda t: t.amount.sum().cast("float64")
    )
    weekdays = ibis.range(0, 7).unnest().name("weekday").as_table()
    hours = ibis.range(0, 24).unnest().name("hour").as_table()
    grid = weekdays.cross_join(hours)
    joined = grid.left_join(sold, [grid.weekday == sold.sold_weekday, grid.hour == sold.sold_hour])
    joined = joined.select("weekday", "hour", orders=joined.orders.fill_null(0), amount=joined.amount.fill_null(0.0))
    whole = joined.orders.sum().over(ibis.window()).nullif(0)
    return joined.mutate(share=joined.orders.cast("float64") / whole.cast("float64")).order_by("weekday", "hour")


@dataclass(frozen=True)
class SeasonalIndex:
    """How far each calendar month lies above or below the trend: 1.2 is twenty percent above.

    ``indices`` and ``observations`` (ratios behind each index) run from January to December; the indices average 1.
    ``months`` is how many complete months were used.
    """

    indices: tuple[float, ...]
    observations: tuple[int, ...]
    months: int


def seasonal_index(orders: ir.Table, *, as_of: datetime, column: str = "amount") -> SeasonalIndex:
    """The seasonal index of monthly ``column`` (amount, orders, customers), from complete months only; executes.

    Ratio to the centred moving average: each month over a 2×12 moving average, averaged per calendar month, scaled to
    a mean of 1 (R. J. Hyndman, G. Athanasopoulos 2021, Forecasting: Principles and Practice, 3rd ed., section 3.4,
    classical multiplicative decomposition).

    Raises CannotSay ``insight.too_short_for_seasons`` with fewer than MONTHS_NEEDED complete months in a row, and
    ``insight.nothing_to_compare`` when twelve months in a row have no sales.
    """
    sales = monthly_sales(orders, as_of=as_of).to_pyarrow()
    complete = np.asarray(sales["complete"].to_pylist(), dtype=bool)
    values = np.asarray(sales[column].to_pylist(), dtype=np.float64)[complete]
    if values.size < MONTHS_NEEDED:
        raise CannotSay("insight.too_short_for_seasons", needed=MONTHS_NEEDED, found=int(values.size))
    # Only the first and the last month can be incomplete, so what remains is without a gap.
    first = sales["month"].to_pylist()[int(np.argmax(complete))]
    return _ratio_to_moving_average(values, first_month=first.month)


def _ratio_to_moving_average(values: NDArray[np.float64], *, first_month: int) -> SeasonalIndex:
    weights = np.full(13, 1.0 / 12.0)
    weights[[0, -1]] /= 2.0
    trend = np.convolve(values, weights, mode="valid")
    if (trend <= 0).any():
        raise CannotSay("insight.nothing_to_compare")
    ratios = values[6:-6] / trend
    calendar = (first_month - 1 + 6 + np.arange(ratios.size)) % 12
    count = np.bincount(calendar, minlength=12)
    index = np.bincount(calendar, weights=ratios, minlength=12) / count
    index /= index.mean()
    return SeasonalIndex(tuple(index.tolist()), tuple(count.tolist()), int(values.size))
