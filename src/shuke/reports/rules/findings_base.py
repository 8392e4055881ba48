"""Rules on the whole: can the report be trusted, who comes in, on whom does the amount rest, when is the season. Pure.

Each rule is a function of the figures that returns a finding, or None when the figures do not support it.
"""

from __future__ import annotations

from datetime import date, timedelta

from shuke.reports.model import Confidence
from shuke.reports.rules.compare import rate_difference, rate_ratio
from shuke.reports.rules.figures import CohortQuality, Figures, Month
from shuke.reports.rules.finding import Finding
from shuke.reports.rules.said import Evidence, Term, count, day, money, month, named, number, share
from shuke.reports.rules.trust import Grade, confidence_of, trust

__all__ = [
    "anonymous_sales",
    "cannot_predict",
    "cohort_quality_falling",
    "cohort_quality_rising",
    "model_not_trustworthy",
    "new_customers_falling",
    "region_concentration",
    "revenue_concentration",
    "season_peak",
]

CONCENTRATED = 0.5  # of the amount with a tenth of the customers
ANONYMOUS = 0.05
FALL = 0.9
WARM_UP_DAYS = 90  # in the first months of the data, old customers look new
REGION_DOMINATES = 0.7
PEAK = 1.25
MIN_COHORT_CUSTOMERS = 100


def cannot_predict(figures: Figures) -> Finding | None:
    """The data do not reach what predictions need: said before anything else."""
    if figures.gate.ok:
        return None
    lacking = [reason for reason in figures.gate.reasons if not reason.ok]
    return Finding(
        code="cannot_predict",
        evidence=tuple(
            Evidence(
                f"gate.{reason.code}", "gate", {"needed": count(reason.needed), "found": count(max(reason.found, 0))}
            )
            for reason in lacking
        ),
        confidence=Confidence.HIGH,
        confidence_reason="counted",
        sample=figures.base.customers,
        said_first=True,
    )


def model_not_trustworthy(figures: Figures) -> Finding | None:
    """The model missed the holdout: said before anything else, in the direction in which it missed."""
    judged, holdout = trust(figures.holdout), figures.holdout
    if holdout is None or judged.grade is not Grade.POOR or judged.total_error is None:
        return None
    evidence = [
        Evidence(
            "finding.model_not_trustworthy.total",
            "holdout",
            {
                "predicted": count(holdout.purchases_predicted),
                "actual": count(holdout.purchases_actual),
                "from": day(holdout.calibration_end),
                "days": count(holdout.days),
            },
        )
    ]
    if judged.gini is not None:
        key = "ranks" if judged.ranks else "no_ranking"
        evidence.append(Evidence(f"finding.model_not_trustworthy.{key}", "deciles", {"gini": number(judged.gini)}))
    if judged.best_baseline is not None and judged.best_baseline_mae is not None:
        beaten = holdout.mae > judged.best_baseline_mae
        evidence.append(
            Evidence(
                f"finding.model_not_trustworthy.{'beaten' if beaten else 'not_beaten'}",
                "baselines",
                {
                    "mae": number(holdout.mae, 3),
                    "baseline": Term(f"baseline.{judged.best_baseline}"),
                    "baseline_mae": number(judged.best_baseline_mae, 3),
                },
            )
        )
    direction = "too_low" if judged.total_error < 0 else "too_high"
    return Finding(
        code="model_not_trustworthy",
        values={
            "error": share(abs(judged.total_error), 0),
            "direction": Term(f"finding.model_not_trustworthy.{direction}"),
        },
        evidence=tuple(evidence),
        confidence=Confidence.HIGH,
        confidence_reason="counted",
        sample=holdout.customers,
        said_first=True,
    )


def anonymous_sales(figures: Figures) -> Finding | None:
    """A notable part of sales cannot be put down to any customer."""
    without = figures.quality.of("no_customer")
    if without is None or without.amount <= 0:
        return None
    part = without.amount / (without.amount + figures.base.gross)
    if part < ANONYMOUS:
        return None
    return Finding(
        code="anonymous_sales",
        values={"share": share(part), "amount": money(without.amount)},
        evidence=(
            Evidence(
                "finding.anonymous_sales.rows",
                "treatments",
                {"rows": count(without.rows), "amount": money(without.amount), "known": money(figures.base.gross)},
            ),
        ),
        confidence=Confidence.HIGH,
        confidence_reason="counted",
        sample=without.rows,
        money=without.amount,
    )


def revenue_concentration(figures: Figures) -> Finding | None:
    """A tenth of the customers brings half of the amount or more."""
    spread, core = figures.concentration, figures.list_size("core")
    if spread is None or core is None or spread.top_10_share < CONCENTRATED:
        return None
    confidence, reason = confidence_of(figures, sample=figures.base.customers, predicted=False)
    return Finding(
        code="revenue_concentration",
        values={"share": share(spread.top_10_share, 0), "customers": count(core.customers)},
        evidence=(
            Evidence(
                "finding.revenue_concentration.half",
                "concentration",
                {"share": share(spread.half_of_amount_customers_share), "gini": number(spread.gini)},
            ),
            Evidence(
                "finding.revenue_concentration.year",
                "list_core",
                {"amount": money(core.amount_365), "customers": count(core.customers)},
            ),
        ),
        confidence=confidence,
        confidence_reason=reason,
        sample=figures.base.customers,
        money=core.amount_365,
        list_code="core",
        customers=core.customers,
    )


def new_customers_falling(figures: Figures) -> Finding | None:
    """Fewer new customers in the last three complete months than before, beyond chance.

    Against the same months a year before when the data reach back that far, else against the three months before, which
    a season can also explain: then the confidence is low. Months of the warm-up count for nothing.
    """
    months = _watchable(figures)
    recent = months[-3:]
    year_ago = {(one.month.year - 1, one.month.month) for one in recent}
    same = [one for one in months if (one.month.year, one.month.month) in year_ago]
    seasonal = len(same) == 3
    before = same if seasonal else months[-6:-3]
    now, then = sum(one.new_customers for one in recent), sum(one.new_customers for one in before)
    if len(recent) < 3 or len(before) < 3 or not now or not then:
        return None
    ratio, _, high = rate_ratio(now, then)
    new_amount = sum(one.new_amount for one in recent) / now
    if ratio > FALL or high >= 1:
        return None
    by_sample, reason = confidence_of(figures, sample=now, predicted=False)
    return Finding(
        code="new_customers_falling",
        values={"fall": share(1 - ratio, 0), "now": count(now), "then": count(then)},
        evidence=(
            Evidence(
                f"finding.new_customers_falling.{'year' if seasonal else 'quarter'}",
                "months",
                {
                    "now": count(now),
                    "then": count(then),
                    "from": month(recent[0].month),
                    "to": month(recent[-1].month),
                    "before_from": month(before[0].month),
                    "before_to": month(before[-1].month),
                },
            ),
            Evidence("finding.new_customers_falling.value", "months", {"value": money(new_amount)}),
        ),
        confidence=by_sample if seasonal else Confidence.LOW,
        confidence_reason=reason if seasonal else "season_unknown",
        sample=now,
        money=(then - now) * new_amount,
    )


def _watchable(figures: Figures) -> list[Month]:
    """Complete months after the warm-up."""
    from_day = figures.scope.first_at.date() + timedelta(days=WARM_UP_DAYS)
    return [one for one in figures.months if one.complete and one.month >= from_day.replace(day=1)]


def cohort_quality_falling(figures: Figures) -> Finding | None:
    """Newer cohorts come back less within 90 days than older ones, beyond chance."""
    return _cohort_quality(figures, falling=True)


def cohort_quality_rising(figures: Figures) -> Finding | None:
    """Newer cohorts come back more within 90 days than older ones, beyond chance."""
    return _cohort_quality(figures, falling=False)


def _cohort_quality(figures: Figures, *, falling: bool) -> Finding | None:
    from_day: date = figures.scope.first_at.date() + timedelta(days=WARM_UP_DAYS)
    cohorts = [one for one in figures.cohort_quality if one.cohort >= from_day.replace(day=1)]
    if len(cohorts) < 4:
        return None
    older, newer = cohorts[: len(cohorts) // 2], cohorts[len(cohorts) // 2 :]
    (old_of, old), (new_of, new) = _sums(older), _sums(newer)
    if min(old_of, new_of) < MIN_COHORT_CUSTOMERS:
        return None
    difference, low, high = rate_difference(new, new_of, old, old_of)
    if (falling and high >= 0) or (not falling and low <= 0):
        return None
    value = figures.base.repeat_order_value
    confidence, reason = confidence_of(figures, sample=min(old_of, new_of), predicted=False)
    code = "cohort_quality_falling" if falling else "cohort_quality_rising"
    return Finding(
        code=code,
        values={"new": share(new / new_of), "old": share(old / old_of)},
        evidence=(
            Evidence(
                "finding.cohort_quality.rates",
                "cohort_quality",
                {
                    "new_of": count(new_of),
                    "new_from": month(newer[0].cohort),
                    "new_to": month(newer[-1].cohort),
                    "old_of": count(old_of),
                    "old_from": month(older[0].cohort),
                    "old_to": month(older[-1].cohort),
                    "low": share(min(abs(low), abs(high))),
                    "high": share(max(abs(low), abs(high))),
                },
            ),
        ),
        confidence=confidence,
        confidence_reason=reason,
        sample=min(old_of, new_of),
        money=abs(difference) * new_of * value if value is not None else None,
    )


def _sums(cohorts: list[CohortQuality]) -> tuple[int, int]:
    return sum(one.customers for one in cohorts), sum(one.repeated_90 for one in cohorts)


def season_peak(figures: Figures) -> Finding | None:
    """A calendar month sells a quarter more than the trend, where the data are long enough to tell a season."""
    peak = max(figures.season, key=lambda one: one.index, default=None)
    complete = [one.amount for one in figures.months if one.complete][-12:]
    if peak is None or peak.index < PEAK or len(complete) < 12:
        return None
    average = sum(complete) / len(complete)
    return Finding(
        code="season_peak",
        values={"month": Term(f"calendar.month_{peak.month}"), "above": share(peak.index - 1, 0)},
        evidence=(
            Evidence(
                "finding.season_peak.years",
                "season",
                {"observations": count(peak.observations), "average": money(average)},
            ),
        ),
        confidence=Confidence.LOW if peak.observations < 2 else Confidence.MEDIUM,
        confidence_reason="seasons_seen",
        sample=peak.observations,
        money=(peak.index - 1) * average,
    )


def region_concentration(figures: Figures) -> Finding | None:
    """One region brings most of the amount; what customers elsewhere spend stands beside it."""
    regions = [one for one in figures.by_region if one.customers]
    total = sum(one.gross for one in regions)
    if len(regions) < 2 or total <= 0:
        return None
    first = max(regions, key=lambda one: one.gross)
    others = [one for one in regions if one.key != first.key]
    part, customers = first.gross / total, sum(one.customers for one in others)
    amount = sum(one.gross for one in others)
    if part < REGION_DOMINATES or customers == 0:
        return None
    confidence, reason = confidence_of(figures, sample=customers, predicted=False)
    return Finding(
        code="region_concentration",
        values={"region": named(first.key), "share": share(part, 0)},
        evidence=(
            Evidence(
                "finding.region_concentration.each",
                "by_region",
                {
                    "region": named(first.key),
                    "here": money(first.gross / first.customers),
                    "elsewhere": money(amount / customers),
                    "customers": count(customers),
                },
            ),
        ),
        confidence=confidence,
        confidence_reason=reason,
        sample=customers,
        money=amount,
    )
