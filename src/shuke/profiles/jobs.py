"""What is done to profiles in the background."""

from __future__ import annotations

from datetime import UTC, datetime

from shuke.platform import Blueprint, JobContext, log, workplace
from shuke.profiles.service.attributes import add_missing_days
from shuke.profiles.service.bulk_tagging import drop_old_batches
from shuke.profiles.service.searching import add_missing_terms
from shuke.profiles.service.tagging import TAGS_MAX, drop_expired_tags

__all__ = ["blueprint"]

blueprint = Blueprint()


@blueprint.periodic(cron="17 * * * *")
@blueprint.task(name="drop_expired_tags", pass_context=True)
def drop_expired(context: JobContext, timestamp: int) -> None:
    """Delete tags that have expired by the moment that the job is for, batch by batch; forget what nobody can undo."""
    now = datetime.fromtimestamp(timestamp, UTC)
    database = workplace(context).database
    dropped = 0
    while True:
        with database.begin() as tx:
            count = drop_expired_tags(tx, now)
        dropped += count
        if count < TAGS_MAX:
            break
    with database.begin() as tx:
        batches = drop_old_batches(tx, now)
    log.info("expired tags dropped", tags=dropped, batches=batches)


@blueprint.periodic(cron="47 * * * *")
@blueprint.task(name="add_terms", pass_context=True, queueing_lock="profiles.add_terms")
def add_terms(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Make names and phone numbers findable that were kept before they could be looked for, batch by batch."""
    place = workplace(context)
    added = 0
    while True:
        with place.database.begin() as tx:
            count = add_missing_terms(tx, place.keyring)
        added += count
        if count == 0:
            break
    if added:
        log.info("terms added", values=added)


@blueprint.periodic(cron="52 * * * *")
@blueprint.task(name="add_days", pass_context=True, queueing_lock="profiles.add_days")
def add_days(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Have segments find personal dates by their day that were kept before there were days, batch by batch."""
    place = workplace(context)
    added = 0
    while True:
        with place.database.begin() as tx:
            count = add_missing_days(tx, place.keyring)
        added += count
        if count == 0:
            break
    if added:
        log.info("days added", values=added)
