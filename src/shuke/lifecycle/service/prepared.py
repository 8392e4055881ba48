"""What every question to the lake begins with, worked out once for each state of the lake and kept on disk.

To find whose each order is, on which day of the brand's clock it was and which order a line belongs to takes longer
than most answers. So it is done once: for the orders by the last refresh in one currency there is a folder with the
canonical tables as Parquet files, in which customers and orders have small numbers instead of long names. Beside them
lie the answers to what everybody asks first. A worker makes it after a refresh, and again when something in the lake
has changed; meanwhile readers look at the former one, which is minutes old. Where there is none yet, whoever asks
first waits for it.

There is nothing in the files that is not in the lake, and never are there more than a few folders.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
from pydantic import TypeAdapter, ValidationError

from shuke import collect, insight
from shuke.lifecycle.model import Refresh
from shuke.platform import Engine, Workplace, duckdb_of

__all__ = ["FRESH_SECONDS_MAX", "MEMORY_BYTES_MAX", "Prepared", "prepare", "prepared_for"]

#: Of one computation, unless the settings say less; beyond it goes to the work folder.
MEMORY_BYTES_MAX = 1_500_000_000
#: So long something that the lake has anew may wait to be seen, where there are more orders than these; of fewer the
#: tables are prepared within a second, and always anew.
FRESH_SECONDS_MAX = 1_500
ORDERS_AT_ONCE_MAX = 100_000
#: Folders that are kept, the newest, and how long the others stay for whoever still reads them.
FOLDERS_MAX = 4
LEFT_SECONDS = 600

#: What is read of the lake. Facts are not among them: what is read of those is told with the refunds, and after them.
_READ = ("orders", "order_lines", "refunds", "identities", "costs")
_BASIS = "basis.json"
# To be counted up when the files or the answers become others.
_FORM = 1
# One at a time in a process, so that two who ask at once do not both work.
_preparing = threading.Lock()


Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Prepared:
    """A folder of canonical tables; ``currencies`` are all in which anything was sold, to whomever."""

    folder: Path
    currency: str
    currencies: tuple[str, ...]

    def tables(self, engine: Engine) -> insight.Tables:
        """The canonical tables; customers and orders are numbers."""
        found = {path.stem: engine.read_parquet(path) for path in self.folder.glob("*.parquet")}
        return insight.Tables(**{name: table for name, table in found.items() if name != "people"})

    def answer(self, name: str, kind: type[Answer]) -> Answer | None:
        """An answer that lies beside the tables; None where there is none, or none of the present form."""
        with contextlib.suppress(FileNotFoundError, ValidationError):
            return TypeAdapter(kind).validate_json(self._file(name).read_bytes())
        return None

    def keep_answer(self, name: str, answer: object) -> None:
        """Lay an answer beside the tables, where there is room; of two at once either, whole."""
        with contextlib.suppress(OSError):
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as partial:
                partial.write(TypeAdapter(type(answer)).dump_json(answer))
            Path(partial.name).rename(self._file(name))

    def _file(self, name: str) -> Path:
        return self.folder / f"answer-{name}.json"

    def people(self, engine: Engine) -> ir.Table:
        """Which number a customer has: customer_id (as text), number, and a row for each currency of their orders."""
        return engine.read_parquet(self.folder / "people.parquet")


def prepared_for(workplace: Workplace, refresh: Refresh, currency: str | None = None) -> Prepared | None:
    """The tables as of a refresh, no older than :data:`FRESH_SECONDS_MAX` where the lake has changed since.

    None where they have to be prepared. Arguments as for :func:`prepare`.
    """
    return _found(workplace, refresh, currency, old=True)


def prepare(workplace: Workplace, refresh: Refresh, currency: str | None = None) -> Prepared:
    """The tables as the lake is now; nothing is done where they are there.

    Args:
        workplace: whose lake.
        refresh: which facts they have to agree with.
        currency: of the orders; None is that of the facts.

    Raises:
        BadInput: ``collect.nothing_stored``, ``collect.no_sales``, ``collect.currency_absent``.
        CannotSay: ``platform.no_table``.
    """
    with _preparing:
        found = _found(workplace, refresh, currency, old=False)
        if found is None:
            folder = _folder(workplace, refresh, currency)
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".", dir=folder.parent) as partial:
                found = _written(workplace, refresh, currency, Path(partial))
                try:
                    Path(partial).rename(folder)
                except OSError:
                    # Another process was faster.
                    if not folder.exists():
                        raise
            _tidy(folder.parent)
            found = Prepared(folder, found.currency, found.currencies)
        return found


def _folder(workplace: Workplace, refresh: Refresh, currency: str | None) -> Path:
    """By its name of a refresh, of a currency, of a state of the lake."""
    states = collect.lake_of(workplace).states(*_READ)
    digest = hashlib.sha256(json.dumps([_FORM, states]).encode()).hexdigest()[:16]
    return workplace.settings.data_folder / "desk" / f"{refresh.refresh_id.hex}-{currency or refresh.currency}-{digest}"


def _found(workplace: Workplace, refresh: Refresh, currency: str | None, *, old: bool) -> Prepared | None:
    """What is there of the present state of the lake; with ``old``, of a state that is not long past."""
    wanted = _folder(workplace, refresh, currency)
    folders = [wanted]
    if old and not wanted.exists():
        same = wanted.name.rpartition("-")[0]
        aged = [(_age(one), one) for one in wanted.parent.glob(f"{same}-*")]
        folders = [one for age, one in sorted(aged) if age < FRESH_SECONDS_MAX]
    for folder in folders:
        try:
            basis = json.loads((folder / _BASIS).read_text())
        except FileNotFoundError:
            continue
        if folder == wanted or basis["orders"] > ORDERS_AT_ONCE_MAX:
            return Prepared(folder, basis["currency"], tuple(basis["currencies"]))
    return None


def _age(folder: Path) -> float:
    try:
        return time.time() - (folder / _BASIS).stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _tidy(parent: Path) -> None:
    """Delete all but the newest folders, once nobody reads them any more, and what a crash left half done."""
    aged = sorted((_age(one), one) for one in parent.iterdir())
    whole = [(age, one) for age, one in aged if not one.name.startswith(".")]
    left = [(time.time() - one.stat().st_mtime, one) for _, one in aged if one.name.startswith(".")]
    for age, folder in [*whole[FOLDERS_MAX:], *left]:
        if age > LEFT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _written(workplace: Workplace, refresh: Refresh, currency: str | None, folder: Path) -> Prepared:
    local = refresh.as_of.astimezone(ZoneInfo(refresh.time_zone)).replace(tzinfo=None)
    with duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
        stored = collect.read_stored(
            collect.lake_of(workplace),
            engine=engine,
            currency=currency or refresh.currency,
            timezone=refresh.time_zone,
            as_of=local,
        )
        people = engine.keep(_people(stored.tables, stored.lines), "desk_people")
        numbered = _numbered(stored.tables, people, engine)
        engine.write_parquet(people, folder / "people.parquet")
        rows = {
            name: engine.write_parquet(table, folder / f"{name}.parquet")
            for name in ("orders", "order_lines", "refunds", "costs")
            if (table := getattr(numbered, name)) is not None
        }
        found = stored.lines.select("currency").distinct().to_pyarrow()["currency"].to_pylist()
        currencies = sorted(map(str, found))
        basis = {"currency": stored.currency, "currencies": currencies, "orders": rows["orders"]}
        (folder / _BASIS).write_text(json.dumps(basis))
        return Prepared(folder, str(stored.currency), tuple(currencies))


def _people(tables: insight.Tables, orders: ir.Table) -> ir.Table:
    """Everybody of whom anything is told, by number, with each currency of their orders."""
    known = orders.filter(orders.customer_id.notnull()).select("customer_id", "currency")
    if tables.refunds is not None:
        known = known.union(tables.refunds.select("customer_id", currency=ibis.null("string")))
    known = known.distinct()
    number = ibis.dense_rank().over(ibis.window(order_by=known.customer_id))
    return known.mutate(number=number.cast("int32"))


def _numbered(tables: insight.Tables, people: ir.Table, engine: Engine) -> insight.Tables:
    """The tables with numbers in the place of names; orders are numbered in the order of time, then of their names."""
    who = people.select("customer_id", "number").distinct()
    orders = tables.orders
    place = ibis.row_number().over(ibis.window(order_by=(orders.ordered_at, orders.order_id)))
    orders = engine.keep(
        orders.mutate(order_number=place.cast("int32"))
        .inner_join(who, "customer_id")
        .drop("customer_id")
        .rename(customer_id="number"),
        "desk_orders",
    )
    which = orders.select("order_id", "order_number", buyer="customer_id")
    lines, refunds = tables.order_lines, tables.refunds
    if lines is not None:
        lines = lines.drop("customer_id").inner_join(which, "order_id").drop("order_id")
        lines = lines.rename(customer_id="buyer", order_id="order_number")
    if refunds is not None:
        refunds = refunds.left_join(which.drop("buyer"), "order_id").drop("order_id", "order_id_right")
        refunds = refunds.rename(order_id="order_number").inner_join(who, "customer_id").drop("customer_id")
        refunds = refunds.rename(customer_id="number")
    return insight.Tables(
        orders=orders.drop("order_id").rename(order_id="order_number"),
        order_lines=lines,
        refunds=refunds,
        costs=tables.costs,
    )
