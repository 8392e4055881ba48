"""Writes that their sender may repeat: done once, and answered as the first time.

Whoever sends an ``Idempotency-Key`` claims it in the transaction that does the work, so that both are there or neither.
The answer is kept after it, since it is known only then; one that was lost in between is not made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from shuke.access.tables import answers
from shuke.base.errors import BadInput, Conflict
from shuke.platform import Keyring, Transaction

__all__ = ["ANSWER_BYTES_MAX", "KEPT", "KEY_CHARACTERS_MAX", "Claim", "claim", "forget_answers", "keep"]

KEPT = timedelta(hours=24)
KEY_CHARACTERS_MAX = 200
#: A longer answer is not kept.
ANSWER_BYTES_MAX = 1_000_000

_PURPOSE = "answer"


@dataclass(frozen=True)
class Claim:
    """A key of a reader's, and the SHA-256 of what they ask with it."""

    reader: str
    key: str
    request_hash: bytes

    @property
    def about(self) -> bytes:
        """The place of the answer, for its cipher."""
        return f"{self.reader}\n{self.key}".encode()


def claim(tx: Transaction, keyring: Keyring, wanted: Claim, now: datetime) -> tuple[int, bytes] | None:
    """Take the key for this transaction; or, where what is asked was done, the status and body that answered it.

    Raises:
        BadInput: ``access.bad_idempotency_key``; ``access.another_request`` when the key was used for something else.
        Conflict: ``access.still_running`` when the first of them is; ``access.answer_gone`` when what is asked was done
            and its answer is not there.
    """
    if not (0 < len(wanted.key) <= KEY_CHARACTERS_MAX and wanted.key.isascii() and wanted.key.isprintable()):
        raise BadInput("access.bad_idempotency_key", limit=KEY_CHARACTERS_MAX)
    lock = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(wanted.about.decode(), 0)))
    if not tx.scalar(lock):
        raise Conflict("access.still_running")
    # One that is due to be forgotten is.
    mine = (answers.c.reader == wanted.reader) & (answers.c.key == wanted.key)
    tx.execute(sa.delete(answers).where(mine, answers.c.at <= now - KEPT))
    found = tx.execute(sa.select(answers).where(mine)).one_or_none()
    if found is None:
        row = {"reader": wanted.reader, "key": wanted.key, "request_hash": wanted.request_hash, "at": now}
        tx.execute(sa.insert(answers).values(row))
        return None
    if bytes(found.request_hash) != wanted.request_hash:
        raise BadInput("access.another_request")
    if found.status is None:
        raise Conflict("access.answer_gone")
    return found.status, keyring.sealer(_PURPOSE, found.key_version).open(bytes(found.body), about=wanted.about)


def keep(tx: Transaction, keyring: Keyring, claimed: Claim, status: int, body: bytes) -> None:
    """Keep what was answered, for whoever asks the same with the same key."""
    if len(body) > ANSWER_BYTES_MAX:
        return
    sealer = keyring.sealer(_PURPOSE)
    mine = (answers.c.reader == claimed.reader) & (answers.c.key == claimed.key)
    values = {"status": status, "key_version": sealer.version, "body": sealer.seal(body, about=claimed.about)}
    tx.execute(sa.update(answers).where(mine).values(values))


def forget_answers(tx: Transaction, now: datetime) -> int:
    """Delete those that are past their time, and say how many."""
    return tx.execute(sa.delete(answers).where(answers.c.at <= now - KEPT)).rowcount
