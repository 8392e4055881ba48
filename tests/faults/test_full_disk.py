"""A disk that is full: nothing is acknowledged that is not stored, and all goes on by itself when there is room again.

The disk is a small file system in memory that only the processes of the test see. Mounting it takes root's rights, or
those that a system may give anybody within a space of their own.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shuke import access
from shuke.collect import add_source
from shuke.platform import Database, Workplace

SHUKE = str(Path(sys.executable).with_name("shuke"))
WAIT_SECONDS = 240
BATCH = 100


@pytest.fixture(scope="module")
def own_mounts() -> list[str]:
    """The words before a command that may mount for itself."""
    alone = ["unshare", "--mount"]
    if os.geteuid() != 0:
        alone += ["--user", "--map-current-user", "--keep-caps"]
    try:
        subprocess.run([*alone, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as reason:
        pytest.skip(f"needs the right to mount a file system in memory: {reason}")
    return alone


def fill(folder: Path, *, leave_bytes: int) -> Path:
    """Take all room of a disk but so much; what takes it."""
    ballast = folder / "ballast"
    found = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(found.f_bavail * found.f_frsize - leave_bytes, 1))
    return ballast


# Answers when it has understood a request, and stores it a moment later.
HASTY = """
import sys
if sys.argv[1:2] == ["web"]:
    from shuke.collect.http import collector

    def hasty(self, arrivals):
        outcomes = real(self, arrivals)
        return [1 if getattr(one, "status", 0) == 503 else one for one in outcomes]

    real = collector.Collector._commit
    collector.Collector._commit = hasty
"""


class Server:
    """A ``shuke serve`` whose data folder is a disk of 300 MB; seen from outside at ``folder``."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, folder: Path) -> None:
        self.process = process
        self.client = httpx.Client(base_url=address, timeout=30)
        self.folder = folder
        self.database = Database(f"postgresql:///shuke?host={folder / 'run'}&user=shuke", connections=2)
        with self.database.begin() as tx:
            self.key = add_source(tx, "site", now=datetime.now(UTC))
            wanted = access.NewKey(name="test", role="owner")
            self.api_key = access.make_key(tx, access.COMMAND, wanted, datetime.now(UTC))[1]
        self.sent = 0
        self.acknowledged = 0

    def send(self) -> int:
        """Send a batch; the status."""
        text = os.urandom(800).hex()
        batch = [
            {"type": "track", "event": "E", "userId": "u", "messageId": str(self.sent + one), "properties": {"x": text}}
            for one in range(BATCH)
        ]
        self.sent += BATCH
        answer = self.client.post("/v1/batch", json={"batch": batch, "writeKey": self.key})
        if answer.status_code == 200:
            self.acknowledged += BATCH
        return answer.status_code

    def until_status(self, status: int) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while self.send() != status:
            assert time.monotonic() < until
            time.sleep(0.02)

    def kept(self) -> int:
        """How many events there are, when none waits any more."""
        until = time.monotonic() + WAIT_SECONDS
        while True:
            with self.database.read() as tx:
                waiting = tx.scalars(sa.text("SELECT count(*) FROM inbox")).one()
                facts = tx.scalars(sa.text("SELECT count(*) FROM facts")).one()
            if not waiting:
                return facts
            assert time.monotonic() < until
            time.sleep(0.2)


@contextlib.contextmanager
def serving(own_mounts: list[str], startup: str = "") -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="shuke-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        data, log = folder / "data", folder / "log"
        data.mkdir()
        (folder / "sitecustomize.py").write_text(startup, encoding="utf-8")
        environment = {**os.environ, "SHUKE_DATA_FOLDER": str(data), "PYTHONPATH": str(folder), "LANG": "C"}
        environment.pop("DATABASE_URL", None)
        command = f'mount -t tmpfs -o size=300m,mode=0711 tmpfs "{data}" && exec "{SHUKE}" serve --port 0'
        with log.open("wb") as out:
            process = subprocess.Popen([*own_mounts, "sh", "-c", command], env=environment, stdout=out, stderr=out)
        try:
            until = time.monotonic() + WAIT_SECONDS
            while (found := re.search(r"http://\S+:\d+", log.read_text("utf-8"))) is None:
                assert process.poll() is None, log.read_text("utf-8")
                assert time.monotonic() < until, log.read_text("utf-8")
                time.sleep(0.1)
            server = Server(process, found[0], Path(f"/proc/{process.pid}/root{data}"))
            with server.client, server.database:
                while True:
                    with contextlib.suppress(httpx.HTTPError):
                        if server.client.get("/readyz").status_code == 200:
                            break
                    assert time.monotonic() < until, log.read_text("utf-8")
                    time.sleep(0.1)
                yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_SECONDS)


def lost(server: Server, *, full_for_batches: int) -> int:
    """Fill the disk under load, make room again, and count the acknowledged events that are nowhere."""
    server.until_status(200)
    ballast = fill(server.folder, leave_bytes=2_000_000)
    before = server.acknowledged
    statuses = {server.send() for _ in range(full_for_batches)}
    assert server.acknowledged < before + BATCH * full_for_batches or statuses == {200}
    refused = server.client.put(
        "/api/products/p",
        json={"name": "x" * 200, "attributes": {"a": "x" * 200}},
        headers={"authorization": f"Bearer {server.api_key}"},
    )
    if refused.status_code != 200:
        assert (refused.status_code, refused.json()["code"]) == (503, "app.try_later")
    ballast.unlink()
    server.until_status(200)
    assert server.client.get("/readyz").status_code == 200
    assert server.process.poll() is None
    return server.acknowledged - server.kept()


@pytest.mark.faults
def test_a_full_disk_stops_and_loses_nothing(own_mounts: list[str]) -> None:
    with serving(own_mounts) as server:
        assert lost(server, full_for_batches=60) == 0
        assert server.acknowledged < server.sent


@pytest.mark.faults
def test_an_answer_before_the_commit_is_caught(own_mounts: list[str]) -> None:
    with serving(own_mounts, HASTY) as server:
        assert lost(server, full_for_batches=60) > 0


# Copies to a lake on a small disk: whole, then with no room for a second batch, then with room again. Tells the rows
# that a reader sees after each.
COPY = """
import json, os, sys
import polars as pl
import sqlalchemy as sa
from pathlib import Path
from shuke.collect.service.lake import update_lake
from shuke.platform import Database, Keyring, Lake, Settings, Workplace

folder, url, fault = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
real = Lake.write

def in_pieces(self, name, batch, *, app_id, version):
    # Planted: each piece of a batch is a commit of its own.
    for number, piece in enumerate(batch):
        for start in range(0, piece.num_rows, 1000):
            import pyarrow as pa
            part = pa.table(piece.slice(start, 1000))
            real(self, name, part, app_id=f"{app_id}/{number}/{start}", version=version)
    return True

if fault:
    Lake.write = in_pieces

def add(tx, number):
    text = "SELECT string_agg(md5(random()::text || piece || n), '') FROM generate_series(1, 20) AS piece"
    tx.execute(sa.text(
        "INSERT INTO facts (fact_id, occurred_at, received_at, kind, properties)"
        f" SELECT gen_random_uuid(), now(), now(), 'track', jsonb_build_object('x', ({text}))"
        " FROM generate_series(1, :number) AS n"), {"number": number})

def seen():
    return pl.scan_delta(str(folder / "lake" / "facts")).select(pl.len()).collect().item()

found = {}
with Database(url, connections=3) as database:
    place = Workplace(Settings(data_folder=folder), database, Keyring.new())
    with database.begin() as tx:
        tx.execute(sa.text("SELECT make_fact_months(now(), now())"))
        add(tx, 100)
    update_lake(place)
    found["before"] = seen()
    with database.begin() as tx:
        add(tx, 10_000)
    ballast = folder / "ballast"
    room = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - 2_500_000)
    try:
        update_lake(place)
        found["error"] = ""
    except Exception as error:
        found["error"] = f"{type(error).__name__}: {error}"
    found["full"] = seen()
    ballast.unlink()
    update_lake(place)
    found["after"] = seen()
print(json.dumps(found))
"""


def copied(own_mounts: list[str], workplace: Workplace, folder: Path, fault: str) -> dict[str, Any]:
    command = f'mount -t tmpfs -o size=64m tmpfs "{folder}" && exec "$0" -c "$1" "{folder}" "$2" "$3"'
    done = subprocess.run(
        [*own_mounts, "sh", "-c", command, sys.executable, COPY, workplace.database.url, fault],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("fault", ["", "each piece of a batch is a commit"])
def test_a_full_disk_leaves_no_half_batch_in_the_lake(
    fault: str, own_mounts: list[str], workplace: Workplace, tmp_path: Path
) -> None:
    found = copied(own_mounts, workplace, tmp_path, fault)
    assert "No space left" in found["error"], found
    assert found["before"] == 100
    assert (found["full"] == 100) == (fault == ""), found
    if not fault:
        assert found["after"] == 10_100
