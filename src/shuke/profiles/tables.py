"""Customers, their identities, merges, attributes, tags and households.

Only identities move when customers are merged. Everything else stays under the customer that it was written to, and is
read through ``merged_into``; that is what makes an undo exact.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from shuke.platform import metadata

_MOMENT = sa.DateTime(timezone=True)


def _customer(name: str, *, nullable: bool = True, primary_key: bool = False) -> sa.Column[UUID]:
    customer = sa.ForeignKey("customers.customer_id")
    return sa.Column(name, sa.Uuid, customer, nullable=nullable and not primary_key, primary_key=primary_key)


# ``merged_into`` names the customer who stands for this one, however many merges lie between. ``attributes`` holds what
# is not personal; the rest is in the vault.
customers = sa.Table(
    "customers",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("created_at", _MOMENT, nullable=False),
    _customer("merged_into"),
    sa.Column("attributes", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("updated_at", _MOMENT, nullable=False),
    sa.Column("erased_at", _MOMENT),
)

# ``attached_to`` is the customer that the identity was given to and never changes; ``customer_id`` is who stands for
# that customer now. ``lookup`` is the blind index of the normalised value, which itself is in the vault.
identities = sa.Table(
    "identities",
    metadata,
    sa.Column("identity_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("lookup", BYTEA, nullable=False),
    _customer("customer_id", nullable=False),
    _customer("attached_to", nullable=False),
    sa.Column("first_seen_at", _MOMENT, nullable=False),
    sa.Column("last_seen_at", _MOMENT, nullable=False),
    sa.UniqueConstraint("kind", "lookup"),
)

# Those in force are the edges of a forest, loser to winner. ``identity_ids`` are those that changed hands.
merges = sa.Table(
    "merges",
    metadata,
    sa.Column("merge_id", sa.Uuid, primary_key=True),
    _customer("winner", nullable=False),
    _customer("loser", nullable=False),
    sa.Column("identity_ids", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("reason", JSONB, nullable=False),
    sa.Column("merged_at", _MOMENT, nullable=False),
    sa.Column("undone_at", _MOMENT),
)

# What the brand wants to know about its customers, beside what is built in.
attribute_definitions = sa.Table(
    "attribute_definitions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("personal", sa.Boolean, nullable=False),
    sa.Column("choices", ARRAY(sa.Text), nullable=False),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("retired_at", _MOMENT),
)

# A label from one source; it counts until it expires.
tags = sa.Table(
    "tags",
    metadata,
    _customer("customer_id", primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("added_at", _MOMENT, nullable=False),
    sa.Column("expires_at", _MOMENT),
)

# A label that was put on, or taken off, many at once.
tag_batches = sa.Table(
    "tag_batches",
    metadata,
    sa.Column("batch_id", sa.Uuid, primary_key=True),
    sa.Column("made_by", sa.Uuid),
    sa.Column("tag", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("expires_at", _MOMENT),
    sa.Column("removed", sa.Boolean, nullable=False),
    sa.Column("customers", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.Column("undone_at", _MOMENT),
)

# What a batch changed, as it was before; without ``added_at`` there was no such label.
tag_batch_rows = sa.Table(
    "tag_batch_rows",
    metadata,
    sa.Column("batch_id", sa.Uuid, sa.ForeignKey("tag_batches.batch_id"), primary_key=True),
    _customer("customer_id", primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("added_at", _MOMENT),
    sa.Column("expires_at", _MOMENT),
)

# Customers who live together; each is in one household at most.
household_members = sa.Table(
    "household_members",
    metadata,
    _customer("customer_id", primary_key=True),
    sa.Column("household_id", sa.Uuid, nullable=False),
    sa.Column("since", _MOMENT, nullable=False),
)

# Where an identity was seen, which says whose customer somebody is.
identity_stores = sa.Table(
    "identity_stores",
    metadata,
    sa.Column("identity_id", sa.BigInteger, sa.ForeignKey("identities.identity_id"), primary_key=True),
    sa.Column("store", sa.Text, primary_key=True),
)

# Who looks after a customer.
customer_owners = sa.Table(
    "customer_owners",
    metadata,
    _customer("customer_id", primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("since", _MOMENT, nullable=False),
)
