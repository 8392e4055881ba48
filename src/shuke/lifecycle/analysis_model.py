"""What the analytical pages are told: of cohorts, of coming back, of channels, of goods, and of the model. Pure.

Money is in minor units of the currency that the basis names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

__all__ = [
    "Basis",
    "Baskets",
    "Calibration",
    "Candidate",
    "ChannelEconomics",
    "Channels",
    "Cohort",
    "CohortCell",
    "Cohorts",
    "CurvePoint",
    "Decile",
    "FirstProduct",
    "FirstProducts",
    "Gaps",
    "LadderStep",
    "ModelQuality",
    "ModelTest",
    "Narrowing",
    "Pair",
    "ProductContribution",
    "Products",
    "Reason",
    "Retention",
    "TrackedWeek",
]


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """Which part of the sales is looked at; days are those of the brand's clock, both included.

    Of what is said of customers (cohorts, coming back, channels), the days, channel and store are those of the first
    order; of what is said of goods, those of each order.
    """

    since: date | None = None
    until: date | None = None
    channel: str | None = None
    store: str | None = None
    currency: str | None = None

    @property
    def of_orders(self) -> bool:
        """Whether it leaves anything out beyond other currencies."""
        return (self.since, self.until, self.channel, self.store) != (None, None, None, None)


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What figures rest on: what was known at ``as_of``, which is the moment of the last refresh.

    ``as_of`` is None before the first. ``cannot_say`` is the code of the reason where there are no figures, such as
    ``insight.no_lines``; ``currencies`` are all in which something was sold.
    """

    as_of: datetime | None
    time_zone: str | None = None
    currency: str | None = None
    currencies: tuple[str, ...] = ()
    cannot_say: str | None = None


@dataclass(frozen=True)
class CohortCell:
    """What a cohort did in a period of its life: 0 is that of the first order; not ``complete`` while it lasts.

    ``value_minor`` is what all of the cohort brought up to and with the period, after refunds.
    """

    period: int
    complete: bool
    active: int
    orders: int
    amount_minor: int
    refunds_minor: int
    value_minor: int


@dataclass(frozen=True)
class Cohort:
    """The customers whose first order was in the month or quarter that began on ``begins`` and ended with ``ends``."""

    begins: date
    ends: date
    customers: int
    cells: tuple[CohortCell, ...]


@dataclass(frozen=True)
class Cohorts:
    """Cohorts in order; ``left_out`` are those before the first, of which no more are told."""

    basis: Basis
    period: Literal["month", "quarter"]
    cohorts: tuple[Cohort, ...]
    left_out: int


@dataclass(frozen=True)
class CurvePoint:
    """The share that has come back by so many days after the first order (Kaplan-Meier, limits at 95 %).

    ``came_back`` are the customers of whom it was seen by then.
    """

    days: int
    share: float
    low: float | None
    high: float | None
    came_back: int


@dataclass(frozen=True)
class LadderStep:
    """From the n-th day with an order to the next.

    ``share_within`` (Kaplan-Meier, limits at 95 %) go on within ``Retention.within_days``; None where too few were
    watched so long.
    """

    step: int
    customers: int
    went_on: int
    share_within: float | None
    low: float | None
    high: float | None
    median_days: float | None
    average_minor: int


@dataclass(frozen=True)
class Gaps:
    """Days between two days with orders, of those that ended."""

    gaps: int
    median_days: float
    p75_days: float
    p90_days: float


@dataclass(frozen=True)
class Retention:
    """Who comes back, and when."""

    basis: Basis
    customers: int
    curve: tuple[CurvePoint, ...]
    within_days: int
    ladder: tuple[LadderStep, ...]
    gaps: Gaps | None


@dataclass(frozen=True, kw_only=True)
class ChannelEconomics:
    """The customers whom a channel acquired, what they brought since, and what they cost.

    ``channel`` is None where the first order names none. The contribution is None where no cost of goods is known, the
    values where the currency is not that of the facts, and all of spend where no cost of the channel is recorded;
    ``cost_minor`` is that of one new customer, in the months with a recorded cost alone.
    """

    channel: str | None
    customers: int
    repeat_customers: int
    orders: int
    revenue_minor: int
    refunds_minor: int
    first_order_minor: int
    contribution_minor: int | None
    margin_rate: float | None
    historic_minor: int | None
    predicted_minor: int | None
    spend_minor: int | None
    cost_minor: int | None
    value_to_cost: float | None
    payback_months: int | None


@dataclass(frozen=True)
class Channels:
    """Every channel, the one with most revenue first."""

    basis: Basis
    channels: tuple[ChannelEconomics, ...]


@dataclass(frozen=True, kw_only=True)
class ProductContribution:
    """What one product, or category, brings; ``key`` is None for what belongs to no category.

    ``share`` is of all revenue, ``customer_share`` of all customers; class A makes 80 % of the revenue, B the next
    15 %. ``repeat_share`` of its customers bought it in two orders or more.
    """

    key: str | None
    name: str | None
    category: str | None
    brand: str | None
    revenue_minor: int
    share: float
    cumulative_share: float
    abc_class: str
    orders: int
    customers: int
    customer_share: float | None
    units: float
    repeat_share: float | None
    refunds_minor: int | None
    return_rate: float | None
    contribution_minor: int | None
    margin_rate: float | None


@dataclass(frozen=True)
class Products:
    """The best products or categories, and how all are spread: ``for_80`` of ``items`` make 80 % of the revenue."""

    basis: Basis
    by: Literal["product", "category"]
    items: int
    for_80: int
    revenue_minor: int
    customers: int
    products: tuple[ProductContribution, ...]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two products in one order, in the direction in which the first foretells the second better.

    ``orders`` hold both, of so many ``customers``.

    ``confidence``: of the orders with the first, the share with the second. ``lift``: how many times more often than by
    chance, limits at 95 %.
    """

    first: str
    first_name: str | None
    second: str
    second_name: str | None
    orders: int
    customers: int
    first_orders: int
    second_orders: int
    support: float
    confidence: float
    lift: float
    lift_low: float
    lift_high: float


@dataclass(frozen=True)
class Baskets:
    """Pairs that ``needed`` orders or more hold, of ``orders``; the most telling first."""

    basis: Basis
    orders: int
    needed: int
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, kw_only=True)
class FirstProduct:
    """What customers who began with a product brought in their first days, limits of the mean at 95 %."""

    key: str
    name: str | None
    customers: int
    value_minor: int
    low_minor: int | None
    high_minor: int | None
    repeat_share: float


@dataclass(frozen=True)
class FirstProducts:
    """Products by which enough customers began whose first ``days`` days are over; the surest first.

    ``until`` is the last day of a first order that counts. ``everyone_minor`` is the mean of all such customers.
    """

    basis: Basis
    days: int
    until: date | None
    customers_needed: int
    everyone_minor: int | None
    everyone: int
    products: tuple[FirstProduct, ...]


@dataclass(frozen=True)
class Reason:
    """One reason for the choice of a model, as :class:`shuke.insight.Why` has it."""

    code: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """How one model did where the choice was made; nothing is said of one that was excluded."""

    name: str
    chosen: bool
    excluded: str | None
    log_score: float | None
    total_error: float | None


@dataclass(frozen=True)
class Calibration:
    """Mean orders in the holdout of customers who had ordered so often again before it."""

    frequency: int
    and_more: bool
    customers: int
    actual: float
    predicted: float


@dataclass(frozen=True)
class Decile:
    """A tenth of the customers, those of whom most was expected being the first; orders of all of them."""

    decile: int
    actual: float
    predicted: float


@dataclass(frozen=True)
class TrackedWeek:
    """All orders again up to the end of a week, actual and expected; ``holdout`` is what the model had not seen."""

    week_end: date
    holdout: bool
    actual_total: float
    expected_total: float


@dataclass(frozen=True, kw_only=True)
class ModelTest:
    """A model fitted to what was known at the end of ``calibration_end``, against what came until ``holdout_end``.

    Errors are in orders of one customer; the limits of the total are at 95 %. ``gini`` says how well customers are put
    in order, ``gini_best`` being that of hindsight.
    """

    calibration_end: date
    holdout_end: date
    customers: int
    orders_actual: int
    orders_predicted: float
    orders_low: float
    orders_high: float
    mae: float
    rmse: float
    gini: float | None
    gini_best: float | None
    calibration: tuple[Calibration, ...]
    deciles: tuple[Decile, ...]
    weeks: tuple[TrackedWeek, ...]


@dataclass(frozen=True, kw_only=True)
class ModelQuality:
    """What the model of a refresh was and how far it can be trusted.

    ``model`` is None where nothing is predicted; ``test`` where the history is too short for one.
    """

    as_of: datetime
    model: str | None
    why: tuple[Reason, ...]
    candidates: tuple[Candidate, ...]
    test: ModelTest | None
