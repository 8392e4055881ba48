"""Decisions of the room: from when facts count, and why nothing could be said. Pure."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from shuke.insight import Facts
from shuke.lifecycle.model import Unsaid

__all__ = ["last_midnight", "unsaid"]


def last_midnight(now: datetime, time_zone: str) -> datetime:
    """The moment at which the present day began in this zone: what came before is whole days."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(now.astimezone(zone).date(), time(), zone)


def unsaid(facts: Facts) -> tuple[Unsaid, ...]:
    """Every reason why there are no predictions: the conditions of the gate, or else what the fit said."""
    if facts.cannot_say is None:
        return ()
    if facts.gate.reasons:
        return tuple(
            Unsaid(f"gate.{reason.code}", {"needed": reason.needed, "found": reason.found})
            for reason in facts.gate.reasons
        )
    return (Unsaid(facts.cannot_say.code, {name: _plain(value) for name, value in facts.cannot_say.values.items()}),)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
