"""The demo as a newcomer meets it: one command, interrupted and begun again, on some of the shipped orders."""

import base64
import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from shuke.platform import EmbeddedPostgres, embedded_url

SHUKE = str(Path(sys.executable).with_name("shuke"))
SHIPPED = Path(__file__).parents[2] / "src" / "shuke" / "app" / "data" / "online_retail.parquet"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that an account without rights can pass through, should root run the tests."""
    with tempfile.TemporaryDirectory(prefix="shuke-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def orders(folder: Path) -> Path:
    """Every fiftieth customer of the shipped orders, so that the test takes a tenth of the time."""
    file = folder / "some.parquet"
    with duckdb.connect() as connection:
        some = f"SELECT * FROM read_parquet('{SHIPPED}') WHERE CustomerID % 50 = 7"  # noqa: S608
        connection.execute(f"COPY ({some}) TO '{file}' (FORMAT parquet)")
    return file


class Demo:
    """A running ``shuke demo``."""

    def __init__(self, process: subprocess.Popen[str], said: Callable[[], str]) -> None:
        self.process = process
        self.said = said

    def until(self, words: str) -> str:
        """Wait until it has said this; gives all that it has said."""
        end = time.monotonic() + 400
        while words not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.1)
        return self.said()

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextlib.contextmanager
def running(folder: Path, orders: Path, *options: str) -> Iterator[Demo]:
    log = folder / "said.txt"
    brand = folder / "brand"
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        # A brand's own, which a demo has to leave alone.
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/brand",
        "SHUKE_DATA_FOLDER": str(brand),
    }
    command = [SHUKE, "demo", "--out", str(folder / "demo"), "--orders", str(orders), *options]
    with log.open("w") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out, text=True) as process:
        try:
            yield Demo(process, lambda: log.read_text(encoding="utf-8"))
        finally:
            # Told to stop, it takes its server and its database with it.
            process.terminate()
            process.wait(60)
            assert not brand.exists()


def left_over(folder: Path) -> list[str]:
    """Processes that have this folder in their arguments."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = command.read_bytes().decode(errors="replace").replace("\0", " ")
            if str(folder) in words and str(os.getpid()) != command.parent.name:
                found.append(words)
    return found


def get(address: str, key: str = "") -> bytes:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - loopback, as the demo has said
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        return bytes(answer.read())


def where(said: str, name: str) -> str:
    found = re.search(rf"^  {name}: (\S+)$", said, re.MULTILINE)
    assert found, said
    return found[1]


def facts(folder: Path) -> dict[bool, int]:
    with psycopg.connect(embedded_url(folder / "demo" / "data")) as connection:
        rows = connection.execute("SELECT simulated, count(*) FROM facts GROUP BY 1").fetchall()
    return dict(rows)


def kept(folder: Path) -> dict[str, Any]:
    """What the demo has noted."""
    return dict(json.loads((folder / "demo" / "data" / "demo.json").read_text(encoding="utf-8")))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_demo_from_an_interruption_to_a_second_start(folder: Path, orders: Path, browser: Any) -> None:
    with running(folder, orders, "--lang", "en") as demo:
        demo.until("2/3")
        assert demo.end(signal.SIGINT) == 130, demo.said()
    assert left_over(folder) == []
    weeks = kept(folder)["weeks"]

    with running(folder, orders, "--lang", "en") as demo:
        said = demo.until("/v1/track")
        assert "DATABASE_URL is left alone" in said
        assert "1/3" not in said
        assert "3/3" in said
        assert_that_everything_is_there(said, browser)
        assert_that_it_is_of_the_present(folder, said)
        assert_that_an_event_arrives(said)
        before = facts(folder)
        assert demo.end(signal.SIGTERM) == 0
    assert left_over(folder) == []

    with running(folder, orders, "--lang", "zh-CN", "--no-serve") as demo:
        assert demo.process.wait(400) == 0
        assert not re.search(r"\d/3", demo.said())
    assert left_over(folder) == []
    with EmbeddedPostgres.start(folder / "demo" / "data"):
        assert facts(folder) == before
    assert kept(folder)["weeks"] == weeks
    assert not (folder / "demo" / "data" / "moved").exists()
    page = (folder / "demo" / "site" / "index.html").read_text(encoding="utf-8")
    assert "服务器没有运行" in page


def assert_that_everything_is_there(said: str, browser: Any) -> None:
    site, key = where(said, "Start here"), where(said, "API key")
    timeline = json.loads(get(where(said, "Timeline") + "?limit=500", key))
    asked = next(shlex.split(line) for line in said.splitlines() if line.startswith("curl ") and "/api/" in line)
    assert asked[2] == f"authorization: Bearer {key}"
    assert json.loads(get(asked[-1], key))["customer_id"] in asked[-1]
    marks = {(fact["simulated"], fact["source"]) for fact in timeline["facts"]}
    assert marks >= {(True, "simulator"), (False, "online-retail")}
    assert json.loads(get(where(said, "Health"))) == {"ready": True}
    assert_that_the_owner_gets_in(said)
    assert "/api/customers/{customer_id}/timeline" in json.loads(get(where(said, "API description")))["paths"]
    page = get(site).decode()
    for language in ("en", "zh-CN"):
        assert f'href="{language}/report.html"' in page
        assert get(f"{site}{language}/report.pdf").startswith(b"%PDF-")
        assert get(f"{site}{language}/report.xlsx").startswith(b"PK")
        for width in (1280, 390):
            browser.open(f"{site}{language}.html", width=width)
            assert browser.console == []
            assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert "Customer lifetime value report" in get(where(said, "Report")).decode()
    assert "顾客终身价值分析报告" in get(f"{site}zh-CN/report.html").decode()
    # What is served is the site, and not the keys beside it.
    assert b"master.keys" not in get(site)
    for path in ("../data/master.keys", "data/master.keys", "%2e%2e/data/master.keys"):
        with pytest.raises(urllib.error.HTTPError):
            get(site + path)


def assert_that_it_is_of_the_present(folder: Path, said: str) -> None:
    """Its last order is of the week before, as the page and the report say; and nothing is of the future."""
    with psycopg.connect(embedded_url(folder / "demo" / "data")) as connection:
        question = (
            "SELECT max(occurred_at) FILTER (WHERE NOT simulated AND kind <> 'stage'), max(occurred_at) FROM facts"
        )
        last, newest = connection.execute(question).fetchone() or (None, None)
        (worked_out,) = connection.execute("SELECT max(as_of) FROM refreshes").fetchone() or (None,)
    assert last is not None
    assert worked_out is not None
    # The last of every fiftieth customer.
    assert last.date() - timedelta(weeks=kept(folder)["weeks"]) == date(2011, 12, 8)
    now = datetime.now(UTC)
    assert last <= newest <= now
    assert now - last < timedelta(days=8)
    # Of the midnight before, unless another one has passed meanwhile.
    assert timedelta(0) < now - worked_out < timedelta(days=1, minutes=30)
    site = where(said, "Start here")
    assert f"moved, by {kept(folder)['weeks']} whole weeks" in get(f"{site}en.html").decode()
    as_of = json.loads(get(f"{site}en/report.json"))["as_of"]
    assert date.fromisoformat(as_of[:10]) == last.date() + timedelta(days=1)


def assert_that_the_owner_gets_in(said: str) -> None:
    """With the address and the password that are printed."""
    given = {"email": where(said, "E-mail"), "password": where(said, "Password")}
    address = where(said, "Health").replace("/readyz", "/api/session")
    request = urllib.request.Request(address, json.dumps(given).encode(), {"Content-Type": "application/json"})  # noqa: S310 - as above
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        assert json.loads(answer.read()) == {"state": "signed_in", "methods": []}


def assert_that_an_event_arrives(said: str) -> None:
    """The line that is printed, as a person pastes it; its event is the newest on the timeline that is printed."""
    words = shlex.split(said[said.index("curl -u") :].splitlines()[0])
    request = urllib.request.Request(words[-1], words[words.index("-d") + 1].encode(), method="POST")  # noqa: S310
    request.add_header("Authorization", "Basic " + base64.b64encode(words[words.index("-u") + 1].encode()).decode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        assert answer.status == 200
    end = time.monotonic() + 60
    while True:
        newest = json.loads(get(where(said, "Timeline") + "?limit=1", where(said, "API key")))["facts"][0]
        if newest["name"] == "Product Added to Wishlist":
            break
        assert time.monotonic() < end, newest
        time.sleep(0.2)
    assert (newest["simulated"], newest["source"]) == (False, "demo-site")
