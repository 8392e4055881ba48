"""Days of the year of personal dates, as numbers that say which day only to whoever has the keys.

Who has a birthday this week has to be found without opening everybody's date of birth. The vault keeps the place of its
day among all 366 in an order of the keys' own: each day has one number and no other has it, so that nobody is found who
is not meant, and the numbers say nothing of which days follow each other.
"""

from __future__ import annotations

from datetime import date

from shuke.base import year
from shuke.platform import Keyring
from shuke.privacy import Days
from shuke.profiles.model import AttributeDefinition, AttributeType

__all__ = ["days_of", "has_day", "sealed_days"]


def sealed_days(keyring: Keyring) -> tuple[int, ...]:
    """The number of each day of the year, by :func:`shuke.base.year.place_of`: 0 to 365 in the keys' order."""
    places = sorted(range(year.DAYS), key=lambda place: keyring.index("day", f"{year.day_at(place):%m-%d}"))
    numbers = {place: number for number, place in enumerate(places)}
    return tuple(numbers[place] for place in range(year.DAYS))


def has_day(definition: AttributeDefinition) -> bool:
    """Whether the vault keeps the day of an attribute: of dates that are personal."""
    return definition.personal and definition.type is AttributeType.DATE


def days_of(keyring: Keyring, fields: frozenset[str]) -> Days:
    """The numbers of the dates that the vault keeps in these fields."""
    numbers = sealed_days(keyring)

    def day(field: str, text: str) -> int | None:
        return numbers[year.place_of(date.fromisoformat(text))] if field in fields else None

    return day
