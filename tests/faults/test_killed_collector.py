"""Acknowledged events under kill -9 of web, worker and PostgreSQL: none is lost, and none counts twice.

The senders do what real ones do at their worst: they repeat what was not acknowledged, send a fifth of the rest twice,
a tenth weeks late, all in no order, and some of it is not usable.
"""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import httpx
import pytest
import sqlalchemy as sa

from shuke.collect import add_source
from shuke.collect.jobs import empty_inbox
from shuke.platform import Database, EmbeddedPostgres, Keyring, Settings, Workplace, migrate

SENDERS = 4
BATCH = 20
#: The machine may have much else to do.
START_SECONDS = 240


class Collecting:
    """A PostgreSQL that writes through, web and worker on it; each can be killed, and is started again."""

    def __init__(self, folder: Path, server: EmbeddedPostgres, key: str, keyring: Keyring) -> None:
        self.folder = folder
        self.server = server
        self.key = key
        self.keyring = keyring
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(256)
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.program = ["-m", "shuke.app"]
        self.web = self.start("web", "--socket", str(self.listener.fileno()))
        self.worker = self.start("worker")

    def start(self, *part: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "DATABASE_URL": self.server.url,
            "SHUKE_DATA_FOLDER": str(self.folder / "data"),
            "SHUKE_MASTER_KEY_FILE": str(self.folder / "master.keys"),
        }
        return subprocess.Popen(
            [sys.executable, *self.program, *part],
            env=environment,
            pass_fds=(self.listener.fileno(),),
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200:
                    return
            time.sleep(0.1)
        pytest.fail("the web process does not answer")

    def kill_web(self) -> None:
        self.web.kill()
        self.web.wait(30)
        self.web = self.start("web", "--socket", str(self.listener.fileno()))

    def kill_worker(self) -> None:
        self.end_worker()
        self.worker = self.start("worker")

    def end_worker(self) -> None:
        self.worker.kill()
        self.worker.wait(30)

    def kill_postgres(self) -> None:
        os.kill(self.server.pid, signal.SIGKILL)
        until = time.monotonic() + START_SECONDS
        while self.server.running and time.monotonic() < until:
            time.sleep(0.05)
        self.server.revive()
        if self.worker.poll() is not None:
            # As the process above it does.
            self.worker = self.start("worker")

    def close(self) -> None:
        self.web.kill()
        self.web.wait(30)
        self.end_worker()
        self.listener.close()


@pytest.fixture
def collecting() -> Iterator[Collecting]:
    with TemporaryDirectory(prefix="shuke-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedPostgres.start(folder / "data", configuration={"shared_buffers": "64MB"}) as server:
            keyring = Keyring.new()
            keyring.save(folder / "master.keys")
            with Database(server.url, connections=2) as database:
                migrate(database)
                with database.begin() as tx:
                    key = add_source(tx, "site", now=datetime.now(UTC))
            running = Collecting(folder, server, key, keyring)
            try:
                running.wait()
                yield running
            finally:
                running.close()


class Load:
    """Senders that repeat a batch until it is acknowledged, as real clients do, and note what was acknowledged."""

    def __init__(self, running: Collecting) -> None:
        self.running = running
        self.acknowledged: set[str] = set()
        #: Deliveries of events that were acknowledged, and all that were tried.
        self.taken = 0
        self.tried = 0
        self.repeated = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(START_SECONDS)

    def _send(self, sender: int) -> None:
        chance = random.Random(sender)  # noqa: S311 - data, not secrets
        number = 0
        with httpx.Client(base_url=self.running.address, timeout=10) as client:
            while not self._stop.is_set():
                messages = [f"{sender}-{number}-{place}" for place in range(BATCH)]
                number += 1
                batch = [self._event(sender, one, chance) for one in messages]
                self._deliver(client, messages, batch)
                if chance.random() < 0.2:
                    chance.shuffle(batch)
                    self._deliver(client, messages, batch)

    @staticmethod
    def _event(sender: int, message: str, chance: random.Random) -> dict[str, Any]:
        at = datetime.now(UTC) - timedelta(days=30 if chance.random() < 0.1 else 0, seconds=chance.randrange(3600))
        kind = "trace" if message.endswith("-7") else "track"
        return {
            "type": kind,
            "event": "E",
            "userId": f"u{sender}-{chance.randrange(9)}",
            "messageId": message,
            "timestamp": at.isoformat(),
        }

    def _deliver(self, client: httpx.Client, messages: list[str], batch: list[dict[str, Any]]) -> None:
        body = json.dumps({"batch": batch, "writeKey": self.running.key})
        while not self._stop.is_set():
            with self._lock:
                self.tried += len(batch)
            try:
                status = client.post("/v1/batch", content=body).status_code
            except httpx.HTTPError:
                status = 0
            if status == 200:
                with self._lock:
                    self.taken += len(batch)
                    self.acknowledged.update(messages)
                return
            assert status in (0, 429, 503), status
            self.repeated += 1
            time.sleep(0.05)


def lost(running: Collecting, load: Load) -> int:
    """How many acknowledged events are nowhere. Of all others each is once on the timeline or was set aside with a
    reason, and every delivery was counted as one of these or as a duplicate."""
    running.end_worker()
    with Database(running.server.url, connections=2) as database:
        place = Workplace(Settings(), database, running.keyring)
        until = time.monotonic() + START_SECONDS
        # The killed worker's session holds its lock until PostgreSQL notices.
        while not empty_inbox(place, seconds_max=60):
            assert time.monotonic() < until
            time.sleep(0.1)
        with database.read() as tx:
            facts = tx.scalars(sa.text("SELECT count(*) FROM facts WHERE kind = 'track'")).one()
            found = {bytes(message) for message in tx.scalars(sa.text("SELECT message FROM message_ids"))}
            outcomes = sa.text("SELECT outcome, sum(events) AS events FROM volumes GROUP BY outcome")
            counted = {row.outcome: int(row.events) for row in tx.execute(outcomes)}
            rejects = tx.scalars(sa.text("SELECT count(*) FROM rejects")).one()
    assert facts == counted["fact"] == len(found)
    assert rejects == counted["unknown_type"]
    assert sum(counted.values()) <= load.tried
    usable = {one for one in load.acknowledged if not one.endswith("-7")}
    missing = {running.keyring.index("message", one) for one in usable} - found
    return max(len(missing), load.taken - sum(counted.values()))


def kill_all(running: Collecting, load: Load, rounds: int) -> None:
    kills: list[Callable[[], Any]] = [running.kill_web, running.kill_postgres, running.kill_worker]
    for number in range(rounds):
        before = len(load.acknowledged)
        until = time.monotonic() + START_SECONDS
        while len(load.acknowledged) < before + 10 * BATCH and time.monotonic() < until:
            time.sleep(0.02)
        assert len(load.acknowledged) > before, "nothing was taken any more"
        kills[number % len(kills)]()


@pytest.mark.slow
def test_no_acknowledged_event_is_lost(collecting: Collecting) -> None:
    with Load(collecting) as load:
        kill_all(collecting, load, rounds=3)
        collecting.wait()
    assert load.acknowledged
    assert load.repeated
    assert lost(collecting, load) == 0


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_no_acknowledged_event_is_lost_in_many_kills(collecting: Collecting) -> None:
    with Load(collecting) as load:
        kill_all(collecting, load, rounds=45)
        collecting.wait()
    assert lost(collecting, load) == 0


# Answers when it has understood a request, and stores it a moment later.
HASTY = """
import threading, time
from shuke.app.cli import main
from shuke.collect.http import collector

def hasty(self, arrivals):
    self._look(collector.KEYS_SECONDS)
    outcomes = [self._read(arrival) for arrival in arrivals]
    threading.Thread(target=lambda: (time.sleep(0.3), real(self, arrivals))).start()
    return [len(one.envelopes) if hasattr(one, "envelopes") else one for one in outcomes]

real = collector.Collector._commit
collector.Collector._commit = hasty
main()
"""


@pytest.mark.slow
def test_a_collector_that_answers_before_the_commit_is_caught(collecting: Collecting) -> None:
    collecting.program = ["-c", HASTY]
    collecting.kill_web()
    collecting.wait()
    with Load(collecting) as load:
        kill_all(collecting, load, rounds=2)
        collecting.wait()
    assert lost(collecting, load) > 0
