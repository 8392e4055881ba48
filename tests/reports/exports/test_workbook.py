"""The workbook holds the numbers as numbers, native charts of them, and texts that never compute."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from shuke.base.language import Language
from shuke.reports.exports.native_charts import MATRICES, literal
from shuke.reports.exports.xlsx import page_breaks, sheet_name, write_xlsx
from shuke.reports.model import ChartBlock, Report


@pytest.fixture(scope="module")
def path(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("xlsx") / "report.xlsx"
    write_xlsx(report, path)
    return path


def parts(path: Path, pattern: str) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name).decode() for name in archive.namelist() if re.fullmatch(pattern, name)]


def computes(path: Path) -> bool:
    """Whether any cell is a formula or any link leaves the file."""
    sheets = parts(path, r"xl/worksheets/sheet\d+\.xml")
    links = parts(path, r"xl/worksheets/_rels/.*\.rels")
    return any("<f>" in sheet for sheet in sheets) or any("TargetMode" in link for link in links)


def test_sheets_are_contents_chapters_lists_and_chart_data(path: Path, report: Report) -> None:
    names = CalamineWorkbook.from_path(path).sheet_names
    chapters = [f"{n} {chapter.short}" for n, chapter in enumerate(report.chapters, start=1)]
    lists = [known.title for known in report.lists]
    assert names[1:-1] == chapters + lists
    assert len(names) == len(chapters) + len(lists) + 2


def test_numbers_are_numbers_and_dates_are_dates(path: Path, report: Report) -> None:
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(3).to_python()
    (table,) = [b for b in report.chapters[2].blocks if getattr(b, "code", "") == "stage_table"]
    first = next(i for i, row in enumerate(rows) if row[0] == table.columns[0].label)
    assert rows[first + 1][:5] == ["First purchase" if report.language is Language.ENGLISH else "首购", 400.0, 0.05,
                                   617_280.0, date(2011, 12, 9)]  # fmt: skip


def test_there_is_a_native_chart_for_each_figure_but_matrices(path: Path, report: Report) -> None:
    blocks = [b for chapter in report.chapters for b in chapter.blocks if isinstance(b, ChartBlock)]
    drawn = [block for block in blocks if block.chart.kind not in MATRICES]
    assert len(parts(path, r"xl/charts/chart\d+\.xml")) == len(drawn)
    coloured = sum(sheet.count("<colorScale>") for sheet in parts(path, r"xl/worksheets/sheet\d+\.xml"))
    assert coloured == len(blocks) - len(drawn)
    described = "".join(parts(path, r"xl/drawings/drawing\d+\.xml"))
    assert all(block.reading in described for block in drawn)


def test_charts_read_the_cells_they_should(path: Path) -> None:
    sheet = CalamineWorkbook.from_path(path).sheet_names[-1]
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()
    for chart in parts(path, r"xl/charts/chart\d+\.xml"):
        for place in re.findall(r"<c:val>.*?<c:f>(.*?)</c:f>", chart, re.DOTALL):
            column, start, end = re.fullmatch(r"'?.*'?!\$([A-Z]+)\$(\d+):\$[A-Z]+\$(\d+)", place).groups()
            values = [rows[i][ord(column) - 65] for i in range(int(start) - 1, int(end))]
            assert all(isinstance(value, int | float) or value == "" for value in values)
            assert any(isinstance(value, int | float) for value in values)
            assert isinstance(rows[int(start) - 2][ord(column) - 65], str)  # its header


def test_no_text_computes(path: Path) -> None:
    assert not computes(path)
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(8).to_python()
    assert '=cmd|"/c calc"!A1' in [row[0] for row in rows]


def test_a_text_that_computes_would_be_noticed(tmp_path: Path) -> None:
    # The planted fault: a workbook with the library's own defaults, which take a leading = for a formula.
    book = xlsxwriter.Workbook(str(tmp_path / "faulty.xlsx"))
    book.add_worksheet().write(0, 0, "=1+1")
    book.close()
    assert computes(tmp_path / "faulty.xlsx")


@pytest.mark.parametrize("name", ["=A1", "Sale!A1", '=cmd|"/c calc"!A1'])
def test_no_label_of_a_chart_is_taken_for_a_reference(name: str) -> None:
    assert not re.match(r"^=?[^!]+!\$?[A-Z]+\$?\d+", literal(name))
    assert not literal(name).startswith("=")
    assert literal(name).replace("\u200b", "") == name


def test_a_long_list_says_that_it_is_cut(sample: Callable[[Language], Report], tmp_path: Path) -> None:
    report = sample(Language.ENGLISH)
    write_xlsx(report, tmp_path / "cut.xlsx", list_rows_max=1000)
    rows = CalamineWorkbook.from_path(tmp_path / "cut.xlsx").get_sheet_by_index(8).to_python(skip_empty_area=False)
    assert rows[1][0] == "The first 1,000 of 1,204 customers are here; all of them are in lists/at_risk.csv."
    assert len(rows) == 4 + 1000
    assert rows[-1][0] == "C00999"


def test_sheet_names_are_allowed_and_distinct() -> None:
    taken: set[str] = set()
    assert sheet_name("1 A/B: [test]?*", taken) == "1 A B   test"
    assert sheet_name("'quoted'", taken) == "quoted"
    long = "很" * 40
    assert sheet_name(long, taken) == "很" * 31
    assert sheet_name(long, taken) == "很" * 27 + " (2)"
    assert sheet_name("QUOTED", taken) == "QUOTED (2)"


def test_an_empty_report_is_a_workbook_too(sample: Callable[[Language], Report], tmp_path: Path) -> None:
    write_xlsx(replace(sample(Language.CHINESE), chapters=(), lists=()), tmp_path / "empty.xlsx")
    assert CalamineWorkbook.from_path(tmp_path / "empty.xlsx").sheet_names == ["目录", "图表数据"]


def test_pages_end_where_nothing_is_parted() -> None:
    rows = [10.0] * 30
    assert page_breaks(rows, [(0, 5), (6, 9), (9, 14)], 100) == [9, 19, 29]  # the third range would end below row 10
    assert page_breaks(rows[:8], [(0, 5), (6, 8)], 100) == []
    assert page_breaks(rows, [(0, 25)], 100) == [10, 20]  # longer than a page: as the rows come
    assert page_breaks([10.0, 500.0, 10.0], [(0, 1), (2, 3)], 100) == [1, 2]


def test_on_paper_no_chart_is_parted_and_all_columns_are_there(path: Path, report: Report) -> None:
    areas = re.findall(r"_xlnm.Print_Area[^>]*>[^<]*", *parts(path, r"xl/workbook\.xml"))
    assert len(areas) == len(report.chapters)
    with zipfile.ZipFile(path) as archive:
        for number in range(2, len(report.chapters) + 2):
            sheet = archive.read(f"xl/worksheets/sheet{number}.xml").decode()
            assert 'orientation="landscape"' in sheet
            assert 'fitToHeight="0"' in sheet
            breaks = [int(row) for row in re.findall(r'<brk id="(\d+)"', sheet)]
            columns = max(len(re.findall("<c ", row)) for row in re.findall(r"<row.*?</row>", sheet))
            last = re.search(r"\$([A-Z]+)\$\d+$", areas[number - 2])
            assert last is not None
            assert ord(last[1]) - 64 >= columns
            links = re.search(
                r"drawings/(drawing\d+\.xml)", _read(archive, f"xl/worksheets/_rels/sheet{number}.xml.rels")
            )
            for anchor in _anchors(archive, links):
                assert [row for row in breaks if anchor[0] < row <= anchor[1]] == []


def _read(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode() if name in archive.namelist() else ""


def _anchors(archive: zipfile.ZipFile, link: re.Match[str] | None) -> list[tuple[int, int]]:
    """The first and last row of each chart of a sheet."""
    drawing = _read(archive, f"xl/drawings/{link[1]}") if link else ""
    rows = [int(row) for row in re.findall(r"<xdr:row>(\d+)</xdr:row>", drawing)]
    return list(zip(rows[::2], rows[1::2], strict=True))
