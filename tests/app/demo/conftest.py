"""Orders of a made-up shop, and one year simulated around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from shuke.app.demo.history import DAY, HOUR, History
from shuke.app.demo.simulator import simulate

Ask = Callable[[str], list[tuple[Any, ...]]]

BEGIN = 1_291_161_600 * 1_000_000  # 1 December 2010, a Wednesday
DAYS = 373


@pytest.fixture(scope="session")
def history() -> History:
    """A year of orders, some customers with one and some with dozens; every eighth order is refunded in part."""
    customers, rng = 700, np.random.default_rng(5)
    many = rng.geometric(0.25, customers)
    customer = np.repeat(np.arange(customers), many)
    at = BEGIN + rng.integers(0, DAYS, len(customer)) * DAY + rng.integers(8, 18, len(customer)) * HOUR
    order = np.lexsort((at, customer))
    customer, at = customer[order], at[order]
    # Numbered by their first order, as the real ones are.
    first = at[np.searchsorted(customer, np.arange(customers))]
    number = np.empty(customers, np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(customers)
    order = np.lexsort((at, number[customer]))
    customer, at = number[customer][order], at[order]
    orders = len(at)
    refunded = np.flatnonzero(rng.random(orders) < 0.125)
    line_order = np.repeat(np.arange(orders), rng.integers(1, 9, orders))
    return History(
        identity_ids=np.arange(customers) + 1001,
        order_ids=pa.array([f"N{place}" for place in range(orders)]),
        order_customer=customer,
        order_at=at,
        order_minor=rng.integers(500, 90_000, orders),
        line_order=line_order,
        line_product=rng.integers(0, 60, len(line_order)),
        # Forty of them are of orders from before the first that is known, as real files have some.
        refund_customer=np.concatenate([np.arange(40) + 600, customer[refunded]]),
        refund_at=np.concatenate(
            [np.full(40, BEGIN - 60 * DAY), np.minimum(at[refunded] + 5 * DAY, BEGIN + DAYS * DAY)]
        ),
        product_ids=tuple(f"p{place}" for place in range(60)),
        product_names=tuple(f'Tea "{place}", 红茶\\' for place in range(60)),
        product_minor=np.arange(60) * 7 + 99,
        currency="GBP",
        digits=2,
    )


@pytest.fixture(scope="session")
def facts(history: History) -> pa.Table:
    return simulate(history, seed=1)


@pytest.fixture(scope="session")
def about(history: History) -> Callable[[pa.Table], Ask]:
    """Asks in SQL about simulated ``facts``, and the real ``orders``, ``lines`` and ``refunds``."""
    moment = pa.timestamp("us", "UTC")
    orders = pa.table(
        {
            "identity_id": history.identity_ids[history.order_customer],
            "order_id": history.order_ids,
            "place": np.arange(len(history.order_at)),
            "ordered_at": pa.array(history.order_at).cast(moment),
            "previous_at": pa.array(history.previous_at).cast(moment),
        }
    )
    lines = pa.table(
        {
            "place": history.line_order,
            "product_id": pa.array(history.product_ids).take(pa.array(history.line_product)),
        }
    )
    refunds = pa.table(
        {
            "identity_id": history.identity_ids[history.refund_customer],
            "refunded_at": pa.array(history.refund_at).cast(moment),
        }
    )

    def _about(facts: pa.Table) -> Ask:
        def ask(question: str) -> list[tuple[Any, ...]]:
            with duckdb.connect(config={"threads": 1}) as connection:
                tables = {"facts": facts, "orders": orders, "lines": lines, "refunds": refunds}
                for name, table in tables.items():
                    connection.register(name, table)
                return connection.execute(question).fetchall()

        return ask

    return _about


@pytest.fixture(scope="session")
def ask(about: Callable[[pa.Table], Ask], facts: pa.Table) -> Ask:
    return about(facts)
