"""RFM: how recently, how often and for how much money each customer bought, scored and named.

**Scores.** With ``bins`` = 5, a score is one more than the number of the four inner quintiles (quantiles with linear
interpolation, Hyndman & Fan 1996, type 7) that the customer's value exceeds. Where all values differ this is what
cutting into five equal parts gives. Where values tie it stays sound: a score is a function of the value alone, so
equal customers get equal scores, and the worst value always scores 1 (a shop in which 85 % bought once gives those
85 % a frequency score of 1, not a random 1 to 5). The price is that bins may be unequal or empty. Recency is scored
on days since the last order, turned round, so that the top score is best for all three.

**What is counted.** Frequency is the number of days with an order by default (two orders on one day are one visit),
money is the historic amount net of refunds.

**Groups.** Two vocabularies, both complete and without overlap, both plain data:

- ``rfm_group``: eleven groups on the grid of recency and frequency (``RFM_GRID``), from champions to lost. Scores of
  other than five bins are first spread evenly over the five rows.
- ``value_group``: the eight groups of the Chinese literature (重要价值客户 … 一般挽留客户), by whether each of the
  three scores is above the mean score of all customers (or the median). Means of scores and not of money, since a
  handful of wholesale customers would lift the mean amount above almost everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from shuke.base.errors import BadInput

__all__ = ["RFM_GRID", "RFM_GROUPS", "VALUE_CELLS", "VALUE_GROUPS", "rfm_groups_summary", "rfm_limits", "rfm_scores"]

# Rows are recency scores from 5 (latest) down to 1, columns are frequency scores from 1 to 5.
RFM_GRID: Mapping[int, tuple[str, str, str, str, str]] = {
    5: ("new_customers", "potential_loyalists", "potential_loyalists", "champions", "champions"),
    4: ("promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"),
    3: ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    2: ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    1: ("lost", "lost", "at_risk", "at_risk", "cannot_lose"),
}

RFM_GROUPS = (
    "champions",
    "loyal",
    "potential_loyalists",
    "new_customers",
    "promising",
    "need_attention",
    "about_to_sleep",
    "at_risk",
    "cannot_lose",
    "hibernating",
    "lost",
)

# Whether recency, frequency and money are high: 重要 (important) is high money, 一般 (ordinary) is low money.
VALUE_CELLS: Mapping[tuple[bool, bool, bool], str] = {
    (True, True, True): "important_value",  # 重要价值
    (True, False, True): "important_development",  # 重要发展
    (False, True, True): "important_retention",  # 重要保持
    (False, False, True): "important_win_back",  # 重要挽留
    (True, True, False): "ordinary_value",  # 一般价值
    (True, False, False): "ordinary_development",  # 一般发展
    (False, True, False): "ordinary_retention",  # 一般保持
    (False, False, False): "ordinary_win_back",  # 一般挽留
}
VALUE_GROUPS = tuple(VALUE_CELLS.values())

_BINS_MIN, _BINS_MAX = 2, 10
_SCORES = ("r_score", "f_score", "m_score")


def rfm_scores(
    summary: ir.Table,
    *,
    bins: int = 5,
    thresholds: Mapping[str, Sequence[float]] | None = None,
    frequency: str = "order_days",
    money: str = "net_amount",
    split: Literal["mean", "median"] = "mean",
    limits: ir.Table | None = None,
) -> ir.Table:
    """``summary`` with r_score, f_score, m_score (1 … bins, the best is bins), rfm_score, rfm_group and value_group.

    ``summary`` has one row per customer, with recency_days and the columns that ``frequency`` and ``money`` name; it is
    read several times, so keep it first if it is costly. A customer without orders (nulls) gets nulls.

    ``thresholds`` fixes the limits of any of ``"recency"``, ``"frequency"`` and ``"money"`` instead of taking
    quantiles: bins − 1 rising numbers each. Recency up to and including the first limit scores ``bins``; frequency
    and money score 2 from the first limit on. So (30, 90, 180, 365) days give 5 within 30 days and 1 after 365.

    ``limits``, made by :func:`rfm_limits` with the same options, are those to score by: kept by an engine, so that they
    are worked out once, or those of another table, so that a part is scored among all.

    rfm_score is the three scores written together, "545" (with ten bins "10-4-5"). Raises BadInput
    ``insight.rfm_bins``, ``insight.rfm_thresholds`` or ``insight.missing_columns``.
    """
    scale = _Scale.of(summary, bins, thresholds, frequency, money)
    if limits is None:
        limits = _limits(summary, scale, split)
    scored = _scored(summary.cross_join(limits), scale)
    return _named(scored, bins).drop(*limits.columns)


def rfm_limits(
    summary: ir.Table,
    *,
    bins: int = 5,
    thresholds: Mapping[str, Sequence[float]] | None = None,
    frequency: str = "order_days",
    money: str = "net_amount",
    split: Literal["mean", "median"] = "mean",
) -> ir.Table:
    """One row with the quantiles and middles that :func:`rfm_scores` goes by; same options, same errors."""
    return _limits(summary, _Scale.of(summary, bins, thresholds, frequency, money), split)


@dataclass(frozen=True)
class _Scale:
    """What is scored, into how many bins, and the limits that are fixed."""

    bins: int
    frequency: str
    money: str
    fixed: Mapping[str, list[float]]

    @classmethod
    def of(
        cls, summary: ir.Table, bins: int, thresholds: Mapping[str, Sequence[float]] | None, frequency: str, money: str
    ) -> _Scale:
        """Refuse options that cannot be."""
        if not _BINS_MIN <= bins <= _BINS_MAX:
            raise BadInput("insight.rfm_bins", bins=bins, minimum=_BINS_MIN, maximum=_BINS_MAX)
        missing = [column for column in ("recency_days", frequency, money) if column not in summary.columns]
        if missing:
            raise BadInput("insight.missing_columns", table="summary", columns=missing, found=list(summary.columns))
        return cls(bins, frequency, money, _checked(thresholds or {}, bins))

    def values(self, table: ir.Table) -> dict[str, ir.Value]:
        """What each score is of, larger being better."""
        sources = {"recency": -table.recency_days, "frequency": table[self.frequency], "money": table[self.money]}
        return {name: value.cast("float64") for name, value in sources.items()}


def _limits(summary: ir.Table, scale: _Scale, split: Literal["mean", "median"]) -> ir.Table:
    wanted = {name: value for name, value in scale.values(summary).items() if name not in scale.fixed}
    steps = range(1, scale.bins)
    # All quantiles of a column at once, for which it is put in order once.
    found = summary.aggregate(
        **{f"_{name}": value.quantile([step / scale.bins for step in steps]) for name, value in wanted.items()}
    )
    cuts = {f"_{name}_{step}": found[f"_{name}"][step - 1] for name in wanted for step in steps}
    values = summary.select(*dict.fromkeys(("recency_days", scale.frequency, scale.money)))
    scored = _scored(values.cross_join(found.select(**cuts)) if cuts else values, scale)
    middles = {
        f"_{name}_middle": scored[name].mean() if split == "mean" else scored[name].cast("float64").quantile(0.5)
        for name in _SCORES
    }
    # The cuts are the same in every row; carried along, they are worked out once.
    return scored.aggregate(**{name: scored[name].max() for name in cuts}, **middles)


def _scored(table: ir.Table, scale: _Scale) -> ir.Table:
    scores = {}
    for score, (name, value) in zip(_SCORES, scale.values(table).items(), strict=True):
        if name in scale.fixed:
            passed = [value >= limit for limit in scale.fixed[name]]
        else:
            passed = [value > table[f"_{name}_{step}"] for step in range(1, scale.bins)]
        scores[score] = sum((one.cast("int32") for one in passed), ibis.literal(1, type="int32"))
    return table.mutate(**scores)


def rfm_groups_summary(
    scored: ir.Table,
    *,
    group: Literal["rfm_group", "value_group"] = "rfm_group",
    orders: str = "orders",
    money: str = "net_amount",
) -> ir.Table:
    """What each group is worth, one row per group that has customers, the best group first.

    Columns: the group, position (its place in the vocabulary), customers, share_of_customers, orders, amount,
    share_of_amount (of the sum over all groups; null when that is not above zero), average_amount (per customer),
    average_recency_days.
    """
    names = RFM_GROUPS if group == "rfm_group" else VALUE_GROUPS
    summed = (
        scored.filter(scored[group].notnull())
        .group_by(group)
        .aggregate(
            customers=ibis._.count(),
            orders=ibis._[orders].sum(),
            amount=ibis._[money].cast("float64").sum(),
            average_amount=ibis._[money].cast("float64").mean(),
            average_recency_days=ibis._.recency_days.mean(),
        )
    )
    total = summed.amount.sum().over()
    return summed.select(
        group,
        summed[group].cases(*[(name, place) for place, name in enumerate(names, start=1)], else_=None).name("position"),
        "customers",
        (summed.customers / summed.customers.sum().over()).name("share_of_customers"),
        "orders",
        "amount",
        ibis.cases((total > 0, summed.amount / total), else_=None).name("share_of_amount"),
        "average_amount",
        "average_recency_days",
    ).order_by("position")


def _checked(thresholds: Mapping[str, Sequence[float]], bins: int) -> dict[str, list[float]]:
    """The fixed limits as numbers to be reached, recency turned round like its values."""
    fixed: dict[str, list[float]] = {}
    for name, limits in thresholds.items():
        rising = all(low < high for low, high in pairwise(limits))
        if name not in ("recency", "frequency", "money") or len(limits) != bins - 1 or not rising:
            raise BadInput("insight.rfm_thresholds", name=name, limits=list(limits), needed=bins - 1)
        fixed[name] = [-limit for limit in limits] if name == "recency" else [float(limit) for limit in limits]
    return fixed


def _named(table: ir.Table, bins: int) -> ir.Table:
    """Add the three names that follow from the scores."""
    high = [(table[name] > table[f"_{name}_middle"]).cast("int32") for name in _SCORES]
    cells: dict[str, list[int]] = {}
    for recency in range(1, bins + 1):
        for often in range(1, bins + 1):
            cells.setdefault(_grid_cell(recency, often, bins), []).append(recency * 100 + often)
    cell = table.r_score * 100 + table.f_score
    value_cell = high[0] * 4 + high[1] * 2 + high[2]
    named: dict[str, Any] = {
        "rfm_score": _together(table, bins),
        "rfm_group": ibis.cases(*[(cell.isin(members), name) for name, members in cells.items()], else_=None),
        "value_group": value_cell.cases(
            *[(recent * 4 + often * 2 + much, name) for (recent, often, much), name in VALUE_CELLS.items()],
            else_=None,
        ),
    }
    return table.mutate(**named)


def _together(table: ir.Table, bins: int) -> ir.Value:
    """The three scores as one text."""
    if bins <= 9:
        return (table.r_score * 100 + table.f_score * 10 + table.m_score).cast("string")
    return table.r_score.cast("string") + "-" + table.f_score.cast("string") + "-" + table.m_score.cast("string")


def _grid_cell(recency: int, often: int, bins: int) -> str:
    """The group of two scores; scores of other than five bins are spread evenly over 1 … 5, ends onto ends."""
    row, column = (int(1 + 4 * (score - 1) / (bins - 1) + 0.5) for score in (recency, often))
    return RFM_GRID[row][column - 1]
