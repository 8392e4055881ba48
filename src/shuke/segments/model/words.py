"""What trees can speak of: the words and values that there are, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shuke.segments.model.kinds import Kind

__all__ = [
    "Agreed",
    "Happening",
    "Held",
    "Kept",
    "Labelled",
    "Named",
    "PropertyWord",
    "Used",
    "Words",
]


@dataclass(frozen=True, kw_only=True)
class Named:
    """An attribute or a figure, what it is called, and what its values are."""

    name: str
    label: str
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Held:
    """A tag, and how many have it now."""

    tag: str
    customers: int


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A kind of identities, and how many have one."""

    kind: str
    customers: int


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """What was said last to a purpose by a channel, and by how many."""

    purpose: str
    channel: str
    state: str
    customers: int


@dataclass(frozen=True, kw_only=True)
class PropertyWord:
    """A property of facts; ``times`` is in how many of the facts that were looked at."""

    name: str
    kind: Kind
    times: int


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Facts of a kind and a name: how many there are, and the properties of ``looked_at`` of them, drawn at random."""

    kind: str
    name: str | None
    times: int
    looked_at: int
    properties: tuple[PropertyWord, ...]


@dataclass(frozen=True, kw_only=True)
class Used:
    """A value, and how often it stands there."""

    value: str
    times: int


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A value, what it is called where it is a code, and how often it stands there."""

    value: str
    label: str
    times: int


@dataclass(frozen=True, kw_only=True)
class Words:
    """What stands in the columns of ``as_of``, the most frequent first."""

    as_of: datetime
    tags: tuple[Held, ...]
    identities: tuple[Kept, ...]
    consents: tuple[Agreed, ...]
    facts: tuple[Happening, ...]
    channels: tuple[Used, ...]
    stores: tuple[Used, ...]
    categories: tuple[Used, ...]
    brands: tuple[Used, ...]
