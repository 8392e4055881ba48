"""Files of what winning customers cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.base.errors import BadInput
from shuke.base.money import known_currency, to_minor
from shuke.base.progress import Progress, silent
from shuke.collect.service.costs import read_costs
from shuke.collect.service.imports.ledger import Counts, Imported, fingerprint, run_steps
from shuke.collect.service.origins import NO_SOURCE
from shuke.collect.service.sources import find_files
from shuke.collect.tables import costs
from shuke.platform import Engine, Transaction, Workplace

__all__ = ["import_costs"]

#: Channels and months of one file.
COSTS_MAX = 100_000


def import_costs(
    workplace: Workplace,
    files: Sequence[str],
    *,
    engine: Engine,
    now: Callable[[], datetime],
    currency: str | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Imported:
    """Bring costs by channel and month, read as for the report, into the database; each file is one batch.

    What a file says of a channel and month replaces what was known of it.

    Raises:
        BadInput: ``collect.currency_needed``, ``collect.too_many_statements``, and the codes of
            :func:`shuke.collect.read_costs`.
    """
    if currency is None:
        raise BadInput("collect.currency_needed")
    code = known_currency(currency)
    paths = find_files(files)
    counts, resumed = run_steps(
        workplace.database,
        kind="costs",
        source_id=NO_SOURCE,
        mark=fingerprint(paths, code),
        steps=[partial(_save, _rows(path, engine, code)) for path in paths],
        now=now,
        dry_run=dry_run,
        progress=progress,
    )
    return Imported(counts=counts, resumed=resumed, currency=code)


def _rows(path: Path, engine: Engine, currency: str) -> list[dict[str, object]]:
    rows = read_costs(path, engine).to_pyarrow().to_pylist()
    if len(rows) > COSTS_MAX:
        raise BadInput("collect.too_many_statements", found=len(rows), limit=COSTS_MAX)
    return [
        {
            "channel": row["channel"],
            "period": row["period"],
            "currency": currency,
            "spend_minor": to_minor(row["spend"], currency),
        }
        for row in rows
    ]


def _save(rows: Sequence[dict[str, object]], tx: Transaction) -> Counts:
    given = sa.select(
        sa.func.unnest(sa.literal([row["channel"] for row in rows], sa.ARRAY(sa.Text))),
        sa.func.unnest(sa.literal([row["period"] for row in rows], sa.ARRAY(sa.Date))),
        sa.func.unnest(sa.literal([row["currency"] for row in rows], sa.ARRAY(sa.Text))),
        sa.func.unnest(sa.literal([row["spend_minor"] for row in rows], sa.ARRAY(sa.BigInteger))),
    )
    new = insert(costs).from_select(["channel", "period", "currency", "spend_minor"], given)
    saved: Sequence[bool] = (
        tx.execute(
            new.on_conflict_do_update(
                index_elements=["channel", "period", "currency"],
                set_={"spend_minor": new.excluded.spend_minor},
                where=costs.c.spend_minor.is_distinct_from(new.excluded.spend_minor),
            ).returning(sa.literal_column("xmax = 0"))
        )
        .scalars()
        .all()
    )
    created = sum(saved)
    return {
        "costs.created": created,
        "costs.updated": len(saved) - created,
        "costs.unchanged": len(rows) - len(saved),
    }
