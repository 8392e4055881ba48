"""The same expressions on a real Spark cluster: a master and two workers, each a process of its own, on loopback."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

HERE = Path(__file__).parent
RETAIL = HERE.parents[1] / "src" / "shuke" / "app" / "data" / "online_retail.parquet"
PLANTED = "planted_fault"
KEYS = {
    "facts": ["customer_id"],
    PLANTED: ["customer_id"],
}
LOOPBACK = {"SPARK_LOCAL_IP": "127.0.0.1"}
SECONDS_TO_START = 60.0
# Customers in the sample: enough for the gate, few enough for two small workers.
CUSTOMERS = 1_500

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(600)]


class Process:
    """A part of the cluster, with its log in a file."""

    def __init__(self, log: Path, *arguments: str) -> None:
        home = Path(importlib.util.find_spec("pyspark").origin or "").parent  # type: ignore[union-attr] # checked before
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [str(home / "bin" / "spark-class"), *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    "SPARK_LOCAL_IP": "127.0.0.1",
                    "SPARK_HOME": str(home),
                    "SPARK_DAEMON_MEMORY": "256m",
                },
                cwd=log.parent,
            )

    def wait_for(self, pattern: str) -> str:
        """What the log says, as soon as it says it."""
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            found = re.search(pattern, self.log.read_text(encoding="utf-8", errors="replace"))
            if found:
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        pytest.fail(f"no {pattern!r} in the log:\n{self.log.read_text(encoding='utf-8', errors='replace')[-3000:]}")

    def stop(self) -> None:
        """End this process, and no other."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=20)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Path]]]:
    """The address and the workers' logs of a master with two workers of one core and one gigabyte each.

    All listen on loopback, on ports that the system gave.
    """
    if shutil.which("java") is None or importlib.util.find_spec("pyspark") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have a Java runtime and the spark extra")
        pytest.skip("needs a Java runtime and the spark extra")
    folder = tmp_path_factory.mktemp("cluster")
    loopback = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    started: list[Process] = []
    try:
        started.append(Process(folder / "master.log", "org.apache.spark.deploy.master.Master", *loopback))
        address = started[0].wait_for(r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")
        for number in (1, 2):
            place = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / f"work{number}"))
            worker = "org.apache.spark.deploy.worker.Worker"
            started.append(Process(folder / f"worker{number}.log", worker, *loopback, *place, address))
        for process in started[1:]:
            process.wait_for(r"Successfully registered with master (spark://\S+)")
        yield address, [process.log for process in started[1:]]
    finally:
        for process in reversed(started):
            process.stop()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """Orders, lines and refunds of some customers of the shipped shop, as Parquet, by SQL of its own."""
    folder = tmp_path_factory.mktemp("sample")
    con = duckdb.connect()
    con.execute(
        f"""
        CREATE TABLE lines AS
        SELECT CAST(CustomerID AS BIGINT) AS customer_id, CAST(InvoiceNo AS VARCHAR) AS order_id,
               CAST(InvoiceDate AS TIMESTAMP) AS ordered_at, CAST(StockCode AS VARCHAR) AS product_id,
               CAST(Quantity AS BIGINT) AS quantity, CAST(Quantity * UnitPrice AS DECIMAL(18, 3)) AS amount,
               CAST(Country AS VARCHAR) AS region
        FROM read_parquet('{RETAIL}')
        WHERE UnitPrice > 0 AND CustomerID IN (
            SELECT DISTINCT CustomerID FROM read_parquet('{RETAIL}')
            WHERE CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0 ORDER BY hash(CustomerID) LIMIT {CUSTOMERS})
        """  # noqa: S608 - the path and the number are the test's own
    )
    queries = {
        "orders": "SELECT customer_id, order_id, min(ordered_at) AS ordered_at, sum(amount)::DECIMAL(18, 3) AS amount,"
        " min(region) AS region FROM lines WHERE quantity > 0 GROUP BY ALL",
        "lines": "SELECT * FROM lines WHERE quantity > 0",
        "refunds": "SELECT customer_id, ordered_at AS refunded_at, -amount AS amount FROM lines WHERE quantity < 0",
    }
    for name, query in queries.items():
        con.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")
    return tuple(str(folder / f"{name}.parquet") for name in queries)  # type: ignore[return-value] # there are three


def compute(engine: str, sample: tuple[str, str, str], folder: Path, master: str = "") -> dict[str, pl.DataFrame]:
    """Run the program of figures on one engine and read what it wrote."""
    folder.mkdir()
    command = [
        sys.executable,
        str(HERE / "cluster_figures.py"),
        engine,
        *sample,
        str(folder),
        *([master] if master else []),
    ]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=480, check=False)
    assert result.returncode == 0, result.stderr[-4000:]
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


def differences(one: pl.DataFrame, other: pl.DataFrame, keys: list[str]) -> list[str]:
    """What is not the same: anything but floats exactly, floats to a billionth."""
    if one.columns != other.columns or one.height != other.height:
        return [f"{one.columns} × {one.height} and {other.columns} × {other.height}"]
    by = keys or [name for name, kind in one.schema.items() if not kind.is_float()]
    one, other = one.sort(by, nulls_last=True), other.sort(by, nulls_last=True)
    found = []
    for name in one.columns:
        left, right = one[name], other[name]
        if left.dtype.is_float() or right.dtype.is_float():
            left, right = left.cast(pl.Float64), right.cast(pl.Float64)
            pair = pl.DataFrame({"left": left, "right": right})
            near = pair.select(
                (pl.col("left") - pl.col("right")).abs() <= 1e-9 * pl.max_horizontal("left", "right").abs() + 1e-12
            ).to_series()
            same = near.fill_null(value=False) | (left.is_null() & right.is_null())
        else:
            same = left.cast(pl.String).eq_missing(right.cast(pl.String))
        if not same.all():
            row = same.arg_min()
            found.append(f"{name}: {(~same).sum()} rows, such as {left[row]!r} and {right[row]!r}")
    return found


@pytest.mark.faults
def test_facts_and_measures_of_a_cluster_are_those_of_one_machine(
    cluster: tuple[str, list[Path]], sample: tuple[str, str, str], tmp_path: Path
) -> None:
    address, logs = cluster
    here = compute("duckdb", sample, tmp_path / "duckdb")
    there = compute("spark", sample, tmp_path / "spark", address)
    assert here.keys() == there.keys()
    assert here["facts"].height == CUSTOMERS
    assert here["facts"]["predicted_clv"].null_count() == 0
    found = {name: differences(here[name], there[name], KEYS.get(name, [])) for name in here}
    planted = found.pop(PLANTED)
    assert {name: what for name, what in found.items() if what} == {}
    # The expression that was deliberately not the same was noticed.
    assert len(planted) == 1
    assert planted[0].startswith("amount: ")
    # The cluster did the work: both workers ran an executor.
    assert len(logs) == 2
    assert all("Asked to launch executor" in log.read_text(encoding="utf-8", errors="replace") for log in logs)


def test_the_comparison_notices_every_kind_of_difference() -> None:
    base = pl.DataFrame({"k": [1, 2], "f": [1.0, None], "s": ["a", None]})
    assert differences(base, base, ["k"]) == []
    assert differences(base, base.with_columns(f=pl.Series([1.0 + 1e-12, None])), ["k"]) == []
    assert differences(base, base.with_columns(f=pl.Series([1.0 + 1e-7, None])), ["k"])
    assert differences(base, base.with_columns(f=pl.Series([1.0, 0.0])), ["k"])
    assert differences(base, base.with_columns(s=pl.Series(["a", "b"])), ["k"])
    assert differences(base, base.head(1), ["k"])
    assert differences(base, base.drop("s"), ["k"])
