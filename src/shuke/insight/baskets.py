"""What is bought together: pairs of products in one order, with support, confidence and lift.

R. Agrawal, T. Imieliński, A. Swami (1993), Mining Association Rules between Sets of Items in Large Databases (support
and confidence). S. Brin, R. Motwani, J. Ullman, S. Tsur (1997), Dynamic Itemset Counting and Implication Rules for
Market Basket Data (interest, today called lift).
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from scipy.special import ndtri

from shuke.base.errors import BadInput
from shuke.insight.products import product_attribute

__all__ = ["PRODUCTS_MAX", "basket_pairs", "pair_customers", "pair_orders_needed"]

# A self join of baskets grows with the square of their size. Only this many products, the ones in most orders, take
# part, so that an order yields at most 500·499/2 pairs and the result at most as many rows, however wide the range is.
PRODUCTS_MAX = 500


# A pair that fewer orders hold is as likely chance.
_ORDERS_MIN, _SHARE_MIN = 20, 0.001


def pair_orders_needed(orders: int) -> int:
    """How many of so many orders should hold a pair before it is worth a word."""
    return max(_ORDERS_MIN, round(_SHARE_MIN * orders))


def basket_pairs(
    lines: ir.Table, *, min_orders: int = 20, limit: int = 200, products: int = 300, level: float = 0.95
) -> ir.Table:
    """The pairs of products that stand out most, strongest first (by ``lift_low``), at most ``limit`` rows.

    Columns: product_a < product_b, [name_a, name_b], orders_both, orders_a, orders_b, orders (all orders with lines),
    support (share of all orders that hold both), confidence_a_to_b (of the orders with a, the share with b),
    confidence_b_to_a, lift (how many times more often than if the two were independent), lift_low, lift_high.

    A pair is in when at least ``min_orders`` orders hold both. Only the ``products`` products that are in most orders
    take part (at most PRODUCTS_MAX, BadInput ``insight.too_many_products`` beyond).

    The interval is the delta method on ln(lift) of a multinomial sample of n orders (A. Agresti 2013, Categorical Data
    Analysis, 3rd ed., section 16.1): with the cells' gradient of ln p_ab − ln p_a − ln p_b the variance comes to
    1/n_ab − 1/n_a − 1/n_b + (2·lift − 1)/n. It holds for one pair; the best of many pairs look better than they are.
    """
    if products > PRODUCTS_MAX:
        raise BadInput("insight.too_many_products", most=PRODUCTS_MAX, found=products)
    items = lines.filter(lines.product_id.notnull()).select("order_id", "product_id").distinct()
    total = items.order_id.nunique().cast("float64").as_scalar()
    counts = items.group_by("product_id").aggregate(orders_of=lambda t: t.count())
    frequent = counts.filter(counts.orders_of >= min_orders).order_by(ibis.desc("orders_of"), "product_id")
    frequent = frequent.limit(products)

    entered = items.semi_join(frequent, "product_id")
    left = entered.select("order_id", product_a="product_id")
    right = entered.select(order_b="order_id", product_b="product_id")
    both = left.join(right, [left.order_id == right.order_b, left.product_a < right.product_b])
    pairs = both.group_by("product_a", "product_b").aggregate(orders_both=lambda t: t.count())
    pairs = pairs.filter(pairs.orders_both >= min_orders)
    of_a = frequent.select(product_a="product_id", orders_a="orders_of")
    of_b = frequent.select(product_b="product_id", orders_b="orders_of")
    pairs = pairs.inner_join(of_a, "product_a").inner_join(of_b, "product_b")
    pairs = pairs.mutate(orders=total)

    n_ab, n_a, n_b, n = (pairs[name].cast("float64") for name in ("orders_both", "orders_a", "orders_b", "orders"))
    lift = n_ab * n / (n_a * n_b)
    variance = 1.0 / n_ab - 1.0 / n_a - 1.0 / n_b + (2.0 * lift - 1.0) / n
    # A pair in every order has no variance; rounding must not take it below zero.
    reach = float(ndtri((1.0 + level) / 2.0)) * ibis.greatest(variance, 0.0).sqrt()
    measured = pairs.select(
        "product_a",
        "product_b",
        "orders_both",
        "orders_a",
        "orders_b",
        orders=pairs.orders.cast("int64"),
        support=n_ab / n,
        confidence_a_to_b=n_ab / n_a,
        confidence_b_to_a=n_ab / n_b,
        lift=lift,
        lift_low=lift * (-reach).exp(),
        lift_high=lift * reach.exp(),
    )
    order = (ibis.desc("lift_low"), ibis.desc("orders_both"), ibis.asc("product_a"), ibis.asc("product_b"))
    best = measured.order_by(*order).limit(limit)
    if "product_name" not in lines.columns:
        return best
    names = product_attribute(lines, "product_name")
    of_a = names.select(name_of_a="product_id", name_a="product_name")
    of_b = names.select(name_of_b="product_id", name_b="product_name")
    best = best.left_join(of_a, best.product_a == of_a.name_of_a).drop("name_of_a")
    best = best.left_join(of_b, best.product_b == of_b.name_of_b).drop("name_of_b")
    return best.relocate("name_a", "name_b", after="product_b").order_by(*order)


def pair_customers(lines: ir.Table, pairs: ir.Table) -> ir.Table:
    """product_a, product_b and customers: how many have an order that holds both products of a pair.

    ``pairs`` are some of those of :func:`basket_pairs`; a pair that only orders of nobody known hold is left out.
    """
    items = lines.filter(lines.customer_id.notnull()).select("order_id", "product_id", "customer_id")
    wanted = pairs.select("product_a", "product_b")
    left = items.join(wanted, items.product_id == wanted.product_a).drop("product_id")
    right = items.select(order_b="order_id", bought_b="product_id")
    both = left.join(right, [left.order_id == right.order_b, left.product_b == right.bought_b])
    return both.group_by("product_a", "product_b").aggregate(customers=lambda t: t.customer_id.nunique())
