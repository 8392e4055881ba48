"""When a report is due. Pure."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

__all__ = ["Every", "next_due"]

Every = Literal["off", "weekly", "monthly"]


def next_due(every: Every, *, day: int, hour: int, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The first due moment later than ``after``, in UTC; None where none is ever due.

    Args:
        every: how often.
        day: of the week from 1 (Monday) to 7, or of the month; a month that is shorter ends with it.
        hour: on the brand's clock. One that a change of clocks skips is the next, one that it repeats the first.
        after: a moment with a zone.
        zone: the brand's.
    """
    if every == "off":
        return None
    date = after.astimezone(zone).date()
    while True:
        wanted = min(day, calendar.monthrange(date.year, date.month)[1])
        fits = date.isoweekday() == day if every == "weekly" else date.day == wanted
        due = datetime.combine(date, time(hour), tzinfo=zone).astimezone(UTC)
        if fits and due > after:
            return due
        date += timedelta(days=1)
