"""Values that a sentence carries, each with how it is written. Pure.

A rule says *what* (a number, an amount, a term of the vocabulary); in which language and with how many decimals is for
the service to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from shuke.reports.model import Kind, Value

__all__ = ["Evidence", "Said", "Term", "count", "day", "money", "month", "named", "number", "share"]


@dataclass(frozen=True)
class Said:
    """A value and how it is written."""

    value: Value
    kind: Kind
    digits: int | None = None


@dataclass(frozen=True)
class Term:
    """A name that the catalogue knows under this key."""

    key: str


@dataclass(frozen=True)
class Evidence:
    """A sentence of evidence: the catalogue's key, its values and the chapter's table or figure that shows them."""

    key: str
    table: str
    values: Mapping[str, Said | Term] = field(default_factory=dict)


def money(amount: float, digits: int | None = None) -> Said:
    """An amount in the report's currency."""
    return Said(float(amount), Kind.MONEY, digits)


def count(number_of: float) -> Said:
    """A whole number."""
    return Said(round(number_of), Kind.INTEGER)


def share(part: float, digits: int = 1) -> Said:
    """A share as a percentage."""
    return Said(float(part), Kind.PERCENT, digits)


def number(value: float, digits: int = 2) -> Said:
    """A number with decimals."""
    return Said(float(value), Kind.NUMBER, digits)


def day(at: date) -> Said:
    """A day."""
    return Said(at, Kind.DATE)


def month(at: date) -> Said:
    """A month, by any of its days."""
    return Said(at, Kind.MONTH)


def named(text: str) -> Said:
    """A name from the data."""
    return Said(text, Kind.TEXT)
