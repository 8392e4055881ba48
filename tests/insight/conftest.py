"""Small canonical tables with known answers, and the real shop's, made with plain SQL rather than with collect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from shuke.insight.tables import Tables


@pytest.fixture(scope="session")
def duck() -> Iterator[Any]:
    connection = ibis.duckdb.connect(threads=2)
    yield connection
    connection.disconnect()


@pytest.fixture
def make_orders() -> Callable[[list[tuple[str, str, float]]], ir.Table]:
    """Orders from (customer, ISO moment, amount)."""

    def make(rows: list[tuple[str, str, float]]) -> ir.Table:
        return ibis.memtable(
            {
                "customer_id": [row[0] for row in rows],
                "order_id": [f"o{number}" for number in range(len(rows))],
                "ordered_at": [dt.datetime.fromisoformat(row[1]) for row in rows],
                "amount": [float(row[2]) for row in rows],
            },
            schema={"customer_id": "string", "order_id": "string", "ordered_at": "timestamp", "amount": "float64"},
        )

    return make


@pytest.fixture(scope="session")
def online_retail(duck: Any, shared_data: Path) -> Tables:
    """Online Retail 2010-11 as canonical tables: known customers, sales of goods as orders, credit notes as refunds."""
    source = shared_data / "online_retail" / "online_retail_2010_2011.parquet"
    con = duck.con
    con.execute(
        f"""
        CREATE TABLE or_lines AS
        SELECT CAST(CustomerID AS VARCHAR) AS customer_id, CAST(InvoiceNo AS VARCHAR) AS order_id,
               CAST(InvoiceDate AS TIMESTAMP) AS ordered_at, StockCode AS product_id, Description AS product_name,
               Quantity AS quantity, UnitPrice AS price, Quantity * UnitPrice AS amount, Country AS region
        FROM read_parquet('{source}') WHERE CustomerID IS NOT NULL AND UnitPrice > 0
        """  # noqa: S608 - the path is the test's own
    )
    con.execute(
        """
        CREATE TABLE or_orders AS
        SELECT customer_id, order_id, min(ordered_at) AS ordered_at, sum(amount) AS amount, min(region) AS region
        FROM or_lines WHERE quantity > 0 GROUP BY ALL
        """
    )
    con.execute(
        """
        CREATE TABLE or_refunds AS
        SELECT customer_id, ordered_at AS refunded_at, -amount AS amount FROM or_lines WHERE quantity < 0
        """
    )
    con.execute("CREATE TABLE or_sold AS SELECT * FROM or_lines WHERE quantity > 0")
    return Tables(orders=duck.table("or_orders"), order_lines=duck.table("or_sold"), refunds=duck.table("or_refunds"))


@pytest.fixture(scope="session")
def online_retail_facts(duck: Any, online_retail: Tables) -> ir.Table:
    """One row per customer of Online Retail with the plain facts, by SQL of its own; known to the end of 2011-12-09."""
    assert online_retail.refunds is not None  # the tables that the SQL names are there
    duck.con.execute(
        """
        CREATE TABLE or_facts AS
        SELECT customer_id, first_order_at, last_order_at, orders, order_days, recency_days, gross_amount,
               coalesce(refunds, 0) AS refunds, gross_amount - coalesce(refunds, 0) AS net_amount,
               gross_amount - coalesce(refunds, 0) AS historic_clv, gross_amount / orders AS average_order_value,
               CASE WHEN order_days > 1
                    THEN date_diff('day', CAST(first_order_at AS DATE), CAST(last_order_at AS DATE)) / (order_days - 1)
               END AS average_days_between_orders, region
        FROM (SELECT customer_id, min(ordered_at) AS first_order_at, max(ordered_at) AS last_order_at,
                     count(*) AS orders, count(DISTINCT CAST(ordered_at AS DATE)) AS order_days,
                     date_diff('day', CAST(max(ordered_at) AS DATE), DATE '2011-12-09') AS recency_days,
                     sum(amount) AS gross_amount, min(region) AS region
              FROM or_orders GROUP BY customer_id)
        LEFT JOIN (SELECT customer_id, sum(amount) AS refunds FROM or_refunds GROUP BY customer_id) USING (customer_id)
        """
    )
    return duck.table("or_facts")
