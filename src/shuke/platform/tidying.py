"""What is looked after in the background for every room: jobs whose worker died, and what has had its time."""

from __future__ import annotations

from datetime import UTC, datetime

from shuke.platform.files import forget_files
from shuke.platform.jobs import Blueprint, JobContext, workplace
from shuke.platform.telemetry import log
from shuke.platform.work import forget_jobs, forget_queued, look_after_jobs

__all__ = ["tasks"]

tasks = Blueprint()


@tasks.periodic(cron="* * * * *")
@tasks.task(name="look_after_jobs", pass_context=True, queueing_lock="platform.look_after_jobs")
def look_after(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Begin again what dead workers have left."""
    if begun := look_after_jobs(workplace(context), datetime.now(UTC)):
        log.info("jobs of dead workers", jobs=begun)


@tasks.periodic(cron="37 * * * *")
@tasks.task(name="forget_files_and_jobs", pass_context=True)
def forget(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - likewise
    """Delete files that have expired, and the traces of jobs that ended long ago."""
    database, now = workplace(context).database, datetime.now(UTC)
    files = forget_files(database, now)
    with database.begin() as tx:
        jobs = forget_jobs(tx, now)
        queued = forget_queued(tx, now)
    if files or jobs or queued:
        log.info("forgotten", files=files, jobs=jobs, queued=queued)
