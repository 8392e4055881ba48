"""``/api/customers/ID``: one customer seen whole."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from starlette.routing import BaseRoute

from shuke import privacy
from shuke.lifecycle.service import LATEST_MAX, customer_360
from shuke.platform import Metrics, Workplace
from shuke.platform.http import PROBLEM, Problem, api

__all__ = ["routes"]


class HeldIdentity(BaseModel):
    """An identity, masked."""

    identity_id: int
    kind: str
    value: str
    first_seen_at: datetime
    last_seen_at: datetime


class HeldTag(BaseModel):
    """A label that counts now."""

    tag: str
    source: str
    added_at: datetime
    expires_at: datetime | None


class HeldConsent(BaseModel):
    """What counts now for a purpose and channel."""

    purpose: str
    channel: str
    state: privacy.ConsentState
    notice_version: str
    at: datetime


class SaidTrait(BaseModel):
    """The latest word of events on something about the person, masked, and when it was said."""

    value: Any
    said_at: datetime


class Reason(BaseModel):
    """A reason why nothing is predicted."""

    code: str
    values: dict[str, Any]


class Computed(BaseModel):
    """What was worked out at the last refresh, as of `as_of`.

    Money is in minor units of `currency`. Predictions reach `horizon_days` ahead, `_low` and `_high` are the bounds of
    80 % intervals; all are null where nothing can be said, for the reasons in `cannot_say`. The next order is expected
    on the median day, given that the customer is still one.
    """

    as_of: datetime
    horizon_days: int
    currency: str
    stage: str
    stage_since: datetime
    first_order_at: datetime
    last_order_at: datetime
    orders: int
    order_days: int
    recency_days: int
    average_days_between_orders: float | None
    gross_minor: int
    refunds_minor: int
    average_order_minor: int
    historic_clv_minor: int
    cohort: date
    first_channel: str | None
    first_store: str | None
    region: str | None
    r_score: int
    f_score: int
    m_score: int
    rfm_group: str
    value_group: str
    p_alive: float | None
    churn_probability: float | None
    predicted_number_of_orders: float | None
    predicted_orders_low: float | None
    predicted_orders_high: float | None
    expected_order_minor: int | None
    predicted_clv_minor: int | None
    predicted_clv_low_minor: int | None
    predicted_clv_high_minor: int | None
    total_clv_minor: int | None
    expected_date_of_next_order: date | None
    cannot_say: list[Reason]


class LatestFact(BaseModel):
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


class LatestFacts(BaseModel):
    """The latest facts, newest first; `next` is what to ask `before` of the timeline for those before them."""

    facts: list[LatestFact]
    next: str | None


class WholeCustomer(BaseModel):
    """One customer; `customer_ids` are all that are this customer by now. `computed` is null before a first order."""

    customer_id: UUID
    customer_ids: list[UUID]
    created_at: datetime
    updated_at: datetime
    attributes: dict[str, bool | float | str]
    traits: dict[str, SaidTrait]
    identities: list[HeldIdentity]
    tags: list[HeldTag]
    consents: list[HeldConsent]
    household: list[UUID]
    computed: Computed | None
    timeline: LatestFacts


_ABSENT: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is none", "content": {PROBLEM: {"schema": Problem.model_json_schema()}}}
}


def routes(workplace: Workplace, _: Metrics) -> list[BaseRoute]:
    """The routes of the room."""
    router = api("lifecycle")

    @router.get("/customers/{customer_id}", responses=_ABSENT)
    def get_customer(
        customer_id: UUID,
        *,
        latest: Annotated[int, Query(ge=1, le=LATEST_MAX, description="how many facts of the timeline")] = 20,
    ) -> WholeCustomer:
        with workplace.database.read() as tx:
            found = customer_360(tx, workplace.keyring, customer_id, datetime.now(UTC), latest=latest)
        whole = asdict(found)
        return WholeCustomer(**whole.pop("profile"), **whole)

    return list(router.routes)
