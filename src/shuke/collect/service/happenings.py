"""What happened to customers, for whoever asks conditions of it: the same columns in PostgreSQL and in the lake.

``us`` are microseconds since 1970. An order counts here when it counts in the analyses: neither cancelled nor unpaid,
of more than nothing, in this currency (in any where none is named); its ``order_id`` is one for all sources.

Entering and leaving a segment are not among the facts: that was concluded of what happened, and nothing follows from it
in turn.

====== ============================================================================================================
facts  customer_id, us, kind, name, channel, store, session, amount_minor, properties (JSON)
orders customer_id, order_id, us, channel, store, amount_minor, discount_minor
lines  customer_id, order_id, us, channel, store, order_amount_minor, order_discount_minor, product_id, category, brand,
       quantity, amount_minor
====== ============================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import sqlalchemy as sa

from shuke.collect.service.buyers import NOT_SOLD, counts
from shuke.collect.tables import facts, order_lines, orders
from shuke.platform import Engine, Lake, Snapshot, written_after

__all__ = ["Happenings", "happenings_in_lake", "happenings_of", "told_since"]

_CONCLUDED = "segment"
_OF_FACT = ("kind", "name", "channel", "store", "session", "amount_minor", "properties")
_OF_ORDER = ("channel", "store", "amount_minor", "discount_minor")
_OF_LINE = ("product_id", "category", "brand")


@dataclass(frozen=True)
class Happenings:
    """The three tables; of PostgreSQL statements, of the lake Ibis tables."""

    facts: Any
    orders: Any
    lines: Any


def happenings_of(owners: sa.FromClause, currency: str | None) -> Happenings:
    """As statements of PostgreSQL, of the identities in ``owners`` (identity_id, customer_id)."""
    whose = owners.c.customer_id
    order_id = sa.cast(orders.c.source_id, sa.Text) + "/" + orders.c.order_id
    counted = counts(orders, currency, None)
    sold = sa.join(owners, orders, orders.c.identity_id == owners.c.identity_id)
    line = (order_lines.c.source_id == orders.c.source_id) & (order_lines.c.order_id == orders.c.order_id)
    when = _us(orders.c.ordered_at)
    # As one array they are looked up in each month's index in one pass; joined alone, a few thousand identities have
    # the planner read everybody's facts.
    theirs = sa.any_(sa.func.array(sa.select(owners.c.identity_id).scalar_subquery()))
    return Happenings(
        facts=sa.select(whose, _us(facts.c.occurred_at), *(facts.c[name] for name in _OF_FACT))
        .join_from(owners, facts, (facts.c.identity_id == owners.c.identity_id) & (facts.c.kind != _CONCLUDED))
        .where(facts.c.identity_id == theirs),
        orders=sa.select(whose, order_id.label("order_id"), when, *(orders.c[name] for name in _OF_ORDER))
        .select_from(sold)
        .where(*counted, orders.c.identity_id == theirs),
        lines=sa.select(
            whose,
            order_id.label("order_id"),
            when,
            orders.c.channel,
            orders.c.store,
            orders.c.amount_minor.label("order_amount_minor"),
            orders.c.discount_minor.label("order_discount_minor"),
            *(order_lines.c[name] for name in _OF_LINE),
            sa.cast(order_lines.c.quantity, sa.Double).label("quantity"),
            order_lines.c.amount_minor,
        )
        .select_from(sold.join(order_lines, line))
        .where(*counted, orders.c.identity_id == theirs),
    )


def happenings_in_lake(lake: Lake, engine: Engine, owners: ir.Table, currency: str | None) -> Happenings:
    """As tables of the lake; arguments as above. CannotSay ``platform.no_table`` where there is no lake yet."""
    us = _moment_us(engine)
    told = lake.read(engine, "facts").filter(ibis._.kind != _CONCLUDED).join(owners, "identity_id")
    sold = lake.read(engine, "orders").join(owners, "identity_id")
    sold = sold.filter(sold.status.notin(NOT_SOLD), sold.amount_minor > 0)
    sold = sold if currency is None else sold.filter(sold.currency == currency)
    sold = sold.mutate(number=sold.source_id.cast("string") + "/" + sold.order_id, us=us(sold.ordered_at))
    lines = lake.read(engine, "order_lines")
    of_order = sold.select(
        *("source_id", "order_id", "number", "customer_id", "us", "channel", "store"),
        order_amount_minor=sold.amount_minor,
        order_discount_minor=sold.discount_minor,
    )
    lines = lines.join(of_order, ["source_id", "order_id"]).drop("order_id").rename(order_id="number")
    placed = sold.drop("order_id").rename(order_id="number")
    common = ("customer_id", "order_id", "us")
    of_orders = ("channel", "store", "order_amount_minor", "order_discount_minor")
    return Happenings(
        facts=told.select("customer_id", us=us(told.occurred_at), **{name: told[name] for name in _OF_FACT}),
        orders=placed.select(*common, *_OF_ORDER),
        lines=lines.select(*common, *of_orders, *_OF_LINE, "quantity", "amount_minor"),
    )


def told_since(snapshot: Snapshot) -> sa.Select[Any]:
    """The identities (``identity_id``) of which anything was told after a snapshot."""
    written = written_after(facts.c.written_in, snapshot)
    return sa.select(facts.c.identity_id).distinct().where(written, facts.c.kind != _CONCLUDED)


def _us(moment: sa.ColumnElement[Any]) -> sa.Label[int]:
    return sa.cast(sa.extract("epoch", moment) * 1_000_000, sa.BigInteger).label("us")


@ibis.udf.scalar.builtin(name="epoch_us", signature=((dt.Timestamp("UTC"),), dt.int64))
def _us_on_duckdb(moment):  # type: ignore[no-untyped-def] # Ibis reads the signature above
    """DuckDB's own."""


@ibis.udf.scalar.builtin(name="unix_micros", signature=((dt.Timestamp("UTC"),), dt.int64))
def _us_on_spark(moment):  # type: ignore[no-untyped-def] # likewise
    """Spark's own."""


def _moment_us(engine: Engine) -> Any:
    return cast(Any, _us_on_spark if engine.name == "spark" else _us_on_duckdb)
