"""Roles, API keys and the audit log. The reasons for keys and indexes stand in the migration that makes them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSON, JSONB

from shuke.platform import metadata

__all__ = ["answers", "api_keys", "audit_heads", "audit_log", "roles"]

_MOMENT = sa.DateTime(timezone=True)

# ``scope`` is whose customers it is for; ``fields`` says for each group of personal values how it is shown.
roles = sa.Table(
    "roles",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("permissions", ARRAY(sa.Text), nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("fields", JSONB, nullable=False),
    sa.Column("shipped", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("updated_at", _MOMENT, nullable=False),
)

# What a key may do is written down when it is made, so that nobody widens it by changing a role.
api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("key_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_hash", BYTEA, nullable=False, unique=True),  # SHA-256 of the whole key
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("permissions", ARRAY(sa.Text), nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("places", ARRAY(sa.Text), nullable=False),
    sa.Column("fields", JSONB, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("acts_for", sa.Uuid),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("expires_at", _MOMENT, nullable=False),
    sa.Column("last_used_at", _MOMENT),
    sa.Column("revoked_at", _MOMENT),
)

# What was answered to a write that its sender may repeat, under the master key, for a day. No status: the answer is on
# its way, or was lost on it.
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("reader", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request_hash", BYTEA, nullable=False),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Column("key_version", sa.Integer),
    sa.Column("body", BYTEA),
)

# Append-only: a trigger refuses everything but INSERT. JSON as it was written, since its hash is over the text.
audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("who_kind", sa.Text, nullable=False),
    sa.Column("who_id", sa.Uuid),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object", JSON(none_as_null=True), nullable=False),
    sa.Column("before", JSON(none_as_null=True)),
    sa.Column("after", JSON(none_as_null=True)),
    sa.Column("request_id", sa.Text),
    sa.Column("previous", BYTEA, nullable=False),
    sa.Column("hash", BYTEA, nullable=False),
)

# The last line of each day (UTC), signed with a key that the database does not have.
audit_heads = sa.Table(
    "audit_heads",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("hash", BYTEA, nullable=False),
    sa.Column("signature", BYTEA, nullable=False),
)
