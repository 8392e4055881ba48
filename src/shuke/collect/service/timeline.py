"""The timeline: every fact of a customer, newest first, page by page."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from shuke import profiles
from shuke.base.cursors import cursor_of, place_of
from shuke.base.errors import BadInput
from shuke.collect.model import TimelineFact, TimelinePage
from shuke.platform import Transaction

__all__ = ["PAGE_MAX", "timeline"]

PAGE_MAX = 500
FILTERS_MAX = 50

_MICROSECOND = timedelta(microseconds=1)

# For each identity the index gives the newest facts in order; taken together, the newest of those are the page. So a
# page costs what it shows, however long the timeline is.
_PAGE = """
    SELECT f.fact_id, f.occurred_at, f.received_at, f.identity_id, f.kind, f.name, s.name, f.channel, f.store,
        f.session, f.amount_minor, f.currency, f.order_id, f.simulated, f.properties
    FROM unnest(CAST(:identities AS bigint[])) AS own (identity_id)
    CROSS JOIN LATERAL (
        SELECT * FROM facts
        WHERE identity_id = own.identity_id {conditions}
        ORDER BY occurred_at DESC, fact_id DESC LIMIT :limit
    ) AS f
    LEFT JOIN sources s ON s.source_id = f.source_id
    ORDER BY f.occurred_at DESC, f.fact_id DESC LIMIT :limit
"""


def timeline(
    tx: Transaction,
    customer_id: UUID,
    *,
    before: str | None = None,
    limit: int = 50,
    kinds: Collection[str] | None = None,
    names: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> TimelinePage:
    """A page of a customer's facts, newest first; of one who was merged, those of who stands for them.

    Args:
        tx: the caller's.
        customer_id: whose.
        before: ``next`` of the page before; None for the newest.
        limit: facts of this page, from 1 to :data:`PAGE_MAX`.
        kinds: only these kinds.
        names: only these names.
        since: only facts from this moment on.
        until: only facts before this moment.

    Raises:
        BadInput: ``collect.bad_page`` for a limit or a ``before`` that is none.
    """
    if not 1 <= limit <= PAGE_MAX or len(kinds or ()) > FILTERS_MAX or len(names or ()) > FILTERS_MAX:
        raise BadInput("collect.bad_page", limit=PAGE_MAX)
    identity_ids = profiles.identities_of(tx, [customer_id]).get(customer_id, ())
    values: dict[str, object] = {"identities": list(identity_ids), "limit": limit + 1}
    conditions = []
    if before is not None:
        values["before_at"], values["before_id"] = _place(before)
        conditions.append("AND (occurred_at, fact_id) < (:before_at, :before_id)")
    if kinds is not None:
        values["kinds"] = list(kinds)
        conditions.append("AND kind = ANY(CAST(:kinds AS text[]))")
    if names is not None:
        values["names"] = list(names)
        conditions.append("AND name = ANY(CAST(:names AS text[]))")
    if since is not None:
        values["since"] = since
        conditions.append("AND occurred_at >= :since")
    if until is not None:
        values["until"] = until
        conditions.append("AND occurred_at < :until")
    rows = tx.execute(sa.text(_PAGE.format(conditions=" ".join(conditions))), values)
    facts = [TimelineFact(*row) for row in rows]
    more = len(facts) > limit
    shown = tuple(facts[:limit])
    return TimelinePage(shown, _cursor(shown[-1]) if more else None)


def _cursor(fact: TimelineFact) -> str:
    moment = (fact.occurred_at - datetime.fromtimestamp(0, UTC)) // _MICROSECOND
    return cursor_of(moment, fact.fact_id.hex)


def _place(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, fact_id = place_of(cursor, 2)
        return datetime.fromtimestamp(0, UTC) + moment * _MICROSECOND, UUID(hex=fact_id)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise BadInput("collect.bad_page", limit=PAGE_MAX) from None
