"""Which passwords are good enough, after ASVS 5.0 (6.2): long, and not among those that are tried first.

There are no rules of composition, no expiry and no truncation. What a password is worth is the number of guesses that
zxcvbn needs for it (Wheeler, USENIX Security 2016): common passwords and words, names, dates, keyboard walks and
repeats are tried first. What others know of the account counts for nothing. A password that falls within
:data:`GUESSES_MIN` is refused, whatever its length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from zxcvbn import zxcvbn

from shuke.base.errors import BadInput

__all__ = ["CHARACTERS_MAX", "CHARACTERS_MIN", "GUESSES_MIN", "checked_password", "normal"]

#: ASVS 5.0, 6.2.1 asks for 8 and recommends 15; NIST SP 800-63B-4 asks for 15 where nothing else is asked.
CHARACTERS_MIN = 12
CHARACTERS_MAX = 128
#: "Very unguessable" even for whoever has the hash: the last of zxcvbn's four marks.
GUESSES_MIN = 10**10
# What is looked at to guess; more makes a password no easier, and the looking slow.
_GUESSED_CHARACTERS_MAX = 72
_PRODUCT = ("shuke", "熟客")


def normal(password: str) -> str:
    """The password in the form that is kept: NFKC, so that it is the same from every keyboard (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def checked_password(password: str, *, about: Iterable[str]) -> str:
    """The password in its normal form; ``about`` is what others know of the account: name, e-mail address.

    Raises:
        BadInput: ``access.password_length``, ``access.password_guessable``.
    """
    chosen = normal(password)
    if not CHARACTERS_MIN <= len(chosen) <= CHARACTERS_MAX:
        raise BadInput("access.password_length", least=CHARACTERS_MIN, most=CHARACTERS_MAX)
    # What is guessed in one go, and what is left of it without what is known, each have to be worth it.
    for text in (chosen, _without(chosen, [*_PRODUCT, *_parts(about)])):
        if not text or zxcvbn(text[:_GUESSED_CHARACTERS_MAX])["guesses"] < GUESSES_MIN:
            raise BadInput("access.password_guessable")
    return chosen


def _parts(texts: Iterable[str]) -> list[str]:
    """The words of names and addresses, and each whole."""
    whole = [normal(text).casefold().strip() for text in texts]
    parts = [*whole, *(part for text in whole for part in re.split(r"[\W_]+", text))]
    # Shorter ones are in every other word; a Chinese name has two characters.
    return [part for part in parts if len(part) >= (3 if part.isascii() else 2)]


def _without(password: str, words: Iterable[str]) -> str:
    """What is left of a password when the words are taken out, the longest first."""
    pattern = "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))
    return re.sub(pattern, "", password.casefold())
