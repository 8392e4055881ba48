"""One command in a process of its own: seconds, peak memory, and what it prints about itself."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def flushes_per_second(folder: Path, flushes: int = 200) -> float:
    """How many writes of 8 KB this disk makes durable in a second."""
    path = folder / "flush"
    with path.open("wb", buffering=0) as file:
        began = time.perf_counter()
        for place in range(flushes):
            os.pwrite(file.fileno(), bytes(8192), place % 16 * 8192)
            os.fdatasync(file.fileno())
        seconds = time.perf_counter() - began
    path.unlink()
    return flushes / seconds


@dataclass
class Measured:
    """One command, run several times."""

    wall: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Median of the work's own seconds, without starting and importing, where it says them."""
        return statistics.median(said.get("seconds", wall) for said, wall in zip(self.said, self.wall, strict=True))

    @property
    def whole(self) -> float:
        """Median seconds of the whole process."""
        return statistics.median(self.wall)

    @property
    def peak(self) -> float:
        """The highest peak memory, in gigabytes."""
        return max(self.peak_bytes) / 1e9

    def step(self, name: str) -> float:
        """Median seconds of one step."""
        return statistics.median(said["steps"][name] for said in self.said)


def measure(command: Sequence[str | Path], repeats: int = 1, *, says_json: bool = True) -> Measured:
    """Run the command as often; SystemExit with its last words when it fails."""
    measured = Measured()
    for _ in range(repeats):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            start = time.perf_counter()
            process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=errors)
            # Unlike the sums over all children, wait4 tells this one's memory.
            _, status, used = os.wait4(process.pid, 0)
            measured.wall.append(time.perf_counter() - start)
            process.returncode = os.waitstatus_to_exitcode(status)
            for stream in (out, errors):
                stream.seek(0)
            if process.returncode:
                raise SystemExit(f"{' '.join(map(str, command))}\n{errors.read().decode(errors='replace')[-3000:]}")
            measured.peak_bytes.append(used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
            measured.said.append(json.loads(out.read().splitlines()[-1]) if says_json else {})
    return measured
