"""Give a customer one more identity, because a person says so."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke import privacy
from shuke.base.errors import BadInput, Conflict
from shuke.platform import Keyring, Transaction
from shuke.profiles.model import ExternalId
from shuke.profiles.rules.identifiers import checked_kind, limit_of, normalised
from shuke.profiles.service.merging import standing_for
from shuke.profiles.service.resolving import field_of, key_of, lock_customers
from shuke.profiles.service.terms import search_terms
from shuke.profiles.tables import identities


def attach_identity(tx: Transaction, keyring: Keyring, customer_id: UUID, kind: str, value: str, now: datetime) -> int:
    """Attach an identity to who stands for this customer; returns its number. Doing it again changes nothing.

    Raises:
        BadInput: ``profiles.bad_kind``, ``profiles.bad_identity`` when the value cannot be used.
        NotFound: ``profiles.no_customer``.
        Conflict: ``profiles.identity_taken`` when another customer has it (merge the two, if they are one);
            ``profiles.over_limits`` when the customer has as many of the kind as it may; ``profiles.busy``.
    """
    plain = normalised(checked_kind(kind), value)
    if plain is None:
        raise BadInput("profiles.bad_identity", kind=kind)
    top = standing_for(tx, {customer_id})[customer_id]
    lock_customers(tx, {top})
    if standing_for(tx, {customer_id})[customer_id] != top:
        raise Conflict("profiles.busy")
    _, lookup = key_of(keyring, ExternalId(kind, plain))
    there = tx.execute(sa.select(identities).where(identities.c.kind == kind, identities.c.lookup == lookup)).first()
    if there is not None:
        if there.customer_id != top:
            raise Conflict("profiles.identity_taken")
        return int(there.identity_id)
    held = tx.execute(
        sa.select(sa.func.count()).where(identities.c.customer_id == top, identities.c.kind == kind)
    ).scalar_one()
    if held >= limit_of(kind):
        raise Conflict("profiles.over_limits")
    made: int | None = tx.scalar(
        insert(identities)
        .values(kind=kind, lookup=lookup, customer_id=top, attached_to=top, first_seen_at=now, last_seen_at=now)
        .on_conflict_do_nothing()
        .returning(identities.c.identity_id)
    )
    if made is None:
        raise Conflict("profiles.busy")
    privacy.write_fields(tx, keyring, top, {field_of(kind, made): plain}, now, terms=search_terms(keyring))
    return made
