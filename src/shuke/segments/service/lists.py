"""Lists of customers that somebody gave."""

from __future__ import annotations

import sqlalchemy as sa

from shuke.platform import Transaction
from shuke.segments.model.segment import GivenList
from shuke.segments.tables import list_members, lists

__all__ = ["list_lists"]


def list_lists(tx: Transaction) -> tuple[GivenList, ...]:
    """All of them, by name."""
    there = sa.select(sa.func.count()).where(list_members.c.list_id == lists.c.list_id).scalar_subquery()
    found = sa.select(lists, there.label("customers")).order_by(lists.c.name)
    return tuple(GivenList(**row) for row in tx.execute(found).mappings())
