"""Lists of customers that somebody gave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from shuke import profiles
from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.base.ids import new_id
from shuke.platform import Keyring, Transaction, array
from shuke.segments.model.segment import GivenList
from shuke.segments.rules.checking import lists_of
from shuke.segments.service.asking import Asking
from shuke.segments.service.definitions import check_name, get_segment
from shuke.segments.tables import list_members, lists

__all__ = ["LISTED_MAX", "LISTS_MAX", "add_list", "delete_list", "list_lists"]

LISTS_MAX = 500
#: What may be given for one list.
LISTED_MAX = 100_000
_LOCK = 7_485_380_072


def list_lists(tx: Transaction) -> tuple[GivenList, ...]:
    """All of them, by name; no more than :data:`LISTS_MAX`."""
    return tuple(GivenList(**row) for row in tx.execute(_every().order_by(lists.c.name)).mappings())


def get_list(tx: Transaction, list_id: UUID) -> GivenList:
    """One of them; NotFound ``segments.no_such_list``."""
    row = tx.execute(_every().where(lists.c.list_id == list_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("segments.no_such_list", list_id=str(list_id))
    return GivenList(**row)


def add_list(
    tx: Transaction, keyring: Keyring, name: str, texts: Sequence[str], *, made_by: str, now: datetime
) -> tuple[GivenList, tuple[str, ...]]:
    """Keep a list of the customers whom these texts name, and say which name nobody, each once.

    Those are personal and kept nowhere. Blank texts count for nothing.

    Raises:
        BadInput: ``segments.bad_name``, ``segments.bad_list`` for more than :data:`LISTED_MAX` texts, or where none
            names a customer.
        Conflict: ``segments.list_taken``, ``segments.too_many_lists``.
    """
    check_name(name)
    given = dict.fromkeys(text for text in texts if text.strip())
    if len(given) > LISTED_MAX:
        raise BadInput("segments.bad_list", limit=LISTED_MAX)
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    there = set(tx.scalars(sa.select(lists.c.name)))
    if name in there:
        raise Conflict("segments.list_taken", name=name)
    if len(there) >= LISTS_MAX:
        raise Conflict("segments.too_many_lists", limit=LISTS_MAX)
    found = profiles.named(tx, keyring, given)
    if not found:
        raise BadInput("segments.bad_list", limit=LISTED_MAX)
    list_id = new_id(at_ms=int(now.timestamp() * 1000))
    tx.execute(sa.insert(lists).values(list_id=list_id, name=name, made_by=made_by, made_at=now))
    everybody = array(sorted(set(found.values())))
    tx.execute(
        sa.text("INSERT INTO segment_list_members SELECT CAST(:list AS uuid), unnest(CAST(:them AS uuid[]))"),
        {"list": list_id, "them": everybody},
    )
    return get_list(tx, list_id), tuple(text for text in given if text not in found)


def delete_list(tx: Transaction, asked: Asking, list_id: UUID) -> GivenList:
    """Forget a list.

    Raises:
        NotFound: ``segments.no_such_list``.
        Conflict: ``segments.list_in_use`` where a segment names it.
    """
    gone = get_list(tx, list_id)
    for segment_id, tree in asked.vocabulary.segments.items():
        if list_id in lists_of(tree):
            raise Conflict("segments.list_in_use", name=gone.name, other=get_segment(tx, segment_id).name)
    tx.execute(sa.delete(lists).where(lists.c.list_id == list_id))
    return gone


def _every() -> sa.Select[tuple[UUID, str, str, datetime, int]]:
    there = sa.select(sa.func.count()).where(list_members.c.list_id == lists.c.list_id).scalar_subquery()
    return sa.select(lists.c.list_id, lists.c.name, lists.c.made_by, lists.c.made_at, there.label("customers"))
