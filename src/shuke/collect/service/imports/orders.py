"""Order files into the database, read by the same code as for the report."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from shuke import catalog, profiles
from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue
from shuke.base.money import AMOUNT_MAX, known_currency, minor_digits
from shuke.base.progress import Progress, silent
from shuke.collect import measures
from shuke.collect.model import Collected, OrderStatus, Stated
from shuke.collect.rules.headers import plain
from shuke.collect.rules.personal import is_personal_text
from shuke.collect.service.imports.ledger import Counts, Imported, Step, fingerprint, run_steps
from shuke.collect.service.orders import merge_orders, merge_refunds, prepare
from shuke.collect.service.origins import ensure_source, find_source
from shuke.collect.service.rejects import free_path, harmless, write_rejects
from shuke.collect.service.sources import find_files
from shuke.platform import Engine, Keyring, Transaction, Workplace, copy_columns

__all__ = ["import_orders"]

BATCH_ORDERS = 2_000
BATCH_REFUNDS = 10_000
# Kinds of identities that say by themselves who somebody is.
_PERSONAL = ("phone", "email")
# Rejected orders that are written out; the counts are complete.
_REJECTS_MAX = 100_000
_IDENTITY_WORDS = {
    "phone": ("phone", "mobile", "手机", "电话"),
    "email": ("email", "mail", "邮箱"),
    "unionid": ("unionid",),
    "openid": ("openid",),
}


def import_orders(  # noqa: PLR0913 - what a person may say about it; all but the files by keyword
    workplace: Workplace,
    files: Sequence[str],
    collected: Collected,
    *,
    engine: Engine,
    source: str,
    now: Callable[[], datetime],
    currency: str | None = None,
    timezone: str | None = None,
    identity_kind: str | None = None,
    dry_run: bool = False,
    rejects_folder: Path | None = None,
    language: Language = Language.ENGLISH,
    batch_orders: int = BATCH_ORDERS,
    progress: Progress = silent,
) -> Imported:
    """Bring sales and refunds of order files into the database, and the products, channels and stores they name.

    What ``collected`` sets aside or rejects stays out, so that the database says what the report says. The same files
    again change nothing, changed orders are changed; an order that is gone from the files stays.

    Args:
        workplace: whose database; its transactions are opened here, one for each batch.
        files: what ``collected`` was read from, to recognise an import that was interrupted.
        collected: see :func:`shuke.collect.read_orders`.
        engine: the one that ``collected`` is on.
        source: the name of the source; orders are known by it and their number.
        now: the clock.
        currency: of the files, where they do not say it themselves.
        timezone: of times in the files; without it UTC.
        identity_kind: what the customer column holds; without it what the column's name says, else member numbers.
        dry_run: only count; nothing stays.
        rejects_folder: where rows that do not go in are written with their reasons.
        language: of the reasons.
        batch_orders: orders of one transaction.
        progress: told the share that is done.

    Raises:
        BadInput: ``collect.currency_needed``, ``base.unknown_currency``, ``profiles.bad_kind``.
    """
    code = currency or collected.currency
    if code is None:
        raise BadInput("collect.currency_needed")
    code = known_currency(code)
    kind = identity_kind or identity_kind_of(collected.recognised.column("customer") or "")
    plan = _plan(collected, engine, minor_digits(code), batch_orders, personal=kind in _PERSONAL)
    with workplace.database.begin() as tx:
        source_id = find_source(tx, source) if dry_run else ensure_source(tx, source, now=now())
    loader = _Loader(workplace.keyring, source_id, code, kind, ZoneInfo(timezone or "UTC"), plan, now)
    mark = fingerprint(
        find_files(files), code, kind, timezone, batch_orders, collected.recognised, collected.rules.currency,
        [_count(table) for table in plan.tables],
    )  # fmt: skip
    counts, resumed = run_steps(
        workplace.database,
        kind="orders",
        source_id=source_id,
        mark=mark,
        steps=loader.steps(),
        now=now,
        dry_run=dry_run,
        progress=progress,
    )
    rejects = () if rejects_folder is None else _write_rejects(collected, plan, rejects_folder, language)
    rejected = plan.orders.filter(plan.orders.reason.notnull())
    return Imported(
        counts=counts,
        resumed=resumed,
        rejected=_reasons(plan),
        rejected_amount_minor=int(rejected.amount_minor.sum().to_pyarrow().as_py() or 0),
        rejects=rejects,
        currency=code,
    )


def identity_kind_of(column: str) -> str:
    """What a customer column holds by its name: phones and addresses only where the name says so."""
    name = plain(column)
    for kind, words in _IDENTITY_WORDS.items():
        if any(word in name for word in words):
            return kind
    return "member_number"


@dataclass(frozen=True)
class _Plan:
    """What goes in, kept on the engine; ``None`` where the files have no such thing."""

    orders: ir.Table
    lines: ir.Table | None
    refunds: ir.Table | None
    products: ir.Table | None

    @property
    def tables(self) -> tuple[ir.Table, ...]:
        return tuple(table for table in (self.orders, self.lines, self.refunds, self.products) if table is not None)


def _plan(collected: Collected, engine: Engine, digits: int, batch_orders: int, *, personal: bool) -> _Plan:
    tables = collected.tables
    orders = engine.keep(
        measures.orders_to_import(
            tables.orders, digits=digits, amount_max=AMOUNT_MAX, batch_orders=batch_orders, personal=personal
        ).order_by("batch"),
        "import_orders",
    )
    lines = products = refunds = None
    if tables.order_lines is not None:
        # Sorted, so that a batch is found without a look at the others.
        lines = measures.lines_to_import(tables.order_lines, orders, digits=digits).order_by("batch")
        lines = engine.keep(lines, "import_lines")
        products = engine.keep(measures.products_to_import(lines).order_by("product_id"), "import_products")
    if tables.refunds is not None:
        refunds = measures.refunds_to_import(
            tables.refunds, digits=digits, amount_max=AMOUNT_MAX, batch_rows=BATCH_REFUNDS, personal=personal
        )
        refunds = engine.keep(refunds.order_by("batch"), "import_refunds")
    return _Plan(orders, lines, refunds, products)


@dataclass(frozen=True)
class _Loader:
    """Brings one batch after the other into the transaction that it is given."""

    keyring: Keyring
    source_id: int
    currency: str
    identity_kind: str
    zone: ZoneInfo
    plan: _Plan
    now: Callable[[], datetime]

    def steps(self) -> list[Step]:
        """What is to be done, in order: places, products, orders, refunds."""
        plan = self.plan
        steps: list[Step] = [self._places]
        if plan.products is not None:
            products = -(-_count(plan.products) // catalog.BATCH_MAX)
            steps += [partial(self._products, plan.products, number) for number in range(products)]
        steps += [partial(self._orders, number) for number in range(_batches(plan.orders))]
        if plan.refunds is not None:
            steps += [partial(self._refunds, plan.refunds, number) for number in range(_batches(plan.refunds))]
        return steps

    def _places(self, tx: Transaction) -> Counts:
        orders = self.plan.orders
        channels, stores = (
            [
                name
                for name in _distinct(orders, field)
                if len(name) <= catalog.ID_CHARACTERS_MAX and not is_personal_text(name, reference=True)
            ]
            for field in ("channel", "store")
        )
        limit = catalog.BATCH_MAX
        for at in range(0, len(channels), limit):
            some = [catalog.Channel(channel=name) for name in channels[at : at + limit]]
            catalog.add_channels(tx, some, now=self.now())
        for at in range(0, len(stores), limit):
            some_stores = [catalog.Store(store_id=name) for name in stores[at : at + limit]]
            catalog.add_stores(tx, some_stores, now=self.now())
        return {}

    def _products(self, products: ir.Table, number: int, tx: Transaction) -> Counts:
        rows = products.order_by("product_id").limit(catalog.BATCH_MAX, offset=number * catalog.BATCH_MAX)
        saved = catalog.add_products(
            tx,
            [
                catalog.Product(
                    product_id=row["product_id"],
                    name=row["product_name"],
                    category=row["category"],
                    brand=row["brand"],
                )
                for row in rows.to_pyarrow().to_pylist()
            ],
            now=self.now(),
        )
        return {
            "products.created": saved.created,
            "products.updated": saved.updated,
            "products.unchanged": saved.unchanged,
        }

    def _orders(self, number: int, tx: Transaction) -> Counts:
        now = self.now()
        orders = _batch(self.plan.orders, number)
        prepare(tx)
        copy_columns(
            tx,
            "incoming_orders",
            {
                "source_id": self.source_id,
                "order_id": self._numbers(orders),
                "identity_id": self._identities(tx, orders["customer"], now),
                "ordered_at": self._moments(orders["ordered_at"]),
                "amount_minor": orders["amount_minor"],
                "discount_minor": orders["discount_minor"],
                "currency": self.currency,
                "status": OrderStatus.COMPLETED.value,
                **{name: _open(orders[name]) for name in ("channel", "store", "region")},
                "stated_at": pa.scalar(now),
                "stated_by": "",
                "lines_stated": self.plan.lines is not None,
            },
        )
        counts: dict[str, int] = {}
        if self.plan.lines is not None:
            lines = _batch(self.plan.lines, number)
            copy_columns(
                tx,
                "incoming_lines",
                {
                    "source_id": self.source_id,
                    "order_id": self._numbers(lines),
                    **{name: lines[name] for name in ("line", "product_id", "product_name", "category", "brand")},
                    **{name: lines[name] for name in ("quantity", "amount_minor", "cost_minor")},
                },
            )
            counts["lines"] = lines.num_rows
        counts |= _counted("orders", merge_orders(tx, now))
        counts["orders.amount_minor"] = _kept(tx, "orders", "order_id")
        return counts

    def _refunds(self, refunds: ir.Table, number: int, tx: Transaction) -> Counts:
        now = self.now()
        rows = _batch(refunds, number)
        numbers = self._numbers(rows)
        prepare(tx)
        copy_columns(
            tx,
            "incoming_refunds",
            {
                "source_id": self.source_id,
                "refund_id": pc.binary_join_element_wise(numbers, rows["part"], "/"),
                "order_id": numbers,
                "product_id": rows["product"],
                "identity_id": self._identities(tx, rows["customer"], now),
                "refunded_at": self._moments(rows["refunded_at"]),
                "amount_minor": rows["amount_minor"],
                "currency": self.currency,
            },
        )
        counts = _counted("refunds", merge_refunds(tx, now))
        counts["refunds.amount_minor"] = _kept(tx, "refunds", "refund_id")
        return counts

    def _identities(self, tx: Transaction, customers: pa.ChunkedArray, now: datetime) -> pa.Array:
        """The identity of each row; null for a customer that names nobody, such as ``0000``."""
        coded = customers.combine_chunks().dictionary_encode()
        people = [[(self.identity_kind, value)] for value in coded.dictionary.to_pylist()]
        found = profiles.resolve(tx, self.keyring, people, now)
        identities = pa.array([one.identity_id if one is not None else None for one in found], pa.int64())
        return identities.take(coded.indices)

    def _numbers(self, rows: pa.Table) -> pa.Array:
        """The orders' numbers; instead of one that may name a person, its blind index, which is always the same."""
        numbers = rows["order_id"].combine_chunks()
        made = rows["made"].combine_chunks()
        if not pc.any(made).as_py():
            return numbers
        hidden = [
            self.keyring.index("order_number", number).hex() if hide else None
            for number, hide in zip(numbers.to_pylist(), made.to_pylist(), strict=True)
        ]
        return pc.coalesce(pa.array(hidden, pa.string()), numbers.cast(pa.string()))

    def _moments(self, times: pa.ChunkedArray) -> pa.ChunkedArray:
        """The brand's own time in UTC. An hour that a change of clocks repeats is the first, one it skips the next."""
        local = pc.assume_timezone(times, self.zone.key, ambiguous="earliest", nonexistent="latest")
        return local.cast(pa.timestamp("us", "UTC"))


def _open(words: pa.ChunkedArray) -> pa.Array:
    """The words, null in the place of one that looks like somebody's address or number; each is looked at once."""
    coded = words.combine_chunks().dictionary_encode()
    seen = coded.dictionary.to_pylist()
    passed = [None if word is None or is_personal_text(word, reference=True) else word for word in seen]
    return pa.array(passed, pa.string()).take(coded.indices)


def _batch(table: ir.Table, number: int) -> pa.Table:
    return table.filter(table.batch == number).to_pyarrow()


def _batches(table: ir.Table) -> int:
    last = table.batch.max().to_pyarrow().as_py()
    return 0 if last is None else int(last) + 1


def _distinct(table: ir.Table, field: str) -> list[str]:
    named = table.filter(table[field].notnull()).select(field).distinct().order_by(field)
    return [name for name in named[field].to_pyarrow().to_pylist() if name.strip()]


def _count(table: ir.Table) -> int:
    return int(table.count().to_pyarrow().as_py())


def _counted(what: str, stated: Stated) -> dict[str, int]:
    return {
        f"{what}.created": stated.created,
        f"{what}.updated": stated.updated,
        f"{what}.unchanged": stated.unchanged,
    }


def _kept(tx: Transaction, table: str, key: str) -> int:
    """The sum of what the database now holds for the rows that came in."""
    summed = f"SELECT coalesce(sum(t.amount_minor), 0) FROM {table} t JOIN incoming_{table} USING (source_id, {key})"  # noqa: S608 - names are ours
    return int(tx.execute(sa.text(summed)).scalar_one())


def _reasons(plan: _Plan) -> dict[str, int]:
    found: dict[str, int] = {}
    for table in (plan.orders, plan.refunds):
        if table is not None:
            counted = table.filter(table.reason.notnull()).group_by("reason").aggregate(rows=lambda t: t.count())
            for row in counted.to_pyarrow().to_pylist():
                found[row["reason"]] = found.get(row["reason"], 0) + row["rows"]
    return found


def _write_rejects(collected: Collected, plan: _Plan, folder: Path, language: Language) -> tuple[Path, ...]:
    """The rows that did not go in, with their reasons: those of the files, then whole orders and refunds."""
    paths = write_rejects(collected, folder, language=language)
    if not _reasons(plan):
        return tuple(paths)
    say = catalogue("shuke.collect", language)
    path = free_path(folder, "whole orders")
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([say(f"rejects.{name}") for name in ("order", "customer", "code", "reason")])
        for table in (plan.orders, plan.refunds):
            if table is None:
                continue
            rejected = table.filter(table.reason.notnull()).order_by("order_id").limit(_REJECTS_MAX)
            for row in rejected.select("order_id", "customer", "reason").to_pyarrow().to_pylist():
                reason = say(f"import_reasons.{row['reason']}")
                writer.writerow([harmless(row["order_id"]), harmless(row["customer"]), row["reason"], reason])
    return (*paths, path)
