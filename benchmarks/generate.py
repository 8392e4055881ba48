"""Orders of simulated customers, in Parquet: BG/NBD for when, Gamma-Gamma for how much; the same anywhere, by seed.

Usage: python benchmarks/generate.py CUSTOMERS FILE
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shuke.insight.clv.simulate import simulate_bg_nbd

SEED = 20_261_122
WEEKS = 104
# Customers join evenly over the first year and a half; on average they order ten times.
JOINING_WEEKS = 78
PURCHASES = {"r": 1.4, "alpha": 6.7, "a": 0.6, "b": 9.0}
SPEND = {"p": 6.0, "q": 4.0, "gamma": 20.0}
FIRST_DAY = np.datetime64("2024-01-01", "us")
MICROSECONDS_PER_WEEK = 7 * 86_400 * 1_000_000
CHUNK_CUSTOMERS = 250_000
SCHEMA = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("order_id", pa.int64()),
        ("ordered_at", pa.timestamp("us")),
        ("amount", pa.float64()),
    ]
)


def chunk(generator: np.random.Generator, first_customer: int, first_order: int, customers: int) -> pa.Table:
    """The orders of some customers, in the order of time as a shop's own table has them, amounts in cents."""
    joined = generator.uniform(0, JOINING_WEEKS, customers)
    orders = simulate_bg_nbd(generator, WEEKS - joined, **PURCHASES)
    scale = generator.gamma(SPEND["q"], 1 / SPEND["gamma"], customers)
    amount = generator.gamma(SPEND["p"], 1.0, orders.customer.size) / scale[orders.customer]
    moment = ((joined[orders.customer] + orders.time) * MICROSECONDS_PER_WEEK).astype(np.int64)
    in_time = np.argsort(moment, kind="stable")
    return pa.table(
        {
            "customer_id": first_customer + orders.customer[in_time],
            "order_id": first_order + np.arange(in_time.size),
            "ordered_at": FIRST_DAY + moment[in_time].astype("timedelta64[us]"),
            "amount": np.maximum(np.round(amount[in_time], 2), 0.01),
        },
        schema=SCHEMA,
    )


def generate(customers: int, path: Path) -> int:
    """Write the orders of so many customers. Returns the number of orders."""
    generator = np.random.default_rng(SEED)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    written = 0
    with pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer:
        for start in range(0, customers, CHUNK_CUSTOMERS):
            table = chunk(generator, start, written, min(CHUNK_CUSTOMERS, customers - start))
            writer.write_table(table)
            written += table.num_rows
    partial.replace(path)
    return written


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("customers", type=int)
    arguments.add_argument("file", type=Path)
    given = arguments.parse_args()
    print(f"{generate(given.customers, given.file)} orders")
