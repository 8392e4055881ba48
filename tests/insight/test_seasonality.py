import datetime as dt
from collections.abc import Callable
from typing import Any

import ibis
import numpy as np
import pytest

from shuke.base.errors import CannotSay
from shuke.insight.seasonality import monthly_sales, seasonal_index, weekday_hour
from shuke.insight.tables import Tables


def first_of(year: int, number: int) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{year + number // 12}-{number % 12 + 1:02}-01")


def test_months_without_orders_and_partial_ones(make_orders: Callable[..., Any], duck: Any) -> None:
    orders = make_orders(
        [
            ("a", "2020-01-11", 10),
            ("a", "2020-01-31T23:59", 20),
            ("b", "2020-03-02", 5),
            ("a", "2020-03-05", 7),
            ("a", "2020-03-11", 9),
        ]
    )
    rows = duck.to_pyarrow(monthly_sales(orders, as_of=dt.datetime.fromisoformat("2020-03-11"))).to_pylist()
    assert [row["month"] for row in rows] == [dt.date(2020, 1, 1), dt.date(2020, 2, 1), dt.date(2020, 3, 1)]
    assert [row["orders"] for row in rows] == [2, 0, 2]  # the order on the eleventh is not yet known
    assert [row["new_customers"] for row in rows] == [1, 0, 1]
    assert [row["amount"] for row in rows] == [30.0, 0.0, 12.0]
    assert [row["average_order_value"] for row in rows] == [15.0, None, 6.0]
    assert [row["days"] for row in rows] == [21, 29, 10]
    assert [row["complete"] for row in rows] == [False, True, False]


def test_a_month_ends_with_its_last_day(make_orders: Callable[..., Any], duck: Any) -> None:
    orders = make_orders([("a", "2019-12-01T09:00", 1), ("a", "2020-02-29T23:00", 1)])
    rows = duck.to_pyarrow(monthly_sales(orders, as_of=dt.datetime.fromisoformat("2020-03-01"))).to_pylist()
    assert [(row["month"].month, row["complete"]) for row in rows] == [(12, True), (1, True), (2, True)]


def test_online_retail_months_against_pandas(online_retail: Tables) -> None:
    found = monthly_sales(online_retail.orders, as_of=dt.datetime.fromisoformat("2011-12-10")).to_pandas()
    orders = online_retail.orders.to_pandas()
    by_month = orders.groupby(orders.ordered_at.dt.to_period("M"))
    assert found.orders.tolist() == by_month.size().tolist()
    assert found.customers.tolist() == by_month.customer_id.nunique().tolist()
    np.testing.assert_allclose(found.amount, by_month.amount.sum(), rtol=1e-12)
    first = orders.groupby("customer_id").ordered_at.min().dt.to_period("M").value_counts().sort_index()
    assert found.new_customers.tolist() == first.tolist()
    assert found.complete.tolist() == [True] * 12 + [False]
    assert found.days.iloc[-1] == 9


def test_weekdays_and_hours(online_retail: Tables) -> None:
    found = weekday_hour(online_retail.orders).to_pandas()
    assert len(found) == 168
    at = online_retail.orders.ordered_at.to_pandas()
    expected = np.zeros((7, 24), dtype=int)
    np.add.at(expected, (at.dt.weekday, at.dt.hour), 1)
    assert found.orders.tolist() == expected.ravel().tolist()
    assert found.share.sum() == pytest.approx(1.0, abs=1e-12)
    assert expected[5].sum() == 0  # closed on Saturdays


def test_a_known_season_is_found() -> None:
    # Four years of a growing shop whose December is twice and whose February half of what the trend gives.
    season = np.ones(12)
    season[[1, 11]] = 0.5, 2.0
    season /= season.mean()
    months = [first_of(2016, number) for number in range(48)]
    amounts = np.array([(100.0 + number) * season[number % 12] for number in range(48)])
    orders = ibis.memtable(
        {"customer_id": ["a"] * 48, "order_id": list(range(48)), "ordered_at": months, "amount": amounts}
    )
    found = seasonal_index(orders, as_of=dt.datetime.fromisoformat("2020-01-01"))
    assert (found.months, found.observations) == (48, (3,) * 12)
    assert np.mean(found.indices) == pytest.approx(1.0, abs=1e-12)
    # Growth moves the weights within a year a little: two percent.
    np.testing.assert_allclose(found.indices, season, rtol=0.02)


def test_the_index_by_hand() -> None:
    values = np.random.default_rng(5).uniform(50, 150, 30)
    months = [first_of(2018, 4 + number) for number in range(30)]
    orders = ibis.memtable(
        {"customer_id": ["a"] * 30, "order_id": list(range(30)), "ordered_at": months, "amount": values}
    )
    ratios: dict[int, list[float]] = {}
    for t in range(6, 24):
        trend = (values[t - 6] / 2 + values[t - 5 : t + 6].sum() + values[t + 6] / 2) / 12
        ratios.setdefault(months[t].month, []).append(values[t] / trend)
    index = np.array([np.mean(ratios[month]) for month in range(1, 13)])
    found = seasonal_index(orders, as_of=dt.datetime.fromisoformat("2020-11-01"))
    np.testing.assert_allclose(found.indices, index / index.mean(), rtol=1e-12)
    assert found.observations == tuple(len(ratios[month]) for month in range(1, 13))


def test_one_year_says_nothing_about_seasons(online_retail: Tables) -> None:
    with pytest.raises(CannotSay) as refusal:
        seasonal_index(online_retail.orders, as_of=dt.datetime.fromisoformat("2011-12-10"))
    assert refusal.value.code == "insight.too_short_for_seasons"
    assert refusal.value.values == {"needed": 24, "found": 12}


def test_a_year_without_sales_has_no_index(make_orders: Callable[..., Any]) -> None:
    orders = make_orders([("a", "2018-01-01", 10), ("a", "2020-12-31", 20)])
    with pytest.raises(CannotSay, match=r"insight\.nothing_to_compare"):
        seasonal_index(orders, as_of=dt.datetime.fromisoformat("2021-01-01"))
