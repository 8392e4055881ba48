"""How fast customers are resolved and read: a million of them, on a PostgreSQL that writes through.

    .venv/bin/python benchmarks/profiles.py --customers 1000000

Prints the rate of flushes to the disk beside every throughput, since a commit is one. Each customer has a user id, a
phone number and an anonymous id, a name in the vault, a city in plain, and a tag; every tenth has agreed to messages.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from measure import flushes_per_second
from shuke import privacy, profiles
from shuke.platform import Database, EmbeddedPostgres, Keyring, migrate

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
BATCH = 5_000


def ids_of(number: int) -> list[tuple[str, str]]:
    return [
        ("user_id", f"user-{number}"),
        ("phone", f"13{number:09d}"),
        ("anonymous_id", f"00000000-0000-4000-8000-{number:012d}"),
    ]


def batches(customers: int) -> Iterator[range]:
    for start in range(0, customers, BATCH):
        yield range(start, min(start + BATCH, customers))


def create(database: Database, keyring: Keyring, numbers: range) -> None:
    with database.begin() as tx:
        found = profiles.resolve(tx, keyring, [ids_of(number) for number in numbers], NOW)
        people = [one.customer_id for one in found if one]
        given = [
            (person, {"name": f"王小{number}", "city": "杭州"}) for person, number in zip(people, numbers, strict=True)
        ]
        profiles.set_attributes(tx, keyring, given, NOW)
        profiles.add_tags(tx, [profiles.NewTag(person, "VIP", "wecom") for person in people], NOW)
        said = [
            privacy.Consent(
                customer_id=person,
                purpose="marketing",
                channel="sms",
                state=privacy.ConsentState.GRANTED,
                notice_version="v1",
                proof=privacy.Proof(privacy.ProofMethod.FORM),
                at=NOW,
                by="customer",
            )
            for person in people[::10]
        ]
        profiles.record_consents(tx, keyring, said, NOW)


def resolve(database: Database, keyring: Keyring, messages: list[list[tuple[str, str]]]) -> None:
    for start in range(0, len(messages), BATCH):
        with database.begin() as tx:
            profiles.resolve(tx, keyring, messages[start : start + BATCH], NOW)


def resolve_apart(url: str, keyring: Keyring, messages: list[list[tuple[str, str]]]) -> None:
    with Database(url, connections=2) as database:
        resolve(database, keyring, messages)


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    print(f"{what:<58} {count / seconds:>12,.0f}/s   ({count:,} in {seconds:.1f} s)", flush=True)


def latencies(what: str, times: int, read: Callable[[], object]) -> None:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        read()
        taken.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(taken, n=100)
    print(f"{what:<58} p50 {cuts[49]:.1f} ms   p99 {cuts[98]:.1f} ms   max {max(taken):.1f} ms", flush=True)


def measure(url: str, customers: int, keyring: Keyring) -> None:
    chance = random.Random(7)  # noqa: S311 - not for secrets
    with Database(url) as database:
        with timed("create: resolve, vault, attributes, tag, consent", customers):
            for numbers in batches(customers):
                create(database, keyring, numbers)
        with database.begin() as tx:
            tx.execute(sa.text("ANALYZE"))
        known = [ids_of(chance.randrange(customers))[1:] for _ in range(100_000)]
        with timed("resolve: known, two ids a message", len(known)):
            resolve(database, keyring, known)
        new = [[("anonymous_id", f"new-{number}")] for number in range(50_000)]
        with timed("resolve: new, one id a message", len(new)):
            resolve(database, keyring, new)
        attaching = [[("user_id", f"user-{number}"), ("device", f"device-{number}")] for number in range(20_000)]
        with timed("resolve: one more id for a known customer", len(attaching)):
            resolve(database, keyring, attaching)
        merging = [[("user_id", f"user-{number}"), ("anonymous_id", f"new-{number}")] for number in range(20_000)]
        with timed("resolve: two customers become one", len(merging)):
            resolve(database, keyring, merging)
        halves = [known[:50_000], known[50_000:]]
        with timed("resolve: known, two processes", len(known)), ProcessPoolExecutor(2) as workers:
            list(workers.map(resolve_apart, [url] * 2, [keyring] * 2, halves))
        with database.begin() as tx:
            people: list[UUID] = list(
                tx.scalars(
                    sa.text("SELECT customer_id FROM customers TABLESAMPLE SYSTEM (1) WHERE merged_into IS NULL")
                )
            )

        def whole() -> object:
            with database.read() as tx:
                return profiles.profile_360(tx, keyring, chance.choice(people), NOW)

        latencies("360° read, one transaction each, anybody", 2_000, whole)
        number = iter(range(20_000))

        def merged() -> object:
            with database.read() as tx:
                found = profiles.find(tx, keyring, "user_id", f"user-{next(number)}")
                return profiles.profile_360(tx, keyring, found, NOW) if found else None

        latencies("360° read by identity, of who was merged", 2_000, merged)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--url", help="a PostgreSQL that is there and empty, instead of one of its own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder:
        Path(folder).chmod(0o711)
        print(f"flushes of this disk: {flushes_per_second(Path(folder)):,.0f}/s", flush=True)
        if options.url:
            with Database(options.url) as database:
                migrate(database)
            measure(options.url, options.customers, Keyring.new())
            return
        with EmbeddedPostgres.start(Path(folder) / "data") as server:
            with Database(server.url) as database:
                migrate(database)
            measure(server.url, options.customers, Keyring.new())


if __name__ == "__main__":
    main()
