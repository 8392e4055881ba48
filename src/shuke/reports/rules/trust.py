"""How far the predictions may be trusted, by what they got right in the holdout. Pure.

The rule, which the report prints:

- good: the holdout's total within 10%, the customers ranked better than by their past frequency alone or nearly so
  (Gini of at least 0.3), and no plain baseline with a mean error more than 5% smaller;
- fair: the total within 25% and the same ranking;
- poor: anything else. Then the ranking may still help, but no total is to be planned with.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shuke.reports.model import Confidence
from shuke.reports.rules.figures import Figures, Holdout

__all__ = ["GINI_NEEDED", "Grade", "Trust", "confidence_of", "trust"]

TOTAL_GOOD, TOTAL_FAIR = 0.10, 0.25
GINI_NEEDED = 0.3
BASELINE_SLACK = 1.05

SAMPLE_HIGH, SAMPLE_MEDIUM = 400, 100


class Grade(StrEnum):
    """How the model did."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Trust:
    """The grade and what it rests on."""

    grade: Grade
    total_error: float | None = None
    gini: float | None = None
    best_baseline: str | None = None
    best_baseline_mae: float | None = None
    ranks: bool = False


def trust(holdout: Holdout | None) -> Trust:
    """The grade of a model by its holdout; unknown without one, or when nobody bought in it."""
    if holdout is None or holdout.total_error is None:
        return Trust(Grade.UNKNOWN)
    best = min(holdout.baselines, key=lambda one: one.mae, default=None)
    ranks = holdout.gini is None or holdout.gini >= GINI_NEEDED
    beaten = best is not None and holdout.mae > best.mae * BASELINE_SLACK
    off = abs(holdout.total_error)
    if off <= TOTAL_GOOD and ranks and not beaten:
        grade = Grade.GOOD
    elif off <= TOTAL_FAIR and ranks:
        grade = Grade.FAIR
    else:
        grade = Grade.POOR
    return Trust(
        grade,
        holdout.total_error,
        holdout.gini,
        best.name if best else None,
        best.mae if best else None,
        ranks,
    )


def confidence_of(figures: Figures, *, sample: float, predicted: bool) -> tuple[Confidence, str]:
    """The confidence of a finding and the code of its reason.

    By sample: high from 400 customers (a share's 95% interval is then within ±5 points), medium from 100. A finding
    that rests on predictions is at most as certain as the model is trusted: good high, fair medium, else low.
    """
    order = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)
    by_sample = 2 if sample >= SAMPLE_HIGH else 1 if sample >= SAMPLE_MEDIUM else 0
    if not predicted:
        return order[by_sample], "sample"
    grade = trust(figures.holdout).grade
    by_model = {Grade.GOOD: 2, Grade.FAIR: 1, Grade.POOR: 0, Grade.UNKNOWN: 0}[grade]
    return order[min(by_sample, by_model)], "sample" if by_sample < by_model else f"model_{grade.value}"
