"""Chinese and English: message catalogues and the way each language writes numbers, money and dates.

A room keeps its texts in ``locale/en.toml`` and ``locale/zh-CN.toml`` beside its code: nested tables of
strings in which ``{name}`` stands for a value. Both files hold the same keys with the same placeholders; a
test compares them. Rooms load theirs with :func:`catalogue`.
"""

from __future__ import annotations

import os
import string
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from babel import dates, numbers


class Language(StrEnum):
    """The languages that every text exists in."""

    ENGLISH = "en"
    CHINESE = "zh-CN"

    @property
    def babel(self) -> str:
        """The name that Babel knows this language by."""
        return "zh_Hans_CN" if self is Language.CHINESE else "en_US"

    @classmethod
    def of_environment(cls, environment: dict[str, str] | None = None) -> Language:
        """The language of the person at the terminal, from LC_ALL, LC_MESSAGES or LANG, else English."""
        values = os.environ if environment is None else environment
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            if values.get(name):
                return cls.CHINESE if values[name].lower().startswith("zh") else cls.ENGLISH
        return cls.ENGLISH


@dataclass(frozen=True)
class Catalogue:
    """The texts of one room in one language."""

    language: Language
    texts: dict[str, str]

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text at the dotted ``key`` with ``values`` filled in; KeyError when either is missing."""
        return self.texts[key].format_map(values)

    def has(self, key: str) -> bool:
        """Whether there is a text at this key."""
        return key in self.texts


@cache
def catalogue(room: str, language: Language) -> Catalogue:
    """The catalogue of a package, for example ``catalogue("shuke.reports", Language.CHINESE)``."""
    path = resources.files(room) / "locale" / f"{language.value}.toml"
    with path.open("rb") as file:
        return Catalogue(language, dict(_flatten(tomllib.load(file))))


def placeholders(text: str) -> set[str]:
    """The names of the values that a text wants, for the test that compares languages."""
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name}


def _flatten(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            pairs += _flatten(value, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", str(value)))
    return pairs


def say_number(value: float, language: Language, *, digits: int = 0) -> str:
    """1234.5 → ``1,235``; exactly ``digits`` decimals."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return numbers.format_decimal(value, format=pattern, locale=language.babel)


def say_percent(share: float, language: Language, *, digits: int = 1) -> str:
    """0.123 → ``12.3%``."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
    return numbers.format_percent(share, format=pattern, locale=language.babel)


def say_money(amount: float | Decimal, currency: str | None, language: Language, *, digits: int = 0) -> str:
    """1234.5, "GBP" → ``£1,235``; with no currency known, the bare number."""
    if currency is None:
        return say_number(float(amount), language, digits=digits)
    pattern = "¤#,##0" + ("." + "0" * digits if digits else "")
    return numbers.format_currency(amount, currency, format=pattern, locale=language.babel, currency_digits=False)


def say_date(day: date, language: Language) -> str:
    """2011-12-09 → ``9 Dec 2011`` or ``2011年12月9日``."""
    pattern = "y年M月d日" if language is Language.CHINESE else "d MMM y"
    return dates.format_date(day, format=pattern, locale=language.babel)


def say_month(day: date, language: Language) -> str:
    """2011-12-09 → ``Dec 2011`` or ``2011年12月``."""
    pattern = "y年M月" if language is Language.CHINESE else "MMM y"
    return dates.format_date(day, format=pattern, locale=language.babel)
