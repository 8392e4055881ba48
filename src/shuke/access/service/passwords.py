"""Passwords as argon2id keeps them. Checking one takes a tenth of a second on purpose, so it is done outside of a
transaction, and only a few at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from shuke.access.rules.passwords import CHARACTERS_MAX, normal
from shuke.base.errors import NotAvailable

__all__ = ["hashed", "is_outdated", "matches"]

_Result = TypeVar("_Result")

# RFC 9106, section 4, second recommended option: 64 MiB, three passes, four lanes. OWASP's Password Storage Cheat Sheet
# asks for 19 MiB and two passes at least.
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Each takes 64 MiB; whoever sends many passwords at once waits for their turn and not for memory.
_AT_ONCE = BoundedSemaphore(4)
_WAIT_SECONDS_MAX = 20


def hashed(password: str) -> str:
    """What is kept of a password, which was found good before."""
    return _in_turn(lambda: _HASHER.hash(normal(password)))


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the password. Where none is stored this is as slow as where one is, and the answer is no."""
    given = normal(password[:CHARACTERS_MAX])
    whole = len(password) <= CHARACTERS_MAX
    found = _in_turn(lambda: _verified(stored or _nobodys(), given))
    return found and whole and stored is not None


def is_outdated(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's, and is to be hashed anew."""
    return _HASHER.check_needs_rehash(stored)


def _verified(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    """The hash of a password that nobody has, for accounts that are not there."""
    return _HASHER.hash(secrets.token_urlsafe())


def _in_turn(work: Callable[[], _Result]) -> _Result:
    if not _AT_ONCE.acquire(timeout=_WAIT_SECONDS_MAX):
        raise NotAvailable("access.busy")
    try:
        return work()
    finally:
        _AT_ONCE.release()
