"""What may be asked of a model: histories that can be, and numbers that mean something. Others are refused here."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from shuke.base.errors import BadInput
from shuke.insight.clv.model import Floats

__all__ = ["check_count", "check_horizon", "check_level", "check_rate", "check_times", "histories"]

# Recency and age come from divisions of whole days; a last order may overshoot the end by rounding, not by more.
_ROUNDING = 1e-9


def histories(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Histories as arrays of one shape with at least one dimension. Raises BadInput ``insight.bad_history``."""
    columns = np.broadcast_arrays(*(np.atleast_1d(np.asarray(c, dtype=np.float64)) for c in (x, t_x, T)))
    x_, t_x_, T_ = columns
    for column, broken in (
        ("x", ~((x_ >= 0) & np.isfinite(x_))),
        ("t_x", ~((t_x_ >= 0) & (t_x_ <= T_ * (1 + _ROUNDING)))),
        ("T", ~np.isfinite(T_)),
    ):
        if broken.any():
            raise BadInput("insight.bad_history", column=column)
    return x_, np.minimum(t_x_, T_), T_


def check_times(times: ArrayLike, column: str, least: float = 0.0) -> Floats:
    """The times as floats. Raises BadInput ``insight.bad_history`` unless they are finite and at least ``least``."""
    found = np.asarray(times, dtype=np.float64)
    if not (np.isfinite(found) & (found >= least)).all():
        raise BadInput("insight.bad_history", column=column)
    return found


def check_horizon(horizon: float) -> None:
    """Raise BadInput ``insight.bad_history`` unless the horizon is finite and not negative."""
    check_times(horizon, "horizon")


def check_count(k: int) -> None:
    """Raise BadInput ``insight.bad_history`` unless k is a whole number of 0 or more."""
    if k < 0 or k != int(k):
        raise BadInput("insight.bad_history", column="k")


def check_level(level: float) -> None:
    """Raise BadInput ``insight.bad_level`` unless 0 < level < 1."""
    if not 0 < level < 1:
        raise BadInput("insight.bad_level", level=level)


def check_rate(rate: float, horizon: float | None) -> None:
    """Raise BadInput ``insight.bad_rate`` below 0 or 0 forever, ``insight.bad_history`` for an impossible horizon."""
    if not 0 <= rate < np.inf or (horizon is None and rate == 0):
        raise BadInput("insight.bad_rate", rate=rate)
    if horizon is not None:
        check_horizon(horizon)
