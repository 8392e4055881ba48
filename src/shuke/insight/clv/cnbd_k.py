"""BG/CNBD-k and MBG/CNBD-k: as BG/NBD and MBG/NBD, for customers who order at regular intervals (Erlang-k).

M. Platzer & T. Reutterer, "Ticking away the moments: timing regularity helps to better predict customer activity",
Marketing Science 35 (2016). k = 1 is random timing; the larger k, the more alike the gaps between a customer's orders.
Where the paper approximates future orders, :mod:`future` sums them exactly.
"""

from __future__ import annotations

from shuke.base.errors import BadInput
from shuke.insight.clv.family import FamilyModel
from shuke.insight.clv.fitting import Covariates, fit_member, refuse_without_repeats
from shuke.insight.clv.likelihood import Dropout, Member
from shuke.insight.clv.statistics import Statistics

__all__ = ["K_MAX", "fit_bg_cnbd_k", "fit_mbg_cnbd_k"]

# Gaps this regular (a coefficient of variation of 0.29) are a subscription, which has models of its own.
K_MAX = 12


def fit_bg_cnbd_k(
    statistics: Statistics, *, k: int | None = None, unit: str = "week", covariates: Covariates | None = None
) -> FamilyModel:
    """Fit r, alpha, a and b for the given k, or for the k ≤ 12 of the highest likelihood.

    Raises BadInput ``insight.bad_k``, and the errors of :func:`fitting.fit_member`.
    """
    return _fit("bg-cnbd-k", Dropout.AFTER_REPEAT, statistics, k, unit, covariates)


def fit_mbg_cnbd_k(
    statistics: Statistics, *, k: int | None = None, unit: str = "week", covariates: Covariates | None = None
) -> FamilyModel:
    """Likewise, with the coin also tossed after the first order."""
    return _fit("mbg-cnbd-k", Dropout.AFTER_EVERY, statistics, k, unit, covariates)


def _fit(
    name: str, dropout: Dropout, statistics: Statistics, k: int | None, unit: str, covariates: Covariates | None
) -> FamilyModel:
    if k is not None:
        if not 1 <= k <= K_MAX:
            raise BadInput("insight.bad_k", k=k, highest=K_MAX)
        return fit_member(name, Member(k, dropout), statistics, unit=unit, covariates=covariates)
    refuse_without_repeats(statistics)
    if statistics.log_gap_sum is None:
        raise BadInput("insight.gaps_missing", model=name)
    # The likelihood rises to one peak in k, as the authors' own search assumes.
    best = fit_member(name, Member(1, dropout), statistics, unit=unit)
    for higher in range(2, K_MAX + 1):
        tried = fit_member(name, Member(higher, dropout), statistics, unit=unit)
        if tried.log_likelihood <= best.log_likelihood:
            break
        best = tried
    return best if covariates is None else _fit(name, dropout, statistics, best.member.k, unit, covariates)
