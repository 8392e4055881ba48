"""External ids: which can be used, in what form they are compared, and which comes first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers

from shuke.base.errors import BadInput
from shuke.profiles.model import ExternalId

DEFAULT_REGION = "CN"
VALUE_CHARACTERS_MAX = 200
IDS_OF_A_MESSAGE_MAX = 50

# How many identities of a kind one customer may have.
LIMITS = {"user_id": 1}
LIMIT_OF_OTHERS = 5

# The first names a customer best. Kinds of the brand's own come after these, and what names a machine rather than a
# person last.
_FIRST = ("user_id", "email", "phone", "unionid", "external_userid", "member_number")
_LAST = ("openid", "device", "anonymous_id")
_PRIORITY = {kind: place for place, kind in enumerate(_FIRST)} | {kind: 200 + place for place, kind in enumerate(_LAST)}
_PRIORITY_OF_OTHERS = 100

_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BLOCKED = frozenset(("-1", "null", "anonymous"))
_MAINLAND_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_PHONE_PUNCTUATION = re.compile(r"[\s()./-]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


def limit_of(kind: str) -> int:
    """How many identities of this kind one customer may have."""
    return LIMITS.get(kind, LIMIT_OF_OTHERS)


def priority_of(kind: str) -> int:
    """The place of a kind: the lower, the better it names a customer."""
    return _PRIORITY.get(kind, _PRIORITY_OF_OTHERS)


@lru_cache(maxsize=1024)
def checked_kind(kind: str) -> str:
    """The kind itself; BadInput ``profiles.bad_kind`` when it is no plain word of at most 40 letters."""
    if not _KIND.fullmatch(kind):
        raise BadInput("profiles.bad_kind", limit=40)
    return kind


def normalised(kind: str, text: str) -> str | None:
    """The id as it is kept, or None when it cannot be used: empty, blocked, too long, with control characters, no
    phone number or no address.

    Full-width characters become plain and the ends are trimmed; phone numbers become E.164, those without a country
    being Chinese. An e-mail address keeps its case and its dots: what is compared is :func:`compared`.
    """
    value = (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip()
    if len(value) > VALUE_CHARACTERS_MAX or not value.isprintable():
        return None
    if not value.strip("0-") or value.lower() in _BLOCKED:
        return None
    if kind == "phone":
        return _phone(value)
    if kind == "email":
        return value if _EMAIL.fullmatch(value) else None
    return value


def compared(kind: str, value: str) -> str:
    """The form of a normalised id in which it is looked up: addresses without regard to case."""
    return value.lower() if kind == "email" else value


def usable(ids: Iterable[tuple[str, str]]) -> tuple[ExternalId, ...]:
    """The ids of a message that can be used, normalised, each once, best first; of one kind in the order given.

    At most :data:`IDS_OF_A_MESSAGE_MAX` count. Raises BadInput ``profiles.bad_kind``.
    """
    found: dict[tuple[str, str], ExternalId] = {}
    for kind, text in ids:
        value = normalised(checked_kind(kind), text)
        if value is not None:
            found.setdefault((kind, compared(kind, value)), ExternalId(kind, value))
    if len(found) < 2:
        return tuple(found.values())
    best_first = sorted(found.values(), key=lambda one: priority_of(one.kind))
    return tuple(best_first[:IDS_OF_A_MESSAGE_MAX])


def _phone(value: str) -> str | None:
    plain = _PHONE_PUNCTUATION.sub("", value)
    # Most numbers here; the library takes fifty times as long for the same answer.
    mobile = _MAINLAND_MOBILE.fullmatch(plain)
    if mobile:
        return f"+86{mobile[1]}"
    if "*" in plain:
        return None
    try:
        number = phonenumbers.parse(value, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    # An extension would make two numbers of one.
    number.extension = None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
