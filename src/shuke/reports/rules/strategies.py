"""What to do at each stage of the relationship: chosen by findings, sized by figures. Pure.

A strategy is there only because a finding is. Its expected value is a stated assumption (a share of the list that
places one order more, a share of the amount that is kept …) times figures; low and high are the same with the smaller
and the larger share. Nothing here claims what an action will do: that is what the measurement is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shuke.reports.rules.figures import Figures, ListSize
from shuke.reports.rules.finding import Finding
from shuke.reports.rules.power import detectable_lift, per_arm
from shuke.reports.rules.said import Said, Term, count, named, share

__all__ = ["MEASURE_DAYS", "STAGES", "Expected", "Measure", "Strategy", "strategies"]

STAGES = ("attract", "educate", "first_order", "use_service", "maintain", "win_back")
MEASURE_DAYS = 90
LIFT_MOST = 0.25  # a comparison that shows only more than this shows nothing


@dataclass(frozen=True, kw_only=True)
class Expected:
    """An assumption and what it is worth: ``basis`` times the middle, the smaller and the larger share."""

    assumption: str  # the catalogue's key: "If {share} of …"
    basis: float
    shares: tuple[float, float, float]  # low, middle, high

    @property
    def low(self) -> float:
        """With the smaller share."""
        return self.basis * self.shares[0]

    @property
    def value(self) -> float:
        """With the middle share."""
        return self.basis * self.shares[1]

    @property
    def high(self) -> float:
        """With the larger share."""
        return self.basis * self.shares[2]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How to know whether it worked: the text's key and its values; ``per_arm`` None where no list is split."""

    key: str
    values: Mapping[str, Said | Term] = field(default_factory=dict)
    per_arm: int | None = None
    detectable: float | None = None


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """One strategy: texts ``strategy.<code>.{title,why,action1…}`` filled with ``values``."""

    code: str
    stage: str
    findings: tuple[str, ...]
    values: Mapping[str, Said | Term]
    measure: Measure
    expected: Expected | None = None
    list_code: str | None = None
    customers: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How a strategy follows from its findings."""

    code: str
    stage: str
    triggers: tuple[str, ...]
    values: Callable[[Figures, Finding], Mapping[str, Said | Term]] = lambda _figures, found: found.values
    list_code: str | None = None
    basis: Callable[[Figures, Finding], float | None] = lambda _figures, _found: None
    assumption: str = ""
    shares: tuple[float, float, float] = (0.05, 0.10, 0.20)
    measure: str = "list"


def _orders_of(code: str) -> Callable[[Figures, Finding], float | None]:
    """One order each of everyone on the list, at their own average order value, after the cost of goods."""

    def basis(figures: Figures, _found: Finding) -> float | None:
        size = figures.list_size(code)
        return size.order_value_sum * _margin(figures) if size else None

    return basis


def _year_of(code: str) -> Callable[[Figures, Finding], float | None]:
    """What the list bought in the last twelve months, after the cost of goods."""

    def basis(figures: Figures, _found: Finding) -> float | None:
        size = figures.list_size(code)
        return size.amount_365 * _margin(figures) if size else None

    return basis


def _margin(figures: Figures) -> float:
    return 1.0 if figures.scope.margin is None else figures.scope.margin


def _money_of_finding(figures: Figures, found: Finding) -> float | None:
    return None if found.money is None else found.money * _margin(figures)


def _refunds(_figures: Figures, found: Finding) -> float | None:
    return found.money


def _referred(figures: Figures, found: Finding) -> float | None:
    each = figures.base.net / figures.base.customers * _margin(figures)
    return (found.customers or 0) * each or None


def _second_orders(figures: Figures, found: Finding) -> float | None:
    value = figures.base.repeat_order_value
    return None if value is None or found.customers is None else found.customers * value * _margin(figures)


def _lead_time(figures: Figures, found: Finding) -> Mapping[str, Said | Term]:
    peak = max(figures.season, key=lambda one: one.index)
    return {**found.values, "before": Term(f"calendar.month_{(peak.month - 3) % 12 + 1}")}


def _best_pairs(figures: Figures, found: Finding) -> Mapping[str, Said | Term]:
    best = next(one for one in figures.pairs if found.values["first"] == named(one.first))
    return {**found.values, "confidence": share(best.confidence, 0)}


PLANS: tuple[_Plan, ...] = (
    _Plan(
        code="identify",
        stage="attract",
        triggers=("anonymous_sales",),
        measure="identify",
    ),
    _Plan(
        code="refill",
        stage="attract",
        triggers=("new_customers_falling",),
        basis=_money_of_finding,
        assumption="gap_closed",
        shares=(0.25, 0.50, 1.0),
        measure="refill",
    ),
    _Plan(
        code="refer",
        stage="attract",
        triggers=("revenue_concentration",),
        list_code="core",
        basis=_referred,
        assumption="refer",
        shares=(0.02, 0.05, 0.10),
        measure="refer",
    ),
    _Plan(
        code="budget",
        stage="attract",
        triggers=("cost_above_value", "channel_value"),
        measure="budget",
    ),
    _Plan(
        code="first_product",
        stage="educate",
        triggers=("lasting_first_product",),
        measure="newcomers",
    ),
    _Plan(
        code="season",
        stage="educate",
        triggers=("season_peak",),
        values=_lead_time,
        measure="season",
    ),
    _Plan(
        code="second_order",
        stage="first_order",
        triggers=("second_order_window",),
        list_code="second_order_now",
        basis=_second_orders,
        assumption="one_more_order",
    ),
    _Plan(
        code="rescue",
        stage="first_order",
        triggers=("one_time_promising",),
        list_code="one_time_promising",
        basis=_orders_of("one_time_promising"),
        assumption="one_more_order",
        shares=(0.02, 0.05, 0.10),
    ),
    _Plan(
        code="less_discount",
        stage="first_order",
        triggers=("discount_acquired",),
        measure="newcomers",
    ),
    _Plan(
        code="check_newcomers",
        stage="first_order",
        triggers=("cohort_quality_falling",),
        basis=_money_of_finding,
        assumption="gap_closed",
        shares=(0.25, 0.50, 1.0),
        measure="newcomers",
    ),
    _Plan(
        code="remind",
        stage="use_service",
        triggers=("due_soon",),
        list_code="due_soon",
        basis=_orders_of("due_soon"),
        assumption="one_more_order",
        shares=(0.01, 0.03, 0.05),  # nearly all of them order anyway
    ),
    _Plan(
        code="bundle",
        stage="use_service",
        triggers=("basket_pair",),
        values=_best_pairs,
        list_code="pair_missing",
    ),
    _Plan(
        code="returns",
        stage="use_service",
        triggers=("return_prone_products", "return_prone_customers"),
        list_code="return_prone",
        basis=_refunds,
        assumption="refunds_avoided",
        shares=(0.10, 0.20, 0.30),
        measure="returns",
    ),
    _Plan(
        code="keep_loyal",
        stage="maintain",
        triggers=("loyal_core",),
        list_code="loyal",
        basis=_year_of("loyal"),
        assumption="amount_kept",
        shares=(0.01, 0.03, 0.05),
    ),
    _Plan(
        code="keep_core",
        stage="maintain",
        triggers=("revenue_concentration",),
        list_code="core",
        basis=_year_of("core"),
        assumption="amount_kept",
        shares=(0.01, 0.03, 0.05),
    ),
    _Plan(
        code="win_back_at_risk",
        stage="win_back",
        triggers=("at_risk_valuable",),
        list_code="at_risk_valuable",
        basis=_orders_of("at_risk_valuable"),
        assumption="one_more_order",
    ),
    _Plan(
        code="win_back_lost",
        stage="win_back",
        triggers=("lost_valuable",),
        list_code="lost_valuable",
        basis=_orders_of("lost_valuable"),
        assumption="one_more_order",
        shares=(0.02, 0.05, 0.10),
    ),
)


def strategies(figures: Figures, found: tuple[Finding, ...]) -> tuple[Strategy, ...]:
    """The strategies that the findings choose, by stage; within a stage the larger expected value first."""
    by_code = {finding.code: finding for finding in found}
    chosen = [_strategy(plan, figures, by_code) for plan in PLANS if any(code in by_code for code in plan.triggers)]
    by_stage = {stage: index for index, stage in enumerate(STAGES)}
    return tuple(sorted(chosen, key=lambda one: (by_stage[one.stage], -(one.expected.value if one.expected else 0.0))))


def _strategy(plan: _Plan, figures: Figures, by_code: Mapping[str, Finding]) -> Strategy:
    codes = tuple(code for code in plan.triggers if code in by_code)
    main = by_code[codes[0]]
    basis = plan.basis(figures, main)
    size = figures.list_size(plan.list_code) if plan.list_code else None
    return Strategy(
        code=plan.code,
        stage=plan.stage,
        findings=codes,
        values=plan.values(figures, main),
        measure=_list_measure(size, plan.shares[1])
        if plan.measure == "list"
        else Measure(key=f"measure.{plan.measure}"),
        expected=Expected(assumption=f"assumption.{plan.assumption}", basis=basis, shares=plan.shares)
        if basis
        else None,
        list_code=plan.list_code if size else None,
        customers=size.customers if size else None,
    )


def _list_measure(size: ListSize | None, lift: float) -> Measure:
    """Split the list at random: how many in each arm show the assumed lift, or which lift the list can show at all."""
    if size is None:
        return Measure(key="measure.newcomers")
    known = size.base_rate is not None and 0 < size.base_rate < 1
    base_rate = size.base_rate if known and size.base_rate is not None else 0.5 - lift / 2
    # Where nearly all order anyway there is not that much to gain.
    lift = min(lift, (1 - base_rate) / 2)
    needed = per_arm(base_rate, lift)
    values: dict[str, Said | Term] = {
        "customers": count(size.customers),
        "needed": count(needed),
        "lift": share(lift),
        "base": share(base_rate),
        "days": count(MEASURE_DAYS),
    }
    source = "known" if known else "unknown"
    if 2 * needed <= size.customers:
        return Measure(key=f"measure.list_{source}", values=values, per_arm=needed)
    half = size.customers // 2
    detectable = detectable_lift(base_rate, half) if half else None
    if detectable is None or detectable > LIFT_MOST:
        return Measure(key="measure.list_too_small", values={**values, "most": share(LIFT_MOST, 0)})
    values |= {"half": count(half), "detectable": share(detectable)}
    return Measure(key=f"measure.list_small_{source}", values=values, per_arm=half, detectable=detectable)
