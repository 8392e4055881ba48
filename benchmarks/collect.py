"""How fast events are taken over HTTP, beside a bare COPY of the same rows into the same table, and processed.

    python benchmarks/collect.py [--events 60000] [--singles 6000] [--clients 64] [--workers 2]

Starts a PostgreSQL and a web process of their own, on this disk, and prints one table: all of it in one run, with the
rate at which this disk takes an fdatasync. Clients are plain sockets that send ready-made requests, one after the
other, so that they cost as little as they can; they share the machine with what is measured.

Events are processed twice: those of customers who were never seen before, then as many of the same customers, which is
the usual state. What is processed was taken before, so that neither waits for the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg

from measure import flushes_per_second
from shuke.app.commands.serve import collect_garbage_rarely
from shuke.collect import add_source
from shuke.collect.jobs import empty_inbox
from shuke.platform import Database, EmbeddedPostgres, Keyring, Settings, Workplace, migrate

CUSTOMERS = 20_000


@dataclass(frozen=True)
class Taken:
    """One load: how long it took, and the seconds that each request waited."""

    events: int
    seconds: float
    waits: list[float]

    def line(self, name: str) -> str:
        waits = sorted(self.waits)
        p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
        rate = f"{self.events / self.seconds:,.0f} events/s, {len(waits) / self.seconds:,.0f} requests/s"
        return f"{name:32} {rate:44} p50 {p50 * 1000:6.1f} ms  p99 {p99 * 1000:6.1f} ms"


def event(number: int) -> dict[str, object]:
    """A product view, an order or what a customer says of themselves, as a shop's site sends them; about 600 bytes."""
    customer = number * 7919 % CUSTOMERS
    moment = datetime.now(UTC).isoformat()
    base = {
        "messageId": f"bench-{number:012}",
        "anonymousId": f"a-{customer:032}",
        "userId": f"u-{customer}" if customer % 3 == 0 else None,
        "timestamp": moment,
        "context": {
            "ip": "203.0.113.7",
            "locale": "zh-CN",
            "page": {"path": "/p/1", "title": "Mug", "url": "https://shop.example/p/1"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
        },
    }
    if number % 20 == 10:
        traits = {"email": f"c{customer}@example.com", "name": f"Customer {customer}", "city": "杭州", "visits": number}
        return {**base, "type": "identify", "traits": traits}
    if number % 20 == 0:
        products = [{"product_id": str(number % 500), "name": "Mug", "price": 12.5, "quantity": 2}]
        order = {"order_id": f"o-{number}", "revenue": 25, "currency": "CNY", "products": products}
        return {**base, "type": "track", "event": "Order Completed", "properties": order}
    viewed = {"product_id": str(number % 500), "name": "Mug", "price": 12.5, "currency": "CNY", "category": "Kitchen"}
    return {**base, "type": "track", "event": "Product Viewed", "properties": viewed}


def request(first: int, size: int, key: str) -> bytes:
    """A whole HTTP request with this many events."""
    batch = {
        "batch": [event(first + place) for place in range(size)],
        "sentAt": datetime.now(UTC).isoformat(),
        "writeKey": key,
        "context": {"library": {"name": "bench", "version": "1"}},
    }
    body = json.dumps(batch).encode()
    head = (
        f"POST /v1/batch HTTP/1.1\r\nHost: b\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(port: int, requests: list[bytes], clients: int, size: int) -> Taken:
    """Send all requests over this many connections, each waiting for its answer before the next."""
    waiting = iter(requests)
    waits: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for sent in waiting:
            began = time.perf_counter()
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode())
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            waits.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    return Taken(len(requests) * size, time.perf_counter() - began, waits)


def bare_copy(url: str, batch: int) -> float:
    """Rows a second of a COPY of the inbox's own rows into the same table, one transaction for each batch."""
    columns = "source_id, received_at, key_version, cipher"
    with psycopg.connect(url) as connection:
        rows = connection.execute(f"SELECT {columns} FROM inbox ORDER BY seq").fetchall()  # noqa: S608 - ours
        connection.execute("TRUNCATE inbox")
        connection.commit()
        began = time.perf_counter()
        for first in range(0, len(rows), batch):
            statement = f"COPY inbox ({columns}) FROM STDIN (FORMAT binary)"
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types(("int4", "timestamptz", "int4", "bytea"))
                for row in rows[first : first + batch]:
                    copy.write_row(row)
            connection.commit()
        return len(rows) / (time.perf_counter() - began)


def empty(url: str, key_file: Path, together: Barrier) -> None:
    """What a worker process does: passes, beside those of the others, until nothing waits."""
    collect_garbage_rarely()
    with Database(url) as database:
        place = Workplace(Settings(), database, Keyring.load(key_file))
        database.ping()
        together.wait(60)
        while not empty_inbox(place, seconds_max=600):
            pass


def processed(url: str, key_file: Path, workers: int, events: int) -> float:
    """Events a second that this many worker processes make facts of."""
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(workers + 1)
    processes = [spawn.Process(target=empty, args=(url, key_file, together)) for _ in range(workers)]
    for process in processes:
        process.start()
    together.wait(60)
    began = time.perf_counter()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - began
    with psycopg.connect(url) as connection:
        left = connection.execute("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM rejects)").fetchone()
    if left != (0, 0):
        raise SystemExit(f"{left} events are in the inbox and among the rejects")
    return events / seconds


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the web process does not listen")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--singles", type=int, default=6_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shuke-bench-", dir=Path.cwd()) as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedPostgres.start(folder / "data") as server, Database(server.url) as database:
            migrate(database)
            keyring = Keyring.new()
            keyring.save(folder / "master.keys")
            with database.begin() as tx:
                key = add_source(tx, "bench", now=datetime.now(UTC), currency="CNY")
            port = free_port()
            environment = {
                **os.environ,
                "DATABASE_URL": server.url,
                "SHUKE_DATA_FOLDER": str(folder / "data"),
                "SHUKE_MASTER_KEY_FILE": str(folder / "master.keys"),
                "SHUKE_PORT": str(port),
            }
            web = subprocess.Popen(
                [sys.executable, "-m", "shuke.app", "web"], env=environment, stderr=subprocess.DEVNULL
            )
            try:
                wait_for(port)
                measure(given, port, key, server.url, folder)
            except BaseException:
                print((folder / "data" / "postgres.log").read_text()[-5_000:], file=sys.stderr)
                raise
            finally:
                web.terminate()
                web.wait(30)


def measure(given: argparse.Namespace, port: int, key: str, url: str, folder: Path) -> None:
    print(f"{flushes_per_second(folder):,.0f} fdatasync/s; {os.cpu_count()} cores; {given.clients} clients")
    warm = [request(10**9 + first, 1, key) for first in range(200)]
    asyncio.run(load(port, warm, given.clients, 1))
    singles = [request(first, 1, key) for first in range(given.singles)]
    print(asyncio.run(load(port, singles, given.clients, 1)).line("HTTP, batches of 1"), flush=True)
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE inbox")
    for words, first in (("customers never seen before", 10**6), ("customers known already", 2 * 10**6)):
        batches = [request(first + number, 100, key) for number in range(0, given.events, 100)]
        taken = asyncio.run(load(port, batches, given.clients, 100))
        print(taken.line("HTTP, batches of 100"), flush=True)
        http = taken.events / taken.seconds
        for batch, how in ((100, "bare COPY, a commit for each 100"), (given.events, "bare COPY, one commit")):
            rate = bare_copy(url, batch)
            print(f"{how:32} {rate:,.0f} rows/s; HTTP at 100 is {http / rate:.2f} of it", flush=True)
        rate = processed(url, folder / "master.keys", given.workers, taken.events)
        print(
            f"{words:32} {rate:,.0f} events/s processed by {given.workers} workers; {rate / http:.2f} of HTTP at 100",
            flush=True,
        )


if __name__ == "__main__":
    main()
