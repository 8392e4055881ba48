"""NBD: customers order at their own steady rate and never leave.

A. S. C. Ehrenberg, "The pattern of consumer purchases", Applied Statistics 8 (1959). The special case that every model
with dropout must beat.
"""

from __future__ import annotations

from shuke.insight.clv.family import FamilyModel
from shuke.insight.clv.fitting import fit_member
from shuke.insight.clv.likelihood import Dropout, Member
from shuke.insight.clv.statistics import Statistics

__all__ = ["fit_nbd"]


def fit_nbd(statistics: Statistics, *, unit: str = "week") -> FamilyModel:
    """Fit r and alpha. Raises CannotSay ``insight.no_repeat_orders``."""
    return fit_member("nbd", Member(1, Dropout.NEVER), statistics, unit=unit)
