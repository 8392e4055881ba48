"""An event goes from a sender to the timeline of a running server, by web and worker, without anybody's doing."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

SHUKE = str(Path(sys.executable).with_name("shuke"))
WAIT_SECONDS = 90


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a running ``shuke serve``, and its environment."""
    with tempfile.TemporaryDirectory(prefix="shuke-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        environment = {**os.environ, "SHUKE_DATA_FOLDER": str(folder / "data"), "LANG": "C.UTF-8"}
        environment.pop("DATABASE_URL", None)
        log = folder / "log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [SHUKE, "serve", "--port", "0"], env=environment, stdout=out, stderr=out, start_new_session=True
            )
        try:
            until = time.monotonic() + WAIT_SECONDS
            while (found := re.search(r"http://[^ ]+/", log.read_text())) is None:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield found[0], environment
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@pytest.mark.slow
def test_an_event_reaches_the_timeline_by_itself(server: tuple[str, dict[str, str]]) -> None:
    address, environment = server

    def shuke(*words: str) -> str:
        done = subprocess.run(
            [SHUKE, *words], env=environment, capture_output=True, text=True, timeout=WAIT_SECONDS, check=True
        )
        return done.stdout.strip()

    key = shuke("sources", "add", "site", "--currency", "CNY")
    assert "site" in shuke("sources", "list")
    bearer = {"authorization": f"Bearer {shuke('access', 'key', '--name', 'test', '--role', 'analyst')}"}
    with httpx.Client(base_url=address, timeout=WAIT_SECONDS) as client:
        until = time.monotonic() + WAIT_SECONDS
        batch = [
            {"type": "track", "event": "Viewed", "userId": "u", "messageId": "m", "properties": {"n": 1}},
            {"type": "trace", "userId": "u"},
        ]
        status = 0
        while status != 200 and time.monotonic() < until:
            try:
                status = client.post("/v1/batch", json={"batch": batch, "writeKey": key}).status_code
            except httpx.HTTPError:
                time.sleep(0.2)
        assert status == 200
        outcomes: dict[str, int] = {}
        while len(outcomes) < 2 and time.monotonic() < until:
            hours = client.get("/api/data-quality", headers=bearer).json()["hours"]
            outcomes = {one["outcome"]: one["events"] for one in hours}
            time.sleep(0.1)
    assert outcomes == {"fact": 1, "unknown_type": 1}
    rejects = Path(environment["SHUKE_DATA_FOLDER"]) / "rejects.jsonl"
    shuke("sources", "rejects", "--out", str(rejects))
    assert '"trace"' in rejects.read_text(encoding="utf-8").replace("\\", "")
    assert rejects.stat().st_mode & 0o077 == 0
