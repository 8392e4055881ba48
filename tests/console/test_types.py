"""The console's types are those of the API as it is, and its own small tests pass."""

import json
import re
import subprocess
from pathlib import Path

from shuke.app.openapi import description

CONSOLE = Path(__file__).parents[2] / "console"
COMMITTED = CONSOLE / "src" / "platform" / "schema.ts"


def types_of(document: dict[str, object], node_modules: Path, folder: Path) -> str:
    """The types that the generator makes of a description of the API."""
    (folder / "openapi.json").write_text(json.dumps(document, sort_keys=True))
    command = [node_modules / ".bin" / "openapi-typescript", folder / "openapi.json", "--output", folder / "schema.ts"]
    done = subprocess.run(command, cwd=CONSOLE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return (folder / "schema.ts").read_text()


def test_the_types_are_those_of_the_api(node_modules: Path, tmp_path: Path) -> None:
    made = types_of(description(), node_modules, tmp_path)
    assert made == COMMITTED.read_text(), "the API has changed: run `make schema`"


def test_types_of_another_api_are_seen(node_modules: Path, tmp_path: Path) -> None:
    document = description()
    paths = document["paths"]
    assert paths.pop("/api/products")
    assert types_of(document, node_modules, tmp_path) != COMMITTED.read_text()


def test_its_own_tests_pass(node_modules: Path) -> None:
    command = [node_modules / ".bin" / "vitest", "run", "--no-color"]
    done = subprocess.run(command, cwd=CONSOLE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"Tests +(\d+) passed", done.stdout)
    assert passed is not None, done.stdout
    assert int(passed[1]) >= 15


def test_the_lock_names_no_host() -> None:
    assert "resolved" not in (CONSOLE / "package-lock.json").read_text()


def test_versions_are_exact() -> None:
    package = json.loads((CONSOLE / "package.json").read_text())
    for version in (package["dependencies"] | package["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
