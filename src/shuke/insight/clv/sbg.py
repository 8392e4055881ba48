"""Shifted beta-geometric: how long contracts are renewed.

P. S. Fader & B. G. S. Hardie, "How to Project Customer Retention", Journal of Interactive Marketing 21 (2007); the
values of contracts from their "Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity",
Marketing Science 29 (2010). At the end of each period a customer leaves with probability θ, beta(alpha, beta) over
customers. Loyalty is not gained with time: those who were going to leave have left, so the retention rate rises.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, hyp2f1

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.likelihood import rising
from shuke.insight.clv.model import Diagnosis, Floats
from shuke.insight.clv.optimise import Evaluation, judge, maximise
from shuke.insight.clv.questions import check_times
from shuke.insight.clv.statistics import Statistics

__all__ = ["SBG", "fit_sbg"]

_NAMES = ("alpha", "beta")


@dataclass(frozen=True, eq=False)
class SBG:
    """A fitted sBG; times count renewals, so that a new contract is at 0.

    ``covariance`` is that of alpha and beta; ``customers`` those whose contracts began.
    """

    parameters: dict[str, float]
    log_likelihood: float
    covariance: Floats
    diagnosis: Diagnosis
    customers: int

    def survival(self, t: ArrayLike) -> Floats:
        """S(t), the share of new contracts that is renewed t times and more: B(α, β+t)/B(α, β); 2007, equation 6."""
        alpha, beta = self._values
        return np.asarray(np.exp(betaln(alpha, beta + check_times(t, "t")) - betaln(alpha, beta)))

    def churn(self, t: ArrayLike) -> Floats:
        """P(T = t), the share that leaves at the t-th renewal (t ≥ 1); 2007, equation 5."""
        alpha, beta = self._values
        at = check_times(t, "t", least=1.0)
        return np.asarray(np.exp(betaln(alpha + 1, beta + at - 1) - betaln(alpha, beta)))

    def retention(self, t: ArrayLike) -> Floats:
        """r(t) = S(t)/S(t − 1) = (β + t − 1)/(α + β + t − 1); 2007, equation 8."""
        alpha, beta = self._values
        at = check_times(t, "t", least=1.0)
        return np.asarray((beta + at - 1) / (alpha + beta + at - 1))

    def expected_residual(self, renewed: ArrayLike = 0) -> Floats:
        """Expected number of further renewals of a contract renewed so often: the posterior mean of (1 − θ)/θ.

        Infinite for alpha ≤ 1: then a few all but immortal contracts carry the mean, and only discounting tells more.
        """
        alpha, beta = self._values
        n = check_times(renewed, "renewed")
        return np.asarray((beta + n) / (alpha - 1)) if alpha > 1 else np.full(n.shape, np.inf)

    def discounted_lifetime(self, discount_rate: float) -> float:
        """DEL: expected payments of a new contract, the first at once and undiscounted; 2010, equation 5.

        ``discount_rate`` is d per period. BadInput ``insight.bad_rate`` unless it is above 0.
        """
        _check_rate(discount_rate)
        alpha, beta = self._values
        return float(hyp2f1(1, beta, alpha + beta, 1 / (1 + discount_rate)))

    def discounted_residual(self, discount_rate: float, renewed: ArrayLike) -> Floats:
        """DERL: expected payments still to come of a contract renewed so often, just before the next renewal.

        2010, equation 6: (β + n − 1)/(α + β + n − 1) · ₂F₁(1, β + n; α + β + n; 1/(1 + d)) in the n-th period, which is
        the one after n − 1 renewals. ``discount_rate`` as above.
        """
        _check_rate(discount_rate)
        alpha, beta = self._values
        n = check_times(renewed, "renewed") + 1
        ahead = hyp2f1(1, beta + n, alpha + beta + n, 1 / (1 + discount_rate))
        return np.asarray((beta + n - 1) / (alpha + beta + n - 1) * ahead)

    @property
    def _values(self) -> tuple[float, float]:
        return self.parameters["alpha"], self.parameters["beta"]


def fit_sbg(survivors: ArrayLike) -> SBG:
    """The maximum likelihood estimate from one cohort: ``survivors`` (periods + 1,) of each period, the new ones first.

    Counts may be fractions of an index. Raises BadInput ``insight.bad_survivors`` unless there are two or more,
    positive at first and never rising; CannotSay ``insight.nobody_left`` when all remain: nothing is known of leaving.
    """
    counts = np.asarray(survivors, dtype=np.float64)
    if counts.ndim != 1 or counts.size < 2 or not np.isfinite(counts).all():
        raise BadInput("insight.bad_survivors", found=counts.tolist())
    if counts[0] <= 0 or counts[-1] < 0 or (np.diff(counts) > 0).any():
        raise BadInput("insight.bad_survivors", found=counts.tolist())
    left = -np.diff(counts)
    if not left.any():
        raise CannotSay("insight.nobody_left", periods=left.size)
    # Each group of customers by the renewals it made, and whether it then left: (1, …, T of them), and who remain.
    renewed = np.concatenate([np.arange(left.size, dtype=np.float64), [float(left.size)]])
    weight = np.concatenate([left, counts[-1:]])
    leaves = np.concatenate([np.ones(left.size), [0.0]])

    def evaluate(theta: Floats) -> Evaluation:
        """ln of (α)_leaves (β)_renewed / (α+β)_(renewed + leaves), summed over customers."""
        alpha, beta = (float(value) for value in np.exp(theta))
        gone, stayed, in_all = rising(alpha, leaves), rising(beta, renewed), rising(alpha + beta, renewed + leaves)
        share = alpha / (alpha + beta)
        bend = in_all[2] - in_all[1]
        hessian = np.array(
            [
                [gone[2] - share * in_all[1] - share**2 * bend, -share * (1 - share) * bend],
                [-share * (1 - share) * bend, stayed[2] - (1 - share) * in_all[1] - (1 - share) ** 2 * bend],
            ]
        )
        slope = np.stack([gone[1] - share * in_all[1], stayed[1] - (1 - share) * in_all[1]])
        return Evaluation(float(weight @ (gone[0] + stayed[0] - in_all[0])), slope @ weight, hessian @ weight)

    cohort = Statistics.from_arrays([0], [0], [0])
    starts = [np.log([1.0, 3.0]), np.log([0.5, 1.0])]
    optimum = maximise(lambda _: evaluate, cohort, starts)
    customers = round(float(counts[0]))
    covariance, diagnosis = judge(optimum, customers, _NAMES)
    parameters = dict(zip(_NAMES, np.exp(optimum.theta).tolist(), strict=True))
    return SBG(parameters, optimum.at.value, covariance, diagnosis, customers)


def _check_rate(discount_rate: float) -> None:
    if not discount_rate > 0:
        raise BadInput("insight.bad_rate", rate=discount_rate)
