"""Endpoints of webhooks, what is sent to them, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

__all__ = [
    "TEST",
    "Attempt",
    "Claimed",
    "Delivery",
    "DeliveryState",
    "Endpoint",
    "EventKind",
    "Outcome",
    "Post",
    "Poster",
    "Reply",
    "State",
    "Target",
    "Trouble",
    "WhyDisabled",
]


class EventKind(StrEnum):
    """What an endpoint can be told; the ``type`` of a message."""

    SEGMENT_ENTERED = "segment.entered"
    SEGMENT_LEFT = "segment.left"


#: The type of a message that somebody sends to try an endpoint; every endpoint takes it.
TEST = "webhook.test"


class State(StrEnum):
    """Whether an endpoint is told anything: a person turns it on and off, we disable one that does not want to be."""

    ON = "on"
    OFF = "off"
    DISABLED = "disabled"


class WhyDisabled(StrEnum):
    """It answered 410, or nothing has arrived for days."""

    GONE = "gone"
    FAILING = "failing"


class DeliveryState(StrEnum):
    """Where a message to one endpoint stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Trouble(StrEnum):
    """Why an attempt did not arrive."""

    STATUS = "status"
    REDIRECT = "redirect"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"
    NAME = "name"
    ADDRESS = "address"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An address that is told of some kinds of events, of these segments or, where none is named, of all.

    ``old_secret_until`` is set while the secret of before signs, too; ``failing_since`` while nothing arrives.
    """

    endpoint_id: UUID
    name: str
    url: str
    kinds: tuple[EventKind, ...]
    segment_ids: tuple[UUID, ...]
    state: State
    why_disabled: WhyDisabled | None
    failing_since: datetime | None
    old_secret_until: datetime | None
    made_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Target:
    """Where an address leads: ``path`` is all that follows the host, ``own`` whether the settings name that host."""

    scheme: str
    host: str
    port: int
    path: str
    own: bool


@dataclass(frozen=True)
class Post:
    """What is sent: every header that is ours, and the body to the byte."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What came back: a status, or ``trouble`` that there is none. ``answer`` is the beginning of its body.

    ``retry_after`` is that header as it was sent.
    """

    status: int | None = None
    trouble: Trouble | None = None
    answer: str = ""
    retry_after: str | None = None


class Poster(Protocol):
    """Sends one message once; whatever happens is a reply and no error."""

    async def post(self, post: Post) -> Reply:
        """What became of it."""


@dataclass(frozen=True)
class Claimed:
    """A message that this worker sends now, as the ``attempt``-th in all and the ``tries``-th since it was queued."""

    delivery_id: int
    endpoint_id: UUID
    message_id: str
    url: str
    body: str
    attempt: int
    tries: int
    secrets: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """What follows from a reply.

    ``again_seconds`` is how long to wait before the next attempt, None where there is none; ``pause_seconds`` for how
    long the endpoint wants to be left alone.
    """

    state: DeliveryState
    trouble: Trouble | None = None
    again_seconds: float | None = None
    pause_seconds: float = 0.0
    disable: WhyDisabled | None = None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt; ``answer`` is the beginning of what was answered, at most 1 KB."""

    attempt: int
    at: datetime
    ms: int
    status: int | None
    trouble: Trouble | None
    answer: str


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message to one endpoint. ``due_at`` is when it is tried next, None where it is not."""

    delivery_id: int
    message_id: str
    endpoint_id: UUID
    kind: str
    state: DeliveryState
    customers: int
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    attempts: int
