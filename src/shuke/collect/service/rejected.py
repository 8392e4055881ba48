"""Events that could not become facts: to be looked at, downloaded, mended and sent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from shuke.base.errors import BadInput, NotAvailable
from shuke.collect.model import Envelope
from shuke.collect.service import inbox
from shuke.collect.tables import rejects, sources
from shuke.platform import Keyring, Transaction

__all__ = ["REJECTS_PAGE_MAX", "REJECT_DAYS", "RejectedEvent", "forget_rejects", "rejected_events"]

#: Rejects are personal data with no use but to be mended.
REJECT_DAYS = 30
REJECTS_PAGE_MAX = 1_000

_envelope = msgspec.json.Decoder(Envelope)


@dataclass(frozen=True)
class RejectedEvent:
    """An event as it came in; ``event`` is its text, whole, as its sender wrote it; None where it cannot be opened."""

    reject_id: int
    source: str
    reason: str
    received_at: datetime
    event: str | None


def rejected_events(
    tx: Transaction, keyring: Keyring, *, before: int | None = None, limit: int = 100, reason: str | None = None
) -> tuple[RejectedEvent, ...]:
    """The latest rejects, newest first. ``before`` is the ``reject_id`` that the page before ended with.

    What this returns may be personal, as sent.

    Raises:
        BadInput: ``collect.bad_page`` when more than :data:`REJECTS_PAGE_MAX` are asked for.
    """
    if not 1 <= limit <= REJECTS_PAGE_MAX:
        raise BadInput("collect.bad_page", limit=REJECTS_PAGE_MAX)
    statement = (
        sa.select(rejects, sources.c.name)
        .join(sources, sources.c.source_id == rejects.c.source_id)
        .order_by(rejects.c.reject_id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(rejects.c.reject_id < before)
    if reason is not None:
        statement = statement.where(rejects.c.reason == reason)
    return tuple(_opened(keyring, tx.execute(statement)))


def _opened(keyring: Keyring, rows: sa.CursorResult[Any]) -> Iterator[RejectedEvent]:
    for row in rows:
        try:
            stored = inbox.reveal(
                keyring,
                source_id=row.source_id,
                received_at=row.received_at,
                key_version=row.key_version,
                cipher=row.cipher,
            )
            event = bytes(_envelope.decode(stored).event).decode(errors="replace")
        except (NotAvailable, msgspec.DecodeError):
            event = None
        yield RejectedEvent(row.reject_id, row.name, row.reason, row.received_at, event)


def forget_rejects(tx: Transaction, now: datetime) -> int:
    """Delete rejects that are older than :data:`REJECT_DAYS`; returns how many."""
    return tx.execute(sa.delete(rejects).where(rejects.c.received_at < now - timedelta(days=REJECT_DAYS))).rowcount
