"""Retention: who comes back, when, and how the base of customers moves.

An occasion is a calendar day on which a customer ordered. "Known" is everything before ``as_of``; the last known day
is the day before when ``as_of`` is a midnight. Shares that need time to show (how many come back within 90 days) are
taken by Kaplan–Meier, so that customers who have been here for a month count for that month and no longer: the plain
share would call every newcomer a customer who never came back.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import ibis
import ibis.expr.types as ir

from shuke.base.errors import BadInput
from shuke.insight.summary import last_known_day
from shuke.insight.survival import survival, survival_quantiles
from shuke.insight.tables import Tables

__all__ = [
    "WATCHED_MIN",
    "Period",
    "base_movement",
    "cohorts",
    "inter_purchase_quantiles",
    "inter_purchase_times",
    "lifetimes",
    "occasions",
    "order_ladder",
    "period_start",
    "repeat_curve",
]

Period = Literal["week", "month", "quarter"]
_PARTS: dict[Period, Literal["W", "M", "Q"]] = {"week": "W", "month": "M", "quarter": "Q"}
_DAYS_LONGEST: dict[Period, int] = {"week": 7, "month": 31, "quarter": 92}
WATCHED_MIN = 30
_A_MONDAY = dt.date(1970, 1, 5)
_SHARES = {f"p{round(100 * share)}_days": share for share in (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)}


def occasions(tables: Tables, *, as_of: dt.datetime) -> ir.Table:
    """One row per customer and day with an order: customer_id, day, orders, amount, number (1 …), next_day or null."""
    known = tables.orders.filter(
        tables.orders.ordered_at < ibis.literal(as_of, type="timestamp"), tables.orders.customer_id.notnull()
    )
    days = (
        known.mutate(day=known.ordered_at.date())
        .group_by("customer_id", "day")
        .aggregate(orders=ibis._.count(), amount=ibis._.amount.cast("float64").sum())
    )
    in_order = ibis.window(group_by="customer_id", order_by="day")
    return days.mutate(
        number=ibis.row_number().over(in_order).cast("int64") + 1, next_day=days.day.lead().over(in_order)
    )


def cohorts(tables: Tables, *, as_of: dt.datetime, period: Period = "month") -> ir.Table:
    """The retention matrix: what each cohort of first buyers did in each later period, zeros included.

    Columns: cohort (date, first day of the period of the first order), period_number (0 is that period), complete
    (whether the period is over at ``as_of``), customers (the size of the cohort), active (with an order in the period),
    orders, amount (of the orders), refunds (made in the period), retention (active / customers), cumulative_value
    (amount less refunds up to and with the period), cumulative_value_per_customer. Weeks begin on Monday. Returns of
    what was bought before the data begin count in period 0; those of people with no order at all belong to no cohort.
    """
    days = occasions(tables, as_of=as_of)
    last = _number_of(ibis.literal(last_known_day(as_of)), period)
    next_number = _number_of(ibis.literal(as_of.date()), period)
    firsts = days.group_by("customer_id").aggregate(first=ibis._.day.min())
    firsts = firsts.select("customer_id", cohort=period_start(firsts["first"], period))
    done = days.select("customer_id", "day", "orders", "amount", refunds=ibis.literal(0.0))
    if tables.refunds is not None:
        back = tables.refunds.filter(tables.refunds.refunded_at < ibis.literal(as_of, type="timestamp"))
        done = done.union(
            back.select(
                "customer_id",
                day=back.refunded_at.date(),
                orders=ibis.literal(0, type="int64"),
                amount=ibis.literal(0.0),
                refunds=back.amount.cast("float64"),
            )
        )
    joined = done.join(firsts, "customer_id")
    number = ibis.greatest(_number_of(joined.day, period) - _number_of(joined.cohort, period), 0)
    acted = (
        joined.mutate(period_number=number)
        .group_by("cohort", "period_number")
        .aggregate(
            active=ibis._.customer_id.nunique(where=ibis._.orders > 0),
            orders=ibis._.orders.sum(),
            amount=ibis._.amount.sum(),
            refunds=ibis._.refunds.sum(),
        )
    )
    sizes = firsts.group_by("cohort").aggregate(customers=ibis._.count())
    grid = sizes.mutate(period_number=ibis.range(0, last - _number_of(sizes.cohort, period) + 1).unnest())
    grid = grid.mutate(period_number=grid.period_number.cast("int64"))
    acted = acted.mutate(period_number=acted.period_number.cast("int64"))
    full = grid.left_join(acted, ["cohort", "period_number"]).select(
        grid, *(acted[name].fill_null(0).name(name) for name in ("active", "orders", "amount", "refunds"))
    )
    so_far = ibis.window(group_by="cohort", order_by="period_number", preceding=None, following=0)
    value = (full.amount - full.refunds).sum().over(so_far)
    return full.select(
        "cohort",
        "period_number",
        (_number_of(full.cohort, period) + full.period_number < next_number).name("complete"),
        "customers",
        "active",
        "orders",
        "amount",
        "refunds",
        (full.active / full.customers).name("retention"),
        value.name("cumulative_value"),
        (value / full.customers).name("cumulative_value_per_customer"),
    ).order_by("cohort", "period_number")


def repeat_curve(tables: Tables, *, as_of: dt.datetime, after: int = 1, level: float = 0.95) -> ir.Table:
    """The share of customers who have come back n days after their first occasion (or the ``after``-th).

    One row per number of days on which anyone came back: days, share, low, high (Kaplan–Meier, limits at ``level``),
    watched (customers who had not come back before and were watched that long), came_back.
    """
    if after < 1:
        raise BadInput("insight.order_number", number=after)
    curve = survival(_waits(tables, as_of).filter(ibis._.number == after), level=level)
    curve = curve.filter(curve.ended > 0)
    return curve.select(
        days=curve.duration,
        share=1 - curve.survival,
        low=1 - curve.high,
        high=1 - curve.low,
        watched=curve.at_risk,
        came_back=curve.ended,
    ).order_by("days")


def order_ladder(
    tables: Tables, *, as_of: dt.datetime, steps: int = 5, within_days: int = 180, level: float = 0.95
) -> ir.Table:
    """From the first occasion to the second, to the third …: one row per step up to ``steps``.

    Columns: step (n), customers (who reached n), went_on (who reached n + 1), plain_share (went_on / customers, an
    underestimate while many are young), share_within, low, high (Kaplan–Meier, within ``within_days``; null where
    fewer than ``WATCHED_MIN`` customers were watched that long, since the end of the curve then hangs on a few),
    median_days (by which half of all have gone on; null
    where that never happens), average_amount (of occasion n), customers_waiting (who may still go on).
    """
    waits = _waits(tables, as_of).filter(ibis._.number <= steps)
    plain = waits.group_by("number").aggregate(
        customers=ibis._.count(),
        went_on=ibis._.ended.cast("int64").sum(),
        average_amount=ibis._.amount.mean(),
        watched=(ibis._.duration >= within_days).cast("int64").sum(),
    )
    curve = survival(waits, by=("number",), level=level)
    within = (
        curve.filter(curve.duration <= within_days)
        .group_by("number")
        .aggregate(share=1 - ibis._.survival.min(), low=1 - ibis._.high.min(), high=1 - ibis._.low.min())
    )
    middle = survival_quantiles(curve, {"median_days": 0.5}, by=("number",))
    joined = plain.left_join(within, "number").drop("number_right").join(middle, "number")
    seen = joined.watched >= WATCHED_MIN
    return joined.select(
        step=joined.number,
        customers=joined.customers,
        went_on=joined.went_on,
        plain_share=joined.went_on / joined.customers,
        share_within=ibis.cases((seen, joined.share.fill_null(0.0)), else_=None),
        low=ibis.cases((seen, joined.low), else_=None),
        high=ibis.cases((seen, joined.high), else_=None),
        median_days=joined.median_days,
        average_amount=joined.average_amount,
        customers_waiting=joined.customers - joined.went_on,
    ).order_by("step")


def inter_purchase_times(tables: Tables, *, as_of: dt.datetime) -> ir.Table:
    """How long the gaps between a customer's occasions were: gap_days, gaps, share, cumulative_share.

    Only gaps that ended are here, so long ones are under-represented in a young shop; :func:`order_ladder` and
    :func:`repeat_curve` allow for that.
    """
    gaps = _gaps(tables, as_of).group_by("gap_days").aggregate(gaps=ibis._.count())
    total = gaps.gaps.sum().over()
    so_far = gaps.gaps.sum().over(ibis.window(order_by="gap_days", preceding=None, following=0))
    return gaps.mutate(share=gaps.gaps / total, cumulative_share=so_far / total).order_by("gap_days")


def inter_purchase_quantiles(tables: Tables, *, as_of: dt.datetime) -> ir.Table:
    """One row: gaps (how many), mean_days, p10_days … p95_days (interpolated) of the gaps that ended."""
    gaps = _gaps(tables, as_of)
    days = gaps.gap_days.cast("float64")
    return gaps.aggregate(
        gaps=gaps.count(), mean_days=days.mean(), **{name: days.quantile(share) for name, share in _SHARES.items()}
    )


def lifetimes(tables: Tables, *, as_of: dt.datetime, active_days: int = 365) -> ir.Table:
    """How long each customer stayed until first lost: customer_id, duration (days), ended, for :func:`survival`.

    Lost means without an order for more than ``active_days``. The time to churn runs from the first order to the day on
    which that is first so, active_days + 1 after the last order before the silence. Who has not been silent for so long
    is censored at the last known day.
    """
    days = occasions(tables, as_of=as_of)
    known_day = ibis.literal(last_known_day(as_of))
    lost_on = _lost_on(days, known_day, active_days)
    per_customer = (
        days.mutate(lost_on=lost_on)
        .group_by("customer_id")
        .aggregate(first=ibis._.day.min(), lost_on=ibis._.lost_on.min())
    )
    until = per_customer.lost_on.fill_null(known_day)
    return per_customer.select(
        "customer_id",
        duration=until.delta(per_customer["first"], unit="day"),
        ended=per_customer.lost_on.notnull(),
    )


def base_movement(tables: Tables, *, as_of: dt.datetime, period: Period = "month", active_days: int = 365) -> ir.Table:
    """The customer base like a bank statement: opening + new + reactivated − lost = closing, per period, with money.

    A customer is active while the last order is at most ``active_days`` old (12 months, the usual definition of an
    active customer in retail accounts); lost on the day after; reactivated when ordering again later.

    Columns: period (first day), complete (whether it is over at ``as_of``), opening, new, reactivated, lost, closing,
    and what was ordered in the period: amount_new (by customers new in it), amount_reactivated (by customers
    reactivated in it), amount_continuing (by all others), amount; and amount_lost: what the lost had spent in the
    ``active_days`` up to their last order, the yearly money that went. Raises BadInput ``insight.active_days`` when
    ``active_days`` is shorter than a period, for then the statement would not add up.
    """
    if active_days < _DAYS_LONGEST[period]:
        raise BadInput("insight.active_days", days=active_days, needed=_DAYS_LONGEST[period])
    days = occasions(tables, as_of=as_of)
    known_day = ibis.literal(last_known_day(as_of))
    number = _number_of(days.day, period)
    before = days.day.lag().over(ibis.window(group_by="customer_id", order_by="day"))
    lapsed = days.day.delta(before, unit="day") > active_days
    acts = days.select(
        "customer_id",
        "day",
        "amount",
        period_index=number,
        new=(days.number == 1).cast("int64"),
        reactivated=lapsed.fill_null(ibis.literal(value=False)).cast("int64"),
        lost_on=_lost_on(days, known_day, active_days),
    )
    per_customer = acts.group_by("customer_id", "period_index").aggregate(
        new=ibis._.new.max(),
        reactivated=ibis._.reactivated.max(),
        turned=ibis._.reactivated.sum(),
        amount=ibis._.amount.sum(),
    )
    fresh, back = per_customer.new == 1, (per_customer.new == 0) & (per_customer.reactivated == 1)
    bought = per_customer.group_by("period_index").aggregate(
        new=per_customer.new.sum(),
        reactivated=per_customer.turned.sum(),
        amount_new=per_customer.amount.sum(where=fresh),
        amount_reactivated=per_customer.amount.sum(where=back),
        amount=per_customer.amount.sum(),
    )
    gone = acts.filter(acts.lost_on.notnull()).select("customer_id", "lost_on", last_day=ibis._.day)
    spent = days.select("customer_id", spent_on=days.day, spent=days.amount)
    year = gone.join(spent, "customer_id")
    year = year.filter(year.spent_on <= year.last_day, year.last_day.delta(year.spent_on, unit="day") < active_days)
    amounts = year.group_by(period_index=_number_of(year.lost_on, period)).aggregate(amount_lost=year.spent.sum())
    counts = gone.group_by(period_index=_number_of(gone.lost_on, period)).aggregate(lost=gone.count())
    return _statement(acts, bought, counts, amounts, as_of, period)


def _statement(
    acts: ir.Table, bought: ir.Table, counts: ir.Table, amounts: ir.Table, as_of: dt.datetime, period: Period
) -> ir.Table:
    """Put the movements of each period into one row, empty periods included, and carry the balance forward."""
    last = _number_of(ibis.literal(last_known_day(as_of)), period)
    start = acts.aggregate(first=period_start(acts.day.min(), period))
    span = ibis.range(0, last - _number_of(start["first"], period) + 1)
    # Nothing was ordered: no first day, and a null range unnests to no row.
    periods = start.mutate(step=span.unnest())
    periods = periods.select(
        period_index=(_number_of(periods["first"], period) + periods.step).cast("int64"),
        period=_later(periods["first"], periods.step, period),
    )
    table = periods
    for raw in (bought, counts, amounts):
        part = raw.mutate(period_index=raw.period_index.cast("int64"))
        names = [name for name in part.columns if name != "period_index"]
        table = table.left_join(part, "period_index").select(
            table, *(part[name].fill_null(0).name(name) for name in names)
        )
    so_far = ibis.window(order_by="period", preceding=None, following=0)
    closing = (table.new + table.reactivated - table.lost).sum().over(so_far)
    next_index = _number_of(ibis.literal(as_of.date()), period)
    return table.select(
        "period",
        (table.period_index < next_index).name("complete"),
        (closing - table.new - table.reactivated + table.lost).name("opening"),
        "new",
        "reactivated",
        "lost",
        closing.name("closing"),
        "amount_new",
        "amount_reactivated",
        (table.amount - table.amount_new - table.amount_reactivated).name("amount_continuing"),
        "amount",
        "amount_lost",
    ).order_by("period")


def _waits(tables: Tables, as_of: dt.datetime) -> ir.Table:
    """Each occasion with the wait for the next: customer_id, number, amount, duration (days), ended."""
    days = occasions(tables, as_of=as_of)
    until = days.next_day.fill_null(ibis.literal(last_known_day(as_of)))
    return days.select(
        "customer_id",
        "number",
        "amount",
        duration=until.delta(days.day, unit="day"),
        ended=days.next_day.notnull(),
    )


def _gaps(tables: Tables, as_of: dt.datetime) -> ir.Table:
    waits = _waits(tables, as_of)
    return waits.filter(waits.ended).select(gap_days=waits.duration)


def _lost_on(days: ir.Table, known_day: ir.Value, active_days: int) -> ir.Value:
    """The day on which a silence after this occasion first exceeds ``active_days``; null where it does not (yet)."""
    until = days.next_day.fill_null(known_day)
    gap = until.delta(days.day, unit="day")
    return ibis.cases((gap > active_days, days.day + ibis.interval(days=active_days + 1)), else_=None).cast("date")


def period_start(day: ir.Value, period: Period) -> ir.Value:
    """The first day of the period that holds the day, a date."""
    # By way of a timestamp: DuckDB truncates a date to a timestamp, which Ibis takes for a date.
    return day.cast("timestamp").truncate(_PARTS[period]).cast("date")


def _number_of(day: ir.Value, period: Period) -> ir.Value:
    """A running number of the period that holds the day; consecutive periods have consecutive numbers."""
    if period == "week":
        return (day.delta(ibis.literal(_A_MONDAY), unit="day") / 7).floor().cast("int64")
    if period == "month":
        return (day.year().cast("int64") * 12 + day.month() - 1).cast("int64")
    return (day.year().cast("int64") * 4 + day.quarter() - 1).cast("int64")


def _later(first: ir.Value, steps: ir.Value, period: Period) -> ir.Value:
    """The first day of the period that is so many steps later."""
    if period == "week":
        return (first + (steps * 7).as_interval("D")).cast("date")
    months = steps if period == "month" else steps * 3
    return (first + months.as_interval("M")).cast("date")
