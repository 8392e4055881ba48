"""Lifecycle stages: who stands where, what each stage is worth, and how customers move between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from shuke.insight import CUSTOMER_STAGES, Condition, Rule
from shuke.insight.stages import EVENT_PREFIX
from shuke.reports.model import (
    Axis,
    Block,
    Chapter,
    ChartBlock,
    ChartKind,
    ChartSpec,
    Heading,
    Kind,
    TableBlock,
    Text,
    Value,
)
from shuke.reports.rules.figures import Dwell, Figures, Segment, StageMove
from shuke.reports.rules.said import Said, Term, count, day, money, number, share
from shuke.reports.service.words import Words, rows_of

__all__ = ["stages_chapter"]

# How the limits of a field are written; numbers otherwise.
MONEY = ("average_order_value", "gross_amount", "refunds", "historic_clv", "predicted_clv", "total_clv")
SHARES = ("p_alive", "churn_probability")
ACTIVE = ("first_purchase", "repeat", "loyal")


def stages_chapter(figures: Figures, words: Words) -> Chapter:
    """Definitions, value of each stage, history, moves, dwell."""
    stages = [one for one in figures.stages if one.customers]
    top = max(stages, key=lambda one: one.historic)
    blocks: list[Block] = [
        Text(tuple(_how(figures, words)), tuple(_rule(rule, words) for rule in figures.stage_rules.rules)),
        *_values(stages, figures, words),
        *_history(figures, words),
        *_moves(figures, words),
        *_dwell(figures, words),
    ]
    total = sum(one.historic for one in stages)
    return Chapter(
        code="stages",
        short=words("chapter.stages.short"),
        title=words(
            "chapter.stages.title",
            stage=Term(f"stage.{top.key}"),
            customers=share(top.customers / figures.base.customers, 0),
            value=share(top.historic / total if total else 0.0, 0),
        ),
        lead=words("chapter.stages.lead", as_of=day(figures.scope.as_of)),
        blocks=tuple(blocks),
    )


def _how(figures: Figures, words: Words) -> Iterable[str]:
    """How the rules are read, and what of them is the brand's own."""
    rules = figures.stage_rules
    yield words("stages.how")
    if rules.usual_gap_days is not None:
        yield words("stages.usual_gap", days=_written("silence", rules.usual_gap_days))
    if rules != CUSTOMER_STAGES:
        yield words("stages.own")
    shipped = {one.code: one.names[words.language.value] for one in CUSTOMER_STAGES.stages}
    renamed = [code for code in rules.codes if words.term("stage", code) != shipped[code]]
    if renamed:
        pairs = [words("stages.pair", usual=shipped[code], stage=Term(f"stage.{code}")) for code in renamed]
        yield words("stages.called", pairs=words.listed(pairs))


def _rule(rule: Rule, words: Words) -> str:
    """A rule as a sentence."""
    values: dict[str, Term | str] = {"stage": Term(f"stage.{rule.stage}"), "when": _conditions(rule.when, words)}
    if not rule.when:
        return words("stages.everyone_else", **values)
    if rule.otherwise is None:
        return words("stages.rule", **values)
    return words("stages.rule_otherwise", **values, otherwise=_conditions(rule.otherwise, words))


def _conditions(conditions: Iterable[Condition], words: Words) -> str:
    return words("stages.and").join(_condition(one, words) for one in conditions)


def _condition(condition: Condition, words: Words) -> str:
    """Limits and what they are limits of: “at least 4 order days”."""
    field = condition.field
    limits = {name: _written(field, limit) for name, limit in condition.limits().items()}
    said = words("stages.both").join(words(f"limit.{name}", limit=limit) for name, limit in limits.items())
    if condition == Condition(field, at_most=0) and field not in MONEY:
        said = words.say(limits["at_most"])  # there is nothing below
    if field.startswith(EVENT_PREFIX):
        return words("stage_field.event", limit=said, event=field.removeprefix(EVENT_PREFIX))
    return words(f"stage_field.{field}", limit=said)


def _written(field: str, limit: float) -> Said:
    """A limit with all its decimals, since a rounded one would be another rule."""
    decimals = -int(Decimal(str(limit)).normalize().as_tuple().exponent)
    if field in SHARES:
        return share(limit, max(decimals - 2, 0))
    return (money if field in MONEY else number)(limit, max(decimals, 0))


def _values(stages: list[Segment], figures: Figures, words: Words) -> list[Block]:
    blocks: list[Block] = [Heading(words("heading.stage_values")), _so_far(stages, figures, words)]
    if any(one.predicted is not None for one in stages):
        blocks.append(_expected(stages, figures, words))
    return [*blocks, _shares(stages, figures, words)]


def _so_far(stages: list[Segment], figures: Figures, words: Words) -> TableBlock:
    """What each stage has brought."""
    columns = (
        words.column("stage"),
        words.column("customers", Kind.INTEGER),
        words.column("customers_share", Kind.PERCENT),
        words.column("recency_days", Kind.INTEGER),
        words.column("historic", Kind.MONEY),
        words.column("historic_each", Kind.MONEY),
        words.column("amount_365", Kind.MONEY),
    )
    total = figures.base.customers
    rows: list[tuple[Value, ...]] = [
        (
            words.term("stage", one.key),
            one.customers,
            one.customers / total,
            round(one.recency_days),
            one.historic,
            one.historic_mean,
            one.amount_365,
        )
        for one in stages
    ]
    customers = sum(one.customers for one in stages)
    historic = sum(one.historic for one in stages)
    recency = round(sum(one.recency_days * one.customers for one in stages) / customers)
    spent = sum(one.amount_365 for one in stages)
    rows.append((words("table.total"), customers, customers / total, recency, historic, historic / customers, spent))
    return words.table("stages", columns, rows, last_is_total=True)


def _expected(stages: list[Segment], figures: Figures, words: Words) -> TableBlock:
    """What is expected of each stage."""
    columns = [
        words.column("stage"),
        words.column("customers", Kind.INTEGER),
        words.column("predicted", Kind.MONEY),
        words.column("predicted_low", Kind.MONEY),
        words.column("predicted_high", Kind.MONEY),
        words.column("predicted_each", Kind.MONEY),
    ]
    customers = sum(one.customers for one in stages)
    predicted = sum(one.predicted or 0.0 for one in stages)
    low, high = (figures.model.value_low, figures.model.value_high) if figures.model else (None, None)
    rows: list[tuple[Value, ...]] = [
        (
            words.term("stage", one.key),
            one.customers,
            one.predicted,
            one.predicted_low,
            one.predicted_high,
            None if one.predicted is None else one.predicted / one.customers,
        )
        for one in stages
    ]
    rows.append((words("table.total"), customers, predicted, low, high, predicted / customers))
    if all(one.churn is not None for one in stages):
        columns.append(words.column("churn", Kind.PERCENT, digits=0))
        gone = [*(one.churn for one in stages), sum((one.churn or 0.0) * one.customers for one in stages) / customers]
        rows = [(*row, churn) for row, churn in zip(rows, gone, strict=True)]
    return words.table("stages_expected", columns, rows, last_is_total=True)


def _shares(stages: list[Segment], figures: Figures, words: Words) -> ChartBlock:
    """The stages' shares of customers, of the value so far and of the expected value, side by side."""
    parts: list[tuple[str, Callable[[Segment], float]]] = [
        ("customers", lambda one: one.customers),
        ("historic", lambda one: one.historic),
    ]
    if any(one.predicted is not None for one in stages):
        parts.append(("predicted", lambda one: one.predicted or 0.0))
    shares: list[dict[str, Value]] = []
    for key, amount in parts:
        total = sum(max(amount(one), 0.0) for one in stages)
        shares += [
            {
                "stage": words.term("stage", one.key),
                "measure": words(f"column.{key}"),
                "share": max(amount(one), 0.0) / total if total else 0.0,
            }
            for one in stages
        ]
    top = max(stages, key=lambda one: one.historic)
    return words.chart(
        "stages",
        ChartSpec(
            kind=ChartKind.GROUPED_BAR,
            rows=tuple(shares),
            x=Axis(field="stage", label=words("column.stage")),
            y=Axis(field="share", label=words("column.share"), kind=Kind.PERCENT, digits=0),
            series=Axis(field="measure", label=words("column.measure")),
            order=tuple(words.term("stage", one.key) for one in stages),
            series_order=tuple(words(f"column.{key}") for key, _ in parts),
        ),
        words.table(
            "stage_shares",
            (words.column("stage"), words.column("measure"), words.column("share", Kind.PERCENT)),
            [(row["stage"], row["measure"], row["share"]) for row in shares],
        ),
        values={
            "stage": Term(f"stage.{top.key}"),
            "customers": share(top.customers / figures.base.customers),
            "each": money(top.historic_mean),
        },
    )


def _history(figures: Figures, words: Words) -> list[Block]:
    history = figures.stage_history
    if len({at for at, _, _ in history}) < 3:
        return []
    columns = (words.column("at", Kind.DATE), words.column("stage"), words.column("customers", Kind.INTEGER))
    rows: list[tuple[Value, ...]] = [(at, words.term("stage", stage), customers) for at, stage, customers in history]
    first, last = min(at for at, _, _ in history), max(at for at, _, _ in history)
    now = sum(customers for at, stage, customers in history if at == last and stage in ACTIVE)
    then = sum(customers for at, stage, customers in history if at == first and stage in ACTIVE)
    active = words.listed(words.term("stage", code) for code in figures.stage_rules.codes if code in ACTIVE)
    return [
        words.chart(
            "stage_history",
            ChartSpec(
                kind=ChartKind.STACKED_BAR,
                rows=rows_of(columns, rows),
                x=words.axis("at", Kind.MONTH),
                y=words.axis("customers", Kind.INTEGER),
                series=words.axis("stage"),
                series_order=tuple(words.term("stage", code) for code in figures.stage_rules.codes),
            ),
            words.table("stage_history", columns, rows),
            values={"first": day(first), "last": day(last), "then": count(then), "now": count(now), "active": active},
        )
    ]


def _moves(figures: Figures, words: Words) -> list[Block]:
    moves, since = figures.stage_moves, figures.stage_moves_from
    if not moves or since is None:
        return []
    columns = (
        words.column("source"),
        words.column("target"),
        words.column("customers", Kind.INTEGER),
        words.column("share", Kind.PERCENT),
        words.column("moved_amount", Kind.MONEY),
    )
    rows: list[tuple[Value, ...]] = [
        (words.term("stage", one.source), words.term("stage", one.target), one.customers, one.share, one.amount)
        for one in moves
    ]
    inside = [one for one in moves if one.source not in ("outside", "prospect")]
    order = tuple(words.term("stage", code) for code in ("outside", *figures.stage_rules.codes))
    blocks: list[Block] = [
        Heading(words("heading.stage_moves")),
        words.chart(
            "stage_flow",
            ChartSpec(
                kind=ChartKind.FLOW,
                rows=rows_of(columns, rows),
                x=words.axis("source"),
                y=words.axis("target"),
                value=words.axis("moved_amount", Kind.MONEY),
                order=order,
                series_order=order[1:],
            ),
            words.table("stage_moves", columns, rows),
            values=_flow_values(moves, figures),
        ),
    ]
    if inside:
        matrix: tuple[dict[str, Value], ...] = tuple(
            {"source": words.term("stage", one.source), "target": words.term("stage", one.target), "share": one.share}
            for one in inside
        )
        blocks.append(
            words.chart(
                "stage_matrix",
                ChartSpec(
                    kind=ChartKind.HEATMAP,
                    rows=matrix,
                    x=words.axis("target"),
                    y=words.axis("source"),
                    value=words.axis("share", Kind.PERCENT, digits=0),
                    order=order[1:],
                    series_order=order[1:],
                ),
                words.table(
                    "stage_matrix",
                    (words.column("source"), words.column("target"), words.column("share", Kind.PERCENT)),
                    [(row["source"], row["target"], row["share"]) for row in matrix],
                ),
                values=_matrix_values(inside, figures),
            )
        )
    return blocks


def _flow_values(moves: tuple[StageMove, ...], figures: Figures) -> dict[str, Said | Term | str]:
    biggest = max(moves, key=lambda one: one.amount or 0.0)
    return {
        "source": Term(f"stage.{biggest.source}"),
        "target": Term(f"stage.{biggest.target}"),
        "amount": money(biggest.amount or 0.0),
        "since": day(figures.stage_moves_from or figures.scope.first_at),
        "until": day(figures.scope.as_of),
    }


def _matrix_values(moves: list[StageMove], figures: Figures) -> dict[str, Said | Term | str]:
    loyal = [one for one in moves if one.source == "loyal"]
    kept = sum(one.share for one in loyal if one.target == "loyal")
    return {
        "loyal": Term("stage.loyal"),
        "kept": share(kept),
        "since": day(figures.stage_moves_from or figures.scope.first_at),
        "until": day(figures.scope.as_of),
    }


def _dwell(figures: Figures, words: Words) -> list[Block]:
    if not figures.stage_dwell:
        return []
    table = words.table(
        "stage_dwell",
        (
            words.column("stage"),
            words.column("spells", Kind.INTEGER),
            words.column("ended", Kind.INTEGER),
            words.column("quarter_days", Kind.INTEGER),
            words.column("median_days", Kind.INTEGER),
            words.column("three_quarters_days", Kind.INTEGER),
        ),
        [
            (words.term("stage", one.stage), one.spells, one.ended, *map(_whole, _days_of(one)))
            for one in figures.stage_dwell
        ],
    )
    return [table]


def _days_of(dwell: Dwell) -> tuple[float | None, float | None, float | None]:
    return dwell.quarter_days, dwell.median_days, dwell.three_quarters_days


def _whole(days: float | None) -> int | None:
    return None if days is None else round(days)
