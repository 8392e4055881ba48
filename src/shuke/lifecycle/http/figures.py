"""``/api/lifecycle``: all customers in figures, each of which can be followed to the customers behind it.

Figures of the facts (stages, scores, values) are of the last refresh, or of a former one. Figures of orders (cohorts,
coming back, channels, goods) come from the lake, as of the last refresh, so that they agree. Both are of those
customers whom the reader sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.routing import BaseRoute

from shuke import access
from shuke.base.errors import BadInput
from shuke.lifecycle.analysis_model import (
    Baskets,
    Channels,
    Cohorts,
    FirstProducts,
    ModelQuality,
    Narrowing,
    Products,
    Retention,
)
from shuke.lifecycle.model import Flows, RfmCells, StageValues, Values
from shuke.lifecycle.service.channels import ChannelValues, channel_values, channels
from shuke.lifecycle.service.checks import model_quality
from shuke.lifecycle.service.coming_back import cohorts, retention
from shuke.lifecycle.service.desk import Desk, Whose, whose
from shuke.lifecycle.service.goods import PRODUCTS_TOLD_MAX, baskets, first_products, products
from shuke.lifecycle.service.spread import Counted, flows, rfm_cells, stage_values, values
from shuke.platform import AnyTask, Metrics, Workplace, queue_job
from shuke.platform.http import Day, Moment, api, refusal
from shuke.platform.job_answers import QueuedBody

__all__ = ["figure_routes"]

_Figures = Annotated[access.Visit, access.needs("lifecycle.read")]
_Word = Annotated[str | None, Query(min_length=1, max_length=200)]
_Currency = Annotated[str | None, Query(pattern="^[A-Z]{3}$")]
_Rows = Annotated[int, Query(ge=1, le=PRODUCTS_TOLD_MAX)]


@dataclass(frozen=True)
class Acquired:
    """Customers by their first order; of those that fit all is known, whenever it happened."""

    since: Annotated[Day | None, Query(description="the first day of a first order")] = None
    until: Annotated[Day | None, Query(description="the last day of a first order")] = None
    channel: Annotated[_Word, Query(description="of the first order")] = None
    store: Annotated[_Word, Query(description="of the first order")] = None
    currency: Annotated[_Currency, Query(description="of the orders; without it, that of the facts")] = None

    @property
    def narrowing(self) -> Narrowing:
        """As the room has it; BadInput ``lifecycle.bad_narrowing`` for days the wrong way round."""
        if self.since is not None and self.until is not None and self.since > self.until:
            raise BadInput("lifecycle.bad_narrowing")
        return Narrowing(**vars(self))


@dataclass(frozen=True)
class Sold(Acquired):
    """Orders; of these, everything else is left out."""

    since: Annotated[Day | None, Query(description="the first day of an order")] = None
    until: Annotated[Day | None, Query(description="the last day of an order")] = None
    channel: Annotated[_Word, Query(description="of the order")] = None
    store: Annotated[_Word, Query(description="of the order")] = None


@dataclass(frozen=True)
class OfFacts:
    """Where customers began, and what their facts are in; those of one refresh are all in one currency."""

    channel: Annotated[_Word, Query(description="of the first order")] = None
    store: Annotated[_Word, Query(description="of the first order")] = None
    currency: Annotated[_Currency, Query(description="of the facts; nobody is counted where they are in another")] = (
        None
    )

    @property
    def counted(self) -> Counted:
        """As the room has it."""
        return Counted(**vars(self))


_Acquired = Annotated[Acquired, Depends()]
_Sold = Annotated[Sold, Depends()]
_OfFacts = Annotated[OfFacts, Depends()]
_At = Annotated[Moment | None, Query(description="as the facts were by then; without it, as they are")]


_TOO_MANY = refusal(409, "Too many jobs wait")


def figure_routes(workplace: Workplace, _: Metrics, *, refreshing: AnyTask) -> list[BaseRoute]:
    """The routes of the figures; ``refreshing`` is the task that works out the facts."""
    router, desk = api("lifecycle"), Desk(workplace)
    _of_facts(router)
    _of_orders(router, desk)
    _of_goods(router, desk)

    @router.post("/refreshes", status_code=202, responses=_TOO_MANY)
    def post_refresh(visit: Annotated[access.Visit, access.needs("lifecycle.refresh")]) -> QueuedBody:
        with visit.begin() as tx:
            kind = "lifecycle.refresh"
            job_id = queue_job(tx, refreshing, kind=kind, asker=visit.asker, asked={}, lock=kind)
            visit.note(job_id=job_id)
        return QueuedBody(job_id=job_id)

    return list(router.routes)


def _whose(visit: access.Visit) -> Whose:
    with visit.read() as tx:
        return whose(tx, everybody=visit.reader.where is access.Where.ALL)


def _of_facts(router: APIRouter) -> None:
    @router.get("/lifecycle/flows")
    def get_flows(
        visit: _Figures,
        since: Annotated[Moment, Query(description="as the facts were by then")],
        until: Annotated[Moment, Query(description="and by then")],
        of: _OfFacts,
    ) -> Flows:
        with visit.read() as tx:
            return flows(tx, since=since, until=until, counted=of.counted)

    @router.get("/lifecycle/stages")
    def get_stages(visit: _Figures, of: _OfFacts, at: _At = None) -> StageValues:
        everybody = visit.reader.where is access.Where.ALL
        with visit.read() as tx:
            return stage_values(tx, at=at, counted=of.counted, everybody=everybody)

    @router.get("/lifecycle/rfm")
    def get_rfm(visit: _Figures, of: _OfFacts, at: _At = None) -> RfmCells:
        with visit.read() as tx:
            return rfm_cells(tx, at=at, counted=of.counted)

    @router.get("/lifecycle/values")
    def get_values(visit: _Figures, of: _OfFacts, at: _At = None) -> Values:
        with visit.read() as tx:
            return values(tx, at=at, counted=of.counted)

    @router.get("/lifecycle/quality")
    def get_quality(visit: _Figures) -> ModelQuality | None:
        with visit.read() as tx:
            return model_quality(tx)


def _of_orders(router: APIRouter, desk: Desk) -> None:
    @router.get("/lifecycle/cohorts")
    def get_cohorts(
        visit: _Figures, narrowed: _Acquired, period: Annotated[Literal["month", "quarter"], Query()] = "month"
    ) -> Cohorts:
        return cohorts(desk, _whose(visit), narrowed.narrowing, period=period)

    @router.get("/lifecycle/retention")
    def get_retention(visit: _Figures, narrowed: _Acquired) -> Retention:
        return retention(desk, _whose(visit), narrowed.narrowing)

    @router.get("/lifecycle/channels")
    def get_channel_economics(visit: _Figures, narrowed: _Acquired) -> Channels:
        narrowing = narrowed.narrowing
        with visit.read() as tx:
            by = whose(tx, everybody=visit.reader.where is access.Where.ALL)

        def worth() -> ChannelValues:
            with visit.read() as tx:
                return channel_values(tx, by.refresh, narrowing)

        return channels(desk, by, narrowing, worth)


def _of_goods(router: APIRouter, desk: Desk) -> None:
    @router.get("/lifecycle/products")
    def get_contribution(
        visit: _Figures,
        narrowed: _Sold,
        by: Annotated[Literal["product", "category"], Query()] = "product",
        limit: _Rows = 100,
    ) -> Products:
        return products(desk, _whose(visit), narrowed.narrowing, of=by, limit=limit)

    @router.get("/lifecycle/baskets")
    def get_baskets(visit: _Figures, narrowed: _Sold, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Baskets:
        return baskets(desk, _whose(visit), narrowed.narrowing, limit=limit)

    @router.get("/lifecycle/first-products")
    def get_first_products(visit: _Figures, narrowed: _Acquired, limit: _Rows = 100) -> FirstProducts:
        return first_products(desk, _whose(visit), narrowed.narrowing, limit=limit)
