"""Where sales come from: by region, and by any other column of the orders."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.tables import Tables

__all__ = ["region_sales", "sales_by"]


def sales_by(orders: ir.Table, column: str) -> ir.Table:
    """Sales by ``column`` of the orders (channel, store, region, …), most money first.

    Columns: the column (null is a row of its own), customers, orders, amount, average_order_value,
    amount_per_customer (null without known customers), amount_share (of all), customer_share (of all customers; the
    shares exceed 1 together when customers order in several places), repeat_rate (of the customers there, the share
    with two orders or more there). Raises CannotSay ``insight.no_column``, BadInput ``insight.sales_by_customer``.
    """
    if column == "customer_id":
        raise BadInput("insight.sales_by_customer")
    if column not in orders.columns:
        raise CannotSay("insight.no_column", column=column)
    per_customer = orders.group_by(column, "customer_id").aggregate(
        orders=lambda t: t.count(), amount=lambda t: t.amount.sum().cast("float64")
    )
    known = per_customer.customer_id.notnull()
    table = per_customer.group_by(column).aggregate(
        customers=known.sum().cast("int64"),
        repeaters=(known & (per_customer.orders >= 2)).sum().cast("int64"),
        orders=per_customer.orders.sum().cast("int64"),
        amount=per_customer.amount.sum(),
        # Lines without a customer must not make the others look richer.
        known_amount=per_customer.amount.sum(where=known),
    )
    everyone = orders.aggregate(everyone=orders.customer_id.nunique())
    table = table.cross_join(everyone)
    customers = table.customers.nullif(0).cast("float64")
    return table.select(
        column,
        "customers",
        "orders",
        "amount",
        average_order_value=table.amount / table.orders.cast("float64"),
        amount_per_customer=table.known_amount / customers,
        amount_share=table.amount / table.amount.sum().over(ibis.window()).nullif(0.0),
        customer_share=table.customers.cast("float64") / table.everyone.nullif(0).cast("float64"),
        repeat_rate=table.repeaters.cast("float64") / customers,
    ).order_by(ibis.desc("amount"), column)


def region_sales(tables: Tables) -> ir.Table:
    """:func:`sales_by` region: the order's own, else the customer's. Raises CannotSay ``insight.no_column``."""
    if "region" in tables.orders.columns:
        return sales_by(tables.orders, "region")
    customers = tables.customers
    if customers is None or "region" not in customers.columns:
        raise CannotSay("insight.no_column", column="region")
    home = customers.select(home_id="customer_id", region="region")
    orders = tables.orders.left_join(home, tables.orders.customer_id == home.home_id).drop("home_id")
    return sales_by(orders, "region")
