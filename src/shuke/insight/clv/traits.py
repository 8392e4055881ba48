"""Fixed traits of customers (covariates): what they do to parameters, and the way between their units and a fit's.

A parameter's logarithm is linear in the traits; ``alpha.<trait>`` is the change of ln alpha per unit of the trait.
P. S. Fader & B. G. S. Hardie, "Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models" (2007).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shuke.base.errors import BadInput
from shuke.insight.clv.model import Floats
from shuke.insight.clv.statistics import Statistics

__all__ = ["Covariates", "at_traits", "mean_and_spread", "spread_of", "to_own_units"]

# One array per trait, one number per customer.
Covariates = Mapping[str, ArrayLike]


def at_traits(
    parameters: Mapping[str, float], names: Iterable[str], covariates: Covariates | None
) -> dict[str, Floats | float]:
    """The parameters ``names``, of everyone or of each customer where they depend on traits.

    Raises BadInput ``insight.covariates_missing``.
    """
    own: dict[str, Floats | float] = {name: parameters[name] for name in names}
    for name, coefficient in parameters.items():
        parameter, dot, trait = name.partition(".")
        if not dot:
            continue
        if covariates is None or trait not in covariates:
            raise BadInput("insight.covariates_missing", name=trait)
        own[parameter] = own[parameter] * np.exp(coefficient * np.asarray(covariates[trait], dtype=np.float64))
    return own


def mean_and_spread(statistics: Statistics, trait: str) -> tuple[float, float]:
    """Over customers. Raises BadInput ``insight.covariates_missing`` and ``insight.covariate_constant``."""
    if trait not in (statistics.covariates or {}):
        raise BadInput("insight.covariates_missing", name=trait)
    return spread_of(trait, (statistics.covariates or {})[trait], statistics.weight)


def spread_of(trait: str, column: Floats, weight: Floats) -> tuple[float, float]:
    """Weighted mean and standard deviation. Raises BadInput ``insight.covariate_constant``."""
    mean = float(np.average(column, weights=weight))
    spread = float(np.sqrt(np.average((column - mean) ** 2, weights=weight)))
    if not spread > 1e-12 * max(1.0, abs(mean)):
        raise BadInput("insight.covariate_constant", name=trait)
    return mean, spread


def to_own_units(
    theta: Floats, covariance: Floats, back: Floats, logarithmic: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Parameters and their covariance on natural scales, from a fit to standardised traits.

    ``back`` is the linear map of theta to raw traits, ``covariance`` that of the parameters as fitted; what
    ``logarithmic`` marks was fitted as a logarithm. By the delta method.
    """
    fitted = np.exp(np.where(logarithmic, theta, 0.0))
    raw = back @ theta
    natural = np.exp(np.where(logarithmic, raw, 0.0))
    jacobian = natural[:, None] * back / fitted[None, :]
    return np.where(logarithmic, natural, raw), jacobian @ covariance @ jacobian.T
