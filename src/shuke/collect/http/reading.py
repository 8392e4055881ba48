"""``/api``: a customer's timeline and orders, how good the data are, and which events were rejected."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.routing import BaseRoute

from shuke import access
from shuke.collect.model import DataQuality, OrderPage, TimelinePage
from shuke.collect.service.bought import ORDERS_MAX, orders_of
from shuke.collect.service.quality import HOURS_MAX, quality
from shuke.collect.service.timeline import FILTERS_MAX, PAGE_MAX, timeline
from shuke.platform import Metrics, Workplace
from shuke.platform.http import Moment, api

__all__ = ["reading_routes"]

Word = Annotated[str, Query(max_length=200)]
Kind = Annotated[str, Query(min_length=1, max_length=200)]
Kinds = Annotated[list[Kind] | None, Query(max_length=FILTERS_MAX)]
Words = Annotated[list[Word] | None, Query(max_length=FILTERS_MAX)]


def reading_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes that read what was collected."""
    router = api("collect")

    @router.get("/customers/{customer_id}/timeline")
    def get_timeline(
        visit: Annotated[access.Visit, access.needs("customers.read")],
        customer_id: UUID,
        *,
        before: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        kind: Kinds = None,
        name: Words = None,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> TimelinePage:
        with visit.read() as tx:
            return timeline(
                tx, customer_id, before=before, limit=limit, kinds=kind, names=name, since=since, until=until
            )

    @router.get("/customers/{customer_id}/orders")
    def get_orders(
        visit: Annotated[access.Visit, access.needs("orders.read")],
        customer_id: UUID,
        *,
        before: Annotated[str | None, Query(max_length=500, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=ORDERS_MAX)] = 20,
    ) -> OrderPage:
        with visit.read() as tx:
            return orders_of(tx, customer_id, before=before, limit=limit)

    @router.get("/data-quality")
    def get_data_quality(
        visit: Annotated[access.Visit, access.needs("data.read")],
        hours: Annotated[int, Query(ge=1, le=HOURS_MAX)] = 24,
        source: Word | None = None,
    ) -> DataQuality:
        with visit.read() as tx:
            return quality(tx, now=datetime.now(UTC), hours=hours, source=source)

    return list(router.routes)
