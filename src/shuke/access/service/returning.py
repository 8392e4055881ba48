"""Who asked for work, when it is done: as their role, places and account are by then, not as they were."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shuke.access.model import Permission, Reader
from shuke.access.service import scope
from shuke.access.service.keys import reader_of_key_id
from shuke.access.service.roles import reader_for
from shuke.access.service.users import get_user
from shuke.base.errors import NotAllowed, NotFound
from shuke.platform import Asker, Transaction

__all__ = ["reader_by_now", "see_as"]


def reader_by_now(tx: Transaction, asker: Asker, permission: Permission, now: datetime) -> Reader:
    """Whoever asked, with what they may by now.

    Raises:
        NotAllowed: ``access.not_any_more`` when the account is disabled, the key revoked or over, the role gone, or the
            permission taken from it.
    """
    found = _reader(tx, asker.kind, asker.id, now)
    if found is None or permission not in found.permissions:
        raise NotAllowed("access.not_any_more", permission=permission)
    return found


def see_as(tx: Transaction, reader: Reader) -> None:
    """From here to the end of the transaction, see the customers whom the reader may see, and no others."""
    scope.enter(tx, reader)


def _reader(tx: Transaction, kind: str, number: UUID | None, now: datetime) -> Reader | None:
    if number is None:
        return None
    if kind == "key":
        return reader_of_key_id(tx, number, now)
    if kind != "user":
        return None
    try:
        user = get_user(tx, number)
        if user.disabled_at is not None:
            return None
        return reader_for(tx, kind="user", id=number, name=user.name, role=user.role, places=user.places)
    except NotFound:
        return None
