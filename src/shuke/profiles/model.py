"""What other rooms see of a customer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shuke.privacy import CurrentConsent

AttributeValue = str | float | bool | date
# What is stored in plain, and what goes over the wire: dates as ISO text.
PlainValue = str | float | bool


class ExternalId(NamedTuple):
    """One name that the outside world has for a customer: its kind, such as ``phone``, and its value."""

    kind: str
    value: str


class Resolved(NamedTuple):
    """Whom a message is about: the customer, and the identity that its facts are to carry."""

    customer_id: UUID
    identity_id: int


@dataclass(frozen=True)
class Merge:
    """Two customers that were found to be one; the loser's identities are the winner's until it is undone."""

    merge_id: UUID
    winner: UUID
    loser: UUID
    identity_ids: tuple[int, ...]
    reason: dict[str, object]
    merged_at: datetime
    undone_at: datetime | None


class AttributeType(StrEnum):
    """What an attribute's values are."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"


@dataclass(frozen=True)
class AttributeDefinition:
    """One thing to know about customers. Personal values are kept in the vault; ``choices`` are a choice's values."""

    name: str
    type: AttributeType
    personal: bool
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A value that was not taken: the place of its customer in what was given, the attribute, and the error's code."""

    index: int
    attribute: str
    code: str


@dataclass(frozen=True)
class Tag:
    """A label that a source put on a customer; without ``expires_at`` it stays."""

    tag: str
    source: str
    added_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True)
class NewTag:
    """A label to put on a customer."""

    customer_id: UUID
    tag: str
    source: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class ManyTags:
    """A label to put on many customers, or to take off them; without ``source``, whoever put it on."""

    tag: str
    source: str | None
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class TagBatch:
    """A label that was put on, or taken off, many customers at once.

    ``customers`` were meant; ``changed`` are the labels that were put on, changed or taken off, or now taken back.
    """

    batch_id: UUID
    tag: str
    source: str | None
    removed: bool
    customers: int
    changed: int
    made_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True)
class Identity:
    """One identity as a reader may see it; ``value`` is masked, or None, unless they may see it whole."""

    identity_id: int
    kind: str
    value: str | None
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True)
class Profile:
    """Everything that this room and ``privacy`` know of one customer.

    ``customer_ids`` are all that are this customer by now, itself first. Personal attributes are masked, or
    None, unless the reader may see them.
    """

    customer_id: UUID
    customer_ids: tuple[UUID, ...]
    created_at: datetime
    updated_at: datetime
    attributes: dict[str, PlainValue | None] = field(default_factory=dict)
    identities: tuple[Identity, ...] = ()
    tags: tuple[Tag, ...] = ()
    consents: tuple[CurrentConsent, ...] = ()
    household: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Card:
    """What a list shows of who a customer is: of each kind the first, masked unless the reader may see it."""

    customer_id: UUID
    name: str | None
    phone: str | None
    email: str | None
    member_number: str | None
    tags: tuple[str, ...] = ()
