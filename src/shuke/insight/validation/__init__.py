"""How far to trust a prediction: a model is fitted to the past up to a day and held against what came after.

Beside it stand the guesses that anyone could make without a model, and one of machine learning that never saw the
holdout. Knows :mod:`clv` and the customer summary.
"""

from shuke.insight.validation.holdout import Holdout, RollingOrigins, holdout, rolling_origins
from shuke.insight.validation.scores import Scores, score
from shuke.insight.validation.split import Split, days_to_test, split_at, split_periods_at

__all__ = [
    "Holdout",
    "RollingOrigins",
    "Scores",
    "Split",
    "days_to_test",
    "holdout",
    "rolling_origins",
    "score",
    "split_at",
    "split_periods_at",
]
