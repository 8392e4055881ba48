"""Simulated facts beside real orders in the database: once, whole, marked, of no weight for what rests on orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from shuke import collect, lifecycle, profiles
from shuke.app.demo import filling
from shuke.app.demo.history import History
from shuke.platform import Engine, Workplace, open_engine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AS_OF = datetime(2024, 7, 3, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine("duckdb", work_folder=tmp_path / "engine", threads=1) as opened:
        yield opened


@pytest.fixture
def shop(workplace: Workplace, engine: Engine, tmp_path: Path) -> Workplace:
    """Sixty customers, half a year of orders, five returns."""
    lines = ["order_id,customer_id,order_date,sku,product_name,quantity,price"]
    for number in range(180):
        day = date(2024, 1, 1) + timedelta(days=number)
        lines += [
            f"D{number},c{number % 60},{day} 10:00,p{product},Tea {product},2,{50 + product}.25"
            for product in (number % 7, (number + 1) % 7)
        ]
    lines += [f"C{number},c{number},2024-07-01 09:00,p{number % 7},Tea {number % 7},-1,50.25" for number in range(5)]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    read = collect.read_orders([str(file)], engine=engine, work_folder=tmp_path / "work")
    collect.import_orders(workplace, [str(file)], read, engine=engine, source="shop", now=lambda: NOW, currency="GBP")
    return workplace


def counted(place: Workplace, condition: str = "true") -> int:
    with place.database.read() as tx:
        return int(tx.execute(sa.text(f"SELECT count(*) FROM facts WHERE {condition}")).scalar_one())  # noqa: S608


def known(place: Workplace, history: History) -> list[tuple[Any, ...]]:
    """Everything that is worked out of each customer but for when, and the money of all orders and refunds."""
    with place.database.read() as tx:
        customers = set(profiles.customers_of(tx, history.identity_ids.tolist()).values())
        return sorted(map(astuple, lifecycle.facts_of(tx, customers).values()), key=repr)


def money(place: Workplace, folder: Path) -> list[tuple[float, int]]:
    collect.update_lake(place)
    with open_engine("duckdb", work_folder=folder, threads=1) as engine:
        tables = collect.read_stored(collect.lake_of(place), engine=engine).tables
        assert tables.refunds is not None
        assert tables.order_lines is not None
        return [
            (table.amount.sum().to_pyarrow().as_py(), table.count().to_pyarrow().as_py())
            for table in (tables.orders, tables.order_lines, tables.refunds)
        ]


def test_simulated_facts_come_once_and_change_nothing_that_rests_on_orders(
    shop: Workplace, engine: Engine, tmp_path: Path
) -> None:
    history = filling.read_history(shop, engine)
    assert (history.customers, len(history.order_at), len(history.refund_at)) == (60, 180, 5)
    assert history.order_ids.to_pylist()[:3] == ["D0", "D60", "D120"]
    assert history.product_names[3] == "Tea 3"
    assert history.product_minor[3] == 5325
    lifecycle.refresh(shop, as_of=AS_OF, now=NOW)
    before, revenue = known(shop, history), money(shop, tmp_path / "before")
    real = counted(shop)

    added = filling.add_simulated(shop, history, seed=1, now=NOW)
    assert added == counted(shop, "simulated") > 1_000
    assert counted(shop, "NOT simulated") == real
    assert filling.add_simulated(shop, history, seed=1, now=NOW) == 0
    assert filling.add_simulated(shop, history, seed=2, now=NOW) == 0
    assert counted(shop) == real + added

    assert money(shop, tmp_path / "after") == revenue
    again = lifecycle.refresh(shop, as_of=AS_OF, now=NOW + timedelta(hours=1))
    assert (again.changed, again.stage_changes) == (0, 0)
    assert known(shop, history) == before

    facts = collect.lake_of(shop).read(engine, "facts")
    in_lake = facts.group_by("simulated").aggregate(rows=lambda t: t.count()).to_pyarrow().to_pylist()
    assert {row["simulated"]: row["rows"] for row in in_lake} == {True: added, False: real}
    with shop.database.read() as tx:
        (whose,) = profiles.customers_of(tx, history.identity_ids[:1].tolist()).values()
        shown = collect.timeline(tx, whose, limit=500).facts
    assert {fact.simulated for fact in shown if fact.source == filling.SOURCE} == {True}
    assert {fact.simulated for fact in shown if fact.source != filling.SOURCE} == {False}


def test_what_is_interrupted_leaves_nothing_and_is_done_the_next_time(
    shop: Workplace, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = filling.read_history(shop, engine)
    record = collect.record_fact_table

    def interrupted(tx: Any, found: pa.Table) -> int:
        record(tx, found.slice(0, 500))
        raise KeyboardInterrupt

    with monkeypatch.context() as planted:
        planted.setattr(collect, "record_fact_table", interrupted)
        with pytest.raises(KeyboardInterrupt):
            filling.add_simulated(shop, history, seed=1, now=NOW)
    assert counted(shop, "simulated") == 0
    assert filling.add_simulated(shop, history, seed=1, now=NOW) == counted(shop, "simulated") > 1_000
