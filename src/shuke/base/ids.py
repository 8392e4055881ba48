"""Identifiers: UUIDs of version 7 (RFC 9562), which sort by the millisecond that they were made in."""

from __future__ import annotations

import secrets
import time
from uuid import UUID

__all__ = ["new_id"]


def new_id(*, at_ms: int | None = None) -> UUID:
    """A new identifier; ``at_ms`` is the Unix time in milliseconds, now if not given."""
    moment = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    number = (moment & (2**48 - 1)) << 80 | int.from_bytes(secrets.token_bytes(10), "big")
    # Version 7 in four bits, variant 10 in two.
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)
