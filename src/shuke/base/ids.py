"""Identifiers: UUIDs of version 7 (RFC 9562), which sort by the millisecond that they were made in."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterator
from uuid import UUID

__all__ = ["new_id", "new_ids"]


def new_id(*, at_ms: int | None = None) -> UUID:
    """A new identifier; ``at_ms`` is the Unix time in milliseconds, now if not given."""
    moment = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    number = (moment & (2**48 - 1)) << 80 | int.from_bytes(secrets.token_bytes(10), "big")
    # Version 7 in four bits, variant 10 in two.
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def new_ids(*, at_ms: int) -> Iterator[UUID]:
    """New identifiers of one moment, which follow each other: those of one batch sort as they were made."""
    first = new_id(at_ms=at_ms).int
    # The lowest 62 bits are random; those few that a batch counts up do not leave them but once in 10¹⁴ times.
    return (UUID(int=number) for number in itertools.count(first))
