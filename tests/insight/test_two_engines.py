"""What customers buy, where, when and at what cost: the same expressions give the same figures on DuckDB and Spark."""

import datetime as dt
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest

from shuke import insight
from shuke.platform import Engine, open_engine

pytestmark = [pytest.mark.spark, pytest.mark.slow]
AS_OF = dt.datetime.fromisoformat("2021-03-15")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up shop: 60 customers, 400 orders of one to five of 12 products in fifteen months."""
    folder = tmp_path_factory.mktemp("shop")
    dice = np.random.default_rng(2)
    start = pd.Timestamp("2020-01-01")
    orders = pd.DataFrame(
        {
            "customer_id": dice.integers(0, 60, 400),
            "order_id": np.arange(400),
            "ordered_at": start + pd.to_timedelta(dice.integers(0, 440 * 86400, 400), unit="s"),
        }
    ).astype({"ordered_at": "datetime64[us]"})
    lines = orders.loc[orders.index.repeat(dice.integers(1, 6, 400))].reset_index(drop=True)
    lines["product_id"] = dice.integers(0, 12, len(lines)).astype(str)
    lines["product_name"] = "product " + lines.product_id
    lines["category"] = np.where(lines.product_id.str.len() == 2, "new", "old")
    lines["quantity"] = dice.integers(1, 4, len(lines))
    lines["amount"] = lines.quantity * (1.0 + lines.product_id.astype(int))
    orders["amount"] = orders.order_id.map(lines.groupby("order_id").amount.sum())
    orders["discount"] = np.where(orders.order_id % 3 == 0, 2.5, 0.0)
    orders["cost"] = np.where(orders.order_id % 5 == 0, np.nan, orders.amount * 0.6)
    orders["cost"] = orders["cost"].astype("Float64")
    orders["channel"] = np.where(orders.customer_id % 2 == 0, "shop", "wechat")
    orders["region"] = np.where(orders.customer_id % 3 == 0, "north", None)
    refunds = lines[::17].rename(columns={"ordered_at": "refunded_at"})
    months = pd.date_range("2020-01-01", "2021-02-01", freq="MS").date
    costs = pd.DataFrame({"channel": "shop", "period": months, "spend": 120.0})
    facts = orders.groupby("customer_id", as_index=False).amount.sum().rename(columns={"amount": "historic_clv"})
    tables = {"orders": orders, "lines": lines, "refunds": refunds, "costs": costs, "facts": facts}
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def questions(engine: Engine, files: Path) -> dict[str, ir.Table]:
    orders, lines, refunds, costs, facts = (
        engine.read_parquet(files / f"{name}.parquet") for name in ("orders", "lines", "refunds", "costs", "facts")
    )
    tables = insight.Tables(orders=orders, order_lines=lines, refunds=refunds, costs=costs)
    contribution = insight.product_contribution(lines, refunds=refunds)
    curve = insight.payback_curve(tables, as_of=AS_OF, margin=None, min_customers=3)
    return {
        "products": contribution,
        "pareto": insight.pareto(contribution),
        "categories": insight.category_contribution(lines, refunds=refunds),
        "first": insight.first_product_value(tables, facts, as_of=AS_OF, days=200, min_customers=5),
        "pairs": insight.basket_pairs(lines, min_orders=5),
        "concentration": insight.concentration(facts),
        "lorenz": insight.lorenz_points(facts, points=40),
        "months": insight.monthly_sales(orders, as_of=AS_OF),
        "hours": insight.weekday_hour(orders),
        "regions": insight.region_sales(tables),
        "acquisition": insight.acquisition_costs(tables, facts, as_of=AS_OF),
        "channels": insight.acquisition_by_channel(tables, facts, as_of=AS_OF),
        "curve": curve,
        "payback": insight.payback(curve),
        "profit": insight.profit_contribution(tables),
        "discounts": insight.discount_summary(orders),
        "won": insight.discount_acquired(tables, as_of=AS_OF, days=200),
    }


@pytest.fixture(scope="module")
def answers(files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    with open_engine("duckdb", work_folder=tmp_path_factory.mktemp("duck")) as duckdb:
        return {name: table.to_pandas() for name, table in questions(duckdb, files).items()}


QUESTIONS = [
    *("products", "pareto", "categories", "first", "pairs", "concentration", "lorenz", "months", "hours", "regions"),
    *("acquisition", "channels", "curve", "payback", "profit", "discounts", "won"),
]


@pytest.fixture(scope="module")
def on_spark(files: Path, spark_engine: Engine) -> dict[str, ir.Table]:
    return questions(spark_engine, files)


@pytest.mark.parametrize("name", QUESTIONS)
def test_same_figures(name: str, answers: dict[str, Any], on_spark: dict[str, ir.Table]) -> None:
    assert set(answers) == set(QUESTIONS)
    assert len(answers[name]) > 0
    pd.testing.assert_frame_equal(answers[name], on_spark[name].to_pandas(), check_dtype=False, rtol=1e-9)
