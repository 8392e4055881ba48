"""Attributes: which there are, and what their values may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from shuke.base.errors import BadInput
from shuke.profiles.model import AttributeDefinition, AttributeType, PlainValue

TEXT_CHARACTERS_MAX = 500
CHOICES_MAX = 200
# Beyond this a float is no longer the number that was written.
NUMBER_MAX = 2**53

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TRUTHS: dict[object, bool] = {"true": True, "false": False, "1": True, "0": False, 1: True, 0: False}

# Known without being defined. What tells one person from others is personal.
_PERSONAL_TEXTS = ("name", "first_name", "last_name", "nickname", "address")
_PLAIN_TEXTS = ("city", "district", "province", "country", "language", "time_zone")
BUILT_IN: Mapping[str, AttributeDefinition] = {
    one.name: one
    for one in (
        *(AttributeDefinition(name, AttributeType.TEXT, personal=True) for name in _PERSONAL_TEXTS),
        *(AttributeDefinition(name, AttributeType.TEXT, personal=False) for name in _PLAIN_TEXTS),
        AttributeDefinition("birth_date", AttributeType.DATE, personal=True),
        AttributeDefinition(
            "gender", AttributeType.CHOICE, personal=False, choices=("female", "male", "other", "unknown")
        ),
    )
}

# What the traits of the collecting protocol are called here; those of an address are inside it.
_TRAITS = {"firstName": "first_name", "lastName": "last_name", "birthday": "birth_date", "username": "nickname"}
_ADDRESS = {"city": "city", "district": "district", "state": "province", "country": "country", "street": "address"}


def checked_definition(definition: AttributeDefinition) -> AttributeDefinition:
    """The definition itself.

    Raises BadInput ``profiles.bad_attribute`` when the name is no plain word, or is built in, or the choices of a
    choice are missing, too many, or too long.
    """
    choices = definition.choices
    choosing = definition.type is AttributeType.CHOICE
    good = (
        _NAME.fullmatch(definition.name)
        and definition.name not in BUILT_IN
        and choosing == bool(choices)
        and len(choices) <= CHOICES_MAX
        and len(set(choices)) == len(choices)
        and all(0 < len(choice) <= TEXT_CHARACTERS_MAX for choice in choices)
    )
    if not good:
        raise BadInput("profiles.bad_attribute", limit=CHOICES_MAX)
    return definition


def checked_value(definition: AttributeDefinition, value: object) -> PlainValue:
    """The value as it is stored: text trimmed, dates as ISO text, numbers up to :data:`NUMBER_MAX`.

    Numbers and truths may come as text, as forms and files send them. Raises BadInput ``profiles.bad_value``.
    """
    try:
        return _READERS[definition.type](definition, value)
    except (ValueError, TypeError, KeyError, OverflowError):
        # Never the value itself: it may be personal.
        raise BadInput("profiles.bad_value", attribute=definition.name, type=definition.type.value) from None


def of_traits(traits: Mapping[str, object]) -> dict[str, object]:
    """Traits of an ``identify`` call by the names that they have here; an address is taken apart."""
    named: dict[str, object] = {}
    for name, value in traits.items():
        if name == "address" and isinstance(value, Mapping):
            named |= {_ADDRESS[part]: inner for part, inner in value.items() if part in _ADDRESS}
        else:
            named[_TRAITS.get(name, name)] = value
    return named


def _text(_: AttributeDefinition, value: object) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise TypeError
    text = str(value).strip()
    # PostgreSQL's JSON has no place for the null character.
    if not text or len(text) > TEXT_CHARACTERS_MAX or "\x00" in text:
        raise ValueError
    # Half of a surrogate pair is no character, and cannot be stored.
    text.encode()
    return text


def _number(_: AttributeDefinition, value: object) -> float:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise TypeError
    number = float(value)
    if not abs(number) <= NUMBER_MAX:
        raise ValueError
    return number


def _date(_: AttributeDefinition, value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise TypeError
    text = value.strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return date.fromisoformat(text).isoformat()
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date().isoformat()


def _boolean(_: AttributeDefinition, value: object) -> bool:
    return value if isinstance(value, bool) else _TRUTHS[value.lower() if isinstance(value, str) else value]


def _choice(definition: AttributeDefinition, value: object) -> str:
    if not isinstance(value, str) or value.strip() not in definition.choices:
        raise ValueError
    return value.strip()


_READERS: dict[AttributeType, Callable[[AttributeDefinition, object], PlainValue]] = {
    AttributeType.TEXT: _text,
    AttributeType.NUMBER: _number,
    AttributeType.DATE: _date,
    AttributeType.BOOLEAN: _boolean,
    AttributeType.CHOICE: _choice,
}
