"""``shuke report``: order files, or what the database holds, in; the lifetime-value report and its lists out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from shuke import catalog, collect, lifecycle, reports
from shuke.app import terminal
from shuke.app.place import open_place
from shuke.base.clock import day_after
from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue
from shuke.base.progress import part
from shuke.base.wording import say_number
from shuke.insight import StageRules
from shuke.platform import Engine, Settings

__all__ = ["ReportOptions", "run", "write"]

FORMATS = ("html", "pdf", "xlsx", "json")
# How much of the bar each part takes, by experience.
READING, THINKING = 0.3, 0.85

Written = dict[str, list[Path]]
"""The files of one report by kind: html, pdf, xlsx, json, lists, rejected."""


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """What ``shuke report`` was asked for; ``as_of`` None is the day after the last order.

    ``stages`` is a file with the codes of the customer vocabulary.
    """

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
    brand: str = ""
    stages: str | None = None
    engine: Literal["duckdb", "spark"] = "duckdb"
    formats: tuple[str, ...] = FORMATS
    from_database: bool = False


def run(options: ReportOptions) -> None:
    """Write the report; raises the errors of the rooms, which the command line explains."""
    written = write(options, {options.language: options.out})[options.language]
    text = catalogue("shuke.app", options.language)
    table = Table(box=None, show_header=False, pad_edge=False)
    for kind, paths in written.items():
        if paths:
            where = paths[0] if len(paths) == 1 else paths[0].parent
            name = text(f"report.{kind}", files=say_number(len(paths), options.language))
            table.add_row(name, str(where))
    Console(highlight=False, soft_wrap=True).print(table)


def write(
    options: ReportOptions, folders: Mapping[Language, Path], *, show_recognised: bool = True
) -> dict[Language, Written]:
    """Gather once, write the report of each language into its folder, and say which files there are now."""
    console = Console(stderr=True, highlight=False)
    rate, column = terminal.margin_of(options.margin)
    stages = terminal.stages_of(options.stages)
    # What cannot be used is said before anything is read.
    reports.check_stages(stages)
    if options.from_database and options.orders:
        raise BadInput("app.files_and_database")
    with terminal.workshop(options.engine) as (engine, work), terminal.bar(console, options.language) as hear:
        if options.from_database:
            collected, said, current = _of_database(options, engine, column)
            stages = stages if options.stages else current
            rate = said.margin if options.margin is None else rate
            options = replace(options, brand=options.brand or said.name or "")
        else:
            collected = collect.read_orders(
                options.orders,
                engine=engine,
                work_folder=work,
                mapping=options.mapping,
                currency=options.currency,
                margin_column=column,
                timezone=options.timezone,
                as_of=options.as_of,
                progress=part(hear, 0.0, READING),
            )
            if show_recognised:
                terminal.show_recognised(collected, console, options.language)
        if options.costs is not None:
            costs = collect.read_costs(options.costs, engine)
            collected = replace(collected, tables=replace(collected.tables, costs=costs))
        made = reports.build_reports(
            collected,
            engine=engine,
            terms=reports.Terms(
                as_of=options.as_of or day_after(collected.last_at),
                as_of_given=options.as_of is not None,
                horizon_days=options.horizon_days,
                margin=rate,
                margin_column=column,
                brand=options.brand,
                stages=stages,
            ),
            languages=tuple(folders),
            work_folder=work,
            generated_at=datetime.now(UTC).replace(microsecond=0),
            progress=part(hear, READING, THINKING),
        )
        hear("reports.write", THINKING)
        return {
            language: _write_one(report, collected, folders[language], options.formats)
            for language, report in made.items()
        }


def _of_database(
    options: ReportOptions, engine: Engine, margin_column: str | None
) -> tuple[collect.Collected, catalog.Brand, StageRules]:
    """What the database holds now, what the brand says of itself, and its stages."""
    settings = Settings.of_environment()
    with open_place(settings, catalogue("shuke.app", options.language)) as place:
        with place.database.read() as tx:
            brand, stages = catalog.brand_of(tx), lifecycle.current_stages(tx)
            zone = catalog.zone_of(tx, settings)
        collected = reports.stored(
            place,
            engine=engine,
            currency=options.currency or brand.currency,
            timezone=options.timezone or zone,
            as_of=options.as_of,
            margin_column=margin_column,
        )
    return collected, brand, stages


def _write_one(report: reports.Report, collected: collect.Collected, folder: Path, formats: tuple[str, ...]) -> Written:
    # The lists of an earlier report go, so that nobody works with an old one.
    for pattern in ("lists/*.csv", "rejected/*.rejects.csv"):
        for path in folder.glob(pattern):
            path.unlink()
    written = reports.write_report(report, folder, formats=formats)
    rejected = collect.write_rejects(collected, folder / "rejected", language=report.language)
    return {**written, "rejected": rejected}
