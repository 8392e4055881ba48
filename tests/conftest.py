"""What every test may ask for."""

import contextlib
import hashlib
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
import uvicorn
from starlette.types import ASGIApp

from shuke.platform import Database, EmbeddedPostgres, Keyring, Settings, Workplace, migrate

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
CLIENTS = Path(__file__).parent / "clients"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: the last file to begin should be a short one, since the others wait for it."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository, which may be absent at a newcomer's but never in CI."""
    if not SHARED_DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have the real data at {SHARED_DATA}")
        pytest.skip(f"needs the real data at {SHARED_DATA}, which may not be shipped for its licence")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for all tests of this process; nothing of it outlives them, so it need not write through."""
    with tempfile.TemporaryDirectory(prefix="shuke-test-") as folder:
        Path(folder).chmod(0o711)
        hasty = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
        with EmbeddedPostgres.start(Path(folder) / "data", configuration=hasty) as server:
            yield server


@pytest.fixture(scope="session")
def new_database(postgres: EmbeddedPostgres) -> Callable[[], str]:
    """Makes the address of a fresh database with every table, a copy of one that was migrated once."""
    _create(postgres, "migrated", "template1")
    with Database(postgres.url.replace("/shuke?", "/migrated?"), connections=1) as database:
        migrate(database)
    numbers = itertools.count()

    def make() -> str:
        name = f"test_{next(numbers)}"
        _create(postgres, name, "migrated")
        return postgres.url.replace("/shuke?", f"/{name}?")

    return make


def _create(postgres: EmbeddedPostgres, name: str, template: str) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')  # type: ignore[arg-type]


@pytest.fixture
def database(new_database: Callable[[], str]) -> Iterator[Database]:
    """A fresh database with every table."""
    with Database(new_database()) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """Master keys of this test run."""
    return Keyring.new()


@pytest.fixture
def workplace(database: Database, keyring: Keyring, tmp_path: Path) -> Workplace:
    """What requests and jobs work with, on a fresh database and an empty data folder."""
    return Workplace(Settings(data_folder=tmp_path, database_url=database.url), database, keyring)


@pytest.fixture(scope="session")
def serve() -> Callable[[ASGIApp], AbstractContextManager[str]]:
    """Serves an application on a port of this machine, for clients that know nothing of tests; gives its address."""

    @contextlib.contextmanager
    def serving(app: ASGIApp) -> Iterator[str]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            until = time.monotonic() + 20
            while not server.started and time.monotonic() < until:
                time.sleep(0.01)
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join(20)

    return serving


@pytest.fixture(scope="session")
def segment_clients() -> Path:
    """The folder with Segment's own clients for Node and pages, as locked; installed once for each lock."""
    npm = shutil.which("npm")
    if npm is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Node and npm")
        pytest.skip("needs Node and npm for Segment's own clients")
    lock = (CLIENTS / "package-lock.json").read_bytes()
    installed = CLIENTS.parents[1] / ".cache" / f"clients-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not installed.is_dir():
        installed.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=installed.parent) as name:
            for part in CLIENTS.glob("package*.json"):
                shutil.copy(part, name)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=name, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stderr
            # Whole or not at all; another test process may have been first.
            with contextlib.suppress(OSError):
                Path(name).rename(installed)
            Path(name).mkdir(exist_ok=True)
    return installed / "node_modules"
