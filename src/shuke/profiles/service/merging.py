"""Two customers who are one: by hand, and undone.

The merges in force are a forest, loser below winner. An identity belongs to the root above the customer that it was
attached to. To undo a merge is to cut one edge: the loser becomes a root, and takes along what was attached to it or
below it, no matter what was merged before or since.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.base.ids import new_id
from shuke.platform import Transaction, among
from shuke.profiles.model import Merge
from shuke.profiles.rules.profile import own_first
from shuke.profiles.rules.resolution import may_merge
from shuke.profiles.service.resolving import lock_customers, point_to
from shuke.profiles.tables import customers, identities, merges

CUSTOMERS_MAX = 10_000
MERGES_SHOWN_MAX = 200


def standing_for(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Who stands for each of these customers: itself, or the one that it has been merged into.

    Raises:
        BadInput: ``profiles.too_many`` above :data:`CUSTOMERS_MAX`.
        NotFound: ``profiles.no_customer`` when one does not exist or was erased.
    """
    found = standing(tx, customer_ids)
    if missing := set(customer_ids) - found.keys():
        raise NotFound("profiles.no_customer", customer_id=str(min(missing)))
    return found


def standing(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Like :func:`standing_for`, but who does not exist or was erased is not in it."""
    if len(customer_ids) > CUSTOMERS_MAX:
        raise BadInput("profiles.too_many", limit=CUSTOMERS_MAX)
    wanted = among("uuid", customer_ids)
    rows = tx.execute(
        sa.select(customers.c.customer_id, sa.func.coalesce(customers.c.merged_into, customers.c.customer_id))
        .where(customers.c.customer_id == wanted)
        .where(customers.c.erased_at.is_(None))
    )
    return {row[0]: row[1] for row in rows}


def parts_of(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """Each of these customers with all that have been merged into it, itself first; who was merged is not in it."""
    wanted = among("uuid", customer_ids)
    own = sa.select(customers.c.customer_id, customers.c.customer_id.label("part")).where(
        customers.c.customer_id == wanted, customers.c.merged_into.is_(None)
    )
    merged = sa.select(customers.c.merged_into, customers.c.customer_id).where(customers.c.merged_into == wanted)
    found: dict[UUID, list[UUID]] = {}
    for customer, part in tx.execute(sa.union_all(own, merged)):
        found.setdefault(customer, []).append(part)
    return {customer: own_first(customer, parts) for customer, parts in found.items()}


def merge(tx: Transaction, winner: UUID, loser: UUID, reason: dict[str, str], now: datetime) -> Merge:
    """Make two customers one, because a person says so; ``reason`` holds codes (``by``, ``why``), nothing personal.

    Raises:
        NotFound: ``profiles.no_customer``.
        Conflict: ``profiles.already_one``; ``profiles.over_limits`` when together they would have more identities of a
            kind than a customer may; ``profiles.busy`` when somebody merged one of them at this moment.
    """
    stands = standing_for(tx, {winner, loser})
    pair = {stands[winner], stands[loser]}
    if len(pair) == 1:
        raise Conflict("profiles.already_one")
    lock_customers(tx, pair)
    if standing_for(tx, {winner, loser}) != stands:
        raise Conflict("profiles.busy")
    top, below = stands[winner], stands[loser]
    rows = tx.execute(
        sa.select(identities.c.customer_id, identities.c.kind, identities.c.identity_id)
        .where(identities.c.customer_id.in_(pair))
        .order_by(identities.c.identity_id)
    ).all()
    held = {customer: Counter(row.kind for row in rows if row.customer_id == customer) for customer in pair}
    if not may_merge(held[top], held[below]):
        raise Conflict("profiles.over_limits")
    made = Merge(
        new_id(at_ms=int(now.timestamp() * 1000)),
        top,
        below,
        tuple(row.identity_id for row in rows if row.customer_id == below),
        dict(reason),
        now,
        None,
    )
    tx.execute(
        sa.insert(merges).values(
            merge_id=made.merge_id,
            winner=top,
            loser=below,
            identity_ids=list(made.identity_ids),
            reason=json.loads(json.dumps(made.reason)),
            merged_at=now,
        )
    )
    point_to(tx, {below: top}, now)
    return made


def unmerge(tx: Transaction, merge_id: UUID, now: datetime) -> Merge:
    """Undo a merge: the loser is a customer again, with the identities that came with it, and so with their facts.

    Merges that lie above, below or beside it stay, in whatever order they were made. What was attached since stays with
    who it was attached to. The two are not merged by a message again; by hand they can be.

    Raises:
        NotFound: ``profiles.no_merge``.
        Conflict: ``profiles.merge_undone`` when it was undone already; ``profiles.merge_erased`` when the customer has
            been erased since; ``profiles.busy`` when somebody merged one of them at this moment.
    """
    row = tx.execute(sa.select(merges).where(merges.c.merge_id == merge_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("profiles.no_merge", merge_id=str(merge_id))
    if row.undone_at is not None:
        raise Conflict("profiles.merge_undone")
    root = _root(tx, row.loser)
    lock_customers(tx, {root, row.loser})
    if _root(tx, row.loser) != root:
        raise Conflict("profiles.busy")
    tx.execute(sa.update(merges).where(merges.c.merge_id == merge_id).values(undone_at=now))
    below = _below(tx, row.loser)
    tx.execute(
        sa.update(customers)
        .where(customers.c.customer_id.in_(below))
        .values(merged_into=sa.func.nullif(sa.literal(row.loser, sa.Uuid), customers.c.customer_id), updated_at=now)
    )
    tx.execute(
        sa.update(identities)
        .where(identities.c.customer_id == root, identities.c.attached_to.in_(below))
        .values(customer_id=row.loser)
    )
    return _merge(row, undone_at=now)


def merges_of(tx: Transaction, customer_id: UUID) -> tuple[Merge, ...]:
    """The merges that this customer had part in, and those of all who are this customer now; newest first.

    At most :data:`MERGES_SHOWN_MAX`.
    """
    parts = among("uuid", parts_of(tx, {customer_id}).get(customer_id, (customer_id,)))
    rows = tx.execute(
        sa.select(merges)
        .where((merges.c.winner == parts) | (merges.c.loser == parts))
        .order_by(merges.c.merged_at.desc(), merges.c.merge_id.desc())
        .limit(MERGES_SHOWN_MAX)
    )
    return tuple(_merge(row, undone_at=row.undone_at) for row in rows)


def _merge(row: sa.Row[Any], *, undone_at: datetime | None) -> Merge:
    return Merge(
        row.merge_id, row.winner, row.loser, tuple(row.identity_ids), dict(row.reason), row.merged_at, undone_at
    )


def _root(tx: Transaction, customer_id: UUID) -> UUID:
    row = tx.execute(
        sa.select(customers.c.merged_into, customers.c.erased_at).where(customers.c.customer_id == customer_id)
    ).one()
    if row.erased_at is not None or row.merged_into is None:
        raise Conflict("profiles.merge_erased")
    root: UUID = row.merged_into
    return root


def _below(tx: Transaction, customer_id: UUID) -> list[UUID]:
    """The customer and all who were merged into it, directly or not, by merges in force."""
    top = sa.select(sa.literal(customer_id, sa.Uuid).label("customer_id")).cte("below", recursive=True)
    next_ones = (
        sa.select(merges.c.loser).join(top, merges.c.winner == top.c.customer_id).where(merges.c.undone_at.is_(None))
    )
    return list(tx.scalars(sa.select(top.union(next_ones).c.customer_id)))
