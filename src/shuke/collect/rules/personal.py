"""What is personal in an event, told by the names of fields and by the look of values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
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
# Without any of these no pattern fits, and nothing needs to be taken out; most values have none. It begins with a set,
# which is looked for several times faster than alternatives.
_SUSPECT = re.compile(r"[@%+\0\d:](?:(?<=[@%+\0])|(?<=\d)[\d .-]{5,}\d|(?<=:)[0-9A-Fa-f]*:)")
# Texts in which nothing was found, for shops repeat theirs: products, categories, pages. What is personal is not kept.
_clean: set[str] = set()
_CLEAN_TEXTS_MAX = 20_000
_CLEAN_CHARACTERS_MAX = 200
# So few that together with those of their parts they are no more than FIELDS_MAX.
_FEW_FIELDS = 16


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
def is_personal_name(field: str) -> bool:
    """Whether what a field of this name holds is personal.

    Of a field whose very name looks like an address or number of somebody, all is.
    """
    return plain(field) in _names("personal") or is_personal_text(field)


@lru_cache(maxsize=8192)
def is_personal_trait(field: str) -> bool:
    """The same of a field that describes a person, where ``name`` is personal, too."""
    return plain(field) in _names("personal_traits") or is_personal_name(field)


@lru_cache(maxsize=8192)
def is_reference(field: str) -> bool:
    """Whether a field of this name holds numbers of things, which may look like somebody's."""
    return plain(field).endswith(_reference_endings())


def _is_suspect(text: str) -> bool:
    """Whether the patterns have to be tried on a text."""
    if text in _clean:
        return False
    if _SUSPECT.search(text) is not None:
        return True
    if len(text) <= _CLEAN_CHARACTERS_MAX:
        if len(_clean) >= _CLEAN_TEXTS_MAX:
            _clean.clear()
        _clean.add(text)
    return False


def is_personal_text(text: str, *, reference: bool = False) -> bool:
    """Whether there is something in a text that looks like an e-mail address, an IP address, or the number of a phone
    or of an identity card.

    ``reference`` spares what is the number of a thing, such as an order's, from being taken for one of a person.
    """
    if not _is_suspect(text):
        return False
    spelled = text.replace("%40", "@")
    if "@" in spelled and _MAIL.search(spelled) is not None:
        return True
    return not reference and any(look.search(text) is not None for look in (_PHONE, _ADDRESS, _CARD))


def without_null(text: str) -> str:
    """The text without the one character that PostgreSQL does not keep."""
    return text.replace("\0", "") if "\0" in text else text


def apart(fields: Json, *, of_person: bool) -> tuple[Json, dict[str, Any]]:
    """What may lie open, and what is personal by its path, such as ``products.0.note``.

    Raises:
        Reject: ``too_deep`` or ``too_many_fields`` beyond :data:`DEPTH_MAX` and :data:`FIELDS_MAX`.
    """
    is_personal = is_personal_trait if of_person else is_personal_name
    if _lies_open(fields, is_personal):
        return fields, {}
    sieve = _Sieve(is_personal)
    return sieve.fields(fields, "", DEPTH_MAX), sieve.personal


def _lies_open(fields: Json, is_personal: Callable[[str], bool], *, in_parts: bool = True) -> bool:
    """Whether these fields can stay as they are, at a glance: few, without lists, and nothing in them to look into."""
    if len(fields) > _FEW_FIELDS or not _lie_open(is_personal, tuple(fields)):
        return False
    for value in fields.values():
        kind = type(value)
        if kind is str:
            is_open = value in _clean or not _is_suspect(value)
        elif kind is int:
            is_open = value not in _PHONE_NUMBERS
        elif kind is dict:
            is_open = in_parts and _lies_open(value, is_personal, in_parts=False)
        else:
            is_open = kind is float or kind is bool
        if not is_open:
            return False
    return True


@lru_cache(maxsize=8192)
def _lie_open(is_personal: Callable[[str], bool], fields: tuple[str, ...]) -> bool:
    # Events of one name mostly have the same fields.
    return not any(is_personal(field) or "\0" in field for field in fields)


class _Sieve:
    """Keeps what is personal, and lets the rest through."""

    def __init__(self, is_personal: Callable[[str], bool]) -> None:
        self._is_personal = is_personal
        self.personal: dict[str, Any] = {}
        self._fields_left = FIELDS_MAX

    def fields(self, given: Mapping[str, Any], path: str, depth: int) -> Json:
        self._count(len(given), depth)
        passed: Json = {}
        for field, value in given.items():
            if value is None:
                continue
            if self._is_personal(field):
                self.personal[path + field] = value
                continue
            # Most values are texts that were seen before: no call for those.
            plain_text = type(value) is str and (value in _clean or not _is_suspect(value))
            clean = value if plain_text else self.value(value, path + field, field, depth)
            if clean is not None:
                passed[field if "\0" not in field else without_null(field)] = clean
        return passed

    def value(self, value: Any, path: str, field: str, depth: int) -> Any:
        """The value without what is personal in it; None where nothing remains."""
        kind = type(value)
        if kind is str:
            if is_personal_text(value, reference=is_reference(field)):
                self.personal[path] = value
                return None
            return without_null(value)
        if kind is dict:
            return self.fields(value, f"{path}.", depth - 1)
        if kind is list:
            self._count(sum(type(one) in (dict, list) for one in value), depth - 1)
            items = (self.value(one, f"{path}.{at}", field, depth - 1) for at, one in enumerate(value))
            return [item for item in items if item is not None]
        if kind is int and value in _PHONE_NUMBERS and not is_reference(field):
            self.personal[path] = value
            return None
        return value

    def _count(self, fields: int, depth: int) -> None:
        self._fields_left -= fields
        if self._fields_left < 0:
            raise Reject("too_many_fields")
        if depth == 0:
            raise Reject("too_deep")
