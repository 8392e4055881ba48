"""What a value has to be, as a boolean that is never null."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import date, timedelta
from functools import reduce
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from shuke.base import year
from shuke.segments.model.clock import Clock
from shuke.segments.model.kinds import Kind
from shuke.segments.model.tree import Op, Test

__all__ = ["NO", "YES", "folded", "holds", "plain", "read"]


YES, NO = ibis.literal(value=True), ibis.literal(value=False)
_LEAP_DAY = year.place_of(date(2000, 2, 29))
_NEGATED = {Op.IS_NOT: Op.IS, Op.LACKS: Op.CONTAINS}
# As every engine reads it, of a size at which a double still is the number that was written.
_NUMBER = r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?"
# PostgreSQL has no year 0.
_DAY = "|".join(
    (
        r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$",
        r"^[0-9]{4}-(0[13-9]|1[0-2])-(29|30)$",
        r"^[0-9]{4}-(0[13578]|1[02])-31$",
        r"^([0-9]{2}([2468][048]|0[48]|[13579][26])|([02468][048]|[13579][26])00)-02-29$",
    )
)


def read(text: ir.StringValue, kind: Kind, *, once: bool) -> ir.Value:
    """A value that is kept as text; null where the text is none of its kind.

    ``once`` has a number be cut out of the text, so that the text is looked for once: to find it in a document takes
    most of the time, but for PostgreSQL, to which cutting is what takes several times as long.
    """
    if kind is Kind.YEARLY:
        place = read(text, Kind.NUMBER, once=once)
        return ibis.cases(((place >= 0) & (place < year.DAYS) & (place == place.floor()), place), else_=None)
    if kind is Kind.NUMBER:
        # To Spark the end of a text is before the end of its last line, too: a sign stands for the true one.
        ended = text + ";"
        if once:
            # Of what is no number an empty text is left, or nothing.
            return cast(ir.Value, ended.re_extract(f"^({_NUMBER});$", 1).try_cast("float64"))
        return ibis.cases((ended.re_search(f"^{_NUMBER};$"), text.cast("float64")), else_=None)
    if kind is Kind.DATE:
        day = text.re_search(_DAY) & (text.length() == 10) & ~text.startswith("0000")
        return ibis.cases((day, text.cast("date")), else_=None)
    if kind is Kind.TRUTH:
        return ibis.cases((text.isin(["true", "false"]), text), else_=None)
    return text


def holds(value: ir.Value, kind: Kind, test: Test, clock: Clock, than: ir.Value | None = None) -> ir.BooleanValue:
    """Whether a value is what the test wants; False of a value that is null, but for the negated operators.

    ``than`` is the value of ``test.than``, of the same kind.
    """
    op = _NEGATED.get(test.op, test.op)
    if op in (Op.KNOWN, Op.UNKNOWN):
        known = value.notnull()
        return cast(ir.BooleanValue, known if op is Op.KNOWN else ~known)
    found = _COMPARED[op](value, than) if than is not None else _ASKED[kind](value, op, test.values, clock)
    found = ibis.coalesce(found, NO)
    return ~found if test.op in _NEGATED else found


_COMPARED: dict[Op, Callable[[Any, Any], Any]] = {
    Op.IS: lambda value, other: value == other,
    Op.AT_LEAST: lambda value, other: value >= other,
    Op.SINCE: lambda value, other: value >= other,
    Op.AT_MOST: lambda value, other: value <= other,
    Op.MORE: lambda value, other: value > other,
    Op.LESS: lambda value, other: value < other,
    Op.BEFORE: lambda value, other: value < other,
}


def _text(value: Any, op: Op, values: tuple[Any, ...], clock: Clock) -> Any:  # noqa: ARG001 - as the others
    if op is Op.IS:
        return value.isin(list(values))
    without = folded(value)
    parts = [plain(part) for part in values]
    return _any(without.contains(part) if op is Op.CONTAINS else without.startswith(part) for part in parts)


def _number(value: Any, op: Op, values: tuple[Any, ...], clock: Clock) -> Any:  # noqa: ARG001 - as the others
    numbers = [_literal(float(one)) for one in values]
    if op is Op.IS:
        return value.isin(numbers)
    if op is Op.BETWEEN:
        return (value >= numbers[0]) & (value <= numbers[1])
    return _COMPARED[op](value, numbers[0])


def _literal(number: float) -> Any:
    """A number as every engine reads it.

    A whole one as such; any other from a text, since engines take what is written with a point for a decimal, which
    DuckDB turns into a double that may be the one beside it.
    """
    return int(number) if number.is_integer() else ibis.literal(repr(number)).cast("float64")


def _truth(value: Any, op: Op, values: tuple[Any, ...], clock: Clock) -> Any:  # noqa: ARG001 - as the others
    return value.isin(["true" if wanted else "false" for wanted in values])


def _date(value: Any, op: Op, values: tuple[Any, ...], clock: Clock) -> Any:
    if op is Op.ANNIVERSARY:
        return _anniversary(value, clock.today, int(values[0]))
    since, until = _days(op, values, clock.today)
    return _within(value, since and ibis.date(since), until and ibis.date(until))


def _moment(value: Any, op: Op, values: tuple[Any, ...], clock: Clock) -> Any:
    since, until = _days(op, values, clock.today)
    return _within(value, since and clock.begins_us(since), until and clock.begins_us(until))


def _yearly(value: Any, op: Op, values: tuple[Any, ...], clock: Clock) -> Any:  # noqa: ARG001 - as the others
    far = int(values[0])
    if far >= 365:
        return value.notnull()
    days = [clock.today + timedelta(days=number) for number in range(far + 1)]
    places = {year.place_of(day) for day in days}
    if any(_ends_february_early(day) for day in days):
        places.add(_LEAP_DAY)
    return value.isin([clock.sealed_days[place] for place in sorted(places)])


_ASKED: dict[Kind, Callable[[Any, Op, tuple[Any, ...], Clock], Any]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.TRUTH: _truth,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
    Kind.YEARLY: _yearly,
}


def _days(op: Op, values: tuple[Any, ...], today: date) -> tuple[date | None, date | None]:
    """The first day, and the first that is not meant any more; None for an open end."""
    if op in (Op.LAST_DAYS, Op.NEXT_DAYS, Op.DAYS_AGO):
        far = timedelta(days=int(values[0]))
        if op is Op.LAST_DAYS:
            return today - far, today + timedelta(days=1)
        if op is Op.NEXT_DAYS:
            return today, today + far + timedelta(days=1)
        return None, today - far
    days = [date.fromisoformat(str(value)) for value in values]
    if op is Op.BEFORE:
        return None, days[0]
    if op is Op.SINCE:
        return days[0], None
    return days[0], days[-1] + timedelta(days=1)


def _within(value: Any, since: Any, until: Any) -> Any:
    ends = ([] if since is None else [value >= since]) + ([] if until is None else [value < until])
    return reduce(lambda left, right: left & right, ends)


def _anniversary(value: Any, today: date, days: int) -> Any:
    """The 29th of February comes on the 28th where the year has no other."""
    if days >= 365:
        return value.notnull()
    place = value.month().cast("int64") * 100 + value.day().cast("int64")
    end = today + timedelta(days=days)
    first, last = today.month * 100 + today.day, end.month * 100 + end.day
    within = (place >= first) & (place <= last) if end.year == today.year else (place >= first) | (place <= last)
    leap = any(_ends_february_early(today + timedelta(days=number)) for number in range(days + 1))
    return within | (place == 229) if leap else within


def _ends_february_early(day: date) -> bool:
    return (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3


# Not by lower(), which engines do differently beyond the letters of ASCII.
def folded(value: Any) -> Any:
    """A text without capitals from A to Z."""
    return value.translate(string.ascii_uppercase, string.ascii_lowercase)


def plain(text: object) -> str:
    """What :func:`folded` makes of a text, here."""
    return str(text).translate(str.maketrans(string.ascii_uppercase, string.ascii_lowercase))


def _any(conditions: Any) -> Any:
    return reduce(lambda left, right: left | right, conditions)
