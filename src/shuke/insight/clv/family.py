"""The fitted models of the family of :mod:`likelihood`: NBD, BG/NBD, MBG/NBD, BG/CNBD-k and MBG/CNBD-k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from shuke.insight.clv.discount import discounted_forever, discounted_until
from shuke.insight.clv.distinct import distinct
from shuke.insight.clv.fitted import FittedModel
from shuke.insight.clv.future import Future, Outlook, moments
from shuke.insight.clv.intervals import order_quantiles
from shuke.insight.clv.likelihood import Dropout, Member, Traits, log_alive_and_gone, stage_terms
from shuke.insight.clv.model import Floats
from shuke.insight.clv.questions import check_count, check_horizon, check_rate, check_times, histories
from shuke.insight.clv.traits import Covariates, at_traits

__all__ = ["FamilyModel"]


@dataclass(frozen=True, eq=False)
class FamilyModel(FittedModel):
    """A fitted model; see :class:`model.PurchaseModel` for what each method answers.

    ``parameters``: r, alpha and, if customers may leave, a and b; ``k`` for the regular-timing variants (chosen, not
    estimated: its row of ``covariance`` is zero); ``alpha.<trait>`` and so on for covariates, each the change of the
    parameter's logarithm per unit of the trait. A model with covariates must be given them: one array per trait.

    Raises BadInput ``insight.covariates_missing`` or ``insight.bad_history`` (t_x > T, negative or missing numbers).
    """

    name: str
    member: Member

    def p_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, covariates: Covariates | None = None) -> Floats:
        """P(alive at T | history) = alive/(alive + gone); Batislam et al. 2007 equation 3, Platzer & Reutterer 2016."""
        shape = np.broadcast(x, t_x, T).shape
        alive = self._alive(self._traits(covariates), *histories(x, t_x, T))
        return alive.reshape(shape)

    def expected_total(self, t: ArrayLike) -> Floats:
        """E[X(t)] of a new customer, for a model without covariates; Fader, Hardie & Lee 2005 equation 9."""
        times = np.atleast_1d(check_times(t, "t"))
        outlook = self._outlook(times, np.zeros_like(times), np.zeros_like(times), self._traits(None))
        start = self.p_alive(0.0, 0.0, 0.0)
        expected: Floats = start * moments(outlook)[0][0]
        return expected.reshape(np.shape(t))

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
        """P(Y(horizon) = k | history), the difference of two tails of :mod:`future`."""
        check_count(k)
        outlook, cell, chances = self._look_ahead(horizon, x, t_x, T, covariates)
        future = Future(outlook)
        at_least = np.ones(chances.shape[1])
        for _ in range(k):
            at_least = _mix(chances, future.next(), cell)
        more = _mix(chances, future.next(), cell)
        return np.maximum(at_least - more, 0).reshape(np.broadcast(x, t_x, T).shape)

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
        """Quantiles of the exact distribution of Y(horizon) given the history and the fitted parameters."""
        outlook, cell, chances = self._look_ahead(horizon, x, t_x, T, covariates)
        low, high = order_quantiles(outlook, cell, chances, level)
        shape = np.broadcast(x, t_x, T).shape
        return low.reshape(shape), high.reshape(shape)

    def purchases_moments(
        self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, covariates: Covariates | None = None
    ) -> tuple[Floats, Floats]:
        """E[Y] and Var[Y] given the history; Fader, Hardie & Lee 2005 equation 10, summed as in :mod:`future`."""
        outlook, cell, chances = self._look_ahead(horizon, x, t_x, T, covariates)
        mean, square = moments(outlook)
        expected = _mix(chances, mean, cell)
        variance = _mix(chances, square, cell) - expected**2
        shape = np.broadcast(x, t_x, T).shape
        return expected.reshape(shape), variance.reshape(shape)

    def expected_next_order(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, covariates: Covariates | None = None
    ) -> Floats:
        """Median u of P(no order until T + u | alive at T) = alive(T + u)/alive(T); closed for k = 1, else bisected."""
        shape = np.broadcast(x, t_x, T).shape
        x, t_x, T = histories(x, t_x, T)
        traits = self._traits(covariates)
        if self.member.k > 1:
            return self._bisect_next(traits, x, t_x, T).reshape(shape)
        with np.errstate(over="ignore"):
            wait = (traits.alpha + T) * np.expm1(np.log(2.0) / (traits.r + x))
        return np.where(np.isfinite(wait), wait, np.nan).reshape(shape)

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
        """Discounted expected residual orders, :mod:`discount`. BadInput ``insight.bad_rate`` below 0 or 0 forever."""
        check_rate(rate_per_unit, horizon)
        span = 1.0 if horizon is None else horizon
        outlook, cell, chances = self._look_ahead(span, x, t_x, T, covariates)
        if horizon is None:
            alive = discounted_forever(outlook, span / outlook.span, rate_per_unit)
        else:
            alive = discounted_until(outlook, horizon, rate_per_unit)
        return _mix(chances, alive, cell).reshape(np.broadcast(x, t_x, T).shape)

    # -- what the answers rest on -------------------------------------------------------------------------------

    def _traits(self, covariates: Covariates | None) -> Traits:
        """The parameters, of everyone or of each customer where they depend on covariates."""
        return Traits(**at_traits(self.parameters, self.member.names, covariates))

    def _alive(self, traits: Traits, x: Floats, t_x: Floats, T: Floats) -> Floats:
        alive, gone = log_alive_and_gone(self.member, traits, x, t_x, T)
        chance: Floats = special.expit(alive - gone)
        return chance

    def _outlook(self, horizon: Floats | float, x: Floats, T: Floats, traits: Traits) -> Outlook:
        shape = np.broadcast_to(traits.r + self.member.k * x, T.shape).astype(np.float64)
        span = np.broadcast_to(horizon / (traits.alpha + T), T.shape)
        if self.member.dropout is Dropout.NEVER:
            return Outlook(self.member.k, shape, span, None, None)
        b = np.broadcast_to(traits.b + self.member.tosses(x), T.shape)
        return Outlook(self.member.k, shape, span, np.broadcast_to(traits.a, T.shape).astype(np.float64), b)

    def _look_ahead(
        self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, covariates: Covariates | None
    ) -> tuple[Outlook, NDArray[np.intp], Floats]:
        """Distinct futures, which one each customer has, and its chance of being alive with j stages passed, (k, n).

        The future depends on x, T and traits alone, of which a million customers have some ten thousand.
        """
        check_horizon(horizon)
        x, t_x, T = histories(x, t_x, T)
        traits = self._traits(covariates)
        columns = [
            x,
            T,
            *(np.broadcast_to(np.asarray(c, dtype=np.float64), T.shape) for c in (covariates or {}).values()),
        ]
        first, cell = distinct(*columns)
        own = self._traits({name: column[first] for name, column in zip(covariates or {}, columns[2:], strict=True)})
        chances = self._alive(traits, x, t_x, T)[None, :]
        if self.member.k > 1:
            terms = stage_terms(self.member.k, traits.r + self.member.k * x, (T - t_x) / (traits.alpha + T))
            chances = chances * terms / terms.sum(axis=0)
        return self._outlook(horizon, x[first], T[first], own), cell, chances

    def _bisect_next(self, traits: Traits, x: Floats, t_x: Floats, T: Floats) -> Floats:
        now, _ = log_alive_and_gone(self.member, traits, x, t_x, T)
        scale = traits.alpha + T
        low, high = np.zeros_like(T), np.full_like(T, 60.0)
        # In ln(1 + u/(α+T)): forty halvings of sixty leave less than 1e-10.
        for _ in range(40):
            middle = (low + high) / 2
            later, _ = log_alive_and_gone(self.member, traits, x, t_x, T + scale * np.expm1(middle))
            waiting = later - now > -np.log(2.0)
            low, high = np.where(waiting, middle, low), np.where(waiting, high, middle)
        return np.where(high >= 59.9, np.nan, scale * np.expm1((low + high) / 2))


def _mix(chances: Floats, values: Floats, cell: NDArray[np.intp]) -> Floats:
    """Σ_j chances[j] · values[j] of each customer's cell."""
    total: Floats = chances[0] * values[0, cell]
    for chance, value in zip(chances[1:], values[1:], strict=True):
        total += chance * value[cell]
    return total
