"""Method: definitions, formulas in plain words, rules with their limits, parameters, sources, versions."""

from __future__ import annotations

from shuke.reports.model import Block, Chapter, Heading, Kind, Text, Value
from shuke.reports.rules.figures import Figures
from shuke.reports.rules.said import count, day, named, share
from shuke.reports.service.words import Words

__all__ = ["method_chapter"]

TERMS = (
    *("order_day", "net", "historic", "predicted", "p_alive", "interval", "silence", "rfm", "cohort", "survival"),
    *("gini", "lift", "mae", "power"),
)
RULES = ("finding", "trust", "lists", "gate")
SOURCES = ("bgnbd", "mbgnbd", "cnbdk", "pareto", "gamma", "km", "lift", "fleiss", "agresti")
LIMITS = ("past", "cause", "censored", "one_currency", "refunds")


def method_chapter(figures: Figures, words: Words) -> Chapter:
    """Everything that somebody needs who wants to check the report."""
    scope = figures.scope
    blocks: list[Block] = [
        Heading(words("heading.terms")),
        words.table(
            "terms",
            (words.column("term"), words.column("meaning")),
            [(words(f"term.{code}.name"), words(f"term.{code}.meaning")) for code in TERMS],
        ),
        Heading(words("heading.rules")),
        Text((), tuple(words(f"method.rule_{code}") for code in RULES)),
        *_parameters(figures, words),
        Heading(words("heading.settings")),
        words.table("settings", (words.column("setting"), words.column("value")), _settings(figures, words)),
        Heading(words("heading.limits")),
        Text((), tuple(words(f"method.limit_{code}") for code in LIMITS)),
        Heading(words("heading.sources")),
        Text((), tuple(words(f"source.{code}") for code in SOURCES)),
    ]
    return Chapter(
        code="method",
        short=words("chapter.method.short"),
        title=words("chapter.method.title"),
        lead=words(
            "chapter.method.lead_given" if scope.as_of_given else "chapter.method.lead",
            as_of=day(scope.as_of),
            last=day(scope.last_at),
        ),
        blocks=tuple(blocks),
    )


def _parameters(figures: Figures, words: Words) -> list[Block]:
    model = figures.model
    if model is None:
        return []
    columns = (
        words.column("model"),
        words.column("parameter"),
        words.column("estimate", Kind.NUMBER, digits=4),
        words.column("standard_error", Kind.NUMBER, digits=4),
    )
    name = words.term("model", model.name)
    rows: list[tuple[Value, ...]] = [(name, one.name, one.value, one.standard_error) for one in model.parameters]
    rows += [(words("model.gamma-gamma"), one.name, one.value, one.standard_error) for one in model.spend_parameters]
    text = words("method.fit", customers=count(model.customers), unit=words(f"unit.{model.unit}"), model=named(name))
    return [Heading(words("heading.parameters")), Text((text,)), words.table("parameters", columns, rows)]


def _settings(figures: Figures, words: Words) -> list[tuple[Value, ...]]:
    scope = figures.scope
    margin = "–" if scope.margin is None else words.say(share(scope.margin))
    rows: list[tuple[Value, ...]] = [
        (words("setting.as_of"), words.say(day(scope.as_of))),
        (words("setting.span"), words("setting.span_value", since=day(scope.first_at), until=day(scope.last_at))),
        (words("setting.horizon"), words.say(count(scope.horizon_days))),
        (words("setting.currency"), scope.currency or "–"),
        (words("setting.margin"), margin),
        (words("setting.unit"), words(f"unit.{scope.unit}")),
        (words("setting.engine"), scope.engine),
    ]
    return [*rows, *((name, version) for name, version in scope.versions)]
