"""The days of a year, whichever year it is."""

from __future__ import annotations

from datetime import date, timedelta

__all__ = ["DAYS", "day_at", "place_of"]

#: Of a year with a 29th of February.
DAYS = 366
_FIRST = date(2000, 1, 1)


def place_of(day: date) -> int:
    """The place of a day in a year that has a 29th of February, from 0 on."""
    return (day.replace(year=_FIRST.year) - _FIRST).days


def day_at(place: int) -> date:
    """The day at a place of :func:`place_of`, in some such year."""
    return _FIRST + timedelta(days=place)
