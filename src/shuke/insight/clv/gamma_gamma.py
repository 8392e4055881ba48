"""Gamma-Gamma: what an order of a customer is worth, whatever the number of orders.

P. S. Fader & B. G. S. Hardie, "The Gamma-Gamma model of monetary value" (2013). A customer's orders vary as
Gamma(p, ν) around an own mean, ν varies over customers as Gamma(q, γ). From x orders with mean z:

    L = Γ(px+q)/(Γ(px)Γ(q)) · γ^q z^(px−1) x^(px) / (γ + xz)^(px+q)                                      (equation 1a)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.distinct import repeatable_order
from shuke.insight.clv.model import Diagnosis, Floats
from shuke.insight.clv.optimise import Evaluation, climb, judge
from shuke.insight.clv.statistics import ORDERS_MAX
from shuke.insight.clv.traits import at_traits, spread_of, to_own_units

__all__ = ["SpendModel", "fit_spend"]

# Rows whose arithmetic fits into the cache.
_BLOCK = 16_384
# Rows for a first approximation of the maximum.
_WARM_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class SpendModel:
    """A fitted Gamma-Gamma model; ``parameters`` p, q, gamma and ``gamma.<trait>`` (change of ln gamma per unit).

    ``covariance`` in the order of ``parameters``. ``correlation`` between the number of orders and their mean value
    among the repeaters: the model takes the two as independent, so that beyond ±0.3 its predictions are doubtful.
    ``population_mean``: the mean value of an order over all customers, p·gamma/(q − 1); NaN if q ≤ 1 (no finite mean)
    or if it depends on traits.
    """

    parameters: dict[str, float]
    log_likelihood: float
    covariance: Floats
    diagnosis: Diagnosis
    customers: int
    correlation: float

    @property
    def p(self) -> float:
        """Shape of a customer's orders around the own mean."""
        return self.parameters["p"]

    @property
    def q(self) -> float:
        """Shape of the means over customers."""
        return self.parameters["q"]

    @property
    def gamma(self) -> float:
        """Scale of the means over customers, in money."""
        return self.parameters["gamma"]

    @property
    def population_mean(self) -> float:
        """Mean value of an order over all customers; equation 3."""
        if self.q <= 1 or any("." in name for name in self.parameters):
            return float("nan")
        return self.p * self.gamma / (self.q - 1)

    def expected_spend(
        self, x: ArrayLike, mean: ArrayLike, *, covariates: Mapping[str, ArrayLike] | None = None
    ) -> Floats:
        """Expected mean value of a customer's orders, given x of them with this mean (ignored where x = 0).

        E[p/ν | x, z] = p (γ + xz)/(px + q − 1), equation 5; NaN where that mean is infinite (px + q ≤ 1).
        """
        x_, y, gamma = self._spent(x, mean, covariates)
        return _where_above(self.p * x_ + self.q - 1, self.p * (gamma + y))

    def spend_error(
        self, x: ArrayLike, mean: ArrayLike, *, covariates: Mapping[str, ArrayLike] | None = None
    ) -> Floats:
        """Standard error of :meth:`expected_spend`: what x orders leave open about the customer, and the estimate's.

        ν | x, z is Gamma(px + q, γ + xz), hence Var(p/ν) = p²(γ+xz)²/((px+q−1)²(px+q−2)); to it comes the
        variance of the estimated p, q and γ by the delta method. NaN where the variance is infinite (px + q ≤ 2).
        """
        x_, y, gamma = self._spent(x, mean, covariates)
        left, top = self.p * x_ + self.q - 1, gamma + y
        expected = _where_above(left, self.p * top)
        own = _where_above(left - 1, expected**2)
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = [expected / self.p - expected * x_ / left, -expected / left, self.p / left * gamma / self.gamma]
            for name in list(self.parameters)[3:]:
                trait = np.asarray((covariates or {})[name.partition(".")[2]], dtype=np.float64)
                slopes.append(self.p / left * gamma * trait)
        slope = np.stack(np.broadcast_arrays(*slopes))
        estimated = np.einsum("i...,ij,j...->...", slope, self.covariance, slope)
        error: Floats = np.sqrt(own + estimated)
        return error

    def _spent(
        self, x: ArrayLike, mean: ArrayLike, covariates: Mapping[str, ArrayLike] | None
    ) -> tuple[Floats, Floats, Floats]:
        """x, the sum spent, and γ, of one shape."""
        x_, mean_ = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(mean, dtype=np.float64))
        if not ((x_ >= 0) & np.isfinite(x_)).all() or not (np.isfinite(mean_) & (mean_ >= 0))[x_ > 0].all():
            raise BadInput("insight.bad_spend")
        gamma = np.broadcast_to(at_traits(self.parameters, ("gamma",), covariates)["gamma"], x_.shape)
        return x_, np.where(x_ > 0, x_ * np.where(x_ > 0, mean_, 0.0), 0.0), gamma


def _where_above(bottom: Floats, top: Floats) -> Floats:
    """top/bottom where bottom > 0, else NaN."""
    positive = bottom > 0
    return np.where(positive, top / np.where(positive, bottom, 1.0), np.nan)


def fit_spend(
    frequency: ArrayLike,
    mean_amount: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    covariates: Mapping[str, ArrayLike] | None = None,
) -> SpendModel:
    """Fit to customers with x ≥ 1 repeat orders of this mean value; the others say nothing and are left out.

    ``covariates``: traits (n,) on which ln γ, and so the log of the expected value of an order, depends linearly. The
    same data give the same answer to the bit, in whatever order they come.

    Raises CannotSay ``insight.no_spend`` with fewer than two different repeaters; BadInput ``insight.bad_spend`` when a
    repeater's mean is missing, zero or negative, a number of orders is not whole or a weight not above zero, and
    ``insight.covariate_constant`` for a trait that is the same for all.
    """
    rows = _Rows.of(frequency, mean_amount, weight, covariates or {})
    if rows.z.size < 2 or float(rows.z.min()) == float(rows.z.max()):
        raise CannotSay("insight.no_spend", repeaters=rows.z.size)
    mean = float(np.average(rows.z, weights=rows.weight))
    names = ["p", "q", "gamma", *(f"gamma.{trait}" for trait in rows.traits)]
    logarithmic = np.array(["." not in name for name in names])
    scale = np.where(np.array(names) == "gamma", mean, 1.0)
    # p = 2, q = 3 spread the means by 70 %; γ then follows from the mean.
    start = np.array([np.log(2.0), np.log(3.0), np.log(mean), *np.zeros(len(rows.traits))])
    low, high = np.log(scale) - 20.0, np.log(scale) + 16.0
    optimum = climb(_Likelihood(rows.thinned(_WARM_ROWS)), start, low=low, high=high)
    if rows.z.size > _WARM_ROWS:
        optimum = climb(_Likelihood(rows), optimum.theta, low=low, high=high)
    customers = round(float(rows.weight.sum()))
    covariance, diagnosis = judge(optimum, customers, names, scale=scale, logarithmic=logarithmic.tolist())
    back = np.eye(len(names))
    for i, (centre, spread) in enumerate(rows.standard, start=3):
        back[i, i], back[2, i] = 1 / spread, -centre / spread
    values, covariance = to_own_units(optimum.theta, covariance, back, logarithmic)
    return SpendModel(
        parameters=dict(zip(names, values.tolist(), strict=True)),
        log_likelihood=optimum.at.value,
        covariance=covariance,
        diagnosis=diagnosis,
        customers=customers,
        correlation=_correlation(rows),
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Repeaters in a repeatable order: x, mean value z, weight, and standardised traits (n, 1 + traits) after a one."""

    x: Floats
    z: Floats
    weight: Floats
    design: Floats
    traits: tuple[str, ...]
    standard: tuple[tuple[float, float], ...]

    @classmethod
    def of(
        cls, frequency: ArrayLike, mean_amount: ArrayLike, weight: ArrayLike | None, covariates: Mapping[str, ArrayLike]
    ) -> _Rows:
        x = np.asarray(frequency, dtype=np.float64)
        z = np.asarray(mean_amount, dtype=np.float64)
        w = np.ones_like(x) if weight is None else np.asarray(weight, dtype=np.float64)
        if x.ndim != 1 or z.shape != x.shape or w.shape != x.shape:
            raise BadInput("insight.bad_spend")
        if not ((x >= 0) & (x <= ORDERS_MAX) & (x == np.floor(x))).all():
            raise BadInput("insight.bad_spend")
        repeats = x > 0
        x, z, w = x[repeats], z[repeats], w[repeats]
        if not (np.isfinite(z) & (z > 0) & np.isfinite(w) & (w > 0)).all():
            raise BadInput("insight.bad_spend")
        columns = [np.asarray(column, dtype=np.float64)[repeats] for column in covariates.values()]
        order = repeatable_order(x, z, w, *columns)
        x, z, w = x[order], z[order], w[order]
        standard: list[tuple[float, float]] = []
        for i, (name, unsorted) in enumerate(zip(covariates, columns, strict=True)):
            column = unsorted[order]
            centre, spread = spread_of(name, column, w)
            columns[i] = (column - centre) / spread
            standard.append((centre, spread))
        design = np.column_stack([np.ones_like(x), *columns])
        return cls(x, z, w, design, tuple(covariates), tuple(standard))

    def thinned(self, rows_max: int) -> _Rows:
        step = slice(None, None, -(-self.z.size // rows_max) or 1)
        return _Rows(self.x[step], self.z[step], self.weight[step], self.design[step], self.traits, self.standard)


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """Equation 1a with its derivatives by (ln p, ln q, coefficients of ln γ).

    Only ln(γ + xz) and its derivatives differ from row to row; everything else depends on x alone and is evaluated once
    for each number of orders.
    """

    rows: _Rows

    def __call__(self, theta: Floats) -> Evaluation:
        p, q = float(np.exp(theta[0])), float(np.exp(theta[1]))
        sums = self._sums(theta[2:])
        number, n = self._by_count
        x = number.astype(np.float64)
        ahead, behind = special.digamma(p * x + q), special.digamma(p * x)
        bend, bend_behind = special.polygamma(1, p * x + q), special.polygamma(1, p * x)
        by_q, by_x_p = ahead - special.digamma(q), p * x * (ahead - behind)
        # ln(y/(γ+y)), weighted with the orders: their logarithms are the same at every theta.
        by_orders, orders, log_means = self._constant
        log_rest = orders - by_orders @ theta[2:] - sums.log_by_orders
        value = n @ (special.gammaln(p * x + q) - special.gammaln(p * x) - special.gammaln(q))
        # q ln γ + px ln y − (px+q) ln(γ+y) − ln z
        value += p * log_rest - q * sums.log - log_means
        first_p = n @ by_x_p + p * log_rest
        first_q = q * (n @ by_q - sums.log)
        hessian = np.empty((theta.size, theta.size))
        hessian[0, 0] = first_p + n @ ((p * x) ** 2 * (bend - bend_behind))
        hessian[0, 1] = hessian[1, 0] = q * p * (n @ (x * bend))
        hessian[1, 1] = first_q + q**2 * (n @ (bend - special.polygamma(1, q)))
        hessian[0, 2:] = hessian[2:, 0] = -p * sums.share_by_orders
        hessian[1, 2:] = hessian[2:, 1] = q * sums.rest
        hessian[2:, 2:] = -p * sums.bend_by_orders - q * sums.bend
        gradient = np.concatenate([[first_p, first_q], q * sums.rest - p * sums.share_by_orders])
        return Evaluation(float(value), gradient, hessian)

    def _sums(self, coefficients: Floats) -> _Sums:
        """What the rows add up to, block by block, so that the steps of the arithmetic stay in the cache."""
        size = coefficients.size
        total = _Sums(0.0, 0.0, np.zeros(size), np.zeros(size), np.zeros((size, size)), np.zeros((size, size)))
        for start in range(0, self.rows.z.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            weight, orders, design = self.rows.weight[part], self._orders[part], self.rows.design[part]
            odds = self._spent[part] * np.exp(-(design @ coefficients))
            log_odds = np.log1p(odds)
            share = 1 / (1 + odds)
            rest = odds * share
            bend = share * rest
            total.log += _dot(weight, log_odds)
            total.log_by_orders += _dot(orders, log_odds)
            total.rest += np.einsum("nk,n->k", design, weight * rest)
            total.share_by_orders += np.einsum("nk,n->k", design, orders * share)
            total.bend += np.einsum("nk,nj,n->kj", design, design, weight * bend)
            total.bend_by_orders += np.einsum("nk,nj,n->kj", design, design, orders * bend)
        return total

    @cached_property
    def _orders(self) -> Floats:
        """Orders of each row's customers together."""
        return self.rows.weight * self.rows.x

    @cached_property
    def _spent(self) -> Floats:
        """y = xz."""
        return self.rows.x * self.rows.z

    @cached_property
    def _constant(self) -> tuple[Floats, float, float]:
        """Σ orders · traits, Σ orders · ln y, and Σ weight · ln z."""
        by_orders = np.einsum("nk,n->k", self.rows.design, self._orders)
        return by_orders, _dot(self._orders, np.log(self._spent)), _dot(self.rows.weight, np.log(self.rows.z))

    @cached_property
    def _by_count(self) -> tuple[NDArray[np.intp], Floats]:
        """The numbers of orders that occur, and how many customers have each."""
        customers = np.bincount(self.rows.x.astype(np.intp), weights=self.rows.weight)
        occurs = np.flatnonzero(customers)
        return occurs, customers[occurs].astype(np.float64)


@dataclass
class _Sums:
    """Sums over rows of y and x weighted functions; ``share`` is γ/(γ+y), ``rest`` y/(γ+y), ``bend`` their product."""

    log: float
    log_by_orders: float
    rest: Floats
    share_by_orders: Floats
    bend: Floats
    bend_by_orders: Floats


def _dot(left: Floats, right: Floats) -> float:
    """The inner product by NumPy itself, see :func:`likelihood._dot`."""
    return float(np.einsum("n,n->", left, right))


def _correlation(rows: _Rows) -> float:
    """Weighted Pearson correlation of x and z; 0 where all have the same number of orders."""
    x = rows.x - np.average(rows.x, weights=rows.weight)
    z = rows.z - np.average(rows.z, weights=rows.weight)
    spread = float(np.sqrt((rows.weight @ x**2) * (rows.weight @ z**2)))
    return float(rows.weight @ (x * z)) / spread if spread > 0 else 0.0
