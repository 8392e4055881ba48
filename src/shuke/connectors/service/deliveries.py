"""Messages: which wait, who sends them, what became of them, and sending them again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke.base.cursors import cursor_of, place_of
from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.connectors.model import (
    TEST,
    Attempt,
    Claimed,
    Delivery,
    DeliveryState,
    Outcome,
    Reply,
    State,
    Trouble,
)
from shuke.connectors.service.endpoints import get_endpoint, secrets_of
from shuke.connectors.tables import attempts, deliveries, endpoints
from shuke.platform import Keyring, Transaction

__all__ = [
    "AT_ONCE_MAX",
    "PAGE_MAX",
    "Deliveries",
    "attempts_of",
    "claim",
    "failing_since",
    "get_delivery",
    "list_deliveries",
    "record",
    "send_again",
    "send_failed_again",
    "send_test",
    "tidy",
]

PAGE_MAX = 200
#: Messages that are under way to one endpoint at a time; a slow one keeps no more places than these.
AT_ONCE_MAX = 4
#: How long a message is the worker's who has claimed it: well beyond what an attempt may take.
CLAIM_LASTS = timedelta(seconds=60)
#: How long a message is kept after it has arrived, and whatever became of it.
DELIVERED_KEPT = timedelta(days=7)
KEPT = timedelta(days=30)
ATTEMPTS_SHOWN = 50
_TIDIED_MAX = 10_000


@dataclass(frozen=True)
class Deliveries:
    """A page of messages, the latest first; ``next`` where more follow."""

    items: tuple[Delivery, ...]
    next: str | None


def claim(tx: Transaction, keyring: Keyring, now: datetime) -> tuple[Claimed, ...]:
    """Messages that are due, for the caller to send: of each endpoint so many that no more are under way than may.

    Each is the caller's for :data:`CLAIM_LASTS`, then anybody's: should the caller die, another sends it.
    """
    rows = tx.execute(_CLAIM, {"now": now, "until": now + CLAIM_LASTS, "test": TEST, "each": AT_ONCE_MAX}).all()
    known = secrets_of(tx, keyring, {row.endpoint_id for row in rows}, now)
    return tuple(
        Claimed(
            delivery_id=row.delivery_id,
            endpoint_id=row.endpoint_id,
            message_id=_shown(row.message_id),
            url=row.url,
            body=row.body,
            attempt=row.attempt,
            tries=row.tries,
            secrets=known[row.endpoint_id],
        )
        for row in rows
    )


def record(
    tx: Transaction, claimed: Claimed, reply: Reply, followed: Outcome, *, began: datetime, now: datetime
) -> bool:
    """Keep what became of an attempt; False, and nothing is kept, when the message is another's by now."""
    waits = followed.state is DeliveryState.WAITING
    due = now + timedelta(seconds=followed.again_seconds or 0)
    kept = tx.execute(
        sa.update(deliveries)
        # Who was paused for long finds that another has tried since.
        .where(deliveries.c.delivery_id == claimed.delivery_id, deliveries.c.attempt == claimed.attempt)
        .values(state=followed.state, claimed_until=None, due_at=due, ended_at=None if waits else now)
    )
    if kept.rowcount == 0:
        return False
    tx.execute(
        sa.insert(attempts).values(
            delivery_id=claimed.delivery_id,
            attempt=claimed.attempt,
            at=began,
            ms=round((now - began).total_seconds() * 1000),
            status=reply.status,
            trouble=followed.trouble,
            answer=reply.answer,
        )
    )
    values: dict[str, Any] = {"failing_since": None}
    if followed.trouble is not None:
        values = {"failing_since": sa.func.coalesce(endpoints.c.failing_since, began)}
    if followed.pause_seconds:
        values["paused_until"] = now + timedelta(seconds=followed.pause_seconds)
    of_it = endpoints.c.endpoint_id == claimed.endpoint_id
    tx.execute(sa.update(endpoints).where(of_it).values(values))
    if followed.disable is not None:
        gone = {"state": State.DISABLED, "why_disabled": followed.disable}
        tx.execute(sa.update(endpoints).where(of_it, endpoints.c.state == State.ON).values(gone))
    return True


def failing_since(tx: Transaction, endpoint_id: UUID) -> datetime | None:
    """Since when nothing has arrived at an endpoint; None where the last attempt did."""
    found: datetime | None = tx.scalar(
        sa.select(endpoints.c.failing_since).where(endpoints.c.endpoint_id == endpoint_id)
    )
    return found


def send_test(tx: Transaction, endpoint_id: UUID, now: datetime) -> Delivery:
    """Queue a message that says nothing, to try an endpoint.

    Raises:
        NotFound: ``connectors.no_endpoint``.
        Conflict: ``connectors.not_on``.
    """
    endpoint = get_endpoint(tx, endpoint_id, now)
    if endpoint.state is not State.ON:
        raise Conflict("connectors.not_on", name=endpoint.name)
    body = json.dumps({"type": TEST, "timestamp": now.isoformat(), "data": {"endpoint_id": str(endpoint_id)}})
    values = {"endpoint_id": endpoint_id, "kind": TEST, "body": body, "created_at": now, "due_at": now}
    made = tx.execute(sa.insert(deliveries).values(values).returning(deliveries)).one()
    return _delivery(made)


def get_delivery(tx: Transaction, endpoint_id: UUID, delivery_id: int) -> tuple[Delivery, str]:
    """One message to an endpoint, and its body; NotFound ``connectors.no_delivery``."""
    row = _row(tx, endpoint_id, delivery_id)
    return _delivery(row), row.body


def attempts_of(tx: Transaction, delivery_id: int) -> tuple[Attempt, ...]:
    """The attempts at a message, the latest first, at most :data:`ATTEMPTS_SHOWN`."""
    of_it = sa.select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.attempt.desc())
    return tuple(
        Attempt(
            attempt=row.attempt,
            at=row.at,
            ms=row.ms,
            status=row.status,
            trouble=Trouble(row.trouble) if row.trouble else None,
            answer=row.answer,
        )
        for row in tx.execute(of_it.limit(ATTEMPTS_SHOWN))
    )


def list_deliveries(
    tx: Transaction,
    endpoint_id: UUID,
    *,
    state: DeliveryState | None = None,
    after: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Deliveries:
    """A page of the messages to an endpoint, of one state or of all.

    Raises:
        NotFound: ``connectors.no_endpoint``.
        BadInput: ``connectors.bad_page`` for a limit, or an ``after``, that is none.
    """
    get_endpoint(tx, endpoint_id, now)
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput("connectors.bad_page", limit=PAGE_MAX)
    chosen = sa.select(deliveries).where(deliveries.c.endpoint_id == endpoint_id)
    if state is not None:
        chosen = chosen.where(deliveries.c.state == state)
    if after is not None:
        chosen = chosen.where(deliveries.c.delivery_id < _place(after))
    rows = tx.execute(chosen.order_by(deliveries.c.delivery_id.desc()).limit(limit + 1)).all()
    items = tuple(_delivery(row) for row in rows[:limit])
    return Deliveries(items, cursor_of(items[-1].delivery_id) if len(rows) > limit else None)


def send_again(tx: Transaction, endpoint_id: UUID, delivery_id: int, now: datetime) -> Delivery:
    """Queue a message anew that has arrived or failed, with the id that it had.

    Raises:
        NotFound: ``connectors.no_delivery``.
        Conflict: ``connectors.still_waiting``.
    """
    if _row(tx, endpoint_id, delivery_id).state == DeliveryState.WAITING:
        raise Conflict("connectors.still_waiting")
    queued = _queued(now).where(deliveries.c.delivery_id == delivery_id)
    return _delivery(tx.execute(queued.returning(deliveries)).one())


def send_failed_again(tx: Transaction, endpoint_id: UUID, *, since: datetime, now: datetime) -> int:
    """Queue every message anew that was made at this moment or later and has failed; returns how many.

    Raises NotFound ``connectors.no_endpoint``.
    """
    get_endpoint(tx, endpoint_id, now)
    failed = (deliveries.c.state == DeliveryState.FAILED, deliveries.c.created_at >= since)
    return tx.execute(_queued(now).where(deliveries.c.endpoint_id == endpoint_id, *failed)).rowcount


def tidy(tx: Transaction, now: datetime) -> int:
    """Forget some messages that have been kept long enough; returns how many, fewer than the most when none is left."""
    arrived = sa.and_(deliveries.c.state == DeliveryState.DELIVERED, deliveries.c.ended_at < now - DELIVERED_KEPT)
    old = sa.select(deliveries.c.delivery_id).where(
        deliveries.c.created_at < now - DELIVERED_KEPT, sa.or_(arrived, deliveries.c.created_at < now - KEPT)
    )
    return tx.execute(sa.delete(deliveries).where(deliveries.c.delivery_id.in_(old.limit(_TIDIED_MAX)))).rowcount


def _queued(now: datetime) -> sa.Update:
    return sa.update(deliveries).values(state=DeliveryState.WAITING, due_at=now, tries=0, ended_at=None)


def _row(tx: Transaction, endpoint_id: UUID, delivery_id: int) -> sa.Row[Any]:
    of_it = (deliveries.c.delivery_id == delivery_id, deliveries.c.endpoint_id == endpoint_id)
    row = tx.execute(sa.select(deliveries).where(*of_it)).one_or_none()
    if row is None:
        raise NotFound("connectors.no_delivery")
    return row


def _place(after: str) -> int:
    try:
        (found,) = place_of(after, 1)
    except ValueError:
        found = None
    if not isinstance(found, int) or not 0 <= found < 2**63:
        raise BadInput("connectors.bad_page", limit=PAGE_MAX)
    return found


def _shown(message_id: UUID) -> str:
    return f"msg_{message_id.hex}"


def _delivery(row: sa.Row[Any]) -> Delivery:
    state = DeliveryState(row.state)
    return Delivery(
        delivery_id=row.delivery_id,
        message_id=_shown(row.message_id),
        endpoint_id=row.endpoint_id,
        kind=row.kind,
        state=state,
        customers=row.customers,
        created_at=row.created_at,
        due_at=row.due_at if state is DeliveryState.WAITING else None,
        ended_at=row.ended_at,
        attempts=row.attempt,
    )


# Those that others are just claiming are passed over, not waited for.
_CLAIM = sa.text(
    """
    WITH free AS (
        SELECT e.endpoint_id, e.url, :each - (
            SELECT count(*) FROM webhook_deliveries d
            WHERE d.endpoint_id = e.endpoint_id AND d.state = 'waiting' AND d.claimed_until > :now
        ) AS places
        FROM webhook_endpoints e
        WHERE e.state = 'on' AND (e.paused_until IS NULL OR e.paused_until <= :now)
    ), chosen AS (
        SELECT due.delivery_id, free.url
        FROM free CROSS JOIN LATERAL (
            SELECT d.delivery_id FROM webhook_deliveries d
            WHERE d.endpoint_id = free.endpoint_id AND d.state = 'waiting' AND d.due_at <= :now
                AND (d.claimed_until IS NULL OR d.claimed_until <= :now)
            -- Who tries an endpoint does not wait for all that waits for it.
            ORDER BY d.kind = :test DESC, d.due_at, d.delivery_id
            LIMIT greatest(free.places, 0)
            FOR UPDATE SKIP LOCKED
        ) AS due
    )
    UPDATE webhook_deliveries d
    SET claimed_until = :until, attempt = d.attempt + 1, tries = d.tries + 1
    FROM chosen
    WHERE d.delivery_id = chosen.delivery_id
    RETURNING d.delivery_id, d.endpoint_id, d.message_id, d.body, d.attempt, d.tries, chosen.url
    """
)
