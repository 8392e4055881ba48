"""How far each import has come. A batch and the note that it is done are one transaction.

That a batch is not taken twice saves time only: what is imported may be stated any number of times.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.base.ids import new_id
from shuke.base.progress import Progress
from shuke.collect.model import Quality
from shuke.collect.tables import imports
from shuke.platform import Database, Transaction

__all__ = ["Counts", "Imported", "Step", "fingerprint", "run_steps"]

# A batch takes a second or two; this is for a machine that is busy with other things.
_BATCH_SECONDS_MAX = 600

#: What became of the rows, such as ``orders.created``; and sums, such as ``orders.amount_minor``.
Counts = Mapping[str, int]
Step = Callable[[Transaction], Counts]


@dataclass(frozen=True)
class Imported:
    """What an import came to, the batches of earlier attempts included.

    ``rejected`` are rows that were understood and could not be kept, by the code of the reason; ``rejected_amount`` is
    the money of those that are orders, in minor units. ``resumed`` is how many batches were done before. ``quality`` is
    what became of the rows of order files.
    """

    counts: Counts
    resumed: int = 0
    rejected: Counts = field(default_factory=dict)
    rejected_amount_minor: int = 0
    rejects: tuple[Path, ...] = ()
    currency: str | None = None
    quality: Quality | None = None


def fingerprint(files: Sequence[Path], *said: object) -> bytes:
    """Sixteen bytes of what is in the files and of all else that decides what an import does."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    whole.update(json.dumps(said, default=str, sort_keys=True).encode())
    return whole.digest()[:16]


def run_steps(
    database: Database,
    *,
    kind: str,
    source_id: int,
    mark: bytes,
    steps: Sequence[Step],
    now: Callable[[], datetime],
    dry_run: bool,
    progress: Progress,
) -> tuple[Counts, int]:
    """Run the steps that are not done, each in a transaction; returns what all came to, and how many were done before.

    In a dry run each step is taken back, and nothing is noted.
    """
    done, total = 0, Counter[str]()
    found = None if dry_run else _begin(database, kind, source_id, mark, len(steps), now())
    if found is not None:
        import_id, done, counts = found
        total.update(counts)
    resumed = done
    for number in range(done, len(steps)):
        progress("collect.import", number / len(steps))
        if found is None:
            total.update(database.run(partial(_try, step=steps[number])))
        else:
            total = database.run(
                partial(_take, import_id=import_id, number=number, step=steps[number], total=total, now=now())
            )
    if found is not None:
        with database.begin() as tx:
            tx.execute(sa.update(imports).where(imports.c.import_id == import_id).values(finished_at=now()))
    progress("collect.import", 1.0)
    return dict(total), resumed


def _begin(
    database: Database, kind: str, source_id: int, mark: bytes, batches: int, now: datetime
) -> tuple[UUID, int, Counts]:
    """The import that is under way for the same files and options, else a new one."""
    row: dict[str, Any] = {"kind": kind, "source_id": source_id, "fingerprint": mark}
    new = {**row, "import_id": new_id(), "batches_total": batches, "started_at": now, "updated_at": now}
    with database.begin() as tx:
        tx.execute(insert(imports).values(new).on_conflict_do_nothing())
        under_way = sa.select(imports.c.import_id, imports.c.batches_done, imports.c.counts).where(
            *(imports.c[name] == value for name, value in row.items()), imports.c.finished_at.is_(None)
        )
        found = tx.execute(under_way).one()
    return found.import_id, found.batches_done, found.counts


def _try(tx: Transaction, step: Step) -> Counter[str]:
    """What one step would come to; it is taken back."""
    _allow_time(tx)
    savepoint = tx.begin_nested()
    counts = Counter(step(tx))
    savepoint.rollback()
    return counts


def _allow_time(tx: Transaction) -> None:
    tx.execute(sa.text(f"SET LOCAL statement_timeout = '{_BATCH_SECONDS_MAX}s'"))


def _take(
    tx: Transaction, import_id: UUID, number: int, step: Step, total: Counter[str], now: datetime
) -> Counter[str]:
    """One step, unless another process that imports the same files was faster."""
    _allow_time(tx)
    mine = imports.c.import_id == import_id
    row = tx.execute(sa.select(imports.c.batches_done, imports.c.counts).where(mine).with_for_update()).one()
    if row.batches_done > number:
        return Counter(row.counts)
    total = Counter(total)
    total.update(step(tx))
    tx.execute(sa.update(imports).where(mine).values(batches_done=number + 1, counts=dict(total), updated_at=now))
    return total
