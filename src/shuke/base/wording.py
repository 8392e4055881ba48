"""How each language writes numbers, money and dates. Apart from ``language``, since Babel is slow to load."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from babel import dates, numbers

from shuke.base.language import Language


def say_number(value: float, language: Language, *, digits: int = 0) -> str:
    """1234.5 → ``1,235``; exactly ``digits`` decimals."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return _with_minus(numbers.format_decimal(value, format=pattern, locale=language.babel))


def say_percent(share: float, language: Language, *, digits: int = 1) -> str:
    """0.123 → ``12.3%``."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
    return _with_minus(numbers.format_percent(share, format=pattern, locale=language.babel))


def say_money(amount: float | Decimal, currency: str | None, language: Language, *, digits: int = 0) -> str:
    """1234.5, "GBP" → ``£1,235``; with no currency known, the bare number."""
    if currency is None:
        return say_number(float(amount), language, digits=digits)
    pattern = "¤#,##0" + ("." + "0" * digits if digits else "")
    text = numbers.format_currency(amount, currency, format=pattern, locale=language.babel, currency_digits=False)
    return _with_minus(text)


def say_date(day: date, language: Language) -> str:
    """2011-12-09 → ``9 Dec 2011`` or ``2011年12月9日``."""
    pattern = "y年M月d日" if language is Language.CHINESE else "d MMM y"
    return dates.format_date(day, format=pattern, locale=language.babel)


def say_month(day: date, language: Language) -> str:
    """2011-12-09 → ``Dec 2011`` or ``2011年12月``."""
    pattern = "y年M月" if language is Language.CHINESE else "MMM y"
    return dates.format_date(day, format=pattern, locale=language.babel)


def _with_minus(text: str) -> str:
    """A minus sign is as wide as a digit and no place to break a line, a hyphen is neither."""
    return text.replace("-", "−")
