"""Intervals: for one customer from the predictive distribution, for all together from parameters and chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from shuke.insight.clv.future import Future, Outlook
from shuke.insight.clv.model import Floats
from shuke.insight.clv.questions import check_level

__all__ = ["order_quantiles", "parameter_variance", "total_bounds"]


def order_quantiles(outlook: Outlook, cell: NDArray[np.intp], chances: Floats, level: float) -> tuple[Floats, Floats]:
    """The equal-tailed predictive interval of the number of orders, exact.

    ``outlook`` describes distinct futures, ``cell`` says which one each customer has, ``chances`` (k, n) is the chance
    of being alive with j stages passed. A quantile is the smallest whole number that is reached or undercut with at
    least its probability: the count of m ≥ 1 with P(Y ≥ m) above the rest. Coverage is therefore at least ``level``.
    """
    check_level(level)
    lower, upper = (1 + level) / 2, (1 - level) / 2
    low, high = np.zeros(cell.size), np.zeros(cell.size)
    rows = np.flatnonzero((chances.sum(axis=0) > upper) & (outlook.span[cell] > 0))
    if rows.size == 0:
        return low, high
    used, cell = np.unique(cell[rows], return_inverse=True)
    future = Future(outlook.at(np.isin(np.arange(outlook.span.size), used)))
    while rows.size:
        tails = future.next()
        reached = np.einsum("jn,jn->n", chances[:, rows], tails[:, cell])
        low[rows] += reached > lower
        going = reached > upper
        high[rows[going]] += 1
        if not going.all():
            rows, cell = rows[going], cell[going]
            if future.m % 8 == 0 and rows.size:
                used, cell = np.unique(cell, return_inverse=True)
                future.keep(np.isin(np.arange(tails.shape[1]), used))
    return low, high


def parameter_variance(
    total: Callable[[Floats], float], values: Floats, covariance: Floats, logarithmic: NDArray[np.bool_]
) -> float:
    """Variance of a total that comes from estimating the parameters, by the delta method.

    The slope is taken by central differences, in logarithms where a parameter is positive by nature, so that a step is
    small against any scale. ``covariance`` is on the natural scale.
    """
    slope = np.empty(values.size)
    for i, value in enumerate(values):
        step = 1e-4 * (value if logarithmic[i] else 1.0)
        ahead, back = values.copy(), values.copy()
        ahead[i] += step
        back[i] -= step
        slope[i] = (total(ahead) - total(back)) / (2 * step)
    return float(slope @ covariance @ slope)


def total_bounds(expected: float, variance: float, level: float) -> tuple[float, float]:
    """A normal interval around a total of many customers, not below zero."""
    check_level(level)
    reach = float(special.ndtri((1 + level) / 2)) * float(np.sqrt(variance))
    return max(expected - reach, 0.0), expected + reach
