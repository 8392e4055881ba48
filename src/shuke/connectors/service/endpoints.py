"""Endpoints, and the secrets by which they know that a message is ours."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke import segments
from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.base.ids import new_id
from shuke.connectors.model import Endpoint, EventKind, State, WhyDisabled
from shuke.connectors.rules import SECRET_BYTES, checked_name, checked_url, secret_text
from shuke.connectors.tables import endpoints, secrets
from shuke.platform import Keyring, Transaction, Wrapped

__all__ = [
    "ENDPOINTS_MAX",
    "OLD_SECRET_LASTS",
    "SEGMENTS_MAX",
    "Wanted",
    "add_endpoint",
    "delete_endpoint",
    "get_endpoint",
    "list_endpoints",
    "rewrap_secrets",
    "rotate_secret",
    "save_endpoint",
    "secrets_of",
    "told_of",
]

ENDPOINTS_MAX = 20
#: Segments that one endpoint is limited to.
SEGMENTS_MAX = 100
#: How long the secret of before signs beside the new one.
OLD_SECRET_LASTS = timedelta(hours=24)
_LOCK = 7_485_380_081


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person says of an endpoint."""

    name: str
    url: str
    kinds: Collection[EventKind]
    segment_ids: Collection[UUID] = ()
    on: bool = True


def list_endpoints(tx: Transaction, now: datetime) -> tuple[Endpoint, ...]:
    """All of them, by name; no more than :data:`ENDPOINTS_MAX`."""
    return tuple(_endpoint(row) for row in tx.execute(_every(now).order_by(endpoints.c.name)))


def get_endpoint(tx: Transaction, endpoint_id: UUID, now: datetime) -> Endpoint:
    """One of them; NotFound ``connectors.no_endpoint``."""
    row = tx.execute(_every(now).where(endpoints.c.endpoint_id == endpoint_id)).one_or_none()
    if row is None:
        raise NotFound("connectors.no_endpoint", endpoint_id=str(endpoint_id))
    return _endpoint(row)


def told_of(tx: Transaction, segment_id: UUID) -> tuple[segments.Using, ...]:
    """The endpoints that are limited to this segment, among others or alone, by name."""
    limited = sa.select(endpoints).where(endpoints.c.segment_ids.contains([segment_id])).order_by(endpoints.c.name)
    return tuple(
        segments.Using(kind="webhook", id=row.endpoint_id, name=row.name, archived=False) for row in tx.execute(limited)
    )


def add_endpoint(
    tx: Transaction, keyring: Keyring, wanted: Wanted, *, own_hosts: Collection[str], made_by: str, now: datetime
) -> tuple[Endpoint, str]:
    """A new endpoint, which is told of what happens from now on, and its secret, which nobody is told again.

    Raises:
        BadInput: ``connectors.bad_name``, ``connectors.bad_url``, ``connectors.bad_kinds``,
            ``connectors.bad_segments``.
        Conflict: ``connectors.name_taken``, ``connectors.too_many``.
    """
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if (tx.scalar(sa.select(sa.func.count()).select_from(endpoints)) or 0) >= ENDPOINTS_MAX:
        raise Conflict("connectors.too_many", limit=ENDPOINTS_MAX)
    endpoint_id = new_id(at_ms=int(now.timestamp() * 1000))
    values = _checked(tx, endpoint_id, wanted, own_hosts)
    made = {"made_by": made_by, "created_at": now, "updated_at": now, "told_to": segments.last_change(tx)}
    tx.execute(sa.insert(endpoints).values(endpoint_id=endpoint_id, **values, **made))
    secret = _new_secret(tx, keyring, endpoint_id, now)
    return get_endpoint(tx, endpoint_id, now), secret


def save_endpoint(
    tx: Transaction, endpoint_id: UUID, wanted: Wanted, *, own_hosts: Collection[str], now: datetime
) -> Endpoint:
    """Have an endpoint be this. One that is turned on again is told of what happens from now on, and what waits is
    sent.

    Raises:
        NotFound: ``connectors.no_endpoint``.
        BadInput, Conflict: as :func:`add_endpoint`.
    """
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    before = get_endpoint(tx, endpoint_id, now)
    values = _checked(tx, endpoint_id, wanted, own_hosts) | {"updated_at": now, "why_disabled": None}
    if before.state is State.DISABLED and not wanted.on:
        values |= {"state": State.DISABLED, "why_disabled": before.why_disabled}
    if before.state is not State.ON and wanted.on:
        values |= {"told_to": segments.last_change(tx), "failing_since": None, "paused_until": None}
    tx.execute(sa.update(endpoints).where(endpoints.c.endpoint_id == endpoint_id).values(values))
    return get_endpoint(tx, endpoint_id, now)


def delete_endpoint(tx: Transaction, endpoint_id: UUID, now: datetime) -> Endpoint:
    """Forget an endpoint and what was sent to it; NotFound ``connectors.no_endpoint``."""
    gone = get_endpoint(tx, endpoint_id, now)
    tx.execute(sa.delete(endpoints).where(endpoints.c.endpoint_id == endpoint_id))
    return gone


def rotate_secret(tx: Transaction, keyring: Keyring, endpoint_id: UUID, now: datetime) -> str:
    """A new secret; the one that it replaces signs for :data:`OLD_SECRET_LASTS` beside it, older ones no more.

    Raises NotFound ``connectors.no_endpoint``.
    """
    get_endpoint(tx, endpoint_id, now)
    of_it = secrets.c.endpoint_id == endpoint_id
    tx.execute(sa.delete(secrets).where(of_it, secrets.c.until.is_not(None)))
    tx.execute(sa.update(secrets).where(of_it).values(until=now + OLD_SECRET_LASTS))
    return _new_secret(tx, keyring, endpoint_id, now)


def secrets_of(
    tx: Transaction, keyring: Keyring, endpoint_ids: Collection[UUID], now: datetime
) -> dict[UUID, tuple[bytes, ...]]:
    """By which secrets messages to each endpoint are signed now, the newest first."""
    good = sa.or_(secrets.c.until.is_(None), secrets.c.until > now)
    rows = tx.execute(
        sa.select(secrets).where(secrets.c.endpoint_id.in_(endpoint_ids), good).order_by(secrets.c.made_at.desc())
    )
    found: dict[UUID, tuple[bytes, ...]] = {}
    for row in rows:
        opened = keyring.unwrap(Wrapped(row.key_version, row.cipher), about=_about(row.secret_id))
        found[row.endpoint_id] = (*found.get(row.endpoint_id, ()), opened)
    return found


def rewrap_secrets(tx: Transaction, keyring: Keyring) -> int:
    """Encrypt every secret under the newest master key; returns how many were under an older one."""
    rows = tx.execute(sa.select(secrets).where(secrets.c.key_version < keyring.version).with_for_update()).all()
    for row in rows:
        opened = keyring.unwrap(Wrapped(row.key_version, row.cipher), about=_about(row.secret_id))
        wrapped = keyring.wrap(opened, about=_about(row.secret_id))
        anew = {"key_version": wrapped.version, "cipher": wrapped.cipher}
        tx.execute(sa.update(secrets).where(secrets.c.secret_id == row.secret_id).values(anew))
    return len(rows)


def _checked(tx: Transaction, endpoint_id: UUID, wanted: Wanted, own_hosts: Collection[str]) -> dict[str, Any]:
    """What is kept of what was said."""
    checked_url(wanted.url, own_hosts)
    if not wanted.kinds:
        raise BadInput("connectors.bad_kinds")
    segment_ids = sorted(set(wanted.segment_ids))
    if len(segment_ids) > SEGMENTS_MAX or len(segments.names_among(tx, segment_ids)) < len(segment_ids):
        raise BadInput("connectors.bad_segments", limit=SEGMENTS_MAX)
    name = checked_name(wanted.name)
    same = sa.select(endpoints.c.endpoint_id).where(endpoints.c.name == name, endpoints.c.endpoint_id != endpoint_id)
    if tx.scalar(same) is not None:
        raise Conflict("connectors.name_taken", name=name)
    state = State.ON if wanted.on else State.OFF
    kinds: Sequence[EventKind] = sorted(set(wanted.kinds))
    return {"name": name, "url": wanted.url, "kinds": kinds, "segment_ids": segment_ids, "state": state}


def _new_secret(tx: Transaction, keyring: Keyring, endpoint_id: UUID, now: datetime) -> str:
    secret, secret_id = randomness.token_bytes(SECRET_BYTES), new_id(at_ms=int(now.timestamp() * 1000))
    wrapped = keyring.wrap(secret, about=_about(secret_id))
    kept = {"key_version": wrapped.version, "cipher": wrapped.cipher, "made_at": now}
    tx.execute(sa.insert(secrets).values(secret_id=secret_id, endpoint_id=endpoint_id, **kept))
    return secret_text(secret)


def _about(secret_id: UUID) -> bytes:
    return b"webhook|" + secret_id.bytes


def _every(now: datetime) -> sa.Select[Any]:
    old = sa.select(sa.func.max(secrets.c.until)).where(
        secrets.c.endpoint_id == endpoints.c.endpoint_id, secrets.c.until > now
    )
    return sa.select(endpoints, old.scalar_subquery().label("old_secret_until"))


def _endpoint(row: sa.Row[Any]) -> Endpoint:
    return Endpoint(
        endpoint_id=row.endpoint_id,
        name=row.name,
        url=row.url,
        kinds=tuple(EventKind(one) for one in row.kinds),
        segment_ids=tuple(row.segment_ids),
        state=State(row.state),
        why_disabled=WhyDisabled(row.why_disabled) if row.why_disabled else None,
        failing_since=row.failing_since,
        old_secret_until=row.old_secret_until,
        made_by=row.made_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
