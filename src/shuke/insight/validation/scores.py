"""Measures of how well predicted orders met the actual ones; weighted cells of customers throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from shuke.insight.clv.model import Floats

__all__ = ["Scores", "by_frequency", "deciles", "score"]

# Histories with this many repeat orders and more are one row of the calibration table.
_FREQUENCY_MAX = 7


@dataclass(frozen=True)
class Scores:
    """Totals, and errors per customer. ``gini`` is that of ranking customers by the prediction: the area between the
    curve of orders gained going down the list and that of a random list, doubled; ``gini_best`` that of hindsight.
    """

    purchases_predicted: float
    mae: float
    rmse: float
    gini: float
    gini_best: float


def score(predicted: Floats, actual: Floats, weight: Floats) -> Scores:
    """Scores of predictions per cell; both Ginis are NaN when nobody ordered."""
    error = predicted - actual
    total = weight.sum()
    return Scores(
        purchases_predicted=float(weight @ predicted),
        mae=float(weight @ np.abs(error) / total),
        rmse=float(np.sqrt(weight @ error**2 / total)),
        gini=_gini(predicted, actual, weight),
        gini_best=_gini(actual, actual, weight),
    )


def _gains(predicted: Floats, actual: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Cumulated customers, actual and predicted orders, from the highest prediction down; equals are one step.

    Each begins with 0. Within a step the order of customers is unknown, so the curve is straight there.
    """
    values, step = np.unique(-predicted, return_inverse=True)
    sums = [np.bincount(step, weights=w, minlength=values.size) for w in (weight, weight * actual, weight * predicted)]
    customers, orders, expected = (np.concatenate([[0.0], np.cumsum(column)]) for column in sums)
    return customers, orders, expected


def _gini(predicted: Floats, actual: Floats, weight: Floats) -> float:
    customers, orders, _ = _gains(predicted, actual, weight)
    if orders[-1] == 0:
        return float("nan")
    area = float(np.trapezoid(orders, customers) / (orders[-1] * customers[-1]))
    return 2 * area - 1


def deciles(predicted: Floats, actual: Floats, weight: Floats) -> pa.Table:
    """Ten equal groups of customers by prediction, the highest first.

    Columns: decile (1 … 10), customers, actual, predicted (orders of the group), lift (actual orders per customer
    against all customers'; null when nobody ordered), share (of all actual orders up to this group; likewise).
    """
    customers, orders, expected = _gains(predicted, actual, weight)
    edges = np.linspace(0, customers[-1], 11)
    gained, foreseen = np.interp(edges, customers, orders), np.interp(edges, customers, expected)
    found = np.diff(gained)
    anybody = gained[-1] > 0
    lift = found * 10 / gained[-1] if anybody else np.full(10, np.nan)
    share = gained[1:] / gained[-1] if anybody else np.full(10, np.nan)
    return pa.table(
        {
            "decile": pa.array(range(1, 11), pa.int64()),
            "customers": np.diff(edges),
            "actual": found,
            "predicted": np.diff(foreseen),
            "lift": pa.array(lift, from_pandas=True),
            "share": pa.array(share, from_pandas=True),
        }
    )


def by_frequency(x: Floats, predicted: Floats, actual: Floats, weight: Floats) -> pa.Table:
    """Mean orders in the holdout by repeat orders before it.

    Columns: frequency (0 … 7), and_more (true for 7), customers, actual, predicted (mean per customer). Frequencies
    that no customer has are left out.
    """
    group = np.minimum(x, _FREQUENCY_MAX).astype(np.intp)
    customers = np.bincount(group, weights=weight)
    there = np.flatnonzero(customers)
    means = [np.bincount(group, weights=weight * column)[there] / customers[there] for column in (actual, predicted)]
    return pa.table(
        {
            "frequency": pa.array(there, pa.int64()),
            "and_more": there == _FREQUENCY_MAX,
            "customers": pa.array(np.round(customers[there]).astype(np.int64)),
            "actual": means[0],
            "predicted": means[1],
        }
    )
