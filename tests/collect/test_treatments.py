"""What becomes of each row, and that all of them add up to the file."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke import collect
from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue
from shuke.collect import Collected, Treatment

from .conftest import counts_of, rows_of

Read = Callable[..., Collected]
at = datetime.fromisoformat

LINES = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,A,Mug,2,2024-01-05 08:00,4.995,10,France
1,B,Plate,1,2024-01-05 08:00,3.00,10,France
1,B,Plate,1,2024-01-05 08:00,3.00,10,France
1,POST,POSTAGE,1,2024-01-05 08:00,18.00,10,France
2,A,Mug red,1,2024-01-06 08:00,5.00,11,Spain
C3,A,Mug,-1,2024-01-07 08:00,5.00,10,France
4,A,Mug,1,2024-01-08 08:00,5.00,,Spain
5,A,Mug,1,2024-01-09 08:00,0.00,11,Spain
6,A,Mug,1,1899-01-09 08:00,5.00,11,Spain
7,A,Mug,1,,5.00,11,Spain
8,A,Mug,1,2024-01-10 08:00,,11,Spain
C9,M,Manual,-1,2024-01-11 08:00,7.50,11,Spain
A10,,Adjust bad debt,1,2024-01-12 08:00,-11.00,,Spain
11,A,Mug,1,2999-01-12 08:00,5.00,11,Spain
12,A,Mug,3,2024-02-01 08:00,5.00,11,Spain
"""


def test_each_row_becomes_what_the_first_rule_that_fits_says(read: Read) -> None:
    collected = read(LINES)
    assert counts_of(collected) == {
        "sale": (4, Decimal("32.99")),
        "duplicate_line": (1, Decimal(3)),
        "unreadable_amount": (1, Decimal()),
        "unreadable_time": (1, Decimal(5)),
        "impossible_time": (2, Decimal(10)),
        "fee_line": (3, Decimal("-0.50")),
        "no_customer": (1, Decimal(5)),
        "zero_price": (1, Decimal()),
        "return_line": (1, Decimal(-5)),
    }
    assert rows_of(collected.tables.orders, "order_id", "customer_id", "amount", "units", "region") == [
        ("1", "10", 12.99, 3.0, "France"),
        ("12", "11", 15.0, 3.0, "Spain"),
        ("2", "11", 5.0, 1.0, "Spain"),
    ]
    # The product has the name that most of its lines carry.
    assert rows_of(collected.tables.order_lines, "order_id", "product_id", "product_name", "amount") == [
        ("1", "A", "Mug", 9.99),
        ("1", "B", "Plate", 3.0),
        ("12", "A", "Mug", 15.0),
        ("2", "A", "Mug", 5.0),
    ]
    assert rows_of(collected.tables.refunds, "customer_id", "refunded_at", "amount", "product_id", "quantity") == [
        ("10", at("2024-01-07 08:00"), 5.0, "A", 1.0)
    ]
    assert (collected.first_at, collected.last_at) == (at("2024-01-05 08:00"), at("2024-02-01 08:00"))
    assert collected.has_lines


def test_what_lies_after_the_date_of_the_analysis_is_set_aside(read: Read) -> None:
    collected = read(LINES, as_of=at("2024-02-01"))
    assert counts_of(collected)["after_as_of"] == (1, Decimal(15))
    assert collected.last_at == at("2024-01-06 08:00")


def test_every_treatment_has_its_words_and_its_place() -> None:
    say = catalogue("shuke.collect", Language.ENGLISH)
    for code, treatment in collect.TREATMENTS:
        assert say.has(f"reasons.{code}")
        assert say.has(f"treatments.{treatment}")
    assert all(say.has(f"fields.{field}") for field in collect.FIELDS)


def test_other_currencies_are_set_aside_with_their_money(read: Read) -> None:
    text = (
        "customer_id,order_id,order_date,amount,currency\n"
        "1,1,2024-01-05,10,usd\n1,2,2024-01-06,20,USD\n2,3,2024-01-07,7,EUR\n"
    )
    collected = read(text)
    assert collected.currency == "USD"
    assert counts_of(collected)["other_currency"] == (1, Decimal(7))
    collected = read(text, currency="eur")
    assert counts_of(collected) == {"sale": (1, Decimal(7)), "other_currency": (2, Decimal(30))}
    with pytest.raises(BadInput) as raised:
        read(text, currency="CNY")
    assert raised.value.values["found"] == "EUR, USD"


def test_without_an_order_number_one_moment_is_one_order(read: Read) -> None:
    collected = read(
        "customer_id,time,amount\n1,2024-01-05 08:00,10\n1,2024-01-05 08:00,5\n"
        "1,2024-01-05 09:00,1\n2,2024-01-05 08:00,2\n"
    )
    assert rows_of(collected.tables.orders, "customer_id", "ordered_at", "amount") == [
        ("1", at("2024-01-05 08:00"), 15.0),
        ("1", at("2024-01-05 09:00"), 1.0),
        ("2", at("2024-01-05 08:00"), 2.0),
    ]
    assert collected.tables.orders.order_id.nunique().to_pyarrow().as_py() == 3
    assert [note.code for note in collected.quality.notes] == ["order_is_moment"]


def test_without_a_clock_one_day_is_one_order_and_equal_rows_are_two_purchases(read: Read) -> None:
    collected = read("customer_id,date,amount\n1,2024-01-05,10\n1,2024-01-05,10\n1,2024-01-06,1\n")
    assert rows_of(collected.tables.orders, "ordered_at", "amount") == [
        (at("2024-01-05"), 20.0),
        (at("2024-01-06"), 1.0),
    ]
    assert [note.code for note in collected.quality.notes] == ["order_is_day"]


def test_lines_that_an_earlier_file_has_too_count_once(read: Read) -> None:
    header = "order_id,customer_id,order_date,sku,qty,price\n"
    january = header + "1,a,2024-01-30,X,1,5\n2,a,2024-01-31,X,1,5\n2,a,2024-01-31,Y,1,7\n"
    february = (
        "订单号,会员编号,下单时间,商品编码,数量,单价\n2,a,2024/1/31,Y,1,7.00\n2,a,2024/1/31,Z,1,9\n3,a,2024/2/1,X,1,5\n"
    )
    collected = read(january, february)
    assert counts_of(collected) == {"sale": (5, Decimal(31)), "overlap_line": (1, Decimal(7))}
    assert rows_of(collected.tables.orders, "order_id", "amount") == [("1", 5.0), ("2", 21.0), ("3", 5.0)]


def test_a_purchase_counts_whatever_it_cost_where_nobody_needs_amounts(read: Read) -> None:
    collected = read("customer_id,date\n1,2024-01-05\n2,2024-01-06\n", need=("customer", "time"))
    assert rows_of(collected.tables.orders, "customer_id", "amount") == [("1", None), ("2", None)]
    collected = read("customer_id,date,amount\n1,2024-01-05,0\n2,2024-01-06,\n", need=("customer", "time"))
    assert counts_of(collected)["sale"] == (2, Decimal())


@pytest.mark.parametrize(("cells", "costs"), [(("0.4", "0.25"), [6.0, 15.0]), (("4", "5"), [6.0, 15.0])])
def test_a_margin_is_a_share_or_money(read: Read, cells: tuple[str, str], costs: list[float]) -> None:
    collected = read(
        f"customer_id,order_id,date,amount,profit\n1,1,2024-01-05,10,{cells[0]}\n2,2,2024-01-06,20,{cells[1]}\n",
        margin_column="profit",
    )
    assert [cost for _, cost in rows_of(collected.tables.orders, "order_id", "cost")] == costs


def test_nothing_left_to_analyse_is_said_with_the_reasons(read: Read) -> None:
    with pytest.raises(BadInput) as raised:
        read("customer_id,order_id,date,amount\n,1,2024-01-05,10\n")
    assert (raised.value.code, raised.value.values["rows"]) == ("collect.no_sales", 1)


def test_parquet_with_right_types_is_read_where_it_lies(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    duckdb.sql(
        "SELECT i AS order_id, i % 7 AS customer_id, "
        "TIMESTAMP '2024-01-01' + to_hours(CAST(i AS INTEGER)) AS ordered_at, i * 1.5 AS amount FROM range(1, 101) t(i)"
    ).write_parquet(str(path))
    collected = read(path)
    assert not list((tmp_path / "work").rglob("*.parquet"))
    assert collected.quality.count("sale").amount == Decimal(7575)
    assert str(collected.tables.orders.schema()["customer_id"]) == "int64"
    assert collected.tables.orders.count().to_pyarrow().as_py() == 100
    assert collected.tables.order_lines is None


def test_rejects_are_written_with_their_reason_and_harmless_cells(read: Read, tmp_path: Path) -> None:
    text = (
        "customer_id,order_id,date,amount,note\n1,1,2024-01-05,10,fine\n,2,2024-01-06,-5,=cmd()\n"
        "3,3,2024-01-07,many,@x\n4,4,2024-01-08,1,2,3\n"
    )
    collected = read(text)
    (path,) = collect.write_rejects(collected, tmp_path / "out", language=Language.CHINESE)
    assert path.read_bytes().decode("utf-8-sig") == (
        "文件,行,原因代码,原因,customer_id,order_id,date,amount,note\r\n"
        'file0.csv,5,unreadable_line,这一行无法拆分成文件的各列,"4,4,2024-01-08,1,2,3"\r\n'
        "file0.csv,2,no_customer,不知道顾客是谁,,2,2024-01-06,-5,'=cmd()\r\n"
        "file0.csv,3,unreadable_amount,没有金额，或金额不是数字,3,3,2024-01-07,many,'@x\r\n"
    )
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == [path.name]


def test_no_file_of_rejects_where_every_row_was_used(read: Read, tmp_path: Path) -> None:
    collected = read("customer_id,order_id,date,amount\n1,1,2024-01-05,10\n")
    assert collect.write_rejects(collected, tmp_path / "out") == []
    assert list((tmp_path / "out").iterdir()) == []


_PRICES = st.decimals(min_value=-50, max_value=50, places=3)
_ROW = st.tuples(
    st.sampled_from(["", "1", "2", "C3"]),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from(["", "2024-01-05", "2024-01-06", "1970-01-01", "soon"]),
    st.sampled_from(["", "POST", "X", "Y"]),
    st.sampled_from(["-1", "0", "1", "2", "x"]),
    st.one_of(_PRICES.map(str), st.just("")),
    st.sampled_from(["", "closed", "pending", "paid", "refunded"]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(st.lists(_ROW, min_size=1, max_size=12), min_size=1, max_size=2))
def test_rows_and_money_of_any_file_add_up(read: Read, files: list[list[tuple[str, ...]]]) -> None:
    header = "order_id,customer_id,order_date,sku,qty,price,order_status"
    first = "99,z,2024-01-01,W,1,1.5,paid"
    texts = ["\n".join([header, first, *(",".join(row) for row in rows)]) + "\n" for rows in files]
    collected = read(*texts)
    # Counted again, without any of the rules: Σ quantity × price where both are numbers.
    expected = sum(
        (Decimal(row[4]) * Decimal(row[5]) for rows in files for row in rows if row[5] and row[4] != "x"),
        Decimal("1.5") * len(files),
    )
    assert collected.quality.amount == expected
    assert sum(count.rows for count in collected.quality.counts) == sum(len(rows) + 1 for rows in files)
    assert sum(count.amount for count in collected.quality.counts) == expected
    sold = sum(count.amount for count in collected.quality.counts if count.treatment is Treatment.KEPT)
    assert collected.tables.orders.amount.sum().to_pyarrow().as_py() == pytest.approx(float(sold), abs=1e-9)
    assert collected.tables.order_lines is not None
