"""Ibis expressions that are the report's own: lists of customers, and sums by group. Pure: built and never executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from shuke import insight

__all__ = [
    "LISTS",
    "Limits",
    "by_group",
    "cohort_quality",
    "list_of",
    "list_sizes",
    "pair_customers",
    "second_order_waits",
    "value_histogram",
    "with_report_columns",
]

YEAR_DAYS = 365
SOON_DAYS = 30
PAIR_DAYS = 180
GOOD_MONEY_SCORE = 4
RETURNED_SHARE = 0.3
CORE_SHARE = 0.1


@dataclass(frozen=True)
class Limits:
    """What the lists' conditions need besides the facts."""

    as_of: datetime
    second_order_days: float | None  # within which four fifths of the second orders came


Condition = Callable[[ir.Table, Limits], ir.BooleanValue]


def with_report_columns(facts: ir.Table, orders: ir.Table, *, as_of: datetime) -> ir.Table:
    """``facts`` with amount_365 (ordered in the 365 days before ``as_of``), in_core (the top tenth by historic value)
    and, where orders have a discount, first_discounted."""
    recent = orders.filter(
        orders.ordered_at < ibis.literal(as_of), orders.ordered_at >= ibis.literal(as_of - timedelta(days=YEAR_DAYS))
    )
    spent = recent.group_by(spender="customer_id").aggregate(amount_365=recent.amount.cast("float64").sum())
    table = facts.left_join(spent, facts.customer_id == spent.spender).drop("spender")
    place = ibis.row_number().over(ibis.window(order_by=(ibis.desc("historic_clv"), ibis.asc("customer_id"))))
    everyone = table.count().over(ibis.window())
    table = table.mutate(
        amount_365=table.amount_365.fill_null(0.0),
        in_core=place.cast("float64") < everyone.cast("float64") * CORE_SHARE,
    )
    if "discount" not in orders.columns:
        return table
    first = insight.first_orders(orders)
    first = first.select(first_customer="customer_id", first_discounted=first.discount.cast("float64").abs() > 0)
    joined = table.left_join(first, table.customer_id == first.first_customer).drop("first_customer")
    return joined.mutate(first_discounted=joined.first_discounted.fill_null(ibis.literal(value=False)))


def _once(facts: ir.Table) -> ir.BooleanValue:
    return facts.order_days == 1


def _good(facts: ir.Table) -> ir.BooleanValue:
    return facts.m_score >= GOOD_MONEY_SCORE


def _second_order_now(facts: ir.Table, limits: Limits) -> ir.BooleanValue:
    return _once(facts) & (facts.recency_days <= (limits.second_order_days or -1.0))


def _one_time_promising(facts: ir.Table, limits: Limits) -> ir.BooleanValue:
    past = facts.recency_days > (limits.second_order_days or float(10**6))
    return _once(facts) & _good(facts) & past & (facts.stage != "lost")


def _due_soon(facts: ir.Table, limits: Limits) -> ir.BooleanValue:
    expected = facts.expected_date_of_next_order.cast("date")
    until = ibis.literal((limits.as_of + timedelta(days=SOON_DAYS)).date())
    return (expected <= until) & facts.stage.isin(("repeat", "loyal"))


def _return_prone(facts: ir.Table, _limits: Limits) -> ir.BooleanValue:
    return (facts.orders >= 2) & (facts.refunds >= RETURNED_SHARE * facts.gross_amount) & (facts.refunds > 0)


# A customer may be on several lists. Which of them the report names is for the findings to say.
LISTS: Mapping[str, Condition] = {
    "core": lambda facts, _limits: facts.in_core,
    "at_risk_valuable": lambda facts, _limits: (facts.stage == "at_risk") & _good(facts),
    "lost_valuable": lambda facts, _limits: (facts.stage == "lost") & _good(facts),
    "second_order_now": _second_order_now,
    "one_time_promising": _one_time_promising,
    "due_soon": _due_soon,
    "loyal": lambda facts, _limits: facts.stage == "loyal",
    "return_prone": _return_prone,
    "discount_acquired": lambda facts, _limits: facts.first_discounted,
}

_NEEDS = {"discount_acquired": "first_discounted"}


def list_of(facts: ir.Table, code: str, limits: Limits) -> ir.Table | None:
    """The customers of a list; None when the facts lack the column that it rests on."""
    if _NEEDS.get(code, "customer_id") not in facts.columns:
        return None
    return facts.filter(LISTS[code](facts, limits).fill_null(ibis.literal(value=False)))


def list_sizes(facts: ir.Table, limits: Limits) -> ir.Table:
    """Customers and sums of every list, one row: ``<code>__<measure>``."""
    sums: dict[str, ir.Value] = {}
    for code, condition in LISTS.items():
        if _NEEDS.get(code, "customer_id") in facts.columns:
            sums |= _sums(facts, code, condition(facts, limits).fill_null(ibis.literal(value=False)))
    return facts.aggregate(**sums)


def sizes_of_all(facts: ir.Table, code: str) -> ir.Table:
    """The sums of all rows as those of the list ``code``."""
    return facts.aggregate(**_sums(facts, code, facts.customer_id.notnull()))


def _sums(facts: ir.Table, code: str, inside: ir.BooleanValue) -> dict[str, ir.Value]:
    def total(column: str) -> ir.Value:
        return facts[column].cast("float64").sum(where=inside)

    return {
        f"{code}__customers": inside.cast("int64").sum().cast("int64"),
        f"{code}__historic": total("historic_clv"),
        f"{code}__amount_365": total("amount_365"),
        f"{code}__order_value_sum": total("average_order_value"),
        f"{code}__predicted": total("predicted_clv"),
        f"{code}__refunds": total("refunds"),
    }


def by_group(facts: ir.Table, column: str) -> ir.Table:
    """Customers and their sums by ``column``: key and the measures of a segment. Rows without the column are left
    out."""
    known = facts.filter(facts[column].notnull())
    return known.group_by(key=known[column].cast("string")).aggregate(
        customers=known.count(),
        orders=known.orders.sum().cast("int64"),
        gross=known.gross_amount.sum(),
        historic=known.historic_clv.sum(),
        historic_deviation=known.historic_clv.std(how="sample"),
        amount_365=known.amount_365.sum(),
        repeat_customers=(known.order_days >= 2).cast("int64").sum().cast("int64"),
        recency_days=known.recency_days.cast("float64").mean(),
        predicted=known.predicted_clv.sum(),
        predicted_orders=known.predicted_number_of_orders.sum(),
        churn=known.churn_probability.mean(),
    )


def second_order_waits(tables: insight.Tables, *, as_of: datetime) -> ir.Table:
    """One row: customers who came back, and the days after which a half and four fifths of them had."""
    days = insight.occasions(tables, as_of=as_of)
    came = days.filter((days.number == 1) & days.next_day.notnull())
    wait = came.next_day.delta(came.day, unit="day").cast("float64")
    return came.aggregate(customers=came.count(), median=wait.quantile(0.5), p80=wait.quantile(0.8))


def cohort_quality(tables: insight.Tables, *, as_of: datetime, days: int) -> ir.Table:
    """By month of the first order, for months whose customers have all been watched so long: cohort, customers,
    repeated (came back within the days)."""
    watched = insight.value_of_first_days(tables, as_of=as_of, days=days)
    watched = watched.mutate(cohort=watched.first_day.truncate("M"))
    grouped = watched.group_by("cohort").aggregate(
        customers=watched.count(), repeated=watched.ordered_again.cast("int64").sum().cast("int64")
    )
    watched_until = grouped.cohort + ibis.interval(months=1) + ibis.interval(days=days)
    return grouped.filter(watched_until.cast("date") <= ibis.literal(as_of.date())).order_by("cohort")


def pair_customers(lines: ir.Table, first: str, second: str, *, as_of: datetime) -> ir.Table:
    """Customers who bought the product ``first`` in the last half year and never ``second``."""
    since = ibis.literal(as_of - timedelta(days=PAIR_DAYS))
    product = lines.product_id.cast("string")
    known = lines.mutate(
        lately=((product == first) & (lines.ordered_at >= since)).cast("int64"), other=(product == second).cast("int64")
    )
    bought = known.group_by("customer_id").aggregate(lately=known.lately.max(), other=known.other.max())
    return bought.filter((bought.lately == 1) & (bought.other == 0)).select("customer_id")


def value_histogram(facts: ir.Table, *, width: float, bins: int) -> ir.Table:
    """Customers by predicted value in bins of ``width`` from 0; the last bin holds all above."""
    known = facts.filter(facts.predicted_clv.notnull())
    place = ibis.least((known.predicted_clv / width).floor().cast("int64"), bins - 1)
    return known.select(place=ibis.greatest(place, 0)).group_by("place").aggregate(customers=lambda t: t.count())
