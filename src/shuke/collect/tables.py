"""What the room keeps in PostgreSQL. The reasons for keys and indexes stand in the migration that makes them.

A fact, an order and a refund belong to an identity of ``profiles`` (``identity_id``), never to a customer, so that
merging and splitting customers touches none of them. No table here holds what is personal: it is either encrypted
(``inbox``, ``rejects``) or has been moved to the vault before.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shuke.platform import metadata

__all__ = [
    "costs",
    "event_fields",
    "facts",
    "imports",
    "inbox",
    "lake_changes",
    "lake_pruned",
    "message_ids",
    "order_lines",
    "orders",
    "refunds",
    "rejects",
    "sources",
    "volumes",
]

_moment = sa.DateTime(timezone=True)
_transaction = sa.text("pg_current_xact_id()::text::bigint")

#: Where facts come from: a site, an app, a shop, a file. One without a key cannot send over HTTP.
sources = sa.Table(
    "sources",
    metadata,
    sa.Column("source_id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("key_hash", sa.LargeBinary, unique=True),  # SHA-256 of the write key
    sa.Column("currency", sa.Text),  # of amounts that come without one
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("disabled_at", _moment),
)

#: Events that were acknowledged and are not yet processed, each encrypted whole.
inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("source_id", sa.Integer, nullable=False),
    sa.Column("received_at", _moment, nullable=False),
    sa.Column("key_version", sa.Integer, nullable=False),
    sa.Column("cipher", sa.LargeBinary, nullable=False),
)

#: The blind index of every messageId that was processed.
message_ids = sa.Table(
    "message_ids",
    metadata,
    sa.Column("source_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("message", sa.LargeBinary, primary_key=True),
)

#: The timeline, partitioned by the month of ``occurred_at`` (UTC).
facts = sa.Table(
    "facts",
    metadata,
    sa.Column("fact_id", sa.Uuid, primary_key=True),
    sa.Column("occurred_at", _moment, primary_key=True),
    sa.Column("received_at", _moment, nullable=False),
    sa.Column("identity_id", sa.BigInteger),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("source_id", sa.Integer),
    sa.Column("channel", sa.Text),
    sa.Column("store", sa.Text),
    sa.Column("session", sa.Text),
    sa.Column("amount_minor", sa.BigInteger),
    sa.Column("currency", sa.Text),
    sa.Column("order_id", sa.Text),
    sa.Column("simulated", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("properties", JSONB, nullable=False, server_default="{}"),
    sa.Column("original_at", _moment),  # what the sender's clock said, where that differs from ``occurred_at``
    # The transaction that wrote it, by which the lake knows what is new; always left to its default.
    sa.Column("written_in", sa.BigInteger, nullable=False, server_default=_transaction),
)

#: Keys of rows that were added, changed or deleted, and by which transaction, until the lake has them.
lake_changes = sa.Table(
    "lake_changes",
    metadata,
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("key", ARRAY(sa.Text), nullable=False),
    sa.Column("written_in", sa.BigInteger, nullable=False, server_default=_transaction),
)

#: The transaction before which the changes of a table are no longer kept.
lake_pruned = sa.Table(
    "lake_pruned",
    metadata,
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("below", sa.BigInteger, nullable=False),
)

#: Orders as last stated. ``stated_at`` and ``stated_by`` order the statements, whichever comes in first; the lines have
#: an order of their own, since not every statement names them.
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("source_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("identity_id", sa.BigInteger),
    sa.Column("ordered_at", _moment, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("discount_minor", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="completed"),
    sa.Column("channel", sa.Text),
    sa.Column("store", sa.Text),
    sa.Column("region", sa.Text),
    sa.Column("cancelled_at", _moment),
    sa.Column("stated_at", _moment, nullable=False, server_default="-infinity"),
    sa.Column("stated_by", sa.LargeBinary, nullable=False, server_default=""),
    sa.Column("lines_stated_at", _moment, nullable=False, server_default="-infinity"),
    sa.Column("lines_stated_by", sa.LargeBinary, nullable=False, server_default=""),
)

order_lines = sa.Table(
    "order_lines",
    metadata,
    sa.Column("source_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("product_id", sa.Text),
    sa.Column("product_name", sa.Text),
    sa.Column("category", sa.Text),
    sa.Column("brand", sa.Text),
    sa.Column("quantity", sa.Numeric, nullable=False, server_default="1"),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("cost_minor", sa.BigInteger),
    sa.ForeignKeyConstraint(
        ["source_id", "order_id"], ["orders.source_id", "orders.order_id"], ondelete="CASCADE", name="fk_order_lines"
    ),
)

#: Money given back. The order need not be known: a refund may be told before it.
refunds = sa.Table(
    "refunds",
    metadata,
    sa.Column("source_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("refund_id", sa.Text, primary_key=True),
    sa.Column("order_id", sa.Text, nullable=False),
    sa.Column("line", sa.Integer),
    sa.Column("refunded_at", _moment, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("product_id", sa.Text),  # where the refund names it, and no line of the order
)

#: What winning customers cost, by channel and day or month (its first day).
costs = sa.Table(
    "costs",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("period", sa.Date, primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("spend_minor", sa.BigInteger, nullable=False),
)

#: Events that could not become facts, encrypted as they came, with the code of the reason.
rejects = sa.Table(
    "rejects",
    metadata,
    sa.Column("reject_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("source_id", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("received_at", _moment, nullable=False),
    sa.Column("key_version", sa.Integer, nullable=False),
    sa.Column("cipher", sa.LargeBinary, nullable=False),
)

#: How many events of a kind and name came in an hour, and what became of them.
volumes = sa.Table(
    "volumes",
    metadata,
    sa.Column("source_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hour", _moment, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("outcome", sa.Text, primary_key=True),  # "fact", "duplicate" or the reason of a reject
    sa.Column("events", sa.BigInteger, nullable=False),
)

#: The fields of each event as seen: how many events had the field with this type.
event_fields = sa.Table(
    "event_fields",
    metadata,
    sa.Column("source_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, primary_key=True),
    sa.Column("events", sa.BigInteger, nullable=False),
    sa.Column("first_seen_at", _moment, nullable=False),
    sa.Column("last_seen_at", _moment, nullable=False),
)

#: How far each import of files has come; ``fingerprint`` is of the files and of what was asked.
imports = sa.Table(
    "imports",
    metadata,
    sa.Column("import_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source_id", sa.Integer, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("batches_done", sa.Integer, nullable=False, server_default="0"),
    sa.Column("batches_total", sa.Integer, nullable=False),
    sa.Column("counts", JSONB, nullable=False, server_default="{}"),
    sa.Column("started_at", _moment, nullable=False),
    sa.Column("updated_at", _moment, nullable=False),
    sa.Column("finished_at", _moment),
)
