"""What every fitted model of purchases offers, and how a fit is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shuke.insight.clv.statistics import Statistics

__all__ = ["Diagnosis", "Floats", "PurchaseModel"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnosis:
    """How far a fit can be trusted.

    ``gradient_norm``: largest slope of the mean log-likelihood in a log-parameter. ``warnings``, in this order:
    ``not_converged`` no maximum was reached; ``corner`` a parameter ran towards 0 or infinity (named in ``corners``):
    the data hold no information about it, read only the predictions; ``flat_ridge`` parameters that fit almost as well
    lie far apart; ``nested_better`` a special case of the model fits better, so the maximum was not found.
    """

    converged: bool
    iterations: int
    gradient_norm: float
    warnings: tuple[str, ...] = ()
    corners: tuple[str, ...] = ()


class PurchaseModel(Protocol):
    """A fitted model of when customers order. Arrays over customers broadcast; times are in ``unit``.

    ``covariance`` is that of the parameters in the order of ``parameters``, from the observed information.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - a field
    @property
    def parameters(self) -> dict[str, float]: ...  # noqa: D102 - a field
    @property
    def log_likelihood(self) -> float: ...  # noqa: D102 - a field
    @property
    def covariance(self) -> Floats: ...  # noqa: D102 - a field
    @property
    def diagnosis(self) -> Diagnosis: ...  # noqa: D102 - a field
    @property
    def customers(self) -> int: ...  # noqa: D102 - a field
    @property
    def unit(self) -> str: ...  # noqa: D102 - a field

    def p_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Probability of still being a customer at T, given the history."""
        ...

    def expected_purchases(self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Expected orders in (T, T + horizon], given the history."""
        ...

    def expected_total(self, t: ArrayLike) -> Floats:
        """Expected repeat orders of a new customer by time t."""
        ...

    def probability_of(self, k: int, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Probability of exactly k orders in (T, T + horizon], given the history."""
        ...

    def purchases_interval(
        self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, level: float = 0.8
    ) -> tuple[Floats, Floats]:
        """Predictive quantiles of the number of orders in (T, T + horizon], per customer."""
        ...

    def purchases_moments(self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[Floats, Floats]:
        """Mean and variance of the number of orders in (T, T + horizon], per customer, by chance alone."""
        ...

    def total_interval(self, horizon: float, statistics: Statistics, level: float = 0.95) -> tuple[float, float]:
        """Interval for the orders of all customers together: uncertain parameters and chance."""
        ...

    def expected_next_order(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Median time from T to the next order, given that the customer is alive; NaN where it cannot be said."""
        ...

    def discounted_residual(
        self, rate_per_unit: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float | None = None
    ) -> Floats:
        """Expected orders after T, discounted continuously to T; to the end of time if there is no horizon."""
        ...
