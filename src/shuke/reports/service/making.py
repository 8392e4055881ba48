"""Reports on what the database holds, made by a worker and kept."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke import catalog, lifecycle
from shuke.base.clock import day_after
from shuke.base.language import Language
from shuke.base.progress import part
from shuke.platform import (
    Asker,
    FileWriter,
    Running,
    Transaction,
    delete_file,
    duckdb_of,
    new_file,
    store_path,
)
from shuke.reports import exports
from shuke.reports.model import FindingBlock, Report
from shuke.reports.service import Terms, build_reports
from shuke.reports.service.stored import stored
from shuke.reports.tables import reports

__all__ = ["KEPT_MAX", "MAKE", "MEDIA", "REPORT_FILE", "ReportTerms", "make_asked"]

#: The kind of the jobs, and of the files.
MAKE, REPORT_FILE = "reports.make", "report"
#: Reports that are kept; the oldest go.
KEPT_MAX = 60
#: Findings of each that are kept in words.
FINDINGS_MAX = 12
_FILE_DAYS = 3_650
# How much of the bar each part takes, by experience.
_READ, _THOUGHT = 0.1, 0.8

#: The files of a report in one language, and what is in each.
MEDIA: Mapping[str, str] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "lists.zip": "application/zip",
}
_FORMATS = ("html", "pdf", "xlsx", "json")


@dataclass(frozen=True, kw_only=True)
class ReportTerms:
    """What a report is asked for with. ``as_of`` is the day after the last that counts; None is that of the last order.

    ``margin`` is a share; ``by_costs`` takes what goods cost instead. Without either, value is net sales. What the
    brand has said of itself counts where nothing else was asked for.
    """

    languages: tuple[Language, ...]
    as_of: date | None = None
    horizon_days: int = 365
    margin: float | None = None
    by_costs: bool = False
    brand: str = ""
    currency: str | None = None
    time_zone: str = "UTC"

    def of_brand(self, brand: catalog.Brand) -> ReportTerms:
        """The same, with the brand's name, currency and margin where none were asked for."""
        margin = self.margin if self.by_costs or self.margin is not None else brand.margin
        return replace(
            self, brand=self.brand or brand.name or "", currency=self.currency or brand.currency, margin=margin
        )

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **vars(self),
            "languages": [language.value for language in self.languages],
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> ReportTerms:
        """What :meth:`told` has told."""
        as_of = told["as_of"]
        languages = tuple(Language(language) for language in told["languages"])
        return cls(**{**told, "languages": languages, "as_of": None if as_of is None else date.fromisoformat(as_of)})


def make_asked(running: Running) -> None:
    """Make the report of a job, in each language that was asked for, and keep it; the oldest may go."""
    place = running.place
    with place.database.read() as tx:
        asked = ReportTerms.of(running.job.asked).of_brand(catalog.brand_of(tx))
        stages = lifecycle.current_stages(tx)
    as_of = None if asked.as_of is None else datetime.combine(asked.as_of, time())
    margin_column = "cost" if asked.by_costs else None
    running.progress("reports.stored", 0.0)
    with (
        running.folder() as folder,
        duckdb_of(place.settings, work_folder=folder / "engine") as engine,
    ):
        collected = stored(
            place,
            engine=engine,
            currency=asked.currency,
            timezone=asked.time_zone,
            as_of=as_of,
            margin_column=margin_column,
        )
        made = build_reports(
            collected,
            engine=engine,
            terms=Terms(
                as_of=as_of or day_after(collected.last_at),
                as_of_given=as_of is not None,
                horizon_days=asked.horizon_days,
                margin=asked.margin,
                margin_column=margin_column,
                brand=asked.brand,
                stages=stages,
            ),
            languages=asked.languages,
            work_folder=folder,
            generated_at=datetime.now(UTC).replace(microsecond=0),
            progress=part(running.progress, _READ, _THOUGHT),
        )
        running.progress("reports.write", _THOUGHT)
        with ExitStack() as stack:
            writers = {
                language: _write(running, report, folder / "out" / language.value, stack)
                for language, report in made.items()
            }
            running.progress("reports.write", 0.95)
            with place.database.begin() as tx:
                files = {
                    language.value: {
                        kind: {"file_id": str(file.file_id), "size_bytes": file.size_bytes}
                        for kind, writer in of_one.items()
                        for file in [writer.finish(tx)]
                    }
                    for language, of_one in writers.items()
                }
                _keep(tx, running, asked, made, files)
                running.done(tx, {"report_id": str(running.job.job_id)})


def _write(running: Running, report: Report, folder: Path, stack: ExitStack) -> dict[str, FileWriter]:
    """The files of one language, each on its way to be kept."""
    written = exports.write_report(report, folder, formats=_FORMATS, linked=False)
    paths = {kind: written[kind][0] for kind in _FORMATS}
    if written["lists"]:
        paths["lists.zip"] = _zipped(written["lists"], folder / "lists.zip")
    writers = {}
    for kind, path in paths.items():
        suffix = kind if "." in kind else f"report.{kind}"
        name = f"{report.data_until.isoformat()}.{report.language.value}.{suffix}"
        writer = stack.enter_context(
            new_file(
                running.place,
                kind=REPORT_FILE,
                name=name,
                media_type=MEDIA[kind],
                asker=running.job.asker,
                days=_FILE_DAYS,
            )
        )
        store_path(path, writer)
        writers[kind] = writer
    return writers


def _zipped(paths: Iterable[Path], into: Path) -> Path:
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as out:
        for path in paths:
            out.write(path, path.name)
    return into


def _keep(
    tx: Transaction, running: Running, asked: ReportTerms, made: Mapping[Language, Report], files: Mapping[str, Any]
) -> None:
    first = next(iter(made.values()))
    tx.execute(
        sa.insert(reports).values(
            report_id=running.job.job_id,
            made_at=sa.func.now(),
            data_until=(first.as_of - timedelta(microseconds=1)).date(),
            terms=asked.told(),
            currency=first.currency,
            customers=_customers(first),
            policy=exports.page_policy(),
            files=dict(files),
            findings={language.value: _findings(report) for language, report in made.items()},
            who=running.job.asker.name,
            scheduled=running.job.asker.kind == SCHEDULE,
        )
    )
    _forget(tx)


def _forget(tx: Transaction) -> None:
    """Delete the oldest beyond the number that is kept."""
    old = sa.select(reports.c.report_id, reports.c.files).order_by(reports.c.report_id.desc()).offset(KEPT_MAX)
    for row in tx.execute(old).all():
        for of_one in row.files.values():
            for file in of_one.values():
                delete_file(tx, UUID(file["file_id"]))
        tx.execute(sa.delete(reports).where(reports.c.report_id == row.report_id))


def _customers(report: Report) -> int:
    figures: Any = report.figures
    return int(figures["figures"]["base"]["customers"])


def _findings(report: Report) -> list[dict[str, Any]]:
    """What it found, in words."""
    blocks: Sequence[Any] = [block for chapter in report.chapters for block in chapter.blocks]
    found = [block for block in blocks if isinstance(block, FindingBlock)]
    return [
        {
            "code": block.code,
            "headline": block.headline,
            "confidence": block.confidence.value,
            "money": block.money,
            "money_label": block.money_label,
            "customers": block.customers,
        }
        for block in found[:FINDINGS_MAX]
    ]


#: Who asks where nobody does but the clock.
SCHEDULE = "schedule"


def scheduler(who: str) -> Asker:
    """As whom a scheduled report is made: the schedule that this person has set."""
    return Asker(SCHEDULE, None, who)
