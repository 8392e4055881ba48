"""What is bought: what each product brings, what goes together, and what customers begin with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import ibis.expr.types as ir

from shuke import insight
from shuke.base.errors import CannotSay
from shuke.lifecycle.analysis_model import (
    Basis,
    Baskets,
    FirstProduct,
    FirstProducts,
    Narrowing,
    Pair,
    ProductContribution,
    Products,
)
from shuke.lifecycle.measures import acquired, sold
from shuke.lifecycle.service.desk import Desk, Laid, Whose

__all__ = ["PRODUCTS_TOLD_MAX", "baskets", "first_products", "products"]

#: Rows of one answer.
PRODUCTS_TOLD_MAX = 500
#: Customers who have to have begun with a product before anything is said of them.
CUSTOMERS_NEEDED = 30


def products(
    desk: Desk, by: Whose, narrowing: Narrowing, *, of: Literal["product", "category"] = "product", limit: int = 100
) -> Products:
    """The ``limit`` products, or categories, that bring the most revenue."""

    def work(laid: Laid) -> Products:
        tables = sold(laid.tables, narrowing)
        lines = _lines(tables)
        contribution = insight.product_contribution if of == "product" else insight.category_contribution
        kept = laid.engine.keep(contribution(lines, refunds=tables.refunds), "contribution")
        (spread,) = laid.rows(insight.pareto(kept))
        (people,) = laid.rows(lines.aggregate(customers=lines.customer_id.nunique()))
        key = "product_id" if of == "product" else "category"
        margins = _margins(laid, lines, key)
        told = tuple(
            _product(laid, row, key, people["customers"], margins.get(row[key], {}))
            for row in laid.rows(kept.order_by("rank").limit(min(limit, PRODUCTS_TOLD_MAX)))
        )
        return Products(
            basis=laid.basis,
            by=of,
            items=spread["items"],
            for_80=spread["items_for_share"] or 0,
            revenue_minor=laid.minor(spread["revenue"]),
            customers=people["customers"],
            products=told,
        )

    def nothing(basis: Basis) -> Products:
        return Products(basis, of, 0, 0, 0, 0, ())

    return desk.ask(by, narrowing, question=("products", of, limit), work=work, nothing=nothing)


def _lines(tables: insight.Tables) -> ir.Table:
    if tables.order_lines is None:
        raise CannotSay("insight.no_lines")
    return tables.order_lines


def _margins(laid: Laid, lines: ir.Table, key: str) -> dict[Any, dict[str, Any]]:
    try:
        return {row[key]: row for row in laid.rows(insight.margins(lines, by=key))}
    except CannotSay:
        return {}


def _product(laid: Laid, row: dict[str, Any], key: str, customers: int, margin: dict[str, Any]) -> ProductContribution:
    return ProductContribution(
        key=row[key],
        name=row.get("product_name"),
        category=row.get("category"),
        brand=row.get("brand"),
        revenue_minor=laid.minor(row["revenue"]),
        share=row["share"] or 0.0,
        cumulative_share=row["cumulative_share"] or 0.0,
        abc_class=row["abc_class"],
        # A kept sum of whole numbers comes back as a decimal.
        orders=int(row["orders"]),
        customers=int(row["customers"]),
        customer_share=int(row["customers"]) / customers if customers else None,
        units=row["units"],
        repeat_share=row["repeat_share"],
        refunds_minor=laid.maybe_minor(row["refunds"]),
        return_rate=row["return_rate"],
        contribution_minor=laid.maybe_minor(margin.get("contribution")),
        margin_rate=margin.get("margin_rate"),
    )


def baskets(desk: Desk, by: Whose, narrowing: Narrowing, *, limit: int = 50) -> Baskets:
    """The pairs of products that are in one order more often than chance would have it."""

    def work(laid: Laid) -> Baskets:
        tables = sold(laid.tables, narrowing)
        lines = _lines(tables)
        orders = int(tables.orders.count().to_pyarrow().as_py())
        needed = insight.pair_orders_needed(orders)
        found = insight.basket_pairs(lines, min_orders=needed, limit=limit).to_pyarrow()
        pairs = laid.engine.upload(found, "pairs")
        customers = {
            (row["product_a"], row["product_b"]): row["customers"]
            for row in laid.rows(insight.pair_customers(lines, pairs))
        }
        return Baskets(laid.basis, orders, needed, tuple(_pair(row, customers) for row in found.to_pylist()))

    def nothing(basis: Basis) -> Baskets:
        return Baskets(basis, 0, insight.pair_orders_needed(0), ())

    return desk.ask(by, narrowing, question=("baskets", limit), work=work, nothing=nothing)


def _pair(row: dict[str, Any], customers: dict[tuple[Any, Any], int]) -> Pair:
    """In the direction in which the first foretells the second better."""
    a, b = ("a", "b") if row["confidence_a_to_b"] >= row["confidence_b_to_a"] else ("b", "a")
    return Pair(
        first=row[f"product_{a}"],
        first_name=row.get(f"name_{a}"),
        second=row[f"product_{b}"],
        second_name=row.get(f"name_{b}"),
        orders=row["orders_both"],
        customers=customers.get((row["product_a"], row["product_b"]), 0),
        first_orders=row[f"orders_{a}"],
        second_orders=row[f"orders_{b}"],
        support=row["support"],
        confidence=row[f"confidence_{a}_to_{b}"],
        lift=row["lift"],
        lift_low=row["lift_low"],
        lift_high=row["lift_high"],
    )


def first_products(desk: Desk, by: Whose, narrowing: Narrowing, *, limit: int = 100) -> FirstProducts:
    """What customers come to be worth, by the product that they began with; the narrowing is of their first order."""

    def work(laid: Laid) -> FirstProducts:
        (begun,) = laid.rows(laid.tables.orders.aggregate(first=laid.tables.orders.ordered_at.min()))
        if begun["first"] is None:
            raise CannotSay("insight.no_lines")
        days = insight.days_to_compare((laid.as_of - begun["first"]).days)
        tables = acquired(laid.tables, narrowing)
        _lines(tables)
        # Of the facts only what is predicted would be read, which says nothing of the first days.
        table = insight.first_product_value(
            tables, tables.orders, as_of=laid.as_of, days=days, min_customers=CUSTOMERS_NEEDED
        )
        rows = laid.rows(table.limit(min(limit, PRODUCTS_TOLD_MAX)))
        return FirstProducts(
            basis=laid.basis,
            days=days,
            until=(laid.as_of - timedelta(days=days)).date(),
            customers_needed=CUSTOMERS_NEEDED,
            everyone_minor=laid.maybe_minor(rows[0]["everyone_value"]) if rows else None,
            everyone=rows[0]["everyone_customers"] if rows else 0,
            products=tuple(
                FirstProduct(
                    key=row["product_id"],
                    name=row.get("product_name"),
                    customers=row["customers"],
                    value_minor=laid.minor(row["average_value"]),
                    low_minor=laid.maybe_minor(row["value_low"]),
                    high_minor=laid.maybe_minor(row["value_high"]),
                    repeat_share=row["repeat_rate"],
                )
                for row in rows
            ),
        )

    def nothing(basis: Basis) -> FirstProducts:
        return FirstProducts(basis, 0, None, CUSTOMERS_NEEDED, None, 0, ())

    return desk.ask(by, narrowing, question=("first_products", limit), work=work, nothing=nothing)
