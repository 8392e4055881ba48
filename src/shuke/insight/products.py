"""What the brand sells: each product's and category's part of the revenue, and what a first product leads to."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir
from scipy.special import ndtri

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.economics import first_orders, value_of_first_days
from shuke.insight.tables import Tables

__all__ = [
    "abc_classes",
    "category_contribution",
    "days_to_compare",
    "first_product_value",
    "margins",
    "pareto",
    "product_attribute",
    "product_contribution",
]

# A product is of class A while the better ones together have less than this share of the revenue; then B; then C.
A_SHARE = 0.8
B_SHARE = 0.95
# Shares are sums of floats: a product right on the border must not fall to one side by the last digit.
_EPSILON = 1e-9
_DECIMALS = 4


def product_contribution(lines: ir.Table, *, refunds: ir.Table | None = None) -> ir.Table:
    """One row per product, the one with most revenue first.

    Columns: rank, product_id, [product_name, category, brand: the value most lines carry], revenue, orders, customers,
    units, share (of all revenue), cumulative_share (this one and the better ones), abc_class ("A" up to 80 % of the
    revenue, "B" up to 95 %, "C" the rest), repeat_share (of its customers, the share that bought it in two orders or
    more), refunds, return_rate (refunds over revenue). The last two are null when no refund names a product.
    Lines without a customer count everywhere but in customers and repeat_share.
    """
    table = _contribution(lines, "product_id", refunds)
    for name in reversed([name for name in ("product_name", "category", "brand") if name in lines.columns]):
        # A product without this attribute keeps its row.
        found = product_attribute(lines, name).rename(found_id="product_id")
        table = table.left_join(found, table.product_id == found.found_id).drop("found_id")
        table = table.relocate(name, after="product_id")
    return table.order_by("rank")


def category_contribution(lines: ir.Table, *, refunds: ir.Table | None = None) -> ir.Table:
    """One row per category, as :func:`product_contribution`; lines without a category form one row, category null.

    ``orders`` counts an order in every category that it touches. Raises CannotSay ``insight.no_category``.
    """
    if "category" not in lines.columns:
        raise CannotSay("insight.no_category")
    if refunds is not None and "product_id" in refunds.columns:
        category = product_attribute(lines, "category").rename(found_id="product_id")
        refunds = refunds.inner_join(category, refunds.product_id == category.found_id)
    return _contribution(lines, "category", refunds).order_by("rank")


def margins(lines: ir.Table, *, by: str = "product_id") -> ir.Table:
    """The ``by`` column, contribution (amounts less costs) and margin_rate, of the lines whose cost is known.

    Raises CannotSay ``insight.no_margin`` when lines carry no cost.
    """
    if "cost" not in lines.columns:
        raise CannotSay("insight.no_margin")
    known = lines.filter(lines.cost.notnull())
    amount, cost = known.amount.cast("float64").sum(), known.cost.cast("float64").sum()
    table = known.group_by(by).aggregate(contribution=amount - cost, paid=amount)
    return table.select(by, "contribution", margin_rate=table.contribution / table.paid.nullif(0.0))


def pareto(contribution: ir.Table, *, share: float = 0.8) -> ir.Table:
    """One row: items, items_for_share (the fewest best that make ``share`` of the revenue), share_of_items, revenue."""
    before = contribution.cumulative_share - contribution.share
    row = contribution.aggregate(
        items=contribution.count(),
        items_for_share=(before < share - _EPSILON).sum().cast("int64"),
        revenue=contribution.revenue.sum(),
    )
    part = row.items_for_share.cast("float64") / row["items"].nullif(0).cast("float64")
    return row.select("items", "items_for_share", "revenue", share_of_items=part)


def abc_classes(contribution: ir.Table) -> ir.Table:
    """One row per class A, B, C of a contribution: abc_class, items, revenue, share, ordered."""
    grouped = contribution.group_by("abc_class").aggregate(
        items=lambda t: t.count(), revenue=lambda t: t.revenue.sum(), share=lambda t: t.share.sum()
    )
    return grouped.order_by("abc_class")


def product_attribute(lines: ir.Table, name: str) -> ir.Table:
    """product_id and the value of ``name`` that most of its lines carry (of equals the first in the alphabet)."""
    known = lines.filter(lines[name].notnull())
    counts = known.group_by("product_id", name).aggregate(lines_with=lambda t: t.count())
    best = ibis.window(group_by="product_id", order_by=(ibis.desc("lines_with"), ibis.asc(name)))
    numbered = counts.mutate(place=ibis.row_number().over(best))
    return numbered.filter(numbered.place == 0).select("product_id", name)


def days_to_compare(history_days: int) -> int:
    """The days after the first order in which customers are compared: the longest that half of the history allows."""
    return 365 if history_days >= 730 else 180 if history_days >= 360 else 90


def first_product_value(
    tables: Tables,
    facts: ir.Table,
    *,
    as_of: datetime,
    by: str = "product_id",
    days: int = 365,
    margin: float = 1.0,
    min_customers: int = 30,
    level: float = 0.95,
) -> ir.Table:
    """What customers come to be worth, by the product (or ``by="category"``, any column of lines) they began with.

    Compared is the value of each customer's first ``days`` days (orders less refunds, times ``margin``), and only
    customers who have lived through all of them by ``as_of`` take part: otherwise products bought lately would look
    poor. A customer counts under every product of the first order. Rows with fewer than ``min_customers`` customers
    are left out.

    Columns: the ``by`` column, [product_name], customers, average_value, value_low, value_high (normal interval of a
    mean at ``level``: mean ± z·s/√n), repeat_rate (share that ordered again within the days), everyone_value (the
    average over all customers old enough, whatever they began with), everyone_customers; [average_predicted_clv] when
    ``facts`` has predicted_clv. Highest value_low first.

    Raises CannotSay ``insight.no_lines`` without order lines, BadInput ``insight.missing_columns`` without ``by``.
    """
    lines = tables.order_lines
    if lines is None:
        raise CannotSay("insight.no_lines")
    if by not in lines.columns:
        raise BadInput("insight.missing_columns", table="order_lines", columns=[by], found=list(lines.columns))
    values = value_of_first_days(tables, as_of=as_of, days=days, margin=margin)
    everyone = values.aggregate(everyone_value=values["value"].mean(), everyone_customers=values.count())
    predicted = "predicted_clv" in facts.columns
    if predicted:
        known = facts.select(found_id="customer_id", predicted_clv="predicted_clv")
        values = values.left_join(known, values.customer_id == known.found_id).drop("found_id")
    first = first_orders(tables.orders).select(first_order_id="order_id")
    bought = lines.semi_join(first, lines.order_id == first.first_order_id)
    bought = bought.filter(bought[by].notnull()).select("customer_id", by).distinct()
    began = bought.inner_join(values, "customer_id")
    measures = {
        "customers": began.count(),
        "average_value": began["value"].mean(),
        "deviation": began["value"].std(how="sample"),
        "repeat_rate": began.ordered_again.cast("float64").mean(),
    }
    if predicted:
        measures["average_predicted_clv"] = began.predicted_clv.mean()
    grouped = began.group_by(by).aggregate(**measures)
    grouped = grouped.filter(grouped.customers >= min_customers)
    reach = float(ndtri((1.0 + level) / 2.0)) * grouped.deviation / grouped.customers.cast("float64").sqrt()
    result = grouped.mutate(value_low=grouped.average_value - reach, value_high=grouped.average_value + reach)
    result = result.drop("deviation").cross_join(everyone)
    if by == "product_id" and "product_name" in lines.columns:
        names = product_attribute(lines, "product_name").rename(found_id="product_id")
        result = result.left_join(names, result.product_id == names.found_id).drop("found_id")
        result = result.relocate("product_name", after="product_id")
    return result.order_by(ibis.desc(result.value_low.round(_DECIMALS)), by)


def _contribution(lines: ir.Table, item: str, refunds: ir.Table | None) -> ir.Table:
    """Revenue and people by ``item``. First per customer, then over customers, so that nothing is joined back."""
    per_customer = lines.group_by(item, "customer_id").aggregate(
        revenue=lambda t: t.amount.sum().cast("float64"),
        orders=lambda t: t.order_id.nunique(),
        units=lambda t: t.quantity.sum().cast("float64"),
    )
    known = per_customer.customer_id.notnull()
    table = per_customer.group_by(item).aggregate(
        revenue=per_customer.revenue.sum(),
        orders=per_customer.orders.sum().cast("int64"),
        customers=known.sum().cast("int64"),
        repeaters=(known & (per_customer.orders >= 2)).sum().cast("int64"),
        units=per_customer.units.sum(),
    )
    # Sums of floats depend on their order in the last digits; equal revenue must be equal on every run and engine.
    order = (ibis.desc(table.revenue.round(_DECIMALS)), ibis.asc(item))
    better = ibis.window(order_by=order, preceding=(None, 1))
    whole = table.revenue.sum().over(ibis.window())
    before = table.revenue.sum().over(better).fill_null(0.0) / whole.nullif(0.0)
    table = table.mutate(
        rank=ibis.row_number().over(ibis.window(order_by=order)) + 1,
        share=table.revenue / whole.nullif(0.0),
        before=before,
    )
    table = table.mutate(
        cumulative_share=table.before + table.share,
        abc_class=ibis.cases(
            (table.before < A_SHARE - _EPSILON, "A"), (table.before < B_SHARE - _EPSILON, "B"), else_="C"
        ),
        repeat_share=table.repeaters.cast("float64") / table.customers.nullif(0).cast("float64"),
    )
    table = table.drop("before", "repeaters").relocate("rank", before=item)
    table = table.relocate("share", "cumulative_share", "abc_class", "repeat_share", after="units")
    if refunds is None or item not in refunds.columns:
        nothing = ibis.null("float64")
        return table.mutate(refunds=nothing, return_rate=nothing)
    returned = refunds.filter(refunds[item].notnull()).group_by(refunded_item=refunds[item])
    returned = returned.aggregate(refunds=lambda t: t.amount.sum().cast("float64"))
    joined = table.left_join(returned, table[item] == returned.refunded_item).drop("refunded_item")
    joined = joined.mutate(refunds=joined.refunds.fill_null(0.0))
    return joined.mutate(return_rate=joined.refunds / joined.revenue.nullif(0.0))
