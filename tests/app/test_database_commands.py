"""``shuke lake``, ``shuke refresh``, ``shuke segments`` and ``shuke report --from-database`` as a person calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shuke import profiles
from shuke.platform import Database, Keyring, Settings, Workplace
from shuke.segments.rules.checking import read_tree
from shuke.segments.service.asking import asking
from shuke.segments.service.definitions import add_segment

SHUKE = str(Path(sys.executable).with_name("shuke"))
Call = Callable[..., str]


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """A database of its own."""
    return new_database()


@pytest.fixture
def call(database_url: str, keyring: Keyring, tmp_path: Path) -> Call:
    """Runs a command on that database; gives what it printed."""
    (tmp_path / "data").mkdir()
    keyring.save(tmp_path / "data" / "master.keys")
    environment = {
        **os.environ,
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "ignore",
        "DATABASE_URL": database_url,
        "SHUKE_DATA_FOLDER": str(tmp_path / "data"),
    }

    def _call(*arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [SHUKE, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout

    return _call


@pytest.fixture
def orders(tmp_path: Path) -> str:
    """Sixty customers, half a year, with returns on credit notes of their own."""
    lines = ["order_id,customer_id,order_date,sku,product_name,quantity,price"]
    for number in range(180):
        day = date(2024, 1, 1) + timedelta(days=number)
        lines.append(f"D{number},c{number % 60},{day} 10:00,p{number % 3},Tea {number % 3},2,{50 + number % 7}.25")
    lines += [f"C{number},c{number},2024-07-01 09:00,p{number % 3},Tea {number % 3},-1,50.25" for number in range(5)]
    (tmp_path / "orders.csv").write_text("\n".join(lines), encoding="utf-8")
    return "orders.csv"


def figures(folder: Path) -> Any:
    found = json.loads((folder / "report.json").read_text(encoding="utf-8"))["figures"]["figures"]
    # Where the data come from is told apart below, and what was installed is the same anyway.
    return {name: value for name, value in found.items() if name != "quality"}, found["quality"]


def close(one: Any, other: Any) -> bool:
    """Equal but for the last digits of sums, whose order differs."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(close(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-9)
    return bool(one == other)


@pytest.mark.slow
def test_the_report_of_the_database_is_that_of_the_files(call: Call, orders: str, tmp_path: Path) -> None:
    call("import", "orders", orders, "--currency", "CNY")
    call("report", orders, "--currency", "CNY", "--format", "json", "--out", "of_files")
    call("report", "--from-database", "--format", "json", "--out", "of_database")
    of_files, read = figures(tmp_path / "of_files")
    of_database, stored = figures(tmp_path / "of_database")
    different = [name for name in of_files if not close(of_files[name], of_database[name])]
    assert different == []
    assert [file["name"] for file in read["files"]] == ["orders.csv"]
    assert [file["name"] for file in stored["files"]] == ["PostgreSQL: orders", "PostgreSQL: refunds"]
    assert stored["reconciled"]
    assert stored["rows"] == 185
    assert "180 orders and 5 refunds" in stored["notes"][0]


@pytest.mark.slow
def test_the_lake_and_the_facts_by_command(call: Call, orders: str, tmp_path: Path) -> None:
    call("import", "orders", orders, "--currency", "CNY")
    first = call("refresh", "--as-of", "2024-07-02")
    assert "60 customers before 2024-07-02: 60 have something new, 60 are in another stage." in first
    assert "at least 500 customers with an order are needed; there are 60" in first
    assert "60 位顾客的事实：0 位有新变化" in call("refresh", "--as-of", "2024-07-02", "--lang", "zh-CN")
    assert "orders: 0" in call("lake", "copy")
    rebuilt = call("lake", "rebuild")
    assert "orders: 180" in rebuilt
    assert "order_lines: 180" in rebuilt
    assert str(tmp_path / "data" / "lake") in rebuilt


def test_segments_are_built_by_command(
    call: Call, orders: str, database_url: str, keyring: Keyring, tmp_path: Path
) -> None:
    call("import", "orders", orders, "--currency", "CNY")
    assert "There is no segment yet." in call("segments", "build")
    with Database(database_url) as database:
        place = Workplace(Settings(data_folder=tmp_path / "data"), database, keyring)
        cups = profiles.AttributeDefinition("cups", profiles.AttributeType.NUMBER, False)
        with database.begin() as tx:
            now = datetime.now(UTC)
            profiles.define_attribute(tx, cups, now)
            bought = {"node": "did", "what": {"of": "orders"}, "times": {"op": "at_least", "values": [3]}}
            for name, definition in (
                ("Thrice", bought),
                ("Cups", {"node": "attribute", "name": "cups", "test": {"op": "unknown"}}),
            ):
                add_segment(tx, asking(tx, place), name, read_tree(definition), made_by="test", now=now)
        first = call("segments", "build")
        assert "“Thrice”: 60 customers; 60 entered, 0 left." in first
        assert "“Cups”: 60 customers; 60 entered, 0 left." in first
        assert "“Thrice”：60 位顾客，进入 0 位，离开 0 位。" in call("segments", "build", "--lang", "zh-CN")
        with database.begin() as tx:
            profiles.retire_attribute(tx, "cups", datetime.now(UTC))
    assert "“Cups” could not be built and keeps its members" in call("segments", "build", status=1)


def test_files_and_database_are_one_or_the_other(call: Call, orders: str) -> None:
    assert "but not both" in call("report", orders, "--from-database", "--out", "out", status=2)
    assert "No order file was given" in call("report", "--out", "out", status=2)
    assert "There is no order in the database yet" in call("report", "--from-database", "--out", "out", status=2)
