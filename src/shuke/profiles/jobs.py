"""What is done to profiles in the background."""

from __future__ import annotations

from datetime import UTC, datetime

from shuke.platform import Blueprint, JobContext, log, workplace
from shuke.profiles.service.tagging import TAGS_MAX, drop_expired_tags

__all__ = ["blueprint"]

blueprint = Blueprint()


@blueprint.periodic(cron="17 * * * *")
@blueprint.task(name="drop_expired_tags", pass_context=True)
def drop_expired(context: JobContext, timestamp: int) -> None:
    """Delete tags that have expired by the moment that the job is for, batch by batch."""
    database = workplace(context).database
    dropped = 0
    while True:
        with database.begin() as tx:
            count = drop_expired_tags(tx, datetime.fromtimestamp(timestamp, UTC))
        dropped += count
        if count < TAGS_MAX:
            break
    log.info("expired tags dropped", tags=dropped)
