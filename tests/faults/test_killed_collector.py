"""Acknowledged events under kill -9 of the web process and of PostgreSQL: none is lost, and none counts twice."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
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
START_SECONDS = 60


class Collecting:
    """A PostgreSQL that writes through, and a web process on it; each can be killed, and is started again."""

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
        self.web = self.start_web()

    def start_web(self) -> subprocess.Popen[bytes]:
        number = self.listener.fileno()
        environment = {
            **os.environ,
            "DATABASE_URL": self.server.url,
            "SHUKE_DATA_FOLDER": str(self.folder / "data"),
            "SHUKE_MASTER_KEY_FILE": str(self.folder / "master.keys"),
        }
        return subprocess.Popen(
            [sys.executable, *self.program, "web", "--socket", str(number)],
            env=environment,
            pass_fds=(number,),
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
        self.web = self.start_web()

    def kill_postgres(self) -> None:
        os.kill(self.server.pid, signal.SIGKILL)
        until = time.monotonic() + START_SECONDS
        while self.server.running and time.monotonic() < until:
            time.sleep(0.05)
        self.server.revive()

    def close(self) -> None:
        self.web.kill()
        self.web.wait(30)
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
        number = 0
        with httpx.Client(base_url=self.running.address, timeout=10) as client:
            while not self._stop.is_set():
                messages = [f"{sender}-{number}-{place}" for place in range(BATCH)]
                number += 1
                batch = [{"type": "track", "event": "E", "userId": f"u{sender}", "messageId": one} for one in messages]
                body = json.dumps({"batch": batch, "writeKey": self.running.key})
                while not self._stop.is_set():
                    try:
                        answer = client.post("/v1/batch", content=body)
                    except httpx.HTTPError:
                        status = 0
                    else:
                        status = answer.status_code
                    if status == 200:
                        with self._lock:
                            self.acknowledged.update(messages)
                        break
                    assert status in (0, 429, 500, 503), status
                    self.repeated += 1
                    time.sleep(0.05)


def stored(running: Collecting) -> tuple[set[bytes], int]:
    """The blind indexes of all messages that became facts, and how many facts there are."""
    with Database(running.server.url, connections=2) as database:
        assert empty_inbox(Workplace(Settings(), database, running.keyring), seconds_max=300)
        with database.read() as tx:
            facts = tx.scalars(sa.text("SELECT count(*) FROM facts")).one()
            assert tx.scalars(sa.text("SELECT count(*) FROM rejects")).one() == 0
            return {bytes(message) for message in tx.scalars(sa.text("SELECT message FROM message_ids"))}, facts


def lost(running: Collecting, load: Load) -> int:
    """How many acknowledged events are nowhere; all others are on the timeline, each once."""
    found, facts = stored(running)
    assert facts == len(found)
    return len({running.keyring.index("message", one) for one in load.acknowledged} - found)


def kill_all(running: Collecting, load: Load, rounds: int) -> None:
    kills: list[Callable[[], Any]] = [running.kill_web, running.kill_postgres]
    for number in range(rounds):
        before = len(load.acknowledged)
        until = time.monotonic() + START_SECONDS
        while len(load.acknowledged) < before + 10 * BATCH and time.monotonic() < until:
            time.sleep(0.02)
        assert len(load.acknowledged) > before, "nothing was taken any more"
        kills[number % 2]()


@pytest.mark.slow
def test_no_acknowledged_event_is_lost(collecting: Collecting) -> None:
    with Load(collecting) as load:
        kill_all(collecting, load, rounds=2)
        collecting.wait()
    assert load.acknowledged
    assert load.repeated
    assert lost(collecting, load) == 0


@pytest.mark.faults
def test_no_acknowledged_event_is_lost_in_many_kills(collecting: Collecting) -> None:
    with Load(collecting) as load:
        kill_all(collecting, load, rounds=40)
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
