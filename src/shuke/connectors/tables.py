"""What the room keeps in PostgreSQL. Why it is so stands in the migration that makes it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shuke.platform import metadata

__all__ = ["attempts", "deliveries", "endpoints", "secrets"]

_moment = sa.DateTime(timezone=True)

#: Who is told of what. ``told_to`` is the last change of a segment for which it has its messages; it is left alone
#: until ``paused_until``, where it has asked for that.
endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("endpoint_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kinds", ARRAY(sa.Text), nullable=False),
    sa.Column("segment_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("why_disabled", sa.Text),
    sa.Column("told_to", sa.BigInteger, nullable=False),
    sa.Column("paused_until", _moment),
    sa.Column("failing_since", _moment),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("updated_at", _moment, nullable=False),
)

#: What signs: one secret without an end, and while it has not come, the one before.
secrets = sa.Table(
    "webhook_secrets",
    metadata,
    sa.Column("secret_id", sa.Uuid, primary_key=True),
    sa.Column("endpoint_id", sa.Uuid, sa.ForeignKey("webhook_endpoints.endpoint_id", ondelete="CASCADE")),
    sa.Column("key_version", sa.Integer, nullable=False),
    sa.Column("cipher", sa.LargeBinary, nullable=False),
    sa.Column("made_at", _moment, nullable=False),
    sa.Column("until", _moment),
)

#: A message to one endpoint. ``attempt`` counts all attempts, ``tries`` those since it was queued; who has claimed it
#: sends it until ``claimed_until``.
deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("delivery_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("message_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
    sa.Column("endpoint_id", sa.Uuid, sa.ForeignKey("webhook_endpoints.endpoint_id", ondelete="CASCADE")),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("customers", sa.Integer, nullable=False, server_default="0"),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("due_at", _moment, nullable=False),
    sa.Column("claimed_until", _moment),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("ended_at", _moment),
)

attempts = sa.Table(
    "webhook_attempts",
    metadata,
    sa.Column(
        "delivery_id",
        sa.BigInteger,
        sa.ForeignKey("webhook_deliveries.delivery_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("at", _moment, nullable=False),
    sa.Column("ms", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("trouble", sa.Text),
    sa.Column("answer", sa.Text, nullable=False),
)
