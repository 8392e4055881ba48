"""The demo's orders as if they were of now: all dates are moved by the same number of weeks. Pure."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["last_day", "moved", "weeks_until"]

#: The column of the shipped file that has the moment of an invoice.
TIME = "InvoiceDate"
_WEEK = timedelta(weeks=1)


def last_day(orders: pa.Table) -> date:
    """The day of the last invoice of a table with the columns of the shipped file."""
    last: date = pc.max(orders[TIME]).as_py().date()
    return last


def weeks_until(today: date, last: date) -> int:
    """By how many weeks to move ``last`` so that it is one of the seven days before today."""
    return (today - timedelta(days=1) - last) // _WEEK


def moved(orders: pa.Table, weeks: int) -> pa.Table:
    """The same orders so many weeks later: on the same days of the week, at the same times of day."""
    times = pc.add(orders[TIME], pa.scalar(weeks * _WEEK))
    return orders.set_column(orders.column_names.index(TIME), TIME, times.cast(orders[TIME].type))
