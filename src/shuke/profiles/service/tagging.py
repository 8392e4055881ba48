"""Tags, and who lives with whom."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.base.errors import BadInput
from shuke.base.ids import new_id
from shuke.platform import Transaction, array
from shuke.profiles.model import NewTag
from shuke.profiles.service.merging import standing_for
from shuke.profiles.tables import customers, household_members, tags

TAGS_MAX = 10_000
TAG_CHARACTERS_MAX = 50
HOUSEHOLD_MAX = 20
EXPIRY_YEAR_MAX = 2200

_SOURCE = re.compile(r"[a-z][a-z0-9_.-]{0,49}")


def add_tags(tx: Transaction, new: Sequence[NewTag], now: datetime) -> None:
    """Put tags on customers; one that is there from the same source gets the new expiry.

    Raises:
        BadInput: ``profiles.bad_tag`` for an empty or long tag, a source that is no code, an expiry that has passed or
            is centuries away; ``profiles.too_many`` above :data:`TAGS_MAX`.
        NotFound: ``profiles.no_customer``.
    """
    if len(new) > TAGS_MAX:
        raise BadInput("profiles.too_many", limit=TAGS_MAX)
    for one in new:
        check_tag(one.tag, one.source, one.expires_at, now)
    stands = standing_for(tx, {one.customer_id for one in new})
    wanted = {(stands[one.customer_id], one.tag, one.source): one.expires_at for one in new}
    if not wanted:
        return
    places = sorted(wanted)
    given = sa.text(
        """
        INSERT INTO tags (customer_id, tag, source, expires_at, added_at)
        SELECT *, CAST(:now AS timestamptz)
        FROM unnest(CAST(:customers AS uuid[]), CAST(:tags AS text[]), CAST(:sources AS text[]),
                    CAST(:expiries AS timestamptz[]))
        ON CONFLICT (customer_id, tag, source) DO UPDATE SET expires_at = excluded.expires_at
        """
    )
    tx.execute(
        given,
        {
            "now": now,
            "customers": array(place[0] for place in places),
            "tags": array(place[1] for place in places),
            "sources": array(place[2] for place in places),
            "expiries": array(wanted[place] for place in places),
        },
    )


def check_tag(tag: str, source: str | None, expires_at: datetime | None, now: datetime) -> None:
    """Refuse what is no tag: BadInput ``profiles.bad_tag``; no source means any."""
    good_source = source is None or _SOURCE.fullmatch(source)
    if not (_good_tag(tag) and good_source and _good_expiry(expires_at, now)):
        raise BadInput("profiles.bad_tag", limit=TAG_CHARACTERS_MAX)


def _good_tag(tag: str) -> bool:
    return tag == tag.strip() and tag.isprintable() and 0 < len(tag) <= TAG_CHARACTERS_MAX


def _good_expiry(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is None or (expires_at > now and expires_at.year <= EXPIRY_YEAR_MAX)


def remove_tag(tx: Transaction, customer_ids: Collection[UUID], tag: str, source: str | None = None) -> None:
    """Take a tag off these customers and all that they consist of, from one source or from all."""
    if not _good_tag(tag):
        return
    asked = set(standing_for(tx, customer_ids).values())
    parts = sa.select(customers.c.customer_id).where(
        customers.c.customer_id.in_(asked) | customers.c.merged_into.in_(asked)
    )
    statement = sa.delete(tags).where(tags.c.customer_id.in_(parts), tags.c.tag == tag)
    tx.execute(statement if source is None else statement.where(tags.c.source == source))


def drop_expired_tags(tx: Transaction, now: datetime, *, batch: int = TAGS_MAX) -> int:
    """Delete up to ``batch`` tags that have expired, which nobody sees any more; returns how many."""
    due = sa.select(tags.c.customer_id, tags.c.tag, tags.c.source).where(tags.c.expires_at <= now).limit(batch)
    place = sa.tuple_(tags.c.customer_id, tags.c.tag, tags.c.source)
    return tx.execute(sa.delete(tags).where(place.in_(due))).rowcount


def form_household(tx: Transaction, customer_ids: Sequence[UUID], now: datetime) -> UUID:
    """Let these customers be one household, out of whichever they were in; returns its id.

    Raises BadInput ``profiles.bad_household`` for fewer than two, or more than :data:`HOUSEHOLD_MAX`.
    """
    members = sorted(set(standing_for(tx, customer_ids).values()))
    if not 2 <= len(members) <= HOUSEHOLD_MAX:
        raise BadInput("profiles.bad_household", limit=HOUSEHOLD_MAX)
    household_id = new_id(at_ms=int(now.timestamp() * 1000))
    statement = insert(household_members).values(
        [{"customer_id": member, "household_id": household_id, "since": now} for member in members]
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["customer_id"],
            set_={"household_id": statement.excluded.household_id, "since": statement.excluded.since},
        )
    )
    return household_id


def leave_household(tx: Transaction, customer_id: UUID) -> None:
    """Let a customer be in no household."""
    tx.execute(sa.delete(household_members).where(household_members.c.customer_id == customer_id))
