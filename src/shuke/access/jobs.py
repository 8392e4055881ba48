"""Background work of the room: what has ended is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

from shuke.access.service.answers import forget_answers
from shuke.access.service.attempts import forget_attempts
from shuke.access.service.links import forget_links
from shuke.access.service.passkeys import forget_challenges
from shuke.access.service.sessions import forget_sessions
from shuke.platform import Blueprint, JobContext, workplace

__all__ = ["tasks"]

tasks = Blueprint()


@tasks.periodic(cron="47 * * * *")
@tasks.task(name="forget_ended", pass_context=True)
def forget_ended(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Delete sessions, links, questions to passkeys, counts of attempts and answers that are past their time."""
    now = datetime.now(UTC)
    with workplace(context).database.begin() as tx:
        for forget in (forget_sessions, forget_links, forget_challenges, forget_attempts, forget_answers):
            forget(tx, now)
