"""Figures of the base: totals, months, concentration, stages, groups, seasons."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import ibis.expr.types as ir

from shuke import insight
from shuke.base.errors import CannotSay
from shuke.reports import measures
from shuke.reports.rules.figures import (
    Base,
    Concentration,
    Dwell,
    HeatCell,
    Month,
    Movement,
    SeasonMonth,
    Segment,
    StageMove,
)
from shuke.reports.service.gather.desk import Desk, Row, row_of, rows_of

__all__ = [
    "base_figures",
    "clock",
    "concentration_figures",
    "months",
    "rfm_cells",
    "season",
    "segments",
    "stage_movement",
]

MONTHS_OF_HISTORY = 13
ACTIVE_DAYS_LEAST, ACTIVE_DAYS_MOST = 31, 365


def base_figures(desk: Desk) -> Base:
    """Totals over all customers."""
    table = desk.customers
    once = table.order_days == 1
    row = row_of(
        table.aggregate(
            customers=table.count(),
            orders=table.orders.sum().cast("int64"),
            gross=table.gross_amount.sum(),
            refunds=table.refunds.sum(),
            one_time_customers=once.cast("int64").sum().cast("int64"),
            one_time_amount=table.gross_amount.sum(where=once),
            active_365_customers=(table.amount_365 > 0).cast("int64").sum().cast("int64"),
            amount_365=table.amount_365.sum(),
        )
    )
    days = insight.occasions(desk.tables, as_of=desk.as_of)
    repeat = row_of(days.filter(days.number > 1).aggregate(value=lambda t: t.amount.mean()))["value"]
    return Base(
        net=row["gross"] - row["refunds"],
        repeat_order_value=repeat,
        **{**row, "one_time_amount": row["one_time_amount"] or 0.0},
    )


def months(desk: Desk) -> tuple[tuple[Month, ...], tuple[Movement, ...], int | None]:
    """Sales and the movement of the base by month, and the silence after which a customer counts as gone in it."""
    gaps = row_of(insight.inter_purchase_quantiles(desk.tables, as_of=desk.as_of))
    silence = None if gaps["p95_days"] is None else round(gaps["p95_days"])
    active = min(max(silence or ACTIVE_DAYS_MOST, ACTIVE_DAYS_LEAST), ACTIVE_DAYS_MOST)
    moved = rows_of(insight.base_movement(desk.tables, as_of=desk.as_of, active_days=active))
    new_amount = {_day(row["period"]): row["amount_new"] for row in moved}
    sales = rows_of(insight.monthly_sales(desk.tables.orders, as_of=desk.as_of))
    listed = tuple(
        Month(
            month=_day(row["month"]),
            orders=row["orders"],
            customers=row["customers"],
            amount=row["amount"],
            new_customers=row["new_customers"],
            new_amount=new_amount.get(_day(row["month"]), 0.0),
            complete=row["complete"],
        )
        for row in sales
    )
    movement = tuple(
        Movement(
            month=_day(row["period"]),
            opening=row["opening"],
            new=row["new"],
            reactivated=row["reactivated"],
            lost=row["lost"],
            closing=row["closing"],
            complete=row["complete"],
        )
        for row in moved
    )
    return listed, movement, None if silence is None else active


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def concentration_figures(desk: Desk) -> Concentration | None:
    """How unequal the value so far is; None where nobody has any."""
    row = row_of(insight.concentration(desk.customers))
    if row["gini"] is None:
        return None
    points = tuple(
        (point["customer_share"], point["value_share"]) for point in rows_of(insight.lorenz_points(desk.customers))
    )
    half = next((1 - share for share, value in points if value >= 0.5), 0.0)
    return Concentration(
        gini=row["gini"],
        top_1_share=row["top_1_share"],
        top_10_share=row["top_10_share"],
        top_20_share=row["top_20_share"],
        half_of_amount_customers_share=half,
        lorenz=points,
    )


def segments(desk: Desk, column: str) -> list[Row]:
    """Sums by a column of the facts; none where the facts lack it."""
    if column not in desk.customers.columns:
        return []
    rows = rows_of(measures.by_group(desk.customers, column))
    if desk.facts.model is not None and desk.facts.model.name == "nbd":
        # It takes all customers to stay, so that its P(alive) of 1 says nothing.
        return [{**row, "churn": None} for row in rows]
    return rows


def as_segment(row: Row, *, low: float | None = None, high: float | None = None) -> Segment:
    """A row of :func:`segments`."""
    deviation = row["historic_deviation"]
    return Segment(
        key=str(row["key"]),
        customers=row["customers"],
        orders=row["orders"],
        gross=row["gross"],
        historic=row["historic"],
        historic_se=0.0 if deviation is None else deviation / row["customers"] ** 0.5,
        amount_365=row["amount_365"],
        repeat_customers=row["repeat_customers"],
        recency_days=row["recency_days"],
        predicted=row["predicted"],
        predicted_low=low,
        predicted_high=high,
        churn=row["churn"],
    )


def stage_movement(
    desk: Desk, margin: float
) -> tuple[tuple[StageMove, ...], date | None, tuple[Dwell, ...], tuple[tuple[date, str, int], ...]]:
    """Moves over the last half of the history (a year at most), stays, and customers by stage month by month."""
    days = desk.history_days
    monthly = _month_starts(desk.as_of, days)
    if len(monthly) < 3:
        return (), None, (), ()
    stages = desk.stages
    history = desk.engine.keep(insight.stages_at(desk.tables, stages, monthly, margin=margin), "report_stage_history")
    counted = history.group_by("at", "stage").aggregate(customers=lambda t: t.count()).order_by("at", "stage")
    # The analysis day itself is seldom a month's first and would stand beside it as one more month.
    firsts = [row for row in rows_of(counted) if _day(row["at"]).day == 1]
    by_month = tuple((_day(row["at"]), row["stage"], row["customers"]) for row in firsts)
    dwell = sorted(
        (
            Dwell(
                stage=row["stage"],
                spells=row["spells"],
                ended=row["ended"],
                quarter_days=row["quarter_left_days"],
                median_days=row["median_days"],
                three_quarters_days=row["three_quarters_left_days"],
            )
            for row in rows_of(insight.stage_dwell(history))
        ),
        key=lambda one: stages.codes.index(one.stage),
    )
    start = desk.as_of - timedelta(days=min(365, days // 2))
    pair = insight.stages_at(desk.tables, stages, [start, desk.as_of], margin=margin)
    flows = rows_of(insight.stage_flows(pair))
    leaving: dict[str, int] = {}
    for row in flows:
        leaving[row["from_stage"]] = leaving.get(row["from_stage"], 0) + row["customers"]
    moves = tuple(
        StageMove(
            source=row["from_stage"],
            target=row["to_stage"],
            customers=row["customers"],
            share=row["customers"] / leaving[row["from_stage"]],
            amount=row["amount"],
        )
        for row in flows
    )
    return moves, start.date(), tuple(dwell), by_month


def _month_starts(as_of: datetime, days: int) -> list[datetime]:
    """Firsts of months within the history, the last thirteen at most, and the analysis day itself."""
    earliest = as_of - timedelta(days=days)
    found = [as_of]
    month = as_of.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while len(found) <= MONTHS_OF_HISTORY and month > earliest:
        if month < as_of:
            found.append(month)
        month = (month - timedelta(days=1)).replace(day=1)
    return sorted(found)


def rfm_cells(desk: Desk) -> tuple[tuple[int, int, int], ...]:
    """Customers by recency and frequency score."""
    table = desk.customers.group_by("r_score", "f_score").aggregate(customers=lambda t: t.count())
    return tuple(
        (row["r_score"], row["f_score"], row["customers"]) for row in rows_of(table.order_by("r_score", "f_score"))
    )


def season(orders: ir.Table, as_of: datetime) -> tuple[SeasonMonth, ...]:
    """The seasonal index, or nothing where the data are too short for one."""
    try:
        index = insight.seasonal_index(orders, as_of=as_of)
    except CannotSay:
        return ()
    return tuple(
        SeasonMonth(month=number, index=value, observations=seen)
        for number, (value, seen) in enumerate(zip(index.indices, index.observations, strict=True), start=1)
    )


def clock(orders: ir.Table) -> tuple[HeatCell, ...]:
    """Orders by weekday and hour."""
    return tuple(
        HeatCell(weekday=row["weekday"] + 1, hour=row["hour"], orders=row["orders"], amount=row["amount"])
        for row in rows_of(insight.weekday_hour(orders))
    )
