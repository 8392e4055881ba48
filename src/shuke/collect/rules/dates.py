"""How a column writes its moments, decided for the whole column.

The reader first brings every cell to one spelling (``normalised`` in the staging SQL): dashes between the parts of
a date, a space before the clock, ``AM``/``PM``, ``+00:00`` for Z. A *shape* is such a text with digits as 9 and the
names of months as ``Mon``. From the shapes that occur, with their counts, follow the formats to parse with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shuke.base.errors import BadInput

#: Days since 1899-12-30, Excel's serial of a date, for 1990 to 2099.
EXCEL_SERIALS = (32_874, 73_050)
#: Shapes that may be one; whether the numbers lie within the range is for the reader to check.
_EXCEL = re.compile(r"^9{5}(\.9+)?$")
_EPOCH_SECONDS = re.compile(r"^9{10}(\.9+)?$")
_EPOCH_MILLISECONDS = re.compile(r"^9{13}$")
_ZONE = r"(?P<zone> ?[+-]99(?::?99)?)?"
_CLOCK = r"(?: (?P<clock>9{1,2}:9{1,2}(?P<seconds>:9{1,2}(?P<fraction>\.9+)?)?)(?P<half> ?[AP]M)?)?"
_DATES: tuple[tuple[str, str], ...] = (
    (r"9999-9{1,2}-9{1,2}", "%Y-%m-%d"),
    (r"9{1,2}-9{1,2}-9999", "{order}-%Y"),
    (r"9{1,2}-9{1,2}-99", "{order}-%y"),
    (r"9{1,2}[ -]Mon[ -]9999", "%d{0}%b{1}%Y"),
    (r"9{1,2}[ -]Mon[ -]99", "%d{0}%b{1}%y"),
    (r"Mon 9{1,2},? 9999", "%b %d{2} %Y"),
    (r"9{8}", "%Y%m%d"),
)
_FORMS = tuple((re.compile(f"^(?P<date>{date}){_CLOCK}{_ZONE}$"), form) for date, form in _DATES)
_COMPACT_CLOCK = re.compile(r"^9{14}$")


@dataclass(frozen=True)
class DatePlan:
    """What to try on each cell. ``has_clock`` says whether the column knows the time of day."""

    formats: tuple[str, ...]
    zoned_formats: tuple[str, ...]
    excel: bool = False
    epoch_seconds: bool = False
    epoch_milliseconds: bool = False
    has_clock: bool = False


def needs_order(shapes: Sequence[tuple[str, int]]) -> bool:
    """Whether some cells are like 03-04-2024, so that day and month must be told apart."""
    return any(re.match(r"^9{1,2}-9{1,2}-(99|9999)( |$)", shape) for shape, _ in shapes)


def day_month_order(first_max: int | None, second_max: int | None, given: str | None, *, file: str, column: str) -> str:
    """``%d-%m`` or ``%m-%d``, from the greatest first and second number that occur in such cells.

    Raises BadInput ``collect.ambiguous_dates`` where neither exceeds 12, or both do, and the person said nothing.
    """
    if given is not None:
        return "%d-%m" if given == "dmy" else "%m-%d"
    first, second = (first_max or 0) > 12, (second_max or 0) > 12
    if first == second:
        raise BadInput("collect.ambiguous_dates", file=file, column=column)
    return "%d-%m" if first else "%m-%d"


def plan_dates(shapes: Sequence[tuple[str, int]], *, order: str | None) -> DatePlan:
    """The formats for the shapes that occur; a shape that fits none is left to be reported as unreadable."""
    formats: dict[str, int] = {}
    zoned: dict[str, int] = {}
    excel = seconds = milliseconds = clock = False
    for shape, count in shapes:
        if _EXCEL.match(shape):
            excel = True
            clock = clock or "." in shape
        elif _EPOCH_SECONDS.match(shape):
            seconds = clock = True
        elif _EPOCH_MILLISECONDS.match(shape):
            milliseconds = clock = True
        elif _COMPACT_CLOCK.match(shape):
            formats["%Y%m%d%H%M%S"] = formats.get("%Y%m%d%H%M%S", 0) + count
            clock = True
        else:
            form = _format_of(shape, order)
            if form is None:
                continue
            clock = clock or "%M" in form
            target = zoned if "%z" in form else formats
            target[form] = target.get(form, 0) + count
    return DatePlan(
        formats=tuple(sorted(formats, key=lambda form: -formats[form])),
        zoned_formats=tuple(sorted(zoned, key=lambda form: -zoned[form])),
        excel=excel,
        epoch_seconds=seconds,
        epoch_milliseconds=milliseconds,
        has_clock=clock,
    )


def _format_of(shape: str, order: str | None) -> str | None:
    for pattern, form in _FORMS:
        match = pattern.match(shape)
        if match is None:
            continue
        date = match["date"]
        separators = re.findall(r"[ -]", date)
        text = form.format(
            separators[0] if separators else "",
            separators[1] if len(separators) > 1 else "",
            "," if "," in date else "",
            order=order,
        )
        if match["clock"]:
            text += " %I:%M" if match["half"] else " %H:%M"
            text += ":%S" if match["seconds"] else ""
            text += ".%f" if match["fraction"] else ""
            text += (" %p" if match["half"].startswith(" ") else "%p") if match["half"] else ""
        if match["zone"]:
            text += " %z" if match["zone"].startswith(" ") else "%z"
        return text
    return None
