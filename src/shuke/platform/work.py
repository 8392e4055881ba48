"""Long work that somebody asked for and watches: an import, a report, an export.

Each is a row with its state and how far it is, queued in the transaction that asks for it and done by a worker. A room
declares a task that does it::

    @tasks.task(name="make_report", pass_context=True)
    def make_report(context: JobContext, job_id: str) -> None:
        run_job(context, job_id, _make)

    def _make(running: Running) -> None:
        report = build(..., progress=running.progress)
        with running.place.database.begin() as tx:
            save(tx, report)
            running.done(tx, {"report_id": ...})

The effect and the state that tells of it are one transaction, which only the latest attempt can commit: a worker that
was paused for long, or taken for dead, finds that another has its job, and stops. What is left behind by a worker that
died is begun again by :func:`look_after_jobs`, a few times; what then still kills its worker has failed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from shuke.base.errors import Conflict, NotFound, ShukeError
from shuke.base.ids import new_id
from shuke.platform.database import Database, Transaction, may_pass, metadata
from shuke.platform.files import Asker
from shuke.platform.jobs import AnyTask, JobContext, Queued, Workplace, defer_named, workplace
from shuke.platform.telemetry import log

__all__ = [
    "ENDED",
    "JOBS_OPEN_MAX",
    "Job",
    "JobState",
    "Running",
    "cancel_job",
    "forget_jobs",
    "forget_queued",
    "get_job",
    "jobs_among",
    "list_jobs",
    "look_after_jobs",
    "queue_job",
    "run_job",
]

#: That one asker has waiting or running at a time.
JOBS_OPEN_MAX = 20
PAGE_MAX = 100
#: How often a job is begun, should its worker die each time.
ATTEMPTS_MAX = 3
#: A worker that has said nothing for so long is dead.
DEAD_SECONDS = 60
#: After so long the row of a job that ended is forgotten.
KEPT_DAYS = 400
#: Of what nobody watches, so long.
QUEUE_DAYS = 7
# How often progress is written, and a wish to cancel is read.
_TELL_SECONDS = 0.5
_FORGET_MAX = 10_000

_MOMENT = sa.DateTime(timezone=True)
_JSON = JSONB(none_as_null=True)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("lock", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("progress", sa.Double, nullable=False, server_default="0"),
    sa.Column("doing", sa.Text),
    sa.Column("asked", _JSON, nullable=False),
    sa.Column("result", _JSON),
    sa.Column("problem", _JSON),
    sa.Column("who_kind", sa.Text, nullable=False),
    sa.Column("who_id", sa.Uuid),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cancelling", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("started_at", _MOMENT),
    sa.Column("touched_at", _MOMENT, nullable=False),
    sa.Column("finished_at", _MOMENT),
)


class JobState(StrEnum):
    """Where a job stands; the last three are for good."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True)
class Job:
    """Some long work. ``asked`` is what it was asked for with, ``result`` what came of it, both the room's own.

    ``doing`` is the code of what it does now; its text is ``progress.<step>`` in the catalogue of the room that the
    code names first. ``problem`` is what it failed of.
    """

    job_id: UUID
    kind: str
    state: JobState
    progress: float
    doing: str | None
    asked: Mapping[str, Any]
    result: Mapping[str, Any] | None
    problem: ShukeError | None
    asker: Asker
    attempts: int
    cancelling: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class _Stop(BaseException):
    """Ends the work from within: it is cancelled, another worker has it, or this worker is to end.

    No ``Exception``, so that no work takes it for a failure of its own and goes on.
    """


class _Cancelled(_Stop):
    pass


class _Lost(_Stop):
    pass


class _PutOff(_Stop):
    pass


def queue_job(
    tx: Transaction,
    task: AnyTask,
    *,
    kind: str,
    asker: Asker,
    asked: Mapping[str, Any],
    lock: str | None = None,
    job_id: UUID | None = None,
) -> UUID:
    """Ask for long work, as part of this transaction; returns its number.

    Args:
        tx: the caller's, which must not be within a scope of customers.
        task: what does it; called with ``job_id``.
        kind: what it is, a code with its room's name, such as ``collect.import``.
        asker: whose it is.
        asked: with what; JSON, and nothing personal.
        lock: jobs with the same lock run one after the other.
        job_id: its number, where the caller has told it already.

    Raises:
        Conflict: ``platform.too_many_jobs`` of this asker that have not ended.
    """
    mine = [jobs.c.who_kind == asker.kind, jobs.c.who_id.is_not_distinct_from(asker.id), jobs.c.finished_at.is_(None)]
    found = tx.scalar(sa.select(sa.func.count()).select_from(jobs).where(*mine))
    if found is not None and found >= JOBS_OPEN_MAX:
        raise Conflict("platform.too_many_jobs", limit=JOBS_OPEN_MAX)
    queued = Queued(task.name, task.queue, lock)
    made = job_id or new_id()
    tx.execute(
        sa.insert(jobs).values(
            job_id=made,
            kind=kind,
            state=JobState.QUEUED,
            asked=dict(asked),
            who_kind=asker.kind,
            who_id=asker.id,
            who=asker.name,
            created_at=sa.func.now(),
            touched_at=sa.func.now(),
            **vars(queued),
        )
    )
    defer_named(tx, queued, job_id=str(made))
    return made


def get_job(tx: Transaction, job_id: UUID, *, asker: Asker | None = None, kind: str | None = None) -> Job:
    """One job; of this asker, and of this kind, where they are given.

    Raises:
        NotFound: ``platform.no_job``, whether there is none or it is another's.
    """
    found = tx.execute(sa.select(jobs).where(jobs.c.job_id == job_id, *_wanted(asker, kind))).one_or_none()
    if found is None:
        raise NotFound("platform.no_job")
    return _job(found)


def jobs_among(tx: Transaction, job_ids: Collection[UUID]) -> dict[UUID, Job]:
    """Those of these that there are."""
    return {row.job_id: _job(row) for row in tx.execute(sa.select(jobs).where(jobs.c.job_id.in_(job_ids)))}


def list_jobs(
    tx: Transaction,
    *,
    asker: Asker | None = None,
    kind: str | None = None,
    before: UUID | None = None,
    limit: int = PAGE_MAX,
) -> list[Job]:
    """Jobs of this asker and kind, where they are given, newest first."""
    earlier = [] if before is None else [jobs.c.job_id < before]
    rows = sa.select(jobs).where(*_wanted(asker, kind), *earlier).order_by(jobs.c.job_id.desc()).limit(limit)
    return [_job(row) for row in tx.execute(rows)]


def cancel_job(tx: Transaction, job_id: UUID) -> Job:
    """What waits does not begin; what runs ends when it next says how far it is. What has ended stays as it is."""
    waits = sa.and_(jobs.c.job_id == job_id, jobs.c.state == JobState.QUEUED)
    ended = {"state": JobState.CANCELLED, "finished_at": sa.func.now(), "touched_at": sa.func.now()}
    if not tx.execute(sa.update(jobs).where(waits).values(ended)).rowcount:
        runs = sa.and_(jobs.c.job_id == job_id, jobs.c.state == JobState.RUNNING)
        tx.execute(sa.update(jobs).where(runs).values(cancelling=True))
    return get_job(tx, job_id)


@dataclass
class Running:
    """One attempt at a job, as its task sees it."""

    place: Workplace
    job: Job
    _told_at: float = field(default=0.0, repr=False)
    _share: float = field(default=0.0, repr=False)

    def progress(self, doing: str, share: float) -> None:
        """Say how far it is, which is written now and then; ends the work when it is cancelled or another's."""
        if self.place.stopping.is_set():
            raise _PutOff
        now = time.monotonic()
        if now - self._told_at < _TELL_SECONDS:
            return
        self._told_at = now
        # Each step counts its own share; what was told once is not taken back.
        self._share = max(self._share, min(share, 1.0))
        told = {"doing": doing, "progress": self._share, "touched_at": sa.func.clock_timestamp()}
        with self.place.database.begin() as tx:
            # Should the machine stop, what is lost is half a second of a bar.
            tx.execute(sa.text("SET LOCAL synchronous_commit TO off"))
            cancelling = tx.scalar(sa.update(jobs).where(self._mine).values(told).returning(jobs.c.cancelling))
        if cancelling is None:
            raise _Lost
        if cancelling:
            raise _Cancelled

    def done(self, tx: Transaction, result: Mapping[str, Any]) -> None:
        """The work is done, as part of the transaction with its effect; another attempt's effect is not committed."""
        self._end(tx, JobState.DONE, progress=1.0, result=dict(result))

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for what lies on disk meanwhile; should the worker be killed, a later sweep deletes it."""
        above = self.place.settings.work_folder
        above.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{_prefix(self.place)}{self.job.job_id}-", dir=above))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            jobs.c.job_id == self.job.job_id,
            jobs.c.attempts == self.job.attempts,
            jobs.c.state == JobState.RUNNING,
        )

    def _end(self, tx: Transaction, state: JobState, **values: Any) -> None:
        ended = {"state": state, "doing": None, "finished_at": sa.func.now(), "touched_at": sa.func.now(), **values}
        if not tx.execute(sa.update(jobs).where(self._mine).values(ended)).rowcount:
            raise _Lost


def run_job(context: JobContext, job_id: str, do: Callable[[Running], None]) -> None:
    """Do a job that was queued; ``do`` calls :meth:`Running.done` in its last transaction.

    An error of ours is kept, to be explained to whoever asked; any other is logged, and said to be none of theirs. What
    may pass (the database restarts, say) is left for another attempt.
    """
    place = workplace(context)
    job = _begin(place.database, UUID(job_id))
    if job is None:
        return
    running = Running(place, job)
    with suppress(_Lost):
        try:
            do(running)
        except _Cancelled:
            with place.database.begin() as tx:
                running._end(tx, JobState.CANCELLED)  # noqa: SLF001 - of this file
        except _PutOff:
            with place.database.begin() as tx:
                _queue_again(tx, job)
        except ShukeError as error:
            _fail(running, error)
        except Exception as error:
            log.error("job failed", kind=job.kind, job_id=job_id, exc_info=error)
            if may_pass(error):
                return
            _fail(running, ShukeError("platform.job_failed", job=job_id))


def _begin(database: Database, job_id: UUID) -> Job | None:
    """The job, which is this attempt's from now on; None when it was cancelled, or another attempt has it."""
    begun = {
        "state": JobState.RUNNING,
        "attempts": jobs.c.attempts + 1,
        "started_at": sa.func.coalesce(jobs.c.started_at, sa.func.now()),
        "touched_at": sa.func.now(),
    }
    waits = sa.and_(jobs.c.job_id == job_id, jobs.c.state == JobState.QUEUED)
    with database.begin() as tx:
        row = tx.execute(sa.update(jobs).where(waits).values(begun).returning(*jobs.c)).one_or_none()
    return None if row is None else _job(row)


def _fail(running: Running, error: ShukeError) -> None:
    # What is not JSON becomes text; the message needs no more.
    values = json.loads(json.dumps(error.values, default=str))
    with running.place.database.begin() as tx:
        running._end(tx, JobState.FAILED, problem={"code": error.code, "values": values})  # noqa: SLF001 - of this file


def _queue_again(tx: Transaction, job: Job) -> None:
    """Let another worker begin it anew, unless it was taken away meanwhile."""
    again = {"state": JobState.QUEUED, "progress": 0.0, "doing": None, "touched_at": sa.func.now()}
    mine = sa.and_(
        jobs.c.job_id == job.job_id, jobs.c.attempts == job.attempts, jobs.c.state.in_(("queued", "running"))
    )
    row = tx.execute(sa.update(jobs).where(mine).values(again).returning(*jobs.c)).one_or_none()
    if row is not None:
        defer_named(tx, Queued(row.task, row.queue, row.lock), job_id=str(job.job_id))


def look_after_jobs(place: Workplace, now: datetime) -> int:
    """Begin again what dead workers have left, or say that it failed; returns how many jobs that were.

    Of all tasks, not only of those that somebody watches: a dead worker keeps the lock of what it ran, and nothing else
    with that lock would ever begin.
    """
    with place.database.begin() as tx:
        left = tx.execute(_DEAD, {"seconds": DEAD_SECONDS}).all()
        for row in left:
            _release(tx, row.id, again=not row.is_watched and row.attempts + 1 < ATTEMPTS_MAX)
    with place.database.begin() as tx:
        orphans = [_job(row) for row in tx.execute(_orphans(now)).all()]
        for job in orphans:
            if job.cancelling:
                _end_orphan(tx, job, JobState.CANCELLED, None)
            elif job.attempts >= ATTEMPTS_MAX:
                _end_orphan(tx, job, JobState.FAILED, {"code": "platform.job_interrupted", "values": {}})
            else:
                _queue_again(tx, job)
    _tidy(place)
    return len(left) + len(orphans)


# A worker that is known to have ended has no row any more.
_DEAD = sa.text(
    """
    SELECT j.id, j.attempts, j.args ? 'job_id' AS is_watched
    FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
    WHERE j.status = 'doing'
        AND (w.id IS NULL OR w.last_heartbeat < clock_timestamp() - make_interval(secs => :seconds))
    FOR UPDATE OF j SKIP LOCKED
    """
)


def _release(tx: Transaction, number: int, *, again: bool) -> None:
    """Take it from the dead, and queue it again; what is watched is begun again by its own row."""
    if again:
        # Else another with the same lock waits already, and will do.
        with suppress(IntegrityError), tx.begin_nested():
            tx.execute(sa.text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)"), {"id": number})
            return
    tx.execute(sa.text("SELECT procrastinate_finish_job_v1(:id, 'failed', false)"), {"id": number})


def _orphans(now: datetime) -> sa.Select[Any]:
    """Jobs that have not ended and that no worker has or will get, and not since a moment ago."""
    held = sa.text(
        "NOT EXISTS (SELECT FROM procrastinate_jobs p WHERE p.status IN ('todo', 'doing')"
        " AND p.args ->> 'job_id' = CAST(jobs.job_id AS text))"
    )
    quiet = jobs.c.touched_at < now - timedelta(seconds=DEAD_SECONDS)
    return sa.select(jobs).where(jobs.c.finished_at.is_(None), quiet, held)


def _end_orphan(tx: Transaction, job: Job, state: JobState, problem: Mapping[str, Any] | None) -> None:
    ended = {"state": state, "doing": None, "problem": problem, "finished_at": sa.func.now()}
    mine = sa.and_(jobs.c.job_id == job.job_id, jobs.c.attempts == job.attempts, jobs.c.finished_at.is_(None))
    tx.execute(sa.update(jobs).where(mine).values(ended))


def _tidy(place: Workplace) -> None:
    """Delete what killed workers have left on this machine's disk: it may be personal, and in clear."""
    prefix = _prefix(place)
    found = {path: path.name[len(prefix) :][:36] for path in place.settings.work_folder.glob(f"{prefix}*")}
    if not found:
        return
    with place.database.read() as tx:
        known = jobs_among(tx, [UUID(job_id) for job_id in found.values()])
    running = {str(job.job_id) for job in known.values() if job.state is JobState.RUNNING}
    for path, job_id in found.items():
        if job_id not in running:
            shutil.rmtree(path, ignore_errors=True)


def _prefix(place: Workplace) -> str:
    """What the names of the folders begin with; those of another database are its own servers' to tidy."""
    return f"shuke-job-{hashlib.sha256(place.database.url.encode()).hexdigest()[:8]}-"


def forget_jobs(tx: Transaction, now: datetime) -> int:
    """Delete the rows of jobs that ended long ago. Returns how many."""
    ended = sa.select(jobs.c.job_id).where(jobs.c.finished_at < now - timedelta(days=KEPT_DAYS)).limit(_FORGET_MAX)
    return tx.execute(sa.delete(jobs).where(jobs.c.job_id.in_(ended))).rowcount


def forget_queued(tx: Transaction, now: datetime) -> int:
    """Delete what the queue has kept of jobs, watched or not, that ended a week ago. Returns how many."""
    return tx.execute(_QUEUE_FORGET, {"before": now - timedelta(days=QUEUE_DAYS), "most": _FORGET_MAX}).rowcount


# The schedule holds on to the last job of each task.
_QUEUE_FORGET = sa.text(
    """
    DELETE FROM procrastinate_jobs WHERE id IN (
        SELECT j.id FROM procrastinate_jobs j
        WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
            AND NOT EXISTS (SELECT FROM procrastinate_events e WHERE e.job_id = j.id AND e.at >= :before)
            AND NOT EXISTS (SELECT FROM procrastinate_periodic_defers d WHERE d.job_id = j.id)
        LIMIT :most
    )
    """
)


def _wanted(asker: Asker | None, kind: str | None) -> list[sa.ColumnElement[bool]]:
    wanted = [] if kind is None else [jobs.c.kind == kind]
    if asker is not None:
        wanted += [jobs.c.who_kind == asker.kind, jobs.c.who_id.is_not_distinct_from(asker.id)]
    return wanted


def _job(row: Any) -> Job:
    return Job(
        job_id=row.job_id,
        kind=row.kind,
        state=JobState(row.state),
        progress=row.progress,
        doing=row.doing,
        asked=row.asked,
        result=row.result,
        problem=None if row.problem is None else ShukeError(row.problem["code"], **row.problem["values"]),
        asker=Asker(row.who_kind, row.who_id, row.who),
        attempts=row.attempts,
        cancelling=row.cancelling,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
