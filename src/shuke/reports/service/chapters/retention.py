"""Retention and churn: cohorts, repeat curve, survival, gaps between orders, what goes with leaving."""

from __future__ import annotations

from shuke.reports.model import Block, Callout, CalloutKind, Chapter, ChartKind, ChartSpec, Heading, Kind, Text, Value
from shuke.reports.rules.figures import CurvePoint, Figures
from shuke.reports.rules.said import Said, Term, count, day, share
from shuke.reports.service.words import Words, rows_of

__all__ = ["retention_chapter"]

PERIODS_SHOWN = 13
COHORTS_SHOWN = 18


def retention_chapter(figures: Figures, words: Words) -> Chapter:
    """Who comes back, when, and who does not."""
    base = figures.base
    blocks: list[Block] = [
        *_cohorts(figures, words),
        *_quality(figures, words),
        *_curve("repeat_curve", figures.repeat_curve, words, _repeat_values(figures)),
        *_gaps(figures, words),
        *_curve("survival", figures.survival, words, _survival_values(figures)),
        *_reasons(figures, words),
    ]
    return Chapter(
        code="retention",
        short=words("chapter.retention.short"),
        title=words("chapter.retention.title", share=share(base.one_time_customers / base.customers, 0)),
        lead=words("chapter.retention.lead"),
        blocks=tuple(blocks),
    )


def _cohorts(figures: Figures, words: Words) -> list[Block]:
    cells = [one for one in figures.cohorts if one.complete and one.customers]
    kept = sorted({one.cohort for one in cells})[-COHORTS_SHOWN:]
    cells = [one for one in cells if one.cohort in kept and one.period < PERIODS_SHOWN]
    later = [one for one in cells if one.period > 0]
    if not later:
        return []
    columns = (
        words.column("cohort", Kind.MONTH),
        words.column("period", Kind.INTEGER),
        words.column("customers", Kind.INTEGER),
        words.column("active", Kind.INTEGER),
        words.column("active_share", Kind.PERCENT),
        words.column("sales", Kind.MONEY),
    )
    rows: list[tuple[Value, ...]] = [
        (one.cohort, one.period, one.customers, one.active, one.active / one.customers, one.amount) for one in cells
    ]
    first = [one for one in later if one.period == 1]
    mean = sum(one.active for one in first) / sum(one.customers for one in first) if first else 0.0
    heat: tuple[dict[str, Value], ...] = tuple(
        {
            "cohort": words.written(one.cohort, Kind.MONTH),
            "period": str(one.period),
            "active_share": one.active / one.customers,
        }
        for one in later
    )
    spec = ChartSpec(
        kind=ChartKind.HEATMAP,
        rows=heat,
        x=words.axis("period"),
        y=words.axis("cohort"),
        value=words.axis("active_share", Kind.PERCENT, digits=0),
        order=tuple(str(period) for period in range(1, PERIODS_SHOWN)),
        series_order=tuple(words.written(cohort, Kind.MONTH) for cohort in kept),
    )
    values = {"share": share(mean)}
    return [
        Heading(words("heading.cohorts")),
        words.chart("cohorts", spec, words.table("cohorts", columns, rows), values=values),
    ]


def _quality(figures: Figures, words: Words) -> list[Block]:
    if len(figures.cohort_quality) < 2:
        return []
    columns = (
        words.column("cohort", Kind.MONTH),
        words.column("customers", Kind.INTEGER),
        words.column("repeated_90", Kind.INTEGER),
        words.column("repeat_90_share", Kind.PERCENT, bar=True),
    )
    rows: list[tuple[Value, ...]] = [
        (one.cohort, one.customers, one.repeated_90, one.repeated_90 / one.customers) for one in figures.cohort_quality
    ]
    return [words.table("cohort_quality", columns, rows)]


def _repeat_values(figures: Figures) -> dict[str, Said | Term | str]:
    return {f"day_{after}": share(_at(figures.repeat_curve, after)) for after in (30, 90, 180)}


def _survival_values(figures: Figures) -> dict[str, Said | Term | str]:
    last = figures.survival[-1] if figures.survival else CurvePoint(day=0, share=1.0)
    return {"days": count(last.day), "share": share(1 - last.share), "silence": count(figures.silence_days or 0)}


def _at(curve: tuple[CurvePoint, ...], day: int) -> float:
    """The curve's value on a day: of the last point up to it."""
    value = 0.0
    for point in curve:
        if point.day > day:
            break
        value = point.share
    return value


def _curve(code: str, curve: tuple[CurvePoint, ...], words: Words, values: dict[str, Said | Term | str]) -> list[Block]:
    if len(curve) < 3:
        return []
    columns = (
        words.column("day", Kind.INTEGER),
        words.column("curve_share", Kind.PERCENT),
        words.column("low", Kind.PERCENT),
        words.column("high", Kind.PERCENT),
    )
    rows: list[tuple[Value, ...]] = [
        (
            round(one.day),
            one.share,
            one.share if one.low is None else one.low,
            one.share if one.high is None else one.high,
        )
        for one in curve
    ]
    spec = ChartSpec(
        kind=ChartKind.LINE,
        rows=rows_of(columns, rows),
        x=words.axis("day", Kind.INTEGER),
        y=words.axis("curve_share", Kind.PERCENT, digits=0),
        low="low",
        high="high",
        interval_label=words("interval.95"),
    )
    step = max(1, len(rows) // 30)
    table = words.table(code, columns, rows[::step], total_rows=len(rows))
    return [Heading(words(f"heading.{code}")), words.chart(code, spec, table, values=values)]


def _gaps(figures: Figures, words: Words) -> list[Block]:
    gaps = figures.gaps
    if gaps is None or not gaps.histogram:
        return []
    columns = (
        words.column("from_day", Kind.INTEGER),
        words.column("to_day", Kind.INTEGER),
        words.column("gaps", Kind.INTEGER),
    )
    rows: list[tuple[Value, ...]] = [(round(low), round(high), number_of) for low, high, number_of in gaps.histogram]
    spec = ChartSpec(
        kind=ChartKind.HISTOGRAM,
        rows=rows_of(columns, rows),
        x=words.axis("from_day", Kind.INTEGER),
        x_end="to_day",
        y=words.axis("gaps", Kind.INTEGER),
    )
    values = {"median": count(gaps.median_days), "p90": count(gaps.p90_days)}
    return [words.chart("gaps", spec, words.table("gaps", columns, rows), values=values)]


def _reasons(figures: Figures, words: Words) -> list[Block]:
    heading = Heading(words("heading.reasons"))
    if not figures.reasons or figures.reasons_from is None:
        return [heading, Callout(CalloutKind.CANNOT_SAY, words("reasons.none"))]
    columns = (
        words.column("sign"),
        words.column("customers_with", Kind.INTEGER),
        words.column("churn_with", Kind.PERCENT),
        words.column("churn_without", Kind.PERCENT),
        words.column("difference", Kind.PERCENT),
        words.column("difference_low", Kind.PERCENT),
        words.column("difference_high", Kind.PERCENT),
    )
    rows: list[tuple[Value, ...]] = [
        (
            words(f"reasons.{one.code}", detail=one.detail),
            one.customers_with,
            one.churn_with,
            one.churn_without,
            one.difference,
            one.low,
            one.high,
        )
        for one in figures.reasons
    ]
    how = words("reasons.how", since=day(figures.reasons_from), days=count(figures.reasons_days or 0))
    return [heading, Text((how,)), words.table("reasons", columns, rows)]
