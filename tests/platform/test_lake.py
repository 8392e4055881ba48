import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from shuke.base.errors import BadInput, CannotSay
from shuke.platform import Engine, Lake, open_engine


def batch(start: int, rows: int = 100) -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array(range(start, start + rows), pa.int64()),
            "day": pa.array([dt.date(2020, 1, 1)] * rows),
            "amount": pa.array([0.5] * rows),
        }
    )


def total(engine: Engine, lake: Lake) -> tuple[int, int]:
    table = lake.read(engine, "facts")
    row = table.agg(rows=table.count(), keys=table.customer_id.nunique()).to_pyarrow().to_pylist()[0]
    return row["rows"], row["keys"]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine("duckdb", work_folder=tmp_path / "work", threads=1)


def test_a_batch_that_is_offered_twice_is_there_once(tmp_path: Path, engine: Engine) -> None:
    lake = Lake(tmp_path / "lake")
    assert lake.write("facts", batch(0), app_id="daily", version=1)
    before = DeltaTable(tmp_path / "lake" / "facts").version()
    assert not lake.write("facts", batch(0), app_id="daily", version=1)
    assert DeltaTable(tmp_path / "lake" / "facts").version() == before
    assert total(engine, lake) == (100, 100)
    assert lake.write("facts", batch(100), app_id="daily", version=2)
    assert not lake.write("facts", batch(0), app_id="daily", version=1)
    assert total(engine, lake) == (200, 200)


def test_without_the_transaction_the_same_batch_would_double(tmp_path: Path, engine: Engine) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("facts", batch(0), app_id="daily", version=1)
    # The planted fault: an append that carries no transaction, as a careless writer would make it.
    write_deltalake(tmp_path / "lake" / "facts", batch(0), mode="append", commit_properties=CommitProperties())
    assert total(engine, lake) == (200, 100)


def test_writers_have_versions_of_their_own(tmp_path: Path, engine: Engine) -> None:
    lake = Lake(tmp_path / "lake")
    assert lake.write("facts", batch(0), app_id="a", version=7)
    assert lake.write("facts", batch(100), app_id="b", version=7)
    assert total(engine, lake) == (200, 200)


def test_of_two_writers_of_the_same_batch_at_once_one_is_refused(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("facts", batch(0), app_id="a", version=1)
    look = DeltaTable.transaction_version
    other = Lake(tmp_path / "lake")

    def look_and_be_overtaken(table: DeltaTable, app_id: str) -> int | None:
        seen = look(table, app_id)
        monkeypatch.setattr(DeltaTable, "transaction_version", look)
        assert other.write("facts", batch(100), app_id="a", version=2)
        return seen

    monkeypatch.setattr(DeltaTable, "transaction_version", look_and_be_overtaken)
    with pytest.raises(CommitFailedError):
        lake.write("facts", batch(100), app_id="a", version=2)
    assert total(engine, lake) == (200, 200)


def test_a_reader_never_sees_half_a_batch(tmp_path: Path, engine: Engine) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("facts", batch(0), app_id="a", version=1)
    seen = []

    def half_then_fail() -> Iterator[pa.RecordBatch]:
        yield from batch(100, 50_000).to_batches()
        # In a thread of its own, since Delta's runtime is busy with this one.
        with ThreadPoolExecutor() as readers:
            seen.append(readers.submit(total, engine, lake).result())
        raise OSError("the disk is full")

    reader = pa.RecordBatchReader.from_batches(batch(0).schema, half_then_fail())
    with pytest.raises(Exception, match="the disk is full"):
        lake.write("facts", reader, app_id="a", version=2)
    assert seen == [(100, 100)]
    assert total(engine, lake) == (100, 100)
    assert lake.write("facts", batch(100), app_id="a", version=2)


def test_compaction_keeps_rows_and_transactions(tmp_path: Path, engine: Engine) -> None:
    lake = Lake(tmp_path / "lake")
    for version in range(5):
        lake.write("facts", batch(100 * version), app_id="a", version=version)
    assert len(DeltaTable(tmp_path / "lake" / "facts").file_uris()) == 5
    assert lake.compact("facts") == 1
    assert total(engine, lake) == (500, 500)
    assert not lake.write("facts", batch(0), app_id="a", version=4)


def test_polars_reads_the_same(tmp_path: Path, engine: Engine) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("facts", batch(0), app_id="a", version=1)
    lake.write("facts", batch(100), app_id="a", version=2)
    ours = lake.read(engine, "facts").to_pyarrow().sort_by("customer_id")
    theirs = pl.read_delta(str(tmp_path / "lake" / "facts")).sort("customer_id")
    assert theirs.to_dicts() == ours.to_pylist()
    assert pc.sum(ours["amount"]).as_py() == 100.0


def test_the_folder_may_have_any_name(tmp_path: Path, engine: Engine) -> None:
    lake = Lake(tmp_path / "数据 湖")
    lake.write("facts", batch(0), app_id="a", version=1)
    assert total(engine, lake) == (100, 100)


@pytest.mark.spark
def test_spark_reads_the_same(tmp_path: Path, engine: Engine, spark_engine: Engine) -> None:
    lake = Lake(tmp_path / "lake")
    for version in range(3):
        lake.write("facts", batch(100 * version), app_id="a", version=version)
    ours = lake.read(engine, "facts").to_pyarrow().sort_by("customer_id")
    assert lake.read(spark_engine, "facts").to_pyarrow().sort_by("customer_id").to_pylist() == ours.to_pylist()


def test_a_table_that_is_not_there(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(CannotSay) as caught:
        Lake(tmp_path).read(engine, "nothing")
    assert caught.value.code == "platform.no_table"


@pytest.mark.parametrize("name", ["../up", "With Space", "", "9lives", "a" * 64])
def test_a_name_that_could_leave_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        Lake(tmp_path).write(name, batch(0), app_id="a", version=1)
    assert caught.value.code == "platform.bad_table_name"
    assert list(tmp_path.iterdir()) == []


def changes(rows: list[tuple[int, float | None]]) -> pa.Table:
    """Rows of ``batch`` by key and amount; without an amount the row is to go."""
    keys, amounts = [key for key, _ in rows], [amount for _, amount in rows]
    return pa.table(
        {
            "customer_id": pa.array(keys, pa.int64()),
            "day": pa.array([dt.date(2020, 1, 1)] * len(rows)),
            "amount": pa.array(amounts, pa.float64()),
            "gone": [amount is None for amount in amounts],
        }
    )


def test_a_merge_changes_adds_and_removes_in_one_commit(tmp_path: Path, engine: Engine) -> None:
    lake = Lake(tmp_path / "lake")
    lake.replace("facts", batch(0, 3), app_id="a", version=4)
    before = DeltaTable(tmp_path / "lake" / "facts").version()
    batch_of_changes = changes([(1, 7.0), (2, None), (3, 9.0), (4, None)])
    assert lake.merge("facts", batch_of_changes, keys=["customer_id"], gone="gone", app_id="a", version=5)
    assert not lake.merge("facts", changes([(1, 8.0)]), keys=["customer_id"], gone="gone", app_id="a", version=5)
    assert DeltaTable(tmp_path / "lake" / "facts").version() == before + 1
    assert lake.version("facts", app_id="a") == 5
    rows = lake.read(engine, "facts").to_pyarrow().sort_by("customer_id")
    assert list(zip(rows["customer_id"].to_pylist(), rows["amount"].to_pylist(), strict=True)) == [
        (0, 0.5),
        (1, 7.0),
        (3, 9.0),
    ]


def test_a_table_that_is_replaced_may_have_other_columns_and_a_lower_version(tmp_path: Path, engine: Engine) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("facts", batch(0), app_id="a", version=9)
    lake.replace("facts", pa.table({"only": ["x"]}), app_id="a", version=3)
    assert lake.version("facts", app_id="a") == 3
    assert lake.version("facts", app_id="b") is None
    assert lake.read(engine, "facts").to_pyarrow().to_pylist() == [{"only": "x"}]
    lake.replace("facts", batch(0, 0), app_id="a", version=4)
    assert lake.read(engine, "facts").count().to_pyarrow().as_py() == 0
