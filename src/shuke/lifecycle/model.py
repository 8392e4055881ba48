"""What is known of a customer, when it was worked out, and what could not be said. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shuke import collect, profiles

__all__ = [
    "OUTSIDE",
    "AsKnown",
    "Column",
    "Count",
    "Customer360",
    "CustomerFacts",
    "CustomerPage",
    "CustomerQuery",
    "CustomerRow",
    "Flow",
    "Flows",
    "FormerFacts",
    "Overview",
    "Refresh",
    "RfmCell",
    "RfmCells",
    "Sort",
    "StageCount",
    "StageDefinition",
    "StageTotal",
    "StageValues",
    "StoodIn",
    "Unsaid",
    "ValueBand",
    "Values",
    "View",
    "ViewGiven",
    "Week",
]

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


class Sort(StrEnum):
    """What a list of customers is in the order of; who has no such figure comes last, whichever way."""

    VALUE = "value"
    CHURN = "churn"
    ORDERS = "orders"
    LAST_ORDER = "last_order_at"
    CREATED = "created_at"


@dataclass(frozen=True)
class StoodIn:
    """Customers who at a moment stood in one of these stages; :data:`OUTSIDE` is before a first order, or without one.

    Without stages, in any but that. The scores are those of then, and so is the value: what they had brought by then,
    after refunds, both bounds included. Of those who are never known to have ordered nothing is said.
    """

    stages: tuple[str, ...]
    at: datetime
    r_scores: tuple[int, ...] = ()
    f_scores: tuple[int, ...] = ()
    value_min_minor: int | None = None
    value_max_minor: int | None = None


@dataclass(frozen=True, kw_only=True)
class CustomerQuery:
    """Which customers are wanted: all conditions hold, of several words in one any. Bounds are included.

    ``search`` is part of a name, the last four digits of a phone number, or an identity given whole. Money is in minor
    units of the currency that the facts are in. ``no_channel`` is a first order that names none, beside those of the
    ``channels``. ``stood`` says where they stood at one moment or at two, ``bought`` that they have an order of that
    kind, ``ordered_on`` on how many days they had ordered, ``first_products`` that one of these was in their first
    order, ``came_back_within_days`` that another day with an order was at most so long after the first, and ``segment``
    who is in one.
    """

    search: str | None = None
    stages: tuple[str, ...] = ()
    rfm_groups: tuple[str, ...] = ()
    value_groups: tuple[str, ...] = ()
    r_scores: tuple[int, ...] = ()
    f_scores: tuple[int, ...] = ()
    m_scores: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    no_channel: bool = False
    stores: tuple[str, ...] = ()
    stood: tuple[StoodIn, ...] = ()
    bought: collect.Bought | None = None
    first_products: tuple[str, ...] = ()
    value_min_minor: int | None = None
    value_max_minor: int | None = None
    churn_min: float | None = None
    churn_max: float | None = None
    orders_min: int | None = None
    orders_max: int | None = None
    order_days_min: int | None = None
    order_days_max: int | None = None
    ordered_on: collect.OrderedOn | None = None
    came_back_within_days: int | None = None
    segment: profiles.Chosen | None = None
    first_order_from: datetime | None = None
    first_order_to: datetime | None = None
    last_order_from: datetime | None = None
    last_order_to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CustomerRow:
    """One customer of a list. What was computed is None before a first order, and as of the last refresh.

    ``value_minor`` is what the customer was worth so far and is expected to be within the horizon of the prediction, or
    so far alone where nothing is predicted; the bounds are those of the prediction's 80 % interval.
    """

    customer_id: UUID
    name: str | None
    phone: str | None
    email: str | None
    member_number: str | None
    tags: tuple[str, ...]
    created_at: datetime
    stage: str | None = None
    orders: int = 0
    spent_minor: int | None = None
    value_minor: int | None = None
    value_low_minor: int | None = None
    value_high_minor: int | None = None
    churn_probability: float | None = None
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    next_order_on: date | None = None
    rfm_group: str | None = None


@dataclass(frozen=True)
class Count:
    """How many there are; not ``exact``, but as many at least, or about, where counting is not worth its time."""

    customers: int
    exact: bool


@dataclass(frozen=True)
class CustomerPage:
    """A page of a list; ``next`` asks for the one after it, ``count`` is only said of the first."""

    customers: tuple[CustomerRow, ...]
    next: str | None
    count: Count | None
    currency: str | None
    as_of: datetime | None


@dataclass(frozen=True, kw_only=True)
class AsKnown:
    """Of when figures of the facts are: of the last refresh by the moment that was asked for.

    ``as_of`` is None where there was none by then; ``first`` is when facts were worked out for the first time. Of a
    refresh that is ``past`` it is not kept what was expected of each customer. ``currency`` is the one that all facts
    of the refresh are in; where another one is asked for, nobody is counted.
    """

    first: datetime | None = None
    as_of: datetime | None = None
    past: bool = False
    currency: str | None = None


@dataclass(frozen=True)
class StageTotal:
    """The customers of one stage at a refresh, and the money that they brought and are expected to bring.

    ``before`` is how many they were a week earlier; None where nothing was worked out then.
    """

    stage: str
    customers: int
    orders: int
    historic_minor: int
    predicted_minor: int | None
    before: int | None


@dataclass(frozen=True)
class StageValues:
    """The customers of each stage, and what they are worth; ``before`` is not said.

    Of a past refresh it is known what was expected of all customers of a stage, and not of some of them.
    """

    known: AsKnown
    stages: tuple[StageTotal, ...]


@dataclass(frozen=True)
class Week:
    """Seven days that begin on ``monday``, in the brand's zone; ``lost`` are those found lost in them."""

    monday: date
    orders: int
    revenue_minor: int
    refunds_minor: int
    new_customers: int
    lost_customers: int


@dataclass(frozen=True)
class Overview:
    """How the brand stands as of the last refresh; ``refresh`` is None before the first."""

    refresh: Refresh | None
    compared_with: datetime | None
    customers: int
    without_order: int
    stages: tuple[StageTotal, ...]
    weeks: tuple[Week, ...]


@dataclass(frozen=True)
class Flow:
    """Customers who were in one stage and are in another, or the same; None is before a first order, or without one.

    ``value_minor`` is what they had brought by the later moment.
    """

    before: str | None
    after: str | None
    customers: int
    value_minor: int


@dataclass(frozen=True)
class Flows:
    """How customers moved between two moments at which the facts were worked out; None where nothing was by then.

    ``first`` is when they were worked out for the first time.
    """

    first: datetime | None
    since: datetime | None
    until: datetime | None
    currency: str | None
    flows: tuple[Flow, ...]


@dataclass(frozen=True)
class RfmCell:
    """The customers of one pair of scores: how recently and how often they ordered, 5 being the best."""

    r_score: int
    f_score: int
    customers: int
    historic_minor: int
    predicted_minor: int | None
    group: str


@dataclass(frozen=True)
class RfmCells:
    """Every pair of scores that somebody has; nothing is expected in the cells of a past refresh."""

    known: AsKnown
    cells: tuple[RfmCell, ...]


@dataclass(frozen=True)
class ValueBand:
    """Customers whose value is at least ``from_minor`` and less than ``to_minor``."""

    from_minor: int
    to_minor: int
    customers: int
    value_minor: int


@dataclass(frozen=True)
class Values:
    """How the value of customers is spread: of a past refresh, what they had brought by then.

    ``quantiles`` are those of :data:`~shuke.lifecycle.QUANTILES`, in minor units; ``top_share`` is what the most
    valuable fifth of the customers bring of all. All is None or empty where nobody is counted.
    """

    known: AsKnown
    customers: int
    mean_minor: int | None
    quantiles: tuple[int, ...]
    top_share: float | None
    bands: tuple[ValueBand, ...]


class Column(StrEnum):
    """What of a customer a list can show, beside who they are."""

    CONTACT = "contact"
    PHONE = "phone"
    EMAIL = "email"
    MEMBER_NUMBER = "member_number"
    STAGE = "stage"
    VALUE = "value"
    CHURN = "churn"
    ORDERS = "orders"
    SPENT = "spent"
    FIRST_ORDER = "first_order"
    LAST_ORDER = "last_order"
    NEXT_ORDER = "next_order"
    RFM = "rfm"
    TAGS = "tags"
    CREATED = "created"


@dataclass(frozen=True, kw_only=True)
class ViewGiven:
    """A list of customers that somebody wants to see again; ``query`` has the conditions as JSON, without a search."""

    name: str
    shared: bool
    columns: tuple[Column, ...]
    query: dict[str, Any]
    sort: Sort
    descending: bool


@dataclass(frozen=True, kw_only=True)
class View(ViewGiven):
    """Such a list as it is kept. Where it is not ``shared``, it is its maker's alone."""

    view_id: UUID
    made_by: UUID | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class StageDefinition:
    """A vocabulary of stages that the brand made; ``tree`` is what :meth:`shuke.insight.StageRules.from_tree` reads."""

    version: int
    tree: dict[str, Any]
    made_by: str
    made_at: datetime


@dataclass(frozen=True)
class StageCount:
    """How many customers are in a stage, and how many would be with other rules."""

    stage: str
    customers: int
    would_be: int
