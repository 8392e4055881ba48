"""Shares, differences and corrections agree with second computations; planted reasons are found, chance is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pytest
from scipy.stats import binomtest

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.churn import CUSTOMERS_MIN, churn_by, churn_reasons, holm, stratified_difference
from shuke.insight.stages import CUSTOMER_STAGES, assign_stage
from shuke.insight.tables import Tables

Make = Callable[[list[tuple[str, str, float]]], ir.Table]
AS_OF = dt.datetime.fromisoformat("2011-12-10")


def test_churn_by_region_with_wilson_limits(duck: Any, online_retail_facts: ir.Table) -> None:
    staged = assign_stage(online_retail_facts, CUSTOMER_STAGES)
    found = duck.to_pyarrow(churn_by(staged, "region")).to_pylist()
    frame = duck.to_pandas(staged)
    assert [row["region"] for row in found] == sorted(frame.region.unique())
    for row in found:
        group = frame[frame.region == row["region"]]
        lost = group[group.stage == "lost"]
        assert (row["customers"], row["churned"]) == (len(group), len(lost))
        assert row["amount_churned"] == pytest.approx(lost.historic_clv.sum())
        limits = binomtest(len(lost), len(group)).proportion_ci(0.95, method="wilson")
        assert (row["low"], row["high"]) == pytest.approx((limits.low, limits.high), abs=1e-12)
        assert 0 <= row["low"] <= row["churn_share"] <= row["high"] <= 1
    british = next(row for row in found if row["region"] == "United Kingdom")
    assert (british["customers"], british["churned"]) == (3920, 560)


def test_what_counts_as_lost_can_be_chosen() -> None:
    facts = ibis.memtable({"stage": ["lost", "at_risk", "loyal"], "plan": ["x", "x", "y"]})
    table = churn_by(facts, "plan", lost=("lost", "at_risk"), level=0.8).select("plan", "customers", "churned")
    assert ibis.duckdb.connect().to_pyarrow(table).to_pylist() == [
        {"plan": "x", "customers": 2, "churned": 2},
        {"plan": "y", "customers": 1, "churned": 0},
    ]
    with pytest.raises(BadInput) as caught:
        churn_by(facts, "colour")
    assert caught.value.values["columns"] == ["colour"]
    with pytest.raises(BadInput) as caught:
        churn_by(facts, "plan", level=1.0)
    assert caught.value.code == "insight.bad_level"


def test_of_simultaneous_orders_the_smallest_number_is_the_first() -> None:
    # Every customer has one order through each channel at the same moment; the even ones' first was through the app.
    rows = [
        {
            "customer_id": f"c{n // 2}",
            "order_id": n,
            "ordered_at": dt.datetime.fromisoformat("2024-01-01"),
            "amount": 1.0,
            "channel": "app" if n % 4 in (0, 3) else "web",
            "discount": 1.0 if n % 4 in (0, 3) else 0.0,
        }
        for n in reversed(range(160))
    ]
    rows += [{**row, "ordered_at": dt.datetime.fromisoformat("2024-05-01")} for row in rows if row["order_id"] < 20]
    found = churn_reasons(
        Tables(ibis.memtable(rows)), as_of=dt.datetime.fromisoformat("2024-06-01"), window_days=100, level=0.95
    )
    counts = {(reason.code, reason.value): (reason.customers, reason.churned) for reason in found.reasons}
    for trait in (("first_channel", "app"), ("first_channel", "web"), ("first_discounted", "")):
        assert counts[trait] == (40, 35)
    assert ("always_discounted", "") not in counts


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_one_stratum_is_the_plain_difference() -> None:
    difference, error = stratified_difference(np.array([30]), np.array([100]), np.array([20]), np.array([200]))
    assert difference == pytest.approx(0.3 - 0.1)
    # With one stratum, Sato's variance is close to the binomial one.
    assert error == pytest.approx((0.3 * 0.7 / 100 + 0.1 * 0.9 / 200) ** 0.5, rel=0.03)


def test_strata_take_away_what_only_they_explain() -> None:
    # In each stratum both groups lose the same share, but the trait is common where many are lost (Simpson's paradox).
    difference, error = stratified_difference(
        np.array([80, 2]), np.array([100, 20]), np.array([16, 10]), np.array([20, 100])
    )
    assert difference == pytest.approx(0, abs=1e-12)
    assert error > 0
    assert (82 / 120) - (26 / 120) > 0.4
    assert np.isnan(stratified_difference(np.array([1]), np.array([2]), np.array([0]), np.array([0]))[0])


def test_the_standard_error_is_the_spread_of_the_estimate() -> None:
    generator = np.random.default_rng(11)
    n1, n0, p0 = np.array([12, 40, 7]), np.array([30, 25, 50]), np.array([0.1, 0.3, 0.6])
    estimates = [
        stratified_difference(generator.binomial(n1, p0 + 0.1), n1, generator.binomial(n0, p0), n0) for _ in range(4000)
    ]
    differences, errors = np.array(estimates).T
    assert differences.mean() == pytest.approx(0.1, abs=0.004)
    assert errors.mean() == pytest.approx(differences.std(), rel=0.03)
    covered = np.abs(differences - 0.1) < 1.96 * errors
    assert covered.mean() == pytest.approx(0.95, abs=0.012)


def shop(*, effect: float, seed: int) -> Tables:
    """A made-up shop: 1,500 active customers; the category "toys" of the first order adds ``effect`` to leaving."""
    generator = np.random.default_rng(seed)
    count = 1500
    ids = [f"c{number:04d}" for number in range(count)]
    first = [
        dt.datetime.fromisoformat("2024-01-01") + dt.timedelta(days=int(day))
        for day in generator.integers(0, 150, count)
    ]
    category = generator.choice(["toys", "books", "tea"], count)
    channel = generator.choice(["web", "store"], count)
    repeats = generator.random(count) < 0.5
    leaves = generator.random(count) < 0.3 + effect * (category == "toys")
    rows: list[tuple[str, dt.datetime, float, str, str, float]] = []
    for number, customer in enumerate(ids):
        amount = float(generator.integers(5, 50))
        rows.append((customer, first[number], amount, category[number], channel[number], 0.0))
        if repeats[number]:
            rows.append((customer, first[number] + dt.timedelta(days=20), 9.0, "tea", channel[number], 1.0))
        if not leaves[number]:
            rows.append((customer, dt.datetime.fromisoformat("2024-08-01"), 9.0, "tea", channel[number], 0.0))
    columns = dict(
        zip(
            ("customer_id", "ordered_at", "amount", "category", "channel", "discount"),
            zip(*rows, strict=True),
            strict=True,
        )
    )
    base = {name: list(values) for name, values in columns.items()} | {"order_id": [f"o{n}" for n in range(len(rows))]}
    orders = ibis.memtable({name: values for name, values in base.items() if name != "category"})
    lines = ibis.memtable(
        {name: base[name] for name in ("customer_id", "ordered_at", "amount", "category", "order_id")}
        | {"product_id": [f"p{n % 7}" for n in range(len(rows))], "quantity": [1] * len(rows)}
    )
    return Tables(orders, order_lines=lines)


def test_a_planted_reason_is_found_with_its_size() -> None:
    found = churn_reasons(shop(effect=0.3, seed=5), as_of=dt.datetime.fromisoformat("2024-12-08"), window_days=180)
    assert found.at == dt.datetime.fromisoformat("2024-06-11")
    toys = found.leaving[0]
    assert (toys.code, toys.value) == ("first_category", "toys")
    assert toys.low < 0.3 < toys.high
    assert toys.churn_share == pytest.approx(0.6, abs=0.06)
    assert toys.rest_share == pytest.approx(0.3, abs=0.04)
    assert toys.extra_customers == pytest.approx(0.3 * toys.customers, rel=0.2)
    assert {reason.code for reason in found.leaving} == {"first_category"}
    assert {reason.value for reason in found.staying} <= {"books", "tea"}
    assert found.not_seen == {"first_store": "store", "region": "region", "returned_last": "refunds"}
    assert not {"_first_cut", "_products"} & {reason.code for reason in found.reasons}


def test_chance_is_seldom_taken_for_a_reason() -> None:
    supported = [
        churn_reasons(shop(effect=0.0, seed=seed), as_of=dt.datetime.fromisoformat("2024-12-08"), window_days=180)
        for seed in range(12)
    ]
    # One false alarm in twenty shops is allowed by the level; three in twelve would be a fault (p = 2 %).
    assert sum(any(reason.supported for reason in found.reasons) for found in supported) <= 2


def test_too_little_to_compare_is_said(make_orders: Make) -> None:
    rows = [(f"c{n}", "2024-01-01", 1.0) for n in range(2 * CUSTOMERS_MIN - 1)] + [("c0", "2024-05-01", 1.0)]
    as_of = dt.datetime.fromisoformat("2024-06-01")
    with pytest.raises(CannotSay) as caught:
        churn_reasons(Tables(make_orders(rows)), as_of=as_of, window_days=100)
    assert caught.value.code == "insight.too_few_to_compare"
    assert (caught.value.values["customers"], caught.value.values["churned"]) == (59, 58)
    everyone = Tables(make_orders([(f"c{n}", "2024-03-01", 1.0) for n in range(100)]))
    with pytest.raises(CannotSay):
        churn_reasons(everyone, as_of=as_of, window_days=60)


def test_the_reasons_of_online_retail(duck: Any, online_retail: Tables) -> None:
    found = churn_reasons(online_retail, as_of=AS_OF)
    active, gone = duck.con.execute(
        """
        SELECT count(*), count(*) FILTER (
            customer_id NOT IN (SELECT customer_id FROM or_orders WHERE ordered_at >= '2011-06-13'))
        FROM (SELECT DISTINCT customer_id FROM or_orders WHERE ordered_at < '2011-06-13' AND ordered_at >= '2010-12-15')
        """
    ).fetchall()[0]
    assert (found.customers, found.churned) == (active, gone) == (2630, 768)
    reasons = {(reason.code, reason.value): reason for reason in found.reasons}
    once = duck.con.execute(
        """
        WITH people AS (
            SELECT customer_id, count(DISTINCT CAST(ordered_at AS DATE)) = 1 AS once,
                   floor((date_diff('day', max(ordered_at), DATE '2011-06-13') - 0.5) / 60) AS band,
                   customer_id NOT IN (SELECT customer_id FROM or_orders WHERE ordered_at >= '2011-06-13') AS gone
            FROM or_orders WHERE ordered_at < '2011-06-13' GROUP BY customer_id
            HAVING max(ordered_at) >= '2010-12-15')
        SELECT count(*) FILTER (once AND gone), count(*) FILTER (once),
               count(*) FILTER (NOT once AND gone), count(*) FILTER (NOT once)
        FROM people GROUP BY band
        """
    ).fetchall()
    a, n1, b, n0 = np.array(once, dtype=float).T
    weights = n1 * n0 / (n1 + n0)
    reason = reasons["one_order", ""]
    assert (reason.customers, reason.churned) == (n1.sum(), a.sum()) == (1214, 551)
    assert reason.difference == pytest.approx(((a / n1 - b / n0) * weights).sum() / weights.sum())
    assert reason.supported
    assert {(r.code, r.value) for r in found.leaving} == {
        ("one_order", ""),
        ("low_first_value", ""),
        ("single_product", ""),
    }
    assert found.staying == ()
    assert reasons["cohort", "2010-10-01"].customers == 694
    assert not reasons["returned_last", ""].supported
    assert reasons["returned_last", ""].customers == 424


def test_complete_journey_knows_discounts_and_first_categories(duck: Any, shared_data: Path) -> None:
    folder = shared_data / "complete_journey"
    duck.con.execute(
        f"""
        CREATE OR REPLACE TABLE cj_lines AS
        SELECT CAST(household_id AS VARCHAR) AS customer_id, CAST(basket_id AS VARCHAR) AS order_id,
               CAST(transaction_timestamp AS TIMESTAMP) AS ordered_at, CAST(product_id AS VARCHAR) AS product_id,
               quantity, sales_value AS amount, coupon_disc AS discount, department AS category,
               CAST(store_id AS VARCHAR) AS store
        FROM read_parquet('{folder}/transactions.parquet') AS t
        JOIN read_parquet('{folder}/products.parquet') AS p USING (product_id) WHERE sales_value > 0
        """  # noqa: S608 - the path is the test's own
    )
    duck.con.execute(
        """
        CREATE OR REPLACE TABLE cj_orders AS
        SELECT customer_id, order_id, min(ordered_at) AS ordered_at, sum(amount) AS amount, sum(discount) AS discount,
               min(store) AS store FROM cj_lines GROUP BY ALL
        """
    )
    tables = Tables(duck.table("cj_orders"), order_lines=duck.table("cj_lines"))
    found = churn_reasons(tables, as_of=dt.datetime.fromisoformat("2018-01-01"), window_days=60)
    assert set(found.not_seen) == {"first_channel", "region", "returned_last"}
    codes = {reason.code for reason in found.reasons}
    assert {"low_first_value", "first_discounted", "first_category", "first_store"} <= codes
    categories = [reason for reason in found.reasons if reason.code == "first_category"]
    assert {reason.value for reason in categories} >= {"GROCERY"}
    assert all(min(reason.customers, reason.rest_customers) >= CUSTOMERS_MIN for reason in found.reasons)
