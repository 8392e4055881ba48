"""Which segments there are, and what they say and have said."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.base.ids import new_id
from shuke.platform import Transaction
from shuke.segments.model.segment import Segment, Version
from shuke.segments.model.tree import Node
from shuke.segments.rules.checking import checked, read_tree, segments_of, written_tree
from shuke.segments.service.asking import Asking
from shuke.segments.tables import segments, versions

__all__ = [
    "NAME_MAX",
    "SEGMENTS_MAX",
    "VERSIONS_MAX",
    "add_segment",
    "archive_segment",
    "check_name",
    "get_segment",
    "list_segments",
    "save_segment",
    "versions_of",
]

SEGMENTS_MAX = 500
VERSIONS_MAX = 200
NAME_MAX = 100
_LOCK = 7_485_380_071

_DEFINED = (versions.c.segment_id == segments.c.segment_id) & (versions.c.version == segments.c.version)


def list_segments(tx: Transaction) -> tuple[Segment, ...]:
    """All that are not archived, by name; no more than :data:`SEGMENTS_MAX`."""
    return tuple(map(_segment, tx.execute(_every().order_by(segments.c.name))))


def get_segment(tx: Transaction, segment_id: UUID) -> Segment:
    """One of them; NotFound ``segments.no_segment``."""
    row = tx.execute(_every().where(segments.c.segment_id == segment_id)).one_or_none()
    if row is None:
        raise NotFound("segments.no_segment", segment_id=str(segment_id))
    return _segment(row)


def add_segment(tx: Transaction, asked: Asking, name: str, tree: Node, *, made_by: str, now: datetime) -> Segment:
    """A new segment; nobody is in it until it is built.

    Raises:
        BadInput: ``segments.bad_name``, and the codes of :func:`~shuke.segments.rules.checking.checked`.
        Conflict: ``segments.name_taken``, ``segments.too_many``.
    """
    checked(tree, asked.vocabulary)
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    there = tx.scalar(sa.select(sa.func.count()).select_from(segments).where(segments.c.archived_at.is_(None)))
    if (there or 0) >= SEGMENTS_MAX:
        raise Conflict("segments.too_many", limit=SEGMENTS_MAX)
    segment_id = new_id(at_ms=int(now.timestamp() * 1000))
    _check_name(tx, name, segment_id)
    values = {"name": name, "version": 1, "created_at": now, "updated_at": now}
    tx.execute(sa.insert(segments).values(segment_id=segment_id, **values))
    _keep(tx, segment_id, 1, tree, made_by, now)
    return get_segment(tx, segment_id)


def save_segment(
    tx: Transaction, asked: Asking, segment_id: UUID, name: str, tree: Node, *, made_by: str, now: datetime
) -> Segment:
    """Call a segment by this name, and have it say this from the next build on; the same again makes no version.

    Raises:
        NotFound: ``segments.no_segment``.
        BadInput, Conflict: as :func:`add_segment`.
    """
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    before = get_segment(tx, segment_id)
    _check_name(tx, name, segment_id)
    # Its own new tree in its place, so that it is found out if it becomes part of itself.
    inside = {**asked.vocabulary.segments, segment_id: tree}
    checked(tree, asked.with_segments(inside).vocabulary)
    version = before.version
    if written_tree(tree) != written_tree(before.definition):
        version += 1
        _keep(tx, segment_id, version, tree, made_by, now)
        oldest = version - VERSIONS_MAX
        tx.execute(sa.delete(versions).where(versions.c.segment_id == segment_id, versions.c.version <= oldest))
    tx.execute(
        sa.update(segments)
        .where(segments.c.segment_id == segment_id)
        .values(name=name, version=version, updated_at=now)
    )
    return get_segment(tx, segment_id)


def archive_segment(tx: Transaction, asked: Asking, segment_id: UUID, *, now: datetime) -> Segment:
    """Take a segment out of use; what it said, and who was in it, stays.

    Raises:
        NotFound: ``segments.no_segment``.
        Conflict: ``segments.in_use`` where another segment names it.
    """
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    segment = get_segment(tx, segment_id)
    for other, tree in asked.vocabulary.segments.items():
        if segment_id in segments_of(tree):
            raise Conflict("segments.in_use", name=segment.name, other=get_segment(tx, other).name)
    tx.execute(sa.update(segments).where(segments.c.segment_id == segment_id).values(archived_at=now))
    return segment


def versions_of(tx: Transaction, segment_id: UUID) -> tuple[Version, ...]:
    """What a segment has said, the latest first; NotFound ``segments.no_segment``."""
    get_segment(tx, segment_id)
    found = sa.select(versions).where(versions.c.segment_id == segment_id).order_by(versions.c.version.desc())
    return tuple(
        Version(
            version=row.version,
            definition=read_tree(row.definition),
            made_by=row.made_by,
            made_at=row.made_at,
        )
        for row in tx.execute(found)
    )


def _every() -> sa.Select[Any]:
    return (
        sa.select(segments, versions.c.definition, versions.c.made_by)
        .join(versions, _DEFINED)
        .where(segments.c.archived_at.is_(None))
    )


def _segment(row: sa.Row[Any]) -> Segment:
    return Segment(
        segment_id=row.segment_id,
        name=row.name,
        version=row.version,
        definition=read_tree(row.definition),
        made_by=row.made_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        built_version=row.built_version,
        built_at=row.built_at,
        customers=row.customers,
        failed=row.failed,
    )


def check_name(name: str) -> None:
    """Refuse what is no name: BadInput ``segments.bad_name``."""
    if not (0 < len(name) <= NAME_MAX and name.isprintable() and name == name.strip()):
        raise BadInput("segments.bad_name", limit=NAME_MAX)


def _check_name(tx: Transaction, name: str, segment_id: UUID) -> None:
    check_name(name)
    same = sa.select(segments.c.segment_id).where(segments.c.name == name, segments.c.archived_at.is_(None))
    if tx.scalar(same.where(segments.c.segment_id != segment_id)) is not None:
        raise Conflict("segments.name_taken", name=name)


def _keep(tx: Transaction, segment_id: UUID, version: int, tree: Node, made_by: str, now: datetime) -> None:
    tx.execute(
        sa.insert(versions).values(
            segment_id=segment_id, version=version, definition=written_tree(tree), made_by=made_by, made_at=now
        )
    )
