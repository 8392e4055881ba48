"""``/api/imports``: files are sent, looked at, and imported, each by a job that a worker does.

A file is sent as it is, as the whole body. Its name goes into a header and never into an address, which is logged on
the way. What is in it is shown to nobody but whoever sent it.
"""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any
from urllib.parse import unquote
from uuid import UUID

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shuke import access
from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.collect.model import CODE_CHARACTERS_MAX
from shuke.collect.rules.file_kinds import FileKind
from shuke.collect.service.imports import asked
from shuke.collect.service.imports.preview import Preview
from shuke.platform import FILE_BYTES_MAX, AnyTask, FileWriter, Job, Metrics, Workplace, get_job, list_jobs, queue_job
from shuke.platform.http import ABSENT, Flag, api, refusal, uploads
from shuke.platform.job_answers import JobBody, QueuedBody, file_answer, job_body, receiving

__all__ = ["import_routes"]

_PAGE_MAX = 100

Reading = Annotated[access.Visit, access.needs("data.read")]
Writing = Annotated[access.Visit, access.needs("data.write")]
_Word = Annotated[str, Field(min_length=1, max_length=CODE_CHARACTERS_MAX)]

_FULL = refusal(409, "There is too much already")
_SAVED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"text/csv": {}, "application/zip": {}}}
}


class SentBody(BaseModel):
    """A file that arrived whole; the job looks at it, and its result names the preview."""

    file_id: UUID
    name: str
    size_bytes: int
    job_id: UUID


class ImportBody(BaseModel):
    """Files to import, and what is to be known of them.

    ``mapping`` is from field to column, before anything that names suggest. With ``dry_run`` nothing stays.
    """

    model_config = ConfigDict(extra="forbid")

    kind: FileKind
    files: Annotated[list[UUID], Field(min_length=1, max_length=asked.FILES_MAX)]
    mapping: Annotated[dict[Annotated[str, Field(max_length=40)], _Word], Field(max_length=100)] = {}
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")] | None = None
    timezone: Annotated[str, Field(max_length=60, description="IANA name")] | None = None
    source: _Word = "files"
    identity_kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] | None = None
    dry_run: Flag = False


class LeftOut(BaseModel):
    """Why rows were left out, in the reader's language, and how many."""

    code: str
    reason: str
    rows: int


class ImportAnswer(JobBody):
    """An import and how far it is; ``left_out`` once it has ended."""

    left_out: list[LeftOut]


class RowBody(BaseModel):
    """A row that was left out; its cells are told whoever sent it."""

    file: str
    row: int | None
    code: str
    reason: str
    cells: tuple[str, ...]


class WholeImport(ImportAnswer):
    """An import with the first rows that were left out."""

    rows: list[RowBody]


class ImportPage(BaseModel):
    """Some imports, newest first; `next` is what to ask `before` for more."""

    items: list[ImportAnswer]
    next: UUID | None


def import_routes(_: Workplace, __: Metrics, *, preview: AnyTask, importing: AnyTask) -> list[BaseRoute]:
    """The routes of imports. ``preview`` and ``importing`` are the tasks that look at a file, and import some."""
    sending, router = uploads("collect"), api("collect")
    _files(sending, router, preview)
    _imports(router, importing)
    return [*sending.routes, *router.routes]


def _files(sending: APIRouter, router: APIRouter, preview: AnyTask) -> None:
    @sending.post(
        "/imports/files",
        responses=_FULL,
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": f"The file as it is, up to {FILE_BYTES_MAX // 1_000_000} MB",
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def post_file(
        visit: Writing,
        request: Request,
        x_file_name: Annotated[
            str, Header(min_length=1, max_length=1_000, description="its name, percent-encoded as in an address")
        ],
    ) -> SentBody:
        name = _name_of(x_file_name)
        kept = {"kind": asked.UPLOAD, "name": name, "media_type": "application/octet-stream"}
        async with receiving(request, visit.place, asker=visit.asker, days=asked.UPLOAD_DAYS, **kept) as out:
            return await asyncio.to_thread(_keep, visit, out, preview)

    @router.get("/imports/previews/{preview_id}", responses=ABSENT)
    def get_preview(visit: Writing, preview_id: UUID) -> Preview:
        with visit.read() as tx:
            return asked.preview_of(tx, visit.place, preview_id, visit.asker)


def _keep(visit: access.Visit, out: FileWriter, preview: AnyTask) -> SentBody:
    with visit.begin() as tx:
        file = out.finish(tx)
        if not file.size_bytes:
            raise BadInput("collect.empty_file", file=file.name)
        job_id = queue_job(tx, preview, kind=asked.PREVIEW, asker=visit.asker, asked={"file_id": str(file.file_id)})
        visit.note(file_id=file.file_id, size_bytes=file.size_bytes)
    return SentBody(file_id=file.file_id, name=file.name, size_bytes=file.size_bytes, job_id=job_id)


def _name_of(header: str) -> str:
    # Headers are bytes that are taken for Latin letters; what is no letter of any language is no name, either.
    if not re.fullmatch(r"[\x21-\x7e]+", header):
        raise BadInput("collect.bad_file_name_header")
    return unquote(header, errors="replace")


def _imports(router: APIRouter, importing: AnyTask) -> None:
    @router.post("/imports", responses=ABSENT | _FULL, status_code=202)
    def post_import(visit: Writing, body: ImportBody) -> QueuedBody:
        with visit.begin() as tx:
            files = asked.sent_files(tx, body.files, visit.asker)
            told = body.model_dump(exclude={"files"}) | {
                "files": [{"file_id": str(file.file_id), "name": file.name} for file in files],
                "language": visit.language.value,
            }
            # One at a time: two that touch the same customers would only wait for each other.
            job_id = queue_job(tx, importing, kind=asked.IMPORT, asker=visit.asker, asked=told, lock="collect.import")
            visit.note(job_id=job_id, kind=body.kind, dry_run=body.dry_run, files=[file.file_id for file in files])
        return QueuedBody(job_id=job_id)

    @router.get("/imports")
    def get_imports(
        visit: Reading,
        before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 20,
    ) -> ImportPage:
        with visit.read() as tx:
            found = list_jobs(tx, kind=asked.IMPORT, before=before, limit=limit)
        items = [ImportAnswer(**_told(visit, job)) for job in found]
        return ImportPage(items=items, next=found[-1].job_id if len(found) == limit else None)

    @router.get("/imports/{import_id:uuid}", responses=ABSENT)
    def get_import(visit: Reading, import_id: UUID) -> WholeImport:
        with visit.read() as tx:
            job = get_job(tx, import_id, kind=asked.IMPORT)
            rows = asked.rejected_rows(tx, visit.place, job.result or {}, visit.asker)
        shown = [
            RowBody(
                file=row.file,
                row=row.row,
                code=row.code,
                reason=asked.reason_of(row.code, visit.language),
                cells=row.cells,
            )
            for row in rows
        ]
        return WholeImport(**_told(visit, job), rows=shown)

    @router.get("/imports/{import_id}/rejects", response_class=Response, responses=ABSENT | _SAVED)
    def get_rejects(visit: Reading, import_id: UUID) -> Response:
        with visit.read() as tx:
            job = get_job(tx, import_id, kind=asked.IMPORT)
            file = asked.rejects_file(tx, job.result or {}, visit.asker)
        return file_answer(visit.place, file)


def _told(visit: access.Visit, job: Job) -> dict[str, Any]:
    body = job_body(job, visit.asker, visit.language)
    rejected: dict[str, int] = (job.result or {}).get("rejected", {})
    return {**vars(body), "left_out": [_left_out(code, rows, visit.language) for code, rows in rejected.items()]}


def _left_out(code: str, rows: int, language: Language) -> LeftOut:
    return LeftOut(code=code, reason=asked.reason_of(code, language), rows=rows)
