"""Real files: totals that were published or counted independently."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from shuke.collect import Collected

from .conftest import counts_of

Read = Callable[..., Collected]


def test_online_retail(read: Read, shared_data: Path) -> None:
    """UCI Online Retail: 541,909 lines, 9,747,747.934 in all, 5,268 lines that repeat another in every column."""
    path = shared_data / "online_retail" / "online_retail_2010_2011.parquet"
    collected = read(path)
    quality = collected.quality
    assert (quality.rows, quality.amount) == (541_909, Decimal("9747747.9340"))
    assert quality.count("duplicate_line").rows == 5_268
    assert counts_of(collected) == {
        "sale": (391_071, Decimal("8736027.64")),
        "duplicate_line": (5_268, Decimal("21740.98")),
        "fee_line": (3_026, Decimal("-44042.876")),
        "no_customer": (134_006, Decimal("1505757.90")),
        "zero_price": (33, Decimal()),
        "return_line": (8_505, Decimal("-471735.71")),
    }
    # The same sales by hand: SQL over the file, without any of the code under test.
    sales, orders, customers = duckdb.sql(
        f"""
        SELECT sum(q), count(DISTINCT i), count(DISTINCT c) FROM (
            SELECT DISTINCT InvoiceNo AS i, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID AS c,
                Country, CAST(UnitPrice AS DECIMAL(18, 4)) * Quantity AS q
            FROM read_parquet('{path}')
        ) WHERE c IS NOT NULL AND q > 0
            AND StockCode NOT IN (
                '23444', '22016', -- Next Day Carriage, a gift voucher of £100
                'POST', 'DOT', 'M', 'D', 'C2', 'BANK CHARGES', 'PADS', 'CRUK', 'S', 'B', 'AMAZONFEE'
            )
        """  # noqa: S608 - the test's own path
    ).fetchall()[0]
    assert quality.count("sale").amount == sales
    table = collected.tables.orders
    assert table.count().to_pyarrow().as_py() == orders == 18_402
    assert table.customer_id.nunique().to_pyarrow().as_py() == customers
    assert str(table.schema()["customer_id"]) == "int64"


def test_both_online_retail_files_count_the_days_they_share_once(read: Read, shared_data: Path) -> None:
    """1 to 9 December 2010 is in both files; together they are what the later one adds to the earlier."""
    folder = shared_data / "online_retail"
    earlier, later = (
        folder / name for name in ("online_retail_II_2009_2010.parquet", "online_retail_2010_2011.parquet")
    )
    collected = read(earlier, later)
    assert collected.quality.rows == 525_461 + 541_909
    shared_days = "InvoiceDate < '2010-12-10'"
    (shared,) = duckdb.sql(
        f"SELECT count(*) FROM (SELECT DISTINCT * FROM read_parquet('{later}') WHERE {shared_days})"  # noqa: S608 - likewise
    ).fetchall()[0]
    assert collected.quality.count("overlap_line").rows == pytest.approx(shared, rel=0.001)
    assert collected.quality.count("overlap_line").rows <= shared


def test_cdnow_by_column_numbers(read: Read, shared_data: Path) -> None:
    """The 1/10 sample: 2,357 customers, 6,919 rows, no header; amounts are not needed to count purchases."""
    collected = read(
        shared_data / "cdnow" / "CDNOW_sample.txt",
        mapping={"customer": "2", "time": "3", "quantity": "4", "amount": "5"},
        need=("customer", "time"),
    )
    assert counts_of(collected) == {"sale": (6_919, Decimal("244091.94"))}
    assert collected.tables.orders.customer_id.nunique().to_pyarrow().as_py() == 2_357


def test_complete_journey(read: Read, shared_data: Path) -> None:
    collected = read(shared_data / "complete_journey" / "transactions.parquet")
    assert counts_of(collected) == {"sale": (1_458_061, Decimal("4596039.58")), "zero_price": (11_246, Decimal())}
    assert collected.tables.orders.customer_id.nunique().to_pyarrow().as_py() == 2_469
