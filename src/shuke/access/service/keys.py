"""API keys: made, shown once, used, revoked."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from shuke.access.model import Key, Permission, Reader, Seen, Where
from shuke.access.rules.permissions import OWN, beyond, checked_places, checked_scope, narrowed
from shuke.access.service.roles import get_role
from shuke.access.tables import api_keys
from shuke.base.errors import BadInput, NotAllowed, NotFound
from shuke.base.ids import new_id
from shuke.platform import Transaction

__all__ = [
    "DAYS_DEFAULT",
    "DAYS_MAX",
    "KEYS_MAX",
    "NewKey",
    "end_keys_beyond",
    "keys_made_by",
    "list_keys",
    "make_key",
    "reader_of_key",
    "reader_of_key_id",
    "revoke_key",
]

DAYS_DEFAULT = 365
DAYS_MAX = 730
#: Keys that are good at one time.
KEYS_MAX = 1_000
PAGE_MAX = 200

_PREFIX = "sk_"
_SECRET_BYTES = 32
_USED = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """What a key is to be: a role, or some permissions of it, in the scope of the role or a narrower one."""

    name: str
    role: str
    permissions: Collection[Permission] | None = None
    where: Where | None = None
    places: Sequence[str] = ()
    days: int = DAYS_DEFAULT


def make_key(tx: Transaction, reader: Reader, wanted: NewKey, now: datetime) -> tuple[Key, str]:
    """A new key and its secret, which nobody can be told again.

    It has nothing that its maker does not have, and a key that was made with a key does not outlive it. It cannot do
    what is for a person alone: their session and account.

    Raises:
        BadInput: ``access.bad_key_days``, ``access.too_many_keys``, ``access.bad_places``,
            ``access.unknown_permissions``, ``access.not_for_some``.
        NotFound: ``access.no_role``.
        NotAllowed: ``access.beyond_your_own``.
    """
    if not 1 <= wanted.days <= DAYS_MAX:
        raise BadInput("access.bad_key_days", limit=DAYS_MAX)
    good = sa.select(sa.func.count()).where(api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now)
    if tx.execute(good).scalar_one() >= KEYS_MAX:
        raise BadInput("access.too_many_keys", limit=KEYS_MAX)
    role = get_role(tx, wanted.role)
    permissions = narrowed(role, wanted.permissions) - {OWN}
    where = wanted.where or (role.where if reader.where is Where.ALL else reader.where)
    checked_scope(permissions, where)
    # Who has places and names none means all of theirs.
    places = checked_places(where, wanted.places or (reader.places if where is reader.where else ()))
    excess = beyond(reader, permissions, where, places, role.fields)
    if excess or (role.where is not Where.ALL and where is not role.where):
        raise NotAllowed("access.beyond_your_own", what=list(excess or ("where",)))
    secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    key = Key(
        key_id=new_id(at_ms=int(now.timestamp() * 1000)),
        name=wanted.name,
        role=role.name,
        permissions=tuple(sorted(permissions)),
        where=where,
        places=places,
        fields=role.fields,
        made_by=reader.name,
        created_at=now,
        expires_at=_until(tx, reader, now + timedelta(days=wanted.days)),
        last_used_at=None,
        revoked_at=None,
    )
    kept = {name: value for name, value in vars(key).items() if name not in ("where", "fields")}
    row = {**kept, "permissions": list(key.permissions), "places": list(places), "fields": dict(key.fields)}
    tx.execute(
        sa.insert(api_keys).values(**row, scope=where.value, acts_for=reader.acts_for, secret_hash=_hashed(secret))
    )
    return key, secret


def _until(tx: Transaction, reader: Reader, asked: datetime) -> datetime:
    """When a key ends that the reader makes."""
    if reader.kind != "key":
        return asked
    own: datetime = tx.execute(sa.select(api_keys.c.expires_at).where(api_keys.c.key_id == reader.id)).scalar_one()
    return min(asked, own)


def reader_of_key(tx: Transaction, secret: str, now: datetime) -> Reader | None:
    """Who asks with this key; None when it is none, is over, or was revoked. Notes, to the hour, that it was used."""
    if not secret.startswith(_PREFIX):
        return None
    row = tx.execute(
        sa.select(api_keys).where(
            api_keys.c.secret_hash == _hashed(secret), api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now
        )
    ).first()
    if row is None:
        return None
    hour = now.replace(minute=0, second=0, microsecond=0)
    if row.last_used_at is None or row.last_used_at < hour:
        # Whoever only reads is answered although the disk is full.
        with contextlib.suppress(DBAPIError), tx.begin_nested():
            tx.execute(sa.update(api_keys).where(api_keys.c.key_id == row.key_id).values(last_used_at=hour))
    return _reader(row)


def reader_of_key_id(tx: Transaction, key_id: UUID, now: datetime) -> Reader | None:
    """Whoever comes with this key, as it is by now; None when it is over, or was revoked."""
    good = (api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now)
    row = tx.execute(sa.select(api_keys).where(*good)).first()
    return None if row is None else _reader(row)


def _reader(row: sa.Row[Any]) -> Reader:
    key = _key(row)
    return Reader(
        kind="key",
        id=key.key_id,
        name=key.name,
        role=key.role,
        permissions=frozenset(key.permissions),
        where=key.where,
        places=key.places,
        fields=key.fields,
        acts_for=row.acts_for,
    )


def list_keys(tx: Transaction, *, after: UUID | None = None, limit: int = 100) -> tuple[Key, ...]:
    """A page of the keys, oldest first, with those that are over; ``after`` is the last id of the page before."""
    query = sa.select(api_keys).order_by(api_keys.c.key_id).limit(min(limit, PAGE_MAX))
    return tuple(_key(row) for row in tx.execute(query if after is None else query.where(api_keys.c.key_id > after)))


def keys_made_by(tx: Transaction, user_id: UUID, now: datetime) -> tuple[Key, ...]:
    """The good keys that this person made, or that were made with one of theirs, oldest first."""
    good = (api_keys.c.acts_for == user_id, api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now)
    return tuple(_key(row) for row in tx.execute(sa.select(api_keys).where(*good).order_by(api_keys.c.key_id)))


def end_keys_beyond(tx: Transaction, maker: Reader | None, user_id: UUID, now: datetime) -> tuple[UUID, ...]:
    """End the keys of a person that they could not make as they are now; as None they could make none."""
    over = [
        key.key_id
        for key in keys_made_by(tx, user_id, now)
        if maker is None or beyond(maker, key.permissions, key.where, key.places, key.fields)
    ]
    tx.execute(sa.update(api_keys).where(api_keys.c.key_id.in_(over)).values(revoked_at=now))
    return tuple(over)


def revoke_key(tx: Transaction, key_id: UUID, now: datetime) -> Key:
    """End a key at once; NotFound ``access.no_key`` when there is none that is good."""
    row = tx.execute(
        sa.update(api_keys)
        .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(api_keys)
    ).first()
    if row is None:
        raise NotFound("access.no_key", key_id=str(key_id))
    return _key(row)


def _hashed(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _key(row: sa.Row[Any]) -> Key:
    return Key(
        key_id=row.key_id,
        name=row.name,
        role=row.role,
        permissions=tuple(row.permissions),
        where=Where(row.scope),
        places=tuple(row.places),
        fields={name: Seen(seen) for name, seen in row.fields.items()},
        made_by=row.made_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
