"""The direction of imports is held, and the check that holds it would notice."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FAULTS = {
    "nothing": None,
    "a floor that looks up": ("src/shuke/base/errors.py", "from shuke import insight"),
    "a room's rules that reach for its service": (
        "src/shuke/collect/rules/__init__.py",
        "import shuke.collect.service",
    ),
    "a pure file that runs the database": ("src/shuke/insight/rfm.py", "import duckdb"),
    "an analytical core that draws": ("src/shuke/insight/rfm.py", "import altair"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_import_breaks_a_contract(fault: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "fonts", "data"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = FAULTS[fault]
    if planted:
        path = tmp_path / planted[0]
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{planted[1]}\n", encoding="utf-8")
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "src"), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode == 0) == (planted is None), result.stdout + result.stderr
