"""Movement between stages, how long customers stay, and what stages and movements are worth.

All start from the history that ``stages_at`` returns: one row per customer and date.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from shuke.base.errors import BadInput
from shuke.insight.stages.rules import RESERVED
from shuke.insight.survival import survival, survival_quantiles

__all__ = ["OUTSIDE", "stage_dwell", "stage_flows", "stage_transitions", "stage_values"]

# Where customers come from who were not known at the date before.
OUTSIDE = RESERVED


def stage_transitions(history: ir.Table, *, each_period: bool = False) -> ir.Table:
    """How many customers went from which stage to which between consecutive dates.

    Columns: (from_at, to_at with ``each_period``,) from_stage, to_stage, customers, probability (of those who were in
    from_stage; staying is a transition too). from_stage "outside" are those who first appear; their probabilities say
    where newcomers start.
    """
    periods = ["from_at", "to_at"] if each_period else []
    moves = _moves(history)
    counted = moves.group_by(*periods, "from_stage", "to_stage").aggregate(customers=moves.count())
    of_all = counted.customers.sum().over(ibis.window(group_by=[*periods, "from_stage"]))
    return counted.mutate(probability=counted.customers / of_all).order_by(*periods, "from_stage", "to_stage")


def stage_dwell(history: ir.Table) -> ir.Table:
    """How long customers stay in a stage before they leave it, in days, by Kaplan–Meier.

    A spell is a run of dates at which a customer is in one stage; it lasts from the first of them to the date at which
    the customer is first seen elsewhere. Stages not left by the last date are censored, not dropped. Spells that were
    under way at the first date are left out, for nobody knows when they began. Lengths are as coarse as the dates.

    Columns: stage, spells, ended, quarter_left_days, median_days (null while fewer than half have left),
    three_quarters_left_days, longest_days (the longest spell seen, ended or not).
    """
    in_order = ibis.window(group_by="customer_id", order_by="at")
    so_far = ibis.window(group_by="customer_id", order_by="at", preceding=None, following=0)
    before = history.stage.lag().over(in_order)
    rows = history.select(
        "customer_id",
        "at",
        "stage",
        history["at"].lead().over(in_order).name("next_at"),
        (before.isnull() | (before != history.stage)).cast("int64").name("starts"),
    )
    rows = rows.mutate(spell=rows.starts.sum().over(so_far))
    spells = rows.group_by("customer_id", "spell", "stage").aggregate(
        started=rows["at"].min(), last=rows["at"].max(), until=rows.next_at.max()
    )
    # The next date after the last one of a spell is null at the end of history, and max passes over nulls.
    ended = spells.until.notnull() & (spells.until > spells.last)
    spells = spells.cross_join(history.aggregate(first_at=history["at"].min()))
    durations = spells.filter(spells.started > spells.first_at).select(
        "stage",
        ended=ended,
        duration=ibis.ifelse(ended, spells.until, spells.last)
        .cast("date")
        .delta(spells.started.cast("date"), unit="day"),
    )
    counts = durations.group_by("stage").aggregate(
        spells=durations.count(), ended=durations.ended.cast("int64").sum(), longest_days=durations.duration.max()
    )
    shares = {"quarter_left_days": 0.25, "median_days": 0.5, "three_quarters_left_days": 0.75}
    quantiles = survival_quantiles(survival(durations, by=("stage",)), shares, by=("stage",))
    return counts.join(quantiles, "stage").select("stage", "spells", "ended", *shares, "longest_days").order_by("stage")


def stage_values(facts: ir.Table) -> ir.Table:
    """What the customers of each stage are worth, one row per stage.

    ``facts`` has customer_id, stage and any of orders, historic_clv, predicted_clv, total_clv. Columns: stage,
    customers, share_of_customers, and for each figure there: its sum, ``…_per_customer``, and ``share_of_…`` (of the
    sum over all stages; null where that is not above zero). Predictions that are not known (null) stay null.
    """
    figures = [name for name in ("orders", "historic_clv", "predicted_clv", "total_clv") if name in facts.columns]
    sums: dict[str, Any] = {name: facts[name].sum() for name in figures}
    means: dict[str, Any] = {f"{name}_per_customer": facts[name].mean() for name in figures}
    table = facts.group_by("stage").aggregate(customers=facts.count(), **sums, **means)

    def share(name: str) -> ir.Value:
        total = table[name].sum().over()
        return ibis.cases((total > 0, table[name] / total), else_=None)

    return table.mutate(
        share_of_customers=share("customers"), **{f"share_of_{name}": share(name) for name in figures}
    ).order_by("stage")


def stage_flows(history: ir.Table, *, each_period: bool = False, predicted: ir.Table | None = None) -> ir.Table:
    """The flow between stages in money, for each move between consecutive dates (staying is a move too).

    Columns: (from_at, to_at with ``each_period``,) from_stage, to_stage, customers, amount (what these customers spent,
    net of refunds, between the two dates: the growth of historic_clv), and

    - where the history carries predicted_clv (``stages_at`` with scores): predicted_before and predicted_after, the
      predicted value of these customers at the two dates;
    - with ``predicted`` (customer_id, predicted_clv as of now): predicted_clv, what is now expected of them. This
      suits moves that end at the last date, so only those are then returned.
    """
    if "historic_clv" not in history.columns:
        raise BadInput(
            "insight.missing_columns", table="history", columns=["historic_clv"], found=list(history.columns)
        )
    periods = ["from_at", "to_at"] if each_period else []
    moves = _moves(history)
    figures: dict[str, Any] = {"amount": ibis._.amount.sum()}
    if "predicted_clv" in history.columns:
        figures |= {name: ibis._[name].sum() for name in ("predicted_before", "predicted_after")}
    if predicted is not None:
        newest = moves.aggregate(last_at=moves.to_at.max())
        latest = moves.cross_join(newest)
        latest = latest.filter(latest.to_at == latest.last_at)
        now = predicted.select("customer_id", _now=predicted.predicted_clv)
        moves = latest.left_join(now, "customer_id").select(latest, now["_now"])
        figures["predicted_clv"] = ibis._["_now"].sum()
    return (
        moves.group_by(*periods, "from_stage", "to_stage")
        .aggregate(customers=ibis._.count(), **figures)
        .order_by(*periods, "from_stage", "to_stage")
    )


def _moves(history: ir.Table) -> ir.Table:
    """One row per customer and pair of consecutive dates: where from, where to, and what changed meanwhile."""
    in_order = ibis.window(group_by="customer_id", order_by="at")
    dates = history.select("at").distinct()
    dates = dates.mutate(from_at=dates["at"].lag().over(ibis.window(order_by="at")))
    extra: dict[str, ir.Value] = {}
    if "historic_clv" in history.columns:
        value = history.historic_clv
        extra["amount"] = value - value.lag().over(in_order).fill_null(0)
    if "predicted_clv" in history.columns:
        extra["predicted_before"] = history.predicted_clv.lag().over(in_order)
        extra["predicted_after"] = history.predicted_clv
    rows = history.select(
        "customer_id",
        "at",
        history.stage.lag().over(in_order).fill_null(OUTSIDE).name("from_stage"),
        history.stage.name("to_stage"),
        **extra,
    )
    joined = rows.join(dates, "at").rename(to_at="at")
    return joined.filter(joined.from_at.notnull())
