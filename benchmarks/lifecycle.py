"""The lake and the facts at size: copy rate, what a small change costs, and how long a refresh takes.

Usage: python benchmarks/lifecycle.py [CUSTOMERS] [ORDERS_EACH]      (default: 1000000 and 10)

Makes a PostgreSQL of its own in a temporary folder, fills it by SQL with the seed below, and prints one JSON line.
Everything runs as in production: fsync on, triggers on, the settings that the server has.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from shuke import collect, lifecycle
from shuke.platform import Database, EmbeddedPostgres, Keyring, Settings, Workplace, migrate

SEED = 0.20261122
CHUNK = 1_000_000
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
CUSTOMERS = """
    INSERT INTO customers (customer_id, created_at, updated_at)
    SELECT md5('customer/' || i)::uuid, now(), now() FROM generate_series(1, :customers) AS i
"""
IDENTITIES = """
    INSERT INTO identities
        (identity_id, kind, lookup, customer_id, attached_to, first_seen_at, last_seen_at)
    OVERRIDING SYSTEM VALUE
    SELECT i, 'member_number', decode(md5(i::text), 'hex'), md5('customer/' || i)::uuid, md5('customer/' || i)::uuid,
        now(), now()
    FROM generate_series(1, :customers) AS i
"""
# Most buy seldom and some often; a customer's orders spread from a day of their own on, over two years.
ORDERS = """
    INSERT INTO orders (source_id, order_id, identity_id, ordered_at, amount_minor, currency, channel)
    SELECT 1, 'o' || i, who, timestamptz '2024-11-01' + (730 * (joined + (1 - joined) * random())) * interval '1 day',
        100 + (random() * random() * 50000)::int, 'CNY', CASE WHEN i % 3 = 0 THEN 'web' ELSE 'store' END
    FROM (
        SELECT i, who, (hashint4(who) & 1023) / 1024.0 AS joined
        FROM (
            SELECT i, 1 + floor(:customers * power(random(), 2))::int AS who
            FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS i
        ) AS drawn
    ) AS given
"""


def fsyncs_per_second(folder: Path) -> float:
    with (folder / "fsync").open("wb") as file:
        start = time.perf_counter()
        for _ in range(100):
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        return 100 / (time.perf_counter() - start)


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 2)
    print(name, seconds[name], file=sys.stderr, flush=True)


def main(customers: int, each: int) -> None:
    seconds: dict[str, float] = {}
    orders = customers * each
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with (
            EmbeddedPostgres.start(folder / "data") as server,
            Database(server.url, statement_seconds=3600) as database,
        ):
            migrate(database)
            place = Workplace(Settings(data_folder=folder / "data", work_folder=folder), database, Keyring.new())
            with timed(seconds, "fill"):
                with database.begin() as tx:
                    tx.execute(sa.text("SELECT setseed(:seed)"), {"seed": SEED})
                    tx.execute(sa.text(CUSTOMERS), {"customers": customers})
                    tx.execute(sa.text(IDENTITIES), {"customers": customers})
                for first in range(1, orders + 1, CHUNK):
                    given = {"customers": customers, "first": first, "last": min(first + CHUNK - 1, orders)}
                    with database.begin() as tx:
                        tx.execute(sa.text(ORDERS), given)
            with timed(seconds, "first_copy"):
                first_rows = sum(collect.update_lake(place).values())
            with database.begin() as tx:
                tx.execute(sa.text("UPDATE orders SET status = 'cancelled' WHERE order_id LIKE 'o77%7'"))
            with timed(seconds, "copy_of_changes"):
                changed_rows = sum(collect.update_lake(place).values())
            with timed(seconds, "copy_of_nothing"):
                collect.update_lake(place)
            with timed(seconds, "first_refresh"):
                first = lifecycle.refresh(place, as_of=AS_OF, now=datetime.now(UTC))
            with timed(seconds, "copy_of_stage_facts"):
                stage_rows = collect.update_lake(place)["facts"]
            with timed(seconds, "next_refresh"):
                following = lifecycle.refresh(place, as_of=AS_OF.replace(day=2), now=datetime.now(UTC))
            ids = [row[0] for row in _some_customers(database)]
            with timed(seconds, "facts_of_100"), database.read() as tx:
                found = len(lifecycle.facts_of(tx, ids))
            fsync = round(fsyncs_per_second(folder))
    print(
        json.dumps(
            {
                "customers": customers,
                "orders": orders,
                "fsyncs_per_second": fsync,
                "seconds": seconds,
                "first_copy_rows": first_rows,
                "first_copy_rows_per_second": round(first_rows / seconds["first_copy"]),
                "changed_rows": changed_rows,
                "stage_facts_per_second": round(stage_rows / seconds["copy_of_stage_facts"]),
                "model": first.model,
                "customers_with_facts": first.customers,
                "next_changed": following.changed,
                "next_stage_changes": following.stage_changes,
                "facts_found": found,
            }
        )
    )


def _some_customers(database: Database) -> list[sa.Row[tuple[object]]]:
    with database.read() as tx:
        return list(tx.execute(sa.text("SELECT customer_id FROM customers LIMIT 100")).all())


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(given[0] if given else 1_000_000, given[1] if len(given) > 1 else 10)
