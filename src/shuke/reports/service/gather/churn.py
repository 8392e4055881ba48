"""Figures of retention and churn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shuke import insight
from shuke.base.errors import CannotSay
from shuke.reports import measures
from shuke.reports.rules.figures import CohortCell, CohortQuality, CurvePoint, Gaps, Reason
from shuke.reports.service.gather.base import _day
from shuke.reports.service.gather.desk import Desk, row_of, rows_of

__all__ = ["Reasons", "cohort_cells", "cohort_quality", "gap_figures", "leaving", "repeat_points", "survival_points"]

CHURN_WINDOW_DAYS = 180
BINS = 20
CURVE_POINTS_MOST = 120


def cohort_cells(desk: Desk) -> tuple[CohortCell, ...]:
    """Who of each month's new customers ordered in which later month."""
    return tuple(
        CohortCell(
            cohort=_day(row["cohort"]),
            period=row["period_number"],
            customers=row["customers"],
            active=row["active"],
            amount=row["amount"],
            complete=row["complete"],
        )
        for row in rows_of(insight.cohorts(desk.tables, as_of=desk.as_of))
    )


def cohort_quality(desk: Desk) -> tuple[CohortQuality, ...]:
    """Second orders within 90 days, for months that could be watched so long."""
    return tuple(
        CohortQuality(cohort=_day(row["cohort"]), customers=row["customers"], repeated_90=row["repeated"])
        for row in rows_of(measures.cohort_quality(desk.tables, as_of=desk.as_of, days=90))
    )


def repeat_points(desk: Desk) -> tuple[CurvePoint, ...]:
    """The repeat curve."""
    rows = rows_of(insight.repeat_curve(desk.tables, as_of=desk.as_of))
    points = [CurvePoint(day=row["days"], share=row["share"], low=row["low"], high=row["high"]) for row in rows]
    return (CurvePoint(day=0, share=0.0), *_thinned(points)) if points else ()


def survival_points(desk: Desk, silence_days: int | None) -> tuple[CurvePoint, ...]:
    """How long customers stay until a silence longer than nearly all repeat gaps."""
    if silence_days is None:
        return ()
    lives = insight.lifetimes(desk.tables, as_of=desk.as_of, active_days=silence_days)
    estimate = insight.survival(lives)
    rows = rows_of(estimate.filter(estimate.ended > 0))
    # Nobody can have been silent for so long before that.
    start = [CurvePoint(day=0, share=1.0), CurvePoint(day=silence_days, share=1.0)]
    curve = [CurvePoint(day=row["duration"], share=row["survival"], low=row["low"], high=row["high"]) for row in rows]
    return (*start, *_thinned(curve)) if curve else ()


def _thinned(points: list[CurvePoint]) -> tuple[CurvePoint, ...]:
    step = max(1, len(points) // CURVE_POINTS_MOST)
    return tuple(points[::step])


def gap_figures(desk: Desk) -> Gaps | None:
    """Days between orders; None while nobody has come back."""
    quantiles = row_of(insight.inter_purchase_quantiles(desk.tables, as_of=desk.as_of))
    if not quantiles["gaps"]:
        return None
    second = row_of(measures.second_order_waits(desk.tables, as_of=desk.as_of))
    width = max(1, -(-round(quantiles["p95_days"]) // BINS))
    bins = [0] * (BINS + 1)
    longest = 0
    for row in rows_of(insight.inter_purchase_times(desk.tables, as_of=desk.as_of)):
        bins[min((row["gap_days"] - 1) // width, BINS)] += row["gaps"]
        longest = max(longest, row["gap_days"])
    edges = [1 + width * place for place in range(BINS + 1)]
    histogram = tuple(
        (float(edge), float(edge + width), number_of)
        for edge, number_of in zip(edges, bins, strict=True)
        if edge <= longest
    )
    return Gaps(
        count=quantiles["gaps"],
        median_days=quantiles["p50_days"],
        p75_days=quantiles["p75_days"],
        p90_days=quantiles["p90_days"],
        second_median_days=second["median"],
        second_p80_days=second["p80"],
        histogram=histogram,
    )


@dataclass(frozen=True)
class Reasons:
    """What goes with leaving, beyond chance."""

    found: tuple[Reason, ...] = ()
    since: date | None = None
    days: int | None = None


def leaving(desk: Desk) -> Reasons:
    """The supported differences, the most customers first."""
    window = min(CHURN_WINDOW_DAYS, desk.history_days // 2)
    try:
        result = insight.churn_reasons(desk.tables, as_of=desk.as_of, window_days=window)
    except CannotSay:
        return Reasons()
    found = tuple(
        Reason(
            code=one.code,
            detail=one.value,
            customers_with=one.customers,
            churn_with=one.churn_share,
            customers_without=one.rest_customers,
            churn_without=one.rest_share,
            difference=one.difference,
            low=one.low,
            high=one.high,
        )
        for one in result.reasons
        if one.supported
    )
    return Reasons(found, result.at.date(), result.window_days)
