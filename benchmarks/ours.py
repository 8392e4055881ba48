"""Shuke's side of each benchmark, each in a process of its own; prints JSON.

Usage: python ours.py facts ORDERS.parquet OUT.parquet AS_OF
       python ours.py bare ORDERS.parquet OUT.parquet
       python ours.py fit ORDERS.parquet AS_OF
       python ours.py pareto SUMMARY.parquet
       python ours.py recovery
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd  # noqa: F401 - Ibis loads it with the first result, and importing is timed for nobody
import pyarrow.parquet as pq

from generate import PURCHASES, SEED
from shuke.insight.clv import Statistics, fit
from shuke.insight.clv.simulate import simulate_bg_nbd, simulate_pareto_nbd, summarise
from shuke.insight.facts import customer_facts
from shuke.insight.summary import customer_summary
from shuke.insight.tables import Tables
from shuke.platform import Settings, open_engine

# What the report of the issue allows to be in memory, less what Python and its libraries take.
MEMORY_LIMIT_BYTES = 1_100_000_000
PARETO = {"r": 0.6, "alpha": 10.0, "s": 0.7, "beta": 12.0}
RECOVERY_CUSTOMERS = 200_000


def facts(orders: str, out: str, as_of: str) -> dict[str, Any]:
    """From Parquet to the facts Parquet: everything that ``shuke facts`` writes, with BG/NBD."""
    start = time.perf_counter()
    limit = Settings.of_environment().memory_limit_bytes or MEMORY_LIMIT_BYTES
    with open_engine("duckdb", work_folder=Path(tempfile.gettempdir()), memory_limit_bytes=limit) as engine:
        tables = Tables(orders=engine.read_parquet(Path(orders)))
        found = customer_facts(tables, as_of=morning_after(as_of), engine=engine, model="bg-nbd", keep=False)
        rows = engine.write_parquet(found.table, Path(out))
    assert found.model is not None  # noqa: S101 - the generated customers open the gate
    return {"seconds": time.perf_counter() - start, "rows": rows, "parameters": found.model.parameters}


def bare(orders: str, out: str) -> dict[str, Any]:
    """The sums that any value of customers begins with, by DuckDB alone, from Parquet to Parquet."""
    start = time.perf_counter()
    duckdb.connect().execute(
        f"""
        COPY (SELECT customer_id, count(*) AS orders, count(DISTINCT CAST(ordered_at AS DATE)) AS order_days,
                     min(ordered_at) AS first_order_at, max(ordered_at) AS last_order_at, sum(amount) AS amount
              FROM read_parquet('{orders}') GROUP BY customer_id) TO '{out}' (FORMAT parquet)
        """  # noqa: S608 - our own paths
    )
    return {"seconds": time.perf_counter() - start}


def fit_alone(orders: str, as_of: str) -> dict[str, Any]:
    """The fit of BG/NBD from the customers' histories in memory, as the peers' fits are timed."""
    with open_engine("duckdb", work_folder=Path(tempfile.gettempdir())) as engine:
        tables = Tables(orders=engine.read_parquet(Path(orders)))
        summary = customer_summary(tables, as_of=morning_after(as_of), with_gaps=False, with_repeat_amount=False)
        kept = engine.keep(summary, "summary")
        history = kept.select("frequency", "recency", "age").to_pyarrow()
        start = time.perf_counter()
        statistics = Statistics.from_summary(history)
        grouped = time.perf_counter()
        model = fit("bg-nbd", statistics)
    done = time.perf_counter()
    return {
        "seconds": done - start,
        "steps": {"group": grouped - start, "fit": done - grouped},
        "parameters": model.parameters,
        "cells": statistics.cells,
    }


def pareto(summary: str) -> dict[str, Any]:
    """The fit of Pareto/NBD to a table of histories."""
    history = pq.read_table(summary)
    start = time.perf_counter()
    model = fit(
        "pareto-nbd",
        Statistics.from_arrays(*(history[name].to_numpy() for name in ("frequency", "recency", "T"))),
    )
    return {
        "seconds": time.perf_counter() - start,
        "parameters": model.parameters,
        "log_likelihood": model.log_likelihood,
        "converged": model.diagnosis.converged,
    }


def recovery() -> dict[str, Any]:
    """Parameters recovered from customers of known ones, in standard errors from the truth."""
    errors: dict[str, float] = {}
    for name, truth, simulate in (
        ("bg-nbd", PURCHASES, simulate_bg_nbd),
        ("pareto-nbd", PARETO, simulate_pareto_nbd),
    ):
        generator = np.random.default_rng(SEED)
        watched = generator.uniform(26, 104, RECOVERY_CUSTOMERS)
        x, t_x, T, _ = summarise(simulate(generator, watched, **truth), watched)
        model = fit(name, Statistics.from_arrays(x, t_x, T))
        spread = np.sqrt(np.diag(model.covariance))
        for parameter, error in zip(model.parameters, spread, strict=True):
            errors[f"{name} {parameter}"] = (model.parameters[parameter] - truth[parameter]) / float(error)
    return {"standard_errors": errors}


def morning_after(day: str) -> dt.datetime:
    """The midnight that ends this day."""
    return dt.datetime.combine(dt.date.fromisoformat(day) + dt.timedelta(days=1), dt.time())


if __name__ == "__main__":
    steps = {"facts": facts, "bare": bare, "fit": fit_alone, "pareto": pareto, "recovery": recovery}
    print(json.dumps(steps[sys.argv[1]](*sys.argv[2:])))
