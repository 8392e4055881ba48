"""How single columns are read: numbers, moments, identifiers, texts, encodings and delimiters."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.base.errors import BadInput
from shuke.collect import Collected

from .conftest import counts_of, rows_of

Read = Callable[..., Collected]
at = datetime.fromisoformat


def _amounts(read: Read, *cells: str, delimiter: str = ",") -> list[float | None]:
    rows = [f'{number}{delimiter}2024-01-0{number}{delimiter}"{cell}"' for number, cell in enumerate(cells, start=1)]
    collected = read("\n".join([delimiter.join(("customer_id", "order_date", "amount")), *rows]) + "\n")
    found = dict(rows_of(collected.lines, "customer", "money"))
    return [None if found[str(at)] is None else float(found[str(at)]) for at in range(1, len(cells) + 1)]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1,234.50", "12", "7.5"), [1234.5, 12, 7.5]),
        (("¥1,234.50", "￥12", "12元", "CNY 8", "US$9.5"), [1234.5, 12, 12, 8, 9.5]),
        (("£12.50", "-£3.00", "(4.00)", "5.00-", "£-6"), [12.5, -3, -4, -5, -6]),
        (("1.234,56", "12,5", "1.000"), [1234.56, 12.5, 1000]),
        (("１，２３４．５", "１２"), [1234.5, 12]),
        (("1 234,50", "99,90"), [1234.5, 99.9]),
        (("1'234.50", "2"), [1234.5, 2]),
        (("1.2E+3", "3"), [1200, 3]),
        (("1,234,567", "5"), [1234567, 5]),
        (("0.123", "12.345"), [0.123, 12.345]),
        (("5", "free", "12 or 13", "SKU-12"), [5, None, None, None]),
    ],
)
def test_numbers_are_read_by_one_rule_for_the_whole_column(
    read: Read, cells: tuple[str, ...], values: list[float | None]
) -> None:
    assert _amounts(read, *cells) == values


def test_without_evidence_a_comma_is_decimal_only_among_semicolons(read: Read) -> None:
    assert _amounts(read, "1,234", "2,345") == [1234, 2345]
    assert _amounts(read, "1,234", "2,345", delimiter=";") == [1.234, 2.345]


def _times(read: Read, *cells: str, **options: object) -> list[datetime | None]:
    rows = [f'{number},"{cell}",10' for number, cell in enumerate(cells, start=1)]
    collected = read("\n".join(["customer_id,order_date,amount", *rows]) + "\n", **options)
    found = dict(rows_of(collected.lines, "customer", "time"))
    return [found[str(number)] for number in range(1, len(cells) + 1)]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("2024-01-05", "2024-01-06 08:03"), ["2024-01-05", "2024-01-06 08:03"]),
        (("2024-01-05T08:03:12", "2024-01-05 08:03:12.250"), ["2024-01-05 08:03:12", "2024-01-05 08:03:12.25"]),
        (("2024/1/5 8:03", "2024/12/25 18:30:05"), ["2024-01-05 08:03", "2024-12-25 18:30:05"]),
        (("20240105", "20241225"), ["2024-01-05", "2024-12-25"]),
        (("20240105080312", "20241225183005"), ["2024-01-05 08:03:12", "2024-12-25 18:30:05"]),
        (("05/01/2024", "25/12/2024"), ["2024-01-05", "2024-12-25"]),
        (("01/05/2024 8:03 AM", "12/25/2024 6:30 PM"), ["2024-01-05 08:03", "2024-12-25 18:30"]),
        (("05.01.2024", "25.12.2024 18:30"), ["2024-01-05", "2024-12-25 18:30"]),
        (("2024年1月5日", "2024年12月25日 18时30分"), ["2024-01-05", "2024-12-25 18:30"]),
        (("2024年1月5日 上午8:03", "2024年12月25日 下午6:30"), ["2024-01-05 08:03", "2024-12-25 18:30"]),
        (("5 Jan 2024", "25 December 2024"), ["2024-01-05", "2024-12-25"]),
        (("Jan 5, 2024 8:03 AM", "Dec 25, 2024 6:30 PM"), ["2024-01-05 08:03", "2024-12-25 18:30"]),
        (("05-Jan-24", "25-Dec-24"), ["2024-01-05", "2024-12-25"]),
        (("1704441792", "1735151405"), ["2024-01-05 08:03:12", "2024-12-25 18:30:05"]),
        (("1704441792000", "1735151405500"), ["2024-01-05 08:03:12", "2024-12-25 18:30:05.5"]),
        (("45296", "45651.75"), ["2024-01-05", "2024-12-25 18:00"]),
        (("２０２４－０１－０５", "2024-12-25"), ["2024-01-05", "2024-12-25"]),
        (("2024-01-05 08:03:12 +0800", "2024-12-25 18:30:05 +0800"), ["2024-01-05 08:03:12", "2024-12-25 18:30:05"]),
    ],
)
def test_moments_in_many_spellings(read: Read, cells: tuple[str, ...], values: list[str]) -> None:
    assert _times(read, *cells) == [at(value) for value in values]


def test_zones_are_brought_to_the_clocks_of_the_brand(read: Read) -> None:
    cells = ("2024-01-05T00:03:12Z", "2024-07-05 08:03:12+08:00", "2024-07-05T01:03:12.5+01:00")
    assert _times(read, *cells, timezone="Asia/Shanghai") == [
        at("2024-01-05 08:03:12"),
        at("2024-07-05 08:03:12"),
        at("2024-07-05 08:03:12.5"),
    ]
    stamp = int(datetime(2024, 1, 5, tzinfo=UTC).timestamp())
    assert _times(read, str(stamp), timezone="Asia/Shanghai") == [at("2024-01-05 08:00")]


def test_days_and_months_that_cannot_be_told_apart_are_a_question(read: Read) -> None:
    with pytest.raises(BadInput) as raised:
        _times(read, "03/04/2024", "05/06/2024")
    assert raised.value.code == "collect.ambiguous_dates"
    assert _times(read, "03/04/2024", mapping={"date_order": "dmy"}) == [at("2024-04-03")]
    assert _times(read, "03/04/2024", mapping={"date_order": "mdy"}) == [at("2024-03-04")]


def test_a_column_without_any_moment_is_a_question(read: Read) -> None:
    with pytest.raises(BadInput) as raised:
        _times(read, "yesterday", "today")
    assert raised.value.code == "collect.no_readable_time"


def test_ids_stay_as_the_file_has_them(read: Read) -> None:
    collected = read(
        "customer_id,order_id,order_date,amount\n"
        ' 00042 ,="0007",2024-01-05,1\n'
        "'00043,\t0008,2024-01-06,2\n"
        "1.38E+10,0009,2024-01-07,3\n"
    )
    assert rows_of(collected.tables.orders, "customer_id", "order_id") == [("00042", "0007"), ("00043", "0008")]
    assert counts_of(collected)["ambiguous_id"] == (1, Decimal(3))


def test_ids_that_were_written_as_floats_are_whole_again(read: Read) -> None:
    collected = read("CustomerID,order_date,amount\n17850.0,2024-01-05,1\n,2024-01-06,2\n17851.0,2024-01-07,3\n")
    assert rows_of(collected.tables.orders, "customer_id") == [("17850",), ("17851",)]
    assert counts_of(collected)["no_customer"] == (1, Decimal(2))


def test_a_line_that_cannot_be_split_is_counted_and_the_rest_is_read(read: Read) -> None:
    collected = read("customer_id,order_date,amount\n1,2024-01-05,1\n2,2024-01-06,2,surplus\n3,2024-01-07,3\n")
    assert counts_of(collected) == {"sale": (2, Decimal(4)), "unreadable_line": (1, Decimal())}
    assert collected.quality.rows == 3


def test_columns_aligned_by_spaces_without_a_header(read: Read) -> None:
    text = " 00004 0001 19970101  2   29.33\n 00021 0002 19970112  1   12.00\n"
    collected = read(text, mapping={"customer": "2", "time": "3", "quantity": "4", "amount": "5"})
    assert rows_of(collected.tables.orders, "customer_id", "ordered_at", "amount", "units") == [
        ("0001", at("1997-01-01"), 29.33, 2.0),
        ("0002", at("1997-01-12"), 12.0, 1.0),
    ]


_CELL = st.text(alphabet=st.sampled_from("abc 熟客,;|\t\"'\n=-１２"), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(_CELL, min_size=1, max_size=6),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_any_text_survives_any_encoding_and_delimiter(
    read: Read, names: list[str], encoding: str, delimiter: str, newline: str
) -> None:
    def quote(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    rows = [["订单号", "会员编号", "下单时间", "实付金额", "商品名称"]]
    rows += [[f"O{at}", f"K{at}", "2024-01-05", "1.5", name] for at, name in enumerate(names)]
    text = newline.join(delimiter.join(quote(cell) for cell in row) for row in rows) + newline
    collected = read(text.encode(encoding))
    found = dict(rows_of(collected.lines, "order", "product_name"))
    for number, name in enumerate(names):
        want = name.strip(" \t\n")
        assert found[f"O{number}"] == (None if want in ("", "-", "--") else want)
    assert collected.quality.amount == Decimal("1.5") * len(names)
