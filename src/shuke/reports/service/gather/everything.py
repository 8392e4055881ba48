"""All figures of a report, in the order in which they depend on one another."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version

from shuke import collect, insight
from shuke.base.language import Language, catalogue
from shuke.base.progress import Progress
from shuke.platform.engines import Engine
from shuke.reports import measures
from shuke.reports.measures import Limits
from shuke.reports.rules.figures import Figures, FileRead, Quality, Scope, Segment, Treatment
from shuke.reports.rules.findings_products import best_pair
from shuke.reports.rules.stages import check_stages
from shuke.reports.service.gather import base, churn, goods, prediction
from shuke.reports.service.gather.desk import Desk, row_of

__all__ = ["Gathered", "Terms", "gather", "quality_figures"]

VERSIONS = ("shuke", "ibis-framework", "duckdb", "numpy", "scipy", "scikit-learn")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the person asked for; ``stages`` that no report can be written with raise BadInput, see check_stages."""

    as_of: datetime
    as_of_given: bool
    horizon_days: int
    margin: float | None
    margin_column: str | None
    brand: str = ""
    stages: insight.StageRules = insight.CUSTOMER_STAGES

    def __post_init__(self) -> None:
        """Refuse stages that no report can be written with."""
        check_stages(self.stages)


@dataclass(frozen=True)
class Gathered:
    """The figures, and the tables that the lists are cut from."""

    figures: Figures
    desk: Desk
    pair: tuple[str, str] | None


def gather(collected: collect.Collected, terms: Terms, *, engine: Engine, progress: Progress) -> Gathered:
    """Ask the core for everything; ``progress`` hears ``reports.<step>``."""
    tables = collected.tables
    step = _Steps(progress, 9)
    step("facts")
    if terms.margin_column is not None:
        terms = replace(terms, margin=_rate_of_costs(tables))
    margin = 1.0 if terms.margin is None else terms.margin
    facts = insight.customer_facts(
        tables,
        as_of=terms.as_of,
        engine=engine,
        horizon_days=terms.horizon_days,
        margin=margin,
        stages=terms.stages,
    )
    customers = engine.keep(
        measures.with_report_columns(facts.table, tables.orders, as_of=terms.as_of), "report_customers"
    )
    desk = Desk(tables, customers, facts, engine, terms.as_of, Limits(terms.as_of, None), terms.stages)
    step("base")
    totals = base.base_figures(desk)
    months, movement, silence = base.months(desk)
    step("stages")
    moves, since, dwell, history = base.stage_movement(desk, margin)
    stages = prediction.stage_segments(desk)
    step("model")
    model = prediction.model_figures(desk)
    bins, quantiles = prediction.value_distribution(desk)
    step("holdout")
    holdout, missing = prediction.holdout_figures(desk)
    step("retention")
    gaps = churn.gap_figures(desk)
    desk = replace(desk, limits=Limits(terms.as_of, gaps.second_p80_days if gaps else None))
    reasons = churn.leaving(desk)
    step("products")
    days = insight.days_to_compare(desk.history_days)
    bought = goods.goods(desk, days=days, margin=margin)
    step("economics")
    rate = None if terms.margin_column is not None else terms.margin
    costs = goods.economics(desk, margin=rate, margin_known=terms.margin is not None)
    figures = Figures(
        scope=_scope(collected, tables, terms, engine, facts),
        quality=quality_figures(collected, Language.ENGLISH),  # worded anew for each reader
        base=totals,
        months=months,
        movement=movement,
        silence_days=silence,
        concentration=base.concentration_figures(desk),
        stages=stages,
        stage_rules=terms.stages,
        stage_moves=moves,
        stage_moves_from=since,
        stage_dwell=dwell,
        stage_history=history,
        gate=prediction.gate_figures(facts.gate),
        model=model,
        holdout=holdout,
        holdout_missing=missing,
        value_bins=bins,
        value_quantiles=quantiles,
        by_cohort=_segments(desk, "cohort"),
        by_channel=_segments(desk, "first_channel"),
        by_region=_segments(desk, "region"),
        rfm_groups=_segments(desk, "rfm_group", order=insight.RFM_GROUPS),
        value_groups=_segments(desk, "value_group", order=insight.VALUE_GROUPS),
        rfm_cells=base.rfm_cells(desk),
        cohorts=churn.cohort_cells(desk),
        cohort_quality=churn.cohort_quality(desk),
        repeat_curve=churn.repeat_points(desk),
        survival=churn.survival_points(desk, silence),
        gaps=gaps,
        reasons=reasons.found,
        reasons_from=reasons.since,
        reasons_days=reasons.days,
        products=bought.products,
        product_count=bought.product_count,
        products_for_80=bought.products_for_80,
        categories=bought.categories,
        returned_products=bought.returned,
        returned_share=bought.returned_share,
        pairs=bought.pairs,
        first_products=bought.first_products,
        first_days=days,
        season=base.season(tables.orders, terms.as_of),
        weekday_hour=base.clock(tables.orders),
        discount_first=goods.discount_comparison(desk, days=days, margin=margin),
        economics=costs,
    )
    step("lists")
    best = best_pair(figures)
    pair = (best.first_code, best.second_code) if best else None
    figures = _with_lists(figures, desk, pair)
    return Gathered(figures, desk, pair)


def _rate_of_costs(tables: insight.Tables) -> float | None:
    """The share of net sales that remains after the cost of goods; None where nothing of it is known or remains."""
    if "cost" not in tables.orders.columns:
        return None
    table = insight.profit_contribution(tables)
    row = row_of(table.aggregate(kept=table.contribution.sum(), net=table.net_revenue.sum()))
    if not row["net"] or not row["kept"]:
        return None
    rate = row["kept"] / row["net"]
    return rate if 0 < rate <= 1 else None


def _with_lists(figures: Figures, desk: Desk, pair: tuple[str, str] | None) -> Figures:
    fields = {name: getattr(figures, name) for name in Figures.__dataclass_fields__}
    return Figures(**{**fields, "lists": prediction.list_figures(desk, pair)})


def _segments(desk: Desk, column: str, *, order: tuple[str, ...] = ()) -> tuple[Segment, ...]:
    """In the stated order, else the largest first; months from the earliest on."""
    found = [base.as_segment(row) for row in base.segments(desk, column)]
    if order:
        return tuple(sorted(found, key=lambda one: order.index(one.key)))
    if column == "cohort":
        return tuple(sorted(found, key=lambda one: one.key))
    return tuple(sorted(found, key=lambda one: (-one.gross, one.key)))


class _Steps:
    """Says the share of the steps that is done."""

    def __init__(self, progress: Progress, steps: int) -> None:
        self.progress, self.steps, self.done = progress, steps, 0

    def __call__(self, name: str) -> None:
        self.progress(f"reports.{name}", self.done / self.steps)
        self.done += 1


def _scope(
    collected: collect.Collected, tables: insight.Tables, terms: Terms, engine: Engine, facts: insight.Facts
) -> Scope:
    return Scope(
        currency=collected.currency,
        as_of=terms.as_of,
        as_of_given=terms.as_of_given,
        first_at=collected.first_at,
        last_at=collected.last_at,
        horizon_days=terms.horizon_days,
        margin=terms.margin,
        margin_column=terms.margin_column,
        has_lines=tables.order_lines is not None,
        has_refunds=tables.refunds is not None,
        has_costs=tables.costs is not None,
        has_channel="channel" in tables.orders.columns,
        has_region="region" in tables.orders.columns,
        has_discount="discount" in tables.orders.columns,
        engine=engine.name,
        unit=facts.unit,
        versions=(("Python", platform.python_version()), *((name, version(name)) for name in VERSIONS)),
    )


def quality_figures(collected: collect.Collected, language: Language) -> Quality:
    """What was recognised and what became of it, in the reader's words."""
    say = catalogue("shuke.collect", language)
    quality, recognised = collected.quality, collected.recognised
    return Quality(
        files=tuple(
            FileRead(name=one.name, rows=one.rows, encoding=one.encoding, delimiter=one.delimiter)
            for one in quality.files
        ),
        columns=tuple(
            dict.fromkeys(
                (
                    say(f"fields.{match.field}"),
                    match.column,
                    say(f"why.{match.why}") if say.has(f"why.{match.why}") else say("why.platform", platform=match.why),
                )
                for match in recognised.matches
            )
        ),
        treatments=tuple(
            Treatment(
                code=one.code,
                kind=one.treatment.value,
                name=say(f"reasons.{one.code}"),
                treatment=say(f"treatments.{one.treatment.value}"),
                rows=one.rows,
                amount=float(one.amount),
            )
            for one in quality.counts
        ),
        rows=quality.rows,
        amount=float(quality.amount),
        reconciled=quality.reconciles,
        line_level=collected.has_lines,
        notes=tuple(say(f"notes.{note.code}", **dict(note.values)) for note in quality.notes),
        unused=tuple(dict.fromkeys(column for _, column in recognised.unused)),
    )
