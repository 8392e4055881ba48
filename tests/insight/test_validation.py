"""The holdout against published figures, and its measures against slow and obvious computations."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import polars as pl
import pytest

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.simulate import simulate_bg_nbd
from shuke.insight.tables import Tables
from shuke.insight.validation import holdout, rolling_origins, split_at, split_periods_at
from shuke.insight.validation.scores import by_frequency, deciles, score

CUT = dt.date(1997, 9, 30)
AS_OF = dt.datetime.fromisoformat("1998-07-01")


def tables_of(customers: list[str], moments: list[dt.datetime]) -> Tables:
    rows = {
        "customer_id": customers,
        "order_id": [f"o{number}" for number in range(len(customers))],
        "ordered_at": moments,
        "amount": [10.0] * len(customers),
    }
    types = {"customer_id": "string", "order_id": "string", "ordered_at": "timestamp", "amount": "float64"}
    return Tables(orders=ibis.memtable(rows, schema=types))


@pytest.fixture(scope="module")
def cdnow_orders(shared_data: Path) -> Tables:
    text = (shared_data / "cdnow" / "CDNOW_sample.txt").read_text()
    lines = [line.split() for line in text.splitlines() if line.strip()]
    moments = [dt.datetime.strptime(line[2], "%Y%m%d") for line in lines]  # noqa: DTZ007 - the shop's own days
    return tables_of([line[1] for line in lines], moments)


@pytest.mark.parametrize(
    ("model", "predicted", "mae", "rmse"),
    [
        ("bg-nbd", 1653.41, 0.7855, 1.6080),
        ("mbg-nbd", 1576.71, 0.7648, 1.6072),
        ("nbd", 2929.82, 1.0410, 1.8595),
        ("pareto-nbd", 1665.69, 0.7545, 1.6028),
    ],
)
def test_cdnow_holdout_as_published(
    cdnow_orders: Tables, model: str, predicted: float, mae: float, rmse: float
) -> None:
    found = holdout(cdnow_orders, calibration_end=CUT, as_of=AS_OF, model=model, with_baselines=False)
    assert (found.customers, found.purchases_actual, found.horizon) == (2357, 1882, 39.0)
    assert found.holdout_end == dt.date(1998, 6, 30)
    # The ridge of Pareto/NBD leaves its total four digits.
    assert found.purchases_predicted == pytest.approx(predicted, rel=2e-4)
    assert found.mae == pytest.approx(mae, abs=5e-4)
    assert found.rmse == pytest.approx(rmse, abs=5e-4)
    assert found.purchases_low < found.purchases_predicted < found.purchases_high
    assert found.by_frequency.column("customers").to_pylist()[0] == 1411
    assert sum(found.deciles.column("actual").to_pylist()) == pytest.approx(1882)
    assert found.baselines.column("name").to_pylist() == [model]


def test_tracking_and_baselines_of_cdnow(cdnow_orders: Tables) -> None:
    found = holdout(cdnow_orders, calibration_end=CUT, as_of=AS_OF, model="bg-nbd")
    weeks = found.tracking.to_pydict()
    assert weeks["week_end"][weeks["holdout"].index(True) - 1] == CUT
    assert weeks["week_end"][-1] == dt.date(1998, 6, 30)
    assert sum(weeks["holdout"]) == 39
    assert weeks["actual_total"][-1] == 2457 + 1882
    at_cut = weeks["holdout"].index(True) - 1
    assert weeks["actual_total"][at_cut] == 2457
    np.testing.assert_allclose(np.cumsum(weeks["expected"]), weeks["expected_total"])
    # Expected at the cut, customer by customer.
    orders = cdnow_orders.orders.to_polars()
    ages = (pl.lit(CUT) - pl.col("ordered_at").dt.date()).dt.total_days() / 7
    age = orders.group_by("customer_id").agg(age=ages.max())["age"].to_numpy()
    assert weeks["expected_total"][at_cut] == pytest.approx(float(found.model.expected_total(age).sum()), rel=1e-9)
    beside = {row["name"]: row for row in found.baselines.to_pylist()}
    assert list(beside) == ["bg-nbd", "same_rate", "recent", "mean", "boosted"]
    assert beside["mean"]["purchases_predicted"] == pytest.approx(2357 * 2457 / 77111.2857 * 39, rel=1e-6)
    assert beside["mean"]["gini"] == pytest.approx(0, abs=1e-12)
    assert beside["same_rate"]["rmse"] > beside["boosted"]["rmse"] > beside["bg-nbd"]["rmse"]
    again = holdout(cdnow_orders, calibration_end=CUT, as_of=AS_OF, model="bg-nbd")
    assert again.baselines.equals(found.baselines)
    assert again.model.parameters == found.model.parameters


def test_rolling_origins(cdnow_orders: Tables) -> None:
    found = rolling_origins(cdnow_orders, as_of=AS_OF, horizon_days=91, origins=3).table.to_pylist()
    ends = [dt.date(1998, 6, 30), dt.date(1998, 3, 31), dt.date(1997, 12, 30)]
    assert [row["holdout_end"] for row in found] == ends
    days = cdnow_orders.orders.to_polars().select("customer_id", pl.col("ordered_at").dt.date()).unique()
    for row in found:
        inside = days.filter(pl.col("ordered_at") > row["calibration_end"], pl.col("ordered_at") <= row["holdout_end"])
        assert row["purchases_actual"] == len(inside)
        one = holdout(
            cdnow_orders,
            calibration_end=row["calibration_end"],
            as_of=dt.datetime.combine(row["holdout_end"], dt.time()) + dt.timedelta(days=1),
            with_baselines=False,
        )
        assert row["rmse"] == pytest.approx(one.rmse, rel=1e-9)
        assert row["log_score"] == pytest.approx(one.log_score, rel=1e-9)
    with pytest.raises(BadInput, match="bad_origins"):
        rolling_origins(cdnow_orders, as_of=AS_OF, horizon_days=91, origins=0)
    with pytest.raises(CannotSay, match="no_holdout"):
        rolling_origins(cdnow_orders, as_of=AS_OF, horizon_days=2000)


def test_split_counts_days_not_orders_and_leaves_later_customers_out() -> None:
    day = dt.datetime.fromisoformat("2024-03-01T09:00")
    moments = [0, 0, 7, 20, 20, 25, 25, 40]
    people = ["ann", "ann", "ann", "ann", "ann", "ben", "cid", "cid"]
    tables = tables_of(people, [day + dt.timedelta(days=n, hours=i) for i, n in enumerate(moments)])
    split = split_at(
        tables, calibration_end=dt.date(2024, 3, 15), as_of=dt.datetime.fromisoformat("2024-05-01"), unit="day"
    )
    assert (split.statistics.customers, split.horizon, split.horizon_days) == (1, 46.0, 46)
    cells = split.statistics
    assert (cells.x[0], cells.t_x[0], cells.T[0], split.later[0]) == (1, 7, 14, 1)
    at_end = dt.datetime.fromisoformat("2024-03-16")
    with pytest.raises(CannotSay, match="no_holdout"):
        split_at(tables, calibration_end=dt.date(2024, 3, 15), as_of=at_end)
    empty = split_at(tables, calibration_end=dt.date(2024, 3, 15), as_of=at_end, may_be_empty=True)
    assert (empty.horizon, empty.purchases_later) == (0, 0)
    with pytest.raises(CannotSay, match="no_holdout"):
        split_at(tables, calibration_end=dt.date(2024, 2, 15), as_of=dt.datetime.fromisoformat("2024-05-01"))


def test_periods_are_counted_from_the_cut() -> None:
    cut = dt.date(2024, 3, 31)
    # Days before and after the cut: weeks end on it, so 0 … 6 days before are the last week of the calibration.
    offsets = {"ann": [-34, -28, -27, -2, 0, 3, 8, 9, 22], "ben": [-6], "cid": [1]}
    people = [name for name, days in offsets.items() for _ in days]
    moments = [dt.datetime.combine(cut, dt.time(12)) + dt.timedelta(days=d) for days in offsets.values() for d in days]
    # 24 days known after the cut: three whole weeks.
    split = split_periods_at(
        tables_of(people, moments), calibration_end=cut, as_of=dt.datetime.fromisoformat("2024-04-25")
    )
    assert (split.horizon, split.holdout_end) == (3.0, dt.date(2024, 4, 21))
    cells = split.statistics
    rows = sorted(zip(cells.x, cells.t_x, cells.T, split.later, cells.weight, strict=True))
    # ann: weeks −5 (twice), −4 and −1 (twice), then weeks 0 and 1; ben: the last week only.
    assert rows == [(0, 0, 0, 0, 1), (2, 4, 4, 2, 1)]


def test_scores_deciles_and_frequencies_by_hand() -> None:
    generator = np.random.default_rng(3)
    predicted = np.round(generator.gamma(1, 1, 200), 1)
    actual = generator.poisson(predicted).astype(float)
    weight = generator.integers(1, 4, 200).astype(float)
    found = score(predicted, actual, weight)
    p, a = (np.repeat(column, weight.astype(int)) for column in (predicted, actual))
    assert found.purchases_predicted == pytest.approx(p.sum())
    assert found.mae == pytest.approx(np.abs(p - a).mean())
    assert found.rmse == pytest.approx(np.sqrt(((p - a) ** 2).mean()))
    # The Gini of a ranking by pairs: how much more the higher-ranked of two customers orders, ties counting nothing.
    ahead = np.sign(p[:, None] - p[None, :])
    assert found.gini == pytest.approx((ahead * (a[:, None] - a[None, :])).sum() / (2 * a.size * a.sum()), rel=1e-9)
    assert found.gini <= found.gini_best
    groups = deciles(np.arange(100.0), np.arange(100.0), np.ones(100))
    assert groups.column("actual").to_pylist() == [sum(range(90 - 10 * i, 100 - 10 * i)) for i in range(10)]
    assert groups.column("lift").to_pylist()[0] == pytest.approx(945 / 4950 * 10)
    assert groups.column("share").to_pylist()[-1] == pytest.approx(1)
    # Equal predictions rank nobody first.
    flat = deciles(np.ones(50), np.concatenate([np.zeros(25), np.ones(25)]), np.ones(50))
    np.testing.assert_allclose(flat.column("lift").to_numpy(), 1.0)
    nobody = score(np.ones(3), np.zeros(3), np.ones(3))
    assert np.isnan(nobody.gini)
    assert deciles(np.ones(3), np.zeros(3), np.ones(3)).column("lift").null_count == 10
    rows = by_frequency(np.array([0.0, 0, 9, 12]), np.array([1.0, 2, 3, 4]), np.array([0.0, 1, 5, 7]), np.ones(4))
    assert rows.to_pylist() == [
        {"frequency": 0, "and_more": False, "customers": 2, "actual": 0.5, "predicted": 1.5},
        {"frequency": 7, "and_more": True, "customers": 2, "actual": 6.0, "predicted": 3.5},
    ]


def simulated(seed: int, customers: int = 1_500, days: int = 500, **parameters: Any) -> Tables:
    """A shop that opened on 2023-01-01; customers came over its first half."""
    generator = np.random.default_rng(seed)
    came = generator.integers(0, days // 2, customers)
    orders = simulate_bg_nbd(generator, days - came, **parameters)
    day = came[orders.customer] + np.floor(orders.time).astype(int)
    start = dt.datetime.fromisoformat("2023-01-01T12:00")
    moments = [start + dt.timedelta(days=int(d)) for d in day]
    return tables_of([f"c{number}" for number in orders.customer], moments)


def test_a_true_model_is_calibrated_in_its_holdout() -> None:
    tables = simulated(17, customers=4_000, r=0.9, alpha=25.0, a=0.8, b=3.0)
    found = holdout(
        tables,
        calibration_end=dt.date(2023, 12, 31),
        as_of=dt.datetime.fromisoformat("2024-05-14"),
        unit="day",
        with_baselines=False,
    )
    assert found.purchases_low < found.purchases_actual < found.purchases_high
    for row in found.by_frequency.to_pylist():
        luck = 4 * np.sqrt(max(row["actual"], 0.05) * 3 / row["customers"])
        assert row["actual"] == pytest.approx(row["predicted"], abs=luck)
    weeks = found.tracking.to_pydict()
    assert weeks["expected_total"][-1] == pytest.approx(weeks["actual_total"][-1], rel=0.08)
