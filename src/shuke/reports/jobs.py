"""Background work of the room: reports that somebody asked for, and those of the schedule."""

from __future__ import annotations

from datetime import UTC, datetime

from shuke.platform import Blueprint, JobContext, log, run_job, workplace
from shuke.reports.service.making import make_asked
from shuke.reports.service.shelf import queue_when_due

__all__ = ["make_report", "tasks"]

tasks = Blueprint()


@tasks.task(name="make_report", pass_context=True)
def make_report(context: JobContext, job_id: str) -> None:
    """Make a report on what the database holds."""
    run_job(context, job_id, make_asked)


@tasks.periodic(cron="*/5 * * * *")
@tasks.task(name="look_at_schedule", pass_context=True, queueing_lock="reports.look_at_schedule")
def look_at_schedule(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Have a report made if one is due; what was missed while nothing ran is made up for, once."""
    with workplace(context).database.begin() as tx:
        job_id = queue_when_due(tx, make_report, datetime.now(UTC))
    if job_id is not None:
        log.info("report due", job_id=str(job_id))
