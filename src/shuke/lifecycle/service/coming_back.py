"""Who comes back: cohorts, the curve of second orders, the ladder from each order to the next."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import accumulate
from typing import Any, Literal

from shuke import insight
from shuke.lifecycle.analysis_model import (
    Basis,
    Cohort,
    CohortCell,
    Cohorts,
    CurvePoint,
    Gaps,
    LadderStep,
    Narrowing,
    Retention,
)
from shuke.lifecycle.measures import acquired
from shuke.lifecycle.service.desk import Desk, Laid, Whose

__all__ = ["COHORTS_MAX", "cohorts", "retention"]

#: The latest of them are told.
COHORTS_MAX = 48
#: Points of a curve, which has one for each day on which anybody came back.
POINTS_MAX = 120
LADDER_STEPS = 6
WITHIN_DAYS = 180


def cohorts(desk: Desk, by: Whose, narrowing: Narrowing, *, period: Literal["month", "quarter"] = "month") -> Cohorts:
    """What the customers of each month, or quarter, of a first order did since, in count and money."""

    def work(laid: Laid) -> Cohorts:
        rows = laid.rows(insight.cohorts(acquired(laid.tables, narrowing), as_of=laid.as_of, period=period))
        found: dict[date, list[dict[str, Any]]] = {}
        for row in rows:
            found.setdefault(row["cohort"], []).append(row)
        told = tuple(_cohort(laid, begins, of_one, period) for begins, of_one in sorted(found.items()))
        return Cohorts(laid.basis, period, told[-COHORTS_MAX:], max(len(told) - COHORTS_MAX, 0))

    return desk.ask(
        by,
        narrowing,
        question=("cohorts", period),
        work=work,
        nothing=lambda basis: Cohorts(basis, period, (), 0),
    )


def _cohort(laid: Laid, begins: date, rows: list[dict[str, Any]], period: str) -> Cohort:
    cells = (
        CohortCell(
            period=row["period_number"],
            complete=row["complete"],
            active=row["active"],
            orders=row["orders"],
            amount_minor=laid.minor(row["amount"]),
            refunds_minor=laid.minor(row["refunds"]),
            value_minor=laid.minor(row["cumulative_value"]),
        )
        for row in rows
    )
    return Cohort(begins, _last_day(begins, 3 if period == "quarter" else 1), rows[0]["customers"], tuple(cells))


def _last_day(begins: date, months: int) -> date:
    month = begins.year * 12 + begins.month - 1 + months
    return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)


def retention(desk: Desk, by: Whose, narrowing: Narrowing) -> Retention:
    """The share that has come back by each day, the ladder, and the usual time between orders."""

    def work(laid: Laid) -> Retention:
        tables = acquired(laid.tables, narrowing)
        ladder = laid.rows(insight.order_ladder(tables, as_of=laid.as_of, steps=LADDER_STEPS, within_days=WITHIN_DAYS))
        (gaps,) = laid.rows(insight.inter_purchase_quantiles(tables, as_of=laid.as_of))
        return Retention(
            basis=laid.basis,
            customers=ladder[0]["customers"] if ladder else 0,
            curve=_curve(laid.rows(insight.repeat_curve(tables, as_of=laid.as_of))),
            within_days=WITHIN_DAYS,
            ladder=tuple(_step(laid, row) for row in ladder),
            gaps=Gaps(gaps["gaps"], gaps["p50_days"], gaps["p75_days"], gaps["p90_days"]) if gaps["gaps"] else None,
        )

    def nothing(basis: Basis) -> Retention:
        return Retention(basis, 0, (), WITHIN_DAYS, (), None)

    return desk.ask(by, narrowing, question=("retention",), work=work, nothing=nothing)


def _curve(rows: list[dict[str, Any]]) -> tuple[CurvePoint, ...]:
    came_back = accumulate(row["came_back"] for row in rows)
    points = [
        CurvePoint(row["days"], row["share"], row["low"], row["high"], so_far)
        for row, so_far in zip(rows, came_back, strict=True)
    ]
    step = max(1, len(points) // POINTS_MAX)
    return tuple(points[::step])


def _step(laid: Laid, row: dict[str, Any]) -> LadderStep:
    return LadderStep(
        step=row["step"],
        customers=row["customers"],
        went_on=row["went_on"],
        share_within=row["share_within"],
        low=row["low"],
        high=row["high"],
        median_days=row["median_days"],
        average_minor=laid.minor(row["average_amount"]),
    )
