"""``shuke import``: files into the database, in batches; what was interrupted goes on where it was."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shuke import collect
from shuke.app import terminal
from shuke.app.place import open_place
from shuke.app.wiring import wake_collect
from shuke.base.language import Catalogue, catalogue
from shuke.base.money import from_minor
from shuke.base.wording import say_number
from shuke.platform import Settings, Workplace, configure_logs

__all__ = ["ImportsOptions", "bring_in", "run"]

_OUTCOMES = ("created", "updated", "unchanged")


@dataclass(frozen=True, kw_only=True)
class ImportsOptions(collect.ImportOptions):
    """What ``shuke import`` was asked for."""

    files: tuple[str, ...]
    rejects_folder: Path = Path("rejected")


def run(options: ImportsOptions) -> None:
    """Import; raises the errors of the rooms, which the command line explains."""
    settings = Settings.of_environment()
    configure_logs("json" if settings.log_format == "json" else "text")
    with open_place(settings, catalogue("shuke.app", options.language)) as place:
        bring_in(options, place)


def bring_in(options: ImportsOptions, place: Workplace) -> None:
    """Import into this place, and say what came of it."""
    options = replace(options, rejects_folder=options.rejects_folder / options.kind)
    # Those of an earlier import go, so that nobody mends what has been mended.
    for path in options.rejects_folder.glob("*.rejects.csv"):
        path.unlink()
    console = Console(stderr=True, highlight=False)
    with _folder() as folder, terminal.bar(console, options.language) as hear:
        imported = collect.import_files(
            place,
            options.files,
            options,
            work_folder=folder,
            now=lambda: datetime.now(UTC),
            wake=wake_collect,
            recognised=lambda collected: terminal.show_recognised(collected, console, options.language),
            progress=hear,
        )
    _say(imported, options)


@contextmanager
def _folder() -> Iterator[Path]:
    work = Settings.of_environment().work_folder
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shuke-", dir=work) as folder:
        yield Path(folder)


def _say(imported: collect.Imported, options: ImportsOptions) -> None:
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
    if imported.currency is not None and imported.quality is not None:
        _say_money(console, text, imported, imported.currency, imported.quality.count("sale").amount)
    for reason, rows in imported.rejected.items():
        why = catalogue("shuke.collect", options.language)(f"import_reasons.{reason}")
        console.print(text("import.rejected", rows=say_number(rows, options.language), why=why))
    if imported.rejects:
        console.print(text("import.rejects", folder=str(options.rejects_folder)))


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
