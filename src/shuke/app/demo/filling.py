"""From the database to the simulator and back: the orders out, the simulated facts in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from shuke import collect, profiles
from shuke.app.demo.history import History, Ints
from shuke.app.demo.simulator import simulate
from shuke.base.money import minor_digits
from shuke.platform import Engine, Workplace

__all__ = ["SOURCE", "add_simulated", "read_history"]

#: The source of simulated facts. It comes into being with them, in one transaction.
SOURCE = "simulator"


def add_simulated(workplace: Workplace, history: History, *, seed: int, now: datetime) -> int:
    """Put simulated facts beside the orders of the database, all of them or none, and once; returns how many.

    Opens its own transactions. With simulated facts there already it changes nothing and returns 0.
    """
    with workplace.database.read() as tx:
        if any(source.name == SOURCE for source in collect.list_sources(tx)):
            return 0
    found = simulate(history, seed=seed)
    with workplace.database.begin() as tx:
        # Hundreds of thousands of rows take longer than a request may.
        tx.execute(sa.text("SET LOCAL statement_timeout = 0"))
        source_id = collect.ensure_source(tx, SOURCE, now=now)
        found = found.append_column("source_id", pa.repeat(pa.scalar(source_id, pa.int32()), len(found)))
        found = found.append_column("received_at", pa.repeat(pa.scalar(now, pa.timestamp("us", "UTC")), len(found)))
        return collect.record_fact_table(tx, found)


def read_history(workplace: Workplace, engine: Engine) -> History:
    """The orders of the database, by way of its lake, which is brought up to date first.

    Raises:
        BadInput: the codes of :func:`shuke.collect.read_stored`.
    """
    collect.update_lake(workplace, wait=True)
    collected = collect.read_stored(collect.lake_of(workplace), engine=engine)
    tables = collected.tables
    orders = tables.orders.select("customer_id", "order_id", "ordered_at", "amount").to_pyarrow()
    currency = collected.currency or ""
    digits = minor_digits(currency)
    # Customers in the order of their first purchase, whatever ids they have here.
    orders = orders.sort_by([("ordered_at", "ascending"), ("order_id", "ascending")])
    customers = pc.unique(orders["customer_id"])
    customer = _places(orders["customer_id"], customers)
    by_customer = np.argsort(customer, kind="stable")
    orders, customer = orders.take(by_customer), customer[by_customer]
    if tables.order_lines is None:
        raise ValueError("orders without products")
    lines = tables.order_lines.select("order_id", "product_id", "product_name", "amount", "quantity")
    products = _products(lines)
    bought = lines.select("order_id", "product_id").to_pyarrow()
    line_order = _places(bought["order_id"], orders["order_id"])
    line_product = _places(bought["product_id"], products["product_id"])
    by_order = np.lexsort((line_product, line_order))
    refund_customer, refund_at = _refunds(tables.refunds, customers)
    return History(
        identity_ids=_identities(workplace, customers),
        order_ids=orders["order_id"].combine_chunks(),
        order_customer=customer,
        order_at=_moments(orders["ordered_at"]),
        order_minor=_minor(orders["amount"], digits),
        line_order=line_order[by_order],
        line_product=line_product[by_order],
        refund_customer=refund_customer,
        refund_at=refund_at,
        product_ids=tuple(products["product_id"].to_pylist()),
        product_names=tuple(products["name"].to_pylist()),
        product_minor=_minor(products["price"], digits),
        currency=currency,
        digits=digits,
    )


def _products(lines: ir.Table) -> pa.Table:
    """Each product that was sold, with a name and what one cost on average, in major units."""
    sold = lines.group_by("product_id").aggregate(
        name=lines.product_name.min().fill_null(""), price=lines.amount.sum() / lines.quantity.cast("float64").sum()
    )
    return sold.order_by("product_id").to_pyarrow()


def _refunds(refunds: ir.Table | None, customers: pa.Array) -> tuple[Ints, Ints]:
    """Customers and moments; without those who never bought anything that counts."""
    if refunds is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    found = refunds.select("customer_id", "refunded_at").to_pyarrow()
    found = found.filter(pc.is_in(found["customer_id"], customers))
    customer, at = _places(found["customer_id"], customers), _moments(found["refunded_at"])
    order = np.lexsort((at, customer))
    return customer[order], at[order]


def _identities(workplace: Workplace, customers: pa.Array) -> Ints:
    """The identity of each customer under which the orders came in, which is the first."""
    wanted = [UUID(customer) for customer in customers.to_pylist()]
    with workplace.database.read() as tx:
        found = profiles.identities_of(tx, wanted)
    return np.array([found[customer][0] for customer in wanted], np.int64)


def _places(values: pa.ChunkedArray, among: pa.Array | pa.ChunkedArray) -> Ints:
    places: Ints = pc.index_in(values, value_set=among).to_numpy().astype(np.int64)
    return places


def _moments(times: pa.ChunkedArray) -> Ints:
    moments: Ints = times.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    return moments


def _minor(amounts: pa.ChunkedArray, digits: int) -> Ints:
    minor: Ints = np.rint(amounts.to_numpy() * 10**digits).astype(np.int64)
    return minor
