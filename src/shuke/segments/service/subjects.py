"""Of whom trees are asked: a few customers in PostgreSQL as they are now, or everybody in columns beside the lake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import ibis
import ibis.expr.types as ir
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BIT

from shuke import catalog, collect, lifecycle, profiles
from shuke.platform import Transaction, among
from shuke.segments.measures import INSIDE, MIX, Subjects
from shuke.segments.model.tree import FigureName
from shuke.segments.tables import list_members

__all__ = ["COLUMNS", "currency_of", "in_database", "lay_out", "people_of", "unbound", "us", "written"]

_FIGURES = {name.value for name in FigureName} - {"created_at"}
_MOMENTS = ("stage_since", "first_order_at", "last_order_at")
_TEXTS = ("stage", "rfm_group", "value_group", "first_channel", "first_store", "region")
_WHOLE = ("r_score", "f_score", "m_score", "orders", "order_days")
_DAYS = ("expected_date_of_next_order",)


def _type(name: str) -> str:
    if name in _TEXTS:
        return "string"
    if name in _DAYS:
        return "date"
    return "int64" if name in (*_MOMENTS, *_WHOLE, "created_at") or name.endswith("_minor") else "float64"


_FIGURE_TYPES = {name.value: _type(name.value) for name in FigureName}
_WHO = {"customer_id": "string"}
_WHEN = {"us": "int64", "channel": "string", "store": "string"}
_OF_ORDER = {**_WHO, "order_id": "string", **_WHEN}

#: The columns of each table, as :class:`~shuke.segments.measures.Subjects` describes them.
COLUMNS: dict[str, dict[str, str]] = {
    "people": {**_WHO, "mix": "int64", "attributes": "string", **_FIGURE_TYPES},
    "facts": {
        **_WHO,
        **_WHEN,
        "kind": "string",
        "name": "string",
        "session": "string",
        "amount_minor": "int64",
        "properties": "string",
    },
    "orders": {**_OF_ORDER, "amount_minor": "int64", "discount_minor": "int64"},
    "lines": {
        **_OF_ORDER,
        "order_amount_minor": "int64",
        "order_discount_minor": "int64",
        "product_id": "string",
        "category": "string",
        "brand": "string",
        "quantity": "float64",
        "amount_minor": "int64",
    },
    "tags": {**_WHO, "tag": "string", "source": "string", "expires_us": "int64"},
    "consents": {**_WHO, "purpose": "string", "channel": "string", "state": "string"},
    "identities": {**_WHO, "kind": "string"},
    "listed": {**_WHO, "list_id": "string"},
}

_PARTS = {"part": "uuid", "customer_id": "uuid"}
_OWNERS = {"identity_id": "int64", "customer_id": "uuid"}
#: By what trees look most for things that happened.
_SOUGHT = {"facts": "kind, name, us", "orders": "us", "lines": "us"}
_ON_POSTGRES = {"string": "text", "int64": "bigint", "float64": "double precision", "date": "date"}


def us(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """A moment in microseconds since 1970."""
    return sa.cast(sa.extract("epoch", moment) * 1_000_000, sa.BigInteger)


def currency_of(tx: Transaction) -> str | None:
    """The currency of orders that count: that of the facts, else the brand's."""
    latest = lifecycle.last_refresh(tx)
    return (latest.currency if latest else None) or catalog.brand_of(tx).currency


def people_of(parts: sa.FromClause) -> dict[str, sa.Select[Any]]:
    """What is known of the customers of these parts, as statements: people, tags, consents, identities and listed."""
    known, facts = profiles.described(parts).subquery("known"), lifecycle.every_fact().subquery("computed")
    labels = profiles.labels(parts).subquery("labels")
    random = sa.func.right(sa.func.replace(sa.cast(known.c.customer_id, sa.Text), "-", ""), 12)
    mix = sa.func.mod(sa.cast(sa.cast(sa.literal_column("'x'").op("||")(random), BIT(48)), sa.BigInteger), MIX)
    figures = [_figure(facts, name) for name in sorted(_FIGURES)]
    return {
        "people": sa.select(
            known.c.customer_id,
            mix.label("mix"),
            known.c.attributes,
            us(known.c.created_at).label("created_at"),
            *figures,
        ).join_from(known, facts, facts.c.customer_id == known.c.customer_id, isouter=True),
        "tags": sa.select(
            labels.c.customer_id, labels.c.tag, labels.c.source, us(labels.c.expires_at).label("expires_us")
        ),
        "consents": profiles.said_by(parts),
        "identities": profiles.kinds_of(parts),
        "listed": sa.select(parts.c.customer_id, sa.cast(list_members.c.list_id, sa.Text).label("list_id"))
        .join_from(parts, list_members, list_members.c.customer_id == parts.c.part)
        .distinct(),
    }


def _figure(facts: sa.FromClause, name: str) -> sa.ColumnElement[Any]:
    column = facts.c[name]
    if name == "stage":
        return sa.func.coalesce(column, lifecycle.OUTSIDE).label(name)
    return us(column).label(name) if name in _MOMENTS else column


def in_database(
    tx: Transaction, customer_ids: Collection[UUID], currency: str | None, expression: Callable[[Subjects], ir.Table]
) -> Sequence[sa.Row[Any]]:
    """What an expression comes to for these customers, as they are now: the same one as in columns.

    Args:
        tx: the caller's.
        customer_ids: of whom; who is no customer of their own is left out.
        currency: of the orders that count.
        expression: of the tables.
    """
    parts = profiles.parts_of_present(customer_ids).cte("segment_parts")
    owners = profiles.owners().subquery("owners")
    whose = sa.select(owners).where(owners.c.customer_id == among("uuid", customer_ids)).cte("segment_owners")
    everybody = people_of(profiles.parts_of_present().cte("segment_everybody_parts"))["people"]
    tables = {**_rows_of(parts, whose, currency), "everybody": everybody}
    asked = expression(unbound())
    text = written(asked).replace(":", r"\:")
    found = sa.text(text).columns(*(sa.column(name) for name in asked.columns)).subquery("asked")
    statement = sa.select(found).add_cte(*(table.cte(f"segment_{name}") for name, table in tables.items()))
    return tx.execute(statement).all()


def unbound(now_us: ir.IntegerValue | None = None) -> Subjects:
    """The tables by their names in PostgreSQL, for an expression that is to be :func:`written`."""
    tables = {name: ibis.table(columns, name=f"segment_{name}") for name, columns in COLUMNS.items()}
    everybody = ibis.table(COLUMNS["people"], name="segment_everybody")
    return Subjects(**tables, everybody=everybody, inside=INSIDE["postgres"], now_us=now_us)


def written(expression: ir.Table) -> str:
    """An expression of :func:`unbound` tables in PostgreSQL's words."""
    return str(ibis.to_sql(expression, dialect="postgres"))


def lay_out(tx: Transaction, customer_ids: Collection[UUID], currency: str | None) -> None:
    """Put what trees may ask of these customers into temporary tables of this transaction, for many to be asked of it.

    There is no ``everybody``: what compares customers with all others cannot be asked here. Arguments as for
    :func:`in_database`.
    """
    for name, columns in {**COLUMNS, "parts": _PARTS, "owners": _OWNERS}.items():
        typed = ", ".join(f"{column} {_stored(column, kind)}" for column, kind in columns.items())
        tx.execute(sa.text(f"CREATE TEMP TABLE IF NOT EXISTS segment_{name} ({typed}) ON COMMIT DELETE ROWS"))
        if name in _SOUGHT:
            tx.execute(sa.text(f"CREATE INDEX IF NOT EXISTS segment_{name}_sought ON segment_{name} ({_SOUGHT[name]})"))
    owners = profiles.owners().subquery("owners")
    whose = sa.select(owners).where(owners.c.customer_id == among("uuid", customer_ids))
    _fill(tx, "parts", _PARTS, profiles.parts_of_present(customer_ids))
    _fill(tx, "owners", _OWNERS, whose)
    parts, laid = (
        sa.table(f"segment_{name}", *map(sa.column, columns))
        for name, columns in (("parts", _PARTS), ("owners", _OWNERS))
    )
    for name, rows in _rows_of(parts, laid, currency).items():
        _fill(tx, name, COLUMNS[name], rows)


def _rows_of(parts: sa.FromClause, owners: sa.FromClause, currency: str | None) -> dict[str, sa.Select[Any]]:
    happened = collect.happenings_of(owners, currency)
    return {**people_of(parts), "facts": happened.facts, "orders": happened.orders, "lines": happened.lines}


def _fill(tx: Transaction, name: str, columns: Mapping[str, str], rows: sa.Select[Any]) -> None:
    table = sa.table(f"segment_{name}", *map(sa.column, columns))
    found = rows.subquery("found")
    tx.execute(sa.insert(table).from_select(list(columns), sa.select(*(found.c[column] for column in columns))))
    # Nothing else tells the planner how many rows there are.
    tx.execute(sa.text(f"ANALYZE segment_{name}"))


def _stored(column: str, kind: str) -> str:
    if column in ("customer_id", "part"):
        return "uuid"
    return "jsonb" if column in ("attributes", "properties") else _ON_POSTGRES[kind]
