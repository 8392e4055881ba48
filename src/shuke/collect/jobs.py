"""Background work of the room: the inbox is emptied as soon as something is in it, the lake follows every minute, and
files that were sent are looked at and imported.

A request that stored events defers :func:`process_inbox` after its commit, so that the job, whenever it starts, sees
them. Should a process die between the two, the job that runs every minute finds what was left.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa

from shuke.base.errors import Conflict
from shuke.collect.service import inbox
from shuke.collect.service.imports.asked import import_asked, preview_asked
from shuke.collect.service.lake import update_lake
from shuke.collect.service.process import Processed, is_no_fault_of_events, process, process_one
from shuke.collect.service.quality import forget_volumes
from shuke.collect.service.rejected import forget_rejects
from shuke.platform import Blueprint, JobContext, Keyring, Transaction, Workplace, defer, log, run_job, workplace

__all__ = ["empty_inbox", "import_files", "preview_file", "process_inbox", "tasks", "wake"]

#: A job gives its place to others after so long, and goes on in a new one.
RUN_SECONDS_MAX = 60
_ONCE = "collect.process_inbox"
# One pass at a time in a process, which has one interpreter; other processes pass beside it. Whoever finds this process
# at it asks it to look again, since that pass may just have seen the inbox empty.
_passing = threading.Lock()
_asked = threading.Event()

tasks = Blueprint()


def wake(tx: Transaction) -> None:
    """Have the inbox emptied soon; to be called after the commit that filled it."""
    # Losing this with a crash costs a minute at most, which is not worth waiting for the disk.
    tx.execute(sa.text("SET LOCAL synchronous_commit TO off"))
    defer(tx, process_inbox, once=_ONCE)


@tasks.task(name="process_inbox", pass_context=True)
def process_inbox(context: JobContext) -> None:
    """Make facts of what waits, until nothing does."""
    place = workplace(context)
    if not empty_inbox(place, seconds_max=RUN_SECONDS_MAX):
        with place.database.begin() as tx:
            defer(tx, process_inbox, once=_ONCE)


@tasks.periodic(cron="* * * * *")
@tasks.task(name="look_at_inbox", pass_context=True)
def look_at_inbox(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Find what no wake-up told of."""
    with workplace(context).database.begin() as tx:
        if inbox.waiting(tx):
            wake(tx)


@tasks.periodic(cron="17 3 * * *")
@tasks.task(name="forget_old", pass_context=True)
def forget_old(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - likewise
    """Delete rejects and counts that are past their time, and make the coming months of the timeline."""
    now = datetime.now(UTC)
    with workplace(context).database.begin() as tx:
        forget_rejects(tx, now)
        forget_volumes(tx, now)
        tx.execute(sa.text("SELECT make_fact_months(:first, :last)"), {"first": now, "last": now + timedelta(days=62)})


@tasks.periodic(cron="* * * * *")
@tasks.task(name="copy_to_lake", pass_context=True, queueing_lock="collect.copy_to_lake")
def copy_to_lake(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - likewise
    """Copy to the lake what is new, unless another process is at it."""
    try:
        rows = update_lake(workplace(context))
    except Conflict as reason:
        log.info("lake", busy=reason.code)
        return
    if any(rows.values()):
        log.info("lake", **rows)


@tasks.task(name="preview_file", pass_context=True)
def preview_file(context: JobContext, job_id: str) -> None:
    """Look at a file that somebody wants to import."""
    run_job(context, job_id, preview_asked)


@tasks.task(name="import_files", pass_context=True)
def import_files(context: JobContext, job_id: str) -> None:
    """Import files that somebody has sent."""
    run_job(context, job_id, partial(import_asked, wake=wake))


def empty_inbox(place: Workplace, *, seconds_max: float) -> bool:
    """Process until nothing waits; False when the time is over before. When this process is at it, that goes on.

    When a pass fails, a smaller one is tried; an event at which a pass fails alone is put among the rejects, so that
    one event cannot hold up all others.
    """
    until = time.monotonic() + seconds_max
    _asked.set()
    while _asked.is_set() and _passing.acquire(blocking=False):
        try:
            _asked.clear()
            if not _empty_inbox(place, until):
                return False
        finally:
            _passing.release()
    return True


def _empty_inbox(place: Workplace, until: float) -> bool:
    limit = inbox.CLAIM_MAX
    while time.monotonic() < until:
        try:
            done = place.database.run(partial(_pass, keyring=place.keyring, limit=limit))
        except Exception as error:
            if limit == 1 or is_no_fault_of_events(error):
                raise
            limit = limit // 10 or 1
            continue
        if done.taken == 0:
            return True
        log.info("inbox", taken=done.taken, facts=done.facts, duplicates=done.duplicates, rejects=done.rejects)
        limit = min(limit * 2, inbox.CLAIM_MAX)
    return False


def _pass(tx: Transaction, keyring: Keyring, limit: int) -> Processed:
    now = datetime.now(UTC)
    if limit == 1:
        return process_one(tx, keyring, now=now)
    done = process(tx, keyring, now=now, limit=limit)
    if done.taken == inbox.CLAIM_MAX:
        # More may wait than one process takes at once: others may help.
        defer(tx, process_inbox, once=_ONCE)
    return done
