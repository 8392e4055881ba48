"""Everybody in columns beside the lake, for trees that are asked of all customers.

A folder of Parquet files is made from the lake (what happened) and PostgreSQL (what is known of people), in which
customers have numbers, in the order of their ids. It is as of the moment at which it was begun: what came in later is
not in it, and whoever shows a figure of it says so. The newest folders stay for whoever still reads them.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from shuke import collect, lifecycle, profiles
from shuke.base.errors import NotAvailable
from shuke.platform import BATCH_ROWS, Engine, Lake, Snapshot, Transaction, Workplace, decided, duckdb_of, selected
from shuke.segments.measures import INSIDE, LONG, Subjects, carried
from shuke.segments.model.clock import us_of
from shuke.segments.rules.checking import PROPERTY
from shuke.segments.service.subjects import COLUMNS, currency_of, people_of

__all__ = ["IDS", "MEMORY_BYTES_MAX", "WORTH", "Columns", "Turns", "columns_now", "latest_columns", "with_own"]

MEMORY_BYTES_MAX = 1_500_000_000
#: How long somebody waits for their turn.
WAIT_SECONDS_MAX = 25.0
#: Folders that are kept, and how long others stay.
FOLDERS_MAX = 2
LEFT_SECONDS = 600

_BASIS = "basis.json"
#: Of what files a folder consists; one of another form is passed over, and made anew.
_FORM = 4
#: Beside the tables, in the order of customers' numbers: what each is worth, and the sixteen bytes of their id.
WORTH, IDS = "worth.npy", "ids.npy"
_ARROW = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "date": pa.date32()}
#: Properties that have a column of their own, at most; those of fewer facts than this share have none.
_OWN_MAX, _OWN_SHARE = 8, 0.02
#: Facts that are looked at for their properties, about.
_LOOKED_AT = 100_000
#: Facts lie in order of their kind and name, by which they are asked for, then of so much time, so that the others are
#: not read, and of customers, so that to group them by customer takes half as long.
_QUARTER_US = 91 * 86_400_000_000
_making = threading.Lock()


@dataclass(frozen=True)
class Columns:
    """A folder of the tables of :class:`~shuke.segments.measures.Subjects`, as of ``at``; customers are numbers.

    Everything is in them that was written by transactions below ``decided``; figures are those of ``refresh_id``.
    ``own`` are the properties of which facts have a column of its own, in their order.
    """

    folder: Path
    at: datetime
    decided: int
    refresh_id: UUID | None
    own: tuple[str, ...] = ()

    @property
    def snapshot(self) -> Snapshot:
        """What is in them for certain."""
        return Snapshot(f"{self.decided}:{self.decided}:")

    @property
    def at_us(self) -> int:
        """``at`` in microseconds since 1970."""
        return us_of(self.at)

    def subjects(self, engine: Engine) -> Subjects:
        """The tables; ``people`` have ``id``, too: who each number is, as text."""
        tables = {name: engine.read_parquet(self.folder / f"{name}.parquet") for name in COLUMNS}
        own = {name: _column(place) for place, name in enumerate(self.own)}
        return Subjects(**tables, everybody=tables["people"], inside=INSIDE[engine.name], own=own)


class Turns:
    """Lets no more than so many ask at once; the others wait."""

    def __init__(self, at_once: int) -> None:
        self._turns = threading.BoundedSemaphore(at_once)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A turn of one's own; NotAvailable ``segments.busy`` where none came in :data:`WAIT_SECONDS_MAX`."""
        if not self._turns.acquire(timeout=WAIT_SECONDS_MAX):
            raise NotAvailable("segments.busy")
        try:
            yield
        finally:
            self._turns.release()


def latest_columns(workplace: Workplace) -> Columns | None:
    """The newest folder; None where there is none."""
    for folder in sorted(_home(workplace).glob("[0-9]*"), reverse=True):
        with contextlib.suppress(FileNotFoundError, KeyError):
            basis = json.loads((folder / _BASIS).read_text())
            if basis["form"] != _FORM:
                continue
            refresh_id = basis["refresh_id"] and UUID(basis["refresh_id"])
            at = datetime.fromisoformat(basis["at"])
            return Columns(folder, at, basis["decided"], refresh_id, tuple(basis["own"]))
    return None


def columns_now(workplace: Workplace) -> Columns:
    """The columns as of now, from a lake that is brought up to date before.

    Raises CannotSay ``platform.no_table`` without a lake.
    """
    with _making:
        at = datetime.now(UTC)
        with workplace.database.read() as tx:
            reached, refreshed = decided(tx), lifecycle.last_refresh(tx)
        refresh_id = refreshed.refresh_id if refreshed else None
        collect.update_lake(workplace, wait=True)
        home = _home(workplace)
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=home) as partial:
            own = _write(workplace, Path(partial))
            basis = {
                "form": _FORM,
                "at": at.isoformat(),
                "decided": reached,
                "refresh_id": refresh_id and str(refresh_id),
                "own": own,
            }
            (Path(partial) / _BASIS).write_text(json.dumps(basis))
            folder = home / f"{at:%Y%m%dT%H%M%S%f}"
            Path(partial).rename(folder)
        _tidy(home)
        return Columns(folder, at, reached, refresh_id, own)


def with_own(facts: ir.Table, own: Sequence[str]) -> ir.Table:
    """Facts with a column of its own for each of these properties, in which it stands as text. On DuckDB."""
    inside = INSIDE["duckdb"]
    return facts.mutate(**{_column(place): inside(facts.properties, name) for place, name in enumerate(own)})


def _column(place: int) -> str:
    # Not by the property's name: to DuckDB columns are the same whose names differ by capitals only.
    return f"property_{place}"


def _home(workplace: Workplace) -> Path:
    return workplace.settings.data_folder / "segments"


def _tidy(home: Path) -> None:
    whole = sorted(home.glob("[0-9]*"), reverse=True)
    for folder in [*whole[FOLDERS_MAX:], *home.glob(".*")]:
        with contextlib.suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _write(workplace: Workplace, folder: Path) -> tuple[str, ...]:
    """Write the tables; returns the properties of which facts have a column of its own."""
    with duckdb_of(workplace.settings, work_folder=folder, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
        with workplace.database.read() as tx:
            currency = currency_of(tx)
            parts = profiles.parts_of_present().subquery("parts")
            known = {name: _copied(tx, folder, engine, name, found) for name, found in people_of(parts).items()}
        people = known["people"]
        place = ibis.row_number().over(ibis.window(order_by=people.customer_id))
        people = people.mutate(id=people.customer_id, number=place.cast("int32"))
        people = engine.keep(people.drop("customer_id").rename(customer_id="number"), "people")
        ids = people.select("id", number="customer_id")

        def numbered(table: ir.Table) -> ir.Table:
            return table.join(ids, table.customer_id == ids.id).drop("customer_id", "id").rename(customer_id="number")

        lake = collect.lake_of(workplace)
        owners = numbered(lake.read(engine, "identities"))
        happened = collect.happenings_in_lake(lake, engine, engine.keep(owners, "owners"), currency)
        engine.write_parquet(people, folder / "people.parquet")
        _write_by_number(people, folder)
        for name in ("tags", "consents", "identities", "listed"):
            engine.write_parquet(numbered(known[name]), folder / f"{name}.parquet")
        own = _commonest_properties(engine, lake)
        facts = happened.facts.order_by("kind", "name", happened.facts.us // _QUARTER_US, "customer_id")
        engine.write_parquet(with_own(facts, own), folder / "facts.parquet")
        engine.write_parquet(happened.orders, folder / "orders.parquet")
        # Those of some goods lie side by side, so that the others are not read for them.
        engine.write_parquet(happened.lines.order_by("product_id"), folder / "lines.parquet")
    for file in folder.glob("*.copied"):
        file.unlink()
    return own


def _commonest_properties(engine: Engine, lake: Lake) -> tuple[str, ...]:
    """Which properties have a column of their own, by some of the facts."""
    facts = lake.read(engine, "facts")
    share = min(1.0, _LOOKED_AT / max(1, int(facts.count().to_pyarrow().as_py())))
    sample = engine.keep(facts.filter(ibis.random() < share).select("kind", "name", "properties"), "looked_at")
    looked_at = int(sample.count().to_pyarrow().as_py())
    found = carried(sample)
    often = found.filter(found.times >= looked_at * _OWN_SHARE).order_by(found.times.desc(), "property")
    names = [name for name in often.to_pyarrow()["property"].to_pylist() if PROPERTY.fullmatch(name)]
    # What somebody wrote, such as a message, would take its room twice, and is asked of hardly ever.
    texts = with_own(sample, names)
    short = (name for place, name in enumerate(names) if _typical(texts[_column(place)]) <= LONG)
    return tuple(islice(short, _OWN_MAX))


def _typical(text: ir.StringValue) -> float:
    """How many characters it has on the average."""
    return float(text.length().mean().to_pyarrow().as_py())


def _write_by_number(people: ir.Table, folder: Path) -> None:
    known = people.select(
        "customer_id",
        worth=ibis.coalesce(people.total_clv_minor, people.historic_clv_minor, 0),
        hex=people.id.replace("-", ""),
    )
    customers = int(known.count().to_pyarrow().as_py())
    worth = np.lib.format.open_memmap(folder / WORTH, "w+", np.int64, (customers,))
    ids = np.lib.format.open_memmap(folder / IDS, "w+", np.uint8, (customers, 16))
    for batch in known.to_pyarrow_batches(chunk_size=BATCH_ROWS):
        numbers = batch["customer_id"].to_numpy()
        worth[numbers] = batch["worth"].to_numpy()
        written = "".join(batch["hex"].to_pylist())
        ids[numbers] = np.frombuffer(bytes.fromhex(written), np.uint8).reshape(-1, 16)


def _copied(tx: Transaction, folder: Path, engine: Engine, name: str, found: sa.Select) -> ir.Table:  # type: ignore[type-arg] # of any columns
    """What a statement finds, as a table of the engine."""
    file = folder / f"{name}.copied"
    columns = COLUMNS[name]
    rows_found = found.subquery(name)
    ordered = sa.select(*(rows_found.c[column] for column in columns))
    query = str(ordered.compile(tx, compile_kwargs={"literal_binds": True}))
    schema = pa.schema([(column, _ARROW[kind]) for column, kind in columns.items()])
    with pq.ParquetWriter(file, schema) as writer, selected(tx, query, schema) as rows:
        for batch in rows.reader:
            writer.write_batch(batch)
    return engine.read_parquet(file)
