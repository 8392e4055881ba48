"""report.json and the CSV lists."""

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from shuke.base.language import Language
from shuke.base.spreadsheets import neutral
from shuke.reports.exports.json import BLOCKS, plain, write_json
from shuke.reports.exports.lists import write_lists
from shuke.reports.model import Block, Column, CustomerList, Kind, Report


def test_json_holds_every_figure_and_every_chapter(report: Report, tmp_path: Path) -> None:
    write_json(report, tmp_path / "report.json")
    read = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(read)[:9] == [
        "schema", "title", "subtitle", "brand", "language", "as_of", "generated_at", "currency", "figures",
    ]  # fmt: skip
    assert read["schema"] == "shuke.report/1"
    assert read["figures"]["customers"] == {"count": 5850, "share": 0.1234, "none": None}
    assert [chapter["code"] for chapter in read["chapters"]] == [chapter.code for chapter in report.chapters]
    finding = read["chapters"][5]["blocks"][0]
    assert (finding["block"], finding["money"], finding["confidence"]) == ("FindingBlock", 1_320_456.0, "high")
    assert read["lists"][0]["rows"] == 1204
    assert read["lists"][0]["file"] == "lists/at_risk.csv"


def test_json_names_every_block() -> None:
    assert {block.__name__ for block in Block.__args__} == BLOCKS


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan")])
def test_json_refuses_what_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="say None"):
        plain({"figure": [value]})


def test_json_refuses_what_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="a report holds no object"):
        plain(object())


def test_json_takes_numpy_scalars() -> None:
    assert plain({"a": np.int64(3), "b": (np.float64(0.5), date(2011, 12, 9))}) == {"a": 3, "b": [0.5, "2011-12-09"]}


def read(path: Path) -> list[list[str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # so that Excel reads Chinese as it was written
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def alive(cell: str) -> bool:
    """Whether a spreadsheet may compute the cell."""
    return cell.lstrip().startswith(("=", "+", "-", "@")) and not cell.lstrip("-").replace(".", "", 1).isdigit()


def test_lists_are_whole_and_dead(report: Report, tmp_path: Path) -> None:
    (path,) = write_lists(report, tmp_path)
    header, *rows = read(path)
    assert path == tmp_path / "lists" / "at_risk.csv"
    assert header == [column.label for column in report.lists[0].columns]
    assert rows[3] == ["C00003", "3", "3.75", "2011-09-01"]
    assert len(rows) == 1204
    assert not any(alive(cell) for row in rows for cell in row)
    assert '\'=cmd|"/c calc"!A1' in [row[0] for row in rows]


def test_a_list_that_lives_would_be_noticed(
    sample: Callable[[Language], Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The planted fault: texts written as they are.
    monkeypatch.setattr("shuke.reports.exports.lists.neutral", lambda text: text)
    (path,) = write_lists(sample(Language.ENGLISH), tmp_path)
    assert any(alive(cell) for row in read(path) for cell in row)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\u00a0@", "＝", "＋", "－", "＠"])
def test_formulas_are_neutralised(start: str) -> None:
    assert neutral(f"{start}1+1") == f"'{start}1+1"


def test_ordinary_texts_stay() -> None:
    assert [neutral(text) for text in ("C-1", "围巾", "", "a=b", " x")] == ["C-1", "围巾", "", "a=b", " x"]


def test_numbers_are_written_for_machines(tmp_path: Path, sample: Callable[[Language], Report]) -> None:
    table = pa.table({"n": [-1234.5678], "share": [0.12345678], "gone": pa.array([None], pa.float64()), "ok": [True]})
    columns = (
        Column(key="n", label="n", kind=Kind.MONEY),
        Column(key="share", label="share", kind=Kind.PERCENT, digits=1),
        Column(key="gone", label="gone", kind=Kind.NUMBER),
        Column(key="ok", label="ok"),
    )
    known = CustomerList(code="numbers", title="n", columns=columns, total_rows=1, batches=table.to_batches)
    (path,) = write_lists(replace(sample(Language.CHINESE), lists=(known,)), tmp_path)
    assert read(path)[1] == ["-1234.57", "0.123", "", "是"]
