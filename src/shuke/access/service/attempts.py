"""Attempts to sign in, counted in the database, so that all web processes know of them.

An attempt is counted before it is made, in a transaction of its own, so that many at once do not get through together,
and so that what fails counts although its request changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.access.people_tables import attempts
from shuke.access.rules.lockout import (
    ACCOUNT,
    ADDRESS,
    FORGOTTEN_AFTER,
    SECOND,
    Attempts,
    Pace,
    after_another,
    after_success,
)
from shuke.base.errors import TooOften
from shuke.platform import Keyring, Transaction

__all__ = ["Tries", "count_attempt", "forget_attempts", "forgive", "tries_at"]

#: What is tried, and how fast it may be.
Tries = Mapping[bytes, Pace]


def tries_at(
    keyring: Keyring,
    *,
    address: str,
    account: str | None = None,
    browser: str | None = None,
    second: str | None = None,
) -> Tries:
    """What an attempt counts against: the address, and the account or its second factor; never kept as they are.

    ``browser`` is the mark of one that the account has signed in with before: it has a count of its own.
    """
    tries = {keyring.index("access.address", address): ADDRESS}
    if account is not None:
        kind = "access.account" if browser is None else "access.browser"
        tries[keyring.index(kind, account if browser is None else f"{browser} {account}")] = ACCOUNT
    if second is not None:
        tries[keyring.index("access.second", second)] = SECOND
    return tries


def count_attempt(tx: Transaction, tries: Tries, now: datetime) -> None:
    """Count one more; TooOften ``access.too_many_attempts`` when it is too early, and then it counts for nothing.

    The rows stay locked until the transaction ends, so that of many at once each sees the others.
    """
    known = _locked(tx, tries, now)
    counted = {bucket: after_another(known[bucket], pace, now) for bucket, pace in tries.items()}
    if any(one is None for one in counted.values()):
        wait = max(one.free_at for one in known.values()) - now
        raise TooOften("access.too_many_attempts", seconds=int(wait.total_seconds()) + 1)
    for bucket, one in counted.items():
        if one is not None:
            _write(tx, bucket, one)


def forgive(tx: Transaction, tries: Tries, now: datetime) -> None:
    """Take back the attempt that went well, and forget the failures before it, but for those of the address."""
    for bucket, known in _locked(tx, tries, now).items():
        if tries[bucket] is ADDRESS:
            _write(tx, bucket, after_success(known))
        else:
            tx.execute(sa.delete(attempts).where(attempts.c.bucket == bucket))


def forget_attempts(tx: Transaction, now: datetime) -> int:
    """Delete what no longer counts; returns how many."""
    return tx.execute(sa.delete(attempts).where(attempts.c.last_at < now - FORGOTTEN_AFTER)).rowcount


def _locked(tx: Transaction, tries: Tries, now: datetime) -> dict[bytes, Attempts]:
    # In one order for everybody, so that two never wait for each other in a ring.
    order = sorted(tries)
    empty = [{"bucket": bucket, "failures": 0, "last_at": now, "free_at": now} for bucket in order]
    tx.execute(insert(attempts).values(empty).on_conflict_do_nothing())
    rows = tx.execute(
        sa.select(attempts).where(attempts.c.bucket.in_(order)).order_by(attempts.c.bucket).with_for_update()
    )
    return {bytes(row.bucket): Attempts(row.failures, row.last_at, row.free_at) for row in rows}


def _write(tx: Transaction, bucket: bytes, counted: Attempts) -> None:
    values = {"failures": counted.failures, "last_at": counted.last_at, "free_at": counted.free_at}
    tx.execute(sa.update(attempts).where(attempts.c.bucket == bucket).values(values))
