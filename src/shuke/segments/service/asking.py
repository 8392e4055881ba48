"""What a tree may speak of, and whom it means: in columns of everybody, or of a few customers as they are now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke import catalog, lifecycle, profiles
from shuke.base.language import Language, catalogue
from shuke.insight import StageRules
from shuke.platform import Transaction, Workplace
from shuke.segments.measures import LOOKING, evidence, leaves, members
from shuke.segments.model.clock import Clock
from shuke.segments.model.kinds import COMPARING, Kind
from shuke.segments.model.tree import Node
from shuke.segments.rules.checking import Vocabulary, expanded, read_tree
from shuke.segments.rules.places import Place
from shuke.segments.service.subjects import currency_of, in_database
from shuke.segments.tables import lists, segments, versions

__all__ = ["Answered", "Asking", "answers_of", "asking", "members_among"]

_KINDS = {
    profiles.AttributeType.TEXT: Kind.TEXT,
    profiles.AttributeType.CHOICE: Kind.TEXT,
    profiles.AttributeType.NUMBER: Kind.NUMBER,
    profiles.AttributeType.DATE: Kind.DATE,
    profiles.AttributeType.BOOLEAN: Kind.TRUTH,
}


@dataclass(frozen=True)
class Asking:
    """What trees are read by at a moment: the words that there are, the clock, the currency of orders."""

    vocabulary: Vocabulary
    clock: Clock
    currency: str | None
    stages: StageRules

    def stage_names(self, language: Language) -> dict[str, str]:
        """What the stages are called in a language."""
        outside = catalogue("shuke.segments", language)("text.outside")
        named = {one.code: one.names.get(language.value, one.code) for one in self.stages.stages}
        return {**named, lifecycle.OUTSIDE: outside}

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Of attributes."""
        return self.vocabulary.attributes

    def as_of(self, now: datetime) -> Asking:
        """The same at another moment."""
        return replace(self, clock=self.clock.at(now))

    def with_segments(self, trees: Mapping[UUID, Node]) -> Asking:
        """The same with these segments instead."""
        return replace(self, vocabulary=replace(self.vocabulary, segments=trees))

    def whole(self, node: Node) -> Node:
        """The tree with what the segments and the stores mean that it names."""
        return expanded(node, self.vocabulary)


def asking(tx: Transaction, workplace: Workplace, now: datetime | None = None) -> Asking:
    """Everything that trees may name, as it is now."""
    definitions = profiles.attribute_definitions_of(tx).values()
    newest = (versions.c.segment_id == segments.c.segment_id) & (versions.c.version == segments.c.version)
    trees = tx.execute(
        sa.select(segments.c.segment_id, versions.c.definition)
        .join(versions, newest)
        .where(segments.c.archived_at.is_(None))
    )
    stages = lifecycle.current_stages(tx)
    return Asking(
        Vocabulary(
            attributes={one.name: kind for one in definitions if (kind := _kind(one)) is not None},
            personal=frozenset(one.name for one in definitions if one.personal),
            stages=frozenset((*stages.codes, lifecycle.OUTSIDE)),
            segments={row.segment_id: read_tree(row.definition) for row in trees},
            lists=frozenset(tx.scalars(sa.select(lists.c.list_id))),
            stores={row.store_id: Place(row.name, row.city, row.district) for row in tx.execute(catalog.every_store())},
        ),
        Clock(
            now or datetime.now(UTC),
            catalog.zone_of(tx, workplace.settings),
            profiles.sealed_days(workplace.keyring),
        ),
        currency_of(tx),
        stages,
    )


def _kind(attribute: profiles.AttributeDefinition) -> Kind | None:
    """What can be asked of an attribute; None where nothing can."""
    if attribute.personal:
        return Kind.YEARLY if profiles.has_day(attribute) else None
    return _KINDS[attribute.type]


def members_among(tx: Transaction, asked: Asking, node: Node, customer_ids: Collection[UUID]) -> set[UUID]:
    """Those of these customers whom a checked tree means, as they are now."""
    whole = asked.whole(node)
    rows = in_database(
        tx, customer_ids, asked.currency, lambda subjects: members(whole, subjects, asked.clock, asked.kinds)
    )
    return {row.customer_id for row in rows}


@dataclass(frozen=True)
class Answered:
    """Whether a node holds, the value that it compares, and the rows that it looked at.

    Moments are in microseconds since 1970; the rows are those of :func:`~shuke.segments.measures.evidence`.
    """

    holds: bool
    value: Any
    rows: Sequence[sa.Row[Any]]


def answers_of(tx: Transaction, asked: Asking, nodes: list[Node], customer_id: UUID, *, most: int) -> list[Answered]:
    """What each of these nodes comes to for a customer as they are now, with ``most`` rows of each."""
    whole = [asked.whole(node) for node in nodes]
    (row,) = in_database(
        tx, [customer_id], asked.currency, lambda subjects: leaves(whole, subjects, asked.clock, asked.kinds)
    )
    found: list[list[sa.Row[Any]]] = [[] for _ in whole]
    if any(isinstance(node, LOOKING) for node in whole):
        for one in in_database(
            tx, [customer_id], asked.currency, lambda subjects: evidence(whole, subjects, asked.clock, most=most)
        ):
            found[one.number].append(one)
    holds, values = row[1 : 1 + len(whole)], iter(row[1 + len(whole) :])
    return [
        Answered(holds=held, value=next(values) if isinstance(node, COMPARING) else None, rows=rows)
        for node, held, rows in zip(whole, holds, found, strict=True)
    ]
