"""Pareto/NBD: customers order at their own steady rate until they leave, unseen, at a moment of continuous time.

D. C. Schmittlein, D. G. Morrison & R. Colombo, "Counting Your Customers: Who Are They and What Will They Do Next?",
Management Science 33 (1987). Expressions after P. S. Fader & B. G. S. Hardie, "A Note on Deriving the Pareto/NBD Model
and Related Expressions" (2005). Given that a customer is alive at T, the order rate is gamma(R, A) with R = r+x and
A = α+T, the rate of leaving gamma(s, B) with B = β+T, and the two are independent: every look ahead rests on that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import exprel, gammaln, hyp2f1, xlogy

from shuke.base.errors import CannotSay
from shuke.insight.clv.distinct import distinct
from shuke.insight.clv.fitted import FittedModel
from shuke.insight.clv.fitting import refuse_without_repeats, time_scale
from shuke.insight.clv.model import Diagnosis, Floats
from shuke.insight.clv.nbd import fit_nbd
from shuke.insight.clv.optimise import Nested, Optimum, climb, judge, maximise
from shuke.insight.clv.pareto_likelihood import EFOLDINGS, NODE_WEIGHTS, NODES, ParetoLikelihood, chunks, joint
from shuke.insight.clv.questions import check_count, check_horizon, check_level, check_rate, check_times, histories
from shuke.insight.clv.statistics import Statistics
from shuke.insight.clv.traits import Covariates, at_traits, mean_and_spread, to_own_units

__all__ = ["ParetoNBD", "fit_pareto_nbd"]

# Cells that are enough for a point within sampling error.
_WARM_CELLS = 2_000
# A model in which this few leave is NBD, to all practical purposes.
_RARE = 1e-4
_ORDERS_MAX = 100_000
_ROUNDING = 1e-12
_NAMES = ("r", "alpha", "s", "beta")


@dataclass(frozen=True, eq=False)
class _Customers:
    """Histories flat (n,), with each customer's alpha and beta, and the shape that answers go back to."""

    shape: tuple[int, ...]
    x: Floats
    t_x: Floats
    T: Floats
    alpha: Floats
    beta: Floats


@dataclass(frozen=True, eq=False)
class ParetoNBD(FittedModel):
    """A fitted Pareto/NBD; see :class:`model.PurchaseModel` for what each method answers.

    ``parameters``: r, alpha, s, beta; with covariates ``alpha.<trait>`` and ``beta.<trait>``, the change of the
    parameter's logarithm per unit of the trait. A model with covariates must be given them: one array per trait.

    Raises BadInput ``insight.covariates_missing`` or ``insight.bad_history`` (t_x > T, negative numbers).
    """

    name: ClassVar[str] = "pareto-nbd"

    def p_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, covariates: Covariates | None = None) -> Floats:
        """P(alive at T | history): the share of the likelihood that has not left by T."""
        people = self._people(x, t_x, T, covariates)
        return self._alive(people).reshape(people.shape)

    def expected_total(self, t: ArrayLike) -> Floats:
        """E[X(t)] of a new customer, for a model without covariates; Fader & Hardie 2005 equation 27."""
        people = self._people(0.0, 0.0, 0.0, None)
        times = check_times(t, "t")
        return np.asarray(self._rate(people)[0] * _time_alive(self.parameters["s"], people.beta[0], times))

    def probability_of(
        self,
        k: int,
        horizon: float,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        *,
        covariates: Covariates | None = None,
    ) -> Floats:
        """P(Y(horizon) = k | history): a negative binomial for each length of life, averaged over lives."""
        check_count(k)
        check_horizon(horizon)
        people = self._people(x, t_x, T, covariates)
        (R, A, B), cell = self._rates(people)
        chance = np.empty(R.size)
        for part in chunks(R.size):
            success, share = _future_lives(self.parameters["s"], A[part], B[part], horizon)
            ways = gammaln(R[part] + k) - gammaln(R[part]) - gammaln(k + 1.0)
            orders = np.exp(ways[:, None] + R[part, None] * np.log1p(-success) + xlogy(k, success))
            chance[part] = np.einsum("nm,nm->n", share, orders)
        alive = self._alive(people)
        return np.asarray(alive * chance[cell] + (1 - alive) * (k == 0)).reshape(people.shape)

    def purchases_interval(
        self,
        horizon: float,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        level: float = 0.8,
        *,
        covariates: Covariates | None = None,
    ) -> tuple[Floats, Floats]:
        """Quantiles of the distribution of Y(horizon) given the history and the fitted parameters."""
        check_level(level)
        check_horizon(horizon)
        people = self._people(x, t_x, T, covariates)
        alive = np.maximum(self._alive(people), 1e-300)
        rates, cell = self._rates(people)
        # P(Y ≤ k) ≥ q exactly where, among the living, P(Y ≤ k | alive) ≥ 1 − (1 − q)/P(alive).
        low, high = (
            _quantile(self.parameters["s"], horizon, rates, cell, 1 - (1 - q) / alive).reshape(people.shape)
            for q in ((1 - level) / 2, (1 + level) / 2)
        )
        return low, high

    def purchases_moments(
        self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, covariates: Covariates | None = None
    ) -> tuple[Floats, Floats]:
        """E[Y] and Var[Y] given the history; Fader & Hardie 2005 equation 41: P(alive) · R/A · expected time alive."""
        people = self._people(x, t_x, T, covariates)
        mean, variance = self._moments(horizon, people)
        return mean.reshape(people.shape), variance.reshape(people.shape)

    def expected_next_order(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, covariates: Covariates | None = None
    ) -> Floats:
        """Median time from T to the next order of a customer alive at T, who may leave before it.

        NaN where the chance of another order stays below one half for good: the median is not on the calendar.
        """
        people = self._people(x, t_x, T, covariates)
        rates, cell = self._rates(people)
        return _median_wait(self.parameters["s"], *rates)[cell].reshape(people.shape)

    def discounted_residual(
        self,
        rate_per_unit: float,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        horizon: float | None = None,
        *,
        covariates: Covariates | None = None,
    ) -> Floats:
        """Discounted expected residual orders. BadInput ``insight.bad_rate`` below 0 or 0 forever.

        P. S. Fader, B. G. S. Hardie & K. L. Lee, "RFM and CLV", Journal of Marketing Research 42 (2005), equation 2,
        with the integral over time instead of the confluent hypergeometric function that it comes to.
        """
        check_rate(rate_per_unit, horizon)
        people = self._people(x, t_x, T, covariates)
        until = min(np.inf if horizon is None else horizon, EFOLDINGS / max(rate_per_unit, 1e-300))
        B, cell = np.unique(people.beta + people.T, return_inverse=True)
        later, width = _moments_ahead(B, np.full(B.shape, until))
        worth = np.exp(-rate_per_unit * later - self.parameters["s"] * np.log1p(later / B[:, None]))
        life = np.einsum("nm,nm->n", width, worth)[cell]
        return np.asarray(self._alive(people) * self._rate(people) * life).reshape(people.shape)

    # -- what the answers rest on -------------------------------------------------------------------------------

    def _people(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, covariates: Covariates | None) -> _Customers:
        scales = at_traits(self.parameters, ("alpha", "beta"), covariates)
        shape = np.broadcast(x, t_x, T, *scales.values()).shape
        columns = np.broadcast_arrays(*histories(x, t_x, T), *scales.values())
        return _Customers(shape, *(np.ascontiguousarray(column).ravel() for column in columns))

    def _alive(self, people: _Customers) -> Floats:
        r, s = self.parameters["r"], self.parameters["s"]
        alive = np.empty(people.x.size)
        for part in chunks(people.x.size):
            lives = joint(
                (r, people.alpha[part], s, people.beta[part]), people.x[part], people.t_x[part], people.T[part]
            )
            alive[part] = np.exp(lives.log_joint[:, -1] - np.logaddexp.reduce(lives.log_joint, axis=1))
        return alive

    def _rate(self, people: _Customers) -> Floats:
        """Expected order rate of a customer alive at T: R/A."""
        return (self.parameters["r"] + people.x) / (people.alpha + people.T)

    def _rates(self, people: _Customers) -> tuple[tuple[Floats, Floats, Floats], NDArray[np.intp]]:
        """Distinct R, A and B, and which of them each customer has: a million customers have some ten thousand."""
        columns = self.parameters["r"] + people.x, people.alpha + people.T, people.beta + people.T
        first, cell = distinct(*columns)
        return (columns[0][first], columns[1][first], columns[2][first]), cell

    def _moments(self, horizon: float, people: _Customers) -> tuple[Floats, Floats]:
        """E[Y] and Var[Y], from E[Y²] = E[Y] + E[λ²]·E[D²] for a Poisson count over a life of length D."""
        check_horizon(horizon)
        s, alive, rate, B = self.parameters["s"], self._alive(people), self._rate(people), people.beta + people.T
        growth = np.log1p(horizon / B)
        life_squared = 2 * B**2 * growth * (exprel((2 - s) * growth) - exprel((1 - s) * growth))
        mean = alive * rate * _time_alive(s, B, horizon)
        rate_squared = rate * (rate + 1 / (people.alpha + people.T))
        return mean, mean + alive * rate_squared * life_squared - mean**2


def fit_pareto_nbd(statistics: Statistics, *, unit: str = "week", covariates: Sequence[str] | None = None) -> ParetoNBD:
    """The maximum likelihood estimate; with ``covariates`` (names in ``statistics.covariates``) also their effects.

    Fixed traits act on both scales, as in Fader & Hardie, "Incorporating time-invariant covariates into the Pareto/NBD
    and BG/NBD models" (2007). NBD is the special case in which nobody leaves; the fit never falls below it.

    Raises CannotSay ``insight.no_repeat_orders``, BadInput ``insight.covariates_missing`` and
    ``insight.covariate_constant``.
    """
    refuse_without_repeats(statistics)
    mean_age = time_scale(statistics)
    nbd = fit_nbd(statistics, unit=unit)
    at_nbd = np.log([nbd.parameters["r"], nbd.parameters["alpha"], _RARE, mean_age])
    starts = [np.log([r, mean_age * a, s, mean_age * a]) for r, a, s in ((0.5, 0.3, 0.6), (1.0, 1.0, 1.0))]
    # A few thousand cells find the neighbourhood at a fraction of the price.
    warm = climb(ParetoLikelihood(statistics.thinned(_WARM_CELLS)), starts[0]).theta
    scale = np.array([1.0, mean_age, 1.0, mean_age])
    nested = Nested(nbd.log_likelihood, at_nbd)
    optimum = maximise(ParetoLikelihood, statistics, [warm, *starts[1:], at_nbd], scale=scale, nested=nested)
    if not covariates:
        covariance, diagnosis = judge(optimum, statistics.customers, _NAMES, scale=scale, nested=nested)
        values = np.exp(optimum.theta)
        return _model(_NAMES, values, optimum, covariance, diagnosis, statistics, unit)
    return _fit_with_covariates(statistics, unit, tuple(covariates), optimum)


def _fit_with_covariates(statistics: Statistics, unit: str, traits: tuple[str, ...], plain: Optimum) -> ParetoNBD:
    """Climb from the nested model without covariates, with traits standardised so that their units do not matter."""
    mean, spread = np.array([mean_and_spread(statistics, trait) for trait in traits]).T

    def objective_of(cells: Statistics) -> ParetoLikelihood:
        columns = np.column_stack([(cells.covariates or {})[trait] for trait in traits])
        return ParetoLikelihood(cells, (columns - mean) / spread)

    count = len(traits)
    mean_age = time_scale(statistics)
    scale = np.concatenate([[1.0, mean_age, 1.0, mean_age], np.ones(2 * count)])
    names = (*_NAMES, *(f"{name}.{trait}" for name in ("alpha", "beta") for trait in traits))
    logarithmic = np.array(["." not in name for name in names])
    start = np.concatenate([plain.theta, np.zeros(2 * count)])
    nested = Nested(plain.at.value, start)
    optimum = maximise(objective_of, statistics, [start], scale=scale, nested=nested)
    covariance, diagnosis = judge(
        optimum, statistics.customers, names, scale=scale, logarithmic=logarithmic.tolist(), nested=nested
    )
    # Back to the traits' own units: a linear map of theta, and by the delta method of its covariance.
    back = np.diag(np.concatenate([np.ones(4), 1 / spread, 1 / spread]))
    back[1, 4 : 4 + count] = back[3, 4 + count :] = -mean / spread
    values, covariance = to_own_units(optimum.theta, covariance, back, logarithmic)
    return _model(names, values, optimum, covariance, diagnosis, statistics, unit)


def _model(
    names: Sequence[str],
    values: Floats,
    optimum: Optimum,
    covariance: Floats,
    diagnosis: Diagnosis,
    statistics: Statistics,
    unit: str,
) -> ParetoNBD:
    parameters = dict(zip(names, values.tolist(), strict=True))
    return ParetoNBD(parameters, optimum.at.value, covariance, diagnosis, statistics.customers, unit)


def _time_alive(s: float, B: Floats, horizon: ArrayLike) -> Floats:
    """Expected time alive in the next ``horizon`` units of a customer alive now: ∫ (B/(B+v))^s dv, also at s = 1."""
    growth = np.log1p(np.asarray(horizon, dtype=np.float64) / B)
    return np.asarray(B * growth * exprel((1 - s) * growth))


def _moments_ahead(near: Floats, until: Floats) -> tuple[Floats, Floats]:
    """Nodes v (n, m) in [0, until] and the weights of ∫ f(v) dv, spaced evenly in ln(near + v)."""
    reach = np.log1p(until / near)[:, None]
    later = near[:, None] * np.expm1(reach * NODES)
    return later, (near[:, None] + later) * reach * NODE_WEIGHTS


def _future_lives(s: float, A: Floats, B: Floats, horizon: float) -> tuple[Floats, Floats]:
    """How the life of a customer alive now may go: v/(A+v) at its end v, (n, m), and the probability of each.

    The last column outlives the horizon, which then takes the place of v.
    """
    later, weight = _moments_ahead(np.minimum(A, B), np.full(A.shape, horizon))
    staying = s * np.log1p(later / B[:, None])
    leaving = weight * s * np.exp(-staying) / (B[:, None] + later)
    outliving = np.exp(-s * np.log1p(horizon / B))[:, None]
    later = np.concatenate([later, np.full((A.size, 1), horizon)], axis=1)
    return later / (A[:, None] + later), np.concatenate([leaving, outliving], axis=1)


_Rates = tuple[Floats, Floats, Floats]


def _quantile(s: float, horizon: float, rates: _Rates, cell: NDArray[np.intp], needed: Floats) -> Floats:
    """The fewest orders k with P(Y ≤ k | alive) ≥ ``needed``, for each customer, by summing up from k = 0.

    ``cell`` says which of the ``rates`` each customer has.
    """
    orders = np.zeros(needed.size)
    R, A, B = rates
    success, term = _future_lives(s, A, B, horizon)
    term *= np.exp(R[:, None] * np.log1p(-success))
    reached = term.sum(axis=1)
    short = np.flatnonzero(reached[cell] < needed - _ROUNDING)
    for k in range(1, _ORDERS_MAX):
        if short.size == 0:
            return orders
        orders[short] = k
        rows = np.unique(cell[short])
        term[rows] *= success[rows] * ((R[rows] + k - 1) / k)[:, None]
        reached[rows] += term[rows].sum(axis=1)
        short = short[reached[cell[short]] < needed[short] - _ROUNDING]
    raise CannotSay("insight.horizon_too_long", orders_max=_ORDERS_MAX)


# A wait that no double can hold ends as NaN, which is what is answered where none can be said.
@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def _median_wait(s: float, R: Floats, A: Floats, B: Floats) -> Floats:
    """The t at which P(an order by t | alive now) = ∫₀ᵗ R/A (A/(A+v))^(R+1) (B/(B+v))^s dv reaches ½; NaN if never.

    The probability is concave in t, so Newton's method climbs to the root from the left without overshooting; it starts
    where a customer who could not leave would be.
    """
    wait = A * np.expm1(np.log(2) / R)
    never = (_order_ever(s, R, A, B) <= 0.5) | ~np.isfinite(wait)
    wait[never] = np.nan
    active = np.flatnonzero(~never)
    for _ in range(100):
        if active.size == 0:
            break
        r, a, b, t = R[active], A[active], B[active], wait[active]
        later, weight = _moments_ahead(np.minimum(a, b), t)

        def density(v: Floats, r: Floats = r, a: Floats = a, b: Floats = b) -> Floats:
            return np.asarray(r / a * np.exp(-(r + 1) * np.log1p(v / a) - s * np.log1p(v / b)))

        short = 0.5 - (weight * density(later, r[:, None], a[:, None], b[:, None])).sum(axis=1)
        step = short / density(t)
        wait[active] = t + step
        active = active[step > 1e-9 * t]
    wait[active] = np.nan
    return np.asarray(wait)


def _order_ever(s: float, R: Floats, A: Floats, B: Floats) -> Floats:
    """Probability that a customer alive now orders again: the integral of :func:`_median_wait` to infinity.

    After Euler's transformation of the hypergeometric function, whose factors would else run to 0 and to infinity.
    """
    a_first = A >= B
    gap = np.abs(A - B) / np.maximum(A, B)
    series = hyp2f1(np.where(a_first, R + 1, s), 1.0, R + s + 1, gap)
    return np.asarray(R / (R + s) * np.where(a_first, B / A, 1.0) * series)
