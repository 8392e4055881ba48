"""The facts as the database keeps them: whole minor units, rounded shares. Pure: built and never executed."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

__all__ = ["COLUMNS", "facts_to_keep"]

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
