"""Every figure that the cluster test compares, computed by one engine: run as a program of its own by the test.

Usage: python cluster_figures.py duckdb|spark ORDERS LINES REFUNDS FOLDER [MASTER]
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import cast

import ibis.expr.types as ir

from shuke import insight
from shuke.insight.facts import customer_facts
from shuke.insight.tables import Tables
from shuke.platform import EngineName, open_engine

AS_OF = dt.datetime(2011, 12, 10)  # noqa: DTZ001 - the brand's own time
PLANTED = "planted_fault"


def figures(tables: Tables) -> dict[str, ir.Table]:
    """Some measures of each kind, as expressions that are not yet run; the others run on Spark in other tests."""
    return {
        "cohorts": insight.cohorts(tables, as_of=AS_OF),
        "products": insight.product_contribution(tables.order_lines),
        # Not the same question on both engines, which the comparison has to notice.
        PLANTED: tables.orders.group_by("customer_id").agg(amount=tables.orders.amount.sum() * (1 + 1e-7)),
    }


def main(engine_name: str, orders: str, lines: str, refunds: str, folder: str, master: str | None = None) -> None:
    out = Path(folder)
    with open_engine(
        cast(EngineName, engine_name), work_folder=out / "work", memory_limit_bytes=2**30, threads=1, master=master
    ) as engine:
        tables = Tables(*(engine.read_parquet(Path(path)) for path in (orders, lines, refunds)))
        facts = customer_facts(tables, as_of=AS_OF, engine=engine, model="bg-nbd", horizon_days=180)
        measured = {"facts": facts.table, **figures(tables)}
        if engine_name == "duckdb":
            honest = tables.orders.group_by("customer_id").agg(amount=tables.orders.amount.sum())
            measured[PLANTED] = honest
        for name, table in measured.items():
            engine.write_parquet(table, out / f"{name}.parquet")


if __name__ == "__main__":
    main(*sys.argv[1:])
