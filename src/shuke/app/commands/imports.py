"""``shuke import``: files into the database, in batches; what was interrupted goes on where it was."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from shuke import collect
from shuke.app import terminal
from shuke.app.place import open_place
from shuke.app.wiring import wake_collect
from shuke.base.language import Catalogue, Language, catalogue
from shuke.base.money import from_minor
from shuke.base.progress import Progress as Hear
from shuke.base.wording import say_number
from shuke.platform import Settings, Workplace, configure_logs

__all__ = ["ImportsOptions", "bring_in", "run"]

# How much of the bar reading takes, by experience.
_READING = 0.3
_OUTCOMES = ("created", "updated", "unchanged")


@dataclass(frozen=True, kw_only=True)
class ImportsOptions:
    """What ``shuke import`` was asked for."""

    kind: Literal["orders", "customers", "products", "costs", "events"]
    files: tuple[str, ...]
    language: Language = Language.ENGLISH
    mapping: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
    timezone: str | None = None
    source: str = "files"
    identity_kind: str | None = None
    dry_run: bool = False
    rejects: Path = Path("rejected")


def run(options: ImportsOptions) -> None:
    """Import; raises the errors of the rooms, which the command line explains."""
    settings = Settings.of_environment()
    configure_logs("json" if settings.log_format == "json" else "text")
    with open_place(settings, catalogue("shuke.app", options.language)) as place:
        bring_in(options, place)


def bring_in(options: ImportsOptions, place: Workplace) -> None:
    """Import into this place, and say what came of it."""
    options = replace(options, rejects=options.rejects / options.kind)
    # Those of an earlier import go, so that nobody mends what has been mended.
    for path in options.rejects.glob("*.rejects.csv"):
        path.unlink()
    _IMPORTS[options.kind](options, place)


def _orders(options: ImportsOptions, place: Workplace) -> None:
    console = Console(stderr=True, highlight=False)
    with terminal.workshop("duckdb") as (engine, work), terminal.bar(console, options.language) as hear:
        collected = collect.read_orders(
            options.files,
            engine=engine,
            work_folder=work,
            mapping=options.mapping,
            currency=options.currency,
            timezone=options.timezone,
            progress=terminal.part(hear, 0.0, _READING),
        )
        terminal.show_recognised(collected, console, options.language)
        imported = collect.import_orders(
            place,
            options.files,
            collected,
            engine=engine,
            source=options.source,
            now=_now,
            currency=options.currency,
            timezone=options.timezone,
            identity_kind=options.identity_kind,
            dry_run=options.dry_run,
            rejects_folder=options.rejects,
            language=options.language,
            progress=terminal.part(hear, _READING, 1.0),
        )
    _say(imported, options, sales=collected.quality.count("sale").amount)


def _products(options: ImportsOptions, place: Workplace) -> None:
    with _bar(options) as hear, _folder() as folder:
        imported = collect.import_products(
            place,
            options.files,
            work_folder=folder,
            now=_now,
            mapping=options.mapping,
            currency=options.currency,
            dry_run=options.dry_run,
            rejects_folder=options.rejects,
            language=options.language,
            progress=hear,
        )
    _say(imported, options)


def _customers(options: ImportsOptions, place: Workplace) -> None:
    with _bar(options) as hear, _folder() as folder:
        imported = collect.import_customers(
            place,
            options.files,
            work_folder=folder,
            now=_now,
            mapping=options.mapping,
            dry_run=options.dry_run,
            rejects_folder=options.rejects,
            language=options.language,
            progress=hear,
        )
    _say(imported, options)


def _costs(options: ImportsOptions, place: Workplace) -> None:
    with terminal.workshop("duckdb") as (engine, _), _bar(options) as hear:
        imported = collect.import_costs(
            place,
            options.files,
            engine=engine,
            now=_now,
            currency=options.currency,
            dry_run=options.dry_run,
            progress=hear,
        )
    _say(imported, options)


def _events(options: ImportsOptions, place: Workplace) -> None:
    with _bar(options) as hear, _folder() as folder:
        imported = collect.import_events(
            place,
            options.files,
            source=options.source,
            now=_now,
            wake=wake_collect,
            work_folder=folder,
            mapping=options.mapping,
            timezone=options.timezone,
            dry_run=options.dry_run,
            rejects_folder=options.rejects,
            language=options.language,
            progress=hear,
        )
    _say(imported, options)


def _bar(options: ImportsOptions) -> AbstractContextManager[Hear]:
    return terminal.bar(Console(stderr=True, highlight=False), options.language)


@contextmanager
def _folder() -> Iterator[Path]:
    work = Settings.of_environment().work_folder
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shuke-", dir=work) as folder:
        yield Path(folder)


def _say(imported: collect.Imported, options: ImportsOptions, *, sales: Decimal | None = None) -> None:
    """What became of everything, on standard output; where sales do not add up, how far they are apart."""
    text = catalogue("shuke.app", options.language)
    table = Table(box=None, pad_edge=False)
    table.add_column(text("import.dry_run" if options.dry_run else "import.done"))
    for outcome in _OUTCOMES:
        table.add_column(text(f"import.{outcome}"), justify="right")
    for what in dict.fromkeys(name.partition(".")[0] for name in imported.counts):
        counts = [imported.counts.get(f"{what}.{outcome}") for outcome in _OUTCOMES]
        if any(count is not None for count in counts):
            table.add_row(text(f"import.{what}"), *(say_number(count or 0, options.language) for count in counts))
    console = Console(highlight=False, soft_wrap=True)
    if table.rows:
        console.print(table)
    for name, rows in imported.counts.items():
        what, _, counted = name.partition(".")
        if counted == "rows":
            done = text("import.dry_run" if options.dry_run else "import.done")
            console.print(f"{done}: {text(f'import.{what}')} {say_number(rows, options.language)}")
    if imported.resumed:
        console.print(text("import.resumed", batches=say_number(imported.resumed, options.language)))
    if imported.currency is not None and sales is not None:
        _say_money(console, text, imported, imported.currency, sales)
    for reason, rows in imported.rejected.items():
        why = catalogue("shuke.collect", options.language)(f"import_reasons.{reason}")
        console.print(text("import.rejected", rows=say_number(rows, options.language), why=why))
    if imported.rejects:
        console.print(text("import.rejects", folder=str(options.rejects)))


def _say_money(console: Console, text: Catalogue, imported: collect.Imported, currency: str, sales: Decimal) -> None:
    kept = from_minor(imported.counts.get("orders.amount_minor", 0), currency)
    rejected = from_minor(imported.rejected_amount_minor, currency)
    difference = sales - kept - rejected
    console.print(
        text(
            "import.sales",
            currency=currency,
            sales=f"{sales.normalize():,f}",
            kept=f"{kept:,f}",
            rejected=f"{rejected:,f}",
            difference=f"{difference.normalize():,f}",
        )
    )


def _now() -> datetime:
    return datetime.now(UTC)


_IMPORTS: dict[str, Callable[[ImportsOptions, Workplace], None]] = {
    "orders": _orders,
    "customers": _customers,
    "products": _products,
    "costs": _costs,
    "events": _events,
}
