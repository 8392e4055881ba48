"""What can be predicted without a model of purchases, for a model to be held against.

============== ======================================================================================================
same_rate      everyone goes on ordering at the rate so far
recent         so do those who ordered within the hiatus, the others never again: the managers' heuristic of Wübben &
               v. Wangenheim, "Instant Customer Base Analysis: Managerial Heuristics Often 'Get It Right'", Journal of
               Marketing 72 (2008); the hiatus is the one that told customers apart best at an earlier cut
mean           everyone orders as often as the average customer
boosted        gradient-boosted trees with Poisson loss on frequency, recency and age, trained on an earlier cut only
============== ======================================================================================================

The earlier cut lies inside the calibration period, so that nothing of the holdout is used.
"""

from __future__ import annotations

import datetime as dt

import lazy_loader
import numpy as np
from threadpoolctl import threadpool_limits

from shuke.base.errors import CannotSay
from shuke.insight.clv.model import Floats
from shuke.insight.clv.statistics import Statistics
from shuke.insight.tables import Tables
from shuke.insight.validation.split import Split, morning_after, split_at

# Loads when the trees are first grown: it takes seconds, which reading the facts should not cost.
sklearn = lazy_loader.load("sklearn")

__all__ = ["baselines", "earlier_split"]

# Fewer customers than this teach trees nothing but noise.
_TRAINING_CUSTOMERS = 200
_TRAINING_CELLS = 100_000
_HIATUS_CANDIDATES = 50


def earlier_split(tables: Tables, split: Split) -> Split | None:
    """A split inside the calibration period: its holdout ends with it and is as long as the real one, or half of what
    there is. None if too few customers had come by then. Runs one query.
    """
    known_days = float(split.statistics.T.max()) * (split.horizon_days / split.horizon)
    days = min(split.horizon_days, int(known_days // 2))
    if days < 1:
        return None
    cut = split.calibration_end - dt.timedelta(days=days)
    try:
        earlier = split_at(
            tables, calibration_end=cut, as_of=morning_after(split.calibration_end), unit=split.unit, with_gaps=False
        )
    except CannotSay:
        return None
    enough = earlier.statistics.customers >= _TRAINING_CUSTOMERS and earlier.purchases_later > 0
    return earlier if enough else None


def baselines(split: Split, earlier: Split | None) -> dict[str, Floats]:
    """Predicted orders per cell of ``split`` by each baseline; ``boosted`` is absent without an earlier split."""
    cells = split.statistics
    mean_rate = float(cells.weight @ cells.x) / max(float(cells.weight @ cells.T), 1e-12)
    mean = np.full(cells.cells, mean_rate * split.horizon)
    same_rate = np.where(cells.T > 0, cells.x / np.maximum(cells.T, 1e-12) * split.horizon, mean)
    hiatus = split.horizon if earlier is None else _best_hiatus(earlier)
    guesses = {"same_rate": same_rate, "recent": np.where(cells.T - cells.t_x <= hiatus, same_rate, 0.0), "mean": mean}
    if earlier is not None:
        guesses["boosted"] = _boosted(split, earlier.thinned(_TRAINING_CELLS))
    return guesses


def _best_hiatus(earlier: Split) -> float:
    """The time since the last order that best told who would order again; the shortest of equals."""
    cells = earlier.statistics
    quiet = cells.T - cells.t_x
    candidates = np.quantile(quiet, np.linspace(0, 1, _HIATUS_CANDIDATES))
    again = earlier.later > 0
    wrong = [float(cells.weight @ ((quiet <= candidate) != again)) for candidate in candidates]
    return float(candidates[int(np.argmin(wrong))])


def _boosted(split: Split, earlier: Split) -> Floats:
    trees = sklearn.ensemble.HistGradientBoostingRegressor(
        loss="poisson",
        learning_rate=0.06,
        max_iter=150,
        max_leaf_nodes=15,
        min_samples_leaf=30,
        early_stopping=False,
        random_state=20_260_101,
    )
    # One thread: sums then come out the same every time, and small trees gain nothing from more.
    with threadpool_limits(limits=1):
        trees.fit(_traits(earlier.statistics), earlier.later, sample_weight=earlier.statistics.weight)
        rate = trees.predict(_traits(split.statistics)) / earlier.horizon
    # Trained on a stretch of another length, it speaks of rates.
    return np.asarray(rate * split.horizon, dtype=np.float64)


def _traits(cells: Statistics) -> Floats:
    return np.column_stack([cells.x, cells.t_x, cells.T, cells.T - cells.t_x, cells.x / (cells.T + 1)])
