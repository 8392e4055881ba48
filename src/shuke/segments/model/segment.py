"""A segment, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from shuke.segments.model.tree import Node

__all__ = [
    "Change",
    "Explained",
    "Fact",
    "GivenList",
    "Member",
    "Overlap",
    "Preview",
    "Segment",
    "Shared",
    "Size",
    "Template",
    "Using",
    "Version",
]


@dataclass(frozen=True, kw_only=True)
class Segment:
    """What a segment is called, what it says, and how many it means.

    ``customers`` are those of ``built_version`` at ``built_at``; None before it was built once. ``failed`` is the code
    of what was wrong the last time that somebody tried.
    """

    segment_id: UUID
    name: str
    version: int
    definition: Node
    made_by: str
    created_at: datetime
    updated_at: datetime
    built_version: int | None
    built_at: datetime | None
    customers: int | None
    failed: str | None


@dataclass(frozen=True, kw_only=True)
class Version:
    """What a segment said from a moment on."""

    version: int
    definition: Node
    made_by: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class Member:
    """A customer in a segment, and since when."""

    customer_id: UUID
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Change:
    """A customer who entered a segment or left it: for the ``facts``, because the ``definition`` became another, or
    merely because ``time`` passed.
    """

    customer_id: UUID
    at: datetime
    entered: bool
    version: int
    why: Literal["definition", "facts", "time"]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Whom a tree means, of everybody: as of ``as_of``, and exactly.

    ``value_minor`` is what they are worth together (past and expected), where anything is known of it; ``some`` are the
    first of them. ``overlap`` are segments with some of the same customers, those first that are most alike: with the
    greatest share of both in all who are in either. ``compared`` is how many segments were looked at for it.
    """

    as_of: datetime
    customers: int
    everybody: int
    value_minor: int
    some: tuple[UUID, ...]
    overlap: tuple[Shared, ...]
    compared: int


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that a statement looked at, in words; ``counts`` where it lies within the time that was asked about."""

    at: datetime
    text: str
    counts: bool


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Whether a statement holds for a customer, in words, with the statements that it consists of.

    ``known`` is the value that it compares, in words. A statement about what happened has the latest of its ``facts``,
    of ``found`` that count, or the last one before where none does.
    """

    text: str
    holds: bool
    known: str | None = None
    found: int | None = None
    facts: tuple[Fact, ...] = ()
    parts: tuple[Explained, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GivenList:
    """A list of customers that somebody gave, and how many are on it."""

    list_id: UUID
    name: str
    customers: int
    made_by: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class Template:
    """A definition to begin with; what it is called, and why, stands under its code in the room's texts."""

    code: str
    group: str
    definition: Node


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A segment with ``customers``, of whom ``both`` are in another, too."""

    segment_id: UUID
    name: str
    customers: int
    both: int


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """How many customers each two of these segments share, as of a moment; with itself, how many it has."""

    as_of: datetime
    segments: tuple[Segment, ...]
    both: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many were in a segment at the end of a day of the brand's, and who came and went on it."""

    day: date
    customers: int
    entered: int
    left: int


@dataclass(frozen=True, kw_only=True)
class Using:
    """What names a segment."""

    kind: Literal["segment", "webhook"]
    id: UUID
    name: str
    archived: bool
