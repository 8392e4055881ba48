"""The PostgreSQL of our own: starts anywhere, belongs to one process, and loses nothing that was committed."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from shuke.base.errors import Conflict, NotAvailable
from shuke.platform import EmbeddedPostgres, embedded_url
from shuke.platform.database import embedded

OWNER = """
import sys, time
from pathlib import Path
from shuke.platform import EmbeddedPostgres
server = EmbeddedPostgres.start(Path(sys.argv[1]))
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that an account without rights can pass through, should root run the tests."""
    with tempfile.TemporaryDirectory(prefix="shuke-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


@contextmanager
def owned(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process with a server on the folder, and the server's number."""
    with subprocess.Popen([sys.executable, "-c", OWNER, folder], stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            yield owner, int(owner.stdout.readline())
        finally:
            owner.kill()


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert found is not None
    return int(found[0])


def test_it_starts_keeps_and_starts_again(folder: Path) -> None:
    with EmbeddedPostgres.start(folder) as server:
        assert server.url == embedded_url(folder)
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 100)")
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert (folder / "run").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url)
    with EmbeddedPostgres.start(folder) as server:
        assert rows(server.url) == 100


def test_a_second_owner_is_refused_and_told_who_the_first_is(folder: Path) -> None:
    with owned(folder) as (owner, _):
        with pytest.raises(Conflict) as refused:
            EmbeddedPostgres.start(folder)
        assert refused.value.code == "platform.database_in_use"
        assert refused.value.values["pid"] == str(owner.pid)
        # The first goes on as if nothing had been.
        with psycopg.connect(embedded_url(folder)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    # What the killed owner left running is ended by the next one.
    EmbeddedPostgres.start(folder).stop()


def test_nothing_committed_is_lost_when_owner_and_server_are_killed(folder: Path) -> None:
    with owned(folder) as (_, server_pid), psycopg.connect(embedded_url(folder), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (number int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        os.kill(server_pid, signal.SIGKILL)
    with EmbeddedPostgres.start(folder) as server:
        assert rows(server.url) == 1000


def test_a_killed_server_is_revived(folder: Path) -> None:
    with EmbeddedPostgres.start(folder) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 10)")
        os.kill(server.pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while server.running and time.monotonic() < until:
            time.sleep(0.01)
        assert not server.running
        server.revive()
        assert rows(server.url) == 10


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(NotAvailable) as failed:
        EmbeddedPostgres.start(folder, configuration={"shared_buffers": "no number"})
    assert failed.value.code == "platform.database_failed"
    assert "shared_buffers" in failed.value.values["end"]
    # The folder is free again.
    EmbeddedPostgres.start(folder).stop()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    host = embedded_url(deep).partition("host=")[2].partition("&")[0]
    assert len(os.fsencode(host)) <= 85
    assert embedded_url(deep) == embedded_url(deep)
    assert embedded_url(deep) != embedded_url(deep / "other")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server changes the account")
def test_root_is_told_of_a_folder_that_its_server_cannot_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(NotAvailable) as refused:
        EmbeddedPostgres.start(closed / "data")
    assert refused.value.code == "platform.database_folder_closed"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server changes the account")
def test_programs_that_the_account_cannot_reach_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = embedded._shipped()
    can_enter = embedded._can_enter
    monkeypatch.setattr(embedded, "_can_enter", lambda path, account: path != shipped and can_enter(path, account))
    with EmbeddedPostgres.start(folder) as server:
        assert Path(f"/proc/{server.pid}/exe").resolve().is_relative_to(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as somebody else")
def test_it_is_known_beforehand_where_roots_server_can_run(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not EmbeddedPostgres.fits(closed / "data")
    assert EmbeddedPostgres.fits(Path("/var/lib/shuke-none/data"))
