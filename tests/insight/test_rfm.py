"""Scores are sound with ties, groups are complete, and the real shop's figures are right."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest

from shuke.base.errors import BadInput
from shuke.insight.rfm import RFM_GRID, RFM_GROUPS, VALUE_CELLS, VALUE_GROUPS, rfm_groups_summary, rfm_scores


def summary(recency: list[Any], often: list[Any], money: list[Any]) -> ir.Table:
    return ibis.memtable(
        {
            "customer_id": [f"c{number}" for number in range(len(recency))],
            "recency_days": recency,
            "order_days": often,
            "orders": often,
            "net_amount": money,
        },
        schema={
            "customer_id": "string",
            "recency_days": "int64",
            "order_days": "int64",
            "orders": "int64",
            "net_amount": "float64",
        },
    )


def scored(table: ir.Table, **options: Any) -> pd.DataFrame:
    frame = ibis.duckdb.connect().to_pandas(rfm_scores(table, **options))
    return frame.set_index("customer_id").sort_index(key=lambda ids: ids.str[1:].astype(int))


def test_distinct_values_fall_into_equal_fifths() -> None:
    frame = scored(summary(list(range(10)), list(range(1, 11)), [10.0 * n for n in range(10)]))
    assert frame.r_score.tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert frame.f_score.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert frame.m_score.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert frame.rfm_score.iloc[0] == "511"


def test_equal_values_get_equal_scores_and_the_worst_scores_one() -> None:
    often = [1] * 85 + [2] * 10 + [7] * 5
    frame = scored(summary([5] * 100, often, [1.0] * 100))
    assert frame.groupby(often).f_score.agg(["min", "max"]).to_numpy().tolist() == [[1, 1], [5, 5], [5, 5]]
    assert set(frame.r_score) == {1}
    assert set(frame.m_score) == {1}


def test_scores_never_fall_when_values_rise() -> None:
    generator = np.random.default_rng(7)
    money = generator.integers(-3, 12, 500).astype(float)
    frame = scored(summary(generator.integers(0, 9, 500).tolist(), generator.poisson(1, 500).tolist(), money.tolist()))
    order = np.argsort(money)
    assert (np.diff(frame.m_score.to_numpy()[order]) >= 0).all()


def test_a_customer_without_orders_has_no_score() -> None:
    frame = scored(summary([3, None, 30], [2, None, 1], [5.0, None, 2.0]))
    assert frame.loc["c1", ["r_score", "f_score", "m_score", "rfm_score", "rfm_group", "value_group"]].isna().all()
    assert frame.loc["c0", "r_score"] > frame.loc["c2", "r_score"]


def test_fixed_thresholds_include_their_limits() -> None:
    limits = {"recency": (30, 90, 180, 365), "frequency": (2, 3, 5, 10), "money": (100, 200, 500, 1000)}
    frame = scored(
        summary([30, 31, 365, 366, 0], [1, 2, 5, 9, 10], [99.99, 100.0, 500.0, 999.0, 1000.0]), thresholds=limits
    )
    assert frame.r_score.tolist() == [5, 4, 2, 1, 5]
    assert frame.f_score.tolist() == [1, 2, 4, 4, 5]
    assert frame.m_score.tolist() == [1, 2, 4, 4, 5]


@pytest.mark.parametrize(
    ("limits", "bins"),
    [({"recency": (30, 90)}, 5), ({"money": (5, 4, 6, 7)}, 5), ({"monetary": (1, 2, 3, 4)}, 5), ({"money": (1, 1)}, 3)],
)
def test_wrong_thresholds_are_refused(limits: dict[str, tuple[int, ...]], bins: int) -> None:
    with pytest.raises(BadInput) as caught:
        rfm_scores(summary([1], [1], [1.0]), bins=bins, thresholds=limits)
    assert caught.value.code == "insight.rfm_thresholds"


@pytest.mark.parametrize("bins", [1, 11])
def test_too_few_or_many_bins_are_refused(bins: int) -> None:
    with pytest.raises(BadInput) as caught:
        rfm_scores(summary([1], [1], [1.0]), bins=bins)
    assert caught.value.code == "insight.rfm_bins"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(BadInput) as caught:
        rfm_scores(summary([1], [1], [1.0]).drop("net_amount"))
    assert caught.value.values["columns"] == ["net_amount"]


def test_every_cell_of_the_grid_has_one_group_and_every_group_a_cell() -> None:
    assert sorted(RFM_GRID) == [1, 2, 3, 4, 5]
    assert all(len(row) == 5 for row in RFM_GRID.values())
    assert {group for row in RFM_GRID.values() for group in row} == set(RFM_GROUPS)
    assert len(RFM_GROUPS) == len(set(RFM_GROUPS)) == 11


def test_every_combination_of_high_and_low_has_one_value_group() -> None:
    assert set(VALUE_CELLS) == {(r, f, m) for r in (True, False) for f in (True, False) for m in (True, False)}
    assert len(set(VALUE_GROUPS)) == 8


@pytest.mark.parametrize("bins", [2, 3, 4, 5, 6, 10])
def test_every_pair_of_scores_gets_the_group_of_its_cell(bins: int) -> None:
    pairs = [(r, f) for r in range(bins) for f in range(bins)]
    limits = tuple(range(1, bins))
    frame = scored(
        summary([r for r, _ in pairs], [f for _, f in pairs], [0.0] * len(pairs)),
        bins=bins,
        thresholds={"recency": tuple(range(bins - 1)), "frequency": limits, "money": limits},
    )
    for group, r_score, f_score in zip(frame.rfm_group, frame.r_score, frame.f_score, strict=True):
        row, column = (int(np.floor(1 + 4 * (score - 1) / (bins - 1) + 0.5)) for score in (r_score, f_score))
        assert group == RFM_GRID[row][column - 1]
    assert frame.rfm_group.iloc[0] == ("new_customers")
    assert frame.rfm_group.iloc[-1] == "cannot_lose"


def test_value_groups_compare_with_the_mean_or_the_median_score() -> None:
    recency, often, money = [1, 2, 30, 40, 50], [9, 1, 8, 1, 1], [90.0, 80.0, 70.0, 1.0, 2.0]
    mean = scored(summary(recency, often, money))
    # Scores: recency 5 4 3 2 1 (mean 3), frequency 5 1 4 1 1 (mean 2.4), money 5 4 3 1 2 (mean 3).
    assert mean.value_group.tolist() == [
        "important_value",
        "important_development",
        "ordinary_retention",
        "ordinary_win_back",
        "ordinary_win_back",
    ]
    assert scored(summary(recency, often, money), split="median").f_score.tolist() == [5, 1, 4, 1, 1]


def test_online_retail_scores_are_those_of_pandas(online_retail_facts: ir.Table, duck: Any) -> None:
    frame = duck.to_pandas(rfm_scores(online_retail_facts))
    assert len(frame) == 4338
    recency = pd.qcut(-frame.recency_days, 5, labels=False) + 1
    money = pd.qcut(frame.net_amount, 5, labels=False) + 1
    assert (frame.r_score == recency).all()
    assert (frame.m_score == money).all()
    cuts = np.quantile(frame.order_days, [0.2, 0.4, 0.6, 0.8])
    assert (frame.f_score == 1 + (frame.order_days.to_numpy()[:, None] > cuts).sum(axis=1)).all()
    cells = [RFM_GRID[r][f - 1] for r, f in zip(frame.r_score, frame.f_score, strict=True)]
    assert (frame.rfm_group == cells).all()
    high = [
        tuple(row)
        for row in (frame[["r_score", "f_score", "m_score"]] > frame[["r_score", "f_score", "m_score"]].mean())
        .to_numpy()
        .tolist()
    ]
    assert (frame.value_group == [VALUE_CELLS[cell] for cell in high]).all()


@pytest.mark.parametrize("group", ["rfm_group", "value_group"])
def test_online_retail_groups_add_up(online_retail_facts: ir.Table, duck: Any, group: Any) -> None:
    table = rfm_scores(online_retail_facts)
    frame = duck.to_pandas(rfm_groups_summary(table, group=group))
    rows = duck.to_pandas(table)
    assert frame[group].tolist() == [
        name for name in (RFM_GROUPS if group == "rfm_group" else VALUE_GROUPS) if name in set(rows[group])
    ]
    expected = rows.groupby(group).agg(
        customers=("orders", "size"), orders=("orders", "sum"), amount=("net_amount", "sum")
    )
    indexed = frame.set_index(group).loc[expected.index]
    assert (indexed.customers == expected.customers).all()
    assert (indexed.orders == expected.orders).all()
    assert indexed.amount.to_numpy() == pytest.approx(expected.amount.to_numpy())
    assert frame.share_of_customers.sum() == pytest.approx(1)
    assert frame.share_of_amount.sum() == pytest.approx(1)
    assert indexed.average_amount.to_numpy() == pytest.approx((expected.amount / expected.customers).to_numpy())


def test_everything_compiles_for_spark() -> None:
    assert ibis.pyspark.name == "pyspark"
    table = rfm_scores(summary([1], [1], [1.0]), split="median", bins=10)
    assert "PERCENTILE" in ibis.to_sql(table, dialect="pyspark")
    assert "SELECT" in ibis.to_sql(rfm_groups_summary(table, group="value_group"), dialect="pyspark")
