"""Figures of products, baskets and costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from shuke import insight
from shuke.base.errors import CannotSay
from shuke.reports.rules.figures import (
    BasketPair,
    ChannelCost,
    Comparison,
    Economics,
    FirstProduct,
    Product,
    ReturnedProduct,
)
from shuke.reports.rules.findings_products import first_product_rank
from shuke.reports.service.gather.desk import Desk, Row, row_of, rows_of

__all__ = ["Goods", "discount_comparison", "economics", "goods"]

KEPT = 100
PAIRS_KEPT = 50


@dataclass(frozen=True)
class Goods:
    """What is bought."""

    products: tuple[Product, ...] = ()
    product_count: int = 0
    products_for_80: int | None = None
    categories: tuple[Product, ...] = ()
    returned: tuple[ReturnedProduct, ...] = ()
    returned_share: float | None = None
    pairs: tuple[BasketPair, ...] = ()
    first_products: tuple[FirstProduct, ...] = ()


def goods(desk: Desk, *, days: int, margin: float) -> Goods:
    """Everything on products; empty without order lines."""
    lines = desk.tables.order_lines
    if lines is None:
        return Goods()
    contribution = desk.engine.keep(insight.product_contribution(lines, refunds=desk.tables.refunds), "report_products")
    pareto = row_of(insight.pareto(contribution))
    best = rows_of(contribution.order_by("rank").limit(KEPT))
    returned = contribution.filter((contribution.refunds > 0) & (contribution.revenue > 0))
    sums = row_of(contribution.aggregate(refunds=contribution.refunds.sum(), revenue=contribution.revenue.sum()))
    orders = desk.tables.orders.count().to_pyarrow().as_py()
    least = insight.pair_orders_needed(orders)
    return Goods(
        products=tuple(_product(row, "product_id", "product_name") for row in best),
        product_count=pareto["items"],
        products_for_80=pareto["items_for_share"],
        categories=_categories(desk),
        returned=tuple(
            ReturnedProduct(
                key=str(row["product_id"]),
                name=_name(row),
                sold=row["revenue"],
                returned=row["refunds"],
                orders=row["orders"],
            )
            for row in rows_of(returned.order_by(returned.refunds.desc()).limit(KEPT))
        ),
        returned_share=sums["refunds"] / sums["revenue"] if sums["refunds"] and sums["revenue"] else None,
        pairs=_pairs(lines, least),
        first_products=_first_products(desk, days=days, margin=margin),
    )


def _name(row: Row) -> str:
    return str(row.get("product_name") or row["product_id"])


def _product(row: Row, key: str, name: str) -> Product:
    return Product(
        key=str(row[key]),
        name=str(row.get(name) or row[key]),
        amount=row["revenue"],
        share=row["share"],
        customers=row["customers"],
        orders=row["orders"],
        units=row["units"],
        returned=row["refunds"],
    )


def _categories(desk: Desk) -> tuple[Product, ...]:
    lines = desk.tables.order_lines
    if lines is None or "category" not in lines.columns:
        return ()
    rows = rows_of(insight.category_contribution(lines).limit(KEPT))
    return tuple(_product(row, "category", "category") for row in rows if row["category"] is not None)


def _pairs(lines: ir.Table, least: int) -> tuple[BasketPair, ...]:
    """The pairs that stand out most, those in most orders first."""
    rows = rows_of(insight.basket_pairs(lines, min_orders=least, limit=PAIRS_KEPT))
    return tuple(sorted((_pair(row) for row in rows), key=lambda one: -one.orders))


def _pair(row: Row) -> BasketPair:
    """In the direction in which the first foretells the second better."""
    forward = row["confidence_a_to_b"] >= row["confidence_b_to_a"]
    a, b = ("a", "b") if forward else ("b", "a")
    return BasketPair(
        first=str(row.get(f"name_{a}") or row[f"product_{a}"]),
        second=str(row.get(f"name_{b}") or row[f"product_{b}"]),
        first_code=str(row[f"product_{a}"]),
        second_code=str(row[f"product_{b}"]),
        orders=row["orders_both"],
        support=row["support"],
        confidence=row[f"confidence_{a}_to_{b}"],
        lift=row["lift"],
        lift_low=row["lift_low"],
        lift_high=row["lift_high"],
    )


def _first_products(desk: Desk, *, days: int, margin: float) -> tuple[FirstProduct, ...]:
    table = insight.first_product_value(desk.tables, desk.customers, as_of=desk.as_of, days=days, margin=margin)
    found = [
        FirstProduct(
            key=str(row["product_id"]),
            name=_name(row),
            customers=row["customers"],
            value=row["average_value"],
            value_low=row["value_low"],
            value_high=row["value_high"],
            value_everyone=row["everyone_value"],
            repeat_share=row["repeat_rate"],
        )
        for row in rows_of(table.limit(KEPT))
    ]
    return tuple(sorted(found, key=first_product_rank, reverse=True))


def discount_comparison(desk: Desk, *, days: int, margin: float) -> Comparison | None:
    """Customers won with a discount against the others; None where there are not both."""
    rows = _said(
        lambda: rows_of(insight.discount_acquired(desk.tables, as_of=desk.as_of, days=days, margin=margin)), []
    )
    by_kind = {row["first_order_discounted"]: row for row in rows}
    if len(by_kind) != 2 or by_kind[True]["difference_low"] is None:
        return None
    return Comparison(
        with_customers=by_kind[True]["customers"],
        with_mean=by_kind[True]["average_value"],
        without_customers=by_kind[False]["customers"],
        without_mean=by_kind[False]["average_value"],
        low=by_kind[True]["difference_low"],
        high=by_kind[True]["difference_high"],
    )


def economics(desk: Desk, *, margin: float | None, margin_known: bool) -> Economics:
    """Costs by channel, and the steps from sales to contribution."""
    channels: tuple[ChannelCost, ...] = ()
    if desk.tables.costs is not None:
        channels = _said(lambda: _channels(desk, margin=1.0 if margin is None else margin), ())
    spend = sum(one.spend for one in channels)
    new = sum(one.new_customers for one in channels)
    profit: tuple[tuple[str, float], ...] = ()
    if margin_known:
        profit = _said(lambda: _profit(desk, margin), ())
    return Economics(
        channels=channels, spend=spend if channels else None, cac=spend / new if new else None, profit=profit
    )


def _channels(desk: Desk, *, margin: float) -> tuple[ChannelCost, ...]:
    rows = rows_of(insight.acquisition_by_channel(desk.tables, desk.customers, as_of=desk.as_of))
    curve = insight.payback_curve(desk.tables, as_of=desk.as_of, margin=margin)
    months = {row["channel"]: row["payback_months"] for row in rows_of(insight.payback(curve))}
    value = "average_total_clv" if desk.facts.model is not None else "average_historic_clv"
    ratio = "total_value_to_cac" if desk.facts.model is not None else "value_to_cac"
    return tuple(
        ChannelCost(
            channel=str(row["channel"]),
            spend=row["spend"],
            new_customers=row["new_customers"],
            cac=row["cac"],
            value=row[value],
            value_by_cac=row[ratio],
            payback_months=months.get(row["channel"]),
        )
        for row in rows
        if row["spend"] is not None
    )


def _profit(desk: Desk, margin: float | None) -> tuple[tuple[str, float], ...]:
    steps = ("revenue", "refunds", "net_revenue", "contribution", "spend", "contribution_after_spend")
    table = insight.profit_contribution(desk.tables, margin=margin)
    row = dict(row_of(table.aggregate(**{step: table[step].sum() for step in steps})))
    if row["spend"] is not None:
        # Months without a recorded cost have none after it, and would be missing from a sum of months.
        row["contribution_after_spend"] = row["contribution"] - row["spend"]
    return tuple((step, row[step]) for step in steps if row[step] is not None)


def _said(ask: Callable[[], Any], otherwise: Any) -> Any:
    """The answer, or the other thing where the core cannot say."""
    try:
        return ask()
    except CannotSay:
        return otherwise
