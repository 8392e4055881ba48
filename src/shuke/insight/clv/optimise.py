"""Maximum likelihood over log-parameters: deterministic, exact, and honest about what the data cannot say.

Newton's method with the observed information, kept from overshooting by a trust radius. Large data are first thinned to
a sample whose maximum lies within sampling error of the full one; from there a few Newton steps on all cells suffice.
No random start, no clock: the same data give the same answer to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from shuke.insight.clv.model import Diagnosis, Floats
from shuke.insight.clv.statistics import Statistics

__all__ = ["Evaluation", "Nested", "Objective", "Optimum", "climb", "judge", "maximise"]

# Log-parameters stay within these of their scale: far outside of what data could tell from 0 or infinity.
_LOWEST, _HIGHEST = np.log(1e-9), np.log(1e7)
# Beyond these a parameter is reported as having run into a corner.
_CORNER_LOW, _CORNER_HIGH = np.log(1e-3), np.log(1e3)
# A log-parameter known only to a factor of e lies on a ridge.
_RIDGE_ERROR = 1.0
# Information so small that a log-parameter may as well be unknown: a standard error of 5.
_UNKNOWN = 1 / 25
_WARM_CELLS = 20_000
_RADIUS = 2.0


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A log-likelihood at one point: its value, its slope (p,) and its curvature (p, p) in the log-parameters."""

    value: float
    gradient: Floats
    hessian: Floats


Objective = Callable[[Floats], Evaluation]


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the climb ended: the point, what was found there, and how many evaluations it took."""

    theta: Floats
    at: Evaluation
    iterations: int
    converged: bool


@dataclass(frozen=True, eq=False)
class Nested:
    """A special case of a model: its maximum, and a point of the parent's parameters close to it."""

    log_likelihood: float
    start: Floats


def climb(
    objective: Objective,
    start: ArrayLike,
    *,
    low: ArrayLike = _LOWEST,
    high: ArrayLike = _HIGHEST,
    tolerance: float = 1e-13,
    evaluations_max: int = 200,
) -> Optimum:
    """Climb from ``start`` to a maximum inside the box.

    Ends when the gain in log-likelihood that a Newton step promises (half the Newton decrement) is below ``tolerance``
    relative to the value, i.e. far below one standard error in every direction that the data identify.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    theta = np.clip(np.asarray(start, dtype=np.float64), low, high)
    here = objective(theta)
    radius, evaluations = _RADIUS, 1
    while evaluations < evaluations_max:
        step, gain = _newton_step(here, theta, low, high, radius)
        if gain <= tolerance * max(1.0, abs(here.value) * 1e-4):
            return Optimum(theta, here, evaluations, converged=True)
        trial = np.clip(theta + step, low, high)
        there = objective(trial)
        evaluations += 1
        if _better(there, here):
            theta, here, radius = trial, there, min(2 * radius, _RADIUS)
        else:
            radius = float(np.linalg.norm(step)) / 4
            if radius < 1e-10:
                break
    # The last steps may drown in the rounding of the sum: what remains to be gained then tells whether that matters.
    _, gain = _newton_step(here, theta, low, high, _RADIUS)
    return Optimum(theta, here, evaluations, converged=gain <= 1e-6)


def _better(there: Evaluation, here: Evaluation) -> bool:
    if not (np.isfinite(there.value) and np.isfinite(there.gradient).all() and np.isfinite(there.hessian).all()):
        return False
    rounding = 1e-13 * abs(here.value)
    if there.value > here.value + rounding:
        return True
    # Within rounding of the sum the slope, which is known far better, decides.
    flatter = bool(np.abs(there.gradient).max() < np.abs(here.gradient).max())
    return there.value >= here.value - rounding and flatter


def _newton_step(at: Evaluation, theta: Floats, low: Floats, high: Floats, radius: float) -> tuple[Floats, float]:
    """The uphill Newton step within the radius and the box, and the gain that it promises."""
    held = ((theta <= low) & (at.gradient < 0)) | ((theta >= high) & (at.gradient > 0))
    free = np.flatnonzero(~held)
    step = np.zeros_like(theta)
    if free.size == 0:
        return step, 0.0
    curvature, axes = np.linalg.eigh(-at.hessian[np.ix_(free, free)])
    slope = axes.T @ at.gradient[free]
    # Where the surface bends upwards the curvature's size still sets the scale, and its sign must not turn the step.
    size = np.maximum(np.abs(curvature), 1e-10 * max(float(np.abs(curvature).max()), 1e-10))
    along = slope / size
    damping = 0.0
    if (norm := float(np.linalg.norm(along))) > radius:
        top = float(np.linalg.norm(slope)) / radius
        bottom = 0.0
        for _ in range(60):
            damping = (top + bottom) / 2
            norm = float(np.linalg.norm(slope / (size + damping)))
            bottom, top = (damping, top) if norm > radius else (bottom, damping)
        along = slope / (size + damping)
    step[free] = axes @ along
    return step, float(slope @ along) / 2


def maximise(
    objective_of: Callable[[Statistics], Objective],
    statistics: Statistics,
    starts: Sequence[ArrayLike],
    *,
    scale: ArrayLike = 1.0,
    nested: Nested | None = None,
) -> Optimum:
    """The maximum of a likelihood over all cells.

    ``starts``: log-parameters, tried in order on a thinned sample until one climb converges away from the corners
    (else the best is taken). ``scale``: the natural size of each parameter (1 for shapes; a time for rates).
    ``nested``: if the special case fits better than what was found, the climb starts again beside it.
    """
    low, high = np.log(scale) + _LOWEST, np.log(scale) + _HIGHEST
    thin = objective_of(statistics.thinned(_WARM_CELLS))
    warm: list[Optimum] = []
    for start in starts:
        warm.append(climb(thin, start, low=low, high=high))
        if warm[-1].converged and not _in_corner(warm[-1].theta, scale).any():
            break
    best = max(warm, key=lambda optimum: optimum.at.value)
    if statistics.cells > _WARM_CELLS:
        best = _then(best, climb(objective_of(statistics), best.theta, low=low, high=high))
    if nested is not None and nested.log_likelihood > best.at.value + _NESTED_SLACK:
        again = climb(objective_of(statistics), nested.start, low=low, high=high)
        if again.at.value > best.at.value:
            best = _then(best, again)
    return best


def _then(before: Optimum, after: Optimum) -> Optimum:
    return Optimum(after.theta, after.at, before.iterations + after.iterations, after.converged)


# A special case may come out ahead by rounding, since its parent only approaches it in a limit.
_NESTED_SLACK = 1e-4


def _in_corner(theta: Floats, scale: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    relative = theta - np.log(scale)
    return np.asarray((relative < _CORNER_LOW) | (relative > _CORNER_HIGH))


def judge(
    optimum: Optimum,
    customers: int,
    names: Sequence[str],
    *,
    scale: ArrayLike = 1.0,
    logarithmic: Sequence[bool] | None = None,
    nested: Nested | None = None,
) -> tuple[Floats, Diagnosis]:
    """Covariance of the parameters on their natural scale, and the diagnosis of the fit.

    The covariance is the inverse of the observed information in the log-parameters, brought back by the delta method;
    ``logarithmic`` marks the parameters that were fitted as logarithms (all, if not given; coefficients are not).
    In a direction that the data do not identify, a log-parameter gets a standard error of 5 instead of infinity, so
    that intervals stay finite; the warnings say that it happened.
    """
    logs = np.ones(len(names), dtype=bool) if logarithmic is None else np.asarray(logarithmic)
    curvature, axes = np.linalg.eigh(-optimum.at.hessian)
    variances = 1 / np.maximum(curvature, _UNKNOWN)
    covariance = (axes * variances) @ axes.T
    natural = np.where(logs, np.exp(np.where(logs, optimum.theta, 0.0)), 1.0)
    corners = tuple(n for n, c, lg in zip(names, _in_corner(optimum.theta, scale), logs, strict=True) if c and lg)
    ridge = bool(curvature.min() <= _UNKNOWN or np.sqrt(np.diag(covariance)).max() > _RIDGE_ERROR)
    warnings = {
        "not_converged": not optimum.converged,
        "corner": bool(corners),
        "flat_ridge": ridge,
        "nested_better": nested is not None and nested.log_likelihood > optimum.at.value + _NESTED_SLACK,
    }
    diagnosis = Diagnosis(
        converged=optimum.converged,
        iterations=optimum.iterations,
        gradient_norm=float(np.abs(optimum.at.gradient).max()) / customers,
        warnings=tuple(code for code, found in warnings.items() if found),
        corners=corners,
    )
    return covariance * np.outer(natural, natural), diagnosis
