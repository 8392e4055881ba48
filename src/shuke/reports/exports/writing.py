"""How the exports write a value: in full in tables, shortened on charts, and as an expression on an axis."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date, datetime

from babel import numbers

from shuke.base.language import Catalogue, Language, catalogue
from shuke.base.wording import say_date, say_money, say_month, say_number, say_percent
from shuke.reports.model import Axis, Column, Kind, Value

DASH = "–"
"""Stands where there is nothing to say."""

DIGITS = {Kind.INTEGER: 0, Kind.MONEY: 0, Kind.PERCENT: 1, Kind.NUMBER: 2}

# From where on, the unit and its suffix. Chinese counts by ten thousands, English by thousands; a currency with another
# habit keeps that of the language.
STEPS = {
    Language.ENGLISH: ((1e9, 1e9, "bn"), (1e6, 1e6, "m"), (1e4, 1e3, "k")),
    Language.CHINESE: ((1e8, 1e8, "亿"), (2e4, 1e4, "万")),
}


@dataclass(frozen=True)
class Writing:
    """A language and a currency, which together say how every value of a report is written."""

    language: Language
    currency: str | None

    @property
    def words(self) -> Catalogue:
        """The exports' own texts."""
        return catalogue("shuke.reports.exports", self.language)

    def value(self, value: Value, shape: Column | Axis) -> str:
        """A value in full: ``£1,235``, ``12.3%``, ``9 Dec 2011``."""
        if value is None:
            return DASH
        if isinstance(value, bool):
            return self.words("value.yes" if value else "value.no")
        if shape.kind in (Kind.DATE, Kind.MONTH):
            return self._day(value, shape.kind)
        if shape.kind is Kind.TEXT or isinstance(value, str | date):
            return str(value)
        digits = DIGITS[shape.kind] if shape.digits is None else shape.digits
        return self._number(_finite(value), shape.kind, digits)

    def short(self, value: Value, shape: Column | Axis) -> str:
        """A value with three significant digits, for a label on a chart: ``£1.23m``, ``£123万``."""
        if shape.kind not in (Kind.INTEGER, Kind.NUMBER, Kind.MONEY) or value is None or isinstance(value, str | date):
            return self.value(value, shape)
        number = _finite(value)
        unit, suffix = self.unit(abs(number))
        if unit == 1:
            return self.value(value, shape)
        scaled = number / unit
        digits = max(0, 2 - math.floor(math.log10(abs(scaled))))
        while digits and round(scaled, digits) == round(scaled, digits - 1):
            digits -= 1
        text = self._number(scaled, Kind.MONEY if shape.kind is Kind.MONEY else Kind.NUMBER, digits)
        return text + suffix

    def unit(self, largest: float) -> tuple[float, str]:
        """The unit in which numbers up to ``largest`` read best, and its suffix; (1, "") below the first step."""
        for start, unit, suffix in STEPS[self.language]:
            if largest >= start:
                return unit, suffix
        return 1.0, ""

    def currency_symbol(self) -> str:
        """``£``; ``HK$``; empty when the currency is not known."""
        return "" if self.currency is None else str(numbers.get_currency_symbol(self.currency, self.language.babel))

    def axis_title(self, axis: Axis, largest: float) -> str:
        """The label with its unit. Chinese charts carry the unit in the title (万元), English ones on the ticks."""
        if self.language is Language.ENGLISH or axis.kind not in (Kind.MONEY, Kind.INTEGER, Kind.NUMBER):
            return axis.label
        unit = self.unit(largest)[1]
        if axis.kind is Kind.MONEY and self.currency is not None:
            unit += (
                "元" if self.currency == "CNY" else numbers.get_currency_name(self.currency, locale=self.language.babel)
            )
        return f"{axis.label}（{unit}）" if unit else axis.label

    def axis_expression(self, axis: Axis, largest: float) -> str:
        """The Vega expression that writes a tick of a quantitative axis."""
        if axis.kind is Kind.PERCENT:
            return "format(datum.value, '.3~%')"
        unit, suffix = self.unit(largest)
        number = f"format(datum.value / {unit:.0f}, ',.3~f')"
        if self.language is Language.CHINESE:
            return number
        prefix = self.currency_symbol() if axis.kind is Kind.MONEY else ""
        positive = f"{json.dumps(prefix)} + format(abs(datum.value) / {unit:.0f}, ',.3~f') + {json.dumps(suffix)}"
        return f"(datum.value < 0 ? '−' : '') + (datum.value == 0 ? '0' : {positive})"

    def time_expression(self, *, days: float) -> str:
        """The Vega expression that writes a tick of a time axis that spans so many days."""
        if days <= 120:
            pattern = "%-d %b" if self.language is Language.ENGLISH else "%-m月%-d日"
            return f"utcFormat(datum.value, '{pattern}')"
        year, month = ("%b %Y", "%b") if self.language is Language.ENGLISH else ("%Y年%-m月", "%-m月")
        if days > 1500:
            year = month = "%Y" if self.language is Language.ENGLISH else "%Y年"
        # The first tick and each January name the year; in Chinese the month's name comes from the pattern.
        return (
            f"datum.index == 0 || utcmonth(datum.value) == 0 ? utcFormat(datum.value, '{year}') "
            f": utcFormat(datum.value, '{month}')"
        )

    def _day(self, value: Value, kind: Kind) -> str:
        if isinstance(value, datetime):
            value = value.date()
        if not isinstance(value, date):
            return str(value)
        return say_month(value, self.language) if kind is Kind.MONTH else say_date(value, self.language)

    def _number(self, value: float, kind: Kind, digits: int) -> str:
        match kind:
            case Kind.MONEY:
                return say_money(value, self.currency, self.language, digits=digits)
            case Kind.PERCENT:
                return say_percent(value, self.language, digits=digits)
            case _:
                return say_number(value, self.language, digits=digits)


def _finite(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a report holds no {number}; say None")
    return number
