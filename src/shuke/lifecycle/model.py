"""What is known of a customer, when it was worked out, and what could not be said. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shuke import collect, profiles

__all__ = ["OUTSIDE", "Customer360", "CustomerFacts", "FormerFacts", "Refresh", "Unsaid"]

#: The stage of those who had one and have no order any more, as on the timeline.
OUTSIDE = "outside"


@dataclass(frozen=True)
class Unsaid:
    """One reason why nothing is predicted: a code of the gate or of an error of ``insight``, with its values."""

    code: str
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """One time that the facts of all customers were worked out.

    ``as_of`` is the exclusive end of what was known. ``changed`` are customers with something new that time alone does
    not bring; ``stage_changes`` those whose stage is another. ``cannot_say`` is empty where there are predictions.
    """

    refresh_id: UUID
    as_of: datetime
    time_zone: str
    horizon_days: int
    currency: str | None
    model: str | None
    cannot_say: tuple[Unsaid, ...]
    customers: int
    changed: int
    stage_changes: int
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, kw_only=True)
class CustomerFacts:
    """The facts of one customer as of the last refresh. Money is in minor units of ``currency``.

    Predictions reach ``horizon_days`` ahead.

    What is predicted is None where it cannot be said; ``cannot_say`` then has the reasons, which are the same for all.
    The words are those of :func:`shuke.insight.customer_facts`.
    """

    customer_id: UUID
    as_of: datetime
    horizon_days: int
    currency: str
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
    stage: str
    stage_since: datetime
    cannot_say: tuple[Unsaid, ...]


@dataclass(frozen=True, kw_only=True)
class FormerFacts:
    """What a customer's facts were from ``as_of`` on; ``stage`` is None once no order is theirs any more."""

    as_of: datetime
    currency: str | None
    orders: int
    gross_minor: int
    refunds_minor: int
    historic_clv_minor: int
    r_score: int | None
    f_score: int | None
    m_score: int | None
    rfm_group: str | None
    value_group: str | None
    p_alive: float | None
    predicted_clv_minor: int | None
    stage: str | None


@dataclass(frozen=True)
class Customer360:
    """One customer seen whole.

    ``traits`` are what events said of the person; ``computed`` is None for who has no order as of the last refresh;
    ``timeline`` has the latest facts, and asks for those before them.
    """

    profile: profiles.Profile
    traits: dict[str, collect.Trait]
    computed: CustomerFacts | None
    timeline: collect.TimelinePage
