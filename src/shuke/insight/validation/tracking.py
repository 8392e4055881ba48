"""Repeat orders week by week, actual and expected: the tracking plot of Schmittlein et al. and of Fader & Hardie."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pyarrow as pa

from shuke.insight.clv.model import Floats, PurchaseModel
from shuke.insight.summary import DAYS_PER_UNIT, Unit, last_known_day
from shuke.insight.tables import Tables

__all__ = ["track"]


def track(
    tables: Tables, model: PurchaseModel, *, calibration_end: dt.date, as_of: dt.datetime, unit: Unit
) -> pa.Table:
    """Repeat order days of the customers who came by ``calibration_end``, in weeks that end with it.

    The expected ones are those of new customers who came when these did: Σ over days of arrival of customers ·
    E[X(t − day)]; what they did since is not used. Columns: week_end (date), holdout (bool), actual, expected (orders
    in the week), actual_total, expected_total (orders so far). Runs one query; the last week is complete.
    """
    orders = tables.orders.filter(tables.orders.ordered_at < ibis.literal(as_of), tables.orders.customer_id.notnull())
    days = orders.select("customer_id", day=orders.ordered_at.date()).distinct()
    first = days.day.min().over(ibis.window(group_by="customer_id"))
    ranked = days.mutate(first=first)
    ranked = ranked.filter(ranked["first"] <= ibis.literal(calibration_end))
    per_day = ranked.group_by("day").agg(
        arrived=(ranked.day == ranked["first"]).cast("float64").sum(),
        repeated=(ranked.day != ranked["first"]).cast("float64").sum(),
    )
    found = per_day.order_by("day").to_pyarrow()
    day = found.column("day").to_numpy().astype("datetime64[D]")
    arrived, repeated = (found.column(name).to_numpy() for name in ("arrived", "repeated"))
    end = np.datetime64(calibration_end)
    weeks_before = -(-int((end - day[0]).astype(int)) // 7)
    weeks_after = (last_known_day(as_of) - calibration_end).days // 7
    week_ends = end + 7 * np.arange(1 - weeks_before, weeks_after + 1)
    actual_total = np.concatenate([[0.0], np.cumsum(repeated)])[np.searchsorted(day, week_ends, side="right")]
    expected_total = _expected(model, week_ends, day, arrived, DAYS_PER_UNIT[unit])
    return pa.table(
        {
            "week_end": pa.array(week_ends, pa.date32()),
            "holdout": week_ends > end,
            "actual": np.diff(actual_total, prepend=0.0),
            "expected": np.diff(expected_total, prepend=0.0),
            "actual_total": actual_total,
            "expected_total": expected_total,
        }
    )


def _expected(
    model: PurchaseModel,
    week_ends: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    day: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    arrived: Floats,
    days_per_unit: float,
) -> Floats:
    """Expected repeat orders up to each week's end, from E[X(t)] once for every age in days that occurs."""
    ages = (week_ends[:, None] - day[None, :]).astype("timedelta64[D]").astype(np.intp)
    ages = np.maximum(ages, 0)
    occurring, where = np.unique(ages, return_inverse=True)
    expected = model.expected_total(occurring / days_per_unit)
    return np.asarray(expected[where.reshape(ages.shape)] @ arrived)
