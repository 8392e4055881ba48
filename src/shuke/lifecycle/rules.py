"""Decisions of the room: from when facts count, and why nothing could be said. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shuke.insight import Facts
from shuke.lifecycle.model import Unsaid

__all__ = ["EDGES", "bands", "last_midnight", "mondays", "unsaid"]


#: Where bands of money can end.
EDGES = tuple(edge for power in range(19) for edge in (10**power, 2 * 10**power, 5 * 10**power))


def last_midnight(now: datetime, time_zone: str) -> datetime:
    """The moment at which the present day began in this zone: what came before is whole days."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(now.astimezone(zone).date(), time(), zone)


def mondays(as_of: datetime, time_zone: str, weeks: int) -> tuple[datetime, ...]:
    """When the last so many weeks began in this zone, the earliest first; ``as_of`` ends the last of them."""
    zone = ZoneInfo(time_zone)
    day = (as_of.astimezone(zone) - timedelta(microseconds=1)).date()
    monday = day - timedelta(days=day.weekday())
    return tuple(datetime.combine(monday - timedelta(weeks=back), time(), zone) for back in range(weeks - 1, -1, -1))


def bands(*, lowest: int, low: int, highest: int) -> tuple[int, ...]:
    """Edges of bands of money that are easy to read: 1, 2 and 5 with noughts, from about ``low`` up past ``highest``.

    The first band begins at 0, or at ``lowest`` where that is less.
    """
    first = max((edge for edge in EDGES if edge <= low), default=EDGES[0])
    last = next(edge for edge in EDGES if edge > max(highest, first))
    return (min(lowest, 0), *(edge for edge in EDGES if first <= edge <= last))


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
