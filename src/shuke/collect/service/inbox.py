"""The inbox: events that were accepted, stored whole before their sender is told so, and taken out in order.

Each is encrypted with a key of the inbox's own: at this point nobody knows yet whose data they are.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from psycopg.rows import args_row

from shuke.collect.service.facts import microseconds
from shuke.platform import Keyring, Transaction, driver

__all__ = ["CLAIM_MAX", "Accepted", "Claimed", "claim", "opener", "reveal", "store", "waiting"]

CLAIM_MAX = 5_000
PURPOSE = "inbox"

# One row of PostgreSQL's binary COPY: four fields, each with its length in front. Rows are put together here since a
# general writer takes longer for a row than all else that is done with it.
_ROW = struct.Struct(">hiiiqiii")
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"


class Accepted(NamedTuple):
    """The events of one request: their envelopes, whose they are, and when they came."""

    source_id: int
    received_at: datetime
    envelopes: Sequence[bytes]


class Claimed(msgspec.Struct, frozen=True, gc=False):
    """One event taken out of the inbox, still closed."""

    seq: int
    source_id: int
    received_at: datetime
    key_version: int
    cipher: bytes


def store(tx: Transaction, keyring: Keyring, requests: Iterable[Accepted]) -> int:
    """Put events into the inbox with one COPY; returns how many. They are safe when the transaction has committed."""
    sealer = keyring.sealer(PURPOSE)
    parts = [_HEADER]
    events = 0
    for source_id, received_at, envelopes in requests:
        at = microseconds(received_at)
        about = _about(source_id, received_at)
        for envelope in envelopes:
            cipher = sealer.seal(envelope, about=about)
            parts.append(_ROW.pack(4, 4, source_id, 8, at, 4, sealer.version, len(cipher)))
            parts.append(cipher)
        events += len(envelopes)
    parts.append(_TRAILER)
    # Whatever the server's habit is: what is acknowledged is on the disk.
    tx.execute(sa.text("SET LOCAL synchronous_commit TO on"))
    with (
        driver(tx).cursor() as cursor,
        cursor.copy("COPY inbox (source_id, received_at, key_version, cipher) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(b"".join(parts))
    return events


def waiting(tx: Transaction) -> int:
    """About how many events wait: at most as many as there are numbers between the first and the last."""
    # Two looks at the ends of an index; counting would read everything that waits.
    return tx.scalar(sa.text("SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM inbox")) or 0


def claim(tx: Transaction, limit: int) -> list[Claimed]:
    """Take the oldest events out of the inbox, in order; those that another worker is taking are left to it.

    They are gone when this transaction commits, together with what was made of them, and back when it does not.
    """
    with driver(tx).cursor(binary=True, row_factory=args_row(Claimed)) as cursor:
        cursor.execute(
            """
            DELETE FROM inbox WHERE seq = ANY(ARRAY(
                SELECT seq FROM inbox ORDER BY seq LIMIT %s FOR UPDATE SKIP LOCKED
            ))
            RETURNING seq, source_id, received_at, key_version, cipher
            """,
            [min(limit, CLAIM_MAX)],
        )
        return sorted(cursor, key=attrgetter("seq"))


def reveal(keyring: Keyring, *, source_id: int, received_at: datetime, key_version: int, cipher: bytes) -> bytes:
    """The envelope of a row of ``inbox`` or ``rejects``; NotAvailable when its key is gone or it was changed."""
    return opener(keyring, source_id=source_id, received_at=received_at, key_version=key_version)(cipher)


def opener(keyring: Keyring, *, source_id: int, received_at: datetime, key_version: int) -> Callable[[bytes], bytes]:
    """What opens the rows of one request; NotAvailable ``platform.no_master_key_version`` when their key is gone."""
    return partial(keyring.sealer(PURPOSE, key_version).open, about=_about(source_id, received_at))


def _about(source_id: int, received_at: datetime) -> bytes:
    return b"event|%d|%d" % (source_id, microseconds(received_at))
