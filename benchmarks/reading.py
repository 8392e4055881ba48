"""Reading a large CSV of order lines, beside DuckDB's own reader writing the same file to Parquet without a question.

Usage: python benchmarks/reading.py [LINES …] [--encoding utf-8|gb18030]

Prints wall and CPU seconds (user and system), peak memory, and their ratio to the bare
``COPY (SELECT * FROM read_csv(…)) TO … (FORMAT parquet)``, each in a process of its own. The seed is in the generator:
the same lines anywhere. DuckDB reads no GB18030 by itself, so there its own run gets the same file in UTF-8.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from shuke import collect
from shuke.platform import open_engine

SEED = 20_261_122
LINES = (1_000_000, 3_000_000, 10_000_000)
BARE_MEMORY = "1GB"


def generate(lines: int, path: Path) -> None:
    """Write order lines: two to an order, a twelfth as many customers as lines, products under Chinese names."""

    def random(salt: int, top: int, key: str = "i") -> str:
        return f"(hash({key}, {SEED + salt}) % {top})"

    order = "(i // 2)"
    sql = f"""
        SELECT 'E' || (20240101000000 + {order}) AS 订单号,
            13000000000 + {random(1, max(1, lines // 12), order)} * 7 AS 买家手机号,
            strftime(TIMESTAMP '2024-01-01' + to_seconds(CAST({order} * 126144000 // {lines} AS BIGINT)),
                '%Y-%m-%d %H:%M:%S') AS 下单时间,
            'SKU' || {random(2, 5000)} AS 商品编码,
            '熟客精选 商品' || {random(2, 5000)} AS 商品名称,
            1 + {random(3, 4)} AS 数量,
            (100 + {random(4, 40_000)}) / 100.0 AS 单价,
            CAST((1 + {random(3, 4)}) * (100 + {random(4, 40_000)}) AS DECIMAL(12, 2)) / 100 AS 实付金额
        FROM range({lines}) t(i)
    """  # noqa: S608 - our own numbers
    desk = duckdb.connect(config={"memory_limit": BARE_MEMORY, "preserve_insertion_order": True})
    desk.execute(f"COPY ({sql}) TO '{path}' (FORMAT csv, HEADER true)")


def transcode(source: Path, target: Path, encoding: str) -> None:
    with source.open(encoding="utf-8", newline="") as text, target.open("w", encoding=encoding, newline="") as out:
        while piece := text.read(4 * 1024**2):
            out.write(piece)


def read_bare(path: Path, folder: Path) -> None:
    desk = duckdb.connect(config={"memory_limit": BARE_MEMORY, "temp_directory": str(folder / "spill")})
    rows = f"SELECT * FROM read_csv('{path}')"  # noqa: S608 - our own path
    desk.execute(f"COPY ({rows}) TO '{folder / 'bare.parquet'}' (FORMAT parquet)")


def read_with_shuke(path: Path, folder: Path, lines: int) -> None:
    with open_engine("duckdb", work_folder=folder / "engine", memory_limit_bytes=2**30) as engine:
        collected = collect.read_orders([str(path)], engine=engine, work_folder=folder / "work")
        if collected.quality.rows != lines or not collected.quality.reconciles:
            sys.exit(f"{collected.quality.rows} rows instead of {lines}, or money that does not add up")


def measured(arguments: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MB of this script's ``--run`` in a process of its own."""
    start = time.perf_counter()
    child = os.posix_spawn(sys.executable, [sys.executable, __file__, *arguments], os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"{arguments} failed")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(lines: int, encoding: str, folder: Path) -> None:
    plain = folder / f"lines_{lines}.csv"
    generate(lines, plain)
    theirs = plain
    if encoding != "utf-8":
        theirs = folder / f"lines_{lines}.{encoding}.csv"
        transcode(plain, theirs, encoding)
    bare = measured(["--run", "bare", str(plain), str(lines)])
    shuke = measured(["--run", "shuke", str(theirs), str(lines)])
    for name, (wall, cpu, peak) in (("bare", bare), ("shuke", shuke)):
        print(f"{lines:>10,} lines {encoding:8} {name:6} {wall:7.1f} s  {cpu:7.1f} CPU s  {peak:6.0f} MB")
    print(f"{lines:>10,} lines {encoding:8} ratio  {shuke[0] / bare[0]:7.1f}    {shuke[1] / bare[1]:7.1f}", flush=True)
    plain.unlink()
    theirs.unlink(missing_ok=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("lines", type=int, nargs="*", default=LINES)
    arguments.add_argument("--encoding", default="utf-8", choices=["utf-8", "gb18030"])
    arguments.add_argument("--folder", type=Path, help="where to write the files; a temporary folder without it")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for lines in given.lines:
            compare(lines, given.encoding, Path(folder))


def run(what: str, path: Path, lines: int) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        if what == "bare":
            read_bare(path, Path(folder))
        else:
            read_with_shuke(path, Path(folder), lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
