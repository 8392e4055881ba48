"""What all fitted models of purchases share: their numbers, and the answers that follow from two moments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from shuke.insight.clv.intervals import parameter_variance, total_bounds
from shuke.insight.clv.model import Diagnosis, Floats
from shuke.insight.clv.statistics import Statistics
from shuke.insight.clv.traits import Covariates

__all__ = ["FittedModel"]

# A slope needs no more than this to be known to a percent.
_SLOPE_CELLS = 20_000


@dataclass(frozen=True, eq=False)
class FittedModel(ABC):
    """The fields are those of :class:`model.PurchaseModel`; the models add the mathematics."""

    parameters: dict[str, float]
    log_likelihood: float
    covariance: Floats
    diagnosis: Diagnosis
    customers: int
    unit: str

    @abstractmethod
    def purchases_moments(
        self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, covariates: Covariates | None = None
    ) -> tuple[Floats, Floats]:
        """E[Y(horizon) | history] and Var[Y(horizon) | history], by chance alone."""

    def expected_purchases(
        self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, covariates: Covariates | None = None
    ) -> Floats:
        """E[Y(horizon) | history], the first of :meth:`purchases_moments`, which names its source."""
        return self.purchases_moments(horizon, x, t_x, T, covariates=covariates)[0]

    def total_moments(self, horizon: float, statistics: Statistics) -> tuple[float, float]:
        """Expected orders of all customers, and their variance by chance alone."""
        cells = statistics
        mean, variance = self.purchases_moments(horizon, cells.x, cells.t_x, cells.T, covariates=cells.covariates)
        return float(cells.weight @ mean), float(cells.weight @ variance)

    def total_interval(self, horizon: float, statistics: Statistics, level: float = 0.95) -> tuple[float, float]:
        """Normal interval for the orders of all: the customers' own variances plus that of the estimated parameters."""
        expected, chance = self.total_moments(horizon, statistics)
        sample = statistics.thinned(_SLOPE_CELLS)
        blow_up = statistics.customers / float(sample.weight.sum())
        # k is chosen, not estimated: the last row of the covariance, all zeros.
        names = [name for name in self.parameters if name != "k"]

        def total(values: Floats) -> float:
            moved = {**self.parameters, **dict(zip(names, values.tolist(), strict=True))}
            return blow_up * replace(self, parameters=moved).total_moments(horizon, sample)[0]

        estimated = parameter_variance(
            total,
            np.array([self.parameters[name] for name in names]),
            self.covariance[: len(names), : len(names)],
            np.array(["." not in name for name in names]),
        )
        return total_bounds(expected, chance + estimated, level)
