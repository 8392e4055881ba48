"""Building segments: all of them every quarter of an hour, and one when somebody asks."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from shuke.platform import Blueprint, JobContext, Running, log, run_job, workplace
from shuke.segments.service.building import build, build_all
from shuke.segments.service.definitions import list_segments

__all__ = ["build_now", "tasks"]

tasks = Blueprint()


@tasks.periodic(cron="*/15 * * * *")
@tasks.task(name="build_segments", pass_context=True, queueing_lock="segments.build", lock="segments.build")
def build_segments(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Bring every segment up to date, where there is one."""
    place = workplace(context)
    with place.database.read() as tx:
        there = bool(list_segments(tx))
    if there:
        done = build_all(place, datetime.now(UTC))
        moved = sum(one.entered + one.left for one in done)
        log.info("segments built", segments=len(done), changes=moved)


@tasks.task(name="build_now", pass_context=True)
def build_now(context: JobContext, job_id: str) -> None:
    """Bring one segment up to date, for somebody who waits for it."""
    run_job(context, job_id, _build_asked)


def _build_asked(running: Running) -> None:
    done = build(running.place, UUID(running.job.asked["segment_id"]), datetime.now(UTC))
    with running.place.database.begin() as tx:
        running.done(tx, {"customers": done.customers, "entered": done.entered, "left": done.left})
