"""Orders and refunds as events tell of them, in whatever order the events come in.

What was stated last counts, by the moment that it was said and not by that of its arrival; two statements of one
moment are put in order by their messages. So every order of arrival ends in the same rows.
"""

# ruff: noqa: S608 - the columns that the statements are put together from are those below

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shuke.collect.model import OrderStatement, RefundStatement
from shuke.platform import Transaction, driver

__all__ = ["StatedOrder", "StatedRefund", "write_orders", "write_refunds"]

#: No currency, by ISO 4217: of an order of which nothing is known but that it was cancelled.
_NO_CURRENCY = "XXX"

_GIVEN = {
    "source_id": "integer",
    "order_id": "text",
    "ordered_at": "timestamptz",
    "cancelled_at": "timestamptz",
    "identity_id": "bigint",
    "amount_minor": "bigint",
    "discount_minor": "bigint",
    "currency": "text",
    "channel": "text",
    "store": "text",
    "region": "text",
    "stated_at": "timestamptz",
    "stated_by": "bytea",
    "lines_stated_at": "timestamptz",
    "lines_stated_by": "bytea",
}
# What the later statement says whole.
_STATED = (
    *("identity_id", "amount_minor", "discount_minor", "currency", "channel", "store", "region"),
    *("stated_at", "stated_by"),
)
_LINES_STATED = ("lines_stated_at", "lines_stated_by")
_ARRAYS = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _GIVEN.items())
_LATER = "(excluded.stated_at, excluded.stated_by) > (o.stated_at, o.stated_by)"
_LATER_LINES = "(excluded.lines_stated_at, excluded.lines_stated_by) > (o.lines_stated_at, o.lines_stated_by)"
_WRITE = f"""
    INSERT INTO orders AS o ({", ".join(_GIVEN)}, status)
    SELECT source_id, order_id, ordered_at, cancelled_at, identity_id, amount_minor, discount_minor, currency, channel,
        store, region, coalesce(stated_at, '-infinity'), stated_by, coalesce(lines_stated_at, '-infinity'),
        lines_stated_by,
        CASE WHEN cancelled_at >= coalesce(stated_at, '-infinity') THEN 'cancelled' ELSE 'completed' END
    FROM unnest({_ARRAYS}) AS given ({", ".join(_GIVEN)})
    ORDER BY source_id, order_id
    ON CONFLICT (source_id, order_id) DO UPDATE SET
        ordered_at = least(o.ordered_at, excluded.ordered_at),
        cancelled_at = greatest(o.cancelled_at, excluded.cancelled_at),
        {", ".join(f"{one} = CASE WHEN {_LATER} THEN excluded.{one} ELSE o.{one} END" for one in _STATED)},
        {", ".join(f"{one} = CASE WHEN {_LATER_LINES} THEN excluded.{one} ELSE o.{one} END" for one in _LINES_STATED)},
        status = CASE
            WHEN greatest(o.cancelled_at, excluded.cancelled_at) >= greatest(o.stated_at, excluded.stated_at)
            THEN 'cancelled'
            WHEN {_LATER} THEN 'completed'
            ELSE o.status
        END
    RETURNING source_id, order_id, lines_stated_by
"""
_LINE_COLUMNS = (
    *("source_id", "order_id", "line", "product_id", "product_name", "category", "brand", "quantity"),
    *("amount_minor", "cost_minor"),
)
_Key = tuple[int, str]


@dataclass(frozen=True)
class StatedOrder:
    """What an event says of an order: by whom, when, and the blind index of its message."""

    source_id: int
    identity_id: int | None
    at: datetime
    by: bytes
    channel: str | None
    store: str | None
    statement: OrderStatement

    @property
    def key(self) -> _Key:
        """Which order."""
        return self.source_id, self.statement.order_id


@dataclass(frozen=True)
class StatedRefund:
    """What an event says of a refund."""

    source_id: int
    at: datetime
    statement: RefundStatement


def write_orders(tx: Transaction, stated: Iterable[StatedOrder]) -> None:
    """Bring ``orders`` and ``order_lines`` to what these statements and all before them say together."""
    by_order: dict[_Key, list[StatedOrder]] = {}
    for one in sorted(stated, key=lambda one: (one.at, one.by)):
        by_order.setdefault(one.key, []).append(one)
    if not by_order:
        return
    rows = [_row(all_of_one) for all_of_one in by_order.values()]
    arrays = dict(zip(_GIVEN, map(list, zip(*rows, strict=True)), strict=True))
    written = tx.execute(sa.text(_WRITE), arrays)
    lines_by = {(source_id, order_id): bytes(by) for source_id, order_id, by in written}
    with_lines = {key: last for key, all_of_one in by_order.items() if (last := _last(all_of_one, lines=True))}
    _write_lines(tx, {key: one for key, one in with_lines.items() if lines_by[key] == one.by})


def _row(all_of_one: list[StatedOrder]) -> tuple[object, ...]:
    """One order as its statements in one batch leave it, earliest first; the columns of `_GIVEN`."""
    cancelled = [one.at for one in all_of_one if one.statement.state == "cancelled"]
    last = _last(all_of_one)
    lines = _last(all_of_one, lines=True)
    # Of an order that is only cancelled, not even the store is kept: two cancellations may name two.
    said = (
        (
            *(last.identity_id, last.statement.amount_minor, last.statement.discount_minor, last.statement.currency),
            *(last.channel, last.store, last.statement.region, last.at, last.by),
        )
        if last
        else (None, 0, 0, _NO_CURRENCY, None, None, None, None, b"")
    )
    return (
        *all_of_one[0].key,
        all_of_one[0].at,
        max(cancelled, default=None),
        *said,
        lines and lines.at,
        lines.by if lines else b"",
    )


def _last(all_of_one: list[StatedOrder], *, lines: bool = False) -> StatedOrder | None:
    """The last statement that names an amount, or lines."""
    says = (one for one in reversed(all_of_one) if one.statement.amount_minor is not None)
    return next((one for one in says if one.statement.lines or not lines), None)


def _write_lines(tx: Transaction, chosen: dict[_Key, StatedOrder]) -> None:
    """Replace the lines of these orders."""
    if not chosen:
        return
    keys = list(chosen)
    tx.execute(
        sa.text(
            """
            DELETE FROM order_lines
            USING unnest(CAST(:sources AS integer[]), CAST(:orders AS text[])) AS given (source_id, order_id)
            WHERE order_lines.source_id = given.source_id AND order_lines.order_id = given.order_id
            """
        ),
        {"sources": [source_id for source_id, _ in keys], "orders": [order_id for _, order_id in keys]},
    )
    statement = f"COPY order_lines ({', '.join(_LINE_COLUMNS)}) FROM STDIN"
    with driver(tx).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for key, one in chosen.items():
            for number, line in enumerate(one.statement.lines, 1):
                copy.write_row(
                    (
                        *(*key, number, line.product_id, line.product_name, line.category, line.brand),
                        *(line.quantity, line.amount_minor, line.cost_minor),
                    )
                )


def write_refunds(tx: Transaction, stated: Iterable[StatedRefund]) -> None:
    """Keep these refunds; of one that is told of again, the later word counts."""
    last: dict[_Key, StatedRefund] = {}
    for one in sorted(stated, key=lambda one: (one.at, one.statement.amount_minor)):
        last[(one.source_id, one.statement.refund_id)] = one
    if not last:
        return
    tx.execute(
        sa.text(
            """
            INSERT INTO refunds AS r (source_id, refund_id, order_id, refunded_at, amount_minor, currency)
            SELECT * FROM unnest(
                CAST(:sources AS integer[]), CAST(:refunds AS text[]), CAST(:orders AS text[]),
                CAST(:moments AS timestamptz[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[])
            ) AS given (source_id, refund_id, order_id, refunded_at, amount_minor, currency)
            ORDER BY source_id, refund_id
            ON CONFLICT (source_id, refund_id) DO UPDATE SET (order_id, refunded_at, amount_minor, currency) =
                (excluded.order_id, excluded.refunded_at, excluded.amount_minor, excluded.currency)
            WHERE (excluded.refunded_at, excluded.amount_minor) > (r.refunded_at, r.amount_minor)
            """
        ),
        {
            "sources": [one.source_id for one in last.values()],
            "refunds": [one.statement.refund_id for one in last.values()],
            "orders": [one.statement.order_id for one in last.values()],
            "moments": [one.at for one in last.values()],
            "amounts": [one.statement.amount_minor for one in last.values()],
            "currencies": [one.statement.currency for one in last.values()],
        },
    )
