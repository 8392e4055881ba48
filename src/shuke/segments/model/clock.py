"""Now, and the days around it, in the brand's zone; moments are whole microseconds since 1970."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from shuke.base import year
from shuke.segments.model.tree import Span, Unit

__all__ = ["DAY_US", "Clock", "exact_us", "is_exact", "us_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EXACT = {
    Unit.MINUTES: timedelta(minutes=1),
    Unit.HOURS: timedelta(hours=1),
    Unit.DAYS: timedelta(days=1),
    Unit.WEEKS: timedelta(weeks=1),
    # Where a length has to be exact, a month is as long as the months of a year are on average.
    Unit.MONTHS: timedelta(days=365.25) / 12,
}
DAY_US = timedelta(days=1) // _MICROSECOND


def us_of(moment: datetime) -> int:
    """A moment (with its zone) as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def exact_us(span: Span) -> int:
    """How many microseconds a length of time is where it is not counted in days of the calendar."""
    return span.n * (_EXACT[span.unit] // _MICROSECOND)


def is_exact(span: Span) -> bool:
    """Whether it is counted back from now, and not in whole days: see :mod:`shuke.segments.model.tree` on days."""
    return span.unit in (Unit.MINUTES, Unit.HOURS)


@dataclass(frozen=True)
class Clock:
    """The moment at which a tree is asked, and the brand's zone.

    ``sealed_days`` are the numbers under which the days of a year (:func:`shuke.base.year.place_of`) are kept where
    only the keys may say which they are.
    """

    now: datetime
    time_zone: str
    sealed_days: tuple[int, ...] = field(default=tuple(range(year.DAYS)), repr=False)

    def at(self, now: datetime) -> Clock:
        """The same at another moment."""
        return replace(self, now=now)

    @cached_property
    def now_us(self) -> int:
        """Now."""
        return us_of(self.now)

    @cached_property
    def today(self) -> date:
        """The day that it is in the brand's zone."""
        return self.now.astimezone(ZoneInfo(self.time_zone)).date()

    @staticmethod
    def moment(us: int) -> datetime:
        """A moment of so many microseconds since 1970."""
        return _EPOCH + us * _MICROSECOND

    def day_of(self, us: int) -> date:
        """The day of a moment in the brand's zone."""
        return self.moment(us).astimezone(ZoneInfo(self.time_zone)).date()

    def begins_us(self, day: date) -> int:
        """When a day begins; of a clock that is put forward at midnight, the first moment that there is."""
        return us_of(datetime.combine(day, time(), ZoneInfo(self.time_zone)))

    def back_us(self, span: Span) -> int:
        """From when on something lies within this long before now: see :mod:`shuke.segments.model.tree` on days."""
        return self.now_us - exact_us(span) if is_exact(span) else self.begins_us(self.day_back(span))

    def day_back(self, span: Span) -> date:
        """The day so many days, weeks or months before today."""
        if span.unit is Unit.MONTHS:
            months = self.today.year * 12 + self.today.month - 1 - span.n
            year, month = months // 12, months % 12 + 1
            return date(year, month, min(self.today.day, calendar.monthrange(year, month)[1]))
        return self.today - timedelta(days=span.n * (7 if span.unit is Unit.WEEKS else 1))
