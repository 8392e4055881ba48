"""Lifetime value: what is expected, of whom, by which model, and how well it predicted what it had not seen."""

from __future__ import annotations

from shuke.reports.model import (
    Axis,
    Block,
    Callout,
    CalloutKind,
    Chapter,
    ChartKind,
    ChartSpec,
    Heading,
    KeyFigure,
    KeyFigures,
    Kind,
    Mark,
    Text,
    Value,
)
from shuke.reports.rules.figures import Figures, Holdout, Model, Segment
from shuke.reports.rules.said import Said, Term, count, day, money, named, number, share
from shuke.reports.rules.trust import trust
from shuke.reports.service.chapters.opening import key_figure, trust_callout
from shuke.reports.service.words import Words, rows_of

__all__ = ["cannot_say", "value_chapter"]

SEGMENTS_SHOWN = 15


def value_chapter(figures: Figures, words: Words) -> Chapter:
    """With a model its predictions and their test; without one what is missing."""
    blocks: list[Block] = []
    if figures.model is None:
        blocks += [cannot_say(figures, words), *_gate(figures, words)]
        title = words("chapter.value.title_none")
    else:
        model = figures.model
        blocks += [
            KeyFigures(_key_figures(figures, model, words)),
            trust_callout(figures, words),
            *_distribution(figures, words),
        ]
        title = words(
            "chapter.value.title",
            value=money(model.value_predicted),
            days=count(figures.scope.horizon_days),
        )
    blocks += _segments(figures, words)
    if figures.model is not None:
        blocks += [*_model(figures.model, words), *_holdout(figures, words)]
    return Chapter(
        code="value",
        short=words("chapter.value.short"),
        title=title,
        lead=words("chapter.value.lead_margin" if figures.scope.margin is not None else "chapter.value.lead"),
        blocks=tuple(blocks),
    )


def cannot_say(figures: Figures, words: Words) -> Callout:
    """What the data lack for predictions, in one box."""
    lacking = [
        words(f"gate.{one.code}", needed=count(one.needed), found=count(one.found))
        for one in figures.gate.reasons
        if not one.ok
    ]
    text = words("value.cannot_say", reasons=" ".join(lacking)) if lacking else words("value.no_model")
    return Callout(CalloutKind.CANNOT_SAY, text, words("value.cannot_say_title"))


def _gate(figures: Figures, words: Words) -> list[Block]:
    columns = (
        words.column("condition"),
        words.column("needed", Kind.INTEGER),
        words.column("found", Kind.INTEGER),
        words.column("met"),
    )
    rows: list[tuple[Value, ...]] = [
        (
            words(f"gate_name.{one.code}"),
            round(one.needed),
            round(one.found),
            words("gate_name.met" if one.ok else "gate_name.not_met"),
        )
        for one in figures.gate.reasons
    ]
    return [words.table("gate", columns, rows)] if rows else []


def _key_figures(figures: Figures, model: Model, words: Words) -> tuple[KeyFigure, ...]:
    base, scope = figures.base, figures.scope
    items = [
        key_figure(words, "historic_total", money(sum(one.historic for one in figures.stages))),
        key_figure(words, "expected_orders", count(model.orders_predicted), days=count(scope.horizon_days)),
        key_figure(
            words, "expected_each", money(model.value_predicted / base.customers), days=count(scope.horizon_days)
        ),
    ]
    if model.value_low is not None and model.value_high is not None:
        items.append(
            key_figure(
                words,
                "predicted",
                money(model.value_predicted),
                low=money(model.value_low),
                high=money(model.value_high),
                days=count(scope.horizon_days),
            )
        )
    if model.mean_order_value is not None:
        items.append(key_figure(words, "mean_order_value", money(model.mean_order_value)))
    return tuple(items)


def _distribution(figures: Figures, words: Words) -> list[Block]:
    if not figures.value_bins:
        return []
    columns = (
        words.column("from_amount", Kind.MONEY),
        words.column("to_amount", Kind.MONEY),
        words.column("customers", Kind.INTEGER),
    )
    quantiles = dict(figures.value_quantiles)
    spec = ChartSpec(
        kind=ChartKind.HISTOGRAM,
        rows=rows_of(columns, figures.value_bins),
        x=Axis(field="from_amount", label=words("column.predicted"), kind=Kind.MONEY),
        x_end="to_amount",
        y=words.axis("customers", Kind.INTEGER),
    )
    return [
        words.chart(
            "value_distribution",
            spec,
            words.table("value_distribution", columns, figures.value_bins),
            values={
                "median": money(quantiles[0.5]),
                "p90": money(quantiles[0.9]),
                "days": count(figures.scope.horizon_days),
            },
        )
    ]


def _segments(figures: Figures, words: Words) -> list[Block]:
    blocks: list[Block] = []
    for code, kind, segments in (
        ("by_cohort", Kind.MONTH, figures.by_cohort),
        ("by_channel", Kind.TEXT, figures.by_channel),
    ):
        if len(segments) < 2:
            continue
        blocks.append(_segment_table(code, kind, segments, words))
    return [Heading(words("heading.value_segments")), *blocks] if blocks else []


def _segment_table(code: str, kind: Kind, segments: tuple[Segment, ...], words: Words) -> Block:
    predicted = any(one.predicted is not None for one in segments)
    key = code.removeprefix("by_")
    columns = [
        words.column(key, kind),
        words.column("customers", Kind.INTEGER),
        words.column("repeat_share", Kind.PERCENT),
        words.column("historic_each", Kind.MONEY, bar=True),
    ]
    if predicted:
        columns += [words.column("predicted_each", Kind.MONEY, bar=True), words.column("churn", Kind.PERCENT, digits=0)]
    rows: list[tuple[Value, ...]] = []
    for one in segments[:SEGMENTS_SHOWN] if kind is Kind.TEXT else segments[-2 * SEGMENTS_SHOWN :]:
        row: tuple[Value, ...] = (
            one.day if kind is Kind.MONTH else one.key,
            one.customers,
            one.repeat_share,
            one.historic_mean,
        )
        rows.append(
            (*row, None if one.predicted is None else one.predicted / one.customers, one.churn) if predicted else row
        )
    return words.table(code, columns, rows, total_rows=len(segments))


def _model(model: Model, words: Words) -> list[Block]:
    blocks: list[Block] = [
        Heading(words("heading.model")),
        Text(
            (words(f"model_text.{model.name}"),),
            tuple(
                words.fill(f"why.{code}", {name: _said(value, words) for name, value in values.items()})
                for code, values in model.why
            ),
        ),
    ]
    warnings = [words.term("warning", code) for code in model.warnings]
    if warnings:
        blocks.append(Callout(CalloutKind.WARNING, " ".join(warnings), words("value.warnings_title")))
    if model.candidates:
        columns = (
            words.column("model"),
            words.column("log_score", Kind.NUMBER, digits=4),
            words.column("deficit", Kind.NUMBER, digits=4),
            words.column("deficit_error", Kind.NUMBER, digits=4),
            words.column("total_error", Kind.PERCENT),
            words.column("bic", Kind.NUMBER, digits=0),
            words.column("verdict"),
        )
        rows: list[tuple[Value, ...]] = [
            (
                words.term("model", one.name),
                one.log_score,
                one.deficit,
                one.deficit_error,
                one.total_error,
                one.bic,
                words("verdict.chosen" if one.chosen else f"verdict.{one.excluded or 'not_chosen'}"),
            )
            for one in model.candidates
        ]
        blocks.append(words.table("candidates", columns, rows))
    return blocks


def _said(value: object, words: Words) -> Said | Term:
    """A value that a reason names: a model, why one is out, a count or a score."""
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return number(value, 4)
    key = next((one for one in (f"model.{value}", f"because.{value}") if words.has(one)), None)
    return named(str(value)) if key is None else Term(key)


def _holdout(figures: Figures, words: Words) -> list[Block]:
    holdout = figures.holdout
    if holdout is None:
        key = figures.holdout_missing or "unknown"
        return [Heading(words("heading.holdout")), Callout(CalloutKind.CANNOT_SAY, words(f"holdout_missing.{key}"))]
    error = holdout.total_error or 0.0
    columns = (words.column("measure"), words.column("result"))
    judged = trust(holdout)
    facts: list[tuple[Value, ...]] = [
        (words("holdout.calibration"), words.say(day(holdout.calibration_end))),
        (words("holdout.days"), words.say(count(holdout.days))),
        (words("holdout.customers"), words.say(count(holdout.customers))),
        (words("holdout.actual"), words.say(count(holdout.purchases_actual))),
        (words("holdout.predicted"), words.say(count(holdout.purchases_predicted))),
        (words("holdout.error"), words.say(share(error))),
        (words("holdout.mae"), words.say(number(holdout.mae, 3))),
        (words("holdout.rmse"), words.say(number(holdout.rmse, 3))),
        (words("holdout.gini"), words.say(number(holdout.gini)) if holdout.gini is not None else "–"),
        (words("holdout.grade"), words(f"grade.{judged.grade.value}")),
    ]
    return [
        Heading(words("heading.holdout")),
        Text((words("holdout.how"), words("holdout.rule"))),
        words.table("holdout", columns, facts),
        *_tracking(holdout, words),
        *_by_frequency(holdout, words),
        *_deciles(holdout, words),
        *_baselines(holdout, words),
    ]


def _tracking(holdout: Holdout, words: Words) -> list[Block]:
    if not holdout.tracking:
        return []
    columns = (
        words.column("period_end", Kind.DATE),
        words.column("actual", Kind.NUMBER, digits=0),
        words.column("model_expected", Kind.NUMBER, digits=0),
    )
    cumulative: list[tuple[Value, ...]] = [
        (one.at, one.actual_cumulative, one.predicted_cumulative) for one in holdout.tracking
    ]
    weekly: list[tuple[Value, ...]] = [(one.at, one.actual, one.predicted) for one in holdout.tracking]
    blocks: list[Block] = []
    for code, rows in (("tracking_cumulative", cumulative), ("tracking_weekly", weekly)):
        lines = [
            {"period_end": at, "series": words(f"column.{name}"), "purchases": value}
            for at, actual, predicted in rows
            for name, value in (("actual", actual), ("model_expected", predicted))
        ]
        spec = ChartSpec(
            kind=ChartKind.LINE,
            rows=tuple(lines),
            x=words.axis("period_end", Kind.DATE),
            y=words.axis("purchases", Kind.INTEGER),
            series=Axis(field="series", label=words("column.series")),
            series_order=(words("column.actual"), words("column.model_expected")),
            dashed=(words("column.model_expected"),),
            marks=(Mark(axis="x", value=holdout.calibration_end, label=words("holdout.mark")),),
        )
        last = holdout.tracking[-1]
        blocks.append(
            words.chart(
                code,
                spec,
                words.table(code, columns, rows),
                values={
                    "actual": count(last.actual_cumulative),
                    "predicted": count(last.predicted_cumulative),
                    "end": day(holdout.calibration_end),
                },
            )
        )
    return blocks


def _by_frequency(holdout: Holdout, words: Words) -> list[Block]:
    columns = (
        words.column("frequency"),
        words.column("customers", Kind.INTEGER),
        words.column("actual_mean", Kind.NUMBER),
        words.column("predicted_mean", Kind.NUMBER),
    )
    rows: list[tuple[Value, ...]] = [
        (one.frequency, one.customers, one.actual, one.predicted) for one in holdout.by_frequency
    ]
    if not rows:
        return []
    bars: tuple[dict[str, Value], ...] = tuple(
        {"frequency": one.frequency, "series": words(f"column.{name}"), "purchases": value}
        for one in holdout.by_frequency
        for name, value in (("actual_mean", one.actual), ("predicted_mean", one.predicted))
    )
    spec = ChartSpec(
        kind=ChartKind.GROUPED_BAR,
        rows=bars,
        x=words.axis("frequency"),
        y=words.axis("purchases", Kind.NUMBER, digits=1),
        series=Axis(field="series", label=words("column.series")),
        order=tuple(one.frequency for one in holdout.by_frequency),
        series_order=(words("column.actual_mean"), words("column.predicted_mean")),
        dashed=(words("column.predicted_mean"),),
    )
    worst = max(holdout.by_frequency, key=lambda one: abs(one.predicted - one.actual))
    values: dict[str, Said | Term | str] = {
        "frequency": worst.frequency,
        "actual": number(worst.actual),
        "predicted": number(worst.predicted),
    }
    return [words.chart("by_frequency", spec, words.table("by_frequency", columns, rows), half=True, values=values)]


def _deciles(holdout: Holdout, words: Words) -> list[Block]:
    if not holdout.deciles:
        return []
    columns = (
        words.column("decile"),
        words.column("customers", Kind.INTEGER),
        words.column("actual_sum", Kind.INTEGER),
        words.column("predicted_sum", Kind.INTEGER),
        words.column("lift", Kind.NUMBER),
    )
    rows: list[tuple[Value, ...]] = [
        (str(one.decile), one.customers, round(one.actual), round(one.predicted), one.lift) for one in holdout.deciles
    ]
    total = sum(one.actual for one in holdout.deciles)
    first = holdout.deciles[0]
    spec = ChartSpec(
        kind=ChartKind.BAR,
        rows=rows_of(columns, rows),
        x=words.axis("decile"),
        y=words.axis("actual_sum", Kind.INTEGER),
        order=tuple(str(one.decile) for one in holdout.deciles),
        emphasis=("1",),
    )
    values: dict[str, Said | Term | str] = {
        "share": share(first.actual / total if total else 0.0, 0),
        "lift": number(first.lift, 1),
    }
    return [words.chart("deciles", spec, words.table("deciles", columns, rows), half=True, values=values)]


def _baselines(holdout: Holdout, words: Words) -> list[Block]:
    columns = (
        words.column("way"),
        words.column("total", Kind.INTEGER),
        words.column("total_error", Kind.PERCENT),
        words.column("mae", Kind.NUMBER, digits=3),
        words.column("rmse", Kind.NUMBER, digits=3),
    )
    actual = holdout.purchases_actual
    rows: list[tuple[Value, ...]] = [
        (words("baseline.model"), round(holdout.purchases_predicted), holdout.total_error, holdout.mae, holdout.rmse)
    ]
    rows += [
        (
            words.term("baseline", one.name),
            round(one.total),
            one.total / actual - 1 if actual else None,
            one.mae,
            one.rmse,
        )
        for one in holdout.baselines
    ]
    return [words.table("baselines", columns, rows)] if holdout.baselines else []
