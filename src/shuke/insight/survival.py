"""The survival curve with censoring: how many are still there after each length of time.

Kaplan & Meier (1958): S(t) = Π over event times u ≤ t of (1 − d(u)/n(u)), with d(u) events at u among n(u) who were
watched up to u. Who has not had the event yet (a young customer, a stage not left) is censored: counted among those
watched as long as they were, and no longer. Variance by Greenwood (1926): S² Σ d / (n (n − d)); limits by the
log(−log) transform (Kalbfleisch & Prentice 1980, 1.4.1), which keep within 0 and 1.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir
from scipy.special import ndtri

from shuke.base.errors import BadInput

__all__ = ["survival", "survival_quantiles"]


def survival(durations: ir.Table, *, by: tuple[str, ...] = (), level: float = 0.95) -> ir.Table:
    """The curve of each group, one row per group and duration at which anything happened.

    ``durations`` has duration (any number, one unit), ended (boolean: false is censored) and optionally weight
    (how many subjects a row stands for). Subjects censored at u count as watched at u.

    Columns: ``by``, duration, at_risk, ended, censored, survival, std_error, low, high (at ``level``; null where S is 1
    or 0). Raises BadInput ``insight.bad_level`` unless 0 < level < 1.
    """
    if not 0 < level < 1:
        raise BadInput("insight.bad_level", level=level)
    z = float(ndtri(0.5 + level / 2))
    weight = durations.weight.cast("int64") if "weight" in durations.columns else ibis.literal(1, type="int64")
    counted = durations.select(
        *by, "duration", _ended=durations.ended.cast("int64") * weight, _all=weight.cast("int64")
    )
    # A row that stands for nobody happened to nobody.
    counted = counted.filter(counted["_all"] > 0)
    steps = counted.group_by(*by, "duration").aggregate(ended=counted["_ended"].sum(), _all=counted["_all"].sum())
    steps = steps.mutate(at_risk=steps["_all"].sum().over(_frame(by, preceding=0, following=None)))
    d, n = steps.ended.cast("float64"), steps.at_risk.cast("float64")
    last = steps.ended == steps.at_risk
    steps = steps.mutate(
        _log=ibis.cases((last, ibis.literal(0.0)), else_=(1 - d / n).ln()),
        _term=ibis.cases((last, ibis.literal(0.0)), else_=d / (n * (n - d))),
        _gone=last.cast("int64"),
    )
    so_far = _frame(by, preceding=None, following=0)
    summed = steps.mutate(**{name: steps[name].sum().over(so_far) for name in ("_log", "_term", "_gone")})
    curve = summed.mutate(survival=ibis.cases((summed["_gone"] > 0, ibis.literal(0.0)), else_=summed["_log"].exp()))
    inner = (curve.survival > 0) & (curve["_log"] < 0)
    # theta = z · sqrt(Var ln(−ln S)); guarded, since both branches of a case may be computed.
    safe = ibis.cases((inner, curve["_log"]), else_=ibis.literal(-1.0))
    theta = curve["_term"].sqrt() / safe * z
    return curve.select(
        *by,
        "duration",
        "at_risk",
        "ended",
        (curve["_all"] - curve.ended).name("censored"),
        "survival",
        (curve.survival * curve["_term"].sqrt()).name("std_error"),
        ibis.cases((inner, (safe * (-theta).exp()).exp()), else_=None).name("low"),
        ibis.cases((inner, (safe * theta.exp()).exp()), else_=None).name("high"),
    ).order_by(*by, "duration")


def survival_quantiles(curve: ir.Table, shares: dict[str, float], *, by: tuple[str, ...] = ()) -> ir.Table:
    """By group, the first duration at which at least each share has ended; null where the curve never gets there.

    ``shares`` maps a column name to a share, for example {"median_days": 0.5}.
    """
    # The curve is a product of rounded numbers: half of two is 0.5 only up to the last bits.
    picks: dict[str, Any] = {
        name: curve.duration.min(where=curve.survival <= 1 - share + 1e-12) for name, share in shares.items()
    }
    return curve.group_by(*by).aggregate(**picks) if by else curve.aggregate(**picks)


def _frame(by: tuple[str, ...], *, preceding: int | None, following: int | None) -> Any:
    return ibis.window(group_by=list(by) or None, order_by="duration", preceding=preceding, following=following)
