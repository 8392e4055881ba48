"""The server as a person runs it: one command, ended and begun again, on its own PostgreSQL and on Debian's."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

pytestmark = pytest.mark.slow

SHUKE = str(Path(sys.executable).with_name("shuke"))
START_SECONDS = 180


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that an account without rights can pass through, should root run the tests."""
    with tempfile.TemporaryDirectory(prefix="shuke-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


class Server:
    """A running ``shuke serve``."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        self.address = ""

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as answer:  # noqa: S310 - our own address
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def post(self, path: str, body: dict[str, str]) -> object:
        data, headers = json.dumps(body).encode(), {"content-type": "application/json"}
        request = urllib.request.Request(self.address + path, data=data, headers=headers)  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - likewise
            return json.loads(answer.read())

    def child(self, part: str) -> int:
        """The first process of this part."""
        found = self.children(part)
        if not found:
            raise LookupError(part)
        return found[0]

    def children(self, part: str) -> list[int]:
        """The processes of this part."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = stat.read_text().rpartition(")")[2].split()[1]
                words = (stat.parent / "cmdline").read_bytes().decode().split("\0")
                if int(parent) == self.process.pid and part in words:
                    found.append(int(stat.parent.name))
        return sorted(found)


def until(holds: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


@contextlib.contextmanager
def serving(folder: Path, **environment: str) -> Iterator[Server]:
    log = folder.parent / "serve.log"
    given = {**os.environ, "SHUKE_DATA_FOLDER": str(folder), "SHUKE_LOG_FORMAT": "json", "LANG": "C", **environment}
    with (
        log.open("w") as out,
        subprocess.Popen([SHUKE, "serve", "--port", "0"], env=given, stdout=out, stderr=out, text=True) as process,
    ):
        server = Server(process, log)
        try:
            until(lambda: "http://" in server.said() or process.poll() is not None)
            found = re.search(r"http://\S+:\d+/", server.said())
            assert found, server.said()
            server.address = found[0]
            until(lambda: server.get("readyz")[0] == 200)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)


def doctor(folder: Path, language: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "SHUKE_DATA_FOLDER": str(folder)}
    return subprocess.run([SHUKE, "doctor", "--lang", language], env=given, capture_output=True, text=True, check=False)


def test_serve_recovers_what_is_killed_and_stops_clean(folder: Path) -> None:
    before = doctor(folder, "en")
    assert before.returncode == 1
    assert "shuke serve" in before.stdout
    with serving(folder) as server:
        assert server.get("livez") == (200, "ok\n")
        assert json.loads(server.get("readyz")[1]) == {"ready": True}
        assert "shuke_http_requests_total" in server.get("metrics")[1]
        assert server.get("no-such-page")[0] == 404

        own(server, folder)

        second = subprocess.run(
            [SHUKE, "serve", "--port", "0", "--lang", "zh-CN"],
            env={**os.environ, "SHUKE_DATA_FOLDER": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 2
        assert f"另一个进程（编号 {server.process.pid}）" in second.stderr

        web = server.child("web")
        os.kill(web, signal.SIGKILL)
        until(lambda: server.get("readyz")[0] == 200 and server.child("web") != web)

        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        until(lambda: "database ended" in server.said())
        until(lambda: server.get("readyz")[0] == 200)

        for language, words in (("en", "at work"), ("zh-CN", "个正在工作")):
            # The workers, which lost their database, may just be beginning anew.
            until(lambda: words in doctor(folder, language).stdout)  # noqa: B023 - done within this turn
        until(lambda: len(server.children("worker")) == 2)
        children = [server.child("web"), *server.children("worker")]
    assert server.process.returncode == 0
    for one in children:
        assert not Path(f"/proc/{one}").exists()
    assert not (folder / "postgres" / "postmaster.pid").exists()
    for line in server.said().splitlines():
        if line.startswith("{") and '"request"' in line:
            assert json.loads(line)["request_id"]


def own(server: Server, folder: Path) -> None:
    """Become the owner by the link in the terminal; then forget the password, and get back in."""
    link = re.search(rf"{server.address}setup#(\S+)", server.said())
    assert link, server.said()
    given = {"name": "Li Lei", "email": "lei@brand.cn", "password": "upward tea lantern"}
    assert json.loads(server.get("api/setup")[1]) == {"needed": True}
    assert server.post("api/setup", {"token": link[1], **given}) == {"state": "signed_in", "methods": []}
    assert json.loads(server.get("api/setup")[1]) == {"needed": False}
    environment = {**os.environ, "SHUKE_DATA_FOLDER": str(folder), "SHUKE_PUBLIC_URL": server.address}
    back = subprocess.run(
        [SHUKE, "access", "owner", "--email", "lei@brand.cn"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    token = back.stdout.strip().removeprefix(f"{server.address}invite#")
    accepted = server.post("api/invitations/accept", {"token": token, "password": "kitchen window blue"})
    assert accepted == {"state": "signed_in", "methods": []}
    # What lets somebody in is in no line of the log; the terminal alone was told.
    for secret in (link[1], token, "upward tea lantern", "lei@brand.cn"):
        assert not [line for line in server.said().splitlines() if line.startswith("{") and secret in line]


@pytest.fixture
def debian(folder: Path, oldest_postgres: Callable[[Path], AbstractContextManager[str]]) -> Iterator[str]:
    """The address of a PostgreSQL 15 of Debian's."""
    with oldest_postgres(folder.parent / "cluster") as url:
        yield url


def test_serve_uses_the_postgresql_that_it_is_given(folder: Path, debian: str) -> None:
    with serving(folder, DATABASE_URL=debian, SHUKE_WORKERS="1") as server:
        assert server.get("readyz")[0] == 200
        assert not (folder / "postgres").exists()
        query = "SELECT count(*) FROM procrastinate_workers"
        with psycopg.connect(debian, autocommit=True) as connection:
            assert connection.execute("SHOW server_version_num").fetchone() < ("160000",)
            until(lambda: connection.execute(query).fetchone() == (1,))
        extra = subprocess.Popen(
            [SHUKE, "worker"], env={**os.environ, "SHUKE_DATA_FOLDER": str(folder), "DATABASE_URL": debian}
        )
        try:
            with psycopg.connect(debian, autocommit=True) as connection:
                until(lambda: connection.execute(query).fetchone() == (2,))
        finally:
            extra.terminate()
            assert extra.wait(START_SECONDS) == 0
