"""``shuke facts``: order files in, one row for each customer out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from shuke import collect
from shuke.app import terminal
from shuke.base.clock import day_after
from shuke.base.language import Language, catalogue, explain
from shuke.base.progress import part
from shuke.base.wording import say_number
from shuke.insight.facts import Facts, customer_facts
from shuke.insight.stages import StageRules, stage_coverage
from shuke.insight.tables import Tables

__all__ = ["FactsOptions", "run"]

# How much of the bar each part takes, by experience.
_READING, _THINKING = 0.5, 0.9


@dataclass(frozen=True, kw_only=True)
class FactsOptions:
    """What ``shuke facts`` was asked for; ``as_of`` None is the day after the last order.

    ``stages`` is a file or the name of a shipped vocabulary.
    """

    orders: tuple[str, ...]
    out: Path
    language: Language = Language.ENGLISH
    mapping: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
    timezone: str | None = None
    as_of: datetime | None = None
    margin: str | None = None
    horizon_days: int = 365
    model: str = "auto"
    stages: str | None = None
    engine: Literal["duckdb", "spark"] = "duckdb"


def run(options: FactsOptions) -> None:
    """Write the facts; raises the errors of the rooms, which the command line explains."""
    text = catalogue("shuke.app", options.language)
    console = Console(stderr=True, highlight=False)
    rate, column = terminal.margin_of(options.margin)
    stages = terminal.stages_of(options.stages)
    with terminal.workshop(options.engine) as (engine, folder), terminal.bar(console, options.language) as hear:
        collected = collect.read_orders(
            options.orders,
            engine=engine,
            work_folder=folder,
            mapping=options.mapping,
            currency=options.currency,
            margin_column=column,
            timezone=options.timezone,
            as_of=options.as_of,
            progress=part(hear, 0.0, _READING),
        )
        terminal.show_recognised(collected, console, options.language)
        hear("app.facts", _READING)
        facts = customer_facts(
            collected.tables,
            as_of=options.as_of or day_after(collected.last_at),
            engine=engine,
            model=options.model,
            horizon_days=options.horizon_days,
            margin=_margin_of_orders(collected.tables) if column else rate or 1.0,
            stages=stages,
            keep=False,
        )
        hear("app.write_facts", _THINKING)
        rows = engine.write_parquet(facts.table, options.out)
    if facts.cannot_say is not None:
        console.print(text("facts.cannot_say", why=_why_not(facts, options.language)))
    elif facts.model is not None:
        console.print(text("facts.model", model=facts.model.name))
    if options.stages is not None:
        for said in _what_orders_do_not_show(collected.tables, stages, options.language):
            click.echo(said, err=True)
    click.echo(text("facts.written", customers=say_number(rows, options.language), file=str(options.out)))


def _margin_of_orders(tables: Tables) -> float:
    """The share of all money that stays after the cost of the goods, over the orders whose cost is known."""
    orders = tables.orders.filter(tables.orders.cost.notnull())
    sums = orders.agg(amount=orders.amount.sum(), cost=orders.cost.sum()).to_pyarrow().to_pylist()[0]
    if not sums["amount"]:
        return 1.0
    return min(max(1 - float(sums["cost"]) / float(sums["amount"]), 0.0), 1.0)


def _what_orders_do_not_show(tables: Tables, stages: StageRules, language: Language) -> Iterator[str]:
    """The stages that nobody can be in and the counts that are always 0, since order files have only customers."""
    text = catalogue("shuke.app", language)
    separator = "、" if language is Language.CHINESE else ", "
    names = {one.code: one.names.get(language.value, one.code) for one in stages.stages}
    missing = stage_coverage(tables, stages).missing
    if missing:
        said = [text(f"facts.needs_{needs}", stage=names[code]) for code, needs in missing.items()]
        yield text("facts.stages_unseen", stages=separator.join(said))
    if stages.event_fields():
        yield text("facts.no_events", fields=separator.join(stages.event_fields()))


def _why_not(facts: Facts, language: Language) -> str:
    """Every condition of the gate that is not met, or what else kept the model from being fitted."""
    text = catalogue("shuke.app", language)
    separator = "；" if language is Language.CHINESE else "; "
    reasons = [
        text(f"facts.{reason.code}", needed=reason.needed, found=reason.found if reason.found is not None else 0)
        for reason in facts.gate.reasons
    ]
    if not reasons and facts.cannot_say is not None:
        return explain(facts.cannot_say, language)
    return separator.join(reasons)
