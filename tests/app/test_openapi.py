"""Whatever is asked of any route, as its schema allows or not: nothing fails, and every answer is a documented one.

Schemathesis makes the requests: what the description allows and what it forbids, each route alone, and in the long run
one after another by the identifiers that answers give. Its report names the request that a route could not take, as a
command to repeat.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from shuke import access, catalog, collect
from shuke.app.web import build_web
from shuke.base.errors import Conflict
from shuke.platform import Workplace

Serve = Callable[[ASGIApp], AbstractContextManager[str]]

# All that the tool checks, but that a request which fits the schema must be taken: whether customers or sources exist,
# and what a brand's own attributes may be, no schema can say.
NOT_CHECKED = "positive_data_acceptance"

# An empty list in an address is as good as left out, and a number is a word: the tool takes both for violations.
NOT_TELLING = """
[[operations]]
include-path = "/api/customers/{customer_id}/timeline"
checks.negative_data_rejection.enabled = false
"""


def report(address: str, key: str, folder: Path, *options: str) -> tuple[int, str]:
    """The outcome of a run of the tool, which is the same each time, and what it says."""
    (folder / "schemathesis.toml").write_text(NOT_TELLING, encoding="utf-8")
    told = httpx.get(f"{address}/openapi.json", timeout=60).json()
    # A sparse answer lacks what a whole one must have: test_sparse.py looks at those.
    for operation in (one for methods in told["paths"].values() for one in methods.values()):
        operation["parameters"] = [one for one in operation.get("parameters", ()) if one["name"] != "fields"]
    (folder / "openapi.json").write_text(json.dumps(told), encoding="utf-8")
    program = Path(sys.executable).with_name("schemathesis")
    fixed = ("--generation-deterministic", "--no-shrink", "--continue-on-failure", "-H", f"Authorization: Bearer {key}")
    done = subprocess.run(
        [
            program,
            "run",
            "openapi.json",
            "--url",
            address,
            *fixed,
            "--exclude-checks",
            NOT_CHECKED,
            "--no-color",
            *options,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=7000,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def app(workplace: Workplace) -> ASGIApp:
    """Everything that is served, with a source and a product to find."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with workplace.database.begin() as tx:
        collect.ensure_source(tx, "0", now=now)
        catalog.save_products(tx, [catalog.Product(product_id="0", name="0")], now=now)
    return build_web(workplace)


@pytest.fixture
def key(workplace: Workplace, key_for: Callable[..., str]) -> str:
    """An owner's, who may do everything."""
    return key_for(workplace, "owner")


@pytest.mark.slow
def test_every_route_answers_as_documented(app: ASGIApp, key: str, serve: Serve, tmp_path: Path) -> None:
    with serve(app) as address:
        status, said = report(address, key, tmp_path, "--phases", "fuzzing", "--max-examples", "1")
    assert status == 0, said
    tested = re.search(r"Tested: +(\d+)", said)
    assert tested is not None, said
    described = json.loads((tmp_path / "openapi.json").read_text(encoding="utf-8"))["paths"]
    assert int(tested[1]) == sum(map(len, described.values()))


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("role", [role.name for role in access.SHIPPED_ROLES])
def test_every_route_answers_every_role_as_documented(
    role: str, app: ASGIApp, workplace: Workplace, key_for: Callable[..., str], serve: Serve, tmp_path: Path
) -> None:
    key = key_for(workplace, role, places=["0"] if role == "store_associate" else [])
    with serve(app) as address:
        status, said = report(address, key, tmp_path, "--phases", "fuzzing", "--max-examples", "10")
    assert status == 0, said


@pytest.mark.faults
@pytest.mark.timeout(7200)
def test_one_route_after_another_answers_as_documented(app: ASGIApp, key: str, serve: Serve, tmp_path: Path) -> None:
    with serve(app) as address:
        status, said = report(address, key, tmp_path, "--phases", "coverage,stateful", "--max-examples", "10")
    assert status == 0, said


def breaks(*_: Any) -> None:
    raise ZeroDivisionError


def refuses_otherwise(*_: Any) -> None:
    raise Conflict("catalog.no_product", id="0")


def test_routes_that_do_not_keep_to_their_word_are_seen(
    app: ASGIApp, key: str, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shuke.catalog.service.get_product", breaks)
    monkeypatch.setattr("shuke.catalog.service.get_store", refuses_otherwise)
    only = ("--include-path-regex", "^/api/(products|stores)/{[a-z_]+}$", "--include-method", "GET")
    with serve(app) as address:
        status, said = report(address, key, tmp_path, "--phases", "fuzzing", "--max-examples", "1", *only)
    assert status == 1, said
    assert "ST101" in said, "an error of the server's"
    assert "ST103" in said, "a refusal that is not documented"
