"""Orders of years ago are of the present: the same weekdays and hours, the last in the week before today."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from shuke.app.demo.moving import last_day, moved, weeks_to_the_present, write_moved

SHIPPED = Path(__file__).parents[3] / "src" / "shuke" / "app" / "data" / "online_retail.parquet"
LAST = date(2011, 12, 9)  # a Friday


@pytest.mark.parametrize(
    ("today", "becomes"),
    [
        (date(2026, 11, 19), date(2026, 11, 13)),  # a Thursday
        (date(2026, 11, 20), date(2026, 11, 13)),  # a Friday, which is not over yet
        (date(2026, 11, 21), date(2026, 11, 20)),
        (date(2024, 3, 1), date(2024, 2, 23)),  # over 29 February
        (date(2011, 12, 10), LAST),
        (date(2011, 12, 16), LAST),
        (date(2011, 12, 17), date(2011, 12, 16)),
        # Whoever's clock is that far back gets nothing of the future either.
        (LAST, date(2011, 12, 2)),
    ],
)
def test_the_last_day_becomes_one_of_the_seven_before_today(today: date, becomes: date) -> None:
    assert LAST + timedelta(weeks=weeks_to_the_present(LAST, today)) == becomes


def test_weekdays_and_hours_stay_and_nothing_else_changes() -> None:
    at = ["2011-03-27 01:30", "2011-10-30 01:30", "2011-12-09 12:50", None]
    orders = pa.table(
        {
            "InvoiceNo": ["1", "2", "C3", "4"],
            # On two of these nights London changed its clocks.
            "InvoiceDate": pa.array(at).cast(pa.timestamp("us")),
            "Quantity": [1, 2, -3, 4],
        }
    )
    later = moved(orders, 780)
    assert later.schema == orders.schema
    assert later.drop_columns("InvoiceDate") == orders.drop_columns("InvoiceDate")
    becomes = ["2026-03-08 01:30", "2026-10-11 01:30", "2026-11-20 12:50", None]
    assert later["InvoiceDate"] == pa.chunked_array([pa.array(becomes).cast(pa.timestamp("us"))])
    assert pc.day_of_week(later["InvoiceDate"]) == pc.day_of_week(orders["InvoiceDate"])
    assert moved(later, -780) == orders


def test_the_shipped_file_is_moved_line_by_line_and_always_into_the_same_bytes(tmp_path: Path) -> None:
    assert last_day(SHIPPED) == LAST
    for name in ("one", "other"):
        write_moved(SHIPPED, tmp_path / f"{name}.parquet", 52)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()
    question = """
        SELECT count(*), count(*) FILTER (
            b.InvoiceDate = a.InvoiceDate + INTERVAL 364 DAY
            AND row(a.InvoiceNo, a.StockCode, a.Description, a.Quantity, a.UnitPrice, a.CustomerID, a.Country)
                IS NOT DISTINCT FROM
                row(b.InvoiceNo, b.StockCode, b.Description, b.Quantity, b.UnitPrice, b.CustomerID, b.Country)
        )
        FROM read_parquet($1) a POSITIONAL JOIN read_parquet($2) b
    """
    with duckdb.connect() as connection:
        lines = connection.execute(question, [str(SHIPPED), str(tmp_path / "one.parquet")]).fetchone()
    assert lines == (541_909, 541_909)
