"""``/api``: a customer's timeline, how good the data are, and which events were rejected."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from starlette.routing import BaseRoute

from shuke.collect.service.quality import HOURS_MAX, quality
from shuke.collect.service.timeline import FILTERS_MAX, PAGE_MAX, timeline
from shuke.platform import Metrics, Workplace
from shuke.platform.http import Moment, api

__all__ = ["reading_routes"]

Word = Annotated[str, Query(max_length=200)]
Words = Annotated[list[Word] | None, Query(max_length=FILTERS_MAX)]


class FactBody(BaseModel):
    """A fact. Amounts are in minor units of the currency; what is personal is not among the properties."""

    fact_id: UUID
    occurred_at: datetime
    received_at: datetime
    identity_id: int
    kind: str
    name: str
    source: str | None
    channel: str | None
    store: str | None
    session: str | None
    amount_minor: int | None
    currency: str | None
    order_id: str | None
    simulated: bool
    properties: dict[str, Any]


class TimelineBody(BaseModel):
    """Some facts, newest first; `next` is what to ask `before` for those before them."""

    facts: list[FactBody]
    next: str | None


class HourBody(BaseModel):
    """Events of a source in an hour; `outcome` is `fact`, `duplicate`, or the reason of a reject."""

    source: str
    hour: datetime
    outcome: str
    events: int


class FieldBody(BaseModel):
    """A field of an event as seen; `share` of these events have it with this type."""

    source: str
    kind: str
    name: str
    field: str
    type: str
    events: int
    share: float
    first_seen_at: datetime
    last_seen_at: datetime


class ChangeBody(BaseModel):
    """An event that came in far more or far less often than is usual for the hour."""

    source: str
    kind: str
    name: str
    hour: datetime
    events: int
    usual: float


class QualityBody(BaseModel):
    """How good the data are, since a moment."""

    since: datetime
    hours: list[HourBody]
    rejects: dict[str, int]
    fields: list[FieldBody]
    changes: list[ChangeBody]


def reading_routes(workplace: Workplace, _: Metrics) -> list[BaseRoute]:
    """The routes that read what was collected."""
    router = api("collect")
    database = workplace.database

    @router.get("/customers/{customer_id}/timeline")
    def get_timeline(
        customer_id: UUID,
        *,
        before: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        kind: Words = None,
        name: Words = None,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> TimelineBody:
        with database.read() as tx:
            page = timeline(
                tx, customer_id, before=before, limit=limit, kinds=kind, names=name, since=since, until=until
            )
        return TimelineBody(facts=[FactBody(**asdict(fact)) for fact in page.facts], next=page.next)

    @router.get("/data-quality")
    def get_data_quality(
        hours: Annotated[int, Query(ge=1, le=HOURS_MAX)] = 24,
        source: Word | None = None,
    ) -> QualityBody:
        with database.read() as tx:
            return QualityBody(**asdict(quality(tx, now=datetime.now(UTC), hours=hours, source=source)))

    return list(router.routes)
