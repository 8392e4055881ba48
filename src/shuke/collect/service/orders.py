"""Orders and refunds, stated any number of times: by the API one by one, from files by the thousand.

What is stated is first copied into tables of the connection's own, then compared with what is known and brought there,
set by set. Who says the same again changes nothing. An order and a refund are put on the timeline when they are first
heard of, and stay there as they were: what they are now stands in ``orders`` and ``refunds``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

import sqlalchemy as sa

from shuke import profiles
from shuke.collect.model import Order, Refund, Stated
from shuke.collect.rules.statements import check_orders, check_refunds, digest
from shuke.platform import Keyring, Transaction, driver

__all__ = ["ORDER_COLUMNS", "REFUND_COLUMNS", "merge_orders", "merge_refunds", "prepare", "save_orders", "save_refunds"]

ORDER_COLUMNS = (
    *("source_id", "order_id", "identity_id", "ordered_at", "amount_minor", "discount_minor", "currency", "status"),
    *("channel", "store", "region", "cancelled_at", "stated_at", "stated_by", "lines_stated"),
)
LINE_COLUMNS = (
    *("source_id", "order_id", "line", "product_id", "product_name", "category", "brand"),
    *("quantity", "amount_minor", "cost_minor"),
)
REFUND_COLUMNS = (
    *("source_id", "refund_id", "order_id", "line", "identity_id", "refunded_at", "amount_minor", "currency"),
)
# From here on the planner is told how much there is, which takes a few milliseconds.
_ANALYZE_ROWS = 500

# Empty in every transaction; made once by a connection, since making them each time would bloat the catalogue.
_INCOMING = """
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming_orders (
        source_id integer NOT NULL,
        order_id text NOT NULL,
        identity_id bigint,
        ordered_at timestamptz NOT NULL,
        amount_minor bigint NOT NULL,
        discount_minor bigint NOT NULL,
        currency text NOT NULL,
        status text NOT NULL,
        channel text,
        store text,
        region text,
        cancelled_at timestamptz,
        stated_at timestamptz NOT NULL,
        stated_by bytea NOT NULL,
        lines_stated boolean NOT NULL,
        outcome text,
        PRIMARY KEY (source_id, order_id)
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming_lines (
        source_id integer NOT NULL,
        order_id text NOT NULL,
        line integer NOT NULL,
        product_id text,
        product_name text,
        category text,
        brand text,
        quantity numeric NOT NULL,
        amount_minor bigint NOT NULL,
        cost_minor bigint,
        PRIMARY KEY (source_id, order_id, line)
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming_refunds (
        source_id integer NOT NULL,
        refund_id text NOT NULL,
        order_id text NOT NULL,
        line integer,
        product_id text,
        identity_id bigint,
        refunded_at timestamptz NOT NULL,
        amount_minor bigint NOT NULL,
        currency text NOT NULL,
        outcome text,
        PRIMARY KEY (source_id, refund_id)
    ) ON COMMIT DELETE ROWS;
    DELETE FROM incoming_orders;
    DELETE FROM incoming_lines;
    DELETE FROM incoming_refunds
"""

# In one order for everybody, so that batches which overlap wait for each other and never in a ring.
_CREATE_ORDERS = """
    WITH created AS (
        INSERT INTO orders (
            source_id, order_id, identity_id, ordered_at, amount_minor, discount_minor, currency, status,
            channel, store, region, cancelled_at, stated_at, stated_by, lines_stated_at, lines_stated_by
        )
        SELECT
            source_id, order_id, identity_id, ordered_at, amount_minor, discount_minor, currency, status,
            channel, store, region,
            CASE WHEN status = 'cancelled' THEN coalesce(cancelled_at, stated_at) END, stated_at, stated_by,
            CASE WHEN lines_stated THEN stated_at ELSE '-infinity' END,
            CASE WHEN lines_stated THEN stated_by ELSE '' END
        FROM incoming_orders
        ORDER BY source_id, order_id
        ON CONFLICT DO NOTHING
        RETURNING source_id, order_id
    )
    UPDATE incoming_orders i SET outcome = 'created' FROM created c
    WHERE i.source_id = c.source_id AND i.order_id = c.order_id
"""
_LOCK_ORDERS = """
    SELECT 1 FROM orders o JOIN incoming_orders i USING (source_id, order_id)
    WHERE i.outcome IS NULL ORDER BY o.source_id, o.order_id FOR NO KEY UPDATE OF o
"""
_KEEP_LATER_LINES = """
    UPDATE incoming_orders i SET lines_stated = false
    FROM orders o
    WHERE i.outcome IS NULL AND i.lines_stated AND o.source_id = i.source_id AND o.order_id = i.order_id
        AND (i.stated_at, i.stated_by) < (o.lines_stated_at, o.lines_stated_by)
"""
# A statement without a customer does not take one away; one without the moment of cancelling keeps the first.
_COMPARE_ORDERS = """
    WITH lines AS (
        SELECT DISTINCT source_id, order_id
        FROM (
            SELECT l.* FROM order_lines l
            JOIN incoming_orders i ON i.source_id = l.source_id AND i.order_id = l.order_id
                AND i.outcome IS NULL AND i.lines_stated
        ) was
        FULL JOIN (
            SELECT l.* FROM incoming_lines l
            JOIN incoming_orders i ON i.source_id = l.source_id AND i.order_id = l.order_id
                AND i.outcome IS NULL AND i.lines_stated
        ) now USING (source_id, order_id, line)
        WHERE (was.product_id, was.product_name, was.category, was.brand, was.quantity, was.amount_minor,
               was.cost_minor)
            IS DISTINCT FROM
              (now.product_id, now.product_name, now.category, now.brand, now.quantity, now.amount_minor,
               now.cost_minor)
    )
    UPDATE incoming_orders i
    SET identity_id = coalesce(i.identity_id, o.identity_id),
        cancelled_at = CASE WHEN i.status = 'cancelled'
            THEN coalesce(i.cancelled_at, o.cancelled_at, i.stated_at) END,
        outcome = CASE
            WHEN (i.stated_at, i.stated_by) < (o.stated_at, o.stated_by) THEN 'outdated'
            WHEN (o.identity_id, o.ordered_at, o.amount_minor, o.discount_minor, o.currency, o.status, o.channel,
                  o.store, o.region, o.cancelled_at)
                IS DISTINCT FROM
                 (coalesce(i.identity_id, o.identity_id), i.ordered_at, i.amount_minor, i.discount_minor, i.currency,
                  i.status, i.channel, i.store, i.region,
                  CASE WHEN i.status = 'cancelled' THEN coalesce(i.cancelled_at, o.cancelled_at, i.stated_at) END)
                OR (i.source_id, i.order_id) IN (SELECT source_id, order_id FROM lines)
            THEN 'updated'
            ELSE 'unchanged'
        END
    FROM orders o
    WHERE i.outcome IS NULL AND o.source_id = i.source_id AND o.order_id = i.order_id
"""
# What carries a moment of its own is noted even when it says nothing new, so that an older statement is known as such.
_UPDATE_ORDERS = """
    UPDATE orders o
    SET (identity_id, ordered_at, amount_minor, discount_minor, currency, status, channel, store, region,
         cancelled_at, stated_at, stated_by, lines_stated_at, lines_stated_by) =
        (i.identity_id, i.ordered_at, i.amount_minor, i.discount_minor, i.currency, i.status, i.channel, i.store,
         i.region, i.cancelled_at, i.stated_at, i.stated_by,
         CASE WHEN i.lines_stated THEN i.stated_at ELSE o.lines_stated_at END,
         CASE WHEN i.lines_stated THEN i.stated_by ELSE o.lines_stated_by END)
    FROM incoming_orders i
    WHERE o.source_id = i.source_id AND o.order_id = i.order_id
        AND (i.outcome = 'updated' OR (i.outcome = 'unchanged' AND i.stated_by <> '' AND i.stated_at > o.stated_at))
"""
_REMOVE_LINES = """
    DELETE FROM order_lines l USING incoming_orders i
    WHERE i.outcome = 'updated' AND i.lines_stated AND l.source_id = i.source_id AND l.order_id = i.order_id
        AND NOT EXISTS (
            SELECT FROM incoming_lines n
            WHERE n.source_id = l.source_id AND n.order_id = l.order_id AND n.line = l.line
        )
"""
_SAVE_LINES = """
    INSERT INTO order_lines AS l (
        source_id, order_id, line, product_id, product_name, category, brand, quantity, amount_minor, cost_minor
    )
    SELECT
        source_id, order_id, line, product_id, product_name, category, brand, quantity, n.amount_minor, cost_minor
    FROM incoming_lines n JOIN incoming_orders i USING (source_id, order_id)
    WHERE i.outcome IN ('created', 'updated') AND i.lines_stated
    ON CONFLICT (source_id, order_id, line) DO UPDATE
    SET (product_id, product_name, category, brand, quantity, amount_minor, cost_minor) =
        (excluded.product_id, excluded.product_name, excluded.category, excluded.brand, excluded.quantity,
         excluded.amount_minor, excluded.cost_minor)
    WHERE (l.product_id, l.product_name, l.category, l.brand, l.quantity, l.amount_minor, l.cost_minor)
        IS DISTINCT FROM
          (excluded.product_id, excluded.product_name, excluded.category, excluded.brand, excluded.quantity,
           excluded.amount_minor, excluded.cost_minor)
"""
_SEEN = """
    SELECT DISTINCT identity_id, store FROM incoming_orders
    WHERE outcome IN ('created', 'updated') AND identity_id IS NOT NULL AND store <> ''
"""
_SEEN_BY_REFUND = """
    SELECT DISTINCT i.identity_id, o.store FROM incoming_refunds i JOIN orders o USING (source_id, order_id)
    WHERE i.outcome = 'created' AND i.identity_id IS NOT NULL AND o.store <> ''
"""
_MONTHS = """
    SELECT make_fact_months(month, month)
    FROM (SELECT DISTINCT date_trunc('month', {moment}, 'UTC') AS month FROM {incoming} WHERE outcome = 'created') m
"""
# The same order has the same fact, whoever writes it.
_ORDER_FACTS = """
    INSERT INTO facts (
        fact_id, occurred_at, received_at, identity_id, kind, name, source_id, channel, store, amount_minor, currency,
        order_id, properties
    )
    SELECT
        md5('order/' || source_id || '/' || order_id)::uuid, ordered_at, :now, identity_id, 'order',
        CASE status
            WHEN 'pending' THEN 'Order Placed' WHEN 'cancelled' THEN 'Order Cancelled' ELSE 'Order Completed'
        END,
        source_id, channel, store, amount_minor, currency, order_id,
        jsonb_strip_nulls(jsonb_build_object(
            'status', status, 'region', region, 'discount_minor', nullif(discount_minor, 0),
            'lines', nullif((
                SELECT count(*) FROM incoming_lines l WHERE l.source_id = i.source_id AND l.order_id = i.order_id
            ), 0)
        ))
    FROM incoming_orders i
    WHERE outcome = 'created'
    ON CONFLICT DO NOTHING
"""

_CREATE_REFUNDS = """
    WITH created AS (
        INSERT INTO refunds (source_id, refund_id, order_id, line, product_id, refunded_at, amount_minor, currency)
        SELECT source_id, refund_id, order_id, line, product_id, refunded_at, amount_minor, currency
        FROM incoming_refunds
        ORDER BY source_id, refund_id
        ON CONFLICT DO NOTHING
        RETURNING source_id, refund_id
    )
    UPDATE incoming_refunds i SET outcome = 'created' FROM created c
    WHERE i.source_id = c.source_id AND i.refund_id = c.refund_id
"""
_LOCK_REFUNDS = """
    SELECT 1 FROM refunds r JOIN incoming_refunds i USING (source_id, refund_id)
    WHERE i.outcome IS NULL ORDER BY r.source_id, r.refund_id FOR NO KEY UPDATE OF r
"""
_UPDATE_REFUNDS = """
    WITH updated AS (
        UPDATE refunds r
        SET (order_id, line, product_id, refunded_at, amount_minor, currency) =
            (i.order_id, i.line, i.product_id, i.refunded_at, i.amount_minor, i.currency)
        FROM incoming_refunds i
        WHERE i.outcome IS NULL AND r.source_id = i.source_id AND r.refund_id = i.refund_id
            AND (r.order_id, r.line, r.product_id, r.refunded_at, r.amount_minor, r.currency)
                IS DISTINCT FROM (i.order_id, i.line, i.product_id, i.refunded_at, i.amount_minor, i.currency)
        RETURNING r.source_id, r.refund_id
    )
    UPDATE incoming_refunds i
    SET outcome = CASE WHEN u.refund_id IS NULL THEN 'unchanged' ELSE 'updated' END
    FROM incoming_refunds n LEFT JOIN updated u USING (source_id, refund_id)
    WHERE i.outcome IS NULL AND n.source_id = i.source_id AND n.refund_id = i.refund_id
"""
_REFUND_FACTS = """
    INSERT INTO facts (
        fact_id, occurred_at, received_at, identity_id, kind, name, source_id, channel, store, amount_minor, currency,
        order_id
    )
    SELECT
        md5('refund/' || i.source_id || '/' || i.refund_id)::uuid, i.refunded_at, :now,
        coalesce(i.identity_id, o.identity_id), 'refund', 'Order Refunded', i.source_id, o.channel, o.store,
        i.amount_minor, i.currency, i.order_id
    FROM incoming_refunds i LEFT JOIN orders o USING (source_id, order_id)
    WHERE i.outcome = 'created'
    ON CONFLICT DO NOTHING
"""


def save_orders(tx: Transaction, keyring: Keyring, orders: Sequence[Order], now: datetime) -> Stated:
    """Bring orders, with all their lines, to what is stated; new customers come into being.

    Raises:
        BadInput: ``collect.too_many_statements``, ``collect.stated_twice``, ``collect.bad_statement``,
            ``base.unknown_currency``; nothing is saved then.
    """
    check_orders(orders, now)
    identities = _identities(tx, keyring, [order.ids for order in orders], now)
    prepare(tx)
    rows = (
        (
            *(order.source_id, order.order_id, identity, order.ordered_at, order.amount_minor, order.discount_minor),
            *(order.currency, order.status.value, order.channel, order.store, order.region, order.cancelled_at),
            *(order.stated_at or now, digest(order) if order.stated_at else b"", order.lines is not None),
        )
        for order, identity in zip(orders, identities, strict=True)
    )
    lines = chain.from_iterable(
        (
            (
                *(order.source_id, order.order_id, number, line.product_id, line.product_name, line.category),
                *(line.brand, line.quantity, line.amount_minor, line.cost_minor),
            )
            for number, line in enumerate(order.lines or (), 1)
        )
        for order in orders
    )
    _copy(tx, "incoming_orders", ORDER_COLUMNS, rows)
    _copy(tx, "incoming_lines", LINE_COLUMNS, lines)
    return merge_orders(tx, now)


def save_refunds(tx: Transaction, keyring: Keyring, refunds: Sequence[Refund], now: datetime) -> Stated:
    """Bring refunds to what is stated; errors as for :func:`save_orders`."""
    check_refunds(refunds, now)
    identities = _identities(tx, keyring, [refund.ids for refund in refunds], now)
    prepare(tx)
    rows = (
        (
            *(refund.source_id, refund.refund_id, refund.order_id, refund.line, identity, refund.refunded_at),
            *(refund.amount_minor, refund.currency),
        )
        for refund, identity in zip(refunds, identities, strict=True)
    )
    _copy(tx, "incoming_refunds", REFUND_COLUMNS, rows)
    return merge_refunds(tx, now)


def prepare(tx: Transaction) -> None:
    """Make ready the tables ``incoming_orders``, ``incoming_lines`` and ``incoming_refunds``, empty, to COPY into."""
    tx.execute(sa.text(_INCOMING))


def merge_orders(tx: Transaction, now: datetime) -> Stated:
    """Bring ``orders`` and ``order_lines`` to what is in the incoming tables, whose rows have been checked."""
    rows = _analyze(tx, "incoming_orders", "incoming_lines")
    created = tx.execute(sa.text(_CREATE_ORDERS)).rowcount
    if created < rows:
        tx.execute(sa.text(_LOCK_ORDERS))
        tx.execute(sa.text(_KEEP_LATER_LINES))
        tx.execute(sa.text(_COMPARE_ORDERS))
    stated = _outcomes(tx, "incoming_orders")
    if stated.updated or stated.unchanged:
        tx.execute(sa.text(_UPDATE_ORDERS))
    if stated.updated:
        tx.execute(sa.text(_REMOVE_LINES))
    if stated.created or stated.updated:
        tx.execute(sa.text(_SAVE_LINES))
        profiles.note_stores(tx, map(tuple, tx.execute(sa.text(_SEEN))))
    if stated.created:
        tx.execute(sa.text(_MONTHS.format(moment="ordered_at", incoming="incoming_orders")))
        tx.execute(sa.text(_ORDER_FACTS), {"now": now})
    return stated


def merge_refunds(tx: Transaction, now: datetime) -> Stated:
    """Bring ``refunds`` to what is in the incoming table, whose rows have been checked."""
    _analyze(tx, "incoming_refunds")
    tx.execute(sa.text(_CREATE_REFUNDS))
    tx.execute(sa.text(_LOCK_REFUNDS))
    tx.execute(sa.text(_UPDATE_REFUNDS))
    stated = _outcomes(tx, "incoming_refunds")
    if stated.created:
        tx.execute(sa.text(_MONTHS.format(moment="refunded_at", incoming="incoming_refunds")))
        tx.execute(sa.text(_REFUND_FACTS), {"now": now})
        profiles.note_stores(tx, map(tuple, tx.execute(sa.text(_SEEN_BY_REFUND))))
    return stated


def _identities(
    tx: Transaction, keyring: Keyring, ids: Sequence[Sequence[tuple[str, str]]], now: datetime
) -> list[int | None]:
    resolved = profiles.resolve(tx, keyring, ids, now)
    return [one.identity_id if one is not None else None for one in resolved]


def _copy(tx: Transaction, table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    # Names are those above.
    with (
        driver(tx).cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _analyze(tx: Transaction, first: str, *others: str) -> int:
    """Tell the planner how much is coming in, where that is much: it takes a new table for a small one.

    Returns how many rows the first table has.
    """
    rows: int = tx.execute(sa.text(f"SELECT count(*) FROM {first}")).scalar_one()  # noqa: S608 - names are those above
    if rows >= _ANALYZE_ROWS:
        for table in (first, *others):
            # What tables are joined by will do, and takes a tenth of the time.
            tx.execute(sa.text(f"ANALYZE {table} ({'refund_id' if table == 'incoming_refunds' else 'order_id'})"))
    return rows


def _outcomes(tx: Transaction, table: str) -> Stated:
    counted = sa.text(f"SELECT outcome, count(*) FROM {table} GROUP BY outcome")  # noqa: S608 - names are those above
    return Stated(**dict(tx.execute(counted).all()))
