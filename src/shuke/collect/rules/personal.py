"""What is personal in an event, told by the names of fields and by the look of values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from shuke.collect.model import DEPTH_MAX, FIELDS_MAX, Json, Reject
from shuke.collect.rules.headers import plain

#: Stands where a name held something personal.
REMOVED = "[removed]"

# As long as an address may be: without an end, a long text would be gone through from each of its letters.
_MAIL = re.compile(r"[^\s@/?&=:;,<>\"']{1,64}@[^\s@/?&=:;,<>\"']{1,255}\.[^\s@/?&=:;,<>\"'.]{2,}")
# A mobile number of China, or one with its country's code; grouped by spaces or dashes, too.
_PHONE = re.compile(
    r"(?<![\dA-Za-z])(?:(?:\+|00)?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![\dA-Za-z])"
    r"|(?:\+|%2B)\d(?:[- ()]{0,2}\d){7,14}"
)
# The number of an identity card of China: a district, a day of birth, a sequence and a check character.
_CARD = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])"
)
_PHONE_NUMBERS = range(13_000_000_000, 20_000_000_000)
_ADDRESS = re.compile(
    r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{1,4}:){4,7}[0-9A-Fa-f:]{1,4}"
)
# Without any of these no pattern fits, and nothing needs to be taken out; most values have none.
_SUSPECT = re.compile(r"[@%+\0]|\d[\d .-]{5,}\d|:[0-9A-Fa-f]*:")


@cache
def vocabulary() -> dict[str, Any]:
    """The data file ``events.toml``: names of fields that are personal, identify, or say where and what."""
    with (resources.files("shuke.collect") / "events.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def _names(key: str) -> frozenset[str]:
    return frozenset(plain(name) for name in vocabulary()[key])


@cache
def _reference_endings() -> tuple[str, ...]:
    return tuple(plain(name) for name in vocabulary()["reference_endings"])


@lru_cache(maxsize=8192)
def is_personal_name(field: str, *, of_person: bool) -> bool:
    """Whether what a field of this name holds is personal; ``of_person`` in traits, where ``name`` is one, too.

    Of a field whose very name looks like an address or number of somebody, all is.
    """
    name = plain(field)
    known = name in _names("personal") or (of_person and name in _names("personal_traits"))
    return known or is_personal_text(field)


@lru_cache(maxsize=8192)
def _is_reference(field: str) -> bool:
    return plain(field).endswith(_reference_endings())


def is_personal_text(text: str, *, reference: bool = False) -> bool:
    """Whether there is something in a text that looks like an e-mail address, an IP address, or the number of a phone
    or of an identity card.

    ``reference`` spares what is the number of a thing, such as an order's, from being taken for one of a person.
    """
    if _SUSPECT.search(text) is None:
        return False
    spelled = text.replace("%40", "@")
    if "@" in spelled and _MAIL.search(spelled) is not None:
        return True
    return not reference and any(look.search(text) is not None for look in (_PHONE, _ADDRESS, _CARD))


def without_null(text: str) -> str:
    """The text without the one character that PostgreSQL does not keep."""
    return text.replace("\0", "") if "\0" in text else text


def apart(fields: Mapping[str, Any], *, of_person: bool) -> tuple[Json, dict[str, Any]]:
    """What may lie open, and what is personal by its path, such as ``products.0.note``.

    Raises:
        Reject: ``too_deep`` or ``too_many_fields`` beyond :data:`DEPTH_MAX` and :data:`FIELDS_MAX`.
    """
    sieve = _Sieve(of_person=of_person)
    return sieve.fields(fields, "", DEPTH_MAX), sieve.personal


class _Sieve:
    """Keeps what is personal, and lets the rest through."""

    def __init__(self, *, of_person: bool) -> None:
        self.of_person = of_person
        self.personal: dict[str, Any] = {}
        self._fields_left = FIELDS_MAX

    def fields(self, given: Mapping[str, Any], path: str, depth: int) -> Json:
        self._count(len(given), depth)
        passed: Json = {}
        for field, value in given.items():
            if value is None:
                continue
            if is_personal_name(field, of_person=self.of_person):
                self.personal[f"{path}{field}"] = value
                continue
            plain_text = type(value) is str and _SUSPECT.search(value) is None
            clean = value if plain_text else self.value(value, f"{path}{field}", field, depth)
            if clean is not None:
                passed[without_null(field)] = clean
        return passed

    def value(self, value: Any, path: str, field: str, depth: int) -> Any:
        """The value without what is personal in it; None where nothing remains."""
        if isinstance(value, str):
            if is_personal_text(value, reference=_is_reference(field)):
                self.personal[path] = value
                return None
            return without_null(value)
        if isinstance(value, dict):
            return self.fields(value, f"{path}.", depth - 1)
        if isinstance(value, list):
            self._count(sum(isinstance(one, dict | list) for one in value), depth - 1)
            items = (self.value(one, f"{path}.{at}", field, depth - 1) for at, one in enumerate(value))
            return [item for item in items if item is not None]
        if type(value) is int and value in _PHONE_NUMBERS and not _is_reference(field):
            self.personal[path] = value
            return None
        return value

    def _count(self, fields: int, depth: int) -> None:
        self._fields_left -= fields
        if self._fields_left < 0:
            raise Reject("too_many_fields")
        if depth == 0:
            raise Reject("too_deep")
