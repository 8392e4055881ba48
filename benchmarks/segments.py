"""Segments of a brand of a million customers with ten million facts: built, followed, and as others would ask for them.

    .venv/bin/python benchmarks/segments.py [--customers 1000000] [--times 3] [--seconds 60] [PART ...]

The database is that of ``million.py``, which makes it where it is not there.

- ``build``: ten segments beside the same ten in SQL written by hand. Both ask the same columns by DuckDB with the same
  memory; both have to find the same customers. A figure is the fastest of some times, without Python's imports.
- ``preview``: what an editor waits for while each of the ten grows by a statement, from a checked tree to figures and
  people; and where nothing of it was asked before.
- ``grow``: ``build`` where everybody is there three and ten times: what ten million customers cost of what one costs.
- ``peer``: the ten in the same SQL on PostgreSQL, on tables and indexes as a customer database usually has them.
- ``follow``: a thousand facts a second while fifty segments are followed: how soon members change, and what it costs.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import random
import re
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import sqlalchemy as sa
import structlog

from measure import flushes_per_second
from million import AS_OF, database_of
from shuke import collect, lifecycle
from shuke.platform import Database, DuckDBEngine, Settings, Workplace, copy_columns, duckdb_of, migrate
from shuke.segments.jobs import PAUSE_SECONDS
from shuke.segments.measures import members
from shuke.segments.model.clock import Clock
from shuke.segments.model.kinds import Kind
from shuke.segments.rules.checking import checked, read_tree
from shuke.segments.service.asking import Asking, asking
from shuke.segments.service.building import build_all
from shuke.segments.service.columns import MEMORY_BYTES_MAX, Columns, columns_now
from shuke.segments.service.definitions import add_segment
from shuke.segments.service.following import follow as round_of
from shuke.segments.service.previewing import preview
from shuke.segments.service.sets import lately
from shuke.segments.service.subjects import COLUMNS
from ten_segments import BY_HAND, DEFINITIONS

KINDS = {"city": Kind.TEXT}
CLOCK = Clock(AS_OF, "UTC")
DAY_US = 86_400_000_000


def main() -> None:
    """Print what the parts take."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("parts", nargs="*", metavar="PART")
    options = parser.parse_args()
    parts = options.parts or ["build", "preview", "peer", "follow"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with database_of(options.customers) as (url, folder, keyring), Database(url, statement_seconds=3600) as database:
        migrate(database)
        print(f"flushes of this disk: {flushes_per_second(folder):,.0f}/s; load {os.getloadavg()[0]:.1f}", flush=True)
        place = Workplace(Settings(data_folder=folder, work_folder=folder / "work"), database, keyring)
        with database.begin() as tx:
            # The copy was noted as one change of everybody.
            tx.execute(sa.text("TRUNCATE segment_touched"))
        with database.read() as tx:
            refreshed = lifecycle.last_refresh(tx) is not None
        collect.update_lake(place)
        if not refreshed:
            lifecycle.refresh(place, as_of=AS_OF, now=datetime.now(UTC))
        began = time.perf_counter()
        columns = columns_now(place)
        size = sum(file.stat().st_size for file in columns.folder.iterdir())
        print(f"columns of everybody: {time.perf_counter() - began:.1f} s, {size / 1e6:,.0f} MB", flush=True)
        with database.read() as tx:
            asked = asking(tx, place, AS_OF)
        words = asked.vocabulary
        if "preview" in parts:
            previews(place, asked, options.times)
        if "build" in parts or "peer" in parts:
            with duckdb_of(place.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
                best = compare(engine, columns, words, options.times)
        if "grow" in parts:
            grow(place, columns, words, options.customers, options.times)
        if "peer" in parts:
            peer(place, columns, best, options.times)
        if "follow" in parts:
            follow(place, options.seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory of this process: {peak:.2f} GB; load {os.getloadavg()[0]:.1f}")


def compare(engine: DuckDBEngine, columns: Columns, words: Any, times: int) -> dict[str, tuple[int, float]]:
    """Each of the ten, both ways in turn; returns how many each finds, and what ours takes."""
    for file in columns.folder.glob("*.parquet"):
        engine.connection.raw_sql(f"CREATE VIEW {file.stem} AS FROM read_parquet('{file}')")
    subjects = columns.subjects(engine)
    sums, found_by = [0.0, 0.0], {}
    print(f"{'segment':30} {'customers':>9} {'ours':>8} {'by hand':>8} {'ratio':>6}")
    for name, definition in DEFINITIONS.items():
        tree = checked(read_tree(definition), words)
        query = by_hand_of(name)
        # Whoever writes it by hand knows which properties have columns of their own.
        for place, own in enumerate(columns.own):
            query = query.replace(f"json_extract_string(properties, '$.{own}')", f"property_{place}")
        statement = f"SELECT count(*), sum(hash(customer_id)) FROM ({query})"  # noqa: S608 - ours

        def ours(tree: Any = tree) -> tuple[Any, ...]:
            found = members(tree, subjects, CLOCK, KINDS)
            sql = engine.connection.compile(found)
            return fetched(engine, f"SELECT count(*), sum(hash(customer_id)) FROM ({sql})")  # noqa: S608 - ours

        def by_hand(statement: str = statement) -> tuple[Any, ...]:
            return fetched(engine, statement)

        best = [float("inf"), float("inf")]
        for _ in range(times):
            found = [timed(best, number, work) for number, work in enumerate((ours, by_hand))]
            if found[0] != found[1]:
                sys.exit(f"{name}: {found}")
        sums = [total + one for total, one in zip(sums, best, strict=True)]
        found_by[name] = (int(found[0][0]), best[0])
        print(f"{name:30} {found[0][0]:9,} {best[0]:6.2f} s {best[1]:6.2f} s {best[0] / best[1]:6.2f}", flush=True)
    print(f"{'all ten':30} {'':9} {sums[0]:6.2f} s {sums[1]:6.2f} s {sums[0] / sums[1]:6.2f}   (target: 1.3)")
    return found_by


def previews(place: Workplace, asked: Asking, times: int) -> None:
    """Each of the ten as it is shown while it is written: one statement after the other, all at once, once more."""
    steps, whole, again = [], [], []
    for name, definition in DEFINITIONS.items():
        trees = [checked(read_tree(one), asked.vocabulary) for one in growing(definition)]
        each = []
        for _ in range(times):
            lately.clear()
            each += [shown(place, asked, tree)[0] for tree in trees]
            again.append(shown(place, asked, trees[-1])[0])
            lately.clear()
            whole.append(shown(place, asked, trees[-1])[0])
        steps += each
        customers = shown(place, asked, trees[-1])[1]
        ms = ", ".join(f"{one:.0f}" for one in each[-len(trees) :])
        print(f"{name:30} {customers:9,} by statement {ms} ms, at once {whole[-1]:.0f} ms", flush=True)
    for name, taken in (("a statement more", steps), ("all at once", whole), ("once more", again)):
        ordered = sorted(taken)
        typical, most, longest = statistics.median(ordered), ordered[len(ordered) * 95 // 100], ordered[-1]
        print(
            f"preview, {name:21} median {typical:.0f} ms, p95 {most:.0f} ms, at most {longest:.0f} ms   (target: 300)"
        )


def growing(definition: dict[str, Any]) -> list[dict[str, Any]]:
    """A definition as it grows, by one more of its parts each."""
    return [{**definition, "of": definition["of"][: count + 1]} for count in range(len(definition["of"]))]


def shown(place: Workplace, asked: Asking, tree: Any) -> tuple[float, int]:
    """How many milliseconds a preview takes, and whom it counts."""
    began = time.perf_counter()
    found = preview(place, asked, tree)
    return (time.perf_counter() - began) * 1000, found.customers


def grow(place: Workplace, columns: Columns, words: Any, customers: int, times: int) -> None:
    """The ten where everybody is there so many times, under other numbers."""
    least = 0.0
    for factor in GROWN:
        with tempfile.TemporaryDirectory(dir=columns.folder.parent) as folder:
            with duckdb_of(place.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
                for name in COLUMNS:
                    source = f"FROM read_parquet('{columns.folder / name}.parquet')"
                    copies = (
                        f"SELECT * REPLACE ((customer_id + {copy * customers})::INTEGER AS customer_id) {source}"
                        for copy in range(factor)
                    )
                    engine.connection.raw_sql(f"COPY ({' UNION ALL '.join(copies)}) TO '{folder}/{name}.parquet'")
            grown = dataclasses.replace(columns, folder=Path(folder))
            print(f"{factor * customers:,} customers:", flush=True)
            with duckdb_of(place.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
                seconds = sum(best for _, best in compare(engine, grown, words, times).values())
        least = least or seconds
        print(f"{factor} times the data: {seconds / least:.1f} times as long", flush=True)


#: How many times everybody is there.
GROWN = (1, 3, 10)


def by_hand_of(name: str) -> str:
    """The statement of a segment."""
    edges = {f"d{days}": CLOCK.now_us - days * DAY_US for days in (30, 60, 90, 180, 365)}
    shelf = ", ".join(f"'p{number}'" for number in range(100, 120))
    return BY_HAND[name].format(now=CLOCK.now_us, tomorrow=CLOCK.now_us + DAY_US, shelf=shelf, **edges)


def peer(place: Workplace, columns: Columns, ours: dict[str, tuple[int, float]], times: int) -> None:
    """The ten on PostgreSQL, in tables of contacts and events with their indexes."""
    with place.database.begin() as tx, duckdb_of(place.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
        tx.execute(sa.text("SET LOCAL search_path TO peer"))
        for statement in PEER:
            tx.execute(sa.text(statement))
        for name, wanted in PEER_TABLES.items():
            rows = engine.connection.con.execute(
                f"SELECT {', '.join(wanted)} FROM read_parquet('{columns.folder / name}.parquet')"  # noqa: S608 - ours
            ).to_arrow_reader(500_000)
            for batch in rows:
                copy_columns(tx, name, {column: pa.chunked_array([batch.column(column)]) for column in wanted})
        for statement in PEER_INDEXES:
            tx.execute(sa.text(statement))
        tx.execute(sa.text(f"ANALYZE {', '.join(PEER_TABLES)}"))
    total = [0.0, 0.0]
    for name, (customers, seconds) in ours.items():
        query = by_hand_of(name)
        for words, theirs in PEER_WORDS:
            query = re.sub(words, theirs, query)
        counting = f"SELECT count(*) FROM ({query}) AS found".replace(":", r"\:")  # noqa: S608 - ours
        best, found = float("inf"), None
        for _ in range(times):
            with place.database.read() as tx:
                tx.execute(sa.text("SET LOCAL search_path TO peer"))
                tx.execute(sa.text(f"SET LOCAL statement_timeout = '{PEER_SECONDS_MAX}s'"))
                began = time.perf_counter()
                try:
                    found = tx.execute(sa.text(counting)).scalar_one()
                except sa.exc.OperationalError:
                    break
                best = min(best, time.perf_counter() - began)
        if found not in (None, customers):
            sys.exit(f"{name}: {found} of PostgreSQL, {customers} of ours")
        least = PEER_SECONDS_MAX if found is None else best
        total = [total[0] + seconds, total[1] + least]
        more = "more than " if found is None else ""
        theirs = f"{more}{least:.2f} s as contacts and events: {more}{least / seconds:.1f}"
        print(f"{name:30} {customers:9,} {seconds:6.2f} s {theirs}", flush=True)
    print(f"{'all ten':30} {'':9} {total[0]:6.2f} s {total[1]:6.2f} s: {total[1] / total[0]:6.1f}, or more")


#: Nobody waits longer for one of them.
PEER_SECONDS_MAX = 60

PEER = (
    "CREATE SCHEMA peer",
    """
    CREATE TABLE people (
        customer_id integer PRIMARY KEY, attributes jsonb, stage text,
        historic_clv_minor bigint, total_clv_minor bigint,
        churn_probability double precision, orders integer, last_order_at bigint, created_at bigint
    )
    """,
    "CREATE TABLE facts (customer_id integer, us bigint, kind text, name text, properties jsonb)",
    "CREATE TABLE orders (customer_id integer, order_id text, us bigint, channel text, amount_minor bigint)",
    "CREATE TABLE lines (customer_id integer, product_id text, quantity double precision)",
    "CREATE TABLE tags (customer_id integer, tag text, expires_us bigint)",
    "CREATE TABLE identities (customer_id integer, kind text)",
)
PEER_TABLES = {
    "people": (
        *("customer_id", "attributes", "stage", "historic_clv_minor", "total_clv_minor", "churn_probability", "orders"),
        *("last_order_at", "created_at"),
    ),
    "facts": ("customer_id", "us", "kind", "name", "properties"),
    "orders": ("customer_id", "order_id", "us", "channel", "amount_minor"),
    "lines": ("customer_id", "product_id", "quantity"),
    "tags": ("customer_id", "tag", "expires_us"),
    "identities": ("customer_id", "kind"),
}
PEER_INDEXES = (
    "CREATE INDEX ON facts (customer_id, us)",
    "CREATE INDEX ON facts (name, us)",
    "CREATE INDEX ON orders (customer_id, us)",
    "CREATE INDEX ON orders (us)",
    "CREATE INDEX ON lines (customer_id)",
    "CREATE INDEX ON lines (product_id)",
    "CREATE INDEX ON tags (tag, customer_id)",
    "CREATE INDEX ON identities (customer_id)",
)
# What DuckDB writes otherwise.
PEER_WORDS = (
    (r"GROUP BY ALL", "GROUP BY customer_id"),
    (
        r"TRY_CAST\(json_extract_string\(properties, '\$\.(\w+)'\) AS double\)",
        r"(properties ->> '\1')::double precision",
    ),
    (r"json_extract_string\((\w+), '\$\.(\w+)'\)", r"(\1 ->> '\2')"),
)


WEB_PAGE = "Price Watched"
#: So many facts in each of so many transactions a second.
FACTS, TRANSACTIONS = 100, 10


def follow(place: Workplace, seconds: int) -> None:
    """Facts as they come, 1,000 a second, while fifty segments are followed: how soon who is touched is in or out."""
    watched = {"node": "did", "what": {"of": "facts", "kind": "track", "name": WEB_PAGE}}
    with place.database.begin() as tx:
        asked, now = asking(tx, place, AS_OF), datetime.now(UTC)
        add_segment(tx, asked, "Watches a price", read_tree(watched), made_by="benchmark", now=now)
        for number, (name, definition) in enumerate(itertools.islice(varied(), 49)):
            add_segment(tx, asked, f"{name} {number}", read_tree(definition), made_by="benchmark", now=now)
    began = time.perf_counter()
    built = build_all(place, AS_OF)
    members = sum(one.customers for one in built)
    print(f"build of all {len(built)}: {time.perf_counter() - began:.1f} s, {members:,} members", flush=True)
    with place.database.read() as tx:
        ids = tx.execute(sa.text("SELECT identity_id, customer_id FROM identities WHERE kind = 'user_id'")).all()
    owner = {row.identity_id: row.customer_id for row in ids}
    alone = written(place, list(owner), min(seconds, 20), None)
    print(f"writing alone: PostgreSQL {alone:.2f} s of processor a second")
    began = time.perf_counter()
    while round_of(place, AS_OF).more:
        pass
    took = time.perf_counter() - began
    print(f"rounds until these were asked, the first of which writes the statements: {took:.1f} s", flush=True)
    told: dict[UUID, float] = {}
    stop = threading.Event()
    rounds: list[tuple[int, float, list[float]]] = []
    follower = threading.Thread(target=followed, args=(place, told, stop, rounds))
    follower.start()
    both = written(place, list(owner), seconds, lambda identity_id, at: told.setdefault(owner[identity_id], at))
    time.sleep(5)
    stop.set()
    follower.join()
    taken = sorted(one for _, _, each in rounds for one in each)
    cuts = statistics.quantiles(taken, n=100)
    print(
        f"{len(taken):,} customers entered after p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, {taken[-1]:.2f} s at most"
    )
    asked = [asked for asked, _, _ in rounds if asked]
    typical, longest = (pick(took for asked, took, _ in rounds if asked) for pick in (statistics.median, max))
    print(f"{len(asked)} rounds of {statistics.median(asked):,.0f} customers, {max(asked):,} at most", end="")
    print(f"; {typical:.2f} s by median, {longest:.2f} s at most")
    print(f"writing and following: PostgreSQL {both:.2f} s of processor a second")


def varied() -> Iterator[tuple[str, dict[str, Any]]]:
    """The ten again and again, of other days each time; but for the one that ranks everybody, which builds ask."""
    for more in itertools.count():

        def longer(days: re.Match[str], more: int = more) -> str:
            return f'"n": {int(days[1]) + more}'

        for name, definition in DEFINITIONS.items():
            text = json.dumps(definition)
            if '"top"' not in text:
                yield name, json.loads(re.sub(r'"n": (\d\d+)', longer, text))


def written(
    place: Workplace, identity_ids: list[int], seconds: int, told: Callable[[int, float], object] | None
) -> float:
    """Write facts of anybody for so long; returns the seconds of processor that PostgreSQL took in each."""
    chance = random.Random(3)  # noqa: S311 - not for secrets
    before, began = processor_of(place), time.perf_counter()
    for number in range(seconds * TRANSACTIONS):
        whose = chance.sample(identity_ids, FACTS)
        with place.database.begin() as tx:
            tx.execute(sa.text(WRITTEN), {"whose": whose, "name": WEB_PAGE if told else "Looked", "at": AS_OF})
        if told:
            for one in whose:
                told(one, time.perf_counter())
        time.sleep(max(0.0, began + (number + 1) / TRANSACTIONS - time.perf_counter()))
    took = time.perf_counter() - began
    if took > seconds * 1.05:
        print(f"  the facts took {took:.0f} s instead of {seconds}")
    return (processor_of(place) - before) / took


def followed(
    place: Workplace, told: dict[UUID, float], stop: threading.Event, rounds: list[tuple[int, float, list[float]]]
) -> None:
    """Follow, as the worker does, and note of each who entered how long ago it was told."""
    last, started = 0, time.perf_counter()
    while not stop.is_set():
        began = time.perf_counter()
        # Who was touched first is asked first.
        done = round_of(place, AS_OF + timedelta(seconds=began - started))
        ended = time.perf_counter()
        with place.database.read() as tx:
            rows = tx.execute(sa.text(ENTERED), {"last": last}).all()
        last = max([last, *(row.change_id for row in rows)])
        rounds.append(
            (done.asked, ended - began, [ended - told[row.customer_id] for row in rows if row.customer_id in told])
        )
        if not done.more:
            stop.wait(PAUSE_SECONDS)


def processor_of(place: Workplace) -> float:
    """The seconds of processor that PostgreSQL's processes have had."""
    with place.database.read() as tx:
        backend = tx.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    server = stat_of(backend)[1]
    children = [int(path.name) for path in Path("/proc").glob("[0-9]*") if path.name.isdigit()]
    ticks = [stat[2] for pid in children if (stat := stat_of(pid))[1] == server or pid == server]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def stat_of(pid: int) -> tuple[int, int, int]:
    """Of a process: itself, its parent, and the ticks that it and its ended children have had."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return pid, 0, 0
    return pid, int(fields[1]), sum(map(int, fields[11:15]))


WRITTEN = """
    INSERT INTO facts (fact_id, occurred_at, received_at, identity_id, kind, name, source_id, channel, properties)
    SELECT gen_random_uuid(), :at, :at, whose, 'track', :name, 1, 'web', jsonb_build_object('price', whose % 500)
    FROM unnest(CAST(:whose AS bigint[])) AS whose
"""
ENTERED = """
    SELECT c.change_id, c.customer_id FROM segment_changes c JOIN segments s USING (segment_id)
    WHERE c.change_id > :last AND c.entered AND s.name = 'Watches a price'
"""


def fetched(engine: DuckDBEngine, statement: str) -> tuple[Any, ...]:
    """The one row of a statement."""
    return tuple(engine.connection.con.execute(statement).fetchall()[0])


def timed(best: list[float], number: int, work: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
    """Do it, and note its time where it is the best so far."""
    began = time.perf_counter()
    found = work()
    best[number] = min(best[number], time.perf_counter() - began)
    return found


if __name__ == "__main__":
    main()
