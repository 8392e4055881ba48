"""How unevenly value is spread over customers: Lorenz curve, Gini coefficient, shares of the best.

M. O. Lorenz (1905), Methods of Measuring the Concentration of Wealth, Publications of the American Statistical
Association 9(70). C. Gini (1914), Sulla misura della concentrazione e della variabilità dei caratteri.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import ArrayLike

from shuke.base.errors import BadInput, CannotSay

__all__ = ["concentration", "gini", "lorenz_points"]

# Equal values form one cell, so that only distinct values are sorted. Sums of money that differ by less than this
# many decimals differ by floating point alone.
_DECIMALS = 4


def gini(values: ArrayLike) -> float:
    """The Gini coefficient of a vector of values ≥ 0: 0 when all are equal, (n − 1)/n when one has everything.

    G = 2 Σ i·x₍ᵢ₎ / (n Σ x) − (n + 1)/n with x sorted upwards and i from 1 (P. M. Dixon et al. 1987, Bootstrapping
    the Gini Coefficient of Inequality, Ecology 68(5), without its small-sample factor n/(n − 1)). It equals half of
    the mean absolute difference between all pairs over the mean.

    Raises BadInput ``insight.negative_value`` for a value below zero or one that is no finite number, and CannotSay
    ``insight.nothing_to_compare`` when there are no values or all are zero.
    """
    x = np.sort(np.asarray(values, dtype=np.float64).ravel())
    if (broken := ~(np.isfinite(x) & (x >= 0))).any():
        raise BadInput("insight.negative_value", found=float(x[broken][0]))
    total = float(x.sum())
    if total == 0:
        raise CannotSay("insight.nothing_to_compare")
    n = x.size
    return float(2.0 * np.dot(np.arange(1, n + 1), x) / (n * total) - (n + 1) / n)


def concentration(facts: ir.Table, *, column: str = "historic_clv") -> ir.Table:
    """One row that says how concentrated ``column`` is over the customers (one row of ``facts`` each).

    Columns: customers, amount (their sum), gini, top_1_share, top_10_share, top_20_share (the best 1, 10 and 20 % of
    customers' part of the amount; a customer on the border counts in part). A customer whose refunds outweigh the
    orders counts as zero, null rows are left out. All but ``customers`` and ``amount`` are null when nobody has any
    value. Gini as in :func:`gini`.
    """
    cells = _cells(facts, column)
    rank_sum = cells["value"] * cells.weight * (cells.customers_before + (cells.weight + 1.0) / 2.0)
    row = cells.aggregate(
        customers=cells.weight.sum().fill_null(0.0).cast("int64"),
        amount=(cells["value"] * cells.weight).sum().fill_null(0.0),
        ranked=rank_sum.sum(),
        **{f"top_{percent}": _above(cells, percent / 100.0) for percent in (1, 10, 20)},
    )
    n = row.customers.cast("float64")
    divisor = row.amount.nullif(0.0)
    return row.select(
        "customers",
        "amount",
        gini=2.0 * row.ranked / (n * divisor) - (n + 1.0) / n,
        **{f"top_{percent}_share": row[f"top_{percent}"] / divisor for percent in (1, 10, 20)},
    )


def lorenz_points(facts: ir.Table, *, column: str = "historic_clv", points: int = 100) -> ir.Table:
    """The Lorenz curve at ``points`` equal steps: customer_share (the poorest first) and value_share, both 0…1.

    Rows points + 1, ordered. Values below zero count as zero and nulls are left out, as in :func:`concentration`.
    """
    cells = _cells(facts, column)
    # Each cell answers for the steps that end inside it, which are few: no step is compared with every cell.
    first = (cells.customers_before * points / cells.customers).floor().cast("int64") + 1
    last = ((cells.customers_before + cells.weight) * points / cells.customers).floor().cast("int64")
    cells = cells.mutate(first=ibis.ifelse(cells.customers_before == 0, 0, first), last=last)
    cells = cells.filter(cells["last"] >= cells["first"])
    curve = cells.mutate(step=ibis.range(cells["first"], cells["last"] + 1).unnest())
    place = curve.step.cast("float64") / float(points)
    held = curve.amount_before + (place * curve.customers - curve.customers_before) * curve["value"]
    return curve.select(customer_share=place, value_share=held / curve.amount.nullif(0.0)).order_by("customer_share")


def _cells(facts: ir.Table, column: str) -> ir.Table:
    """Distinct values with the customers (weight) that have each, those below, and what those below hold."""
    known = facts.filter(facts[column].notnull())
    value = ibis.greatest(known[column].cast("float64").round(_DECIMALS).cast("float64"), 0.0)
    grouped = known.select(value=value).group_by("value").aggregate(weight=lambda t: t.count().cast("float64"))
    below = ibis.window(order_by=grouped["value"], preceding=(None, 1))
    held = grouped["value"] * grouped.weight
    return grouped.mutate(
        customers_before=grouped.weight.sum().over(below).fill_null(0.0),
        customers=grouped.weight.sum().over(ibis.window()),
        amount_before=held.sum().over(below).fill_null(0.0),
        amount=held.sum().over(ibis.window()),
    )


def _above(cells: ir.Table, share: float) -> ir.Value:
    """The amount that the best ``share`` of the customers hold."""
    border = (1.0 - share) * cells.customers
    inside = ibis.least(ibis.greatest(cells.customers_before + cells.weight - border, 0.0), cells.weight)
    return (inside * cells["value"]).sum()
