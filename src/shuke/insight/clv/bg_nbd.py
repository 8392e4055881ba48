"""BG/NBD and MBG/NBD: steady ordering at random moments, until a toss of a coin after an order ends it.

P. S. Fader, B. G. S. Hardie & K. L. Lee, "Counting your customers the easy way: an alternative to the Pareto/NBD
model", Marketing Science 24 (2005). E. P. Batislam, M. Denizel & A. Filiztekin, "Empirical validation and comparison of
models for customer base analysis", International Journal of Research in Marketing 24 (2007): customers may also leave
after their first order, so that those with one order are not all alive for ever.
"""

from __future__ import annotations

from shuke.insight.clv.family import FamilyModel
from shuke.insight.clv.fitting import Covariates, fit_member
from shuke.insight.clv.likelihood import Dropout, Member
from shuke.insight.clv.statistics import Statistics

__all__ = ["fit_bg_nbd", "fit_mbg_nbd"]


def fit_bg_nbd(statistics: Statistics, *, unit: str = "week", covariates: Covariates | None = None) -> FamilyModel:
    """Fit r, alpha, a and b; with ``covariates`` (names in ``statistics.covariates``) also their coefficients.

    Errors: those of :func:`fitting.fit_member`.
    """
    return fit_member("bg-nbd", Member(1, Dropout.AFTER_REPEAT), statistics, unit=unit, covariates=covariates)


def fit_mbg_nbd(statistics: Statistics, *, unit: str = "week", covariates: Covariates | None = None) -> FamilyModel:
    """Likewise, with the coin also tossed after the first order."""
    return fit_member("mbg-nbd", Member(1, Dropout.AFTER_EVERY), statistics, unit=unit, covariates=covariates)
