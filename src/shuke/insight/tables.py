"""The canonical tables: what every analysis reads, whoever filled them.

Each is an Ibis table, on any engine. Columns listed as required must be there; the optional ones are used when
they are. ``customer_id``, ``order_id`` and ``product_id`` are strings or integers, the same in every table.
Moments are timestamps without a zone, in the brand's own time. Money is any numeric type, in one currency.

============ =================================================== ==================================================
table        required                                            optional
============ =================================================== ==================================================
orders       customer_id, order_id, ordered_at, amount           discount, cost, units, channel, store, region
order_lines  customer_id, order_id, ordered_at, product_id,      product_name, category, brand, price, cost, discount
             quantity, amount
refunds      customer_id, refunded_at, amount                    order_id, product_id, quantity
customers    customer_id                                         first_seen_at, channel, region, any attribute
costs        channel, period, spend
events       customer_id, event, happened_at
============ =================================================== ==================================================

``orders.amount`` is what the customer paid for goods after discounts, before refunds, above zero; shipping, fees and
tax that is billed apart are not in it. One row is one order. ``order_lines`` holds sold products only (no fees, no
returns) and sums to ``orders.amount`` per order where both are known. ``refunds.amount`` is positive. ``cost`` is the
cost of the goods sold, ``period`` the first day of the month that was paid for.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir

from shuke.base.errors import BadInput

REQUIRED: dict[str, tuple[str, ...]] = {
    "orders": ("customer_id", "order_id", "ordered_at", "amount"),
    "order_lines": ("customer_id", "order_id", "ordered_at", "product_id", "quantity", "amount"),
    "refunds": ("customer_id", "refunded_at", "amount"),
    "customers": ("customer_id",),
    "costs": ("channel", "period", "spend"),
    "events": ("customer_id", "event", "happened_at"),
}


@dataclass(frozen=True)
class Tables:
    """The canonical tables of one brand. Only orders are indispensable; what needs another says so when it is absent.

    Raises BadInput ``insight.missing_columns`` when a table lacks a required column.
    """

    orders: ir.Table
    order_lines: ir.Table | None = None
    refunds: ir.Table | None = None
    customers: ir.Table | None = None
    costs: ir.Table | None = None
    events: ir.Table | None = None

    def __post_init__(self) -> None:
        """Refuse a table that lacks a required column, before anything is computed."""
        for name, required in REQUIRED.items():
            table: ir.Table | None = getattr(self, name)
            if table is None:
                continue
            missing = [column for column in required if column not in table.columns]
            if missing:
                raise BadInput("insight.missing_columns", table=name, columns=missing, found=list(table.columns))
