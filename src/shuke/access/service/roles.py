"""Roles as they are kept, and who somebody is who has one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from shuke.access.model import Kind, Reader, Role, Seen, Where
from shuke.access.rules.permissions import SHIPPED_ROLES, beyond, checked_places, checked_role
from shuke.access.tables import roles
from shuke.base.errors import BadInput, Conflict, NotAllowed, NotFound
from shuke.platform import Transaction

__all__ = [
    "ROLES_MAX",
    "change_role",
    "delete_role",
    "get_role",
    "list_roles",
    "make_role",
    "may_give_role",
    "reader_for",
]

#: Roles that a brand makes for itself.
ROLES_MAX = 200


def reader_for(
    tx: Transaction,
    *,
    kind: Kind,
    id: UUID | None,  # noqa: A002 - as the field is called
    name: str,
    role: str,
    places: Sequence[str],
) -> Reader:
    """Who asks, as the role that they have says; NotFound ``access.no_role``."""
    found = get_role(tx, role)
    return Reader(kind, id, name, found.name, found.permissions, found.where, tuple(places), found.fields, id)


def get_role(tx: Transaction, name: str) -> Role:
    """The role of this name; NotFound ``access.no_role``."""
    row = tx.execute(sa.select(roles).where(roles.c.name == name)).first()
    if row is None:
        raise NotFound("access.no_role", role=name[:40])
    return _role(row)


def list_roles(tx: Transaction) -> tuple[Role, ...]:
    """Every role: those that are shipped in their order, then the brand's own by name."""
    found = {row.name: _role(row) for row in tx.execute(sa.select(roles).order_by(roles.c.name))}
    shipped = [found.pop(role.name) for role in SHIPPED_ROLES if role.name in found]
    return (*shipped, *found.values())


def may_give_role(reader: Reader, role: Role, places: Sequence[str]) -> tuple[str, ...]:
    """The places of somebody who is given this role by the reader, each once.

    Raises:
        BadInput: ``access.bad_places`` when the role wants places and none are named, or the other way round.
        NotAllowed: ``access.beyond_your_own`` when the reader has less than that.
    """
    kept = checked_places(role.where, places)
    _within(reader, role, kept)
    return kept


def make_role(tx: Transaction, reader: Reader, given: Role, now: datetime) -> Role:
    """Make a role, of what the reader has themselves.

    Raises:
        BadInput: as :func:`~shuke.access.rules.permissions.checked_role`; ``access.too_many_roles``.
        NotAllowed: ``access.beyond_your_own``.
        Conflict: ``access.role_exists``.
    """
    role = checked_role(given)
    _within(reader, role)
    own = tx.execute(sa.select(sa.func.count()).where(~roles.c.shipped)).scalar_one()
    if own >= ROLES_MAX:
        raise BadInput("access.too_many_roles", limit=ROLES_MAX)
    try:
        with tx.begin_nested():
            tx.execute(sa.insert(roles).values(name=role.name, created_at=now, updated_at=now, **_columns(role)))
    except IntegrityError:
        raise Conflict("access.role_exists", role=role.name) from None
    return role


def change_role(tx: Transaction, reader: Reader, given: Role, now: datetime) -> tuple[Role, Role]:
    """Change a role for everybody who has it; the role before, and now.

    Raises:
        BadInput: as :func:`~shuke.access.rules.permissions.checked_role`.
        NotAllowed: ``access.beyond_your_own`` when the reader has less than the role had, or is to have.
        NotFound: ``access.no_role``.
        Conflict: ``access.shipped_role``.
    """
    role = checked_role(given)
    old = _own_role(tx, role.name)
    _within(reader, old)
    _within(reader, role)
    tx.execute(sa.update(roles).where(roles.c.name == role.name).values(updated_at=now, **_columns(role)))
    return old, role


def delete_role(tx: Transaction, reader: Reader, name: str) -> Role:
    """Delete a role that nobody has; it is returned.

    Raises:
        NotAllowed: ``access.beyond_your_own``.
        NotFound: ``access.no_role``.
        Conflict: ``access.shipped_role``, ``access.role_in_use``.
    """
    old = _own_role(tx, name)
    _within(reader, old)
    try:
        with tx.begin_nested():
            tx.execute(sa.delete(roles).where(roles.c.name == name))
    except IntegrityError:
        raise Conflict("access.role_in_use", role=name) from None
    return old


def _own_role(tx: Transaction, name: str) -> Role:
    """A role of the brand's own, which nobody else changes meanwhile."""
    row = tx.execute(sa.select(roles).where(roles.c.name == name).with_for_update()).first()
    if row is None:
        raise NotFound("access.no_role", role=name[:40])
    if row.shipped:
        raise Conflict("access.shipped_role", role=name)
    return _role(row)


def _within(reader: Reader, role: Role, places: Sequence[str] | None = None) -> None:
    if excess := beyond(reader, role.permissions, role.where, places, role.fields):
        raise NotAllowed("access.beyond_your_own", what=list(excess))


def _columns(role: Role) -> dict[str, Any]:
    return {"permissions": sorted(role.permissions), "scope": role.where.value, "fields": dict(role.fields)}


def _role(row: sa.Row[Any]) -> Role:
    fields = {name: Seen(seen) for name, seen in row.fields.items()}
    return Role(row.name, frozenset(row.permissions), Where(row.scope), fields, shipped=row.shipped)
