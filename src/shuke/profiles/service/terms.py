"""The terms of names and phone numbers as the vault keeps them: keyed hashes, so short that several terms share one."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from shuke.platform import Keyring
from shuke.privacy import Terms
from shuke.profiles.rules.search import NAMES, name_terms, phone_terms

_TERMS_OF = {f"attribute:{name}": name_terms for name in NAMES}
_PHONE = "identity:phone:"


def search_terms(keyring: Keyring) -> Terms:
    """The numbers of what the vault keeps for this room, by field and text."""

    @cache
    def number(term: str) -> int:
        # Names of one batch share most of their terms.
        return _number(keyring.index("search", term))

    def terms(field: str, text: str) -> Collection[int] | None:
        of = phone_terms if field.startswith(_PHONE) else _TERMS_OF.get(field)
        return None if of is None else frozenset(map(number, of(text)))

    return terms


def numbers(keyring: Keyring, terms: Collection[str]) -> frozenset[int]:
    """The hash of each term: 16 bits, so that who reads the table cannot tell which of some terms it was."""
    return frozenset(_number(keyring.index("search", term)) for term in terms)


def _number(index: bytes) -> int:
    return int.from_bytes(index[:2], signed=True)
