"""Every number that the report rests on, as plain frozen values. Pure.

The service fills :class:`Figures` from the analytical core; findings, strategies, chapters and report.json are made of
nothing else, so whatever the report says can be traced to a field here. Money is float in the report's currency, shares
are 0 to 1, durations carry their unit in the name. ``None`` is "cannot say".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from shuke.insight import CUSTOMER_STAGES, StageRules

__all__ = [
    "Base",
    "Baseline",
    "BasketPair",
    "Candidate",
    "ChannelCost",
    "CohortCell",
    "CohortQuality",
    "Comparison",
    "Concentration",
    "CurvePoint",
    "Decile",
    "Dwell",
    "Economics",
    "Figures",
    "FileRead",
    "FirstProduct",
    "FrequencyBin",
    "Gaps",
    "Gate",
    "GateReason",
    "HeatCell",
    "Holdout",
    "ListSize",
    "Model",
    "Month",
    "Movement",
    "Parameter",
    "Product",
    "Quality",
    "Reason",
    "ReturnedProduct",
    "Scope",
    "SeasonMonth",
    "Segment",
    "StageMove",
    "Tracking",
    "Treatment",
]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What was analysed, and on what terms."""

    currency: str | None
    as_of: datetime  # exclusive end of what is known
    as_of_given: bool
    first_at: datetime
    last_at: datetime
    horizon_days: int
    margin: float | None  # share of the price that remains; None: value is revenue
    margin_column: str | None
    has_lines: bool
    has_refunds: bool
    has_costs: bool
    has_channel: bool
    has_region: bool
    has_discount: bool
    engine: str
    unit: str
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def days(self) -> int:
        """Days from the first order to the analysis day."""
        return (self.as_of.date() - self.first_at.date()).days


@dataclass(frozen=True, kw_only=True)
class FileRead:
    """A file as it was read."""

    name: str
    rows: int
    encoding: str | None
    delimiter: str | None


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """A rule that was applied to rows of the files; ``kind`` is kept, refund, set_aside or rejected.

    ``name`` and ``treatment`` are the same in the reader's language.
    """

    code: str
    kind: str
    name: str
    treatment: str
    rows: int
    amount: float


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What was recognised in the files, and what became of every row and every cent, in the reader's words."""

    files: tuple[FileRead, ...]
    columns: tuple[tuple[str, str, str], ...]  # meaning, column, how it was recognised
    treatments: tuple[Treatment, ...]
    rows: int
    amount: float
    reconciled: bool
    line_level: bool
    notes: tuple[str, ...] = ()  # decisions about the files, in the reader's language
    unused: tuple[str, ...] = ()  # columns that nothing was made of

    def of(self, code: str) -> Treatment | None:
        """The treatment with this code, when any row fell under it."""
        return next((one for one in self.treatments if one.code == code and one.rows), None)


@dataclass(frozen=True, kw_only=True)
class Base:
    """The customer base on the analysis day."""

    customers: int
    orders: int
    gross: float
    refunds: float
    net: float
    one_time_customers: int
    one_time_amount: float
    active_365_customers: int
    amount_365: float
    repeat_order_value: float | None  # average amount of an order after the first

    @property
    def average_order_value(self) -> float:
        """Gross amount by orders."""
        return self.gross / self.orders

    @property
    def repeat_share(self) -> float:
        """Share of customers who bought on two days or more."""
        return 1 - self.one_time_customers / self.customers


@dataclass(frozen=True, kw_only=True)
class Month:
    """A calendar month; ``complete`` is False for the first and last when the data begin or end inside it."""

    month: date
    orders: int
    customers: int
    amount: float
    new_customers: int
    new_amount: float
    complete: bool

    @property
    def returning_amount(self) -> float:
        """Amount of customers whose first order was in an earlier month."""
        return max(self.amount - self.new_amount, 0.0)


@dataclass(frozen=True, kw_only=True)
class Concentration:
    """How unequally the amount is spread over customers."""

    gini: float
    top_1_share: float
    top_10_share: float
    top_20_share: float
    half_of_amount_customers_share: float  # share of customers who together make half of the amount
    lorenz: tuple[tuple[float, float], ...]  # cumulative share of customers (smallest first), of amount


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Customers with one thing in common: a stage, an RFM group, a cohort, a channel, a region."""

    key: str
    customers: int
    orders: int
    gross: float
    historic: float  # net of refunds, times margin
    amount_365: float
    repeat_customers: int
    recency_days: float  # mean
    predicted: float | None
    predicted_low: float | None
    predicted_high: float | None
    churn: float | None  # mean probability of having left
    historic_se: float = 0.0  # standard error of the mean historic value

    @property
    def day(self) -> date:
        """The key of a cohort as its month."""
        return date.fromisoformat(self.key)

    @property
    def historic_mean(self) -> float:
        """Historic value for each customer."""
        return self.historic / self.customers

    @property
    def repeat_share(self) -> float:
        """Share that bought on two days or more."""
        return self.repeat_customers / self.customers


@dataclass(frozen=True, kw_only=True)
class StageMove:
    """Customers who were in one stage at the beginning of a period and in another at its end."""

    source: str
    target: str
    customers: int
    share: float  # of those who began in source
    amount: float | None  # what they bought in the period


@dataclass(frozen=True, kw_only=True)
class Dwell:
    """How long customers stay in a stage: days after which a quarter, a half, three quarters have left it."""

    stage: str
    spells: int
    ended: int
    quarter_days: float | None
    median_days: float | None
    three_quarters_days: float | None


@dataclass(frozen=True, kw_only=True)
class GateReason:
    """What the data lack for a prediction, or have."""

    code: str
    needed: float
    found: float
    ok: bool


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Whether the data support predictions."""

    ok: bool
    reasons: tuple[GateReason, ...]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A fitted parameter under its name in the literature."""

    name: str
    value: float
    standard_error: float | None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model that was tried in the choice; ``excluded`` is the code of why it was not eligible."""

    name: str
    excluded: str | None
    log_score: float | None  # mean log-probability of what customers did in the holdouts of the choice
    deficit: float | None  # behind the best, with its standard error
    deficit_error: float | None
    total_error: float | None  # predicted / actual − 1 in those holdouts
    bic: float | None
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Model:
    """The model of purchases that the predictions rest on."""

    name: str
    why: tuple[tuple[str, Mapping[str, object]], ...]
    parameters: tuple[Parameter, ...]
    spend_parameters: tuple[Parameter, ...]
    log_likelihood: float
    customers: int
    unit: str
    warnings: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    orders_predicted: float
    orders_low: float | None
    orders_high: float | None
    value_predicted: float
    value_low: float | None
    value_high: float | None
    mean_order_value: float | None  # of the population, Gamma-Gamma
    new_customer_orders: float | None  # expected in the horizon after the first


@dataclass(frozen=True, kw_only=True)
class FrequencyBin:
    """Holdout purchases of customers with as many repeat purchases in the calibration."""

    frequency: str
    customers: int
    actual: float
    predicted: float


@dataclass(frozen=True, kw_only=True)
class Decile:
    """Customers ranked by prediction, best first, in ten equal groups."""

    decile: int
    customers: int
    actual: float
    predicted: float
    lift: float


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Repeat purchases of one period."""

    at: date
    actual: float
    predicted: float
    actual_cumulative: float
    predicted_cumulative: float


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A plainer way to predict, for comparison."""

    name: str
    total: float
    mae: float
    rmse: float


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """How well the model, fitted on the first part of the history, predicted the rest."""

    calibration_end: date
    days: int
    customers: int
    purchases_actual: float
    purchases_predicted: float
    mae: float
    rmse: float
    gini: float | None
    by_frequency: tuple[FrequencyBin, ...]
    deciles: tuple[Decile, ...]
    tracking: tuple[Tracking, ...]
    baselines: tuple[Baseline, ...]

    @property
    def total_error(self) -> float | None:
        """Predicted by actual, less one; None when nothing happened."""
        return self.purchases_predicted / self.purchases_actual - 1 if self.purchases_actual else None


@dataclass(frozen=True, kw_only=True)
class CohortCell:
    """Customers of a first-order month, so many months later."""

    cohort: date
    period: int
    customers: int
    active: int
    amount: float
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class CohortQuality:
    """Repeat purchases within 90 days of the first, for a cohort that could be watched that long."""

    cohort: date
    customers: int
    repeated_90: int


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A point of a curve over days, with its interval."""

    day: float
    share: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Days between one order day and the next, of those that were followed by another."""

    count: int
    median_days: float
    p75_days: float
    p90_days: float
    second_median_days: float | None  # between the first and the second order day
    second_p80_days: float | None
    histogram: tuple[tuple[float, float, int], ...]  # from, to, gaps


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Something that goes with leaving: the share that left of those with it and of those without.

    ``difference`` is that within customers of like order count and recency, with its interval.
    """

    code: str
    detail: str
    customers_with: int
    churn_with: float
    customers_without: int
    churn_without: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Movement:
    """The customer base of a month like a bank statement: opening + new + reactivated − lost = closing."""

    month: date
    opening: int
    new: int
    reactivated: int
    lost: int
    closing: int
    complete: bool


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product or category in the sales; ``returned`` None where returns name no product."""

    key: str
    name: str
    amount: float
    share: float
    customers: int
    orders: int
    units: float | None = None
    returned: float | None = None

    @property
    def net(self) -> float:
        """Sales less returns."""
        return self.amount - (self.returned or 0.0)


@dataclass(frozen=True, kw_only=True)
class ReturnedProduct:
    """A product that comes back more than others."""

    key: str
    name: str
    sold: float
    returned: float
    orders: int

    @property
    def rate(self) -> float:
        """Refunded amount by sold amount."""
        return self.returned / self.sold


@dataclass(frozen=True, kw_only=True)
class BasketPair:
    """Two products bought in one order more often than chance would have it."""

    first: str
    second: str
    first_code: str
    second_code: str
    orders: int
    support: float
    confidence: float
    lift: float
    lift_low: float | None
    lift_high: float | None


@dataclass(frozen=True, kw_only=True)
class FirstProduct:
    """Customers whose first order held this product, against everyone of the same age: value of their first days."""

    key: str
    name: str
    customers: int
    value: float  # mean
    value_low: float
    value_high: float
    value_everyone: float
    repeat_share: float


@dataclass(frozen=True, kw_only=True)
class SeasonMonth:
    """A calendar month against the trend: 1.2 is a fifth above; so many months of that name were compared."""

    month: int
    index: float
    observations: int


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """Orders by weekday (1 Monday to 7 Sunday) and hour."""

    weekday: int
    hour: int
    orders: int
    amount: float


@dataclass(frozen=True, kw_only=True)
class ChannelCost:
    """What a channel's new customers cost and bring."""

    channel: str
    spend: float
    new_customers: int
    cac: float | None
    value: float | None  # mean total value of a customer
    value_by_cac: float | None
    payback_months: int | None

    @property
    def loss(self) -> float | None:
        """What its new customers cost above their value; negative is a gain, None where either is unknown."""
        if self.cac is None or self.value is None or not self.new_customers:
            return None
        return (self.cac - self.value) * self.new_customers


@dataclass(frozen=True, kw_only=True)
class Economics:
    """Acquisition costs, and profit with margin."""

    channels: tuple[ChannelCost, ...] = ()
    spend: float | None = None
    cac: float | None = None
    unattributed_spend: float | None = None
    profit: tuple[tuple[str, float], ...] = ()  # steps from gross amount to contribution


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two groups of customers, the mean value of their first days, and the interval of the difference."""

    with_customers: int
    with_mean: float
    without_customers: int
    without_mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ListSize:
    """A list of customers in figures."""

    customers: int
    historic: float
    amount_365: float
    order_value_sum: float  # sum of each one's average order value
    predicted: float | None
    refunds: float
    base_rate: float | None = None  # share expected to order within the measuring time, if nothing is done


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All of it. A part that the data do not give is None or empty."""

    scope: Scope
    quality: Quality
    base: Base
    months: tuple[Month, ...] = ()
    movement: tuple[Movement, ...] = ()
    silence_days: int | None = None  # within which 95% of the repeat orders came
    concentration: Concentration | None = None
    stages: tuple[Segment, ...] = ()
    stage_rules: StageRules = CUSTOMER_STAGES
    stage_moves: tuple[StageMove, ...] = ()
    stage_moves_from: date | None = None
    stage_dwell: tuple[Dwell, ...] = ()
    stage_history: tuple[tuple[date, str, int], ...] = ()
    gate: Gate
    model: Model | None = None
    holdout: Holdout | None = None
    holdout_missing: str | None = None  # code of why there is none
    value_bins: tuple[tuple[float, float, int], ...] = ()  # predicted value: from, to, customers
    value_quantiles: tuple[tuple[float, float], ...] = ()
    by_cohort: tuple[Segment, ...] = ()
    by_channel: tuple[Segment, ...] = ()
    by_region: tuple[Segment, ...] = ()
    rfm_groups: tuple[Segment, ...] = ()
    value_groups: tuple[Segment, ...] = ()
    rfm_cells: tuple[tuple[int, int, int], ...] = ()  # recency score, frequency score, customers
    cohorts: tuple[CohortCell, ...] = ()
    cohort_quality: tuple[CohortQuality, ...] = ()
    repeat_curve: tuple[CurvePoint, ...] = ()
    survival: tuple[CurvePoint, ...] = ()
    gaps: Gaps | None = None
    reasons: tuple[Reason, ...] = ()
    reasons_from: date | None = None
    reasons_days: int | None = None
    products: tuple[Product, ...] = ()
    product_count: int = 0
    products_for_80: int | None = None
    categories: tuple[Product, ...] = ()
    returned_products: tuple[ReturnedProduct, ...] = ()
    returned_share: float | None = None
    pairs: tuple[BasketPair, ...] = ()
    first_products: tuple[FirstProduct, ...] = ()
    first_days: int = 0  # days after the first order in which first products and discounts are compared
    season: tuple[SeasonMonth, ...] = ()
    weekday_hour: tuple[HeatCell, ...] = ()
    regions: tuple[Product, ...] = ()
    discount_first: Comparison | None = None
    economics: Economics = field(default_factory=Economics)
    lists: Mapping[str, ListSize] = field(default_factory=dict)

    def stage(self, key: str) -> Segment | None:
        """The stage with this code, when anyone is in it."""
        return next((one for one in self.stages if one.key == key and one.customers), None)

    def list_size(self, code: str) -> ListSize | None:
        """The list with this code, when anyone is on it."""
        size = self.lists.get(code)
        return size if size and size.customers else None
