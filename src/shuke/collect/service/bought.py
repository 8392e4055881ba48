"""A customer's orders, newest first, page by page."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shuke import profiles
from shuke.base.cursors import cursor_of, place_of
from shuke.base.errors import BadInput
from shuke.collect.model import BoughtLine, BoughtOrder, OrderPage, OrderStatus
from shuke.collect.tables import order_lines, orders, refunds, sources
from shuke.platform import Transaction, among

__all__ = ["ORDERS_MAX", "orders_of"]

ORDERS_MAX = 200
_SHOWN = (
    *("source_id", "order_id", "ordered_at", "amount_minor", "discount_minor", "currency", "status"),
    *("channel", "store", "region"),
)
_KEY = (orders.c.ordered_at, orders.c.source_id, orders.c.order_id)


class _Place(NamedTuple):
    ordered_at: datetime
    source_id: int
    order_id: str


def orders_of(tx: Transaction, customer_id: UUID, *, before: str | None = None, limit: int = 20) -> OrderPage:
    """A page of a customer's orders with their lines; of one who was merged, those of who stands for them.

    Raises:
        BadInput: ``collect.bad_page`` for a limit above :data:`ORDERS_MAX` or a ``before`` that is none.
    """
    if not 1 <= limit <= ORDERS_MAX:
        raise BadInput("collect.bad_page", limit=ORDERS_MAX)
    identity_ids = profiles.identities_of(tx, [customer_id]).get(customer_id, ())
    query = (
        sa.select(*(orders.c[name] for name in _SHOWN), sources.c.name.label("source"))
        .join(sources, sources.c.source_id == orders.c.source_id)
        .where(orders.c.identity_id == among("bigint", identity_ids))
        .order_by(*(column.desc() for column in _KEY))
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(sa.tuple_(*_KEY) < sa.tuple_(*_place(before)))
    rows = tx.execute(query).all()
    shown = rows[:limit]
    keys = [(row.source_id, row.order_id) for row in shown]
    lines, refunded = _lines(tx, keys), _refunded(tx, keys)
    found = tuple(
        BoughtOrder(
            source=row.source,
            order_id=row.order_id,
            ordered_at=row.ordered_at,
            amount_minor=row.amount_minor,
            discount_minor=row.discount_minor,
            refunded_minor=refunded.get(key, 0),
            currency=row.currency,
            status=OrderStatus(row.status),
            channel=row.channel,
            store=row.store,
            region=row.region,
            lines=tuple(lines.get(key, ())),
        )
        for row, key in zip(shown, keys, strict=True)
    )
    return OrderPage(found, _cursor(shown[-1]) if len(rows) > limit else None)


def _lines(tx: Transaction, keys: list[tuple[int, str]]) -> dict[tuple[int, str], list[BoughtLine]]:
    table = order_lines.c
    rows = tx.execute(
        sa.select(order_lines)
        .where(sa.tuple_(table.source_id, table.order_id).in_(keys))
        .order_by(table.source_id, table.order_id, table.line)
    )
    found: dict[tuple[int, str], list[BoughtLine]] = {}
    for row in rows:
        line = BoughtLine(row.product_id, row.product_name, row.category, row.brand, row.quantity, row.amount_minor)
        found.setdefault((row.source_id, row.order_id), []).append(line)
    return found


def _refunded(tx: Transaction, keys: list[tuple[int, str]]) -> dict[tuple[int, str], int]:
    table = refunds.c
    rows = tx.execute(
        sa.select(table.source_id, table.order_id, sa.func.sum(table.amount_minor))
        .where(sa.tuple_(table.source_id, table.order_id).in_(keys))
        .group_by(table.source_id, table.order_id)
    )
    return {(source_id, order_id): int(amount) for source_id, order_id, amount in rows}


def _cursor(row: sa.Row[*tuple[Any, ...]]) -> str:
    return cursor_of(row.ordered_at.isoformat(), row.source_id, row.order_id)


def _place(cursor: str) -> _Place:
    try:
        moment, source_id, order_id = place_of(cursor, 3)
        place = _Place(datetime.fromisoformat(moment), source_id, order_id)
    except (ValueError, TypeError):
        raise BadInput("collect.bad_page", limit=ORDERS_MAX) from None
    number = type(source_id) is int and abs(source_id) < 2**31
    if place.ordered_at.tzinfo is None or not number or not isinstance(order_id, str) or "\0" in order_id:
        raise BadInput("collect.bad_page", limit=ORDERS_MAX)
    return place
