"""Whose customer somebody is: the stores where they were seen, and the people who look after them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.base.errors import NotFound
from shuke.platform import Transaction, array
from shuke.profiles.service.merging import standing_for
from shuke.profiles.tables import customer_owners

__all__ = ["give_to", "note_stores", "take_from"]


def note_stores(tx: Transaction, seen: Iterable[tuple[int, str]]) -> None:
    """Note that identities were seen at stores; most are known already, which is only looked up."""
    pairs = sorted(set(seen))
    if not pairs:
        return
    # In one order everywhere, so that two who note the same wait and never lock each other out.
    tx.execute(
        sa.text(
            """
            INSERT INTO identity_stores (identity_id, store)
            SELECT identity_id, store
            FROM unnest(CAST(:identities AS bigint[]), CAST(:stores AS text[])) AS seen (identity_id, store)
            WHERE NOT EXISTS (
                SELECT FROM identity_stores s WHERE s.identity_id = seen.identity_id AND s.store = seen.store
            )
            ORDER BY identity_id, store
            ON CONFLICT DO NOTHING
            """
        ),
        {"identities": array(one for one, _ in pairs), "stores": array(store for _, store in pairs)},
    )


def give_to(tx: Transaction, customer_id: UUID, user_id: UUID, now: datetime) -> None:
    """Let somebody look after a customer, beside whoever does; NotFound ``profiles.no_customer``."""
    top = standing_for(tx, {customer_id})[customer_id]
    given = insert(customer_owners).values(customer_id=top, user_id=user_id, since=now)
    tx.execute(given.on_conflict_do_nothing())


def take_from(tx: Transaction, customer_id: UUID, user_id: UUID) -> None:
    """Let somebody look after a customer no more, whichever part of the customer they were given.

    Raises:
        NotFound: ``profiles.no_customer``; ``profiles.not_theirs`` when they do not look after this one.
    """
    top = standing_for(tx, {customer_id})[customer_id]
    gone = tx.execute(
        sa.text(
            """
            DELETE FROM customer_owners USING customers c
            WHERE customer_owners.customer_id = c.customer_id AND user_id = :user
                AND (c.customer_id = :top OR c.merged_into = :top)
            """
        ),
        {"user": user_id, "top": top},
    )
    if not gone.rowcount:
        raise NotFound("profiles.not_theirs")
