import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from shuke.base.errors import BadInput
from shuke.insight.clv import fit_spend
from shuke.insight.clv.simulate import simulate_bg_nbd
from shuke.insight.facts import NEXT_ORDER_DAYS_MAX, PREDICTIONS, Facts, customer_facts
from shuke.insight.stages import CUSTOMER_STAGES
from shuke.insight.tables import Tables
from shuke.platform import Engine, open_engine

WEEKS = 90
CUT_WEEKS = 52
START = np.datetime64("2023-01-02", "us")
WEEK = np.timedelta64(7 * 86_400_000_000, "us")
TRUTH = {"r": 1.2, "alpha": 8.0, "a": 0.8, "b": 4.0}
SPEND = {"p": 4.0, "q": 5.0, "gamma": 60.0}
CUSTOMERS = 8_000


def moment(weeks: float) -> dt.datetime:
    """The midnight so many weeks after the start."""
    found: dt.datetime = (START + weeks * WEEK).astype("datetime64[D]").astype("datetime64[us]").item()
    return found


@pytest.fixture(scope="module")
def simulated() -> pa.Table:
    """Customers of known parameters, joining over 40 weeks and watched to the end of week 90."""
    generator = np.random.default_rng(7)
    joined = generator.uniform(0, 40, CUSTOMERS)
    orders = simulate_bg_nbd(generator, WEEKS - joined, **TRUTH)
    scale = generator.gamma(SPEND["q"], 1 / SPEND["gamma"], CUSTOMERS)
    weeks = joined[orders.customer] + orders.time
    amount = generator.gamma(SPEND["p"], 1.0, weeks.size) / scale[orders.customer]
    channel = np.array(["shop", "app", "wechat"])[orders.customer % 3]
    return pa.table(
        {
            "customer_id": orders.customer,
            "order_id": np.arange(weeks.size),
            "ordered_at": START + (weeks * WEEK.astype(float)).astype("timedelta64[us]"),
            "amount": amount,
            "channel": channel,
        }
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_engine("duckdb", work_folder=tmp_path_factory.mktemp("work"), threads=2) as engine:
        yield engine


@pytest.fixture(scope="module")
def tables(engine: Engine, simulated: pa.Table) -> Tables:
    return Tables(orders=engine.upload(simulated, "orders"))


@pytest.fixture(scope="module")
def facts(engine: Engine, tables: Tables) -> Facts:
    return customer_facts(tables, as_of=moment(CUT_WEEKS), engine=engine, model="bg-nbd", horizon_days=266)


@pytest.fixture(scope="module")
def rows(facts: Facts) -> pl.DataFrame:
    found = pl.from_arrow(facts.table.to_pyarrow())
    assert isinstance(found, pl.DataFrame)
    return found.sort("customer_id")


def test_one_row_for_each_customer_with_an_order(rows: pl.DataFrame, simulated: pa.Table) -> None:
    orders = pl.from_arrow(simulated)
    assert isinstance(orders, pl.DataFrame)
    known = orders.filter(pl.col("ordered_at") < moment(CUT_WEEKS))
    assert rows["customer_id"].to_list() == sorted(known["customer_id"].unique().to_list())
    assert rows["orders"].sum() == known.height
    assert rows["historic_clv"].sum() == pytest.approx(known["amount"].sum(), rel=1e-12)


def test_the_columns_of_the_contract(rows: pl.DataFrame) -> None:
    assert rows.columns == [
        *("customer_id", "first_order_at", "last_order_at", "orders", "order_days", "frequency", "recency", "age"),
        *("recency_days", "gross_amount", "refunds", "average_order_value", "average_days_between_orders"),
        *("historic_clv", "cohort", "first_channel", "r_score", "f_score", "m_score", "rfm_score", "rfm_group"),
        *("value_group", *PREDICTIONS, "stage"),
    ]


def test_predictions_are_those_of_the_models(facts: Facts, rows: pl.DataFrame) -> None:
    """Customer by customer, by the models' own functions, without cells and with a finer rule for discounting."""
    model, spend = facts.model, facts.spend
    assert model is not None
    assert spend is not None
    history = tuple(rows[name].to_numpy().astype(float) for name in ("frequency", "recency", "age"))
    horizon = 266 / 7
    np.testing.assert_allclose(rows["p_alive"], model.p_alive(*history), rtol=1e-12)
    np.testing.assert_allclose(rows["churn_probability"], 1 - model.p_alive(*history), atol=1e-15)
    np.testing.assert_allclose(
        rows["predicted_number_of_orders"], model.expected_purchases(horizon, *history), rtol=1e-9
    )
    low, high = model.purchases_interval(horizon, *history, 0.8)
    np.testing.assert_array_equal(rows["predicted_orders_low"], low)
    np.testing.assert_array_equal(rows["predicted_orders_high"], high)
    days = rows["order_days"].to_numpy()
    value = spend.expected_spend(days, rows["gross_amount"].to_numpy() / days)
    np.testing.assert_allclose(rows["expected_order_value"], value, rtol=1e-12)
    discounted = model.discounted_residual(np.log(1.1) * 7 / 365, *history, horizon=horizon)
    np.testing.assert_allclose(rows["predicted_clv"], discounted * value, rtol=2e-6)
    np.testing.assert_allclose(rows["total_clv"], rows["historic_clv"] + rows["predicted_clv"], rtol=1e-12)
    wait = model.expected_next_order(*history)
    expected = [dt.date(2023, 12, 31) + dt.timedelta(days=float(np.ceil(7 * weeks))) for weeks in wait]
    assert rows["expected_date_of_next_order"].to_list() == expected


def test_predictions_come_true(facts: Facts, rows: pl.DataFrame, simulated: pa.Table) -> None:
    """What the simulated customers then did: totals within the error of chance, intervals as often as they say."""
    orders = pl.from_arrow(simulated)
    assert isinstance(orders, pl.DataFrame)
    later = orders.filter(pl.col("ordered_at").is_between(moment(CUT_WEEKS), moment(CUT_WEEKS + 38), closed="left"))
    later = later.group_by("customer_id").agg(
        days=pl.col("ordered_at").dt.date().n_unique(), spent=pl.col("amount").sum()
    )
    both = rows.join(later, on="customer_id", how="left").with_columns(pl.col("days", "spent").fill_null(0))
    assert facts.model is not None
    assert facts.statistics is not None
    lowest, highest = facts.model.total_interval(38.0, facts.statistics)
    assert lowest <= both["days"].sum() <= highest
    assert highest - lowest < 0.1 * both["days"].sum()
    assert both["predicted_clv"].sum() == pytest.approx(both["spent"].sum(), rel=0.08)
    inside = both["days"].is_between(both["predicted_orders_low"], both["predicted_orders_high"])
    # Whole numbers cannot hold 80 % exactly, so they hold more; and half of all are certain to spend nothing or more.
    assert 0.8 <= float(inside.mean() or 0) <= 0.95
    within = both["spent"].is_between(both["predicted_clv_low"], both["predicted_clv_high"])
    assert 0.8 <= float(within.mean() or 0) <= 0.95
    # Only customers with something below them test the lower limit.
    busy = both.filter(pl.col("predicted_orders_low") >= 1)
    assert busy.height > 300
    below = (busy["spent"] < busy["predicted_clv_low"]).mean()
    above = (both["spent"] > both["predicted_clv_high"]).mean()
    assert float(below or 0) == pytest.approx(0.1, abs=0.04)
    assert float(above or 0) == pytest.approx(0.1, abs=0.03)


def test_value_intervals_agree_with_drawing(facts: Facts, rows: pl.DataFrame) -> None:
    """Customers of every kind, each drawn 50,000 times from the fitted posterior: 10 % below, 10 % above."""
    model, spend = facts.model, facts.spend
    assert model is not None
    assert spend is not None
    generator = np.random.default_rng(3)
    busy = rows.filter(pl.col("predicted_orders_low") >= 1).sample(20, seed=1)
    likely = rows.filter(pl.col("predicted_number_of_orders") > 0.5).sample(20, seed=1)
    below, above = [], []
    for row in (*busy.iter_rows(named=True), *likely.iter_rows(named=True)):
        history = (row["frequency"], row["recency"], row["age"])
        chances = np.array([model.probability_of(k, 38.0, *history) for k in range(60)])
        orders = generator.choice(60, size=50_000, p=chances / chances.sum())
        q, gamma = spend.q + spend.p * row["order_days"], spend.gamma + row["gross_amount"]
        spent = np.where(orders > 0, generator.gamma(np.maximum(spend.p * orders, 1e-9)), 0.0)
        spent *= gamma / generator.gamma(q, 1.0, orders.size)
        spent *= row["predicted_clv"] / (row["predicted_number_of_orders"] * row["expected_order_value"])
        below.append(np.mean(spent < row["predicted_clv_low"]))
        above.append(np.mean(spent > row["predicted_clv_high"]))
    assert np.mean(below[:20]) == pytest.approx(0.1, abs=0.01)
    assert max(below) < 0.15
    assert np.mean(above) == pytest.approx(0.1, abs=0.015)
    assert max(above) < 0.14


def test_the_model_is_told_from_a_wrong_one(engine: Engine, tables: Tables, facts: Facts) -> None:
    other = customer_facts(tables, as_of=moment(CUT_WEEKS), engine=engine, model="nbd", keep=False)
    assert other.model is not None
    assert facts.model is not None
    assert other.model.name == "nbd"
    leaving = other.table.agg(
        known=lambda t: t.p_alive.count() + t.churn_probability.count(), predicted=lambda t: t.predicted_clv.count()
    )
    assert leaving.to_pyarrow().to_pylist() == [{"known": 0, "predicted": other.table.count().execute()}]
    assert other.model.log_likelihood < facts.model.log_likelihood - 100


def test_the_same_data_give_the_same_facts(engine: Engine, tables: Tables, rows: pl.DataFrame) -> None:
    again = customer_facts(tables, as_of=moment(CUT_WEEKS), engine=engine, model="bg-nbd", horizon_days=266)
    found = pl.from_arrow(again.table.to_pyarrow())
    assert isinstance(found, pl.DataFrame)
    # DuckDB sums floats in the order in which its threads meet them.
    for name in rows.columns:
        column, before = found.sort("customer_id")[name], rows[name]
        if column.dtype == pl.Float64:
            np.testing.assert_allclose(column.to_numpy(), before.to_numpy(), rtol=1e-9)
        else:
            assert column.to_list() == before.to_list(), name


def test_refunds_and_margin_lower_every_value(engine: Engine, tables: Tables, rows: pl.DataFrame) -> None:
    orders = tables.orders
    refunds = orders.filter(orders.order_id % 10 == 0).select(
        "customer_id", refunded_at=orders.ordered_at, amount=orders.amount
    )
    lower = customer_facts(
        replace(tables, refunds=refunds),
        as_of=moment(CUT_WEEKS),
        engine=engine,
        model="bg-nbd",
        horizon_days=266,
        margin=0.5,
        keep=False,
    )
    found = pl.from_arrow(lower.table.to_pyarrow())
    assert isinstance(found, pl.DataFrame)
    found = found.sort("customer_id")
    assert lower.refunded_share == pytest.approx(found["refunds"].sum() / found["gross_amount"].sum(), rel=1e-12)
    assert 0.08 < lower.refunded_share < 0.12
    ratio = 0.5 * (1 - lower.refunded_share)
    np.testing.assert_allclose(found["predicted_clv"], ratio * rows["predicted_clv"].to_numpy(), rtol=1e-9)
    np.testing.assert_allclose(found["predicted_clv_high"], ratio * rows["predicted_clv_high"].to_numpy(), rtol=1e-9)
    historic = 0.5 * (rows["gross_amount"].to_numpy() - found["refunds"].to_numpy())
    np.testing.assert_allclose(found["historic_clv"], historic, atol=1e-9)


def test_without_discounting_value_is_orders_times_spend(engine: Engine, tables: Tables) -> None:
    flat = customer_facts(
        tables, as_of=moment(CUT_WEEKS), engine=engine, model="bg-nbd", discount_rate_per_year=0.0, keep=False
    )
    found = flat.table.select("predicted_clv", "predicted_number_of_orders", "expected_order_value").to_pyarrow()
    value, orders, each = (column.to_numpy() for column in found.columns)
    np.testing.assert_allclose(value, orders * each, rtol=1e-12)


@pytest.mark.parametrize("model", ["mbg-nbd", "pareto-nbd", "mbg-cnbd-k"])
def test_any_model_gives_facts(engine: Engine, tables: Tables, model: str) -> None:
    found = customer_facts(tables, as_of=moment(CUT_WEEKS), engine=engine, model=model, keep=False)
    assert found.model is not None
    assert found.model.name == model
    table = found.table.to_pyarrow()
    history = tuple(table[name].to_numpy().astype(float) for name in ("frequency", "recency", "age"))
    expected = found.model.expected_purchases(365 / 7, *history)
    np.testing.assert_allclose(table["predicted_number_of_orders"].to_numpy(), expected, rtol=1e-6, atol=1e-12)
    for name in ("p_alive", "predicted_clv", "predicted_clv_low", "predicted_clv_high"):
        values = table[name].to_numpy()
        assert np.isfinite(values).all(), name
        assert (values >= 0).all(), name
    assert (table["predicted_clv_low"].to_numpy() <= table["predicted_clv_high"].to_numpy()).all()


def test_below_the_gate_history_is_told_and_predictions_are_null(
    engine: Engine, make_orders: Callable[..., ir.Table]
) -> None:
    orders = make_orders([("a", "2020-01-01", 10.0), ("a", "2020-02-01", 20.0), ("b", "2020-02-02", 5.0)])
    tables = Tables(orders=engine.upload(orders.to_pyarrow(), "few"))
    found = customer_facts(tables, as_of=dt.datetime(2020, 3, 1), engine=engine, model="bg-nbd")  # noqa: DTZ001
    assert found.model is None
    assert found.cannot_say is not None
    assert found.cannot_say.code == "insight.gate"
    assert {reason.code for reason in found.gate.reasons} == {
        "too_few_customers",
        "history_too_short",
        "too_few_frequent_buyers",
    }
    table = {row["customer_id"]: row for row in found.table.to_pyarrow().to_pylist()}
    assert all(table[customer][name] is None for customer in "ab" for name in PREDICTIONS)
    assert table["a"]["historic_clv"] == 30.0
    assert table["a"]["cohort"] == dt.date(2020, 1, 1)
    assert {row["stage"] for row in table.values()} <= set(CUSTOMER_STAGES.codes)
    types = found.table.schema()
    assert types["p_alive"] == ibis.dtype("float64")
    assert types["expected_date_of_next_order"] == ibis.dtype("date")


def test_when_everybody_spends_the_same_value_is_exact(engine: Engine, simulated: pa.Table) -> None:
    same = simulated.set_column(3, "amount", pa.array(np.full(len(simulated), 10.0)))
    days = pl.from_arrow(same)
    assert isinstance(days, pl.DataFrame)
    days = days.unique(["customer_id", pl.col("ordered_at").dt.date()])
    tables = Tables(orders=engine.upload(days.to_arrow(), "same"))
    found = customer_facts(tables, as_of=moment(CUT_WEEKS), engine=engine, model="bg-nbd", keep=False)
    assert found.spend is None
    assert set(np.round(found.table.to_pyarrow()["expected_order_value"].to_numpy(), 9)) == {10.0}


def test_the_first_of_simultaneous_orders_is_always_the_same(
    engine: Engine, make_orders: Callable[..., ir.Table]
) -> None:
    orders = make_orders([("a", "2020-01-01T10:00", 1.0), ("a", "2020-01-01T10:00", 2.0), ("a", "2020-01-03", 3.0)])
    orders = orders.mutate(
        channel=ibis.cases((orders.order_id == "o0", "web"), (orders.order_id == "o1", "app"), else_="zoo"),
        region=ibis.cases((orders.order_id == "o2", "south"), else_="north"),
    )
    found = customer_facts(
        Tables(orders=engine.upload(orders.to_pyarrow(), "ties")),
        as_of=dt.datetime(2020, 2, 1),  # noqa: DTZ001
        engine=engine,
        model="bg-nbd",
    )
    row = found.table.to_pyarrow().to_pylist()[0]
    # That of the smallest order_id, as in first_orders, though "app" comes before it in the alphabet.
    assert (row["first_channel"], row["region"]) == ("web", "north")


@pytest.mark.parametrize(
    "options", [{"horizon_days": 0}, {"margin": 1.5}, {"margin": -0.1}, {"discount_rate_per_year": -0.1}]
)
def test_options_that_cannot_be_are_refused(engine: Engine, tables: Tables, options: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        customer_facts(tables, as_of=moment(CUT_WEEKS), engine=engine, model="bg-nbd", **options)
    assert caught.value.code == "insight.bad_facts_option"


def test_no_date_is_further_than_anybody_can_act_on(engine: Engine, tables: Tables) -> None:
    found = customer_facts(tables, as_of=moment(CUT_WEEKS), engine=engine, model="pareto-nbd", keep=False)
    dates = [day for day in found.table.to_pyarrow()["expected_date_of_next_order"].to_pylist() if day is not None]
    assert min(dates) >= dt.date(2023, 12, 31)
    assert max(dates) <= dt.date(2023, 12, 31) + dt.timedelta(days=NEXT_ORDER_DAYS_MAX)


def test_all_occasions_foretell_spend_better_than_repeats(shared_data: Path) -> None:
    """The choice that the module states, on CDNOW: 23,570 customers, to the end of September 1997 and after."""
    lines = (shared_data / "cdnow" / "CDNOW_master.txt").read_text().splitlines()[1:]
    customer, day, _, money = zip(*(line.split() for line in lines), strict=True)
    orders = pl.DataFrame({"customer": customer, "day": day, "amount": [float(text) for text in money]})
    days = orders.group_by("customer", "day").agg(pl.col("amount").sum()).filter(pl.col("amount") > 0).sort("day")
    before, after = days.filter(pl.col("day") <= "19970930"), days.filter(pl.col("day") > "19970930")
    known = before.group_by("customer").agg(n=pl.len(), total=pl.col("amount").sum(), first=pl.col("amount").first())
    n, total, first = (known[name].to_numpy().astype(float) for name in ("n", "total", "first"))
    x = n - 1
    repeat_mean = np.divide(total - first, x, where=x > 0, out=np.zeros_like(x))
    guesses = {
        "all": fit_spend(n, total / n).expected_spend(n, total / n),
        "repeats": fit_spend(x, repeat_mean).expected_spend(x, repeat_mean),
    }
    actual = after.group_by("customer").agg(actual=pl.col("amount").mean())
    both = known.with_columns(**{name: pl.Series(guess) for name, guess in guesses.items()}).join(actual, on="customer")
    errors = {name: float((both[name] - both["actual"]).abs().mean() or 0) for name in guesses}
    assert errors["all"] == pytest.approx(17.48, abs=0.05)
    assert errors["repeats"] == pytest.approx(18.14, abs=0.05)
