"""The choice of a model: what it takes, what it leaves out, and that it says why."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pytest

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.choose import CANDIDATES, Choice, choose_model
from shuke.insight.clv.simulate import Orders, simulate_bg_nbd, simulate_pareto_nbd
from shuke.insight.tables import Tables

AS_OF = dt.datetime.fromisoformat("2024-05-15")
DAYS = 500


def shop(orders: Orders, came: np.ndarray) -> Tables:
    day = came[orders.customer] + np.floor(orders.time).astype(int)
    start = AS_OF - dt.timedelta(days=DAYS) + dt.timedelta(hours=12)
    rows = {
        "customer_id": [f"c{number}" for number in orders.customer],
        "order_id": [f"o{number}" for number in range(day.size)],
        "ordered_at": [start + dt.timedelta(days=int(d)) for d in day],
        "amount": [1.0] * day.size,
    }
    types = {"customer_id": "string", "order_id": "string", "ordered_at": "timestamp", "amount": "float64"}
    return Tables(orders=ibis.memtable(rows, schema=types))


def arrivals(seed: int, customers: int) -> tuple[np.random.Generator, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator, generator.integers(0, DAYS // 2, customers)


def codes(choice: Choice) -> list[str]:
    return [why.code for why in choice.why]


def test_nobody_leaves_so_the_simplest_model_is_enough() -> None:
    generator, came = arrivals(1, 2_000)
    # Orders are days apart on average, and nobody has reason to leave.
    orders = simulate_pareto_nbd(generator, DAYS - came, r=1.5, alpha=60.0, s=1e-6, beta=60.0)
    choice = choose_model(shop(orders, came), as_of=AS_OF, unit="day")
    assert choice.name == "nbd"
    rows = {row["name"]: row for row in choice.candidates.to_pylist()}
    assert list(rows) == list(CANDIDATES)
    assert [name for name, row in rows.items() if row["chosen"]] == ["nbd"]
    # Whatever would need a corner to say the same is out, and the reason is given.
    out = {why.values["model"]: why.values["because"] for why in choice.why if why.code == "excluded"}
    assert {name: row["excluded"] for name, row in rows.items() if row["excluded"]} == out
    assert out["pareto-nbd"] == "corner"
    assert out["bg-cnbd-k"] == out["mbg-cnbd-k"] == "gaps_random"


def test_regular_customers_get_a_regular_model() -> None:
    generator, came = arrivals(2, 2_000)
    orders = simulate_bg_nbd(generator, DAYS - came, r=2.0, alpha=15.0, a=0.6, b=4.0, k=4, coin="after_every")
    choice = choose_model(shop(orders, came), as_of=AS_OF, unit="day")
    assert choice.name in {"bg-cnbd-k", "mbg-cnbd-k"}
    rows = {row["name"]: row for row in choice.candidates.to_pylist()}
    best = max(row["log_score"] for row in rows.values() if row["log_score"] is not None)
    assert rows[choice.name]["deficit"] <= rows[choice.name]["deficit_error"]
    assert rows["nbd"]["log_score"] < best - 3 * rows["nbd"]["deficit_error"]
    assert rows[choice.name]["purchases_predicted"] == pytest.approx(rows[choice.name]["purchases_actual"], rel=0.1)
    assert codes(choice)[-1] in {"best_holdout", "simpler_within_error"}
    again = choose_model(shop(orders, came), as_of=AS_OF, unit="day")
    assert again.candidates.equals(choice.candidates)
    assert again.why == choice.why


def test_simpler_of_equals() -> None:
    generator, came = arrivals(3, 1_500)
    orders = simulate_bg_nbd(generator, DAYS - came, r=0.8, alpha=20.0, a=0.8, b=2.5)
    choice = choose_model(shop(orders, came), as_of=AS_OF, unit="day", candidates=["bg-nbd", "mbg-nbd", "pareto-nbd"])
    rows = choice.candidates.to_pylist()
    able = [row for row in rows if row["excluded"] is None]
    first = next(row["name"] for row in able if row["deficit"] <= row["deficit_error"])
    assert choice.name == first
    best = max(able, key=lambda row: row["log_score"])
    assert ("simpler_within_error" in codes(choice)) == (best["name"] != first)
    assert best["deficit"] == 0


def test_too_short_a_history_is_said_and_decided_without_a_cut() -> None:
    generator, came = arrivals(4, 1_500)
    orders = simulate_bg_nbd(generator, DAYS - came, r=0.8, alpha=5.0, a=0.8, b=2.5)
    tables = shop(orders, came)
    choice = choose_model(tables, as_of=AS_OF - dt.timedelta(days=DAYS - 80), unit="day")
    assert codes(choice)[0] == "history_too_short"
    assert choice.why[0].values == {"days": 79, "needed": 112}
    assert choice.why[-1].code == "lowest_bic"
    rows = {row["name"]: row for row in choice.candidates.to_pylist()}
    assert choice.name == min((row["bic"], name) for name, row in rows.items() if row["bic"] is not None)[1]
    assert all(row["log_score"] is None for row in rows.values())


def test_what_cannot_be_chosen_from() -> None:
    start = dt.datetime.fromisoformat("2024-01-01")
    rows = {"customer_id": ["a", "b"], "order_id": ["1", "2"], "ordered_at": [start] * 2, "amount": [1.0, 1.0]}
    tables = Tables(orders=ibis.memtable(rows))
    with pytest.raises(CannotSay, match="no_repeat_orders"):
        choose_model(tables, as_of=AS_OF)
    with pytest.raises(BadInput, match="unknown_model"):
        choose_model(tables, as_of=AS_OF, candidates=["bg-bb"])
