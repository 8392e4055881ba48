"""``shuke report``: order files in, the lifetime-value report and its lists out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shuke import collect, insight, reports
from shuke.app import terminal
from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue
from shuke.base.progress import Progress as Hear
from shuke.base.wording import say_number
from shuke.platform import Engine

__all__ = ["ReportOptions", "run"]

FORMATS = ("html", "pdf", "xlsx", "json")
# How much of the bar each part takes, by experience.
READING, THINKING = 0.3, 0.85


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """What ``shuke report`` was asked for; ``as_of`` None is the day after the last order."""

    orders: tuple[str, ...]
    out: Path
    language: Language = Language.ENGLISH
    mapping: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
    timezone: str | None = None
    as_of: datetime | None = None
    margin: str | None = None
    costs: Path | None = None
    horizon_days: int = 365
    engine: Literal["duckdb", "spark"] = "duckdb"
    formats: tuple[str, ...] = FORMATS


def run(options: ReportOptions) -> None:
    """Write the report; raises the errors of the rooms, which the command line explains."""
    text = catalogue("shuke.app", options.language)
    console = Console(stderr=True, highlight=False)
    rate, column = margin_of(options.margin)
    with (
        terminal.workshop(options.engine) as (engine, folder),
        _bar(console, options.language) as hear,
    ):
        collected = collect.read_orders(
            options.orders,
            engine=engine,
            work_folder=folder,
            mapping=options.mapping,
            currency=options.currency,
            margin_column=column,
            timezone=options.timezone,
            as_of=options.as_of,
            progress=_part(hear, 0.0, READING),
        )
        _show_recognised(collected, console, options.language)
        report = reports.build_report(
            collected,
            engine=engine,
            terms=reports.Terms(
                as_of=options.as_of or day_after(collected.last_at),
                as_of_given=options.as_of is not None,
                horizon_days=options.horizon_days,
                margin=rate,
                margin_column=column,
                language=options.language,
            ),
            work_folder=folder,
            generated_at=datetime.now(UTC).replace(microsecond=0),
            tables=_with_costs(collected, options.costs, engine),
            progress=_part(hear, READING, THINKING),
        )
        hear("reports.write", THINKING)
        _clear(options.out)
        written = reports.write_report(report, options.out, formats=options.formats)
        written["rejected"] = collect.write_rejects(collected, options.out / "rejected", language=options.language)
    table = Table(box=None, show_header=False, pad_edge=False)
    for kind, paths in written.items():
        if paths:
            where = paths[0] if len(paths) == 1 else paths[0].parent
            name = text(f"report.{kind}", files=say_number(len(paths), options.language))
            table.add_row(name, str(where))
    Console(highlight=False, soft_wrap=True).print(table)


def margin_of(given: str | None) -> tuple[float | None, str | None]:
    """A rate (``0.45``, ``45%``) or a column's name; BadInput ``app.bad_margin`` for a rate that is none."""
    if given is None:
        return None, None
    try:
        rate = float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        return None, given
    if not 0 < rate <= 1:
        raise BadInput("app.bad_margin", given=given)
    return rate, None


def day_after(last: datetime) -> datetime:
    """The midnight that ends the day of the last order."""
    day: date = last.date() + timedelta(days=1)
    return datetime.combine(day, time())


def _clear(folder: Path) -> None:
    """Take away the lists of an earlier report, so that nobody works with an old one."""
    for pattern in ("lists/*.csv", "rejected/*.rejects.csv"):
        for path in folder.glob(pattern):
            path.unlink()


def _with_costs(collected: collect.Collected, costs: Path | None, engine: Engine) -> insight.Tables:
    return collected.tables if costs is None else replace(collected.tables, costs=collect.read_costs(costs, engine))


@contextmanager
def _bar(console: Console, language: Language) -> Iterator[Hear]:
    """A bar that is drawn only for a person at a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=1.0)

        def hear(stage: str, share: float) -> None:
            room, _, step = stage.partition(".")
            words = catalogue(f"shuke.{room}", language)
            key = f"progress.{step}"
            progress.update(task, completed=share, description=words(key) if words.has(key) else step)

        yield hear


def _part(hear: Hear, start: float, end: float) -> Hear:
    """A part of the whole bar."""

    def heard(stage: str, share: float) -> None:
        hear(stage, start + (end - start) * share)

    return heard


def _show_recognised(collected: collect.Collected, console: Console, language: Language) -> None:
    """Say on stderr which column was taken for what, so that a wrong guess is seen at once."""
    words, text = catalogue("shuke.collect", language), catalogue("shuke.app", language)
    table = Table(box=None, pad_edge=False, title=text("report.recognised"), title_justify="left")
    for heading in ("field", "column", "file"):
        table.add_column(text(f"report.{heading}"))
    for match in collected.recognised.matches:
        table.add_row(words(f"fields.{match.field}"), match.column, match.file)
    console.print(table)
    if not collected.quality.reconciles:
        console.print(text("report.not_reconciled"))
