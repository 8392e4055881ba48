"""What is known of one customer or a few, each found by a key."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from shuke import access, collect, profiles
from shuke.base.errors import BadInput
from shuke.lifecycle.model import Customer360, CustomerFacts, FormerFacts, Refresh, Unsaid
from shuke.lifecycle.tables import customer_facts, customer_facts_history, refreshes
from shuke.platform import Keyring, Transaction

__all__ = [
    "CUSTOMERS_MAX",
    "LATEST_MAX",
    "PARTS",
    "customer_360",
    "facts_of",
    "former_facts_of",
    "last_refresh",
    "most_valuable",
]

#: Customers whose facts can be asked for at once.
CUSTOMERS_MAX = 10_000
#: Facts of the timeline that come with a whole customer.
LATEST_MAX = 100
#: What is read of a whole customer beside the profile.
PARTS = ("traits", "computed", "timeline")
#: Changes of one customer that are looked back at.
HISTORY_MAX = 1_000


def every_fact() -> sa.Select[Any]:
    """The facts of everybody, as of the last refresh, to be joined by rooms above."""
    return sa.select(customer_facts)


def facts_of(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, CustomerFacts]:
    """The facts of these customers; who has no order, or none yet at the last refresh, is not in it.

    Raises:
        BadInput: ``lifecycle.too_many_customers`` for more than :data:`CUSTOMERS_MAX`.
    """
    if len(customer_ids) > CUSTOMERS_MAX:
        raise BadInput("lifecycle.too_many_customers", found=len(customer_ids), limit=CUSTOMERS_MAX)
    rows = tx.execute(
        sa.select(customer_facts, refreshes.c.as_of, refreshes.c.horizon_days, refreshes.c.cannot_say)
        .join(refreshes, refreshes.c.refresh_id == customer_facts.c.refresh_id)
        .where(customer_facts.c.customer_id.in_(customer_ids))
    )
    found = (dict(row) for row in rows.mappings())
    return {
        row["customer_id"]: CustomerFacts(
            **{name: value for name, value in row.items() if name not in ("refresh_id", "cannot_say")},
            cannot_say=_unsaid(row["cannot_say"]),
        )
        for row in found
    }


def most_valuable(tx: Transaction) -> dict[str, CustomerFacts]:
    """The customer of each stage who has been worth the most so far, by the code of the stage."""
    best = (
        sa.select(customer_facts.c.customer_id)
        .ext(distinct_on(customer_facts.c.stage))
        .order_by(customer_facts.c.stage, customer_facts.c.historic_clv_minor.desc(), customer_facts.c.customer_id)
    )
    return {one.stage: one for one in facts_of(tx, tx.scalars(best).all()).values()}


def former_facts_of(tx: Transaction, customer_id: UUID, *, limit: int = 100) -> tuple[FormerFacts, ...]:
    """What a customer's facts were, the newest first, at most :data:`HISTORY_MAX`."""
    table = customer_facts_history
    rows = tx.execute(
        sa.select(*(column for column in table.c if column.name not in ("customer_id", "refresh_id")))
        .where(table.c.customer_id == customer_id)
        .order_by(table.c.as_of.desc())
        .limit(min(limit, HISTORY_MAX))
    )
    return tuple(FormerFacts(**row) for row in rows.mappings())


def customer_360(
    tx: Transaction,
    keyring: Keyring,
    customer_id: UUID,
    now: datetime,
    *,
    latest: int = 20,
    fields: access.Fields = access.MASKED,
    parts: Collection[str] = PARTS,
) -> Customer360:
    """The customer who stands for this one, whole: profile, what events told, computed facts, the latest facts.

    Every statement finds what it reads by a key, so that the time does not grow with the number of customers.

    Args:
        tx: the caller's.
        keyring: opens what is personal.
        customer_id: whose.
        now: which tags count.
        latest: facts of the timeline, from 1 to :data:`LATEST_MAX`.
        fields: how the reader sees what is personal.
        parts: what of :data:`PARTS` is read; what is not is empty.

    Raises:
        NotFound: ``profiles.no_customer`` when there is none, or it was erased.
        BadInput: ``lifecycle.too_many_latest``.
    """
    if not 1 <= latest <= LATEST_MAX:
        raise BadInput("lifecycle.too_many_latest", limit=LATEST_MAX)
    profile = profiles.profile_360(tx, keyring, customer_id, now, fields=fields)
    return Customer360(
        profile=profile,
        traits=collect.read_traits(tx, keyring, profile.customer_ids, fields=fields) if "traits" in parts else {},
        computed=facts_of(tx, [profile.customer_id]).get(profile.customer_id) if "computed" in parts else None,
        timeline=collect.timeline(tx, profile.customer_id, limit=latest)
        if "timeline" in parts
        else collect.TimelinePage((), None),
    )


def last_refresh(tx: Transaction) -> Refresh | None:
    """The refresh that the facts are of; None before the first."""
    newest = sa.select(refreshes).order_by(refreshes.c.as_of.desc(), refreshes.c.finished_at.desc()).limit(1)
    row = tx.execute(newest).mappings().one_or_none()
    return None if row is None else Refresh(**{**row, "cannot_say": _unsaid(row["cannot_say"])})


def _unsaid(stored: list[dict[str, Any]]) -> tuple[Unsaid, ...]:
    return tuple(Unsaid(**one) for one in stored)
