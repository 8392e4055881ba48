"""Who is who, and everything that is known of one customer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from shuke import privacy
from shuke.base.errors import BadInput
from shuke.platform import Keyring, Transaction, among
from shuke.profiles.model import ExternalId
from shuke.profiles.rules.identifiers import checked_kind, normalised
from shuke.profiles.service.attributes import attribute_field
from shuke.profiles.service.resolving import key_of
from shuke.profiles.tables import customers, identities, tags

IDENTITIES_MAX = 50_000
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: What people paste: identities of these kinds, the first of which counts.
PASTED = ("phone", "email", "member_number")


def owners() -> sa.Select[tuple[int, UUID]]:
    """Every identity and the customer whose it is (``identity_id``, ``customer_id``), to be joined by rooms above."""
    return sa.select(identities.c.identity_id, identities.c.customer_id)


def parts_of_present(customer_ids: Collection[UUID] | None = None) -> sa.Select[Any]:
    """Everybody who is a customer of their own now, with all that were merged into them: ``part``, ``customer_id``.

    With ``customer_ids`` only these, where they are.
    """
    part, top = customers.alias("part"), customers.alias("top")
    stands = sa.func.coalesce(part.c.merged_into, part.c.customer_id)
    found = (
        sa.select(part.c.customer_id.label("part"), top.c.customer_id)
        .join_from(part, top, top.c.customer_id == stands)
        .where(top.c.erased_at.is_(None))
    )
    if customer_ids is None:
        return found
    wanted = among("uuid", customer_ids)
    return found.where((part.c.customer_id == wanted) | (part.c.merged_into == wanted), top.c.merged_into.is_(None))


def described(parts: sa.FromClause) -> sa.Select[Any]:
    """Of each customer of :func:`parts_of_present` what is known and not personal: ``customer_id``, ``created_at``,
    ``attributes``; and among these of personal dates the number of their day of the year, as in
    :func:`~shuke.profiles.service.days.sealed_days`.

    As on their page: what they know themselves counts, then what the oldest of those merged into them does.
    """
    merged = customers.alias("merged")
    each = sa.func.jsonb_each(merged.c.attributes).table_valued("key", "value", joins_implicitly=True)
    others = (
        sa.select(
            parts.c.customer_id,
            sa.func.jsonb_object_agg(each.c.key, aggregate_order_by(each.c.value, merged.c.customer_id.desc())).label(
                "attributes"
            ),
        )
        .join_from(parts, merged, merged.c.customer_id == parts.c.part)
        .where(parts.c.part != parts.c.customer_id)
        .group_by(parts.c.customer_id)
        .subquery("others")
    )
    days = _days_of(parts).subquery("days")
    nothing = sa.text("'{}'::jsonb")
    # No attribute is both personal and not.
    known = sa.func.coalesce(others.c.attributes, nothing).op("||")(customers.c.attributes)
    known = known.op("||")(sa.func.coalesce(days.c.attributes, nothing))
    return (
        sa.select(customers.c.customer_id, customers.c.created_at, known.label("attributes"))
        .join_from(parts, customers, customers.c.customer_id == parts.c.part)
        .outerjoin(others, others.c.customer_id == customers.c.customer_id)
        .outerjoin(days, days.c.customer_id == customers.c.customer_id)
        .where(parts.c.part == parts.c.customer_id)
    )


def _days_of(parts: sa.FromClause) -> sa.Select[Any]:
    """The days of the year of customers with personal dates: ``customer_id``, ``attributes``."""
    kept = privacy.every_day().subquery("kept")
    name = sa.func.substr(kept.c.field, len(attribute_field("")) + 1)
    # Of several the last counts.
    own_last = aggregate_order_by(kept.c.day, kept.c.person_id == parts.c.customer_id, kept.c.person_id.desc())
    return (
        sa.select(parts.c.customer_id, sa.func.jsonb_object_agg(name, own_last).label("attributes"))
        .join_from(parts, kept, kept.c.person_id == parts.c.part)
        .group_by(parts.c.customer_id)
    )


def labels(parts: sa.FromClause) -> sa.Select[Any]:
    """The tags of customers of :func:`parts_of_present`: ``customer_id``, ``tag``, ``source``, ``expires_at``."""
    return sa.select(parts.c.customer_id, tags.c.tag, tags.c.source, tags.c.expires_at).join_from(
        parts, tags, tags.c.customer_id == parts.c.part
    )


def kinds_of(parts: sa.FromClause) -> sa.Select[Any]:
    """Which kinds of identities customers of :func:`parts_of_present` have: ``customer_id``, ``kind``."""
    own = parts.c.part == parts.c.customer_id
    return (
        sa.select(parts.c.customer_id, identities.c.kind)
        .join_from(parts, identities, identities.c.customer_id == parts.c.part)
        .where(own)
        .distinct()
    )


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


def named(tx: Transaction, keyring: Keyring, texts: Collection[str]) -> dict[str, UUID]:
    """Whom each of these texts names, by the text: a customer's id, or an identity of one of the kinds :data:`PASTED`.

    Phone numbers and addresses are compared as :func:`find` does; who was merged is who stands for them. A text that
    names nobody is not in it. Looked up in sets, however many they are.
    """
    found: dict[str, UUID] = {}
    for kind in reversed(PASTED):
        plain = {text: value for text in texts if (value := normalised(kind, text)) is not None}
        keys = {text: key_of(keyring, ExternalId(kind, value))[1] for text, value in plain.items()}
        owner: dict[bytes, UUID] = {}
        for lookups in _batched(set(keys.values()), IDENTITIES_MAX):
            wanted = sa.select(identities.c.lookup, identities.c.customer_id).where(
                identities.c.kind == kind, identities.c.lookup == among("bytea", lookups)
            )
            owner |= {bytes(row.lookup): row.customer_id for row in tx.execute(wanted)}
        found |= {text: owner[key] for text, key in keys.items() if key in owner}
    ids = {text: UUID(text.strip()) for text in texts if _ID.fullmatch(text.strip())}
    stands = sa.func.coalesce(customers.c.merged_into, customers.c.customer_id)
    standing: dict[UUID, UUID] = {}
    for some in _batched(set(ids.values()), IDENTITIES_MAX):
        chosen = sa.select(customers.c.customer_id, stands).where(
            customers.c.customer_id == among("uuid", some), customers.c.erased_at.is_(None)
        )
        standing |= {row[0]: row[1] for row in tx.execute(chosen)}
    return found | {text: standing[one] for text, one in ids.items() if one in standing}


def _batched(values: Collection[Any], rows: int) -> Iterator[list[Any]]:
    """The values, so many at a time."""
    every = list(values)
    for begin in range(0, len(every), rows):
        yield every[begin : begin + rows]
