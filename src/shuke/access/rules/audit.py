"""The chain of the audit log: what is hashed and signed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

__all__ = ["FIRST", "NOTE_CHARACTERS_MAX", "about_head", "chained", "kept"]

#: What the first line follows.
FIRST = bytes(32)
#: Of an object, a before or an after; a longer one is only counted.
NOTE_CHARACTERS_MAX = 20_000


def canonical(value: object) -> str:
    """JSON with sorted keys and no blanks, so that the same value always gives the same text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def kept(note: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A note as it goes into the log: plain JSON, which PostgreSQL can hold, and not too long."""
    if note is None:
        return None
    plain: dict[str, Any] = _storable(json.loads(json.dumps(dict(note), default=str)))
    characters = len(canonical(plain))
    return plain if characters <= NOTE_CHARACTERS_MAX else {"characters": characters}


def chained(previous: bytes, line: Mapping[str, Any]) -> bytes:
    """The hash of a line: SHA-256 over the hash of the line before and the canonical JSON of everything in this one."""
    at: datetime = line["at"]
    plain = {**line, "at": at.astimezone(UTC).isoformat(timespec="microseconds"), "who_id": _text(line["who_id"])}
    return sha256(previous + canonical(plain).encode()).digest()


def about_head(day: date, seq: int, line_hash: bytes) -> bytes:
    """What is signed of the last line of a day."""
    return f"{day.isoformat()}|{seq}|".encode() + line_hash


def _storable(value: Any) -> Any:
    """The value without characters that PostgreSQL cannot hold."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value


def _text(value: object) -> str | None:
    return None if value is None else str(value)
