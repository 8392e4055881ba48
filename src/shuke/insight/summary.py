"""One row per customer: what the models of purchasing and the scores read.

One purchase occasion is one calendar day on which the customer ordered, as in the papers on the CDNOW data (Fader &
Hardie 2005 and its note on the data): two orders of one day are one decision to buy, and the models know no two
occasions at one moment. The history begins with the first occasion, which the models take as given; ``frequency``
counts the occasions after it.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import ibis
import ibis.expr.types as ir

from shuke.insight.tables import Tables

__all__ = ["DAYS_PER_UNIT", "Unit", "customer_summary", "last_known_day"]

Unit = Literal["day", "week"]
DAYS_PER_UNIT: dict[Unit, float] = {"day": 1.0, "week": 7.0}
# Blocks of days as wide as the bits of a whole number that are not its sign; counted from before all dates.
_DAYS_PER_BLOCK = 63
_FIRST_DAY = dt.date(1, 1, 1)
# Shifted down from the last, for a 1 that is shifted up would be a number of 32 bits to Spark.
_LAST_BIT = ibis.literal(2 ** (_DAYS_PER_BLOCK - 1), type="int64")


def last_known_day(as_of: dt.datetime) -> dt.date:
    """The last day of which anything is known when the facts before ``as_of`` are: at midnight, the day before."""
    return (as_of - dt.timedelta(microseconds=1)).date()


def customer_summary(
    tables: Tables, *, as_of: dt.datetime, unit: Unit = "week", with_gaps: bool = True, with_repeat_amount: bool = True
) -> ir.Table:
    """The history of each customer with an order before ``as_of``, as an expression that is not yet run.

    Time is counted in whole calendar days up to the last known day, which is the day before ``as_of`` when that is a
    midnight: a history known to the end of 1997-09-30 has ``as_of`` 1997-10-01 00:00, and a customer who came on
    1997-01-01 has an age of 272 days, 38.857 weeks.

    Args:
        tables: orders, and refunds if there are any.
        as_of: exclusive end of what is known.
        unit: of ``recency``, ``age`` and ``log_gap_sum``; a week is seven days.
        with_gaps: whether to give ``log_gap_sum``, which only the models with regular timing need and which costs a
            sort of all order days.
        with_repeat_amount: whether to give ``repeat_amount``, which costs a search for the first day of each customer.

    Returns:
        customer_id; first_order_at, last_order_at (moments); orders, order_days (counts); frequency (x, occasions after
        the first); recency (t_x, first to last occasion, in units); age (T, first occasion to the last known day, in
        units); recency_days (days from the last occasion to the last known day); gross_amount, refunds, net_amount
        (money, before margin); average_order_value (gross per order); average_days_between_orders (mean gap
        between occasions, null with one occasion); repeat_amount (mean amount of the occasions after the first, null
        without any); log_gap_sum (sum of the natural logarithms of the gaps between occasions, in units; 0 without
        gaps). Counts are int64, the others float64.
    """
    sums = customer_sums(tables, as_of=as_of, unit=unit, with_gaps=with_gaps, with_repeat_amount=with_repeat_amount)
    return with_ages(sums, as_of=as_of, unit=unit)


def customer_sums(
    tables: Tables, *, as_of: dt.datetime, unit: Unit = "week", with_gaps: bool = True, with_repeat_amount: bool = True
) -> ir.Table:
    """The part of :func:`customer_summary` that reads orders; :func:`with_ages` adds the rest to it.

    Returns:
        customer_id, first_order_at, last_order_at, orders, order_days, gross_amount, refunds; with_gaps adds
        log_gap_sum, with_repeat_amount adds first_amount (of the first occasion).
    """
    known = tables.orders.filter(tables.orders.ordered_at < ibis.literal(as_of), tables.orders.customer_id.notnull())
    if with_gaps or with_repeat_amount:
        per_unit = DAYS_PER_UNIT[unit]
        customers = _by_way_of_days(known, per_unit, with_gaps=with_gaps, with_repeat_amount=with_repeat_amount)
    else:
        customers = _by_way_of_blocks(known)
    return _with_refunds(customers, tables, as_of)


def _by_way_of_blocks(known: ir.Table) -> ir.Table:
    """Sums per block of days, with a bit for each day on which there was an order, then per customer.

    That counts days without a table of all days of all customers, which is most of the work and of the memory where
    customers come often.
    """
    day = known.ordered_at.date().delta(_FIRST_DAY, unit="day")
    block = (day / _DAYS_PER_BLOCK).floor().cast("int32")
    blocks = (
        known.mutate(block=block, day_bit=_LAST_BIT >> (_DAYS_PER_BLOCK - 1 - day % _DAYS_PER_BLOCK))
        .group_by("customer_id", "block")
        .agg(
            orders=lambda t: t.count(),
            first_at=lambda t: t.ordered_at.min(),
            last_at=lambda t: t.ordered_at.max(),
            amount=lambda t: t.amount.sum(),
            days=lambda t: bit_or(t.day_bit),
        )
    )
    return blocks.group_by("customer_id").agg(
        first_order_at=blocks.first_at.min(),
        last_order_at=blocks.last_at.max(),
        orders=_whole_sum(blocks.orders),
        order_days=_whole_sum(bit_count(blocks.days)),
        gross_amount=blocks.amount.sum().cast("float64"),
    )


def _whole_sum(numbers: ir.IntegerValue) -> ir.Value:
    """By way of a float, exact to 2^53: DuckDB sums integers into a wider type, which Ibis does not know of."""
    return numbers.cast("float64").sum().cast("int64")


@ibis.udf.agg.builtin  # type: ignore[untyped-decorator]  # Ibis gives it no types
def bit_or(bits: int) -> int:  # type: ignore[empty-body]  # both engines have a function of this name
    """All bits that are set in any row. Not Ibis' own, which it cannot say to Spark."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # Ibis gives it no types
def bit_count(bits: int) -> int:  # type: ignore[empty-body]  # both engines have a function of this name
    """The number of bits that are set."""


def _by_way_of_days(known: ir.Table, per_unit: float, *, with_gaps: bool, with_repeat_amount: bool) -> ir.Table:
    """Sums per day, then per customer: dearer, but it knows the days."""
    days = (
        known.mutate(day=known.ordered_at.date())
        .group_by("customer_id", "day")
        .agg(
            orders=lambda t: t.count(),
            first_at=lambda t: t.ordered_at.min(),
            last_at=lambda t: t.ordered_at.max(),
            amount=lambda t: t.amount.sum(),
        )
    )
    if with_gaps:
        before = days.day.lag().over(ibis.window(group_by="customer_id", order_by="day"))
        days = days.mutate(gap_days=days.day.delta(before, unit="day"))
    measures = {
        "first_order_at": days.first_at.min(),
        "last_order_at": days.last_at.max(),
        "orders": _whole_sum(days.orders),
        "order_days": days.count(),
        "gross_amount": days.amount.sum().cast("float64"),
    }
    if with_repeat_amount:
        measures["first_amount"] = days.amount.argmin(days.day).cast("float64")
    if with_gaps:
        measures["log_gap_sum"] = (days.gap_days.cast("float64") / per_unit).ln().sum().coalesce(0.0)
    return days.group_by("customer_id").agg(**measures)


def _with_refunds(customers: ir.Table, tables: Tables, as_of: dt.datetime) -> ir.Table:
    if tables.refunds is None:
        return customers.mutate(refunds=ibis.literal(0).cast("float64"))
    known = tables.refunds.filter(tables.refunds.refunded_at < ibis.literal(as_of))
    refunds = known.group_by("customer_id").agg(refunds=known.amount.sum().cast("float64"))
    joined = customers.left_join(refunds, "customer_id")
    return joined.select(*(customers[name] for name in customers.columns), refunds=refunds.refunds.coalesce(0.0))


def with_ages(sums: ir.Table, *, as_of: dt.datetime, unit: Unit = "week") -> ir.Table:
    """The :func:`customer_summary` of these sums, with whatever other columns they have after it."""
    per_unit = DAYS_PER_UNIT[unit]
    frequency = sums.order_days - 1
    first_day, last_day = sums.first_order_at.date(), sums.last_order_at.date()
    between = last_day.delta(first_day, unit="day").cast("float64")
    until = ibis.literal(last_known_day(as_of)).delta(first_day, unit="day").cast("float64")
    repeats = frequency.nullif(0).cast("float64")
    columns = {
        "first_order_at": sums.first_order_at,
        "last_order_at": sums.last_order_at,
        "orders": sums.orders,
        "order_days": sums.order_days,
        "frequency": frequency.cast("int64"),
        "recency": between / per_unit,
        "age": until / per_unit,
        "recency_days": (until - between).cast("int64"),
        "gross_amount": sums.gross_amount,
        "refunds": sums.refunds,
        "net_amount": sums.gross_amount - sums.refunds,
        "average_order_value": sums.gross_amount / sums.orders.cast("float64"),
        "average_days_between_orders": between / repeats,
    }
    if "first_amount" in sums.columns:
        columns["repeat_amount"] = (sums.gross_amount - sums.first_amount) / repeats
    others = {name: sums[name] for name in sums.columns if name not in {"customer_id", "first_amount", *columns}}
    return sums.select(sums.customer_id, **columns, **others)
