"""Fitting one member of the family of :mod:`likelihood`, with or without covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.family import FamilyModel
from shuke.insight.clv.likelihood import Dropout, Likelihood, Member
from shuke.insight.clv.model import Diagnosis, Floats
from shuke.insight.clv.optimise import Nested, Optimum, judge, maximise
from shuke.insight.clv.statistics import Statistics
from shuke.insight.clv.traits import mean_and_spread, to_own_units

__all__ = ["Covariates", "fit_member", "refuse_without_repeats", "time_scale"]

# Names of traits for every parameter that varies, or for each of alpha, a and b on its own.
Covariates = Sequence[str] | Mapping[str, Sequence[str]]

# A model with dropout this rare is its special case without, to all practical purposes.
_RARE = 1e-4


def fit_member(
    name: str, member: Member, statistics: Statistics, *, unit: str = "week", covariates: Covariates | None = None
) -> FamilyModel:
    """The maximum likelihood estimate.

    Raises CannotSay ``insight.no_repeat_orders`` when nobody ordered twice, BadInput ``insight.gaps_missing`` when a
    regular-timing model is asked for without ``log_gap_sum``, and those of covariates (see :func:`_designs`).
    """
    refuse_without_repeats(statistics)
    if member.k > 1 and statistics.log_gap_sum is None:
        raise BadInput("insight.gaps_missing", model=name)
    plain = Likelihood(member, statistics)
    scale = _scale(member, statistics)
    nested = None
    starts = _starts(member, statistics)
    if member.dropout is not Dropout.NEVER:
        never = replace(member, dropout=Dropout.NEVER)
        special = maximise(
            lambda cells: Likelihood(never, cells), statistics, _starts(never, statistics), scale=scale[:2]
        )
        nested = Nested(special.at.value, np.concatenate([special.theta, np.log([_RARE, 1.0])]))
    optimum = maximise(lambda cells: replace(plain, statistics=cells), statistics, starts, scale=scale, nested=nested)
    if covariates is not None:
        return _fit_with_covariates(name, member, statistics, unit, covariates, optimum)
    covariance, diagnosis = judge(optimum, statistics.customers, member.names, scale=scale, nested=nested)
    return _model(
        name,
        member,
        statistics,
        unit,
        dict(zip(member.names, np.exp(optimum.theta), strict=True)),
        optimum,
        covariance,
        diagnosis,
    )


def refuse_without_repeats(statistics: Statistics) -> None:
    """Raise CannotSay ``insight.no_repeat_orders``: without a second order, slow customers and lost ones look alike."""
    if not statistics.x.any():
        raise CannotSay("insight.no_repeat_orders", customers=statistics.customers)


def time_scale(statistics: Statistics) -> float:
    """The mean age of the customers: the natural size of a rate's scale parameter."""
    return float(statistics.weight @ statistics.T) / statistics.customers


def _scale(member: Member, statistics: Statistics) -> Floats:
    return np.array([1.0, time_scale(statistics), 1.0, 1.0])[: len(member.names)]


def _starts(member: Member, statistics: Statistics) -> list[Floats]:
    """Log-parameters to start from: the mean rate, and a customer's chance to leave of a quarter, or of a fiftieth."""
    orders = float(statistics.weight @ statistics.x)
    rate = orders * member.k / float(statistics.weight @ statistics.T)
    size = len(member.names)
    return [np.log(np.array([0.5, 0.5 / rate, 1.0, 3.0])[:size]), np.log(np.array([1.0, 1.0 / rate, 0.1, 5.0])[:size])]


def _model(
    name: str,
    member: Member,
    statistics: Statistics,
    unit: str,
    parameters: Mapping[str, float],
    optimum: Optimum,
    covariance: Floats,
    diagnosis: Diagnosis,
) -> FamilyModel:
    own = {key: float(value) for key, value in parameters.items()}
    if name.endswith("-k"):
        # Chosen, not estimated: a row of zeros keeps the covariance in the order of the parameters.
        own["k"] = float(member.k)
        covariance = np.pad(covariance, (0, 1))
    return FamilyModel(own, optimum.at.value, covariance, diagnosis, statistics.customers, unit, name, member)


def _fit_with_covariates(
    name: str, member: Member, statistics: Statistics, unit: str, covariates: Covariates, plain: Optimum
) -> FamilyModel:
    """Fader & Hardie, "Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models" (2007).

    ln alpha, ln a and ln b become linear in the traits. Traits are standardised while fitting, so that their units do
    not matter to the climb or the diagnosis; the climb starts at the model without covariates, which is nested.
    """
    traits = _traits_by_parameter(member, covariates)
    designs, names, back, start = _designs(member, statistics, traits, plain.theta)
    scale = np.ones(len(names))
    scale[names.index("alpha")] = time_scale(statistics)
    nested = Nested(plain.at.value, start)
    logarithmic = np.array(["." not in own for own in names])

    def objective_of(cells: Statistics) -> Likelihood:
        return Likelihood(
            member,
            cells,
            designs if cells is statistics else _designs(member, cells, traits, plain.theta, like=statistics)[0],
        )

    optimum = maximise(objective_of, statistics, [start], scale=scale, nested=nested)
    covariance, diagnosis = judge(
        optimum, statistics.customers, names, scale=scale, logarithmic=logarithmic.tolist(), nested=nested
    )
    values, covariance = to_own_units(optimum.theta, covariance, back, logarithmic)
    return _model(
        name,
        member,
        statistics,
        unit,
        dict(zip(names, values.tolist(), strict=True)),
        optimum,
        covariance,
        diagnosis,
    )


def _traits_by_parameter(member: Member, covariates: Covariates) -> dict[str, tuple[str, ...]]:
    varying = [name for name in member.names if name != "r"]
    if not isinstance(covariates, Mapping):
        return {name: tuple(covariates) for name in varying}
    if unknown := [name for name in covariates if name not in varying]:
        raise BadInput("insight.covariates_unknown", names=unknown, possible=varying)
    return {name: tuple(covariates.get(name, ())) for name in varying}


def _designs(
    member: Member,
    statistics: Statistics,
    traits: Mapping[str, tuple[str, ...]],
    plain: Floats,
    like: Statistics | None = None,
) -> tuple[tuple[Floats | None, ...], list[str], Floats, Floats]:
    """Designs of standardised traits, the coefficients' names, the way back to raw traits, and the start.

    Standardised as in ``like``. Raises BadInput ``insight.covariates_missing`` and ``insight.covariate_constant``.
    """
    moments = {trait: mean_and_spread(like or statistics, trait) for own in traits.values() for trait in own}
    designs: list[Floats | None] = []
    names: list[str] = []
    start: list[float] = []
    rows: list[tuple[int, int, float]] = []
    for i, parameter in enumerate(member.names):
        own = traits.get(parameter, ())
        intercept = len(names)
        names.append(parameter)
        start.append(float(plain[i]))
        columns = [np.ones(statistics.cells)]
        for trait in own:
            mean, spread = moments[trait]
            columns.append(((statistics.covariates or {})[trait] - mean) / spread)
            rows += [(len(names), len(names), 1 / spread), (intercept, len(names), -mean / spread)]
            names.append(f"{parameter}.{trait}")
            start.append(0.0)
        designs.append(np.column_stack(columns) if own else None)
    back = np.eye(len(names))
    for i, j, value in rows:
        back[i, j] = value
    return tuple(designs), names, back, np.array(start)
