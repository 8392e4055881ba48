"""The reports that are kept, and when the next is due. Why it is so stands in the migration that makes it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shuke.platform import metadata

__all__ = ["report_schedule", "reports"]

_MOMENT = sa.DateTime(timezone=True)

#: ``terms`` is what was asked for; ``policy`` what its pages may do; ``files`` are their numbers by language and kind;
#: ``findings`` what it found, in words, by language.
reports = sa.Table(
    "reports",
    metadata,
    sa.Column("report_id", sa.Uuid, primary_key=True),
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.Column("data_until", sa.Date, nullable=False),
    sa.Column("terms", JSONB, nullable=False),
    sa.Column("currency", sa.Text),
    sa.Column("customers", sa.Integer, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("files", JSONB, nullable=False),
    sa.Column("findings", JSONB, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("scheduled", sa.Boolean, nullable=False),
)

#: One row at most. ``due_at`` is when the next is made.
report_schedule = sa.Table(
    "report_schedule",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("every", sa.Text, nullable=False),
    sa.Column("day", sa.SmallInteger, nullable=False),
    sa.Column("hour", sa.SmallInteger, nullable=False),
    sa.Column("terms", JSONB, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("changed_at", _MOMENT, nullable=False),
    sa.Column("due_at", _MOMENT),
)
