import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shuke.base.errors import BadInput, NotAvailable
from shuke.platform import DuckDBEngine, Engine, open_engine

ROWS = pa.table(
    {
        "key": [1, 2, 2, 3],
        "at": pa.array([86_400_000_000, 90_000_000_000, 95_000_000_001, 99_000_000_000], pa.timestamp("us")),
        "name": ["甲", None, "b", "c"],
        "amount": [1.5, 2.0, 2.5, -1.0],
    }
)


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "spark":
        engine: Engine = request.getfixturevalue("spark_engine")
        yield engine
        return
    with open_engine("duckdb", work_folder=tmp_path / "work", memory_limit_bytes=500_000_000, threads=1) as engine:
        yield engine


def test_files_are_read_as_one_table(engine: Engine, tmp_path: Path) -> None:
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path in paths:
        pq.write_table(ROWS, path)
    table = engine.read_parquet(paths)
    assert table.count().execute() == 8
    assert engine.read_parquet(paths[0]).order_by("at").to_pyarrow().cast(ROWS.schema) == ROWS


def test_a_file_name_is_no_pattern(engine: Engine, tmp_path: Path) -> None:
    pq.write_table(ROWS, tmp_path / "orders [1]{2} 订单.parquet")
    pq.write_table(ROWS, tmp_path / "orders 1{2} 订单.parquet")
    assert engine.read_parquet(tmp_path / "orders [1]{2} 订单.parquet").count().execute() == 4


def test_what_is_kept_does_not_change_with_its_source(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(ROWS, path)
    table = engine.read_parquet(path)
    kept = engine.keep(table.group_by("key").agg(amount=table.amount.sum()), "sums")
    path.unlink()
    assert sorted(kept.to_pyarrow().to_pylist(), key=lambda row: row["key"]) == [
        {"key": 1, "amount": 1.5},
        {"key": 2, "amount": 4.5},
        {"key": 3, "amount": -1.0},
    ]


def test_a_name_can_be_kept_anew_from_what_it_held(engine: Engine) -> None:
    first = engine.upload(ROWS, "rows")
    second = engine.keep(first.filter(first.key == 2), "rows")
    assert second.count().execute() == 2


def test_uploaded_columns_come_back_as_they_were(engine: Engine) -> None:
    table = engine.upload(ROWS, "uploaded")
    assert table.order_by("at").to_pyarrow().cast(ROWS.schema) == ROWS


def test_one_file_is_written_and_its_rows_counted(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out.parquet"
    assert engine.write_parquet(engine.upload(ROWS, "rows"), out) == 4
    assert pq.read_table(out).sort_by("at").cast(ROWS.schema) == ROWS
    assert list(out.parent.iterdir()) == [out]


def test_a_write_that_fails_leaves_the_old_file(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    out.write_bytes(b"old")
    rows = engine.upload(ROWS, "rows")
    failing = rows.mutate(number=rows.name.cast("int64"))
    with pytest.raises(Exception, match=r"(?i)cast|convert"):
        engine.write_parquet(failing, out)
    assert out.read_bytes() == b"old"
    assert list(tmp_path.glob("*partial*")) == []
    assert list(tmp_path.glob(".*partial*")) == []


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    work = tmp_path / "work"
    with open_engine("duckdb", work_folder=work) as engine:
        engine.upload(ROWS, "rows")
        assert list(work.iterdir())
        with pytest.raises(RuntimeError, match="on the way"), engine:
            raise RuntimeError("on the way")
        assert list(work.iterdir()) == []


def test_duckdb_spills_beyond_its_memory(tmp_path: Path) -> None:
    with open_engine("duckdb", work_folder=tmp_path, memory_limit_bytes=60_000_000, threads=1) as engine:
        # 3 million rows of 24 bytes do not fit into 60 MB beside their hash table.
        numbers = engine.upload(pa.table({"n": range(3_000_000)}), "numbers")
        groups = numbers.group_by("n").agg(a=numbers.n.sum(), b=numbers.n.min(), c=numbers.n.max())
        assert engine.write_parquet(groups, tmp_path / "groups.parquet") == 3_000_000


@pytest.mark.parametrize(("bytes_max", "in_array"), [(0, False), (2_000_000, False), (2_200_000, True)])
def test_whole_numbers_are_grouped_in_arrays_where_there_is_room(
    tmp_path: Path, *, bytes_max: int, in_array: bool
) -> None:
    with open_engine("duckdb", work_folder=tmp_path, threads=2) as engine:
        assert isinstance(engine, DuckDBEngine)
        numbers = pa.table({"number": pa.array([*range(65_000), 7, 9, 9], pa.int32())})
        grouped = engine.upload(numbers, "numbers").group_by("number").aggregate(times=ibis._.count())
        engine.group_in_arrays(bytes_max=bytes_max, bytes_each=16)
        plan = engine.connection.con.execute(f"EXPLAIN {ibis.to_sql(grouped, dialect='duckdb')}").fetchall()[0][1]
        assert ("PERFECT_HASH_GROUP_BY" in plan) == in_array
        several = grouped.filter(grouped.times > 1).order_by("number").to_pyarrow().to_pydict()
        assert several == {"number": [7, 9], "times": [2, 3]}


def test_too_little_memory_and_disk_is_said(tmp_path: Path) -> None:
    def sort_too_much() -> None:
        with DuckDBEngine(work_folder=tmp_path, memory_limit_bytes=20_000_000, threads=1) as engine:
            engine.connection.raw_sql("SET max_temp_directory_size = '1MB'")
            engine.connection.raw_sql("CREATE TABLE sorted AS SELECT hash(range) AS a FROM range(3_000_000) ORDER BY a")

    with pytest.raises(NotAvailable) as refused:
        sort_too_much()
    assert refused.value.code == "platform.no_memory"
    assert not any(tmp_path.iterdir())


@pytest.mark.spark
def test_engines_share_spark_and_nothing_else(spark_engine: Engine, tmp_path: Path) -> None:
    ours = spark_engine.upload(ROWS, "same_name")
    with open_engine("spark", work_folder=tmp_path, threads=1) as other:
        theirs = other.upload(ROWS.slice(0, 1), "same_name")
        assert (ours.count().execute(), theirs.count().execute()) == (4, 1)
    assert ours.count().execute() == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.spark
def test_a_second_cluster_is_refused(spark_engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        open_engine("spark", work_folder=tmp_path, master="spark://127.0.0.1:1")
    assert caught.value.code == "platform.other_spark"
    assert spark_engine.upload(ROWS, "still").count().execute() == 4


@pytest.mark.parametrize("rows", [0, 10, 600_000])
def test_rows_pass_through_a_function(engine: Engine, rows: int) -> None:
    table = engine.upload(pa.table({"n": pa.array(range(rows), pa.int64())}), "numbers")

    def doubled(batch: pa.RecordBatch) -> pa.RecordBatch:
        assert batch.num_rows <= 250_000
        twice = pa.array(2 * batch.column("n").to_numpy(), pa.int64())
        return pa.RecordBatch.from_arrays([batch.column("n"), twice], names=["n", "twice"])

    found = engine.transform(table.filter(table.n % 2 == 0), doubled, "doubled").order_by("n").to_pyarrow()
    assert found["n"].to_pylist() == list(range(0, rows, 2))
    assert found["twice"].to_pylist() == list(range(0, 2 * rows, 4))


def test_a_function_that_fails_leaves_what_was_kept(engine: Engine) -> None:
    table = engine.upload(ROWS, "rows")
    kept = engine.keep(table, "kept")

    def failing(batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.num_rows:
            raise ArithmeticError("in the function")
        return batch

    with pytest.raises(Exception, match="in the function"):
        engine.transform(table, failing, "kept")
    assert kept.count().execute() == 4


def test_spark_without_the_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NotAvailable) as caught:
        open_engine("spark", work_folder=tmp_path)
    assert caught.value.code == "platform.no_spark"


def test_spark_without_java_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(NotAvailable) as caught:
        open_engine("spark", work_folder=tmp_path)
    assert caught.value.code == "platform.no_java"
