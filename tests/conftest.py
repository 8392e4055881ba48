"""What every test may ask for."""

import asyncio
import contextlib
import gc
import hashlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa
import structlog
import uvicorn
from pydantic import TypeAdapter
from starlette.types import ASGIApp, Receive, Scope, Send
from xdist.scheduler import LoadFileScheduling

from shuke import access
from shuke.app.web import build_web
from shuke.platform import Database, EmbeddedPostgres, Engine, Keyring, Settings, Workplace, migrate, open_engine

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
CLIENTS = Path(__file__).parent / "clients"
OLDEST = Path("/usr/lib/postgresql/15/bin")
MEMORY = Path("/dev/shm")  # noqa: S108 - in a folder of our own
#: Some times what the servers of all workers take.
MEMORY_BYTES_MIN = 4 * 2**30


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: the last file to begin should be a short one, since the others wait for it."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """A file goes to one process whole, and all files of Spark to the same, so that one Spark is started."""

    @cache
    def needs_spark(file: str) -> bool:
        return "pytest.mark.spark" in (config.rootpath / file).read_text("utf-8")

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "spark" if needs_spark(file) else file

    return Together(config, log)


def pytest_collection_finish() -> None:
    """What was imported stays, and no look for garbage need go through it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository, which may be absent at a newcomer's but never in CI."""
    if not SHARED_DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have the real data at {SHARED_DATA}")
        pytest.skip(f"needs the real data at {SHARED_DATA}, which may not be shipped for its licence")
    return SHARED_DATA


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that are marked so run on the oldest PostgreSQL that is promised as well as on our own."""
    if metafunc.definition.get_closest_marker("oldest") and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", ["own", "oldest"], indirect=True)


@pytest.fixture(scope="session")
def oldest_postgres() -> Callable[[Path], AbstractContextManager[str]]:
    """Runs a PostgreSQL 15, Debian's, on a folder that it makes; gives its address."""
    if not OLDEST.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have PostgreSQL 15")
        pytest.skip("needs PostgreSQL 15")

    @contextlib.contextmanager
    def running(cluster: Path) -> Iterator[str]:
        cluster.mkdir(mode=0o700)
        switch: dict[str, int] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(cluster, nobody.pw_uid, nobody.pw_gid)
            switch = {"user": nobody.pw_uid, "group": nobody.pw_gid}
        subprocess.run(
            [OLDEST / "initdb", "-D", cluster, "-U", "brand", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd="/",
            **switch,  # type: ignore[call-overload]
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = f"postgresql://brand@127.0.0.1:{port}/postgres"
        command = [OLDEST / "postgres", "-D", cluster, "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
        with subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **switch) as server:  # type: ignore[call-overload]
            try:
                until = time.monotonic() + 60
                while not _answers(url):
                    assert time.monotonic() < until
                    time.sleep(0.1)
                yield url
            finally:
                server.send_signal(signal.SIGINT)

    return running


def _answers(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(url).close()
        return True
    return False


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for all tests of this process; nothing of it outlives them, so it need not write through."""
    hasty = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
    hasty |= {"max_wal_size": "256MB"}
    with _quick_folder() as folder, EmbeddedPostgres.start(folder / "data", configuration=hasty) as server:
        yield server


@contextlib.contextmanager
def _quick_folder() -> Iterator[Path]:
    """A folder for a while, which the account of a server can pass through; in memory where there is room.

    A database is 700 files: on a disk it takes several times as long to make one, and to delete it.
    """
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    quick = roomy and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    with tempfile.TemporaryDirectory(prefix="shuke-test-", dir=MEMORY if quick else None) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture(scope="session")
def new_database(postgres: EmbeddedPostgres) -> Callable[[], str]:
    """Makes the address of a fresh database with every table, a copy of one that was migrated once."""
    return _copies(postgres.url)


@pytest.fixture(scope="session")
def new_oldest_database(oldest_postgres: Callable[[Path], AbstractContextManager[str]]) -> Iterator[Callable[[], str]]:
    """The same on the oldest PostgreSQL, which runs beside our own: each is started once."""
    with _quick_folder() as folder, oldest_postgres(folder / "cluster") as url:
        yield _copies(url)


def _copies(server: str) -> Callable[[], str]:
    with Database(_made(server, "migrated", "template1"), connections=1) as database:
        migrate(database)
    numbers = itertools.count()
    return lambda: _made(server, f"test_{next(numbers)}", "migrated")


def _made(server: str, name: str, template: str) -> str:
    """The address of a new database."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')  # type: ignore[arg-type]
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def _dropped(url: str) -> None:
    """Give the room of a database free; whoever is still connected has to go."""
    address = sa.make_url(url)
    with psycopg.connect(address.set(database="postgres").render_as_string(hide_password=False)) as connection:
        connection.autocommit = True
        connection.execute(f'DROP DATABASE "{address.database}" WITH (FORCE)')  # type: ignore[arg-type]


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A fresh database with every table."""
    oldest = getattr(request, "param", "own") == "oldest"
    new: Callable[[], str] = request.getfixturevalue("new_oldest_database" if oldest else "new_database")
    with Database(new()) as fresh:
        yield fresh
    _dropped(fresh.url)


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """Master keys of this test run."""
    return Keyring.new()


@pytest.fixture
def workplace(database: Database, keyring: Keyring, tmp_path: Path) -> Workplace:
    """What requests and jobs work with, on a fresh database and an empty data folder."""
    return Workplace(Settings(data_folder=tmp_path, database_url=database.url), database, keyring)


@pytest.fixture(scope="session")
def key_for() -> Callable[..., str]:
    """Makes an API key of a role, in the scope of the role or another."""

    def made(place: Workplace, role: str, *, where: access.Where | None = None, places: Sequence[str] = ()) -> str:
        with place.database.begin() as tx:
            wanted = access.NewKey(name=role, role=role, where=where, places=places)
            return access.make_key(tx, access.COMMAND, wanted, datetime.now(UTC))[1]

    return made


@pytest.fixture(scope="session", autouse=True)
def _types_read_once() -> Iterator[None]:
    """What pydantic makes of a type is the same in each application; to make it is half of building one."""
    made: dict[Any, tuple[TypeAdapter[Any], Any]] = {}

    def adapter(kind: Any, *, config: Any = None) -> TypeAdapter[Any]:
        # What says how it is read is known by what it shows, which of the factory of a default is only the name.
        about = tuple((repr(one), getattr(one, "default_factory", None)) for one in kind.__metadata__)
        key = (kind.__origin__, about, repr(config))
        if key not in made:
            # It is kept itself, for what it shows may be the address of a part.
            made[key] = TypeAdapter(kind, config=config), kind
        return made[key][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastapi._compat.v2.TypeAdapter", adapter)
        yield


@pytest.fixture(scope="session")
def web_of(key_for: Callable[..., str]) -> Callable[..., ASGIApp]:
    """The application, to which everybody who says nothing else comes with a key of this role."""

    def built(place: Workplace, role: str = "owner") -> ASGIApp:
        app = build_web(place)
        secret = key_for(place, role).encode()

        async def with_key(scope: Scope, receive: Receive, send: Send) -> None:
            wants = scope["type"] == "http" and not scope["path"].startswith("/v1/")
            if wants and b"authorization" not in dict(scope["headers"]):
                scope["headers"] = [*scope["headers"], (b"authorization", b"Bearer " + secret)]
            await app(scope, receive, send)

        return with_key

    return built


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> Iterator[None]:
    """What a command in a test made of the log ends with the test: else the next would write where nobody reads."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def ask(workplace: Workplace, web_of: Callable[..., ASGIApp]) -> Callable[..., httpx.Response]:
    """Asks the application itself as an owner does, without a network: method, path, and what httpx takes."""
    app = web_of(workplace)

    def asked(method: str, path: str, **options: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(answer())

    return asked


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
def spark_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One Spark inside this machine for all tests of this process, for it takes many seconds to start and get going."""
    if shutil.which("java") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have a Java runtime")
        pytest.skip("needs a Java runtime")
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        # What runs so shortly is not worth a compiler that optimises and a collector of many threads: these two
        # settings saved two fifths of the processor's time.
        patch.setenv("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        with open_engine("spark", work_folder=folder, memory_limit_bytes=2**30, threads=1) as engine:
            yield engine


@pytest.fixture(scope="session")
def segment_clients() -> Path:
    """The folder with Segment's own clients and a provider of identities, as locked; installed once for each lock."""
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
