"""A brand of a million customers: what one look, one page, one copy and one night cost.

    .venv/bin/python benchmarks/million.py [--customers 1000000] [PART ...]

Parts: ``lake``, ``refresh``, ``read``, ``timeline``, ``lists``, ``figures``, ``search``; all of them if none is named.
The database is made once, below ``benchmarks/.data``, and copied for every run, so that each begins with the same: for
each customer two orders of two lines and eight events by mean, a key of their own, two identities, a name and a trait
in the vault.
PostgreSQL runs as in production: it writes through, triggers and all. Beside the figures stands what a bare engine
takes for the same rows in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import re
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import sqlalchemy as sa
import structlog

from measure import flushes_per_second
from shuke import access, collect, lifecycle
from shuke.app.commands.serve import collect_garbage_rarely
from shuke.app.web import build_web
from shuke.base.ids import new_id
from shuke.collect.service.lake import LAKE_TABLES
from shuke.insight.facts import customer_facts
from shuke.insight.tables import Tables
from shuke.platform import (
    Database,
    EmbeddedPostgres,
    Keyring,
    Settings,
    Workplace,
    driver,
    migrate,
    new_key,
    open_engine,
    sealer_of,
)
from shuke.privacy.rules import about_field, about_key
from shuke.profiles.service.terms import search_terms

SEED = 0.20261122
CHUNK = 20_000
BEGAN = datetime(2024, 11, 1, tzinfo=UTC)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
DATA = Path(__file__).parent / ".data"
# The first of them are the commonest; with one or two given characters that is 60,000 names for a million people.
FAMILIES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
CITIES = ("杭州", "杭州", "杭州", "上海", "上海", "宁波", "温州", "南京", "苏州", "绍兴")
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文辉玲建国玉兰红梅婷雪琳欣怡宇轩浩然子涵晨曦嘉佳"

# Most come seldom and some often, so that the first customers have thousands of facts; each joins on a day of their
# own, and most leave before the end.
ORDERS = """
    INSERT INTO orders (source_id, order_id, identity_id, ordered_at, amount_minor, currency, channel)
    SELECT 1, 'o' || i, 2 * who,
        timestamptz '2024-11-01' + (730 * (joined + (1 - joined) * stayed * random())) * interval '1 day',
        100 + (random() * random() * 50000)::int, 'CNY', CASE WHEN i % 3 = 0 THEN 'web' ELSE 'store' END
    FROM (
        SELECT i, who, (hashint4(who) & 1023) / 1024.0 AS joined,
            least(1, -0.8 * ln(((hashint4(who + 1000003) & 1048575) + 1) / 1048577.0)) AS stayed
        FROM (
            SELECT i, 1 + floor(:customers * power(random(), 2))::int AS who
            FROM generate_series(1, 2 * CAST(:customers AS int)) AS i
        ) AS drawn
    ) AS given
"""
PRODUCTS = """
    INSERT INTO products (product_id, name, created_at, updated_at)
    SELECT 'p' || i, 'Product ' || i, now(), now() FROM generate_series(0, 1030) AS i
"""
LINES = """
    INSERT INTO order_lines (source_id, order_id, line, product_id, quantity, amount_minor)
    SELECT source_id, order_id, line, 'p' || (hashtext(order_id) & 1023) + line, line, amount_minor / 2
    FROM orders CROSS JOIN generate_series(1, 2) AS line
"""
REFUNDS = """
    INSERT INTO refunds (source_id, refund_id, order_id, line, refunded_at, amount_minor, currency)
    SELECT source_id, 'r' || order_id, order_id, 1, ordered_at + interval '3 days', amount_minor / 2, currency
    FROM orders WHERE hashtext(order_id) & 63 = 0
"""
ORDER_FACTS = """
    INSERT INTO facts (
        fact_id, occurred_at, received_at, identity_id, kind, name, source_id, channel, amount_minor, currency,
        order_id, properties
    )
    SELECT md5('order/' || source_id || '/' || order_id)::uuid, ordered_at, ordered_at, identity_id, 'order',
        'Order Completed', source_id, channel, amount_minor, currency, order_id,
        jsonb_build_object('status', status, 'lines', 2)
    FROM orders WHERE ordered_at >= :since AND ordered_at < :until
"""
EVENTS = """
    INSERT INTO facts (
        fact_id, occurred_at, received_at, identity_id, kind, name, source_id, channel, session, properties
    )
    SELECT uuidv7(), at, at, 2 * who - 1, 'track',
        (ARRAY['Product Viewed', 'Product Added', 'Cart Viewed', 'Products Searched'])[1 + floor(4 * random() ^ 2)],
        1, 'web', substr(md5(i::text), 1, 16),
        jsonb_build_object(
            'product_id', 'p' || i % 1024, 'url', 'https://shop.example/goods/' || i % 1024, 'price', i % 500
        )
    FROM (
        SELECT i, 1 + floor(:customers * power(random(), 2))::int AS who,
            CAST(:since AS timestamptz) + random() * (CAST(:until AS timestamptz) - CAST(:since AS timestamptz)) AS at
        FROM generate_series(1, CAST(:events AS int)) AS i
    ) AS drawn
"""


def build(url: str, customers: int, keyring: Keyring) -> None:
    """Fill the database: people by COPY, from two processes; what they did, by SQL."""
    with Database(url, statement_seconds=3600) as database:
        migrate(database)
        with ProcessPoolExecutor(2) as workers:
            starts = range(1, customers + 1, CHUNK)
            ends = [min(start + CHUNK - 1, customers) for start in starts]
            list(workers.map(partial(add_people, url, keyring), starts, ends))
        with database.begin() as tx:
            tx.execute(sa.text("SELECT setseed(:seed)"), {"seed": SEED})
            tx.execute(sa.text("SELECT setval('identities_identity_id_seq', :last)"), {"last": 2 * customers})
            tx.execute(sa.text("INSERT INTO sources (name, created_at) VALUES ('shop', now())"))
            tx.execute(sa.text(PRODUCTS))
            tx.execute(sa.text(ORDERS), {"customers": customers})
            tx.execute(sa.text(LINES))
            tx.execute(sa.text(REFUNDS))
        months = [datetime(2024 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(10, 35)]
        for since, until in itertools.pairwise(months):
            span = {"customers": customers, "since": since, "until": until, "events": 8 * customers // 24}
            with database.begin() as tx:
                tx.execute(sa.text("SELECT make_fact_months(:since, :since)"), span)
                tx.execute(sa.text(ORDER_FACTS), span)
                tx.execute(sa.text(EVENTS), span)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def name_of(number: int) -> str:
    """A customer's name: of a family of unequal size, with one or two given characters."""
    chance = random.Random(number)  # noqa: S311 - not for secrets
    family = FAMILIES[int(len(FAMILIES) * chance.random() ** 2)]
    return family + "".join(chance.choice(GIVEN) for _ in range(1 + (chance.random() < 0.8)))


def add_people(url: str, keyring: Keyring, first: int, last: int) -> None:
    """Customers with real keys, blind indexes and ciphers, as the rooms would write them."""
    said = BEGAN.isoformat()
    terms_of = search_terms(keyring)
    rows: dict[str, list[str]] = {"customers": [], "person_keys": [], "identities": [], "vault": [], "tags": []}
    for number in range(first, last + 1):
        person, key = new_id(), new_key()
        sealer = sealer_of(key)
        wrapped = keyring.wrap(key, about=about_key(person, keyring.version))
        rows["customers"].append(f'{person}\t{said}\t{said}\t{{"city": "{CITIES[number % len(CITIES)]}"}}')
        rows["person_keys"].append(f"{person}\t{wrapped.version}\t\\\\x{wrapped.cipher.hex()}\t{said}")
        fields = {"attribute:name": name_of(number), "trait:plan": json.dumps([said, '"gold"'])}
        named = (("user_id", f"user-{number}"), ("phone", f"+8613{number:09d}"))
        for identity, (kind, value) in enumerate(named, 2 * number - 1):
            lookup = keyring.index(kind, value).hex()
            rows["identities"].append(f"{identity}\t{kind}\t\\\\x{lookup}\t{person}\t{person}\t{said}\t{said}")
            fields[f"identity:{kind}:{identity}"] = value
        for field, text in fields.items():
            cipher = sealer.seal(text.encode(), about=about_field(person, field))
            terms = terms_of(field, text)
            kept = "\\N" if terms is None else "{" + ",".join(map(str, sorted(terms))) + "}"
            rows["vault"].append(f"{person}\t{field}\t\\\\x{cipher.hex()}\t{said}\t{kept}")
        if number % 3 == 0:
            rows["tags"].append(f"{person}\tVIP\tshop\t{said}")
    columns = {
        "customers": "customer_id, created_at, updated_at, attributes",
        "person_keys": "person_id, version, wrapped, created_at",
        "identities": "identity_id, kind, lookup, customer_id, attached_to, first_seen_at, last_seen_at",
        "vault": "person_id, field, cipher, updated_at, terms",
        "tags": "customer_id, tag, source, added_at",
    }
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table, names in columns.items():
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                copy.write("\n".join(rows[table]) + "\n")


@contextmanager
def database_of(customers: int) -> Iterator[tuple[str, Path, Keyring]]:
    """A copy of the database that is made once: its address, its data folder and its keys."""
    folder = DATA / f"million-{customers}"
    keys = folder / "master.keys"
    made = folder / "made"
    if not made.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        Keyring.new().save(keys)
    keyring = Keyring.load(keys)
    with EmbeddedPostgres.start(folder) as server, psycopg.connect(server.url, autocommit=True) as connection:
        if not made.exists():
            connection.execute("CREATE DATABASE made")
            with timed("make the database", customers):
                build(server.url.replace("/shuke?", "/made?"), customers, keyring)
            made.touch()
        connection.execute("DROP DATABASE IF EXISTS run WITH (FORCE)")
        connection.execute("CREATE DATABASE run TEMPLATE made STRATEGY FILE_COPY")
        shutil.rmtree(folder / "lake", ignore_errors=True)
        try:
            yield server.url.replace("/shuke?", "/run?"), folder, keyring
        finally:
            connection.execute("DROP DATABASE run WITH (FORCE)")


@contextmanager
def timed(what: str, count: int) -> Iterator[Timed]:
    """Print how long it took, how many a second that is, and the most memory that this process had meanwhile."""
    done = Timed()
    # From here on the system notes the peak anew.
    Path("/proc/self/clear_refs").write_text("5")
    began = time.perf_counter()
    yield done
    done.seconds = time.perf_counter() - began
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    memory = int(peak[1]) / 1e6 if peak else 0
    rate = f"{count / done.seconds:>12,.0f}/s"
    print(f"{what:<52} {done.seconds:>8.2f} s {rate}   peak {memory:.2f} GB", flush=True)


@dataclass
class Timed:
    """How long a step took."""

    seconds: float = 0.0


def latencies(what: str, times: int, read: Callable[[], object]) -> float:
    """Print the spread, after a hundred to warm up; returns the median in milliseconds."""
    taken = []
    for number in range(times + 100):
        began = time.perf_counter()
        read()
        if number >= 100:
            taken.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(taken, n=100)
    spread = "   ".join(f"p{percent} {cuts[percent - 1]:>6.2f} ms" for percent in (50, 95, 99))
    print(f"{what:<52} {spread}   max {max(taken):.1f} ms", flush=True)
    return cuts[49]


def lake(place: Workplace, _: int) -> None:
    """The first copy of everything, beside the same COPY statements into nowhere; and one of nothing new."""
    with place.database.read() as tx:
        counts = (f"SELECT count(*) FROM {table.source}" for table in LAKE_TABLES)  # noqa: S608 - names of tables
        rows = sum(tx.scalars(sa.text(count)).one() for count in counts)
        sent = 0
        with timed("bare COPY of the same rows, as CSV, into nowhere", rows) as bare:
            for table in LAKE_TABLES:
                query = f"COPY (SELECT {table.selected} FROM {table.source}) TO STDOUT (FORMAT csv)"  # noqa: S608
                with driver(tx).cursor().copy(query.encode()) as copy:
                    sent += sum(len(row) for row in copy)
    with timed("lake: first copy", rows) as first:
        collect.update_lake(place)
    folder = collect.lake_of(place).folder
    stored = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    print(
        f"  {sent / 1e6 / first.seconds:.0f} MB/s of CSV into {stored / 1e6:.0f} MB of Parquet from {sent / 1e6:.0f} MB"
    )
    print(f"  over the bare COPY: {first.seconds / bare.seconds:.2f} x")
    with timed("lake: copy with nothing new", 1):
        collect.update_lake(place)


def refresh(place: Workplace, customers: int) -> None:
    """The first refresh, and the next night's with orders of one customer in a hundred; beside insight alone."""
    collect.update_lake(place)
    bare = insight_alone(place, customers)
    for night, what in enumerate(("refresh: first", "refresh: next night, 1 % ordered")):
        if night:
            with place.database.begin() as tx:
                tx.execute(sa.text(NIGHT), {"customers": customers, "at": AS_OF})
        with timed(what, customers) as whole:
            done = lifecycle.refresh(place, as_of=AS_OF + timedelta(days=night), now=datetime.now(UTC))
        print(f"  {done.model}, {done.customers:,} customers, {done.changed:,} changed, {done.stage_changes:,} stages")
        print(f"  over insight alone: {whole.seconds / bare:.2f} x", flush=True)


def insight_alone(place: Workplace, customers: int) -> float:
    """Seconds of the same facts from a Parquet file of the orders to another, with nothing else."""
    folder = place.settings.work_folder
    folder.mkdir(exist_ok=True)
    with open_engine("duckdb", work_folder=folder) as engine:
        stored = collect.read_stored(collect.lake_of(place), engine=engine, goods=False).tables
        files = {"orders": folder / "orders.parquet", "refunds": folder / "refunds.parquet"}
        engine.write_parquet(stored.orders, files["orders"])
        if stored.refunds is not None:
            engine.write_parquet(stored.refunds, files["refunds"])
    with (
        open_engine("duckdb", work_folder=folder) as engine,
        timed("insight alone, Parquet to facts", customers) as done,
    ):
        refunds = engine.read_parquet(files["refunds"]) if files["refunds"].exists() else None
        tables = Tables(orders=engine.read_parquet(files["orders"]), refunds=refunds)
        facts = customer_facts(tables, as_of=AS_OF.replace(tzinfo=None), engine=engine, keep=False)
        engine.write_parquet(facts.table, folder / "facts.parquet")
    return done.seconds


def read(place: Workplace, customers: int) -> None:
    """Customers seen whole, each in a transaction of its own, beside one prepared statement for the same rows."""
    people = everybody(place, customers)
    chance = random.Random(7)  # noqa: S311 - not for secrets

    def whole(customer_id: UUID) -> lifecycle.Customer360:
        with place.database.read() as tx:
            return lifecycle.customer_360(tx, place.keyring, customer_id, AS_OF)

    with psycopg.connect(place.database.url, autocommit=True) as connection:
        bare = latencies(
            "bare statement by key, the same rows",
            2000,
            lambda: connection.execute(BARE, {"who": chance.choice(people)}, prepare=True).fetchall(),
        )
    ours = latencies("360° read, anybody", 2000, lambda: whole(chance.choice(people)))
    print(f"  over the bare statement: {ours / bare:.1f} x")
    latencies("360° read, of the hundred with the most facts", 500, lambda: whole(chance.choice(people[:100])))

    with _asking(place) as ask:
        latencies("360° read, by its route", 1000, lambda: ask("GET", f"/api/customers/{chance.choice(people)}"))


@contextmanager
def _asking(place: Workplace) -> Iterator[Callable[..., Any]]:
    """What asks the routes as an owner, without a network, and gives their answers as they are read from JSON.

    Garbage is collected as the web process does it; else every tenth answer waits for a look at all that was imported.
    """
    collect_garbage_rarely()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with place.database.begin() as tx:
        wanted = access.NewKey(name="benchmark", role="owner")
        _, secret = access.make_key(tx, access.COMMAND, wanted, datetime.now(UTC))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(build_web(place)),
        base_url="http://localhost",
        headers={"authorization": f"Bearer {secret}"},
        timeout=300,
    )

    def ask(method: str, path: str, **body: Any) -> Any:
        answer = runner.run(client.request(method, path, json=body or None))
        answer.raise_for_status()
        return answer.json()

    with asyncio.Runner() as runner:
        yield ask
        runner.run(client.aclose())


def figures(place: Workplace, _: int) -> None:
    """Each analytical question once while nothing is kept, and once more. After a refresh."""
    with _asking(place) as ask:
        for what in ("cohorts", "retention", "channels", "products", "baskets", "first-products"):
            taken = []
            for _ in range(2):
                began = time.perf_counter()
                ask("GET", f"/api/lifecycle/{what}")
                taken.append(time.perf_counter() - began)
            print(f"{f'figures: {what}':<52} cold {taken[0]:>6.2f} s   again {taken[1] * 1000:>6.1f} ms", flush=True)


def lists(place: Workplace, _: int) -> None:
    """First and deep pages of fifty by every order and with conditions; the overview. After a refresh."""
    with place.database.read() as tx:
        refreshed = lifecycle.last_refresh(tx) is not None
    if not refreshed:
        collect.update_lake(place)
        lifecycle.refresh(place, as_of=AS_OF, now=datetime.now(UTC))
    with place.database.begin() as tx:
        for table in ("customers", "customer_facts", "vault", "identities"):
            tx.execute(sa.text(f"ANALYZE {table}"))
    with _asking(place) as ask:
        page = partial(ask, "POST", "/api/customers/list")
        for sort in lifecycle.Sort:
            latencies(f"list by {sort}: first page", 100, lambda sort=sort: page(sort=sort))
        deep = page(sort="value")
        for _ in range(40):
            deep = page(sort="value", after=deep["next"])
        latencies("list by value: the 41st page", 100, lambda: page(sort="value", after=deep["next"]))
        latencies("list: one stage", 100, lambda: page(sort="value", stages=["loyal"]))
        several = {"stages": ["loyal", "repeat"], "orders_min": 2, "value_min_minor": 50_000}
        latencies("list: two stages, two orders, a value", 100, lambda: page(sort="value", **several))
        latencies("overview", 100, lambda: ask("GET", "/api/overview"))


def search(place: Workplace, customers: int) -> None:
    """Customers by their name, a part of it, and by the end of a phone number."""
    chance = random.Random(9)  # noqa: S311 - not for secrets
    somebody = partial(chance.randrange, 1, customers + 1)
    with _asking(place) as ask:
        page = partial(ask, "POST", "/api/customers/list")
        latencies("search: a whole name", 200, lambda: page(search=name_of(somebody())))
        latencies("search: the given name", 200, lambda: page(search=name_of(somebody())[1:]))
        latencies("search: the commonest family name", 100, lambda: page(search=FAMILIES[0]))
        latencies("search: the end of a phone number", 200, lambda: page(search=f"{chance.randrange(10_000):04}"))


def timeline(place: Workplace, customers: int) -> None:
    """Pages of fifty: first and deep ones, with filters, beside the bare page of one identity."""
    people = everybody(place, customers)
    chance = random.Random(8)  # noqa: S311 - not for secrets
    first, at = people[0], None
    pages = []

    def page(who: UUID, **options: Any) -> collect.TimelinePage:
        with place.database.read() as tx:
            return collect.timeline(tx, who, **options)

    while at is not None or not pages:
        at = page(first, before=at).next
        pages.append(at)
    deep = pages[len(pages) // 2 : -1]
    with psycopg.connect(place.database.url, autocommit=True) as connection:
        bare = latencies(
            "bare page of one identity",
            1000,
            lambda: connection.execute(PAGE, [chance.randrange(customers)], prepare=True).fetchall(),
        )
    ours = latencies("timeline: first page, anybody", 1000, lambda: page(chance.choice(people)))
    print(f"  over the bare page: {ours / bare:.1f} x")
    latencies(
        f"timeline: deep page of {50 * len(pages):,} facts", 1000, lambda: page(first, before=chance.choice(deep))
    )
    latencies("timeline: deep page, orders only", 500, lambda: page(first, before=chance.choice(deep), kinds=["order"]))
    latencies("timeline: a name that few facts have", 200, lambda: page(first, names=["Never Happened"]))


def everybody(place: Workplace, customers: int) -> list[UUID]:
    """Customers in the order of their numbers, of which the first have the most facts."""
    query = "SELECT customer_id FROM identities WHERE identity_id % 2 = 0 ORDER BY identity_id LIMIT :customers"
    with place.database.read() as tx:
        return list(tx.scalars(sa.text(query), {"customers": customers}))


# One customer in a hundred orders within the first day that was not known before.
NIGHT = """
    INSERT INTO orders (source_id, order_id, identity_id, ordered_at, amount_minor, currency, channel)
    SELECT 1, 'n' || i, 200 * i, CAST(:at AS timestamptz) + random() * interval '1 day', 10000, 'CNY', 'web'
    FROM generate_series(1, CAST(:customers AS int) / 100) AS i
"""
PAGE = "SELECT * FROM facts WHERE identity_id = %s ORDER BY occurred_at DESC, fact_id DESC LIMIT 51"
BARE = """
    SELECT to_jsonb(c), to_jsonb(f), to_jsonb(k),
        (SELECT jsonb_agg(i) FROM identities i WHERE i.customer_id = c.customer_id),
        (SELECT jsonb_agg(v) FROM vault v WHERE v.person_id = c.customer_id),
        (SELECT jsonb_agg(t) FROM tags t WHERE t.customer_id = c.customer_id),
        (SELECT jsonb_agg(s) FROM consent_states s WHERE s.customer_id = c.customer_id),
        (SELECT jsonb_agg(h) FROM household_members h WHERE h.customer_id = c.customer_id),
        (SELECT jsonb_agg(l) FROM (
            SELECT f.* FROM identities i CROSS JOIN LATERAL (
                SELECT * FROM facts WHERE identity_id = i.identity_id ORDER BY occurred_at DESC, fact_id DESC LIMIT 21
            ) AS f WHERE i.customer_id = c.customer_id ORDER BY occurred_at DESC, fact_id DESC LIMIT 21
        ) AS l)
    FROM customers c
    LEFT JOIN customer_facts f USING (customer_id)
    LEFT JOIN person_keys k ON k.person_id = c.customer_id
    WHERE c.customer_id = %(who)s
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--customers", type=int, default=1_000_000)
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    with database_of(options.customers) as (url, folder, keyring), Database(url, statement_seconds=3600) as database:
        migrate(database)
        print(f"flushes of this disk: {flushes_per_second(folder):,.0f}/s; load {os.getloadavg()[0]:.1f}", flush=True)
        place = Workplace(Settings(data_folder=folder, work_folder=folder / "work"), database, keyring)
        for name in options.parts or PARTS:
            PARTS[name](place, options.customers)
        print(f"flushes of this disk: {flushes_per_second(folder):,.0f}/s; load {os.getloadavg()[0]:.1f}", flush=True)


PARTS = {
    "lake": lake,
    "refresh": refresh,
    "read": read,
    "timeline": timeline,
    "lists": lists,
    "figures": figures,
    "search": search,
}


if __name__ == "__main__":
    main()
