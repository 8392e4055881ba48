"""Background work, on Procrastinate: a job is deferred in the transaction that needs it, so both happen or neither.

A room declares its tasks in ``jobs.py`` on a :class:`Blueprint`; the worker runs them with a :class:`Workplace`. A task
is a plain function that opens its own transaction. It may run more than once (a worker can die after the commit and
before saying so), so what it does has to be the same when done again.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from procrastinate import Blueprint, JobContext
from procrastinate.tasks import Task
from sqlalchemy.exc import IntegrityError

from shuke.platform.crypto import Keyring
from shuke.platform.database import Database, Transaction
from shuke.platform.settings import Settings

__all__ = ["AnyTask", "Blueprint", "JobContext", "Queued", "Workplace", "defer", "defer_named", "workplace"]

#: What a room's ``jobs.py`` declares, as who queues it takes it.
AnyTask = Task[..., Any, ...]


@dataclass(frozen=True)
class Workplace:
    """What requests and jobs work with: made once by a process, handed to every room."""

    settings: Settings
    database: Database
    keyring: Keyring
    #: Set when the process is told to stop, for what would otherwise go on for long.
    stopping: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)


def workplace(context: JobContext) -> Workplace:
    """The workplace of the worker that runs this job."""
    return cast(Workplace, context.additional_context["workplace"])


def defer(
    transaction: Transaction,
    task: AnyTask,
    *,
    lock: str | None = None,
    once: str | None = None,
    at: dt.datetime | None = None,
    **arguments: Any,
) -> bool:
    """Queue a job, as part of this transaction. Returns whether it was queued.

    Args:
        transaction: the caller's.
        task: what to run.
        lock: jobs with the same lock run one after the other.
        once: with the same words, only one job waits at a time; a second is not queued.
        at: not before this moment, which has a zone.
        arguments: what the task is called with; has to be JSON.
    """
    return defer_named(transaction, Queued(task.name, task.queue, lock), once=once, at=at, **arguments)


@dataclass(frozen=True)
class Queued:
    """A task by its name, the queue that it waits in, and its lock."""

    task: str
    queue: str
    lock: str | None = None


def defer_named(
    transaction: Transaction,
    queued: Queued,
    *,
    once: str | None = None,
    at: dt.datetime | None = None,
    **arguments: Any,
) -> bool:
    """As :func:`defer`, for a task of which only the name is at hand."""
    statement = sa.text(
        """
        SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
            :queue, :task, 0, :lock, :once, CAST(:arguments AS jsonb), CAST(:at AS timestamptz)
        )::procrastinate_job_to_defer_v1])
        """
    )
    values = {**vars(queued), "once": once, "arguments": json.dumps(arguments), "at": at}
    try:
        # The savepoint keeps the caller's transaction usable when the job is waiting already.
        with transaction.begin_nested():
            transaction.execute(statement, values)
    except IntegrityError:
        return False
    return True
