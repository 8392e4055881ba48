"""Files and long work over HTTP: how a file comes in and goes out, and what is told of a job."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue, explain
from shuke.platform.files import Asker, FileWriter, StoredFile, new_file, read_file
from shuke.platform.jobs import Workplace
from shuke.platform.work import Job, JobState

__all__ = ["JobBody", "JobPage", "JobProblem", "QueuedBody", "file_answer", "job_body", "receiving", "stream_into"]

# Of a file that is sent, at a time.
_PASSED_ON_BYTES = 1_000_000


class QueuedBody(BaseModel):
    """What was asked for is queued; `/api/jobs/{job_id}` tells how far it is."""

    job_id: UUID


class JobProblem(BaseModel):
    """What a job failed of: `code` never changes, `detail` is for the reader."""

    code: str
    detail: str


class JobBody(BaseModel):
    """Long work and how far it is; `result` and `asked` are those of its kind.

    `doing` says in the reader's language what is done at this moment. A job that is being cancelled ends soon.
    """

    job_id: UUID
    kind: str
    state: JobState
    progress: float
    doing: str | None
    asked: dict[str, Any]
    result: dict[str, Any] | None
    problem: JobProblem | None
    who: str
    mine: bool
    cancelling: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobPage(BaseModel):
    """Some jobs, newest first; `next` is what to ask `before` for more."""

    items: list[JobBody]
    next: UUID | None


def job_body(job: Job, asker: Asker, language: Language) -> JobBody:
    """What ``asker`` is told of a job, in their language."""
    shared = {name: value for name, value in vars(job).items() if name in JobBody.model_fields}
    problem = job.problem
    told = {
        "doing": _doing(job.doing, language),
        "problem": None if problem is None else JobProblem(code=problem.code, detail=explain(problem, language)),
        "who": job.asker.name,
        "mine": (job.asker.kind, job.asker.id) == (asker.kind, asker.id),
    }
    return JobBody(**(shared | told))


def _doing(code: str | None, language: Language) -> str | None:
    if code is None:
        return None
    room, _, step = code.partition(".")
    words = catalogue(f"shuke.{room}", language)
    return words(f"progress.{step}") if words.has(f"progress.{step}") else step


async def stream_into(request: Request, write: Callable[[bytes], None]) -> None:
    """Pass a body on as it comes, a megabyte at a time, and wait meanwhile without a thread.

    Raises:
        BadInput: ``platform.broken_off`` when the sender went away before the end.
    """
    waiting = bytearray()
    try:
        async for part in request.stream():
            waiting += part
            if len(waiting) >= _PASSED_ON_BYTES:
                await asyncio.to_thread(write, bytes(waiting))
                waiting.clear()
    except ClientDisconnect:
        raise BadInput("platform.broken_off") from None
    await asyncio.to_thread(write, bytes(waiting))


@asynccontextmanager
async def receiving(request: Request, place: Workplace, **told: Any) -> AsyncIterator[FileWriter]:
    """The body of a request as a file of :func:`shuke.platform.new_file`, which is to be finished in the block.

    Raises:
        BadInput, Conflict: what :func:`stream_into` and the writer refuse; then nothing stays.
    """
    opened = new_file(place, **told)
    out = await asyncio.to_thread(opened.__enter__)
    try:
        await stream_into(request, out.write)
        yield out
    finally:
        await asyncio.to_thread(opened.__exit__, None, None, None)


def file_answer(place: Workplace, file: StoredFile, *, inline: Mapping[str, str] | None = None) -> Response:
    """A file as an answer, read piece by piece; to be saved, unless ``inline`` gives the headers to show it with."""
    kind = "attachment" if inline is None else "inline"
    # RFC 6266: a name in plain ASCII for old programs, and the name as it is.
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", file.name)
    named = f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = {"content-disposition": named, "content-length": str(file.size_bytes), **(inline or {})}
    return StreamingResponse(read_file(place, file), media_type=file.media_type, headers=headers)
