"""Spark, from the extra ``shuke[spark]``: the same expressions, on a cluster or inside this machine.

Loaded only by :func:`shuke.platform.engines.open_engine`, for it cannot be imported without the extra.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from ibis.backends.pyspark import Backend as SparkBackend
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from shuke.base.errors import BadInput, NotAvailable
from shuke.platform.engines import BATCH_ROWS, EngineName, Transformation, transformed

MEBIBYTE = 1024 * 1024
LEAST_MEBIBYTES = 512
PARTITIONS_PER_CORE = 4
LARGEST_BROADCAST_BYTES = 64 * MEBIBYTE


class _Context:
    """The one Spark of this process, which allows no second, and the engines that use it."""

    running: ClassVar[_Context | None] = None

    def __init__(self, work_folder: Path, master: str, memory_limit_bytes: int | None, cores: int) -> None:
        self.master = master
        self.engines = 0
        self.folder = Path(tempfile.mkdtemp(prefix="shuke-spark-spill-", dir=work_folder))
        builder = (
            SparkSession.builder.appName("shuke")
            .master(master)
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.ansi.enabled", "true")
            .config("spark.sql.autoBroadcastJoinThreshold", str(LARGEST_BROADCAST_BYTES))
            .config("spark.sql.execution.arrow.pyspark.enabled", "true")
            .config("spark.sql.warehouse.dir", str(self.folder / "warehouse"))
            .config("spark.local.dir", str(self.folder / "spill"))
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
        )
        if master.startswith("local"):
            builder = (
                builder.config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                # Of a cluster's size nothing is known here, so that it keeps Spark's own number.
                .config("spark.sql.shuffle.partitions", str(cores * PARTITIONS_PER_CORE))
            )
        if memory_limit_bytes is not None:
            megabytes = f"{max(memory_limit_bytes // MEBIBYTE, LEAST_MEBIBYTES)}m"
            builder = builder.config("spark.driver.memory", megabytes).config("spark.executor.memory", megabytes)
        self.session: SparkSession = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")

    @classmethod
    def join(cls, work_folder: Path, master: str, memory_limit_bytes: int | None, cores: int) -> _Context:
        """Use the Spark that runs, or start it; BadInput ``platform.other_spark`` when another cluster's is running."""
        if cls.running is None:
            cls.running = cls(work_folder, master, memory_limit_bytes, cores)
        if cls.running.master != master and not (master.startswith("local") and cls.running.master.startswith("local")):
            raise BadInput("platform.other_spark", running=cls.running.master, given=master)
        cls.running.engines += 1
        return cls.running

    def leave(self) -> None:
        """One engine less; the last one stops Spark."""
        self.engines -= 1
        if self.engines == 0:
            type(self).running = None
            self.session.stop()
            shutil.rmtree(self.folder, ignore_errors=True)


class SparkEngine:
    """A Spark session. What it keeps lies as Parquet in the work folder, which every worker has to see."""

    name: EngineName = "spark"
    errors: tuple[type[Exception], ...] = (PySparkException, Py4JError)

    def __init__(
        self,
        *,
        work_folder: Path,
        memory_limit_bytes: int | None = None,
        threads: int | None = None,
        master: str | None = None,
    ) -> None:
        if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
            raise NotAvailable("platform.no_java")
        work_folder.mkdir(parents=True, exist_ok=True)
        self.cores = threads or os.cpu_count() or 1
        self._shared = _Context.join(work_folder, master or f"local[{self.cores}]", memory_limit_bytes, self.cores)
        # Readable by this user only: the workers of a cluster have to run as the same user.
        self.folder = Path(tempfile.mkdtemp(prefix="shuke-spark-", dir=work_folder))
        # A session of its own, so that two engines may use one name for two tables.
        self.session: SparkSession = self._shared.session.newSession()
        self.connection: SparkBackend = ibis.pyspark.connect(self.session)
        self._versions: dict[str, int] = {}

    def read_parquet(self, paths: Sequence[Path] | Path) -> ir.Table:
        """The rows of these Parquet files, read anew by each expression that uses them."""
        files = [paths] if isinstance(paths, Path) else paths
        return self._read([_literally(path) for path in files], f"files_{self._next('files')}")

    def keep(self, table: ir.Table, name: str) -> ir.Table:
        """Run ``table`` once and keep its result as Parquet; the folder is new, since ``table`` may read the old."""
        folder = self._folder_of(name)
        self.connection.to_parquet(table, folder)
        return self._read([_literally(folder)], name)

    def upload(self, table: pa.Table, name: str) -> ir.Table:
        """Write local columns as Parquet into the work folder, where every worker finds them."""
        folder = self._folder_of(name)
        folder.mkdir(parents=True)
        pq.write_table(table, folder / "part.parquet", coerce_timestamps="us", row_group_size=1_000_000)
        return self._read([_literally(folder)], name)

    def transform(self, table: ir.Table, function: Transformation, name: str) -> ir.Table:
        """Stream the rows through ``function`` in the driver, by way of Parquet in the work folder.

        Not on the workers, for they would need Shuke and its libraries installed; the function is vectorised.
        """
        parts, folder = self._folder_of(f"{name}-before"), self._folder_of(name)
        folder.mkdir(parents=True)
        try:
            self.connection.to_parquet(table, parts)
            _rewrite(parts, folder / "part.parquet", function, self.cores)
        finally:
            shutil.rmtree(parts, ignore_errors=True)
        return self._read([_literally(folder)], name)

    def write_parquet(self, table: ir.Table, path: Path) -> int:
        """Write the result into one Parquet file, which appears whole or not at all. Returns the number of rows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = self._folder_of("written")
        partial = path.with_name(f".{path.name}.partial")
        try:
            self.connection.to_parquet(table, parts)
            rows = _rewrite(parts, partial, lambda batch: batch, 1)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
            shutil.rmtree(parts, ignore_errors=True)
        return rows

    def close(self) -> None:
        """Delete what the engine kept, and stop Spark when this was the last engine to use it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._shared.leave()

    def __enter__(self) -> Self:
        """The engine itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, whatever happened."""
        self.close()

    def _read(self, paths: Sequence[str], name: str) -> ir.Table:
        self.session.read.parquet(*paths).createOrReplaceTempView(name)
        return self.connection.table(name)

    def _folder_of(self, name: str) -> Path:
        return self.folder / f"{name}-{self._next(name)}"

    def _next(self, name: str) -> int:
        self._versions[name] = self._versions.get(name, 0) + 1
        return self._versions[name]


def _rewrite(parts: Path, file: Path, function: Transformation, threads: int) -> int:
    """Pass the rows of all parts through ``function`` into one file. Returns their number."""
    source = ds.dataset(parts, format="parquet")
    read = source.to_batches(batch_size=BATCH_ROWS)
    schema, batches = transformed(source.schema, read, function, threads)
    rows = 0
    with pq.ParquetWriter(file, schema, compression="zstd", coerce_timestamps="us") as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _literally(path: Path) -> str:
    """The path with what Hadoop would take for a pattern escaped."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", str(path))
