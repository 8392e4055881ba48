"""Who is who, and everything that is known of one customer."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from shuke.base.errors import BadInput
from shuke.platform import Keyring, Transaction, among
from shuke.profiles.model import ExternalId
from shuke.profiles.rules.identifiers import checked_kind, normalised
from shuke.profiles.service.resolving import key_of
from shuke.profiles.tables import customers, identities

IDENTITIES_MAX = 50_000


def owners() -> sa.Select[tuple[int, UUID]]:
    """Every identity and the customer whose it is (``identity_id``, ``customer_id``), to be joined by rooms above."""
    return sa.select(identities.c.identity_id, identities.c.customer_id)


def customers_of(tx: Transaction, identity_ids: Collection[int]) -> dict[int, UUID]:
    """The customer of each of these identities; BadInput ``profiles.too_many`` above :data:`IDENTITIES_MAX`."""
    if len(identity_ids) > IDENTITIES_MAX:
        raise BadInput("profiles.too_many", limit=IDENTITIES_MAX)
    wanted = among("bigint", identity_ids)
    rows = tx.execute(owners().where(identities.c.identity_id == wanted))
    return {row.identity_id: row.customer_id for row in rows}


def identities_of(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, tuple[int, ...]]:
    """The identities of each of these customers, whose facts are the customer's; for a customer who has been merged,
    those of who stands for it. Who has none, does not exist or was erased is not in it.

    Raises BadInput ``profiles.too_many`` above :data:`IDENTITIES_MAX`.
    """
    if len(customer_ids) > IDENTITIES_MAX:
        raise BadInput("profiles.too_many", limit=IDENTITIES_MAX)
    # Not by coalesce, of which PostgreSQL does not know that it tells nothing: it would be looked at after the policies
    # of a reader with a scope, and so by reading every identity.
    stands = sa.case((customers.c.merged_into.is_(None), customers.c.customer_id), else_=customers.c.merged_into)
    rows = tx.execute(
        sa.select(customers.c.customer_id, identities.c.identity_id)
        .join(identities, identities.c.customer_id == stands)
        .where(customers.c.customer_id == among("uuid", customer_ids), customers.c.erased_at.is_(None))
        .order_by(identities.c.identity_id)
    )
    found: dict[UUID, tuple[int, ...]] = {}
    for customer, identity_id in rows:
        found[customer] = (*found.get(customer, ()), identity_id)
    return found


def find(tx: Transaction, keyring: Keyring, kind: str, value: str) -> UUID | None:
    """The customer with this identity; None when nobody has it, or it cannot be one."""
    plain = normalised(checked_kind(kind), value)
    if plain is None:
        return None
    kind, lookup = key_of(keyring, ExternalId(kind, plain))
    return tx.scalar(
        sa.select(identities.c.customer_id).where(identities.c.kind == kind, identities.c.lookup == lookup)
    )
