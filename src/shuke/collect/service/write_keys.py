"""Write keys: with one, a source may send events. A key is shown once; only its hash is kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa

from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.base.money import known_currency
from shuke.collect.model import CODE_CHARACTERS_MAX
from shuke.collect.tables import sources
from shuke.platform import Transaction

__all__ = ["SOURCES_MAX", "EventSource", "add_source", "disable_source", "key_hash", "list_sources", "senders"]

SOURCES_MAX = 1_000
_KEY_BYTES = 24


@dataclass(frozen=True)
class EventSource:
    """A source as people see it. ``currency`` is that of amounts that come without one."""

    source_id: int
    name: str
    currency: str | None
    has_key: bool
    created_at: datetime
    disabled_at: datetime | None


def key_hash(key: str) -> bytes:
    """What is kept of a write key. It is random and long, so a plain hash cannot be tried."""
    return sha256(key.encode()).digest()


def add_source(tx: Transaction, name: str, *, now: datetime, currency: str | None = None) -> str:
    """Make a write key for the source of this name, which comes into being if it is not there; returns the key.

    A source that has a key gets a new one; the old one is refused from then on.

    Raises:
        BadInput: ``collect.bad_source_name``, ``base.unknown_currency``.
        Conflict: ``collect.too_many_sources`` above :data:`SOURCES_MAX`.
    """
    plain = name.strip()
    if not 0 < len(plain) <= CODE_CHARACTERS_MAX or not plain.isprintable():
        raise BadInput("collect.bad_source_name", limit=CODE_CHARACTERS_MAX)
    if (tx.scalar(sa.select(sa.func.count()).select_from(sources)) or 0) >= SOURCES_MAX:
        raise Conflict("collect.too_many_sources", limit=SOURCES_MAX)
    key = secrets.token_urlsafe(_KEY_BYTES)
    tx.execute(
        sa.text(
            """
            INSERT INTO sources (name, key_hash, currency, created_at) VALUES (:name, :hash, :currency, :now)
            ON CONFLICT (name) DO UPDATE SET key_hash = excluded.key_hash, disabled_at = NULL,
                currency = coalesce(excluded.currency, sources.currency)
            """
        ),
        {"name": plain, "hash": key_hash(key), "currency": currency and known_currency(currency), "now": now},
    )
    return key


def disable_source(tx: Transaction, name: str, *, now: datetime) -> None:
    """Refuse the key of this source within seconds; what it sent stays. NotFound ``collect.no_source``."""
    found = tx.execute(
        sa.update(sources)
        .where(sources.c.name == name)
        .values(key_hash=None, disabled_at=sa.func.coalesce(sources.c.disabled_at, now))
    )
    if found.rowcount == 0:
        raise NotFound("collect.no_source", name=name)


def list_sources(tx: Transaction) -> tuple[EventSource, ...]:
    """Every source, by name."""
    has_key = sources.c.key_hash.is_not(None).label("has_key")
    columns = (sources.c.source_id, sources.c.name, sources.c.currency, has_key)
    rows = tx.execute(sa.select(*columns, sources.c.created_at, sources.c.disabled_at).order_by(sources.c.name))
    return tuple(EventSource(*row) for row in rows)


def senders(tx: Transaction) -> dict[bytes, int]:
    """The sources that may send, by the hash of their key."""
    rows = tx.execute(sa.select(sources.c.key_hash, sources.c.source_id).where(sources.c.key_hash.is_not(None)))
    return {bytes(found): source_id for found, source_id in rows}
