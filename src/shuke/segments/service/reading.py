"""Who is in a segment, who came and went, and why somebody is in it or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke import access, profiles
from shuke.base.cursors import cursor_of, place_of
from shuke.base.errors import BadInput, NotAllowed, NotFound
from shuke.base.language import Language
from shuke.platform import Transaction
from shuke.segments.measures import LOOKING
from shuke.segments.model.clock import Clock
from shuke.segments.model.kinds import COMPARING, Kind, kind_of
from shuke.segments.model.segment import Change, Explained, Fact, Member, Size, Using
from shuke.segments.model.tree import Group, Node
from shuke.segments.rules.checking import read_tree, segments_of
from shuke.segments.rules.wording import Names, happening, known, sentence
from shuke.segments.service.asking import Asking, answers_of
from shuke.segments.service.definitions import get_segment
from shuke.segments.tables import changes, lists, members, segments, versions

__all__ = [
    "DAYS_MAX",
    "PAGE_MAX",
    "Changes",
    "Members",
    "changes_after",
    "changes_of",
    "explained",
    "in_segment",
    "last_change",
    "members_of",
    "names_among",
    "names_of",
    "sizes_of",
    "uses_of",
]

PAGE_MAX = 500
#: Days of which sizes are told.
DAYS_MAX = 1_100
#: Facts that are told of one statement.
FACTS_MAX = 5


@dataclass(frozen=True)
class Members:
    """A page of who is in a segment, in the order of their ids; ``next`` where more follow."""

    items: tuple[Member, ...]
    next: str | None


@dataclass(frozen=True)
class Changes:
    """A page of who came and went, the latest first; ``next`` where more follow."""

    items: tuple[Change, ...]
    next: str | None


def members_of(tx: Transaction, segment_id: UUID, *, after: str | None = None, limit: int = 100) -> Members:
    """A page of who is in a segment.

    Raises:
        NotFound: ``segments.no_segment``.
        BadInput: ``segments.bad_page`` for a limit, or an ``after``, that is none.
    """
    get_segment(tx, segment_id)
    chosen = sa.select(members).where(members.c.segment_id == segment_id).order_by(members.c.customer_id)
    if after is not None:
        chosen = chosen.where(members.c.customer_id > _place(after, lambda found: UUID(hex=found)))
    rows = tx.execute(chosen.limit(_rows(limit) + 1)).all()
    items = tuple(Member(customer_id=row.customer_id, since=row.since) for row in rows[:limit])
    return Members(items, cursor_of(items[-1].customer_id.hex) if len(rows) > limit else None)


def in_segment(reader: access.Reader, tx: Transaction, segment_id: UUID) -> profiles.Chosen:
    """Who is in a segment, to be chosen from all customers.

    Raises:
        NotAllowed: ``access.not_allowed`` for a reader who may not look at segments.
        NotFound: ``segments.no_segment``.
    """
    if "segments.read" not in reader.permissions:
        raise NotAllowed("access.not_allowed", permission="segments.read")
    get_segment(tx, segment_id)
    within = sa.select(members.c.customer_id).where(members.c.segment_id == segment_id)

    def one(customer: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
        return within.where(members.c.customer_id == customer).limit(1).scalar_subquery().is_not(None)

    return profiles.Chosen(within.limit, one)


def changes_of(tx: Transaction, segment_id: UUID, *, after: str | None = None, limit: int = 100) -> Changes:
    """A page of who entered a segment and who left it; arguments and errors as for :func:`members_of`."""
    get_segment(tx, segment_id)
    chosen = sa.select(changes).where(changes.c.segment_id == segment_id).order_by(changes.c.change_id.desc())
    if after is not None:
        chosen = chosen.where(changes.c.change_id < _place(after, _number))
    rows = tx.execute(chosen.limit(_rows(limit) + 1)).all()
    items = tuple(
        Change(customer_id=row.customer_id, at=row.at, entered=row.entered, version=row.version, why=row.why)
        for row in rows[:limit]
    )
    return Changes(items, cursor_of(rows[limit - 1].change_id) if len(rows) > limit else None)


def last_change(tx: Transaction) -> int:
    """The number of the latest change of any segment; 0 before the first.

    Whoever writes changes has taken their turn (:func:`~shuke.segments.service.membership.hold`) and keeps it until the
    commit, so that they appear in the order of their numbers: of those up to this one none is still to come.
    """
    return tx.scalar(sa.select(sa.func.coalesce(sa.func.max(changes.c.change_id), 0))) or 0


def changes_after(change_id: int, limit: int) -> sa.Select[Any]:
    """Who entered and who left any segment after this change, in order, for whoever follows them.

    Columns ``change_id``, ``segment_id``, ``segment`` (its name), ``customer_id``, ``at``, ``entered``, ``version`` and
    ``why``; at most ``limit`` rows.
    """
    told = (changes.c.change_id, changes.c.segment_id, segments.c.name.label("segment"), changes.c.customer_id)
    return (
        sa.select(*told, changes.c.at, changes.c.entered, changes.c.version, changes.c.why)
        .join(segments, segments.c.segment_id == changes.c.segment_id)
        .where(changes.c.change_id > change_id)
        .order_by(changes.c.change_id)
        .limit(limit)
    )


def names_among(tx: Transaction, segment_ids: Iterable[UUID]) -> dict[UUID, str]:
    """What those of these segments are called that there are, archived ones, too."""
    named = sa.select(segments.c.segment_id, segments.c.name).where(segments.c.segment_id.in_(list(segment_ids)))
    return {row.segment_id: row.name for row in tx.execute(named)}


def sizes_of(tx: Transaction, segment_id: UUID, *, days: int, clock: Clock) -> tuple[Size, ...]:
    """How many were in a segment at the end of each of the last days, up to today, from the day on that it was built.

    Raises:
        NotFound: ``segments.no_segment``.
        BadInput: ``segments.bad_days`` for other than 1 to :data:`DAYS_MAX`.
    """
    if not 1 <= days <= DAYS_MAX:
        raise BadInput("segments.bad_days", limit=DAYS_MAX)
    customers = get_segment(tx, segment_id).customers
    day = sa.cast(sa.func.timezone(clock.time_zone, changes.c.at), sa.Date)
    first = tx.scalar(sa.select(sa.func.min(day)).where(changes.c.segment_id == segment_id))
    if customers is None or first is None:
        return ()
    since = max(first, clock.today - timedelta(days=days - 1))
    moved = sa.select(
        day.label("day"),
        sa.func.count().filter(changes.c.entered).label("entered"),
        sa.func.count().filter(~changes.c.entered).label("left"),
    )
    moved = moved.where(changes.c.segment_id == segment_id, day >= since).group_by(day)
    by_day = {row.day: row for row in tx.execute(moved)}
    sizes: list[Size] = []
    # From what it has now back to what it had.
    for back in range((clock.today - since).days + 1):
        on = clock.today - timedelta(days=back)
        entered, left = (by_day[on].entered, by_day[on].left) if on in by_day else (0, 0)
        sizes.append(Size(day=on, customers=customers, entered=entered, left=left))
        customers += left - entered
    return tuple(reversed(sizes))


def uses_of(tx: Transaction, segment_id: UUID) -> tuple[Using, ...]:
    """What names a segment, by name, archived segments last; NotFound ``segments.no_segment``."""
    get_segment(tx, segment_id)
    newest = (versions.c.segment_id == segments.c.segment_id) & (versions.c.version == segments.c.version)
    every = sa.select(segments.c.segment_id, segments.c.name, segments.c.archived_at, versions.c.definition)
    every = every.join(versions, newest).order_by(segments.c.archived_at.is_not(None), segments.c.name)
    return tuple(
        Using(kind="segment", id=row.segment_id, name=row.name, archived=row.archived_at is not None)
        for row in tx.execute(every)
        if segment_id in segments_of(read_tree(row.definition))
    )


def explained(
    tx: Transaction, asked: Asking, tree: Node, customer_id: UUID, *, language: Language, names: Names
) -> Explained:
    """Whether a tree holds for a customer as they are now, and which of its statements do, by which facts.

    Raises NotFound ``profiles.no_customer``.
    """
    if not tx.scalar(sa.select(profiles.parts_of_present([customer_id]).exists())):
        raise NotFound("profiles.no_customer", customer_id=str(customer_id))
    nodes = list(_each(tree))
    answers = iter(answers_of(tx, asked, nodes, customer_id, most=FACTS_MAX))

    def told(node: Node) -> Explained:
        answer = next(answers)
        parts = tuple(told(one) for one in node.of) if isinstance(node, Group) else ()
        return Explained(
            text=sentence(node, language, names),
            holds=answer.holds,
            known=_known(node, answer.value, asked, language, names),
            found=answer.rows[0].found if answer.rows else 0 if isinstance(node, LOOKING) else None,
            facts=tuple(_fact(row, language, names) for row in answer.rows),
            parts=parts,
        )

    return told(tree)


def _known(node: Node, value: Any, asked: Asking, language: Language, names: Names) -> str | None:
    if not isinstance(node, COMPARING):
        return None
    kind = kind_of(node, asked.kinds)
    if kind is Kind.MOMENT and value is not None:
        value = asked.clock.day_of(value)
    return known(node, value, kind, language, names)


def _fact(row: sa.Row[Any], language: Language, names: Names) -> Fact:
    text = happening(row.kind, row.name, row.product_id, row.amount_minor, language, names)
    return Fact(at=Clock.moment(row.us), text=text, counts=row.counts)


def names_of(tx: Transaction, asked: Asking, language: Language) -> Names:
    """What stages, segments, lists and stores are called in this language."""
    return Names(
        currency=asked.currency,
        stages=asked.stage_names(language),
        segments={row.segment_id: row.name for row in tx.execute(sa.select(segments.c.segment_id, segments.c.name))},
        stores={store: place.name for store, place in asked.vocabulary.stores.items() if place.name},
        lists={row.list_id: row.name for row in tx.execute(sa.select(lists.c.list_id, lists.c.name))},
    )


def _each(node: Node) -> list[Node]:
    return [node, *(inner for one in node.of for inner in _each(one))] if isinstance(node, Group) else [node]


def _rows(limit: int) -> int:
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput("segments.bad_page", limit=PAGE_MAX)
    return limit


def _number(found: Any) -> int:
    if not isinstance(found, int) or not 0 <= found < 2**63:
        raise ValueError(found)
    return found


def _place(after: str, read: Any) -> Any:
    try:
        return read(place_of(after, 1)[0])
    except (ValueError, TypeError, AttributeError):
        raise BadInput("segments.bad_page", limit=PAGE_MAX) from None
