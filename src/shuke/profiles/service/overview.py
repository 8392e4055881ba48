"""Everything about one customer, in a handful of statements that each find what they need by a key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke import access, privacy
from shuke.base.errors import NotFound
from shuke.platform import Keyring, Transaction
from shuke.profiles.model import Identity, PlainValue, Profile, Tag
from shuke.profiles.rules.profile import combined, shown_attribute, shown_identity
from shuke.profiles.service.attributes import attribute_field
from shuke.profiles.service.resolving import field_of
from shuke.profiles.tables import customers, household_members, identities, tags

_ATTRIBUTE = attribute_field("")
_IDENTITY = "identity:"


def profile_360(
    tx: Transaction, keyring: Keyring, customer_id: UUID, now: datetime, *, fields: access.Fields = access.MASKED
) -> Profile:
    """The customer who stands for this one, whole: attributes, identities, tags, consent, household.

    Personal values are shown as ``fields`` say, masked if they say nothing. Six statements, none of which
    grows with the number of customers. Raises NotFound ``profiles.no_customer`` when there is none, or it was erased.
    """
    own, *others = _parts(tx, customer_id)
    parts = [own.customer_id, *(part.customer_id for part in others)]
    # Other rooms keep what they know in the vault, too: a customer of many years has thousands of fields there.
    found = privacy.read_fields(tx, keyring, parts, prefixes=(_ATTRIBUTE, _IDENTITY))
    secrets = [found.get(part, {}) for part in parts]
    values = {field: text for part in secrets for field, text in part.items()}
    return Profile(
        customer_id=own.customer_id,
        customer_ids=tuple(parts),
        created_at=min(part.created_at for part in (own, *others)),
        updated_at=max(part.updated_at for part in (own, *others)),
        attributes=_attributes([part.attributes for part in (own, *others)], secrets, fields=fields),
        identities=_identities(tx, own.customer_id, values, fields=fields),
        tags=_tags(tx, parts, now),
        consents=privacy.current(one for said in privacy.consents(tx, parts).values() for one in said),
        household=_household(tx, own.customer_id),
    )


def _parts(tx: Transaction, customer_id: UUID) -> list[sa.Row[Any]]:
    asked = (
        sa.select(sa.func.coalesce(customers.c.merged_into, customers.c.customer_id))
        .where(customers.c.customer_id == customer_id, customers.c.erased_at.is_(None))
        .scalar_subquery()
    )
    rows = tx.execute(
        sa.select(customers)
        .where((customers.c.customer_id == asked) | (customers.c.merged_into == asked))
        .order_by(customers.c.merged_into.nulls_first(), customers.c.customer_id)
    ).all()
    if not rows:
        raise NotFound("profiles.no_customer", customer_id=str(customer_id))
    return list(rows)


def _attributes(
    plain: list[dict[str, PlainValue]], secrets: list[dict[str, str]], *, fields: access.Fields
) -> dict[str, PlainValue | None]:
    personal: list[dict[str, PlainValue | None]] = [
        {
            field.removeprefix(_ATTRIBUTE): shown_attribute(field.removeprefix(_ATTRIBUTE), text, fields)
            for field, text in values.items()
            if field.startswith(_ATTRIBUTE)
        }
        for values in secrets
    ]
    return dict(sorted((combined(plain) | combined(personal)).items()))


def _identities(
    tx: Transaction, customer_id: UUID, values: dict[str, str], *, fields: access.Fields
) -> tuple[Identity, ...]:
    rows = tx.execute(
        sa.select(identities).where(identities.c.customer_id == customer_id).order_by(identities.c.identity_id)
    )
    shown = []
    for row in rows:
        value = values.get(field_of(row.kind, row.identity_id), "")
        shown.append(
            Identity(
                row.identity_id, row.kind, shown_identity(row.kind, value, fields), row.first_seen_at, row.last_seen_at
            )
        )
    return tuple(shown)


def _tags(tx: Transaction, parts: list[UUID], now: datetime) -> tuple[Tag, ...]:
    rows = tx.execute(
        sa.select(tags)
        .where(tags.c.customer_id.in_(parts))
        .where(tags.c.expires_at.is_(None) | (tags.c.expires_at > now))
        .order_by(tags.c.tag, tags.c.source, tags.c.added_at)
    )
    return _each_once(Tag(row.tag, row.source, row.added_at, row.expires_at) for row in rows)


def _each_once(found: Iterable[Tag]) -> tuple[Tag, ...]:
    """Of tags that several parts have from one source, the one put on last."""
    return tuple({(one.tag, one.source): one for one in found}.values())


def _household(tx: Transaction, customer_id: UUID) -> tuple[UUID, ...]:
    own = sa.select(household_members.c.household_id).where(household_members.c.customer_id == customer_id)
    return tuple(
        tx.scalars(
            sa.select(household_members.c.customer_id)
            .where(household_members.c.household_id.in_(own))
            .order_by(household_members.c.customer_id)
        )
    )
