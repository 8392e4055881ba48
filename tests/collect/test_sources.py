"""Workbooks, globs, cost files, limits and progress."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
import xlsxwriter

from shuke import collect
from shuke.base.errors import BadInput
from shuke.collect import Collected
from shuke.collect.service import sheets
from shuke.platform import Engine

from .conftest import fields_of, rows_of

Read = Callable[..., Collected]
at = datetime.fromisoformat


def _workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = xlsxwriter.Workbook(path)
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, datetime):
                    sheet.write_datetime(row, column, cell, moment)
                else:
                    sheet.write(row, column, cell)
    book.close()
    return path


def test_the_sheet_with_the_orders_is_found_and_named(read: Read, tmp_path: Path) -> None:
    path = _workbook(
        tmp_path / "订单.xlsx",
        说明=[["导出说明"], ["请勿修改"]],
        订单报表=[
            ["熟客商城订单"],
            ["订单号", "会员编号", "下单时间", "实付金额", "商品名称"],
            [1001, 13800000001, at("2024-01-05 08:03"), 1234.5, "杯子"],
            [1002, "0042", at("2024-01-06 18:30"), 20, "盘子"],
            [1003, 1.2345678901234567e18, at("2024-01-07 18:30"), 20, "盘子"],
        ],
    )
    collected = read(path)
    (file,) = collected.quality.files
    assert (file.kind, file.sheet, file.rows, file.skipped_lines) == ("xlsx", "订单报表", 3, 1)
    assert [note.code for note in collected.quality.notes] == ["sheet_chosen", "postage_within"]
    assert rows_of(collected.tables.orders, "order_id", "customer_id", "ordered_at", "amount") == [
        ("1001", "13800000001", at("2024-01-05 08:03"), 1234.5),
        ("1002", "0042", at("2024-01-06 18:30"), 20.0),
    ]
    # The workbook itself has lost the last digits of this customer.
    assert collected.quality.count("ambiguous_id").rows == 1


def test_a_glob_of_files_of_different_makes(read: Read, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "订单号;会员编号;下单时间;实付金额\n1;7;05.01.2024;1.234,50\n2;8;25.01.2024;2,00\n", "gb18030"
    )
    duckdb.sql("SELECT 3 AS order_id, 7 AS customer_id, DATE '2024-02-01' AS order_date, 5.0 AS amount").write_parquet(
        str(tmp_path / "b.parquet")
    )
    _workbook(tmp_path / "c.xlsx", s=[["order_id", "customer_id", "order_date", "amount"], [4, 8, "2024/3/1", 6]])
    collected = read(Path(str(tmp_path / "[abc].*")))
    assert rows_of(collected.tables.orders, "order_id", "customer_id", "ordered_at", "amount") == [
        ("1", "7", at("2024-01-05"), 1234.5),
        ("2", "8", at("2024-01-25"), 2.0),
        ("3", "7", at("2024-02-01"), 5.0),
        ("4", "8", at("2024-03-01"), 6.0),
    ]
    kinds = [(file.kind, file.encoding, file.delimiter) for file in collected.quality.files]
    assert kinds == [("csv", "gb18030", ";"), ("parquet", None, None), ("xlsx", None, None)]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("absent.csv", None, "collect.file_missing"),
        ("empty.csv", b"", "collect.empty_file"),
        ("head.csv", b"customer_id,order_date,amount\n", "collect.empty_file"),
        ("one.csv", b"customer\nann\nbob\n", "collect.no_columns"),
        ("broken.xlsx", b"PK\x03\x04 no workbook", "collect.broken_file"),
        ("broken.parquet", b"PAR1 no parquet", "collect.broken_file"),
        ("odd.csv", b"customer_id,order_date\n\xff\xff\xff\x80,2\n", "collect.unknown_encoding"),
    ],
)
def test_what_cannot_be_read_is_said(read: Read, tmp_path: Path, name: str, content: bytes | None, code: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput) as raised:
        read(path)
    assert raised.value.code == code


@pytest.mark.parametrize("limit", ["SHEET_UNPACKED_BYTES_MAX", "SHEET_PARTS_MAX"])
def test_a_workbook_that_swells_is_not_unpacked(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    rows = [["order_id", "customer_id", "order_date", "amount"], *([n, 8, "2024/3/1", 6] for n in range(3))]
    _workbook(tmp_path / "c.xlsx", s=rows)
    assert read(tmp_path / "c.xlsx").quality.files
    monkeypatch.setattr(sheets, limit, 3)
    monkeypatch.setattr(sheets.calamine, "load_workbook", lambda _: pytest.fail("unpacked"))
    with pytest.raises(BadInput) as raised:
        read(tmp_path / "c.xlsx")
    assert (raised.value.code, raised.value.values["file"]) == ("collect.file_too_large", "c.xlsx")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"mapping": {"colour": "amount"}}, "collect.unknown_field"),
        ({"mapping": {"customer": "nobody"}}, "collect.unknown_column"),
        ({"mapping": {"date_order": "ymd"}}, "collect.bad_date_order"),
        ({"timezone": "Mars/Olympus"}, "base.unknown_timezone"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(read: Read, options: dict[str, object], code: str) -> None:
    with pytest.raises(BadInput) as raised:
        read("customer_id,order_date,amount\n1,2024-01-05,1\n", **options)
    assert raised.value.code == code


def test_progress_names_stages_and_never_exceeds_the_whole(read: Read) -> None:
    seen: list[tuple[str, float]] = []
    text = "客户编号,下单时间,金额\n1,2024-01-05,1\n"
    read(text.encode("gb18030"), progress=lambda stage, share: seen.append((stage, share)))
    assert {stage for stage, _ in seen} == {
        "collect.open",
        "collect.encoding",
        "collect.transcode",
        "collect.stage",
        "collect.check",
    }
    assert all(0 <= share <= 1 for _, share in seen)
    assert seen[-1] == ("collect.check", 1.0)


def test_what_was_recognised_is_shown_with_what_was_not(read: Read) -> None:
    collected = read("会员编号,下单时间,实付金额,收货地址\n1,2024-01-05,1,杭州\n")
    assert fields_of(collected) == {"customer": "会员编号", "time": "下单时间", "amount": "实付金额"}
    assert collected.recognised.unused == (("file0.csv", "收货地址"),)
    assert collected.recognised.column("amount") == "实付金额"
    assert collected.recognised.column("region") is None


def test_costs_by_channel_and_month(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_bytes(
        '渠道,月份,花费\n抖音,2024年1月,"1,200.50"\n抖音,2024-01,99.50\n微信,2024/2,¥300\n'.encode("gb18030")
    )
    costs = collect.read_costs(path, engine)
    assert rows_of(costs, "channel", "period", "spend") == [
        ("微信", date(2024, 2, 1), 300.0),
        ("抖音", date(2024, 1, 1), 1300.0),
    ]


def test_costs_of_a_workbook_by_date(engine: Engine, tmp_path: Path) -> None:
    path = _workbook(
        tmp_path / "costs.xlsx",
        s=[["Channel", "Date", "Cost"], ["ads", at("2024-01-05"), 10], ["ads", at("2024-01-25"), 5.5]],
    )
    assert rows_of(collect.read_costs(path, engine), "channel", "period", "spend") == [("ads", date(2024, 1, 1), 15.5)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("channel,month\na,2024-01\n", "collect.missing_costs"),
        ("channel,month,spend\na,2024-01,much\n", "collect.unreadable_costs"),
        ("channel,month,spend\na,2024-01,-3\n", "collect.unreadable_costs"),
    ],
)
def test_costs_that_cannot_be_read_are_said(engine: Engine, tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "costs.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as raised:
        collect.read_costs(path, engine)
    assert raised.value.code == code
