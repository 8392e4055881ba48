"""Forget a customer."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from shuke import privacy
from shuke.base.errors import Conflict
from shuke.platform import Transaction
from shuke.profiles.service.merging import parts_of, standing_for
from shuke.profiles.service.resolving import lock_customers
from shuke.profiles.tables import customer_owners, customers, household_members, tag_batch_rows, tags


def erase(tx: Transaction, customer_id: UUID, now: datetime) -> tuple[UUID, ...]:
    """Erase a customer and all that it consists of; returns their ids.

    The keys of their values are destroyed. Their identities stay as numbers that hold the facts together, for sums and
    counts, but nobody can be found by them any more: who comes again is somebody new. What they said about consent
    stays in the ledger, which holds nothing personal.

    Raises:
        NotFound: ``profiles.no_customer`` when there is none, or it was erased already.
        Conflict: ``profiles.busy`` when somebody merged it at this moment.
    """
    top = standing_for(tx, {customer_id})[customer_id]
    lock_customers(tx, {top})
    if standing_for(tx, {customer_id})[customer_id] != top:
        raise Conflict("profiles.busy")
    parts = parts_of(tx, {top})[top]
    for part in parts:
        privacy.erase(tx, part, now)
    # Random bytes of their own for each, which no value has for its index.
    tx.execute(
        sa.text("UPDATE identities SET lookup = uuid_send(gen_random_uuid()) WHERE customer_id = :top"),
        {"top": top},
    )
    tx.execute(sa.delete(tags).where(tags.c.customer_id.in_(parts)))
    tx.execute(sa.delete(tag_batch_rows).where(tag_batch_rows.c.customer_id.in_(parts)))
    tx.execute(sa.delete(customer_owners).where(customer_owners.c.customer_id.in_(parts)))
    tx.execute(sa.delete(household_members).where(household_members.c.customer_id.in_(parts)))
    tx.execute(
        sa.update(customers)
        .where(customers.c.customer_id.in_(parts))
        .values(attributes={}, erased_at=now, updated_at=now)
    )
    return parts
