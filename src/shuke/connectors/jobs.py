"""Background work of the room: webhooks go out all the time, and what was sent long ago is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

from shuke.connectors.service.deliveries import tidy
from shuke.connectors.service.posting import HttpPoster
from shuke.connectors.service.sending import send_for
from shuke.platform import Blueprint, JobContext, workplace

__all__ = ["tasks"]

#: How long one job sends before the next does. What is under way then may take some seconds more: the next does not
#: wait for it, so that a slow endpoint holds up no other.
SEND_SECONDS = 57

tasks = Blueprint()


@tasks.periodic(cron="* * * * *")
@tasks.task(name="send_webhooks", pass_context=True, queueing_lock="connectors.send")
def send_webhooks(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Send what is due, until the next of these jobs does."""
    place = workplace(context)
    send_for(place, HttpPoster(place.settings.webhook_hosts), SEND_SECONDS)


@tasks.periodic(cron="37 * * * *")
@tasks.task(name="tidy_webhooks", pass_context=True, queueing_lock="connectors.tidy")
def tidy_webhooks(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - likewise
    """Forget messages that have been kept long enough, batch by batch."""
    place = workplace(context)
    forgotten = 1
    while forgotten:
        with place.database.begin() as tx:
            forgotten = tidy(tx, datetime.now(UTC))
