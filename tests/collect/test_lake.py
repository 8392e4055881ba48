"""The lake has every row of decided transactions once, whoever commits late and whatever is killed between."""

import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import polars as pl
import pytest
import sqlalchemy as sa

from shuke.base.errors import Conflict
from shuke.collect.service import lake as copier
from shuke.collect.service.lake import LAKE_TABLES, lake_of, update_lake
from shuke.platform import Database, Engine, Lake, Transaction, Workplace, decided

AT = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
FACT = """
    INSERT INTO facts (fact_id, occurred_at, received_at, identity_id, kind, name, properties)
    SELECT gen_random_uuid(), :at, :at, 7, 'track', 'fact ' || i, '{"price": 1, "note": "line\\nbreak, \\"quoted\\""}'
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS i
"""
ORDERS = """
    INSERT INTO orders (source_id, order_id, identity_id, ordered_at, amount_minor, currency, channel)
    SELECT 1, 'o' || i, NULL, :at, i * 100, 'CNY', CASE WHEN i % 2 = 0 THEN '' END FROM generate_series(1, 4) AS i
"""


def add_facts(tx: Transaction, first: int, last: int) -> None:
    tx.execute(sa.text("SELECT make_fact_months(:at, :at)"), {"at": AT})
    tx.execute(sa.text(FACT), {"at": AT, "first": first, "last": last})


def in_lake(workplace: Workplace, name: str = "facts") -> list[dict[str, Any]]:
    """The rows of a table as plain DuckDB finds them by way of the Delta log."""
    table = deltalake.DeltaTable(lake_of(workplace).folder / name)
    with duckdb.connect() as connection:
        files = table.file_uris()
        if not files:
            return []
        return connection.read_parquet(files).to_arrow_table().to_pylist()


def names(workplace: Workplace) -> list[str]:
    return sorted(row["name"] for row in in_lake(workplace))


def expected(first: int, last: int) -> list[str]:
    return sorted(f"fact {number}" for number in range(first, last + 1))


def run(workplace: Workplace, *statements: str) -> None:
    with workplace.database.begin() as tx:
        for statement in statements:
            tx.execute(sa.text(statement), {"at": AT} if ":at" in statement else {})


@pytest.mark.oldest
def test_what_is_new_is_appended_once(workplace: Workplace) -> None:
    with workplace.database.begin() as tx:
        add_facts(tx, 1, 3)
    assert update_lake(workplace)["facts"] == 3
    assert update_lake(workplace)["facts"] == 0
    with workplace.database.begin() as tx:
        add_facts(tx, 4, 5)
    assert update_lake(workplace)["facts"] == 2
    assert names(workplace) == expected(1, 5)
    found = in_lake(workplace)[0]
    assert found["occurred_at"] == AT
    assert (found["channel"], found["simulated"], found["identity_id"]) == (None, False, 7)
    assert found["properties"] == '{"note": "line\\nbreak, \\"quoted\\"", "price": 1}'


def late_commit(workplace: Workplace) -> None:
    """A transaction that writes first and commits last, with a copy in between."""
    update_lake(workplace)
    with workplace.database.begin() as late:
        add_facts(late, 1, 1)
        late.execute(sa.text("INSERT INTO costs VALUES ('late', '2026-03-01', 'CNY', 1)"))
        with workplace.database.begin() as quick:
            add_facts(quick, 2, 2)
            quick.execute(sa.text("INSERT INTO costs VALUES ('quick', '2026-03-01', 'CNY', 1)"))
        update_lake(workplace)
    update_lake(workplace)
    update_lake(workplace)


@pytest.fixture
def _months(database: Database) -> None:
    with database.begin() as tx:
        tx.execute(sa.text("SELECT make_fact_months(:at, :at)"), {"at": AT})


@pytest.mark.usefixtures("_months")
def test_a_transaction_that_commits_late_is_not_skipped(workplace: Workplace) -> None:
    late_commit(workplace)
    assert names(workplace) == expected(1, 2)
    assert sorted(row["channel"] for row in in_lake(workplace, "costs")) == ["late", "quick"]


@pytest.mark.usefixtures("_months")
def test_planted_a_copy_up_to_the_newest_transaction_would_skip_it(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = sa.text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    monkeypatch.setattr(copier, "decided", lambda tx: tx.scalars(newest).one())
    late_commit(workplace)
    assert names(workplace) == ["fact 2"]
    assert [row["channel"] for row in in_lake(workplace, "costs")] == ["quick"]


KILLED = """
import os, signal, sys
from pathlib import Path
from shuke.collect.service import lake as copier
from shuke.platform import Database, Keyring, Lake, Settings, Workplace

folder, url, careless = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "careless"
write, version, mark = Lake.write, Lake.version, folder / "watermark"

def write_and_die(self, name, batch, **options):
    write(self, name, batch, **options)
    # The batch is committed; what comes after it never happens.
    os.kill(os.getpid(), signal.SIGKILL)

Lake.write = write_and_die
if careless:
    Lake.version = lambda self, name, **_: int(mark.read_text())
with Database(url, connections=2) as database:
    copier.update_lake(Workplace(Settings(data_folder=folder, database_url=url), database, Keyring.new()))
"""


def killed_between(workplace: Workplace, monkeypatch: pytest.MonkeyPatch, *, careless: bool) -> list[str]:
    """Copy, be killed in the next copy right after Delta's commit, copy again; the names in the lake then."""
    with workplace.database.begin() as tx:
        add_facts(tx, 1, 2)
    update_lake(workplace)
    mark = workplace.settings.data_folder / "watermark"
    if careless:
        # The planted fault: how far the copy is stands elsewhere, and is written after the batch.
        with workplace.database.read() as tx:
            mark.write_text(str(decided(tx)))
        write = Lake.write

        def write_then_mark(self: Lake, name: str, batch: Any, *, app_id: str, version: int) -> bool:
            done = write(self, name, batch, app_id=f"{app_id}/{uuid.uuid4()}", version=version)
            mark.write_text(str(version))
            return done

        monkeypatch.setattr(Lake, "write", write_then_mark)
        monkeypatch.setattr(Lake, "version", lambda *_, **__: int(mark.read_text()))
    with workplace.database.begin() as tx:
        add_facts(tx, 3, 4)
    killed = subprocess.run(
        [
            *(sys.executable, "-c", KILLED, str(workplace.settings.data_folder)),
            *(workplace.database.url, "careless" if careless else "careful"),
        ],
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    update_lake(workplace)
    return names(workplace)


def test_a_kill_right_after_the_commit_doubles_nothing(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert killed_between(workplace, monkeypatch, careless=False) == expected(1, 4)


def test_planted_a_watermark_apart_from_the_commit_doubles(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert killed_between(workplace, monkeypatch, careless=True) == sorted(expected(1, 4) + expected(3, 4))


@pytest.mark.oldest
def test_changed_and_deleted_rows_are_merged(workplace: Workplace) -> None:
    run(
        workplace,
        ORDERS,
        "INSERT INTO order_lines (source_id, order_id, line, amount_minor, quantity)"
        " SELECT 1, 'o' || i, 1, i * 100, 1.5 FROM generate_series(1, 4) AS i",
    )
    update_lake(workplace)
    run(
        workplace,
        "UPDATE orders SET status = 'cancelled' WHERE order_id = 'o1'",
        "DELETE FROM orders WHERE order_id = 'o2'",
        "INSERT INTO orders (source_id, order_id, ordered_at, amount_minor, currency) VALUES (2, 'o1', :at, 5, 'CNY')",
    )
    rows = update_lake(workplace)
    assert (rows["orders"], rows["order_lines"]) == (3, 1)
    found = {(row["source_id"], row["order_id"]): row for row in in_lake(workplace, "orders")}
    assert {key: row["status"] for key, row in found.items()} == {
        (1, "o1"): "cancelled",
        (1, "o3"): "completed",
        (1, "o4"): "completed",
        (2, "o1"): "completed",
    }
    # An empty text is not a missing one.
    assert (found[1, "o4"]["channel"], found[1, "o3"]["channel"]) == ("", None)
    assert sorted((row["order_id"], row["quantity"]) for row in in_lake(workplace, "order_lines")) == [
        ("o1", 1.5),
        ("o3", 1.5),
        ("o4", 1.5),
    ]
    assert update_lake(workplace)["orders"] == 0


def test_what_changes_nothing_for_the_lake_is_not_copied(workplace: Workplace) -> None:
    run(
        workplace,
        "INSERT INTO customers (customer_id, created_at, updated_at)"
        " SELECT gen_random_uuid(), :at, :at FROM generate_series(1, 2)",
        "INSERT INTO identities (kind, lookup, customer_id, attached_to, first_seen_at, last_seen_at)"
        " SELECT 'phone', decode(md5(customer_id::text), 'hex'), customer_id, customer_id, :at, :at FROM customers",
    )
    assert update_lake(workplace)["identities"] == 2
    run(workplace, "UPDATE identities SET last_seen_at = last_seen_at + interval '1 day'")
    assert update_lake(workplace)["identities"] == 0
    # A merge of customers moves an identity.
    run(workplace, "UPDATE identities SET customer_id = (SELECT min(customer_id::text)::uuid FROM customers)")
    assert update_lake(workplace)["identities"] == 1
    assert len({row["customer_id"] for row in in_lake(workplace, "identities")}) == 1


def test_no_more_is_copied_than_is_listed(workplace: Workplace) -> None:
    """Personal data has no column to come in by: neither values, nor blind indexes, nor free attributes."""
    update_lake(workplace)
    for table in LAKE_TABLES:
        found = deltalake.DeltaTable(lake_of(workplace).folder / table.name).schema().fields
        assert [column.name for column in found] == list(table.columns)
        assert not {"lookup", "attributes", "cipher", "email", "phone", "stated_by"} & set(table.columns)
    assert list(next(table for table in LAKE_TABLES if table.name == "identities").columns) == [
        "identity_id",
        "customer_id",
    ]


def test_a_rebuild_brings_back_what_was_lost_and_drops_what_is_too_much(workplace: Workplace) -> None:
    with workplace.database.begin() as tx:
        add_facts(tx, 1, 3)
    run(workplace, ORDERS)
    update_lake(workplace)
    deltalake.DeltaTable(lake_of(workplace).folder / "facts").delete("name = 'fact 2'")
    deltalake.DeltaTable(lake_of(workplace).folder / "orders").update({"amount_minor": "0"})
    assert update_lake(workplace)["facts"] == 0
    assert names(workplace) == ["fact 1", "fact 3"]
    update_lake(workplace, rebuild=True)
    assert names(workplace) == expected(1, 3)
    assert sum(row["amount_minor"] for row in in_lake(workplace, "orders")) == 1000
    with workplace.database.begin() as tx:
        add_facts(tx, 4, 4)
    assert update_lake(workplace)["facts"] == 1
    assert names(workplace) == expected(1, 4)


def test_a_rebuild_while_others_write_has_each_fact_once(workplace: Workplace) -> None:
    with workplace.database.begin() as tx:
        add_facts(tx, 1, 1)
    with workplace.database.begin() as late:
        add_facts(late, 2, 2)
        with workplace.database.begin() as quick:
            add_facts(quick, 3, 3)
        update_lake(workplace, rebuild=True)
        assert names(workplace) == ["fact 1"]
    update_lake(workplace)
    assert names(workplace) == expected(1, 3)


def test_a_lake_that_cannot_be_continued_is_written_anew(workplace: Workplace, tmp_path: Path) -> None:
    run(workplace, ORDERS)
    update_lake(workplace)
    run(workplace, "DELETE FROM orders WHERE order_id = 'o1'")
    saved = tmp_path / "saved"
    lake_of(workplace).folder.rename(saved)
    # A lake of a backup from before the notes were forgotten: without the deletion it would keep order 1 for ever.
    update_lake(workplace)
    folder = lake_of(workplace).folder
    folder.rename(tmp_path / "newer")
    saved.rename(folder)
    update_lake(workplace)
    assert sorted(row["order_id"] for row in in_lake(workplace, "orders")) == ["o2", "o3", "o4"]


def test_a_lake_of_another_database_is_written_anew(workplace: Workplace, new_database: Any, keyring: Any) -> None:
    with workplace.database.begin() as tx:
        add_facts(tx, 1, 3)
    update_lake(workplace)
    with Database(new_database()) as other:
        elsewhere = Workplace(workplace.settings, other, keyring)
        with other.begin() as tx:
            add_facts(tx, 8, 9)
        update_lake(elsewhere)
        assert names(elsewhere) == expected(8, 9)


def test_of_two_copiers_one_gives_way(workplace: Workplace) -> None:
    update_lake(workplace)
    with workplace.database.read() as tx:
        copier.copy_to_lake(tx, lake_of(workplace))
        with pytest.raises(Conflict) as caught:
            update_lake(workplace)
    assert caught.value.code == "collect.lake_busy"


def test_notes_are_forgotten_once_the_lake_has_them(workplace: Workplace) -> None:
    run(workplace, ORDERS)
    update_lake(workplace)
    update_lake(workplace)
    with workplace.database.read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM lake_changes")) == 0


def test_small_files_are_compacted(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copier, "COMPACT_FILES", 4)
    for number in range(1, 7):
        with workplace.database.begin() as tx:
            add_facts(tx, number, number)
        update_lake(workplace)
        assert lake_of(workplace).files("facts") < 4
    assert names(workplace) == expected(1, 6)


@pytest.fixture
def filled(workplace: Workplace) -> Workplace:
    with workplace.database.begin() as tx:
        add_facts(tx, 1, 20)
    run(workplace, ORDERS)
    update_lake(workplace)
    run(workplace, "DELETE FROM orders WHERE order_id = 'o3'")
    with workplace.database.begin() as tx:
        add_facts(tx, 21, 25)
    update_lake(workplace)
    return workplace


def test_polars_reads_it(filled: Workplace) -> None:
    folder = lake_of(filled).folder
    assert sorted(pl.read_delta(str(folder / "facts"))["name"].to_list()) == expected(1, 25)
    assert pl.read_delta(str(folder / "orders"))["amount_minor"].sum() == 700


def test_plain_duckdb_reads_it(filled: Workplace) -> None:
    assert names(filled) == expected(1, 25)
    assert sum(row["amount_minor"] for row in in_lake(filled, "orders")) == 700


@pytest.mark.spark
def test_spark_reads_it(filled: Workplace, spark_engine: Engine) -> None:
    lake = lake_of(filled)
    facts = lake.read(spark_engine, "facts").to_pyarrow()
    assert sorted(facts["name"].to_pylist()) == expected(1, 25)
    assert lake.read(spark_engine, "orders").amount_minor.sum().to_pyarrow().as_py() == 700
