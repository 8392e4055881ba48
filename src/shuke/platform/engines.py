"""The engines: one Ibis expression, run by DuckDB on this machine or by Spark on many.

An engine owns a folder of its own inside the work folder, which goes when the engine is closed. What would be costly to
compute twice it keeps, on disk where the memory does not suffice, so that the memory does not bound the data. Both
engines think in UTC, which here means: in the brand's own time, untouched.

Where they differ and an expression has to mind it: dividing by zero gives infinity on DuckDB and is an error on Spark
(ANSI mode stays on, for a loud error is better than a quiet null), so denominators are guarded with ``nullif``.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, cast

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend as DuckDBBackend

from shuke.base.errors import NotAvailable
from shuke.platform.settings import Settings

EngineName = Literal["duckdb", "spark"]
Transformation = Callable[[pa.RecordBatch], pa.RecordBatch]

BATCH_ROWS = 250_000
# Columns of more distinct values than this are written as they are. DuckDB would try to build larger dictionaries, for
# a fifth of the time of writing and hardly a smaller file.
_DICTIONARY_VALUES_MAX = 1_000


class Engine(Protocol):
    """Something that runs Ibis expressions; a context manager, which leaves nothing behind when it is closed."""

    @property
    def name(self) -> EngineName:
        """Which engine this is."""
        ...

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What it raises of something that it cannot run."""
        ...

    def read_parquet(self, paths: Sequence[Path] | Path) -> ir.Table:
        """The rows of these Parquet files, read anew by each expression that uses them."""
        ...

    def keep(self, table: ir.Table, name: str) -> ir.Table:
        """Run ``table`` once and keep its result under ``name``, replacing what had that name."""
        ...

    def upload(self, table: pa.Table, name: str) -> ir.Table:
        """Bring local columns into the engine under ``name``, replacing what had that name."""
        ...

    def transform(self, table: ir.Table, function: Transformation, name: str) -> ir.Table:
        """Run ``table``, pass its rows through ``function`` and keep what comes out under ``name``.

        For what no expression can say, such as the answers of a statistical model. The rows come to this process in
        batches of about ``BATCH_ROWS``, in no stated order, and may be worked on by several threads at once, so the
        function has to be pure. Only a few batches are in memory at a time.
        """
        ...

    def write_parquet(self, table: ir.Table, path: Path) -> int:
        """Write the result into one Parquet file, which appears whole or not at all. Returns the number of rows."""
        ...

    def close(self) -> None:
        """Let go of everything that was kept."""
        ...

    def __enter__(self) -> Self:
        """The engine itself."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, whatever happened."""
        ...


class DuckDBEngine:
    """DuckDB in this process. What it keeps is in memory up to the limit, and beyond it in files of the work folder.

    A database file instead would compress everything that is kept, which takes longer than it saves.
    """

    name: EngineName = "duckdb"
    errors: tuple[type[Exception], ...] = (duckdb.Error,)

    def __init__(self, *, work_folder: Path, memory_limit_bytes: int | None = None, threads: int | None = None) -> None:
        work_folder.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="shuke-duckdb-", dir=work_folder))
        options: dict[str, str | int | bool] = {
            "temp_directory": str(self.folder / "spill"),
            # Rows have no order here: expressions that need one sort. Without it DuckDB streams with less memory.
            "preserve_insertion_order": False,
        }
        if memory_limit_bytes is not None:
            options["memory_limit"] = f"{memory_limit_bytes}B"
        self.threads = threads or os.cpu_count() or 1
        options["threads"] = self.threads
        self.connection: DuckDBBackend = ibis.duckdb.connect(":memory:", **options)

    def read_parquet(self, paths: Sequence[Path] | Path) -> ir.Table:
        """The rows of these Parquet files, read anew by each expression that uses them."""
        return self.connection.read_parquet([str(path) for path in _as_paths(paths)])

    def keep(self, table: ir.Table, name: str) -> ir.Table:
        """Run ``table`` once and keep its result in the engine's database."""
        # Through a view, because that registers what the expression holds in memory; in one statement, because the
        # expression may read the table that it replaces.
        self.connection.create_view("being_kept", table, overwrite=True)
        replace = f"CREATE OR REPLACE TABLE {_quoted(name)} AS SELECT * FROM being_kept"  # noqa: S608 - quoted
        self.connection.raw_sql(replace)
        self.connection.raw_sql("DROP VIEW being_kept")
        return self.connection.table(name)

    def upload(self, table: pa.Table, name: str) -> ir.Table:
        """Copy local columns into the engine's database."""
        return self.keep(ibis.memtable(table), name)

    def transform(self, table: ir.Table, function: Transformation, name: str) -> ir.Table:
        """Stream the rows out of the database, through ``function``, and back into a table of it."""
        self.connection.create_view("being_transformed", table, overwrite=True)
        # Not by Ibis, whose way of streaming from DuckDB uses a name that DuckDB 2 has dropped.
        rows = self.connection.con.sql("FROM being_transformed").to_arrow_reader(BATCH_ROWS)
        schema, batches = transformed(rows.schema, rows, function, self.threads)
        # A second connection writes while the first is still reading.
        writer = self.connection.con.cursor()
        try:
            writer.register("stream", pa.RecordBatchReader.from_batches(schema, batches))
            writer.execute(f"CREATE OR REPLACE TABLE {_quoted(name)} AS SELECT * FROM stream")  # noqa: S608 - quoted
        finally:
            close_at_once(writer)
        return self.connection.table(name)

    def write_parquet(self, table: ir.Table, path: Path) -> int:
        """Write the result into one Parquet file, which appears whole or not at all. Returns the number of rows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        try:
            self.connection.to_parquet(table, partial, dictionary_size_limit=_DICTIONARY_VALUES_MAX)
            return _publish(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def group_in_arrays(self, *, bytes_max: int, bytes_each: int) -> None:
        """From here on have whole numbers grouped in an array where one of no more bytes has room for all of them.

        That takes half as long as by hashing, but DuckDB neither counts these bytes (``bytes_each`` for a number in
        every thread) nor can it spill them, so by itself it does it only where there are hardly any.
        """
        numbers_max = bytes_max // (bytes_each * self.threads)
        self.connection.raw_sql(f"SET perfect_ht_threshold = {max(0, min(numbers_max.bit_length() - 1, 32))}")

    def close(self) -> None:
        """Close the database and delete its folder."""
        close_at_once(self.connection.con)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """The engine itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, whatever happened; errors as for :meth:`guarded`."""
        self.close()
        if isinstance(error, duckdb.OutOfMemoryException):
            raise self._full() from error

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """NotAvailable ``platform.no_memory`` when neither memory nor disk sufficed."""
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            raise self._full() from error

    def _full(self) -> NotAvailable:
        return NotAvailable("platform.no_memory", folder=str(self.folder.parent))


def close_at_once(connection: duckdb.DuckDBPyConnection) -> None:
    """Close it, whatever it is doing; nothing where it is closed.

    A query that Ctrl-C interrupted may go on behind the error that it raised, and closing would wait until it is done.
    """
    with suppress(duckdb.ConnectionException):
        connection.interrupt()
    connection.close()


def open_engine(
    name: EngineName,
    *,
    work_folder: Path,
    memory_limit_bytes: int | None = None,
    threads: int | None = None,
    master: str | None = None,
) -> Engine:
    """An engine by its name.

    Args:
        name: ``duckdb`` or ``spark``.
        work_folder: where the engine keeps what it must not compute twice. On a cluster every worker has to see it.
        memory_limit_bytes: what the engine may hold in memory; DuckDB spills to disk beyond it, Spark gives it to its
            driver and to each executor. None leaves the engine's own default.
        threads: how many cores to use on this machine; None means all.
        master: the Spark cluster, for example ``spark://host:7077``; None runs Spark inside this machine.

    Raises:
        NotAvailable: ``platform.no_spark`` without the extra, ``platform.no_java`` without a Java runtime.
    """
    if name == "duckdb":
        return DuckDBEngine(work_folder=work_folder, memory_limit_bytes=memory_limit_bytes, threads=threads)
    if importlib.util.find_spec("pyspark") is None:
        raise NotAvailable("platform.no_spark")
    # The module imports pyspark, which is an extra, so it is loaded only when it was asked for and is there.
    spark = importlib.import_module("shuke.platform.spark")
    return cast(
        Engine,
        spark.SparkEngine(
            work_folder=work_folder, memory_limit_bytes=memory_limit_bytes, threads=threads, master=master
        ),
    )


def duckdb_of(
    settings: Settings, *, work_folder: Path | None = None, memory_bytes_max: int | None = None
) -> DuckDBEngine:
    """DuckDB as the settings want it, but in no more memory than this; in their work folder unless another is given."""
    limits = [limit for limit in (settings.memory_limit_bytes, memory_bytes_max) if limit is not None]
    return DuckDBEngine(
        work_folder=work_folder or settings.work_folder,
        memory_limit_bytes=min(limits, default=None),
        threads=settings.threads,
    )


def transformed(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], function: Transformation, threads: int
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Each batch through ``function``, in order, as many at once as there are threads; first the schema they get."""
    empty = function(pa.RecordBatch.from_pylist([], schema))
    return empty.schema, _in_threads(batches, function, threads)


def _in_threads(batches: Iterable[pa.RecordBatch], function: Transformation, threads: int) -> Iterator[pa.RecordBatch]:
    with ThreadPoolExecutor(threads) as workers:
        pending: deque[Future[pa.RecordBatch]] = deque()
        for batch in batches:
            pending.append(workers.submit(function, batch))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _as_paths(paths: Sequence[Path] | Path) -> list[Path]:
    return [paths] if isinstance(paths, Path) else list(paths)


def _publish(partial: Path, path: Path) -> int:
    rows = int(pq.read_metadata(partial).num_rows)
    partial.replace(path)
    return rows
