"""The report is made here: figures gathered, rules applied, everything put into words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from shuke import collect
from shuke.base.language import Language
from shuke.base.progress import Progress, silent
from shuke.platform.engines import Engine
from shuke.reports.model import Report
from shuke.reports.rules.findings import findings
from shuke.reports.rules.said import count, day
from shuke.reports.rules.stages import stage_names
from shuke.reports.rules.strategies import strategies
from shuke.reports.service.chapters import write_chapters
from shuke.reports.service.gather import Terms, gather, quality_figures
from shuke.reports.service.lists import customer_lists
from shuke.reports.service.words import Words

__all__ = ["Terms", "build_reports"]


def build_reports(
    collected: collect.Collected,
    *,
    engine: Engine,
    terms: Terms,
    languages: Sequence[Language],
    generated_at: datetime,
    work_folder: Path,
    progress: Progress = silent,
) -> dict[Language, Report]:
    """The whole report on ``collected``, gathered once and worded in each language.

    The lists of the reports are read from ``work_folder`` when they are written: it has to be there until then.
    """
    gathered = gather(collected, terms, engine=engine, progress=progress)
    found = findings(gathered.figures)
    chosen = strategies(gathered.figures, found)
    named = [*(one.list_code for one in found), *(one.list_code for one in chosen)]
    codes = [code for code in named if code is not None]

    def worded(language: Language) -> Report:
        figures = replace(gathered.figures, quality=quality_figures(collected, language))
        words = Words(language, figures.scope.currency, stage_names(figures.stage_rules, language))
        return Report(
            title=words("report.title"),
            subtitle=words(
                "report.subtitle",
                customers=count(figures.base.customers),
                since=day(figures.scope.first_at),
                until=day(figures.scope.last_at),
            ),
            brand=terms.brand,
            language=language,
            as_of=terms.as_of,
            generated_at=generated_at,
            currency=figures.scope.currency,
            chapters=write_chapters(figures, found, chosen, words),
            figures=_plain({"figures": figures, "findings": found, "strategies": chosen}),
            lists=customer_lists(gathered.desk, codes, gathered.pair, words, folder=work_folder / language.value),
        )

    return {language: worded(language) for language in languages}


def _plain(value: Any) -> Any:
    """Frozen values as dictionaries, lists and numbers, unrounded; numbers that are none become null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
