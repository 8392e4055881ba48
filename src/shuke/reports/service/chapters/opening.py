"""Summary and data quality."""

from __future__ import annotations

from shuke.reports.model import (
    Block,
    Callout,
    CalloutKind,
    Chapter,
    Heading,
    KeyFigure,
    KeyFigures,
    Kind,
    Text,
    Value,
)
from shuke.reports.rules.figures import Figures
from shuke.reports.rules.finding import Finding
from shuke.reports.rules.said import Said, count, day, money, share
from shuke.reports.rules.strategies import Strategy
from shuke.reports.rules.trust import trust
from shuke.reports.service.words import Words

__all__ = ["key_figure", "quality_chapter", "summary_chapter", "trust_callout"]

FINDINGS_IN_SUMMARY = 6
STRATEGIES_IN_SUMMARY = 4


def key_figure(words: Words, code: str, value: Said | None, **notes: Said) -> KeyFigure:
    """A key figure with its label and, where its values are known, its note."""
    text = words("key.cannot_say") if value is None else words.say(value)
    note = words(f"key.{code}.note", **notes) if notes else words.optional(f"key.{code}.note")
    return KeyFigure(code=code, label=words(f"key.{code}.label"), value=text, note=note)


def summary_chapter(
    figures: Figures, found: tuple[Finding, ...], chosen: tuple[Strategy, ...], words: Words
) -> Chapter:
    """The whole report on one page."""
    base, scope = figures.base, figures.scope
    blocks: list[Block] = [KeyFigures(_summary_figures(figures, words))]
    first = [one for one in found if one.said_first]
    blocks += [Callout(CalloutKind.WARNING, words.fill(f"finding.{one.code}.headline", one.values)) for one in first]
    rest = [one for one in found if not one.said_first][:FINDINGS_IN_SUMMARY]
    if rest:
        blocks.append(Heading(words("summary.findings")))
        points = tuple(words.fill(f"finding.{one.code}.headline", one.values) for one in rest)
        blocks.append(Text((), points))
    valued = sorted(
        (one for one in chosen if one.expected), key=lambda one: -(one.expected.value if one.expected else 0.0)
    )
    if valued:
        blocks.append(Heading(words("summary.strategies")))
        blocks.append(Text((words("summary.assumptions"),), _strategy_points(valued[:STRATEGIES_IN_SUMMARY], words)))
    if not first:
        blocks.append(trust_callout(figures, words))
    return Chapter(
        code="summary",
        short=words("chapter.summary.short"),
        title=words("chapter.summary.title", net=money(base.net), customers=count(base.customers)),
        lead=words(
            "chapter.summary.lead",
            orders=count(base.orders),
            since=day(scope.first_at),
            until=day(scope.last_at),
            as_of=day(scope.as_of),
        ),
        blocks=tuple(blocks),
    )


def _summary_figures(figures: Figures, words: Words) -> tuple[KeyFigure, ...]:
    base, model = figures.base, figures.model
    at_risk = figures.stage("at_risk")
    predicted = model.value_predicted if model else None
    items = [
        key_figure(words, "customers", count(base.customers), active=count(base.active_365_customers)),
        key_figure(words, "net", money(base.net), refunds=share(base.refunds / base.gross if base.gross else 0.0)),
        key_figure(words, "order_value", money(base.average_order_value), orders=count(base.orders)),
        key_figure(
            words, "repeat_share", share(base.repeat_share), repeaters=count(base.customers - base.one_time_customers)
        ),
        key_figure(words, "value_each", money(base.net / base.customers)),
    ]
    if predicted is None or model is None:
        items.append(key_figure(words, "predicted_none", None))
    elif model.value_low is None or model.value_high is None:
        items.append(key_figure(words, "predicted_plain", money(predicted), days=count(figures.scope.horizon_days)))
    else:
        items.append(
            key_figure(
                words,
                "predicted",
                money(predicted),
                low=money(model.value_low),
                high=money(model.value_high),
                days=count(figures.scope.horizon_days),
            )
        )
    if at_risk is not None:
        items.append(
            key_figure(words, "at_risk", count(at_risk.customers), share=share(at_risk.customers / base.customers))
        )
    return tuple(items)


def _strategy_points(valued: list[Strategy], words: Words) -> tuple[str, ...]:
    return tuple(
        words(
            "summary.strategy",
            stage=words(f"strategy_stage.{one.stage}"),
            title=words(f"strategy.{one.code}.title"),
            value=money(one.expected.value),
            low=money(one.expected.low),
            high=money(one.expected.high),
        )
        for one in valued
        if one.expected
    )


def trust_callout(figures: Figures, words: Words) -> Callout:
    """How far to trust the predictions, in plain words."""
    judged, holdout = trust(figures.holdout), figures.holdout
    if figures.model is None:
        return Callout(CalloutKind.CANNOT_SAY, words("trust.no_model"), words("trust.title"))
    if holdout is None or judged.total_error is None:
        return Callout(CalloutKind.CANNOT_SAY, words("trust.unknown"), words("trust.title"))
    text = words(
        f"trust.{judged.grade.value}",
        actual=count(holdout.purchases_actual),
        predicted=count(holdout.purchases_predicted),
        days=count(holdout.days),
        error=share(abs(judged.total_error)),
        direction=words("trust.low" if judged.total_error < 0 else "trust.high"),
    )
    kind = CalloutKind.WARNING if judged.grade.value == "poor" else CalloutKind.NOTE
    return Callout(kind, text, words("trust.title"))


def quality_chapter(figures: Figures, words: Words) -> Chapter:
    """What was read, what was recognised, what became of every row and every cent."""
    quality = figures.quality
    kept = sum(one.amount for one in quality.treatments if one.kind == "kept")
    blocks: list[Block] = [
        words.table(
            "files",
            (
                words.column("file"),
                words.column("rows", Kind.INTEGER),
                words.column("encoding"),
                words.column("delimiter"),
            ),
            [(one.name, one.rows, one.encoding or "–", one.delimiter or "–") for one in quality.files],
        ),
        words.table(
            "recognised",
            (words.column("field"), words.column("file_column"), words.column("how")),
            quality.columns,
        ),
        Text((words("quality.level_line" if quality.line_level else "quality.level_order"),)),
    ]
    counted = [one for one in quality.treatments if one.rows]
    rows: list[tuple[Value, ...]] = [(one.name, one.treatment, one.rows, one.amount) for one in counted]
    rows.append((words("quality.total"), "", sum(one.rows for one in counted), sum(one.amount for one in counted)))
    blocks.append(
        words.table(
            "treatments",
            (
                words.column("what"),
                words.column("treatment"),
                words.column("rows", Kind.INTEGER),
                words.column("amount", Kind.MONEY, digits=2),
            ),
            rows,
            last_is_total=True,
        )
    )
    blocks.append(
        Callout(
            CalloutKind.NOTE if quality.reconciled else CalloutKind.WARNING,
            words(
                "quality.reconciled" if quality.reconciled else "quality.not_reconciled",
                rows=count(quality.rows),
                amount=money(quality.amount, 2),
            ),
        )
    )
    if quality.notes:
        blocks.append(Text((words("quality.notes"),), quality.notes))
    if quality.unused:
        blocks.append(Text((words("quality.unused", columns=words.listed(quality.unused)),)))
    return Chapter(
        code="quality",
        short=words("chapter.quality.short"),
        title=words("chapter.quality.title", rows=count(quality.rows)),
        lead=words("chapter.quality.lead", kept=money(kept)),
        blocks=tuple(blocks),
    )
