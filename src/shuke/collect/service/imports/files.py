"""Files of any kind into the database: one way in, for the command line and for the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from shuke.base.language import Language
from shuke.base.progress import Progress, part, silent
from shuke.collect.model import Collected
from shuke.collect.rules.file_kinds import FileKind
from shuke.collect.service.imports.costs import import_costs
from shuke.collect.service.imports.customers import import_customers
from shuke.collect.service.imports.events import import_events
from shuke.collect.service.imports.ledger import Imported
from shuke.collect.service.imports.orders import import_orders
from shuke.collect.service.imports.products import import_products
from shuke.collect.service.read import read_orders
from shuke.platform import Transaction, Workplace, duckdb_of

__all__ = ["ImportOptions", "import_files"]

# How much of the bar reading takes, by experience.
_READING = 0.3


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What somebody says about files to import; see the functions for each kind."""

    kind: FileKind
    mapping: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
    timezone: str | None = None
    source: str = "files"
    identity_kind: str | None = None
    dry_run: bool = False
    rejects_folder: Path | None = None
    language: Language = Language.ENGLISH


class _Shared(TypedDict):
    work_folder: Path
    now: Callable[[], datetime]
    mapping: Mapping[str, str]
    dry_run: bool
    rejects_folder: Path | None
    language: Language
    progress: Progress


def import_files(
    workplace: Workplace,
    files: Sequence[str],
    options: ImportOptions,
    *,
    work_folder: Path,
    now: Callable[[], datetime],
    wake: Callable[[Transaction], None],
    recognised: Callable[[Collected], None] = lambda _: None,
    progress: Progress = silent,
) -> Imported:
    """Import files of one kind.

    Args:
        workplace: whose database; batches are transactions of their own.
        files: paths and globs.
        options: what was said about them.
        work_folder: for intermediate files.
        now: the clock.
        wake: has the inbox processed, into which events go.
        recognised: shown what order files were understood as, before they go in.
        progress: told how far it is.

    Raises:
        BadInput: what the functions for each kind refuse.
    """
    if options.kind == "orders":
        return _orders(workplace, files, options, work_folder, now, recognised, progress)
    if options.kind == "costs":
        with duckdb_of(workplace.settings, work_folder=work_folder) as engine:
            return import_costs(
                workplace,
                files,
                engine=engine,
                now=now,
                currency=options.currency,
                dry_run=options.dry_run,
                progress=progress,
            )
    shared: _Shared = {
        "work_folder": work_folder,
        "now": now,
        "mapping": options.mapping,
        "dry_run": options.dry_run,
        "rejects_folder": options.rejects_folder,
        "language": options.language,
        "progress": progress,
    }
    if options.kind == "products":
        return import_products(workplace, files, currency=options.currency, **shared)
    if options.kind == "customers":
        return import_customers(workplace, files, **shared)
    return import_events(workplace, files, source=options.source, wake=wake, timezone=options.timezone, **shared)


def _orders(
    workplace: Workplace,
    files: Sequence[str],
    options: ImportOptions,
    work_folder: Path,
    now: Callable[[], datetime],
    recognised: Callable[[Collected], None],
    progress: Progress,
) -> Imported:
    with duckdb_of(workplace.settings, work_folder=work_folder) as engine:
        collected = read_orders(
            files,
            engine=engine,
            work_folder=work_folder,
            mapping=options.mapping,
            currency=options.currency,
            timezone=options.timezone,
            progress=part(progress, 0.0, _READING),
        )
        recognised(collected)
        imported = import_orders(
            workplace,
            files,
            collected,
            engine=engine,
            source=options.source,
            now=now,
            currency=options.currency,
            timezone=options.timezone,
            identity_kind=options.identity_kind,
            dry_run=options.dry_run,
            rejects_folder=options.rejects_folder,
            language=options.language,
            progress=part(progress, _READING, 1.0),
        )
    return replace(imported, quality=collected.quality)
