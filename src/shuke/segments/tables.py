"""What the room keeps in PostgreSQL. Why it is so stands in the migration that makes it."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shuke.platform import metadata

__all__ = ["changes", "dues", "follow", "list_members", "lists", "members", "segments", "touched", "versions"]

_moment = sa.DateTime(timezone=True)


def _segment() -> sa.Column[UUID]:
    return sa.Column("segment_id", sa.Uuid, sa.ForeignKey("segments.segment_id"), primary_key=True)


#: What a segment is called, and which of its definitions counts. ``built_at`` is the moment that its members are as of;
#: ``failed`` the code of what was wrong the last time that they were worked out.
segments = sa.Table(
    "segments",
    metadata,
    sa.Column("segment_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("updated_at", _moment, nullable=False),
    sa.Column("built_version", sa.Integer),
    sa.Column("built_at", _moment),
    sa.Column("customers", sa.Integer),
    sa.Column("failed", sa.Text),
    sa.Column("archived_at", _moment),
)

#: Every definition that a segment has had.
versions = sa.Table(
    "segment_versions",
    metadata,
    _segment(),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("definition", JSONB, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", _moment, nullable=False),
)

#: Who is in a segment.
members = sa.Table(
    "segment_members",
    metadata,
    _segment(),
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("since", _moment, nullable=False),
)

#: Who entered, and who left, and why: see :class:`~shuke.segments.model.segment.Change`.
changes = sa.Table(
    "segment_changes",
    metadata,
    sa.Column("change_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("segment_id", sa.Uuid, sa.ForeignKey("segments.segment_id"), nullable=False),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("at", _moment, nullable=False),
    sa.Column("entered", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

#: Lists of customers that somebody gave.
lists = sa.Table(
    "segment_lists",
    metadata,
    sa.Column("list_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", _moment, nullable=False),
)

list_members = sa.Table(
    "segment_list_members",
    metadata,
    sa.Column("list_id", sa.Uuid, sa.ForeignKey("segment_lists.list_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("customer_id", sa.Uuid, primary_key=True),
)

#: Whom changes touched of which no fact tells, by the transaction; triggers write it.
touched = sa.Table(
    "segment_touched",
    metadata,
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("written_in", sa.BigInteger, nullable=False),
    sa.Column("at", _moment, nullable=False),
)

#: How far members have followed: one row. ``seen`` is the snapshot, ``at`` its moment; ``dues`` are complete up to
#: ``until``.
follow = sa.Table(
    "segment_follow",
    metadata,
    sa.Column("only_one", sa.Boolean, primary_key=True),
    sa.Column("seen", sa.Text, nullable=False),
    sa.Column("at", _moment, nullable=False),
    sa.Column("until", _moment, nullable=False),
)

#: Who is to be asked again, and when: at once for what happened, at a later moment for time that will have passed.
dues = sa.Table(
    "segment_dues",
    metadata,
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("due_at", _moment, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)
