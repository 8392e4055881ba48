"""The report is made here: figures gathered, rules applied, everything put into words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from shuke import collect, insight
from shuke.base.progress import Progress, silent
from shuke.platform.engines import Engine
from shuke.reports.model import Report
from shuke.reports.rules.findings import findings
from shuke.reports.rules.said import count, day
from shuke.reports.rules.strategies import strategies
from shuke.reports.service.chapters import write_chapters
from shuke.reports.service.gather import Terms, gather
from shuke.reports.service.lists import customer_lists
from shuke.reports.service.words import Words

__all__ = ["Terms", "build_report"]


def build_report(
    collected: collect.Collected,
    *,
    engine: Engine,
    terms: Terms,
    generated_at: datetime,
    work_folder: Path,
    brand: str = "",
    tables: insight.Tables | None = None,
    progress: Progress = silent,
) -> Report:
    """The whole report on ``collected``; ``tables`` replaces its tables where costs were added.

    The lists of the report are read from ``work_folder`` when they are written: it has to be there until then.
    """
    gathered = gather(collected, tables or collected.tables, terms, engine=engine, progress=progress)
    figures = gathered.figures
    found = findings(figures)
    chosen = strategies(figures, found)
    words = Words(terms.language, figures.scope.currency)
    named = [*(one.list_code for one in found), *(one.list_code for one in chosen)]
    codes = [code for code in named if code is not None]
    return Report(
        title=words("report.title"),
        subtitle=words(
            "report.subtitle",
            customers=count(figures.base.customers),
            since=day(figures.scope.first_at),
            until=day(figures.scope.last_at),
        ),
        brand=brand,
        language=terms.language,
        as_of=terms.as_of,
        generated_at=generated_at,
        currency=figures.scope.currency,
        chapters=write_chapters(figures, found, chosen, words),
        figures=_plain({"figures": figures, "findings": found, "strategies": chosen}),
        lists=customer_lists(gathered.desk, codes, gathered.pair, words, folder=work_folder),
    )


def _plain(value: Any) -> Any:
    """Frozen values as dictionaries, lists and numbers, unrounded; numbers that are none become null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
