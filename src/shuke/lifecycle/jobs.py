"""The nightly refresh, the one that somebody asks for, and files of customers.

The nightly job looks every hour, so that a night in which no worker ran, or a refresh that failed, is made up for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from shuke import catalog
from shuke.base.errors import BadInput
from shuke.lifecycle.rules import last_midnight
from shuke.lifecycle.service.exporting import export_customers
from shuke.lifecycle.service.listing import Members
from shuke.lifecycle.service.reading import last_refresh
from shuke.lifecycle.service.refreshing import refresh
from shuke.lifecycle.service.usual import prepare_figures
from shuke.platform import AnyTask, Blueprint, JobContext, Running, Workplace, log, run_job, workplace

__all__ = ["export_with", "refresh_now", "refresh_when_due", "tasks"]

#: Local hour from which yesterday counts as complete: what tills and partners send late has come in by then.
FROM_HOUR = 2

tasks = Blueprint()


@tasks.periodic(cron="25 * * * *")
@tasks.task(name="nightly_refresh", pass_context=True, queueing_lock="lifecycle.refresh", lock="lifecycle.refresh")
def nightly_refresh(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Work out the facts as of the last midnight, once, and what is asked of them first."""
    place = workplace(context)
    if refresh_when_due(place, datetime.now(UTC)):
        prepare_figures(place)


@tasks.task(name="refresh_now", pass_context=True)
def refresh_now(context: JobContext, job_id: str) -> None:
    """Work out the facts as of the last midnight, for somebody who waits for them."""
    run_job(context, job_id, _refresh_asked)


def export_with(members: Members) -> AnyTask:
    """The task that makes a file of customers; ``members`` says who is in a segment."""

    @tasks.task(name="export_list", pass_context=True)
    def export_list(context: JobContext, job_id: str) -> None:
        """Make a file of customers, for somebody who asked for it."""
        run_job(context, job_id, partial(export_customers, members=members))

    return export_list


@tasks.periodic(cron="*/10 * * * *")
@tasks.task(name="prepare", pass_context=True, queueing_lock="lifecycle.prepare", lock="lifecycle.prepare")
def prepare(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - likewise
    """Have what questions to the lake begin with ready, where the lake has changed, so that nobody waits for it."""
    prepare_figures(workplace(context))


def _refresh_asked(running: Running) -> None:
    place, now = running.place, datetime.now(UTC)
    with place.database.read() as tx:
        time_zone = catalog.zone_of(tx, place.settings)
    as_of = last_midnight(now, time_zone)
    done = refresh(place, as_of=as_of, now=now, time_zone=time_zone, progress=running.progress)
    with place.database.begin() as tx:
        running.done(tx, {"customers": done.customers, "changed": done.changed, "stage_changes": done.stage_changes})
    prepare_figures(place)


def refresh_when_due(place: Workplace, now: datetime) -> bool:
    """Refresh if the settings want it, the night has passed and it has not been done yet. Returns whether it was."""
    if not place.settings.nightly_refresh:
        return False
    with place.database.read() as tx:
        time_zone = catalog.zone_of(tx, place.settings)
        last = last_refresh(tx)
    as_of = last_midnight(now, time_zone)
    if now.astimezone(ZoneInfo(time_zone)).hour < FROM_HOUR or (last is not None and last.as_of >= as_of):
        return False
    try:
        done = refresh(place, as_of=as_of, now=now, time_zone=time_zone)
    except BadInput as reason:
        if reason.code not in ("collect.nothing_stored", "collect.no_sales"):
            raise
        return False
    log.info("facts refreshed", customers=done.customers, changed=done.changed, stage_changes=done.stage_changes)
    return True
