"""The orders of years ago brought to the present: by whole weeks, so that weekdays and hours of the day stay true."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

__all__ = ["last_day", "moved", "weeks_to_the_present", "write_moved"]

#: When each line was invoiced, in the shop's own time, without a zone.
WHEN = "InvoiceDate"


def weeks_to_the_present(last: date, today: date) -> int:
    """By how many whole weeks the last day has to be moved to be one of the seven before today; negative if later."""
    return ((today - last).days - 1) // 7


def moved(orders: pa.Table, weeks: int) -> pa.Table:
    """The same lines so many weeks later; nothing but :data:`WHEN` (a timestamp without a zone) changes."""
    place = orders.schema.get_field_index(WHEN)
    field = orders.schema.field(place)
    # A day has 24 hours in times without a zone, so that the hour stays what it was.
    by = pa.scalar(timedelta(weeks=weeks), pa.duration("us"))
    return orders.set_column(place, field, pc.add(orders[WHEN], by).cast(field.type))


def last_day(orders: Path) -> date:
    """The day of the last line of a Parquet file with :data:`WHEN`."""
    last: date = pc.max(pq.read_table(orders, columns=[WHEN])[WHEN]).as_py().date()
    return last


def write_moved(orders: Path, to: Path, weeks: int) -> None:
    """Write the lines of a Parquet file, moved, to another; always the same bytes, by which an import goes on."""
    pq.write_table(moved(pq.read_table(orders), weeks), to, compression="zstd")
