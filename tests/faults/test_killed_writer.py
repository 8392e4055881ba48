"""A writer that is killed leaves the former file whole: what a reader finds under the name is never half a file."""

import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 20_000_000

CAREFUL = f"""
import ibis, sys
from pathlib import Path
from shuke.platform import open_engine
target = Path(sys.argv[1])
with open_engine("duckdb", work_folder=target.parent / "work") as engine:
    engine.write_parquet(ibis.range({ROWS}).unnest().name("n").as_table(), target)
"""

# The planted fault: the same rows written under the final name from the start.
CARELESS = f"""
import sys
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
with pq.ParquetWriter(sys.argv[1], pa.schema([("n", pa.int64())])) as writer:
    for start in range(0, {ROWS}, 1_000_000):
        writer.write_table(pa.table({{"n": np.arange(start, start + 1_000_000)}}))
"""


def is_whole(path: Path) -> bool:
    """Whether a reader can read every row of the file."""
    try:
        return pq.read_table(path).num_rows in (1, ROWS)
    except (pa.ArrowInvalid, OSError):
        return False


def kill_while_writing(program: str, target: Path) -> None:
    """Start the writer and kill -9 it once the file that it writes to has grown past a megabyte."""
    writer = subprocess.Popen([sys.executable, "-c", program, str(target)])
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            growing = [path for path in (target.with_name(f".{target.name}.partial"), target) if path.exists()]
            if growing and growing[0].stat().st_size > 1_000_000:
                break
            assert writer.poll() is None, "the writer ended before it could be killed"
            time.sleep(0.002)
        else:
            pytest.fail("the writer never began to write")
    finally:
        writer.kill()
        writer.wait()


@pytest.mark.parametrize(("program", "survives"), [(CAREFUL, True), (CARELESS, False)], ids=["careful", "careless"])
def test_a_killed_writer_leaves_the_former_file(program: str, survives: bool, tmp_path: Path) -> None:
    target = tmp_path / "facts.parquet"
    pq.write_table(pa.table({"n": [1]}), target)
    kill_while_writing(program, target)
    assert is_whole(target) == survives
    if survives:
        assert pq.read_table(target).num_rows == 1


@pytest.mark.faults
@pytest.mark.parametrize("attempt", range(20))
def test_a_killed_command_leaves_the_former_file(attempt: int, tmp_path: Path) -> None:
    """The same for the whole command, killed at any moment of its life."""
    target = tmp_path / "facts.parquet"
    pq.write_table(pa.table({"n": [1]}), target)
    orders = tmp_path / "orders.csv"
    rows = [
        f"{c},{c}-{o},2024-{1 + o % 12:02d}-{1 + c % 28:02d},{10 + c % 7}"
        for c in range(2000)
        for o in range(c % 5 + 1)
    ]
    orders.write_text("\n".join(["customer,order,time,amount", *rows]), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("shuke")), "facts", str(orders), "--out", str(target)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        running.wait(timeout=0.5 + 0.4 * attempt)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
    found = pq.read_table(target)
    assert found.column_names == ["n"] or found.num_rows == 2000
