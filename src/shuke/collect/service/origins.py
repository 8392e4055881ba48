"""Sources by their names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.base.errors import NotFound
from shuke.collect.tables import sources
from shuke.platform import Transaction

__all__ = ["NO_SOURCE", "ensure_source", "find_source", "source_ids"]

#: The number of no source, to compare with what a source that does not exist has sent.
NO_SOURCE = 0


def ensure_source(tx: Transaction, name: str, *, now: datetime) -> int:
    """The number of the source of this name, which comes into being, without a key, if there is none."""
    tx.execute(insert(sources).values(name=name, created_at=now).on_conflict_do_nothing())
    return source_ids(tx, [name])[name]


def find_source(tx: Transaction, name: str) -> int:
    """The number of the source of this name, :data:`NO_SOURCE` if there is none."""
    return tx.execute(sa.select(sources.c.source_id).where(sources.c.name == name)).scalar() or NO_SOURCE


def source_ids(tx: Transaction, names: Collection[str]) -> dict[str, int]:
    """The numbers of these sources; NotFound ``collect.no_source`` with the first name that is none."""
    # A name with a character that PostgreSQL does not take is no source's.
    wanted = [name for name in set(names) if name.isprintable()]
    found = tx.execute(sa.select(sources.c.name, sources.c.source_id).where(sources.c.name.in_(wanted)))
    numbers: dict[str, int] = dict(found.all())
    for name in sorted(set(names)):
        if name not in numbers:
            raise NotFound("collect.no_source", name=name)
    return numbers
