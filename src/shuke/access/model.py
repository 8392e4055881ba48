"""Who asks, and what they may do, where, and see of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

Permission = str
#: Who is behind a request: a person who signed in, a key, somebody at the command line, or nobody that we know.
Kind = Literal["user", "key", "command", "nobody"]


class Where(StrEnum):
    """Whose customers a role is for: everybody's, those of regions, those of stores, or one's own."""

    ALL = "all"
    REGION = "region"
    STORE = "store"
    OWN = "own"


class Seen(StrEnum):
    """How a personal value is shown: as it is, in part, or not at all."""

    CLEAR = "clear"
    MASKED = "masked"
    HIDDEN = "hidden"


#: The groups of personal values that a role treats alike; ``other`` are all that is none of the first three.
FIELDS = ("name", "phone", "email", "other")
Fields = Mapping[str, Seen]


def all_fields(seen: Seen) -> dict[str, Seen]:
    """Every group shown alike."""
    return dict.fromkeys(FIELDS, seen)


#: For programs that work for nobody in particular, and for those whom everything is shown.
MASKED: Fields = MappingProxyType(all_fields(Seen.MASKED))
CLEAR: Fields = MappingProxyType(all_fields(Seen.CLEAR))


@dataclass(frozen=True)
class Role:
    """A set of permissions, for whose customers they are, and what is seen of those; ``shipped`` ones stay as is."""

    name: str
    permissions: frozenset[Permission]
    where: Where
    fields: Fields
    shipped: bool = False


@dataclass(frozen=True)
class Reader:
    """Who asks, with everything that decides what they get.

    ``places`` are regions or stores, as ``where`` says. ``acts_for`` is whose own customers are meant where the scope
    is ``own``: a key's are those of who made it.
    """

    kind: Kind
    id: UUID | None
    name: str
    role: str
    permissions: frozenset[Permission]
    where: Where
    places: tuple[str, ...]
    fields: Fields
    acts_for: UUID | None = None


@dataclass(frozen=True)
class SignedIn:
    """A session that is good at this moment, and whose it is."""

    session_id: UUID
    user_id: UUID
    name: str
    role: str
    places: tuple[str, ...]
    csrf_token: str


@dataclass(frozen=True)
class Key:
    """An API key, of which nobody but its holder has the secret.

    ``last_used_at`` is to the hour. ``made_by`` is the name of who made it.
    """

    key_id: UUID
    name: str
    role: str
    permissions: tuple[Permission, ...]
    where: Where
    places: tuple[str, ...]
    fields: Fields
    made_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class Deed:
    """What somebody did, for the audit log.

    ``action`` is a code (``customers.reveal``) or a route (``POST /api/merges``). ``about`` is what it was done to: ids
    and codes, never a personal value. ``before`` and ``after`` are what was there and is, personal values masked.
    ``request_id`` is in the answer and in the server's log, too.
    """

    action: str
    about: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the audit log: who did what to what, and when; ``previous`` and ``hash`` chain the lines."""

    seq: int
    at: datetime
    who_kind: Kind
    who_id: UUID | None
    who: str
    action: str
    object: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None
    previous: bytes
    hash: bytes


@dataclass(frozen=True)
class Broken:
    """Where the audit log does not hold: the line, and the code of what is wrong there."""

    seq: int
    what: Literal["changed", "missing", "out_of_order", "cut_off", "head_forged", "head_differs"]


@dataclass(frozen=True)
class Verified:
    """What a check of the audit log found: how many lines, its head, and the first place that does not hold."""

    entries: int
    head_seq: int
    head_hash: bytes
    broken: Broken | None
