"""What has been written since somebody last looked, told by transactions.

Clocks and counters are given out before a transaction commits, so that one which commits late would be stepped over.
Rows that carry the number of the transaction that wrote them (``written_in``) can be followed exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.types import UserDefinedType

from shuke.platform.database.connect import Transaction

__all__ = ["Snapshot", "decided", "snapshot_now", "written_after"]


class _Xid8(UserDefinedType[int]):
    """PostgreSQL's number of a transaction, which never comes again."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


class _PgSnapshot(UserDefinedType[str]):
    """PostgreSQL's list of which transactions had ended."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "pg_snapshot"


@dataclass(frozen=True)
class Snapshot:
    """What could be seen at a moment: ``text`` as PostgreSQL writes it; all below ``decided`` had ended."""

    text: str

    @property
    def decided(self) -> int:
        """The oldest transaction that was still running."""
        return int(self.text.partition(":")[0])


def decided(tx: Transaction) -> int:
    """The oldest transaction that was still running when ``tx`` looked: all before it are committed or rolled back."""
    return snapshot_now(tx).decided


def snapshot_now(tx: Transaction) -> Snapshot:
    """What can be seen now."""
    return Snapshot(tx.execute(sa.text("SELECT pg_current_snapshot()::text")).scalar_one())


def written_after(written_in: sa.ColumnElement[int], snapshot: Snapshot) -> sa.ColumnElement[bool]:
    """Whether a row was written by a transaction that had not ended at the snapshot; by the index of the column."""
    number = sa.cast(sa.cast(written_in, sa.Text), _Xid8())
    seen = sa.func.pg_visible_in_snapshot(number, sa.cast(sa.literal(snapshot.text), _PgSnapshot()))
    return sa.and_(written_in >= snapshot.decided, sa.not_(seen))
