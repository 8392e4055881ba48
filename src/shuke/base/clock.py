"""Clocks: which time zones there are."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from shuke.base.errors import BadInput

__all__ = ["known_timezone"]


def known_timezone(name: str) -> ZoneInfo:
    """The IANA time zone of this name; BadInput ``base.unknown_timezone`` for what is none."""
    if name not in available_timezones():
        raise BadInput("base.unknown_timezone", timezone=name)
    return ZoneInfo(name)
