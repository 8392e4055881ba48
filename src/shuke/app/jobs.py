"""``/api/jobs``: long work, as whoever asked for it watches it.

Here, and not in `platform`, which keeps the jobs: a route names its permission, and `access` stands above that room.

Whoever listens to a job holds neither a thread nor a connection: once in half a second one query asks for all the jobs
of this process that somebody listens to, and while nobody does, none.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from shuke import access
from shuke.base.errors import NotAllowed, TooOften
from shuke.base.language import Language
from shuke.platform import ENDED, Asker, Job, Metrics, Workplace, cancel_job, get_job, jobs_among, list_jobs, log
from shuke.platform.http import ABSENT, api, refusal
from shuke.platform.job_answers import JobBody, JobPage, job_body

__all__ = ["LISTENERS_MAX", "Watch", "job_routes"]

#: Who listens at a time, in a process, and of one reader.
LISTENERS_MAX = 300
LISTENERS_OF_ONE_MAX = 12
#: After so long a listener has to ask again: whether they still may is looked at then.
LISTEN_SECONDS_MAX = 600
#: Between two signs of life, so that nobody on the way takes the silence for the end.
HEARTBEAT_SECONDS = 15
_LOOK_SECONDS = 0.5
_PAGE_MAX = 100

Mine = Annotated[access.Visit, access.needs("known")]
#: What one event of the stream is; ``data`` is a job as ``GET /api/jobs/{job_id}`` tells it.
_EVENT = {
    "type": "object",
    "properties": {"data": {"type": "string", "contentMediaType": "application/json"}, "retry": {"type": "integer"}},
    "required": ["data"],
}
_EVENTS: dict[int | str, dict[str, Any]] = (
    ABSENT
    | {
        200: {
            "description": "Server-sent events: the job as it is, then each change of it; ends when the job has ended",
            "content": {"text/event-stream": {"schema": _EVENT}},
        },
    }
    | refusal(429, "Too many listen already")
)


class Watch:
    """Looks after all jobs that somebody listens to."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._listeners: defaultdict[UUID, set[asyncio.Queue[Job | None]]] = defaultdict(set)
        self._told: dict[UUID, Job] = {}
        self._count: Counter[tuple[str, UUID | None]] = Counter()
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def listening(self, job: Job, asker: Asker) -> Iterator[asyncio.Queue[Job | None]]:
        """Each change of the job from here on; None when there is nothing more to hear."""
        who = (asker.kind, asker.id)
        latest: asyncio.Queue[Job | None] = asyncio.Queue()
        self._listeners[job.job_id].add(latest)
        self._told.setdefault(job.job_id, job)
        self._count[who] += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield latest
        finally:
            self._listeners[job.job_id].discard(latest)
            if not self._listeners[job.job_id]:
                del self._listeners[job.job_id], self._told[job.job_id]
            self._count[who] -= 1

    def check(self, asker: Asker) -> None:
        """TooOften ``app.too_many_listeners`` when no more can be taken."""
        if self._count.total() >= LISTENERS_MAX or self._count[(asker.kind, asker.id)] >= LISTENERS_OF_ONE_MAX:
            raise TooOften("app.too_many_listeners", seconds=HEARTBEAT_SECONDS)

    async def _look(self) -> None:
        while self._listeners:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                found = await asyncio.to_thread(self._read, list(self._listeners))
            except Exception as error:
                # They ask again, and are told what is wrong by the answer to that.
                log.error("jobs cannot be watched", exc_info=error)
                found = {}
            for job_id, listeners in self._listeners.items():
                job = None if self._place.stopping.is_set() else found.get(job_id)
                if job is None or self._told[job_id] != job:
                    for latest in listeners:
                        latest.put_nowait(job)
                if job is not None:
                    self._told[job_id] = job

    def _read(self, job_ids: list[UUID]) -> dict[UUID, Job]:
        with self._place.database.read() as tx:
            return jobs_among(tx, job_ids)


class _Events(StreamingResponse):
    """The events of one job for one listener."""

    def __init__(self, watch: Watch, job: Job, asker: Asker, say: Callable[[Job], str]) -> None:
        # Told to proxies, too, which would gather small pieces.
        super().__init__((), media_type="text/event-stream", headers={"x-accel-buffering": "no"})
        self._watch = watch
        self._job = job
        self._asker = asker
        self._say = say

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send them until the job ends, the listener goes, or the time is over."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with self._watch.listening(self._job, self._asker) as latest:
            leaving = asyncio.create_task(_until_gone(receive, latest))
            # Who sends to somebody who has gone is told so by an error of the network's.
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(LISTEN_SECONDS_MAX):
                    await self._tell(latest, send)
            leaving.cancel()
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, latest: asyncio.Queue[Job | None], send: Send) -> None:
        job: Job | None = self._job
        while job is not None:
            text = f"retry: 2000\ndata: {self._say(job)}\n\n"
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            if job.state in ENDED:
                return
            job = await self._next(latest, send)

    async def _next(self, latest: asyncio.Queue[Job | None], send: Send) -> Job | None:
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    return await latest.get()
            except TimeoutError:
                await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})


async def _until_gone(receive: Receive, latest: asyncio.Queue[Job | None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    latest.put_nowait(None)


def job_routes(place: Workplace, _: Metrics) -> list[BaseRoute]:
    """The routes of jobs."""
    router = api("jobs")
    watch = Watch(place)

    @router.get("/jobs")
    def get_jobs(
        visit: Mine,
        *,
        everybodys: Annotated[bool, Query(description="not only one's own; needs `audit.read`")] = False,
        kind: Annotated[str | None, Query(pattern=r"^[a-z_.]{1,60}$")] = None,
        before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 20,
    ) -> JobPage:
        if everybodys and "audit.read" not in visit.reader.permissions:
            raise NotAllowed("access.not_allowed", permission="audit.read")
        with visit.read() as tx:
            found = list_jobs(tx, asker=None if everybodys else visit.asker, kind=kind, before=before, limit=limit)
        items = [job_body(job, visit.asker, visit.language) for job in found]
        return JobPage(items=items, next=found[-1].job_id if len(found) == limit else None)

    @router.get("/jobs/{job_id}", responses=ABSENT)
    def get_one(visit: Mine, job_id: UUID) -> JobBody:
        with visit.read() as tx:
            job = get_job(tx, job_id, asker=_whose(visit, "audit.read"))
        return job_body(job, visit.asker, visit.language)

    @router.get("/jobs/{job_id}/events", response_class=Response, responses=_EVENTS)
    def get_events(
        visit: Mine,
        job_id: UUID,
        language: Annotated[
            Language | None, Query(description="of the texts, for a listener who cannot send `Accept-Language`")
        ] = None,
    ) -> Response:
        with visit.read() as tx:
            job = get_job(tx, job_id, asker=_whose(visit, "audit.read"))
        watch.check(visit.asker)
        asker, spoken = visit.asker, language or visit.language
        return _Events(watch, job, asker, lambda one: job_body(one, asker, spoken).model_dump_json())

    @router.delete("/jobs/{job_id}", responses=ABSENT)
    def delete_job(visit: Mine, job_id: UUID) -> JobBody:
        with visit.begin() as tx:
            get_job(tx, job_id, asker=_whose(visit, "settings.write"))
            job = cancel_job(tx, job_id)
        return job_body(job, visit.asker, visit.language)

    return list(router.routes)


def _whose(visit: access.Visit, permission: str) -> Asker | None:
    """Whose jobs a reader may have: their own, or with this permission everybody's."""
    return None if permission in visit.reader.permissions else visit.asker
