"""How a customer is looked for: by part of a name, by an identity, by the last digits of a phone number.

Names lie in the vault, encrypted. What can be compared are the *terms* of a name: its characters and pairs of them
where it is written in ideographs, pairs and triples of letters elsewhere. A name that has all terms of what is looked
for may be meant; whether it is shows once it is open (:func:`means`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from shuke import access
from shuke.base.errors import BadInput
from shuke.profiles.model import ExternalId
from shuke.profiles.rules.identifiers import normalised
from shuke.profiles.rules.profile import group_of_identity

#: Attributes that are looked through as a name.
NAMES = ("name", "last_name", "first_name", "nickname")
#: Identities that can be given whole.
WHOLE_KINDS = ("phone", "email", "member_number", "user_id", "unionid", "external_userid", "openid")
SEARCH_CHARACTERS_MAX = 100
#: Of a long name only so much is looked through.
TERMS_MAX = 100
PHONE_END_DIGITS = 4

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]+|[^\W_{_IDEOGRAPHS}]+")
_BETWEEN = re.compile(rf"(?<=[{_IDEOGRAPHS}])[\s·•・]+(?=[{_IDEOGRAPHS}])")
_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")
_NUMBER = re.compile(r"\+?[\s()./-]*\d[\d\s()./-]*")


@dataclass(frozen=True)
class Search:
    """What a text may mean: words of a name, identities given whole, the end of a phone number."""

    words: tuple[str, ...]
    ids: tuple[ExternalId, ...]
    phone_end: str | None

    @property
    def terms(self) -> tuple[frozenset[str], ...]:
        """For each word the terms that a name has to have; or those of the phone number."""
        if self.phone_end is not None:
            return (frozenset((f"phone:{self.phone_end}",)),)
        return tuple(_asked(word) for word in self.words)


def understood(text: str) -> Search:
    """What is looked for.

    Raises:
        BadInput: ``profiles.search_too_short`` for a single letter, or nothing; ``profiles.search_too_long``.
    """
    given = text.strip()
    if len(given) > SEARCH_CHARACTERS_MAX:
        raise BadInput("profiles.search_too_long", limit=SEARCH_CHARACTERS_MAX)
    wholes = ((kind, normalised(kind, given)) for kind in WHOLE_KINDS)
    ids = tuple(ExternalId(kind, value) for kind, value in wholes if value is not None)
    if "@" in given:
        return Search((), ids, None)
    if _NUMBER.fullmatch(given):
        digits = re.sub(r"\D", "", given)
        return Search((), ids, digits if len(digits) == PHONE_END_DIGITS else None)
    # A single letter is in too many names to say anything.
    found = tuple(word for word in words(given) if len(word) > 1 or is_ideographic(word))
    if not found:
        raise BadInput("profiles.search_too_short")
    return Search(found, ids, None)


def seen_of(search: Search, fields: access.Fields) -> Search | None:
    """What of it a reader may look for: not what is hidden from them, else a search would tell. None for nothing."""

    def hidden(group: str) -> bool:
        return fields[group] is access.Seen.HIDDEN

    left = Search(
        words=() if hidden("name") else search.words,
        ids=tuple(one for one in search.ids if not hidden(group_of_identity(one.kind))),
        phone_end=None if hidden("phone") else search.phone_end,
    )
    return left if left.words or left.ids or left.phone_end else None


def words(text: str) -> tuple[str, ...]:
    """The words of a name, without regard to case, width and accents; ideographs that blanks part are one word."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = unicodedata.normalize("NFC", "".join(one for one in decomposed if not unicodedata.combining(one)))
    return tuple(_WORD.findall(_BETWEEN.sub("", plain.casefold())))


def is_ideographic(text: str) -> bool:
    """Whether a text begins as Chinese, Japanese and Korean names do, where the family comes first."""
    return _IDEOGRAPH.match(text) is not None


def name_terms(name: str) -> frozenset[str]:
    """The terms by which a name is found."""
    found: dict[str, None] = {}
    for word in words(name):
        sizes = (1, 2) if is_ideographic(word) else (2, 3)
        for size in sizes:
            found |= dict.fromkeys(_pieces(word, size))
    return frozenset(list(found)[:TERMS_MAX])


def phone_terms(phone: str) -> frozenset[str]:
    """The term by which a phone number is found: its last digits."""
    return frozenset((f"phone:{phone[-PHONE_END_DIGITS:]}",)) if len(phone) > PHONE_END_DIGITS else frozenset()


def means(search: Search, *, names: Iterable[str], phones: Iterable[str]) -> bool:
    """Whether a customer of these names and phone numbers is meant: the terms alone may be those of somebody else."""
    if search.phone_end is not None:
        return any(phone.endswith(search.phone_end) for phone in phones)
    known = [word for name in names for word in words(name)]
    return bool(search.words) and all(any(asked in word for word in known) for asked in search.words)


def _asked(word: str) -> frozenset[str]:
    size = min(len(word), 2 if is_ideographic(word) else 3)
    return frozenset(_pieces(word, size))


def _pieces(word: str, size: int) -> list[str]:
    return [word[at : at + size] for at in range(len(word) - size + 1)]
