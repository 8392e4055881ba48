"""The judgement: one model against one holdout, or against several in turn."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv import fit
from shuke.insight.clv.model import Floats, PurchaseModel
from shuke.insight.summary import Unit, last_known_day
from shuke.insight.tables import Tables
from shuke.insight.validation.baselines import baselines, earlier_split
from shuke.insight.validation.scores import Scores, by_frequency, deciles, score
from shuke.insight.validation.split import Split, morning_after, split_at
from shuke.insight.validation.tracking import track

__all__ = ["Holdout", "RollingOrigins", "holdout", "log_scores", "rolling_origins"]

_ORIGINS_MAX = 12


@dataclass(frozen=True, eq=False)
class Holdout:
    """A model fitted up to ``calibration_end`` (inclusive) and what came of its predictions until ``holdout_end``.

    ``customers`` had ordered by then; ``horizon`` is the length of the holdout in ``model.unit``. ``purchases_low`` and
    ``purchases_high`` bound the predicted total with 95 %. ``mae`` and ``rmse`` are orders per customer, ``log_score``
    is the mean log-probability that the model gave to what each customer did, ``gini`` and ``gini_best`` as in
    :class:`scores.Scores`. Tables (pyarrow):

    - ``by_frequency``: frequency, and_more, customers, actual, predicted (means), see :func:`scores.by_frequency`
    - ``deciles``: decile, customers, actual, predicted, lift, share, see :func:`scores.deciles`
    - ``tracking``: week_end, holdout, actual, expected, actual_total, expected_total, see :func:`tracking.track`
    - ``baselines``: name (the model first, then same_rate, recent, mean, boosted), purchases_predicted, mae, rmse, gini
    """

    model: PurchaseModel
    calibration_end: dt.date
    holdout_end: dt.date
    horizon: float
    customers: int
    purchases_actual: int
    purchases_predicted: float
    purchases_low: float
    purchases_high: float
    mae: float
    rmse: float
    log_score: float
    gini: float
    gini_best: float
    by_frequency: pa.Table
    deciles: pa.Table
    tracking: pa.Table
    baselines: pa.Table


@dataclass(frozen=True, eq=False)
class RollingOrigins:
    """The same model judged at several cuts, the latest first.

    ``table`` (pyarrow): calibration_end, holdout_end, customers, purchases_actual, purchases_predicted, mae, rmse,
    log_score, gini, converged.
    """

    name: str
    table: pa.Table


def holdout(
    tables: Tables,
    *,
    calibration_end: dt.date,
    as_of: dt.datetime,
    model: str = "bg-nbd",
    unit: Unit = "week",
    with_baselines: bool = True,
) -> Holdout:
    """Fit ``model`` to what was known at the end of ``calibration_end`` and judge it by what came until ``as_of``.

    Runs two queries, and one more for the baselines. Raises CannotSay ``insight.no_holdout`` when nothing lies after
    the cut, ``insight.no_repeat_orders``, and BadInput ``insight.unknown_model``.
    """
    cut = _day(calibration_end)
    split = split_at(tables, calibration_end=cut, as_of=as_of, unit=unit, with_gaps="cnbd" in model)
    fitted = fit(model, split.statistics, unit=unit)
    cells = split.statistics
    predicted = fitted.expected_purchases(split.horizon, cells.x, cells.t_x, cells.T)
    scores = {model: score(predicted, split.later, cells.weight)}
    if with_baselines:
        for name, guess in baselines(split, earlier_split(tables, split)).items():
            scores[name] = score(guess, split.later, cells.weight)
    low, high = fitted.total_interval(split.horizon, cells)
    own = scores[model]
    return Holdout(
        model=fitted,
        calibration_end=cut,
        holdout_end=split.holdout_end,
        horizon=split.horizon,
        customers=cells.customers,
        purchases_actual=round(split.purchases_later),
        purchases_predicted=own.purchases_predicted,
        purchases_low=low,
        purchases_high=high,
        mae=own.mae,
        rmse=own.rmse,
        log_score=float(np.average(log_scores(fitted, split), weights=cells.weight)),
        gini=own.gini,
        gini_best=own.gini_best,
        by_frequency=by_frequency(cells.x, predicted, split.later, cells.weight),
        deciles=deciles(predicted, split.later, cells.weight),
        tracking=track(tables, fitted, calibration_end=cut, as_of=as_of, unit=unit),
        baselines=_beside(scores),
    )


def rolling_origins(
    tables: Tables,
    *,
    as_of: dt.datetime,
    horizon_days: int,
    origins: int = 3,
    model: str = "bg-nbd",
    unit: Unit = "week",
) -> RollingOrigins:
    """Judge ``model`` at ``origins`` cuts, ``horizon_days`` apart, each by the ``horizon_days`` after it.

    Cuts before which nobody ordered twice are left out. Raises CannotSay ``insight.no_holdout`` when none remains, and
    BadInput ``insight.bad_origins`` unless there are 1 to 12 of at least one day.
    """
    if not 1 <= origins <= _ORIGINS_MAX or horizon_days < 1:
        raise BadInput("insight.bad_origins", origins=origins, most=_ORIGINS_MAX, horizon_days=horizon_days)
    rows = []
    end = last_known_day(as_of)
    for number in range(1, origins + 1):
        cut = end - dt.timedelta(days=number * horizon_days)
        until = morning_after(cut + dt.timedelta(days=horizon_days))
        try:
            split = split_at(tables, calibration_end=cut, as_of=until, unit=unit, with_gaps="cnbd" in model)
            fitted = fit(model, split.statistics, unit=unit)
        except CannotSay:
            break
        rows.append(_row(fitted, split))
    if not rows:
        raise CannotSay("insight.no_holdout", calibration_end=end - dt.timedelta(days=horizon_days), last_day=end)
    return RollingOrigins(model, pa.Table.from_pylist(rows))


def _row(fitted: PurchaseModel, split: Split) -> dict[str, object]:
    cells = split.statistics
    scores = score(fitted.expected_purchases(split.horizon, cells.x, cells.t_x, cells.T), split.later, cells.weight)
    return {
        "calibration_end": split.calibration_end,
        "holdout_end": split.holdout_end,
        "customers": cells.customers,
        "purchases_actual": round(split.purchases_later),
        "purchases_predicted": scores.purchases_predicted,
        "mae": scores.mae,
        "rmse": scores.rmse,
        "log_score": float(np.average(log_scores(fitted, split), weights=cells.weight)),
        "gini": scores.gini,
        "converged": fitted.diagnosis.converged,
    }


def log_scores(model: PurchaseModel, split: Split) -> Floats:
    """ln P(what each cell's customers did in the holdout), per cell: a proper score of the whole prediction."""
    cells = split.statistics
    chance = np.empty(cells.cells)
    for k in np.unique(split.later):
        rows = np.flatnonzero(split.later == k)
        chance[rows] = model.probability_of(int(k), split.horizon, cells.x[rows], cells.t_x[rows], cells.T[rows])
    # What a double cannot tell from impossible is bad enough.
    return np.log(np.maximum(chance, 1e-300))


def _beside(scores: dict[str, Scores]) -> pa.Table:
    columns = ("purchases_predicted", "mae", "rmse", "gini")
    rows = {column: [getattr(own, column) for own in scores.values()] for column in columns}
    return pa.table({"name": list(scores), **rows})


def _day(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment
