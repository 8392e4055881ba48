"""A tag on many customers at once, put on or taken off as one set, and taken back as exactly that set.

What a batch changes is written down beside it: of a tag that was not there that it was not, of one that was what it
was. Taking the batch back undoes that, and leaves alone whatever somebody changed since.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.base.ids import new_id
from shuke.platform import Transaction
from shuke.profiles.model import ManyTags, TagBatch
from shuke.profiles.service.tagging import check_tag
from shuke.profiles.tables import customers, tag_batch_rows, tag_batches, tags

__all__ = ["BATCH_CUSTOMERS_MAX", "BATCH_KEPT", "drop_old_batches", "tag_many", "undo_batch", "untag_many"]

#: Customers of one batch.
BATCH_CUSTOMERS_MAX = 100_000
#: For so long a batch can be taken back.
BATCH_KEPT = timedelta(days=7)

_MOMENT = sa.DateTime(timezone=True)


def tag_many(tx: Transaction, chosen: sa.Select[Any], given: ManyTags, made_by: UUID | None, now: datetime) -> TagBatch:
    """Put a tag on all customers who are chosen; one that is there from the same source gets the new expiry.

    Args:
        tx: the caller's.
        chosen: the ids of customers of their own, each once, as ``customer_id``.
        given: the tag.
        made_by: who alone may take it back.
        now: the moment of it.

    Raises:
        BadInput: ``profiles.bad_tag``; ``profiles.too_many_to_tag`` above :data:`BATCH_CUSTOMERS_MAX`.
    """
    check_tag(given.tag, given.source, given.expires_at, now)
    batch_id = _begin(tx, given, made_by, now, removed=False)
    some = chosen.limit(BATCH_CUSTOMERS_MAX + 1).cte("chosen")
    was = (
        sa.select(tags)
        .join(some, some.c.customer_id == tags.c.customer_id)
        .where(tags.c.tag == given.tag, tags.c.source == given.source)
        .cte("was")
    )
    expiry = sa.literal(given.expires_at, _MOMENT)
    wanted = sa.select(
        some.c.customer_id, sa.literal(given.tag), sa.literal(given.source), sa.literal(now, _MOMENT), expiry
    )
    putting = insert(tags).from_select(["customer_id", "tag", "source", "added_at", "expires_at"], wanted)
    put = (
        putting.on_conflict_do_update(
            index_elements=["customer_id", "tag", "source"],
            set_={"expires_at": putting.excluded.expires_at},
            where=tags.c.expires_at.is_distinct_from(putting.excluded.expires_at),
        )
        # A row that nobody has changed was inserted.
        .returning(tags.c.customer_id, sa.literal_column("(tags.xmax = 0)", sa.Boolean).label("is_new"))
        .cte("put")
    )
    changed = sa.select(
        sa.literal(batch_id, sa.Uuid), put.c.customer_id, sa.literal(given.source), was.c.added_at, was.c.expires_at
    ).join_from(put, was, was.c.customer_id == put.c.customer_id, isouter=True)
    # One that somebody else put on meanwhile is theirs.
    changed = changed.where(put.c.is_new | was.c.added_at.is_not(None))
    return _finish(tx, batch_id, some, changed)


def untag_many(
    tx: Transaction, chosen: sa.Select[Any], given: ManyTags, made_by: UUID | None, now: datetime
) -> TagBatch:
    """Take a tag off all customers who are chosen and all that they consist of; without a source, from all of them.

    Arguments and errors as for :func:`tag_many`.
    """
    check_tag(given.tag, given.source, None, now)
    batch_id = _begin(tx, given, made_by, now, removed=True)
    some = chosen.limit(BATCH_CUSTOMERS_MAX + 1).cte("chosen")
    parts = sa.union_all(
        sa.select(some.c.customer_id),
        sa.select(customers.c.customer_id).join(some, some.c.customer_id == customers.c.merged_into),
    ).subquery()
    taking = sa.delete(tags).where(tags.c.customer_id.in_(sa.select(parts.c.customer_id)), tags.c.tag == given.tag)
    if given.source is not None:
        taking = taking.where(tags.c.source == given.source)
    gone = taking.returning(tags.c.customer_id, tags.c.source, tags.c.added_at, tags.c.expires_at).cte("gone")
    return _finish(tx, batch_id, some, sa.select(sa.literal(batch_id, sa.Uuid), *gone.c))


def undo_batch(tx: Transaction, batch_id: UUID, made_by: UUID | None, now: datetime) -> TagBatch:
    """Take a batch back: what it put on goes, what it took off or gave another expiry is as it was.

    What somebody has changed since stays as it is, and so does who was erased.

    Raises:
        NotFound: ``profiles.no_batch`` when there is none of this person's, or it is older than :data:`BATCH_KEPT`.
        Conflict: ``profiles.batch_undone``.
    """
    mine = tag_batches.c.made_by.is_not_distinct_from(made_by)
    row = tx.execute(
        sa.select(tag_batches).where(tag_batches.c.batch_id == batch_id, mine).with_for_update()
    ).one_or_none()
    if row is None or row.made_at < now - BATCH_KEPT:
        raise NotFound("profiles.no_batch", batch_id=str(batch_id))
    if row.undone_at is not None:
        raise Conflict("profiles.batch_undone")
    changed = _put_back(tx, row) if row.removed else _take_back(tx, row)
    tx.execute(sa.update(tag_batches).where(tag_batches.c.batch_id == batch_id).values(undone_at=now))
    return TagBatch(**{**_values(row), "changed": changed, "undone_at": now})


def drop_old_batches(tx: Transaction, now: datetime) -> int:
    """Forget the batches that cannot be taken back any more; returns how many."""
    return tx.execute(sa.delete(tag_batches).where(tag_batches.c.made_at < now - BATCH_KEPT)).rowcount


def _begin(tx: Transaction, given: ManyTags, made_by: UUID | None, now: datetime, *, removed: bool) -> UUID:
    batch_id = new_id(at_ms=int(now.timestamp() * 1000))
    tx.execute(
        sa.insert(tag_batches).values(
            batch_id=batch_id,
            made_by=made_by,
            tag=given.tag,
            source=given.source,
            expires_at=None if removed else given.expires_at,
            removed=removed,
            customers=0,
            changed=0,
            made_at=now,
        )
    )
    return batch_id


def _finish(tx: Transaction, batch_id: UUID, some: sa.CTE, changed: sa.Select[Any]) -> TagBatch:
    """Change the tags and keep what was changed, all in one statement; and say how much it was."""
    names = ["batch_id", "customer_id", "source", "added_at", "expires_at"]
    kept = insert(tag_batch_rows).from_select(names, changed).returning(tag_batch_rows.c.customer_id).cte("kept")
    found, rows = tx.execute(
        sa.select(
            sa.select(sa.func.count()).select_from(some).scalar_subquery(),
            sa.select(sa.func.count()).select_from(kept).scalar_subquery(),
        )
    ).one()
    if found > BATCH_CUSTOMERS_MAX:
        raise BadInput("profiles.too_many_to_tag", limit=BATCH_CUSTOMERS_MAX)
    made = (
        sa.update(tag_batches)
        .where(tag_batches.c.batch_id == batch_id)
        .values(customers=found, changed=rows)
        .returning(tag_batches)
    )
    return TagBatch(**_values(tx.execute(made).one()))


def _take_back(tx: Transaction, batch: sa.Row[Any]) -> int:
    """Of a tag that was put on: as the batch left it, it goes or gets its expiry back."""
    kept = tag_batch_rows.c
    as_left = (
        kept.batch_id == batch.batch_id,
        tags.c.customer_id == kept.customer_id,
        tags.c.tag == batch.tag,
        tags.c.source == kept.source,
        tags.c.expires_at.is_not_distinct_from(sa.literal(batch.expires_at, _MOMENT)),
    )
    gone = sa.delete(tags).where(*as_left, kept.added_at.is_(None), tags.c.added_at == batch.made_at)
    again = sa.update(tags).where(*as_left, tags.c.added_at == kept.added_at).values(expires_at=kept.expires_at)
    return tx.execute(gone).rowcount + tx.execute(again).rowcount


def _put_back(tx: Transaction, batch: sa.Row[Any]) -> int:
    """Of a tag that was taken off: who has not been given it again since has it as before."""
    kept = tag_batch_rows.c
    before = (
        sa.select(kept.customer_id, sa.literal(batch.tag), kept.source, kept.added_at, kept.expires_at)
        .join(customers, customers.c.customer_id == kept.customer_id)
        .where(kept.batch_id == batch.batch_id, customers.c.erased_at.is_(None))
    )
    putting = insert(tags).from_select(["customer_id", "tag", "source", "added_at", "expires_at"], before)
    return tx.execute(putting.on_conflict_do_nothing().execution_options(preserve_rowcount=True)).rowcount


def _values(row: sa.Row[Any]) -> dict[str, Any]:
    wanted = ("batch_id", "tag", "source", "removed", "customers", "changed", "made_at", "undone_at")
    return {name: getattr(row, name) for name in wanted}
