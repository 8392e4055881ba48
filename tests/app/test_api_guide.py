"""The page for integrators: what can be copied from it runs as it stands, against a real server and with a real key."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from shuke import access, collect
from shuke.app.web import build_web
from shuke.platform import Database, Keyring, Settings, Workplace

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "api.md"
IN_CHINESE = GUIDE.parents[1] / "zh-CN" / "guide" / "api.md"
#: How each language is told a program; the examples of a language are one, from the first to the last.
PROGRAMS = {
    "sh": ("bash", "-euo", "pipefail", "-c"),
    "python": (sys.executable, "-c"),
    "javascript": ("node", "--input-type=module", "--eval"),
}


def blocks(page: Path) -> list[tuple[str, str]]:
    """What stands in the page as code, by its language."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Running:
    """A server, and what the examples take from the environment."""

    environment: dict[str, str]

    def asked(self, path: str, **body: Any) -> Any:
        address = f"{self.environment['SHUKE_URL']}{path}"
        headers = {"authorization": f"Bearer {self.environment['SHUKE_KEY']}"}
        answer = httpx.request("POST" if body else "GET", address, json=body or None, headers=headers)
        return answer.raise_for_status().json()


@pytest.fixture(scope="module")
def server(
    new_database: Callable[[], str],
    keyring: Keyring,
    key_for: Callable[..., str],
    serve: Callable[[ASGIApp], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    with Database(new_database()) as database:
        settings = Settings(data_folder=tmp_path_factory.mktemp("data"), database_url=database.url)
        place = Workplace(settings, database, keyring)
        with database.begin() as tx:
            write_key = collect.add_source(tx, "shop", now=datetime.now(UTC))
        # What the page tells people to make.
        given = {"SHUKE_KEY": key_for(place, "operations_manager"), "SHUKE_WRITE_KEY": write_key}
        with serve(build_web(place)) as address:
            yield Running({**given, "SHUKE_URL": address})


def ran(server: Running, language: str, program: str) -> str:
    """What the program prints; it has ended well, and with nothing to complain about."""
    name, *options = PROGRAMS[language]
    found = shutil.which(name)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(f"needs {name}")
    assert found is not None, name
    environment = {**os.environ, **server.environment}
    done = subprocess.run(
        [found, *options, program], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("language", PROGRAMS)
def test_what_can_be_copied_runs(language: str, server: Running) -> None:
    mine = [code for name, code in blocks(GUIDE) if name == language]
    assert len(mine) >= 10
    said = ran(server, language, "\n".join(mine))
    assert "catalog.no_product" in said
    assert "P-404" in said
    # Each has done all that it shows.
    (customer,) = server.asked("/api/customers/list", search="13800138000")["customers"]
    whole = server.asked(f"/api/customers/{customer['customer_id']}")
    assert server.asked(f"/api/customers/{customer['customer_id']}/orders")["orders"]
    if language == "sh":
        assert server.asked("/api/products/P-1001")["price_minor"] == 13800
        assert "festival 2026" in customer["tags"]
    elif language == "python":
        assert server.asked("/api/products/P-1002")["price_minor"] == 26800
        assert "VIP" in customer["tags"]
        assert whole["attributes"]["city"] == "苏州"
    else:
        assert server.asked("/api/products/P-1002")["price_minor"] == 25800
        assert ("VIP", "shop") in {(one["tag"], one["source"]) for one in whole["tags"]}
        assert said.endswith("null\ntrue\n")


def test_an_example_that_does_not_run_is_seen(server: Running) -> None:
    for language, broken in (
        ("sh", 'curl -fsS "$SHUKE_URL/api/products" -H "Authorization: Bearer sk_none"'),
        ("python", "import httpx\nhttpx.get('no address')"),
        ("javascript", "await fetch('no address')"),
    ):
        with pytest.raises(AssertionError):
            ran(server, language, broken)


def test_both_pages_show_the_same_code() -> None:
    assert blocks(GUIDE) == blocks(IN_CHINESE)


def test_every_code_of_the_page_is_one(server: Running) -> None:
    """Addresses and fields are looked at by running them; what stands between is looked up."""
    text = GUIDE.read_text("utf-8")
    told = httpx.get(f"{server.environment['SHUKE_URL']}/openapi.json", timeout=60).text
    for path in set(re.findall(r"`(?:GET|POST|PUT|PATCH|DELETE) (/api/[a-z/]+)", text)):
        assert path.rstrip("/") in told, path
    permissions = set(re.findall(r"`([a-z]+\.(?:read|write|merge|reveal|refresh))`", text))
    assert permissions
    assert permissions <= set(access.PERMISSIONS)
