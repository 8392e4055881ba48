"""Clocks: which time zones there are, and where a day ends."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from shuke.base.errors import BadInput

__all__ = ["day_after", "known_timezone"]


def known_timezone(name: str) -> ZoneInfo:
    """The IANA time zone of this name; BadInput ``base.unknown_timezone`` for what is none."""
    if name not in available_timezones():
        raise BadInput("base.unknown_timezone", timezone=name)
    return ZoneInfo(name)


def day_after(last: datetime) -> datetime:
    """The midnight that ends the day of a moment."""
    day: date = last.date() + timedelta(days=1)
    return datetime.combine(day, time())
