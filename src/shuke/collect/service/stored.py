"""What the database holds, as the canonical tables that order files yield: read from its copy in the lake.

The account of it is the same as that of files: every order and every refund is in exactly one count, and rows and money
of the counts are those of the tables, which are summed without any rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from shuke.base.clock import known_timezone
from shuke.base.errors import BadInput
from shuke.base.money import from_minor, minor_digits
from shuke.collect import measures
from shuke.collect.model import (
    NUMBER_OF,
    TREATMENTS,
    Collected,
    FileRead,
    Note,
    OrderStatus,
    Quality,
    QualityCount,
    Recognised,
    RowRules,
)
from shuke.insight.tables import Tables
from shuke.platform import Engine, Lake

__all__ = ["read_stored"]

_KEY = ("source_id", "order_id")
_SALE = NUMBER_OF["sale"]


def read_stored(
    lake: Lake,
    *,
    engine: Engine,
    currency: str | None = None,
    timezone: str | None = None,
    as_of: datetime | None = None,
    goods: bool = True,
) -> Collected:
    """The orders, refunds and costs of the lake, with the customer that each belongs to now.

    ``customer_id`` is the customer's UUID as text. Moments are those of the brand's zone. An order counts as it stands
    now: one that was cancelled since is set aside.

    Args:
        lake: brought up to date by the caller (:func:`update_lake`).
        engine: what runs the analysis.
        currency: the code to analyse; without it that of most orders. Orders in others are set aside.
        timezone: the brand's zone (IANA name); None is UTC.
        as_of: facts from this moment on, in the brand's zone, are set aside.
        goods: whether to read which goods were bought and returned; without, there are no order lines, and orders say
            nothing of their units and costs.

    Raises:
        BadInput: ``collect.nothing_stored`` without any order, ``collect.currency_absent``,
            ``base.unknown_timezone``, ``collect.no_sales``.
        CannotSay: ``platform.no_table`` where there is no lake yet.
    """
    if timezone is not None:
        known_timezone(timezone)
    stored = _Stored.of(lake, engine, goods=goods)
    chosen = _currency(stored.orders, currency)
    rules = _Rules(chosen, as_of, timezone, engine.name)
    orders = engine.keep(stored.owned_orders(rules), "stored_orders")
    refunds = engine.keep(stored.owned_refunds(rules), "stored_refunds")
    quality = _quality(stored, orders, refunds)
    sales = orders.filter(orders.rule == _SALE)
    span = sales.aggregate(first=sales.ordered_at.min(), last=sales.ordered_at.max()).to_pyarrow().to_pylist()[0]
    if span["first"] is None:
        reasons = ", ".join(f"{count.code}: {count.rows}" for count in quality.counts)
        raise BadInput("collect.no_sales", rows=quality.rows, reasons=reasons)
    scale = 10.0 ** -minor_digits(chosen)
    several = int(stored.orders.source_id.nunique().to_pyarrow().as_py()) > 1
    sold = _goods(stored, sales, engine)
    given = refunds.filter(refunds.rule == NUMBER_OF["return_line"])
    has_refunds = bool(given.count().to_pyarrow().as_py())
    return Collected(
        tables=Tables(
            orders=_canonical_orders(sales, sold, scale, several=several),
            order_lines=None if sold is None else _canonical_lines(sold, scale, several=several),
            refunds=_canonical_refunds(given, scale, several=several) if has_refunds else None,
            costs=_costs(stored, chosen, scale),
        ),
        quality=quality,
        recognised=Recognised((), ()),
        currency=chosen,
        first_at=span["first"],
        last_at=span["last"],
        has_lines=sold is not None,
        lines=orders,
        rules=RowRules(latest=span["last"], as_of=as_of, currency=chosen),
        sources=(),
    )


@dataclass(frozen=True)
class _Rules:
    """What decides on a row beside the row itself."""

    currency: str
    as_of: datetime | None
    timezone: str | None
    engine: str

    def local(self, moment: ir.TimestampValue) -> ir.TimestampValue:
        """A moment as the clocks of the brand's zone show it."""
        if self.timezone in (None, "UTC"):
            return cast(ir.TimestampValue, moment.cast("timestamp"))
        if self.engine == "spark":
            return cast(ir.TimestampValue, _local_on_spark(moment, self.timezone))
        return cast(ir.TimestampValue, _local_on_duckdb(self.timezone, moment))

    def rule(self, table: ir.Table, moment: ir.TimestampValue, *more: tuple[ir.BooleanValue, str], of: str) -> ir.Value:
        """The number of the first rule of `TREATMENTS` that fits."""
        cases = [(table.currency != self.currency, "other_currency"), *more]
        if self.as_of is not None:
            cases.insert(0, (moment >= ibis.timestamp(self.as_of), "after_as_of"))
        tests = [(test, NUMBER_OF[code]) for test, code in cases]
        return ibis.cases(*tests, else_=NUMBER_OF[of]).cast("int8")


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, dt.Timestamp("UTC")), dt.timestamp))
def _local_on_duckdb(zone, moment):  # type: ignore[no-untyped-def] # Ibis reads the signature above
    """DuckDB's own."""


@ibis.udf.scalar.builtin(name="from_utc_timestamp", signature=((dt.Timestamp("UTC"), dt.string), dt.timestamp))
def _local_on_spark(moment, zone):  # type: ignore[no-untyped-def] # likewise
    """Spark's own."""


@dataclass(frozen=True)
class _Stored:
    """The tables of the lake that the canonical ones are made of."""

    orders: ir.Table
    lines: ir.Table | None
    refunds: ir.Table
    identities: ir.Table
    told: ir.Table  # refunds as facts of the timeline: fact_id, identity_id
    costs: ir.Table

    @classmethod
    def of(cls, lake: Lake, engine: Engine, *, goods: bool) -> _Stored:
        facts = lake.read(engine, "facts")
        told = facts.filter(facts.kind == "refund", facts.identity_id.notnull())
        return cls(
            orders=lake.read(engine, "orders"),
            lines=lake.read(engine, "order_lines") if goods else None,
            refunds=lake.read(engine, "refunds"),
            identities=lake.read(engine, "identities"),
            told=told.select("fact_id", told_identity_id=told.identity_id),
            costs=lake.read(engine, "costs"),
        )

    def owned_orders(self, rules: _Rules) -> ir.Table:
        """Every order with its customer (null where nobody knows), its local moment and its rule."""
        table = _beside(self.orders, self.identities, "identity_id")
        table = table.mutate(ordered_at=rules.local(table.ordered_at))
        rule = rules.rule(
            table,
            table.ordered_at,
            (table.status == OrderStatus.CANCELLED.value, "cancelled_order"),
            (table.status == OrderStatus.PENDING.value, "unpaid_order"),
            (table.customer_id.isnull(), "no_customer"),
            (table.amount_minor <= 0, "zero_price"),
            of="sale",
        )
        return table.mutate(rule=rule)

    def owned_refunds(self, rules: _Rules) -> ir.Table:
        """Every refund with its customer: that of the order, else whoever the refund itself was told of."""
        whose = self.orders.select(*_KEY, ordered_by=self.orders.identity_id)
        table = _beside(self.refunds, whose, *_KEY)
        table = _beside(table, self.told, "fact_id")
        table = table.mutate(identity_id=ibis.coalesce(table.ordered_by, table.told_identity_id))
        table = _beside(table, self.identities, "identity_id")
        if self.lines is not None:
            lines = self.lines.select(*_KEY, "line", line_product_id=self.lines.product_id)
            table = _beside(table, lines, *_KEY, "line")
            table = table.mutate(product_id=ibis.coalesce(table.line_product_id, table.product_id))
        table = table.mutate(refunded_at=rules.local(table.refunded_at))
        rule = rules.rule(
            table,
            table.refunded_at,
            (table.customer_id.isnull(), "no_customer"),
            (table.amount_minor <= 0, "zero_price"),
            of="return_line",
        )
        return table.mutate(rule=rule)


def _beside(table: ir.Table, other: ir.Table, *key: str) -> ir.Table:
    """The table with what the other says of each row, null where it says nothing."""
    joined = table.left_join(other, list(key))
    return joined.select(*table.columns, *(name for name in other.columns if name not in key))


def _currency(orders: ir.Table, given: str | None) -> str:
    counted = orders.group_by("currency").aggregate(orders=lambda t: t.count()).to_pyarrow().to_pylist()
    # Of equally many the first by alphabet, so that it is the same each time.
    found = Counter({row["currency"]: row["orders"] for row in sorted(counted, key=lambda row: str(row["currency"]))})
    if not found:
        raise BadInput("collect.nothing_stored")
    if given is None:
        return str(found.most_common(1)[0][0])
    if given.upper() not in found:
        raise BadInput("collect.currency_absent", currency=given, found=", ".join(sorted(found)))
    return given.upper()


def _goods(stored: _Stored, sales: ir.Table, engine: Engine) -> ir.Table | None:
    """The lines of the sales that name a product, with the order's customer and moment; None where there are none."""
    if stored.lines is None:
        return None
    lines = stored.lines.mutate(product=ibis.coalesce(stored.lines.product_id, stored.lines.product_name))
    lines = lines.filter(lines["product"].notnull()).drop("product_id")
    table = lines.join(sales.select(*_KEY, "customer_id", "ordered_at", "rule"), list(_KEY))
    goods = engine.keep(table, "stored_goods")
    return goods if goods.count().to_pyarrow().as_py() else None


def _known(table: ir.Table, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the columns that say anything, so that no analysis is made of nothing."""
    if not names:
        return ()
    counts: Mapping[str, Any] = (
        table.aggregate(**{name: table[name].count() for name in names}).to_pyarrow().to_pylist()[0]
    )
    return tuple(name for name in names if counts[name])


def _order_id(table: ir.Table, *, several: bool) -> ir.StringValue:
    """The order's number, with its source before it where several sources may use the same numbers."""
    if not several:
        return cast(ir.StringValue, table.order_id)
    return cast(ir.StringValue, table.source_id.cast("string") + "/" + table.order_id)


def _canonical_orders(sales: ir.Table, goods: ir.Table | None, scale: float, *, several: bool) -> ir.Table:
    table = sales.mutate(discount=sales.discount_minor.nullif(0).cast("float64") * scale)
    known = _known(table, ("discount", "channel", "store", "region"))
    if goods is not None:
        sums = {"units": goods.quantity.sum()}
        if _known(goods, ("cost_minor",)):
            sums["cost"] = goods.cost_minor.cast("float64").sum() * scale
        per_order = goods.group_by(*_KEY).aggregate(**sums)
        table = _beside(table, per_order, *_KEY)
        known = (*known, *sums)
    optional = {name: table[name] for name in known if name != "discount"}
    if "discount" in known:
        optional["discount"] = table.discount.fill_null(0)
    return table.select(
        customer_id=table.customer_id,
        order_id=_order_id(table, several=several),
        ordered_at=table.ordered_at,
        amount=table.amount_minor.cast("float64") * scale,
        **optional,
    )


def _canonical_lines(goods: ir.Table, scale: float, *, several: bool) -> ir.Table:
    known = _known(goods, ("category", "brand", "cost_minor"))
    table = goods.select(
        customer_id=goods.customer_id,
        order_id=_order_id(goods, several=several),
        ordered_at=goods.ordered_at,
        product_id=goods["product"],
        quantity=goods.quantity,
        amount=goods.amount_minor.cast("float64") * scale,
        **{name: goods[name] for name in known if name != "cost_minor"},
        **({"cost": goods.cost_minor.cast("float64") * scale} if "cost_minor" in known else {}),
    )
    if not _known(goods, ("product_name",)):
        return table
    return table.left_join(measures.product_names(goods), "product_id").drop("product_id_right")


def _canonical_refunds(given: ir.Table, scale: float, *, several: bool) -> ir.Table:
    known = _known(given, ("product_id",))
    return given.select(
        customer_id=given.customer_id,
        refunded_at=given.refunded_at,
        amount=given.amount_minor.cast("float64") * scale,
        order_id=_order_id(given, several=several),
        **{name: given[name] for name in known},
    )


def _costs(stored: _Stored, currency: str, scale: float) -> ir.Table | None:
    costs = stored.costs.filter(stored.costs.currency == currency)
    if not costs.count().to_pyarrow().as_py():
        return None
    months = costs.group_by(costs.channel, period=costs.period.truncate("M").cast("date"))
    return months.aggregate(spend=lambda t: t.spend_minor.cast("float64").sum() * scale)


def _quality(stored: _Stored, orders: ir.Table, refunds: ir.Table) -> Quality:
    counts: dict[int, QualityCount] = {}
    for table, sign in ((orders, 1), (refunds, -1)):
        for row in _sums(table, "rule", "currency"):
            code, treatment = TREATMENTS[row["rule"]]
            before = counts.get(row["rule"], QualityCount(code, 0, Decimal(), treatment))
            amount = before.amount + sign * from_minor(row["minor"], row["currency"])
            counts[row["rule"]] = QualityCount(code, before.rows + row["rows"], amount, treatment)
    counts.setdefault(_SALE, QualityCount("sale", 0, Decimal(), TREATMENTS[_SALE][1]))
    files, total = [], Decimal()
    for name, table, sign in (("orders", stored.orders, 1), ("refunds", stored.refunds, -1)):
        found = _sums(table, "currency")
        files.append(FileRead(f"PostgreSQL: {name}", sum(row["rows"] for row in found), (), "database"))
        total += sign * sum((from_minor(row["minor"], row["currency"]) for row in found), Decimal())
    rows = {file.name.split()[-1]: str(file.rows) for file in files}
    return Quality(
        files=tuple(files),
        counts=tuple(counts[number] for number in sorted(counts)),
        rows=sum(file.rows for file in files),
        amount=total,
        notes=(Note("from_database", tuple(rows.items())),),
    )


def _sums(table: ir.Table, *by: str) -> list[dict[str, Any]]:
    # By way of an exact decimal: DuckDB sums whole numbers into a wider type that Arrow does not have.
    money = table.amount_minor.cast("decimal(38, 0)").sum()
    found = table.group_by(*by).aggregate(rows=table.count(), minor=money).to_pyarrow().to_pylist()
    return [{**row, "minor": int(row["minor"])} for row in found]
