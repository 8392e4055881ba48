"""What sets some customers apart from others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shuke.segments.model.tree import Node

__all__ = ["Cluster", "Clusters", "Comparison", "Profile", "Side", "Trait"]


@dataclass(frozen=True, kw_only=True)
class Trait:
    """One thing in which two sides differ: the share of customers with a value, or the mean of a number.

    ``what`` is ``figure``, ``attribute``, ``tag``, ``category``, ``brand`` or ``survey`` (what was last answered),
    ``name`` which figure, attribute or survey. The shares (0 to 1) are of all customers of each side, and then
    ``effect`` is Cohen's h; the means are of those of whom the number is known, and then it is Cohen's d. It is above 0
    where the first side has more.
    """

    what: str
    name: str | None
    value: str | bool | None
    share: float | None
    share_against: float | None
    mean: float | None
    mean_against: float | None
    effect: float


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What sets the ``customers`` of a segment apart from the ``against`` others, the greatest difference first."""

    as_of: datetime
    customers: int
    against: int
    items: tuple[Trait, ...]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of two segments: how many it means, and what they are worth, past and expected, in minor units."""

    segment_id: UUID
    name: str
    customers: int
    value_minor: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two segments beside each other: how many are in both and in only one, and what sets them apart."""

    as_of: datetime
    one: Side
    other: Side
    both: int
    only_one: int
    only_other: int
    items: tuple[Trait, ...]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A group: how many are in it, the definition of it, and of whom both mean the share that both mean (Jaccard)."""

    customers: int
    share: float
    definition: Node
    agreement: float
    traits: tuple[Trait, ...]


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """The groups of ``customers`` with an order, the largest first; ``tried`` are numbers of them with their scores."""

    as_of: datetime
    customers: int
    chosen: int
    tried: tuple[tuple[int, float], ...]
    clusters: tuple[Cluster, ...]
