"""Consent of customers who may have been several: what any part of them said, the latest counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from shuke import privacy
from shuke.platform import Keyring, Transaction
from shuke.profiles.service.merging import parts_of, standing, standing_for


def record_consents(tx: Transaction, keyring: Keyring, said: Sequence[privacy.Consent], now: datetime) -> None:
    """Add what customers said to the ledger, for who stands for them now.

    Raises what :func:`shuke.privacy.record_consent` does, and NotFound ``profiles.no_customer``.
    """
    stands = standing_for(tx, {one.customer_id for one in said})
    parts = parts_of(tx, set(stands.values()))
    now_standing = [replace(one, customer_id=stands[one.customer_id]) for one in said]
    privacy.record_consent(tx, keyring, now_standing, now, parts=parts)


def consents_of(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, tuple[privacy.CurrentConsent, ...]]:
    """What counts now for each of these customers by purpose and channel; nothing for who never said anything.

    Who does not exist, or was erased, is not in it: there is nobody who consents.
    """
    stands = standing(tx, customer_ids)
    parts = parts_of(tx, set(stands.values()))
    said = privacy.consents(tx, {part for all_parts in parts.values() for part in all_parts})
    return {
        customer: privacy.current(one for part in parts[top] for one in said.get(part, ()))
        for customer, top in stands.items()
    }


def said_by(parts: sa.FromClause) -> sa.Select[Any]:
    """What counts of customers of :func:`parts_of_present`: ``customer_id``, ``purpose``, ``channel``, ``state``."""
    said = privacy.every_consent().subquery("said")
    about = (parts.c.customer_id, said.c.purpose, said.c.channel)
    return (
        sa.select(*about, said.c.state)
        .ext(distinct_on(*about))
        .join_from(parts, said, said.c.customer_id == parts.c.part)
        .order_by(*about, said.c.at.desc(), said.c.event_id.desc())
    )
