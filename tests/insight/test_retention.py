"""Cohorts, repeat curves and the base of customers, by hand on small tables and by plain SQL on the real shop."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import lifelines
import numpy as np
import pytest

from shuke.base.errors import BadInput
from shuke.insight.retention import (
    WATCHED_MIN,
    base_movement,
    cohorts,
    inter_purchase_quantiles,
    inter_purchase_times,
    lifetimes,
    order_ladder,
    repeat_curve,
)
from shuke.insight.survival import survival
from shuke.insight.tables import Tables

Make = Callable[[list[tuple[str, str, float]]], ir.Table]
AS_OF = dt.datetime.fromisoformat("2011-12-10")


def rows(table: ir.Table) -> list[dict[str, Any]]:
    return list(ibis.duckdb.connect().to_pyarrow(table).to_pylist())


def small(make_orders: Make) -> Tables:
    orders = make_orders(
        [
            ("a", "2024-01-05T10:00", 10.0),
            ("a", "2024-01-05T18:00", 5.0),
            ("a", "2024-03-01T00:00", 20.0),
            ("b", "2024-01-31T23:59", 7.0),
            ("b", "2024-02-01T00:00", 3.0),
            ("c", "2024-03-15", 100.0),
            ("c", "2024-04-01", 1000.0),
        ]
    )
    refunds = ibis.memtable(
        {
            "customer_id": ["a", "a", "never"],
            "refunded_at": [dt.datetime.fromisoformat(day) for day in ("2024-02-10", "2024-05-01", "2024-02-10")],
            "amount": [4.0, 1.0, 99.0],
        }
    )
    return Tables(orders, refunds=refunds)


def test_cohorts_by_hand_with_empty_periods_and_refunds(make_orders: Make) -> None:
    found = rows(cohorts(small(make_orders), as_of=dt.datetime.fromisoformat("2024-04-01")))
    january, march = dt.date(2024, 1, 1), dt.date(2024, 3, 1)
    assert [tuple(row.values()) for row in found] == [
        (january, 0, True, 2, 2, 3, 22.0, 0.0, 1.0, 22.0, 11.0),
        (january, 1, True, 2, 1, 1, 3.0, 4.0, 0.5, 21.0, 10.5),
        (january, 2, True, 2, 1, 1, 20.0, 0.0, 0.5, 41.0, 20.5),
        (march, 0, True, 1, 1, 1, 100.0, 0.0, 1.0, 100.0, 100.0),
    ]
    later = rows(cohorts(small(make_orders), as_of=dt.datetime.fromisoformat("2024-04-01T00:00:01")))
    assert [(row["period_number"], row["complete"], row["amount"]) for row in later] == [
        (0, True, 22.0),
        (1, True, 3.0),
        (2, True, 20.0),
        (3, False, 0.0),
        (0, True, 100.0),
        (1, False, 1000.0),
    ]


@pytest.mark.parametrize(
    ("period", "first", "numbers"),
    [
        ("week", dt.date(2024, 1, 1), [0, 8]),
        ("quarter", dt.date(2024, 1, 1), [0]),
        ("month", dt.date(2024, 1, 1), [0, 2]),
    ],
)
def test_periods_are_weeks_months_and_quarters(
    make_orders: Make, period: Any, first: dt.date, numbers: list[int]
) -> None:
    table = cohorts(small(make_orders), as_of=dt.datetime.fromisoformat("2024-03-31"), period=period)
    found = rows(table.filter(table.cohort == first, table.orders > 0))
    active = [row["period_number"] for row in found]
    assert active == (numbers if period != "month" else [0, 1, 2])


def test_online_retail_cohorts_are_those_of_plain_sql(duck: Any, online_retail: Tables) -> None:
    table = cohorts(online_retail, as_of=AS_OF)
    expected = duck.con.execute(
        """
        WITH firsts AS (SELECT customer_id, date_trunc('month', min(ordered_at)) AS cohort FROM or_orders GROUP BY 1)
        SELECT CAST(cohort AS DATE), date_diff('month', cohort, ordered_at) AS n, count(DISTINCT customer_id), count(*),
               round(sum(amount), 2)
        FROM or_orders JOIN firsts USING (customer_id) GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    active = table.filter(table.active > 0)
    found = duck.to_pyarrow(
        active.select("cohort", "period_number", "active", "orders", amount=active.amount.round(2))
    ).to_pylist()
    assert [tuple(row.values()) for row in found] == expected
    grid = duck.to_pyarrow(table).to_pylist()
    assert len(grid) == 13 * 14 / 2
    first = [row for row in grid if row["cohort"] == dt.date(2010, 12, 1)]
    assert [row["active"] for row in first] == [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235]
    assert sum(row["customers"] for row in grid if row["period_number"] == 0) == 4338
    assert [row["complete"] for row in first] == [True] * 12 + [False]


def test_online_retail_cumulative_value_ends_at_the_net_total(duck: Any, online_retail: Tables) -> None:
    table = cohorts(online_retail, as_of=AS_OF, period="quarter")
    total = duck.con.execute(
        """
        SELECT (SELECT sum(amount) FROM or_orders)
             - (SELECT sum(amount) FROM or_refunds WHERE customer_id IN (SELECT customer_id FROM or_orders))
        """
    ).fetchall()[0][0]
    last = duck.to_pyarrow(
        table.group_by("cohort").aggregate(value=ibis._.cumulative_value.argmax(ibis._.period_number))
    )
    assert sum(last["value"].to_pylist()) == pytest.approx(total)


def waits(duck: Any, number: int) -> tuple[np.ndarray, np.ndarray]:
    found = duck.con.execute(
        f"""
        SELECT date_diff('day', d, coalesce(n, DATE '2011-12-09')), n IS NOT NULL FROM (
            SELECT customer_id, d, lead(d) OVER w AS n, row_number() OVER w AS k
            FROM (SELECT DISTINCT customer_id, CAST(ordered_at AS DATE) AS d FROM or_orders)
            WINDOW w AS (PARTITION BY customer_id ORDER BY d)) WHERE k = {number}
        """  # noqa: S608 - a number of the test's own
    ).fetchall()
    return np.array([wait for wait, _ in found]), np.array([ended for _, ended in found])


@pytest.mark.parametrize("after", [1, 3])
def test_the_repeat_curve_is_one_minus_kaplan_meier(duck: Any, online_retail: Tables, after: int) -> None:
    found = duck.to_pyarrow(repeat_curve(online_retail, as_of=AS_OF, after=after)).to_pylist()
    days, ended = waits(duck, after)
    fitted = lifelines.KaplanMeierFitter().fit(days, ended)
    at = [row["days"] for row in found]
    assert at == sorted(set(days[ended].tolist()))
    assert [1 - row["share"] for row in found] == pytest.approx(
        fitted.survival_function_at_times(at).to_numpy(), abs=1e-12
    )
    # At the very end the last one may come back: S is zero there, and has no interval.
    inner = [row for row in found if row["share"] < 1 - 1e-12]
    limits = fitted.confidence_interval_survival_function_.loc[[row["days"] for row in inner]].to_numpy()
    assert [1 - row["high"] for row in inner] == pytest.approx(limits[:, 0], abs=1e-9)
    assert [1 - row["low"] for row in inner] == pytest.approx(limits[:, 1], abs=1e-9)


def test_young_customers_do_not_bias_the_curve(make_orders: Make) -> None:
    # Of ten who were watched for long, half came back after 10 days; ninety came yesterday.
    old = [(f"o{n}", "2024-01-01", 1.0) for n in range(10)] + [(f"o{n}", "2024-01-11", 1.0) for n in range(5)]
    young = [(f"y{n}", "2024-02-09", 1.0) for n in range(90)]
    table = Tables(make_orders(old + young))
    found = rows(repeat_curve(table, as_of=dt.datetime.fromisoformat("2024-02-11")))
    assert [(row["days"], row["watched"], row["came_back"]) for row in found] == [(10, 10, 5)]
    assert found[0]["share"] == pytest.approx(0.5)
    with pytest.raises(BadInput) as caught:
        repeat_curve(table, as_of=AS_OF, after=0)
    assert caught.value.code == "insight.order_number"


def test_the_ladder_of_online_retail(duck: Any, online_retail: Tables) -> None:
    found = duck.to_pyarrow(order_ladder(online_retail, as_of=AS_OF, within_days=180)).to_pylist()
    assert [(row["step"], row["customers"], row["went_on"], row["customers_waiting"]) for row in found] == [
        (1, 4338, 2790, 1548),
        (2, 2790, 1916, 874),
        (3, 1916, 1415, 501),
        (4, 1415, 1026, 389),
        (5, 1026, 799, 227),
    ]
    assert [row["median_days"] for row in found] == [104, 63, 48, 41, 33]
    for row in found:
        days, ended = waits(duck, row["step"])
        fitted = lifelines.KaplanMeierFitter().fit(days, ended)
        watched = (days >= 180).sum()
        expected = 1 - fitted.predict(180) if watched >= WATCHED_MIN else None
        assert row["share_within"] == (None if expected is None else pytest.approx(expected))
        assert row["plain_share"] == pytest.approx(ended.mean())
    assert [row["share_within"] is None for row in found] == [False, False, False, True, True]


def test_the_ladder_says_nothing_of_times_that_few_were_watched_for(duck: Any, online_retail: Tables) -> None:
    found = duck.to_pyarrow(order_ladder(online_retail, as_of=AS_OF, within_days=365)).to_pylist()
    assert found[0]["share_within"] == pytest.approx(0.848063, abs=1e-6)
    assert [row["share_within"] for row in found[1:]] == [None] * 4
    assert [row["low"] for row in found[1:]] == [None] * 4


def test_gaps_between_occasions(duck: Any, online_retail: Tables) -> None:
    every = np.concatenate([days[ended] for days, ended in (waits(duck, number) for number in range(1, 132))])
    found = duck.to_pyarrow(inter_purchase_quantiles(online_retail, as_of=AS_OF)).to_pylist()[0]
    assert found["gaps"] == len(every) == 12425
    assert found["mean_days"] == pytest.approx(every.mean())
    shares = {"p10_days": 0.1, "p25_days": 0.25, "p50_days": 0.5, "p75_days": 0.75, "p90_days": 0.9, "p95_days": 0.95}
    assert {name: found[name] for name in shares} == {name: np.quantile(every, q) for name, q in shares.items()}
    table = duck.to_pyarrow(inter_purchase_times(online_retail, as_of=AS_OF)).to_pylist()
    values, counts = np.unique(every, return_counts=True)
    assert [row["gap_days"] for row in table] == values.tolist()
    assert [row["gaps"] for row in table] == counts.tolist()
    assert [row["cumulative_share"] for row in table] == pytest.approx(counts.cumsum() / counts.sum())


def test_lifetimes_end_with_the_first_silence_that_is_too_long(make_orders: Make) -> None:
    table = Tables(
        make_orders(
            [
                ("a", "2024-01-01", 1.0),
                ("a", "2024-01-31", 1.0),
                ("b", "2024-01-01", 1.0),
                ("b", "2024-02-01", 1.0),
                ("c", "2024-02-01", 1.0),
                ("d", "2024-01-31", 1.0),
            ]
        )
    )
    found = rows(
        lifetimes(table, as_of=dt.datetime.fromisoformat("2024-03-03"), active_days=30).order_by("customer_id")
    )
    # Known to 2 March. a: gap of 30 is no loss, the next 31 are: lost on 2 March, 61 days after 1 January. b: lost
    # after 31. c: silent for exactly 30 days, not lost. d: lost on 2 March.
    assert [(row["duration"], row["ended"]) for row in found] == [(61, True), (31, True), (30, False), (31, True)]


def test_survival_of_customers_starts_flat(duck: Any, online_retail: Tables) -> None:
    found = duck.to_pyarrow(survival(lifetimes(online_retail, as_of=AS_OF, active_days=120))).to_pylist()
    assert min(row["duration"] for row in found if row["ended"]) == 121
    assert all(row["survival"] == 1 for row in found if row["duration"] < 121)


def test_the_base_of_customers_by_hand(make_orders: Make) -> None:
    table = Tables(
        make_orders(
            [
                ("a", "2024-01-10", 10.0),
                ("a", "2024-01-20", 5.0),
                ("a", "2024-04-05", 8.0),
                ("b", "2024-01-15", 20.0),
                ("b", "2024-02-25", 30.0),
                ("c", "2024-04-30", 1.0),
            ]
        )
    )
    found = rows(base_movement(table, as_of=dt.datetime.fromisoformat("2024-05-01"), active_days=45))
    names = ("opening", "new", "reactivated", "lost", "closing")
    # a is lost on 6 March and back on 5 April; b's 41 days are no loss, lost on 11 April.
    assert [tuple(row[name] for name in names) for row in found] == [
        (0, 2, 0, 0, 2),
        (2, 0, 0, 0, 2),
        (2, 0, 0, 1, 1),
        (1, 1, 1, 1, 2),
    ]
    names = ("amount_new", "amount_reactivated", "amount_continuing", "amount", "amount_lost")
    assert [tuple(row[name] for name in names) for row in found] == [
        (35.0, 0.0, 0.0, 35.0, 0.0),
        (0.0, 0.0, 30.0, 30.0, 0.0),
        (0.0, 0.0, 0.0, 0.0, 15.0),
        (1.0, 8.0, 0.0, 9.0, 50.0),
    ]
    assert [row["period"] for row in found] == [dt.date(2024, month, 1) for month in (1, 2, 3, 4)]
    assert [row["complete"] for row in found] == [True] * 4


@pytest.mark.parametrize(("period", "step"), [("week", "7 DAY"), ("month", "1 MONTH"), ("quarter", "3 MONTH")])
def test_online_retail_closing_is_the_number_active_then(
    duck: Any, online_retail: Tables, period: Any, step: str
) -> None:
    found = duck.to_pyarrow(base_movement(online_retail, as_of=AS_OF, period=period, active_days=120)).to_pylist()
    expected = duck.con.execute(
        f"""
        WITH ends AS (SELECT least(p + INTERVAL {step}, TIMESTAMP '2011-12-10') AS e, p
                      FROM (SELECT unnest(range(date_trunc('{period}', DATE '2010-12-01'), TIMESTAMP '2011-12-10',
                                                INTERVAL {step})) AS p))
        SELECT CAST(p AS DATE), count(DISTINCT customer_id) FROM ends
        JOIN or_orders ON ordered_at < e AND CAST(ordered_at AS DATE) >= CAST(e AS DATE) - 121
        GROUP BY ALL ORDER BY ALL
        """  # noqa: S608 - the test's own words
    ).fetchall()
    assert [(row["period"], row["closing"]) for row in found] == expected
    assert found[0]["opening"] == 0
    assert all(row["closing"] == after["opening"] for row, after in pairwise(found))
    assert sum(row["new"] for row in found) == 4338
    total = duck.con.execute("SELECT sum(amount) FROM or_orders").fetchall()[0][0]
    assert sum(row["amount"] for row in found) == pytest.approx(total)


def test_an_active_time_shorter_than_the_period_is_refused(make_orders: Make) -> None:
    with pytest.raises(BadInput) as caught:
        base_movement(small(make_orders), as_of=AS_OF, period="quarter", active_days=90)
    assert caught.value.code == "insight.active_days"


def test_without_orders_there_is_nothing_to_show(make_orders: Make) -> None:
    empty = Tables(make_orders([("a", "2024-01-01", 1.0)]))
    early = dt.datetime.fromisoformat("2023-01-01")
    for table in (
        cohorts(empty, as_of=early),
        repeat_curve(empty, as_of=early),
        order_ladder(empty, as_of=early),
        inter_purchase_times(empty, as_of=early),
        base_movement(empty, as_of=early),
    ):
        assert rows(table) == []


def test_everything_compiles_for_spark(make_orders: Make) -> None:
    tables = small(make_orders)
    assert ibis.pyspark.name == "pyspark"
    for table in (
        *(cohorts(tables, as_of=AS_OF, period=period) for period in ("week", "month", "quarter")),
        *(base_movement(tables, as_of=AS_OF, period=period) for period in ("week", "month", "quarter")),
        repeat_curve(tables, as_of=AS_OF),
        order_ladder(tables, as_of=AS_OF),
        inter_purchase_times(tables, as_of=AS_OF),
        inter_purchase_quantiles(tables, as_of=AS_OF),
        survival(lifetimes(tables, as_of=AS_OF)),
    ):
        assert "SELECT" in ibis.to_sql(table, dialect="pyspark")
