"""The demo's orders are moved to now by whole weeks."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from shuke.app.demo.moving import last_day, moved, weeks_until

LAST = date(2011, 12, 9)


@pytest.mark.parametrize("far", range(5_000, 5_015))
def test_the_last_day_is_one_of_the_seven_before_today(far: int) -> None:
    today = LAST + timedelta(days=far)
    later = LAST + timedelta(weeks=weeks_until(today, LAST))
    assert later.weekday() == LAST.weekday()
    assert today - timedelta(days=7) <= later < today


def test_everything_but_the_week_stays() -> None:
    times = [datetime(2010, 12, 1, 8, 26), datetime(2011, 12, 9, 12, 50), None]  # noqa: DTZ001 - as the file has them
    orders = pa.table({"InvoiceNo": ["1", "2", "3"], "InvoiceDate": pa.array(times, pa.timestamp("us"))})
    later = moved(orders, 780)
    assert later.schema == orders.schema
    assert later["InvoiceNo"] == orders["InvoiceNo"]
    assert later["InvoiceDate"].to_pylist() == [time and time + timedelta(weeks=780) for time in times]
    assert last_day(later) == date(2026, 11, 20)
    assert moved(orders, 0) == orders
