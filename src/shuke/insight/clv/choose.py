"""Which model of purchases to use: the simplest that predicts the past's own future as well as the best.

The rule. At up to two cuts inside the history each candidate is fitted to what was known and gives a probability to
what each customer then did. Candidates that did not converge, or whose parameters ran into a corner, are out. Of the
others the highest mean log-probability (a proper score, which rewards neither boldness nor caution) wins, unless a
simpler candidate's lies within one standard error of the paired difference: then the data do not tell the two apart,
and the simpler one is taken. Where the history is too short to cut, the Bayesian information criterion decides instead.

Nothing is random: the same data give the same choice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv import fit
from shuke.insight.clv.model import Floats, PurchaseModel
from shuke.insight.clv.statistics import Statistics
from shuke.insight.summary import Unit, customer_summary, last_known_day
from shuke.insight.tables import Tables
from shuke.insight.validation.holdout import log_scores
from shuke.insight.validation.split import Split, morning_after, split_at

__all__ = ["CANDIDATES", "Choice", "Why", "choose_model"]

# The simplest first: fewer parameters, then the easier to explain and the quicker.
CANDIDATES = ("nbd", "bg-nbd", "mbg-nbd", "pareto-nbd", "bg-cnbd-k", "mbg-cnbd-k")

# A cut leaves at least this much after it, and three times as much before the first.
_HORIZON_DAYS_MIN, _HORIZON_DAYS_MAX = 28, 182
_CUTS = 2
# A sample of so many histories tells models apart that differ enough to matter.
_CELLS_MAX = 10_000


@dataclass(frozen=True)
class Why:
    """One reason, as a code and what it names.

    ``best_holdout`` model, log_score, cuts, horizon_days · ``simpler_within_error`` model, best, deficit, error ·
    ``excluded`` model, because (not_converged, corner, gaps_random) · ``all_in_corners`` model ·
    ``history_too_short`` days, needed · ``lowest_bic`` model, bic.
    """

    code: str
    values: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Choice:
    """The chosen model's name, why, and how all candidates did.

    ``candidates`` (pyarrow), simplest first: name, excluded (null or because), log_score (mean over customers and
    cuts), deficit and deficit_error (against the best, paired), purchases_actual, purchases_predicted (sums over the
    cuts, of the sample), bic, chosen. Scores are null for the excluded and where there was no cut.
    """

    name: str
    why: tuple[Why, ...]
    candidates: pa.Table


@dataclass(frozen=True, eq=False)
class _Tried:
    """One candidate: a fit for each split, what it gave to each cell of each, or why it is out."""

    name: str
    fits: tuple[PurchaseModel, ...]
    excluded: str | None


def choose_model(
    tables: Tables, *, as_of: dt.datetime, unit: Unit = "week", candidates: Sequence[str] = CANDIDATES
) -> Choice:
    """Choose among ``candidates`` by the rule above. Runs up to four queries.

    Raises BadInput ``insight.unknown_model``, CannotSay ``insight.no_repeat_orders`` and ``insight.no_model`` (none of
    the candidates converged).
    """
    if unknown := [name for name in candidates if name not in CANDIDATES]:
        raise BadInput("insight.unknown_model", model=unknown, possible=list(CANDIDATES))
    names = [name for name in CANDIDATES if name in candidates]
    splits, too_short = _splits(tables, as_of, unit)
    if not splits:
        summary = customer_summary(tables, as_of=as_of, unit=unit, with_repeat_amount=False)
        cells = Statistics.from_summary(summary).thinned(_CELLS_MAX)
        tried = [_try(name, [cells], unit) for name in names]
        return _decided(tried, [], too_short)
    tried = [_try(name, [split.statistics for split in splits], unit) for name in names]
    return _decided(tried, splits, ())


def _splits(tables: Tables, as_of: dt.datetime, unit: Unit) -> tuple[list[Split], tuple[Why, ...]]:
    """The cuts, latest first, or why there are none."""
    known = tables.orders.filter(tables.orders.ordered_at < ibis.literal(as_of), tables.orders.customer_id.notnull())
    # As a table of one row: for a single value Ibis would load pandas, which takes a second.
    first = known.agg(first=known.ordered_at.date().min()).to_pyarrow().column("first")[0].as_py()
    end = last_known_day(as_of)
    days = 0 if first is None else (end - first).days
    needed = 4 * _HORIZON_DAYS_MIN
    if days < needed:
        return [], (Why("history_too_short", {"days": days, "needed": needed}),)
    horizon = min(days // 4, _HORIZON_DAYS_MAX)
    splits = []
    for number in range(1, _CUTS + 1):
        cut = end - dt.timedelta(days=number * horizon)
        until = morning_after(cut + dt.timedelta(days=horizon))
        split = split_at(tables, calibration_end=cut, as_of=until, unit=unit).thinned(_CELLS_MAX)
        if split.statistics.x.any():
            splits.append(split)
    short = () if splits else (Why("history_too_short", {"days": days, "needed": needed}),)
    return splits, short


def _try(name: str, histories: Sequence[Statistics], unit: Unit) -> _Tried:
    fits: list[PurchaseModel] = []
    options: dict[str, int] = {}
    for cells in histories:
        fitted = fit(name, cells, unit=unit, **options)
        fits.append(fitted)
        if name.endswith("-k"):
            # The gaps are as regular at one cut as at another: k is searched for once.
            options = {"k": int(fitted.parameters["k"])}
            if options["k"] == 1:
                return _Tried(name, tuple(fits), "gaps_random")
        if not fitted.diagnosis.converged:
            return _Tried(name, tuple(fits), "not_converged")
    corner = any("corner" in fitted.diagnosis.warnings for fitted in fits)
    return _Tried(name, tuple(fits), "corner" if corner else None)


def _decided(tried: list[_Tried], splits: list[Split], before: tuple[Why, ...]) -> Choice:
    able = [candidate for candidate in tried if candidate.excluded is None]
    out = [(candidate.name, candidate.excluded) for candidate in tried if candidate.excluded is not None]
    why = [*before, *(Why("excluded", {"model": name, "because": because}) for name, because in out)]
    if not able:
        # Parameters in a corner still predict; better such a model than none, if it says so.
        able = [candidate for candidate in tried if candidate.excluded == "corner"]
        if not able:
            raise CannotSay("insight.no_model", models=[candidate.name for candidate in tried])
        why.append(Why("all_in_corners", {"model": able[0].name}))
    bics = {candidate.name: _bic(candidate.fits[0]) for candidate in able}
    if not splits:
        name = min(bics, key=lambda own: bics[own])
        return Choice(
            name, (*why, Why("lowest_bic", {"model": name, "bic": bics[name]})), _table(tried, bics, {}, name)
        )
    scores = {candidate.name: _scores(candidate, splits) for candidate in able}
    weights = [split.statistics.weight for split in splits]
    means = {name: _mean(own, weights) for name, own in scores.items()}
    best = max(means, key=lambda own: means[own])
    deficits = {
        name: _deficit([ahead - behind for ahead, behind in zip(scores[best], own, strict=True)], weights)
        for name, own in scores.items()
    }
    name = next(own for own, (deficit, error) in deficits.items() if deficit <= error)
    horizon_days = splits[0].horizon_days
    why.append(
        Why(
            "best_holdout", {"model": best, "log_score": means[best], "cuts": len(splits), "horizon_days": horizon_days}
        )
    )
    if name != best:
        deficit, error = deficits[name]
        why.append(Why("simpler_within_error", {"model": name, "best": best, "deficit": deficit, "error": error}))
    figures: dict[str, tuple[float, ...]] = {
        own: (means[own], *deficits[own], *_totals(candidate, splits)) for own, candidate in _by_name(able)
    }
    return Choice(name, tuple(why), _table(tried, bics, figures, name))


def _by_name(tried: list[_Tried]) -> list[tuple[str, _Tried]]:
    return [(candidate.name, candidate) for candidate in tried]


def _scores(candidate: _Tried, splits: list[Split]) -> list[Floats]:
    """The scores of the customers at each cut."""
    return [log_scores(own, split) for own, split in zip(candidate.fits, splits, strict=True)]


def _mean(values: Sequence[Floats], weights: Sequence[Floats]) -> float:
    """Over all customers of all cuts."""
    return float(np.average(np.concatenate(values), weights=np.concatenate(weights)))


def _deficit(behind: Sequence[Floats], weights: Sequence[Floats]) -> tuple[float, float]:
    """How far a candidate's mean score lies behind the best's, and the standard error of that.

    Most customers of one cut are those of the other, and what one does is alike at both: the errors of the cuts are
    added as if they were one, which is the most that they can be together.
    """
    errors = []
    for own, weight in zip(behind, weights, strict=True):
        mean = float(np.average(own, weights=weight))
        errors.append(float(np.sqrt(np.average((own - mean) ** 2, weights=weight) / weight.sum())))
    shares = [float(weight.sum()) for weight in weights]
    return _mean(behind, weights), float(np.average(errors, weights=shares))


def _totals(candidate: _Tried, splits: list[Split]) -> tuple[float, float]:
    """Orders in the holdouts, actual and predicted."""
    predicted = 0.0
    for own, split in zip(candidate.fits, splits, strict=True):
        cells = split.statistics
        predicted += float(cells.weight @ own.expected_purchases(split.horizon, cells.x, cells.t_x, cells.T))
    return sum(split.purchases_later for split in splits), predicted


def _bic(fitted: PurchaseModel) -> float:
    """Schwarz 1978; k of the regular-timing models counts as a parameter."""
    return float(len(fitted.parameters) * np.log(fitted.customers) - 2 * fitted.log_likelihood)


def _table(tried: list[_Tried], bics: dict[str, float], figures: dict[str, tuple[float, ...]], chosen: str) -> pa.Table:
    columns = ("log_score", "deficit", "deficit_error", "purchases_actual", "purchases_predicted")
    rows = []
    for candidate in tried:
        own = figures.get(candidate.name, (None,) * len(columns))
        rows.append(
            {
                "name": candidate.name,
                "excluded": candidate.excluded,
                **dict(zip(columns, own, strict=True)),
                "bic": bics.get(candidate.name),
                "chosen": candidate.name == chosen,
            }
        )
    types = [("name", pa.string()), ("excluded", pa.string()), *((name, pa.float64()) for name in (*columns, "bic"))]
    return pa.Table.from_pylist(rows, schema=pa.schema([*types, ("chosen", pa.bool_())]))
