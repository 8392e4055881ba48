"""The reports that are kept, and the schedule by which more are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.base.errors import BadInput, NotFound
from shuke.base.language import Language
from shuke.platform import AnyTask, StoredFile, Transaction, get_file, queue_job
from shuke.reports.rules.schedule import Every, next_due
from shuke.reports.service.making import MAKE, REPORT_FILE, ReportTerms, scheduler
from shuke.reports.tables import report_schedule, reports

__all__ = [
    "Kept",
    "KeptFinding",
    "Schedule",
    "file_of",
    "get_report",
    "get_schedule",
    "latest_report",
    "list_reports",
    "queue_report",
    "queue_when_due",
    "set_schedule",
]

PAGE_MAX = 60


@dataclass(frozen=True)
class KeptFinding:
    """What a report found, in words; ``money`` is its size in the report's currency, of what says ``money_label``."""

    code: str
    headline: str
    confidence: str
    money: float | None
    money_label: str
    customers: int | None


@dataclass(frozen=True)
class Kept:
    """A report that is kept. ``sizes`` are those of its files, by language and kind."""

    report_id: UUID
    made_at: datetime
    data_until: date
    terms: ReportTerms
    currency: str | None
    customers: int
    policy: str
    files: Mapping[str, Mapping[str, Mapping[str, Any]]]
    findings: Mapping[str, tuple[KeptFinding, ...]]
    who: str
    scheduled: bool

    def spoken(self, language: Language) -> str:
        """The language to read it in: this one, where it was made in it, else the first."""
        return (language if language in self.terms.languages else self.terms.languages[0]).value


@dataclass(frozen=True)
class Schedule:
    """How often a report is made by itself, and with what; ``due_at`` is when the next is."""

    every: Every
    day: int
    hour: int
    terms: ReportTerms
    who: str
    changed_at: datetime | None
    due_at: datetime | None


def queue_report(tx: Transaction, task: AnyTask, terms: ReportTerms, *, asker: Any) -> UUID:
    """Have a report made; returns the number of the job, which is that of the report once it is there."""
    # One at a time: each takes most of the machine.
    return queue_job(tx, task, kind=MAKE, asker=asker, asked=terms.told(), lock=MAKE)


def list_reports(tx: Transaction, *, before: UUID | None = None, limit: int = PAGE_MAX) -> list[Kept]:
    """The newest first."""
    earlier = [] if before is None else [reports.c.report_id < before]
    rows = tx.execute(sa.select(reports).where(*earlier).order_by(reports.c.report_id.desc()).limit(limit))
    return [_kept(row) for row in rows]


def latest_report(tx: Transaction) -> Kept | None:
    """The newest; None before the first."""
    return next(iter(list_reports(tx, limit=1)), None)


def get_report(tx: Transaction, report_id: UUID) -> Kept:
    """One of them; NotFound ``reports.no_report``."""
    row = tx.execute(sa.select(reports).where(reports.c.report_id == report_id)).one_or_none()
    if row is None:
        raise NotFound("reports.no_report")
    return _kept(row)


def file_of(tx: Transaction, kept: Kept, kind: str, language: str) -> StoredFile:
    """A file of a report.

    Raises:
        NotFound: ``reports.no_language``, ``platform.no_file``.
    """
    if language not in kept.files:
        raise NotFound("reports.no_language")
    found = kept.files[language].get(kind)
    if found is None:
        raise NotFound("platform.no_file")
    return get_file(tx, UUID(found["file_id"]), kind=REPORT_FILE)


def get_schedule(tx: Transaction, *, lock: bool = False) -> Schedule | None:
    """The schedule; None where nobody has set one."""
    asked = sa.select(report_schedule)
    row = tx.execute(asked.with_for_update(skip_locked=True) if lock else asked).one_or_none()
    if row is None:
        return None
    return Schedule(row.every, row.day, row.hour, ReportTerms.of(row.terms), row.who, row.changed_at, row.due_at)


def set_schedule(tx: Transaction, schedule: Schedule, *, now: datetime) -> Schedule:
    """Make it the schedule; BadInput ``reports.bad_day``."""
    if not 1 <= schedule.day <= (7 if schedule.every == "weekly" else 31):
        raise BadInput("reports.bad_day")
    set_at = replace(schedule, changed_at=now, due_at=_next(schedule, now))
    values = {**vars(set_at), "terms": set_at.terms.told()}
    tx.execute(
        insert(report_schedule).values(one=True, **values).on_conflict_do_update(index_elements=["one"], set_=values)
    )
    return set_at


def queue_when_due(tx: Transaction, task: AnyTask, now: datetime) -> UUID | None:
    """Have the report made that is due, if one is; of several that were missed, one. Returns the job.

    Two workers that look at once see it once: the row is locked, and says when the next is due from this commit on.
    """
    schedule = get_schedule(tx, lock=True)
    if schedule is None or schedule.due_at is None or schedule.due_at > now:
        return None
    tx.execute(sa.update(report_schedule).values(due_at=_next(schedule, now)))
    return queue_report(tx, task, schedule.terms, asker=scheduler(schedule.who))


def _next(schedule: Schedule, now: datetime) -> datetime | None:
    zone = ZoneInfo(schedule.terms.time_zone)
    return next_due(schedule.every, day=schedule.day, hour=schedule.hour, after=now, zone=zone)


def _kept(row: Any) -> Kept:
    found = {language: tuple(KeptFinding(**finding) for finding in of_one) for language, of_one in row.findings.items()}
    return Kept(**{**row._mapping, "terms": ReportTerms.of(row.terms), "findings": found})  # noqa: SLF001 - public, for all its name
