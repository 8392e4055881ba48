"""What a report on the database is made of. By the names of `platform`, for which a report on files need not wait."""

from __future__ import annotations

from datetime import datetime

from shuke import collect, platform
from shuke.base.errors import BadInput

__all__ = ["stored"]


def stored(
    place: platform.Workplace,
    *,
    engine: platform.Engine,
    currency: str | None,
    timezone: str,
    as_of: datetime | None,
    margin_column: str | None,
) -> collect.Collected:
    """What the database holds now, by way of its lake, which is brought up to date first.

    Raises:
        BadInput: ``reports.database_margin`` for a column of margins that it does not have, and the codes of
            :func:`shuke.collect.read_stored`.
    """
    collect.update_lake(place, wait=True)
    collected = collect.read_stored(
        collect.lake_of(place), engine=engine, currency=currency, timezone=timezone, as_of=as_of
    )
    if margin_column is not None and (margin_column != "cost" or "cost" not in collected.tables.orders.columns):
        raise BadInput("reports.database_margin", given=margin_column)
    return collected
