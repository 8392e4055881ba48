"""Rules on groups of customers: each finding is a list to work with. Pure."""

from __future__ import annotations

from shuke.reports.model import Confidence
from shuke.reports.rules.figures import Figures, ListSize
from shuke.reports.rules.finding import Finding
from shuke.reports.rules.said import Evidence, Said, Term, count, money, share
from shuke.reports.rules.trust import confidence_of

__all__ = [
    "at_risk_valuable",
    "discount_acquired",
    "due_soon",
    "lost_valuable",
    "loyal_core",
    "one_time_promising",
    "return_prone_customers",
    "second_order_window",
]

SMALLEST_LIST = 10  # fewer customers are no finding
LOYAL_SHARE = 0.3
RETURNS_TIMES = 3  # as high as the whole brand's rate
MIN_SECOND_ORDERS = 100


def _list(figures: Figures, code: str) -> ListSize | None:
    size = figures.list_size(code)
    return size if size and size.customers >= SMALLEST_LIST else None


def at_risk_valuable(figures: Figures) -> Finding | None:
    """Good customers who are overdue by the stage's rule, with what they bought in the last twelve months at stake."""
    size, stage = _list(figures, "at_risk_valuable"), figures.stage("at_risk")
    if size is None or stage is None or size.amount_365 <= 0:
        return None
    evidence = [
        Evidence(
            "finding.at_risk_valuable.of_stage",
            "stages",
            {"customers": count(stage.customers), "days": count(stage.recency_days)},
        ),
        Evidence(
            "finding.at_risk_valuable.year",
            "list_at_risk_valuable",
            {"amount": money(size.amount_365), "share": share(size.amount_365 / figures.base.amount_365)},
        ),
    ]
    predicted = size.predicted is not None
    if size.predicted is not None:
        evidence.append(
            Evidence(
                "finding.at_risk_valuable.predicted", "list_at_risk_valuable", {"predicted": money(size.predicted)}
            )
        )
    confidence, reason = confidence_of(figures, sample=size.customers, predicted=predicted)
    return Finding(
        code="at_risk_valuable",
        values={"customers": count(size.customers), "amount": money(size.amount_365)},
        evidence=tuple(evidence),
        confidence=confidence,
        confidence_reason=reason,
        sample=size.customers,
        money=size.amount_365,
        list_code="at_risk_valuable",
        customers=size.customers,
    )


def lost_valuable(figures: Figures) -> Finding | None:
    """Once good customers who count as lost."""
    size, stage = _list(figures, "lost_valuable"), figures.stage("lost")
    if size is None or stage is None or size.historic <= 0:
        return None
    confidence, reason = confidence_of(figures, sample=size.customers, predicted=False)
    return Finding(
        code="lost_valuable",
        values={"customers": count(size.customers), "amount": money(size.historic)},
        evidence=(
            Evidence(
                "finding.lost_valuable.of_stage",
                "stages",
                {
                    "customers": count(stage.customers),
                    "share": share(stage.customers / figures.base.customers),
                    "days": count(stage.recency_days),
                },
            ),
            Evidence(
                "finding.lost_valuable.once",
                "list_lost_valuable",
                {"value": money(size.order_value_sum / size.customers), "all": money(size.order_value_sum)},
            ),
        ),
        confidence=confidence,
        confidence_reason=reason,
        sample=size.customers,
        money=size.order_value_sum,
        list_code="lost_valuable",
        customers=size.customers,
    )


def second_order_window(figures: Figures) -> Finding | None:
    """Most second orders come within so many days of the first: who is inside that window now can still be reached."""
    gaps, size = figures.gaps, _list(figures, "second_order_now")
    repeaters = figures.base.customers - figures.base.one_time_customers
    value = figures.base.repeat_order_value
    if gaps is None or size is None or gaps.second_p80_days is None or gaps.second_median_days is None:
        return None
    if repeaters < MIN_SECOND_ORDERS or value is None:
        return None
    evidence = [
        Evidence(
            "finding.second_order_window.once",
            "base",
            {
                "share": share(figures.base.one_time_customers / figures.base.customers),
                "customers": count(figures.base.one_time_customers),
            },
        ),
        Evidence(
            "finding.second_order_window.when",
            "repeat_curve",
            {
                "median": count(gaps.second_median_days),
                "days": count(gaps.second_p80_days),
                "repeaters": count(repeaters),
            },
        ),
    ]
    confidence, reason = confidence_of(figures, sample=repeaters, predicted=False)
    return Finding(
        code="second_order_window",
        values={"days": count(gaps.second_p80_days), "customers": count(size.customers)},
        evidence=tuple(evidence),
        confidence=confidence,
        confidence_reason=reason,
        sample=repeaters,
        money=size.customers * value,
        list_code="second_order_now",
        customers=size.customers,
    )


def one_time_promising(figures: Figures) -> Finding | None:
    """Customers who spent as much as the best two fifths at once, and did not come back within the window."""
    size = _list(figures, "one_time_promising")
    if size is None or figures.gaps is None or figures.gaps.second_p80_days is None:
        return None
    mean = size.order_value_sum / size.customers
    if mean <= figures.base.average_order_value:
        return None
    evidence = [
        Evidence(
            "finding.one_time_promising.order",
            "list_one_time_promising",
            {"value": money(mean), "all": money(figures.base.average_order_value)},
        )
    ]
    predicted = size.predicted is not None
    if size.predicted is not None:
        evidence.append(
            Evidence(
                "finding.one_time_promising.predicted",
                "list_one_time_promising",
                {"predicted": money(size.predicted), "each": money(size.predicted / size.customers)},
            )
        )
    confidence, reason = confidence_of(figures, sample=size.customers, predicted=predicted)
    return Finding(
        code="one_time_promising",
        values={"customers": count(size.customers), "days": count(figures.gaps.second_p80_days)},
        evidence=tuple(evidence),
        confidence=confidence,
        confidence_reason=reason,
        sample=size.customers,
        money=size.order_value_sum,
        list_code="one_time_promising",
        customers=size.customers,
    )


def due_soon(figures: Figures) -> Finding | None:
    """Customers whose next order is expected within a month."""
    size = _list(figures, "due_soon")
    if size is None or size.predicted is None:
        return None
    values: dict[str, Said | Term] = {"customers": count(size.customers), "amount": money(size.order_value_sum)}
    confidence, reason = confidence_of(figures, sample=size.customers, predicted=True)
    return Finding(
        code="due_soon",
        values=values,
        evidence=(
            Evidence(
                "finding.due_soon.value",
                "list_due_soon",
                {"value": money(size.order_value_sum / size.customers), "customers": count(size.customers)},
            ),
        ),
        confidence=confidence,
        confidence_reason=reason,
        sample=size.customers,
        money=size.order_value_sum,
        list_code="due_soon",
        customers=size.customers,
    )


def loyal_core(figures: Figures) -> Finding | None:
    """The loyal hold a large part of the predicted value."""
    stage, size = figures.stage("loyal"), _list(figures, "loyal")
    total = sum(one.predicted or 0.0 for one in figures.stages)
    if stage is None or size is None or stage.predicted is None or total <= 0:
        return None
    part = stage.predicted / total
    if part < LOYAL_SHARE or part <= stage.customers / figures.base.customers:
        return None
    confidence, reason = confidence_of(figures, sample=stage.customers, predicted=True)
    evidence = [
        Evidence(
            "finding.loyal_core.each",
            "stages_expected",
            {
                "each": money(stage.predicted / stage.customers),
                "all": money(total / figures.base.customers),
                "customers": count(stage.customers),
            },
        )
    ]
    if stage.predicted_low is not None and stage.predicted_high is not None:
        evidence.append(
            Evidence(
                "finding.loyal_core.interval",
                "stages_expected",
                {"low": money(stage.predicted_low), "high": money(stage.predicted_high)},
            )
        )
    return Finding(
        code="loyal_core",
        values={
            "customers_share": share(stage.customers / figures.base.customers, 0),
            "value_share": share(part, 0),
            "days": count(figures.scope.horizon_days),
        },
        evidence=tuple(evidence),
        confidence=confidence,
        confidence_reason=reason,
        sample=stage.customers,
        money=stage.predicted,
        list_code="loyal",
        customers=stage.customers,
    )


def return_prone_customers(figures: Figures) -> Finding | None:
    """Customers who return several times as much of what they buy as the brand's customers do on the whole."""
    size = _list(figures, "return_prone")
    if size is None or figures.base.refunds <= 0 or size.refunds <= 0:
        return None
    return_share = size.refunds / figures.base.refunds
    whole = figures.base.refunds / figures.base.gross
    if return_share < RETURNS_TIMES * size.customers / figures.base.customers:
        return None
    return Finding(
        code="return_prone_customers",
        values={"customers": count(size.customers), "share": share(return_share, 0)},
        evidence=(
            Evidence(
                "finding.return_prone_customers.amount",
                "list_return_prone",
                {"refunds": money(size.refunds), "all": money(figures.base.refunds), "rate": share(whole)},
            ),
        ),
        confidence=Confidence.HIGH,
        confidence_reason="counted",
        sample=size.customers,
        money=size.refunds,
        list_code="return_prone",
        customers=size.customers,
    )


def discount_acquired(figures: Figures) -> Finding | None:
    """Customers won with a discount are worth less in their first days, beyond chance."""
    compared, size = figures.discount_first, _list(figures, "discount_acquired")
    if compared is None or size is None or compared.high >= 0:
        return None
    less = compared.without_mean - compared.with_mean
    confidence, reason = confidence_of(
        figures, sample=min(compared.with_customers, compared.without_customers), predicted=False
    )
    return Finding(
        code="discount_acquired",
        values={"less": share(less / compared.without_mean, 0), "customers": count(compared.with_customers)},
        evidence=(
            Evidence(
                "finding.discount_acquired.means",
                "discount_first",
                {
                    "with": money(compared.with_mean),
                    "without": money(compared.without_mean),
                    "low": money(-compared.high),
                    "high": money(-compared.low),
                    "days": count(figures.first_days),
                },
            ),
        ),
        confidence=confidence,
        confidence_reason=reason,
        sample=min(compared.with_customers, compared.without_customers),
        money=less * compared.with_customers,
        list_code="discount_acquired",
        customers=size.customers,
    )
