"""``/api/reports``: reports are made by a worker, kept up to a number, read in place and saved.

A page of a report is shown with a policy of its own: it may run the two scripts that it was written with and nothing
else, may fetch nothing, and belongs to no origin, so that it cannot reach what is around it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.routing import BaseRoute

from shuke import access, catalog
from shuke.base.clock import known_timezone
from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.platform import ENDED, AnyTask, JobState, Metrics, Workplace, list_jobs
from shuke.platform.http import ABSENT, Day, Flag, api, refusal
from shuke.platform.job_answers import JobBody, QueuedBody, file_answer, job_body
from shuke.reports.rules.schedule import Every
from shuke.reports.service import shelf
from shuke.reports.service.making import MAKE, MEDIA, ReportTerms
from shuke.reports.service.shelf import Kept, KeptFinding, Schedule

__all__ = ["routes"]

#: Jobs that are told beside the reports: those under way, and those that failed of late.
_JOBS_TOLD = 20

Reading = Annotated[access.Visit, access.needs("reports.read")]
Writing = Annotated[access.Visit, access.needs("reports.write")]
_Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, strict=True)]

_TOO_MANY = refusal(409, "Too many jobs wait")
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {media.partition(";")[0]: {} for media in MEDIA.values()}}
}


class TermsBody(BaseModel):
    """What a report is to be made with.

    `margin` is a share of sales, 1 for none; `by_costs` takes what goods cost instead, where it is known. What is left
    out is as the brand says: its margin (without one, value is net sales), name, currency and time zone.
    """

    model_config = ConfigDict(extra="forbid")

    languages: Annotated[list[Language] | None, Field(min_length=1, max_length=2)] = None
    horizon_days: Annotated[int, Field(strict=True, ge=30, le=1_825)] = 365
    margin: _Share | None = None
    by_costs: Flag = False
    brand: Annotated[str, Field(max_length=100)] = ""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")] | None = None
    time_zone: Annotated[str, Field(max_length=60, description="IANA name")] | None = None

    def terms(self, visit: access.Visit, as_of: date | None = None) -> ReportTerms:
        """As the service takes them."""
        zone = self.time_zone or _zone(visit)
        return ReportTerms(
            languages=tuple(dict.fromkeys(self.languages or [visit.language])),
            as_of=as_of,
            horizon_days=self.horizon_days,
            margin=None if self.by_costs else self.margin,
            by_costs=self.by_costs,
            brand=self.brand.strip(),
            currency=self.currency,
            time_zone=known_timezone(zone).key,
        )


class ReportBody(TermsBody):
    """A report to be made; it says what was known before `as_of`, which is the day after the last order if left out."""

    as_of: Annotated[Day, Field(description="the day after the last that counts")] | None = None


class FileTold(BaseModel):
    """A file of a report, to be asked for by its kind."""

    language: Language
    kind: str
    size_bytes: int


class ReportAnswer(BaseModel):
    """A report that is kept."""

    report_id: UUID
    made_at: datetime
    data_until: date
    languages: list[Language]
    horizon_days: int
    margin: float | None
    by_costs: bool
    brand: str
    currency: str | None
    customers: int
    findings: int
    who: str
    scheduled: bool
    files: list[FileTold]


class ReportPage(BaseModel):
    """Some reports, newest first; `next` is what to ask `before` for more. `making` are those under way or failed."""

    items: list[ReportAnswer]
    next: UUID | None
    making: list[JobBody]


class LatestFindings(BaseModel):
    """What the latest report found; `report` is null before the first."""

    report: ReportAnswer | None
    findings: tuple[KeptFinding, ...]


class ScheduleBody(BaseModel):
    """How often a report is made by itself: on a `day` of the week (1 is Monday) or of the month, from an `hour` on."""

    model_config = ConfigDict(extra="forbid")

    every: Every
    day: Annotated[int, Field(strict=True, ge=1, le=31)] = 1
    hour: Annotated[int, Field(strict=True, ge=0, le=23)] = 6
    terms: TermsBody = TermsBody()


class ScheduleAnswer(BaseModel):
    """The schedule; `due_at` is when the next report is made."""

    every: Every
    day: int
    hour: int
    terms: TermsBody
    who: str | None
    changed_at: datetime | None
    due_at: datetime | None


Kind = Literal["page", "pdf", "xlsx", "json", "lists.zip"]


def routes(_: Workplace, __: Metrics, *, making: AnyTask) -> list[BaseRoute]:
    """The routes of the room; ``making`` is the task that makes a report."""
    router = api("reports")
    _shelf(router, making)
    _files(router)
    _schedule(router)
    return list(router.routes)


def _shelf(router: APIRouter, making: AnyTask) -> None:
    @router.post("/reports", status_code=202, responses=_TOO_MANY)
    def post_report(visit: Writing, body: ReportBody) -> QueuedBody:
        if body.as_of is not None and body.as_of > datetime.now(UTC).date():
            raise BadInput("reports.bad_as_of", as_of=body.as_of.isoformat())
        terms = body.terms(visit, body.as_of)
        with visit.begin() as tx:
            job_id = shelf.queue_report(tx, making, terms, asker=visit.asker)
            visit.note(job_id=job_id, **terms.told())
        return QueuedBody(job_id=job_id)

    @router.get("/reports")
    def get_reports(
        visit: Reading,
        before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=shelf.PAGE_MAX)] = 20,
    ) -> ReportPage:
        with visit.read() as tx:
            found = shelf.list_reports(tx, before=before, limit=limit)
            jobs = list_jobs(tx, kind=MAKE, limit=_JOBS_TOLD)
        newest = found[0].report_id if found else None
        making = [
            job_body(job, visit.asker, visit.language)
            for job in jobs
            # What failed is told until a later one went well.
            if job.state not in ENDED or (job.state is JobState.FAILED and (newest is None or job.job_id > newest))
        ]
        return ReportPage(
            items=[_answer(kept) for kept in found],
            next=found[-1].report_id if len(found) == limit else None,
            making=making if before is None else [],
        )

    @router.get("/reports/latest/findings")
    def get_findings(visit: Reading) -> LatestFindings:
        with visit.read() as tx:
            kept = shelf.latest_report(tx)
        if kept is None:
            return LatestFindings(report=None, findings=())
        return LatestFindings(report=_answer(kept), findings=kept.findings[kept.spoken(visit.language)])

    # Of this form only, so that /reports/schedule has no other methods than its own.
    @router.get("/reports/{report_id:uuid}", responses=ABSENT)
    def get_report(visit: Reading, report_id: UUID) -> ReportAnswer:
        with visit.read() as tx:
            return _answer(shelf.get_report(tx, report_id))


def _files(router: APIRouter) -> None:
    @router.get("/reports/{report_id}/{kind}", response_class=Response, responses=ABSENT | _FILE)
    def get_file(
        visit: Reading,
        report_id: UUID,
        kind: Kind,
        language: Annotated[Language | None, Query(description="the reader’s, or the first, if left out")] = None,
    ) -> Response:
        with visit.begin() as tx:
            kept = shelf.get_report(tx, report_id)
            spoken = kept.spoken(visit.language) if language is None else language.value
            file = shelf.file_of(tx, kept, "html" if kind == "page" else kind, spoken)
            if kind == "lists.zip":
                # Who took the lists of customers away is worth knowing.
                visit.note("reports.lists", report_id=report_id, language=spoken)
        return file_answer(visit.place, file, inline=_shown(kept) if kind == "page" else None)


def _shown(kept: Kept) -> dict[str, str]:
    """How a page is shown: by the policy that it was written with, without an origin, within our own pages only."""
    return {"content-security-policy": f"{kept.policy}; frame-ancestors 'self'; sandbox allow-scripts"}


def _schedule(router: APIRouter) -> None:
    @router.get("/reports/schedule")
    def get_schedule(visit: Reading) -> ScheduleAnswer:
        with visit.read() as tx:
            found = shelf.get_schedule(tx)
            visit.tagged(_noted(found))
        if found is None:
            terms = TermsBody(languages=[visit.language], time_zone=_zone(visit))
            return ScheduleAnswer(every="off", day=1, hour=6, terms=terms, who=None, changed_at=None, due_at=None)
        return _told(found)

    @router.put("/reports/schedule", responses=access.CHANGED)
    def put_schedule(visit: Writing, body: ScheduleBody) -> ScheduleAnswer:
        wanted = Schedule(body.every, body.day, body.hour, body.terms.terms(visit), visit.reader.name, None, None)
        with visit.begin() as tx:
            visit.meant(tx, lambda: _noted(shelf.get_schedule(tx)))
            before = shelf.get_schedule(tx)
            made = shelf.set_schedule(tx, wanted, now=datetime.now(UTC))
            visit.note(before=_noted(before), after=visit.tagged(_noted(made)))
        return _told(made)


def _zone(visit: access.Visit) -> str:
    with visit.read() as tx:
        return catalog.zone_of(tx, visit.place.settings)


def _noted(schedule: Schedule | None) -> dict[str, Any] | None:
    """What of a schedule people set; when it is due next changes by itself."""
    if schedule is None:
        return None
    return {"every": schedule.every, "day": schedule.day, "hour": schedule.hour, "terms": schedule.terms.told()}


def _told(schedule: Schedule) -> ScheduleAnswer:
    terms = {name: value for name, value in vars(schedule.terms).items() if name != "as_of"}
    return ScheduleAnswer(**{**vars(schedule), "terms": TermsBody(**{**terms, "languages": list(terms["languages"])})})


def _answer(kept: Kept) -> ReportAnswer:
    files = [
        FileTold(language=language, kind="page" if kind == "html" else kind, size_bytes=file["size_bytes"])
        for language in kept.terms.languages
        for kind, file in kept.files[language].items()
    ]
    return ReportAnswer(
        report_id=kept.report_id,
        made_at=kept.made_at,
        data_until=kept.data_until,
        languages=list(kept.terms.languages),
        horizon_days=kept.terms.horizon_days,
        margin=kept.terms.margin,
        by_costs=kept.terms.by_costs,
        brand=kept.terms.brand,
        currency=kept.currency,
        customers=kept.customers,
        findings=max(map(len, kept.findings.values()), default=0),
        who=kept.who,
        scheduled=kept.scheduled,
        files=files,
    )
