"""Expressions of the room. Pure: built and never executed.

The facts as the database keeps them, in whole minor units and with rounded shares; and the canonical tables cut down to
what is looked at.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import ibis
import ibis.expr.types as ir

from shuke import insight
from shuke.lifecycle.analysis_model import Narrowing

__all__ = ["COLUMNS", "acquired", "facts_to_keep", "of_customers", "sold"]

#: The columns in the order in which they are copied.
COLUMNS: tuple[str, ...] = (
    *("customer_id", "first_order_at", "last_order_at", "orders", "order_days", "recency_days"),
    *("average_days_between_orders", "gross_minor", "refunds_minor", "average_order_minor", "historic_clv_minor"),
    *("cohort", "first_channel", "first_store", "region", "r_score", "f_score", "m_score", "rfm_group", "value_group"),
    *("p_alive", "churn_probability", "predicted_number_of_orders", "predicted_orders_low", "predicted_orders_high"),
    *("expected_order_minor", "predicted_clv_minor", "predicted_clv_low_minor", "predicted_clv_high_minor"),
    *("total_clv_minor", "expected_date_of_next_order", "stage"),
)
_MONEY = {
    "gross_minor": "gross_amount",
    "refunds_minor": "refunds",
    "average_order_minor": "average_order_value",
    "historic_clv_minor": "historic_clv",
    "expected_order_minor": "expected_order_value",
    "predicted_clv_minor": "predicted_clv",
    "predicted_clv_low_minor": "predicted_clv_low",
    "predicted_clv_high_minor": "predicted_clv_high",
    "total_clv_minor": "total_clv",
}
# Sums differ in their last digits with the order of the rows; rounded, the same facts are the same numbers.
_DIGITS = 6
_ROUNDED = (
    *("average_days_between_orders", "p_alive", "churn_probability"),
    *("predicted_number_of_orders", "predicted_orders_low", "predicted_orders_high"),
)


def facts_to_keep(facts: ir.Table, *, digits: int) -> ir.Table:
    """The table of :func:`shuke.insight.customer_facts` with :data:`COLUMNS`; ``digits`` are those of the currency."""
    columns: dict[str, ir.Value] = {}
    for name in COLUMNS:
        if name in _MONEY:
            columns[name] = (facts[_MONEY[name]] * 10**digits).round().cast("int64")
        elif name in _ROUNDED:
            columns[name] = facts[name].round(_DIGITS)
        elif name in facts.columns:
            columns[name] = facts[name]
        else:
            # Where the first order says nothing of it.
            columns[name] = ibis.null("string")
    return facts.select(**columns)


def of_customers(tables: insight.Tables, customers: ir.Table) -> insight.Tables:
    """What is known of these customers alone, by their ``customer_id``; nothing of what the brand spent on winning all.

    What belongs to nobody known is not theirs.
    """
    lines, refunds = tables.order_lines, tables.refunds
    return replace(
        tables,
        orders=tables.orders.semi_join(customers, "customer_id"),
        order_lines=None if lines is None else lines.semi_join(customers, "customer_id"),
        refunds=None if refunds is None else refunds.semi_join(customers, "customer_id"),
        costs=None,
    )


def acquired(tables: insight.Tables, narrowing: Narrowing) -> insight.Tables:
    """Everything of the customers whose first order fits, whenever it happened; what the brand spent stays."""
    if not narrowing.of_orders:
        return tables
    first = _fitting(insight.first_orders(tables.orders), narrowing)
    return replace(of_customers(tables, first.select("customer_id")), costs=_spent(tables.costs, narrowing))


def sold(tables: insight.Tables, narrowing: Narrowing) -> insight.Tables:
    """The orders that fit, with their lines, and what was given back of them."""
    if not narrowing.of_orders:
        return tables
    orders = _fitting(tables.orders, narrowing)
    numbers = orders.select("order_id")
    lines, refunds = tables.order_lines, tables.refunds
    return replace(
        tables,
        orders=orders,
        order_lines=None if lines is None else lines.semi_join(numbers, "order_id"),
        refunds=None
        if refunds is None or "order_id" not in refunds.columns
        else refunds.semi_join(numbers, "order_id"),
    )


def _fitting(orders: ir.Table, narrowing: Narrowing) -> ir.Table:
    """Those of the orders that the narrowing leaves."""
    conditions: list[ir.BooleanValue] = []
    if narrowing.since is not None:
        conditions.append(orders.ordered_at >= ibis.literal(datetime.combine(narrowing.since, time())))
    if narrowing.until is not None:
        end = datetime.combine(narrowing.until, time()) + timedelta(days=1)
        conditions.append(orders.ordered_at < ibis.literal(end))
    for name in ("channel", "store"):
        wanted = getattr(narrowing, name)
        if wanted is not None:
            known = name in orders.columns
            conditions.append(orders[name] == wanted if known else ibis.literal(value=False))
    return orders.filter(*conditions) if conditions else orders


def _spent(costs: ir.Table | None, narrowing: Narrowing) -> ir.Table | None:
    """What was spent on the customers who are left: of a part of the stores, or of a month, nobody knows it."""
    if costs is None or narrowing.store is not None or narrowing.since is not None or narrowing.until is not None:
        return None
    return costs if narrowing.channel is None else costs.filter(costs.channel == narrowing.channel)
