"""Real orders of a real shop in the database: by the command, with a real kill, twice, and read back.

Three months of them with every change; the whole year, whose sums are known, with the long proofs.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pytest

from shuke import collect
from shuke.collect.service.imports import orders as importing
from shuke.insight import customer_facts
from shuke.platform import Database, Engine, Keyring, Settings, Workplace, open_engine

from .conftest import check_no_half_order, everything, rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Orders:
    """A file, and by the reader's account what is in it: orders, returns, and the money of both in pence."""

    path: str
    orders: int
    returns: int
    sales: int
    refunds: int


#: The kept money of the report's account of the whole file: 8,736,027.64 and 471,735.71 GBP.
A_YEAR = (18_402, 8_505, 873_602_764, 47_173_571)


@pytest.fixture(scope="module", params=["three months", pytest.param("a year", marks=pytest.mark.faults)])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orders]:
    folder = tmp_path_factory.mktemp("orders")
    with (
        resources.as_file(resources.files("shuke.app") / "data" / "online_retail.parquet") as whole,
        open_engine("duckdb", work_folder=folder / "engine", threads=1) as engine,
    ):
        path = str(whole)
        if request.param == "three months":
            path = str(folder / "part.parquet")
            duckdb.read_parquet(str(whole)).filter("InvoiceDate < DATE '2011-03-01'").write_parquet(path)
        tables = collect.read_orders([path], engine=engine, work_folder=folder / "work", currency="GBP").tables
        orders, refunds = tables.orders, tables.refunds
        assert refunds is not None
        counted = tuple(int(table.count().to_pyarrow().as_py()) for table in (orders, refunds))
        money = tuple(round(table.amount.sum().to_pyarrow().as_py() * 100) for table in (orders, refunds))
        assert request.param == "three months" or counted + money == A_YEAR
        yield Orders(path, *counted, *money)


@pytest.fixture(scope="module")
def place(
    new_database: Callable[[], str], keyring: Keyring, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workplace]:
    """One database for the tests of this file, which go on from each other."""
    folder = tmp_path_factory.mktemp("data")
    keyring.save(folder / "master.keys")
    with Database(new_database()) as database:
        yield Workplace(Settings(data_folder=folder, database_url=database.url), database, keyring)


@pytest.fixture(scope="module")
def import_all(place: Workplace, file: Orders) -> Callable[[], "subprocess.Popen[str]"]:
    """Starts ``shuke import orders``."""
    folder = str(place.settings.data_folder)
    environment = {
        **os.environ,
        "DATABASE_URL": place.database.url,
        "SHUKE_DATA_FOLDER": folder,
        "SHUKE_WORK_FOLDER": folder,
    }
    said = ["import", "orders", file.path, "--currency", "GBP", "--source", "retail", "--lang", "en"]
    command = [sys.executable, "-m", "shuke.app", *said, "--rejects", f"{folder}/rejected"]
    return lambda: subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def finished(process: "subprocess.Popen[str]") -> str:
    out, _ = process.communicate()
    assert process.returncode == 0
    return out


def totals(table: Any) -> dict[str, Any]:
    """What a table sums up to, beside the names that its customers have."""
    found: dict[str, Any] = (
        table.aggregate(
            rows=table.count(), orders=table.order_id.nunique(), people=table.customer_id.nunique(),
            amount=table.amount.sum().round(2),
        )
        .to_pyarrow()
        .to_pylist()[0]
    )  # fmt: skip
    return found


def per_product(table: Any) -> list[dict[str, Any]]:
    grouped = table.group_by("product_id").aggregate(amount=table.amount.sum().round(2), rows=table.count())
    rows: list[dict[str, Any]] = grouped.order_by("product_id").to_pyarrow().to_pylist()
    return rows


def facts_of(tables: Any, engine: Engine) -> list[tuple[Any, ...]]:
    """The facts of each customer without the customer's name, which is another in the database."""
    facts = customer_facts(tables, as_of=datetime(2011, 12, 10), engine=engine).table.to_pyarrow()  # noqa: DTZ001
    columns = ("first_order_at", "last_order_at", "orders", "order_days", "region", "rfm_score", "stage", "value_group")
    rounded = ("gross_amount", "refunds", "predicted_clv", "predicted_number_of_orders", "total_clv")
    rows = zip(
        *(facts[name].to_pylist() for name in columns),
        *([value and round(value, 4) for value in facts[name].to_pylist()] for name in rounded),
        strict=True,
    )
    return sorted(rows, key=repr)


def test_a_killed_import_reconciles_when_it_is_given_again(
    place: Workplace, file: Orders, import_all: Callable[[], "subprocess.Popen[str]"]
) -> None:
    database = place.database
    killed = import_all()
    try:
        # In the middle of the batch after the first.
        while killed.poll() is None and rows(database, "SELECT count(*) FROM orders") == [(0,)]:
            time.sleep(0.05)
    finally:
        killed.kill()
        killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    (part,) = rows(database, "SELECT count(*), sum(amount_minor) FROM orders")
    assert 0 < part[0] < file.orders
    assert part[0] % importing.BATCH_ORDERS == 0
    check_no_half_order(database)

    said = finished(import_all())
    assert "Went on after" in said
    assert sums(file) in said
    check_no_half_order(database)
    totals = (
        "SELECT (SELECT sum(amount_minor) FROM orders), (SELECT sum(amount_minor) FROM order_lines),"
        " (SELECT sum(amount_minor) FROM refunds), (SELECT count(*) FROM orders), (SELECT count(*) FROM facts)"
    )
    assert rows(database, totals) == [(file.sales, file.sales, file.refunds, file.orders, file.orders + file.returns)]


def sums(file: Orders) -> str:
    money = f"{file.sales / 100:,.2f}"
    return f"{money} GBP in the files; {money} in the database"


def test_again_it_changes_nothing(
    place: Workplace, file: Orders, import_all: Callable[[], "subprocess.Popen[str]"]
) -> None:
    with place.database.read() as tx:
        before = everything(tx)
    said = finished(import_all())
    with place.database.read() as tx:
        assert everything(tx) == before
    assert sums(file) in said


def test_the_database_says_the_same_as_the_file(place: Workplace, file: Orders, engine: Engine, tmp_path: Path) -> None:
    read = collect.read_orders([file.path], engine=engine, work_folder=tmp_path / "work", currency="GBP")
    collect.update_lake(place)
    stored = collect.read_stored(collect.lake_of(place), engine=engine)
    assert (stored.first_at, stored.last_at, stored.currency) == (read.first_at, read.last_at, "GBP")
    for name in ("orders", "order_lines", "refunds"):
        assert totals(getattr(stored.tables, name)) == totals(getattr(read.tables, name)), name
    for name in ("order_lines", "refunds"):
        assert per_product(getattr(stored.tables, name)) == per_product(getattr(read.tables, name)), name
    assert facts_of(stored.tables, engine) == facts_of(read.tables, engine)
    assert stored.quality.reconciles
    assert stored.quality.rows == file.orders + file.returns
