"""Keys of persons, the vault, guardians and the consent ledger."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from shuke.platform import metadata

_MOMENT = sa.DateTime(timezone=True)

# The data key of each person, under the master key of ``version``; none once it is destroyed.
person_keys = sa.Table(
    "person_keys",
    metadata,
    sa.Column("person_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("wrapped", BYTEA),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("destroyed_at", _MOMENT),
)

# Personal values, each encrypted under the key of its person. ``terms`` are keyed hashes by which a name can be looked
# for, ``day`` is a number of the day of the year of a date, which says which day only with the keys; both go with it.
vault = sa.Table(
    "vault",
    metadata,
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person_keys.person_id"), primary_key=True),
    sa.Column("field", sa.Text(collation="C"), primary_key=True),
    sa.Column("cipher", BYTEA, nullable=False),
    sa.Column("updated_at", _MOMENT, nullable=False),
    sa.Column("terms", ARRAY(sa.SmallInteger)),
    sa.Column("day", sa.SmallInteger),
)

# Who answers for whom; what a guardian is called is in the vault, under the guardian's own key.
guardians = sa.Table(
    "guardians",
    metadata,
    sa.Column("child_id", sa.Uuid, primary_key=True),
    sa.Column("guardian_id", sa.Uuid, primary_key=True),
    sa.Column("relation", sa.Text, nullable=False),
    sa.Column("since", _MOMENT, nullable=False),
    sa.Column("ended_at", _MOMENT),
)

# Append-only: a trigger refuses everything but INSERT.
consent_events = sa.Table(
    "consent_events",
    metadata,
    sa.Column("event_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("notice_version", sa.Text, nullable=False),
    sa.Column("proof", JSONB, nullable=False),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("recorded_at", _MOMENT, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("guardian", sa.Uuid),
)

# A view: the event that counts for each customer, purpose and channel.
consent_states = sa.table(
    "consent_states",
    sa.column("customer_id", sa.Uuid),
    sa.column("purpose", sa.Text),
    sa.column("channel", sa.Text),
    sa.column("state", sa.Text),
    sa.column("notice_version", sa.Text),
    sa.column("at", _MOMENT),
    sa.column("event_id", sa.BigInteger),
    sa.column("guardian", sa.Uuid),
)
