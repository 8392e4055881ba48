"""The report as a workbook: a sheet of contents, one for each chapter with native charts, one for each customer list.

Rows are written once, top to bottom, and leave memory as they are written. Texts are stored as texts: a product called
``=cmd()`` is no formula, and no address becomes a link.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import xlsxwriter

from shuke.base.language import Language
from shuke.reports.exports.charts.theme import DIVERGING, INK, LINE, MUTED, NAVY, SEQUENTIAL
from shuke.reports.exports.native_charts import MATRICES, Grid, Place, grid_of, native_chart
from shuke.reports.exports.outline import Item, outline_items
from shuke.reports.exports.writing import DIGITS, Writing
from shuke.reports.model import (
    Axis,
    ChartBlock,
    Column,
    CustomerList,
    Heading,
    Kind,
    Report,
    TableBlock,
    Value,
)

__all__ = ["LIST_ROWS_MAX", "write_xlsx"]

SHEET_ROWS_MAX = 1_048_576
LIST_ROWS_MAX = 100_000
"""Of a customer list in a workbook, unless asked for otherwise; the CSV beside it always holds all."""

TEXT_COLUMNS = 8  # that a paragraph runs across
CELL_TEXT_MAX = 32_767
CELL_WIDTH = 8.0  # of a matrix, where no table asks for more
CHART_ROWS = 18
ROW_POINTS = 16.5
KEPT_ROWS_MAX = 24  # a longer table may be parted by the end of a page, but not before its sixth row
KEPT_ROWS_FIRST = 5

# Of A4 lying, in inches and points. What a program measures differs a little from what is computed here.
MARGINS = {"left": 0.5, "right": 0.5, "top": 0.6, "bottom": 0.7}
PAGE_WIDTH_PX = (11.69 - 1.0) * 96
PAGE_POINTS = 0.94 * (8.27 - 1.3) * 72

LEFT = {Kind.TEXT, Kind.DATE, Kind.MONTH}

COUNT = Axis(field="", label="", kind=Kind.INTEGER)
DAY = Axis(field="", label="", kind=Kind.DATE)


def write_xlsx(report: Report, path: Path, *, list_rows_max: int = LIST_ROWS_MAX) -> None:
    """Write the workbook; each list has at most ``list_rows_max`` rows in it, and says so when it has more."""
    _Book(report, min(list_rows_max, SHEET_ROWS_MAX - 4)).write(path)


@dataclass
class _Book:
    report: Report
    list_rows_max: int
    formats: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    data: list[tuple[str, Grid, int]] = field(default_factory=list)  # of the charts: title, grid, row of the header
    next_data_row: int = 2

    def write(self, path: Path) -> None:
        report = self.report
        self.writing = Writing(report.language, report.currency)
        self.words = self.writing.words
        font = "微软雅黑" if report.language is Language.CHINESE else "Calibri"
        self.book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_format_properties": {"font_name": font, "font_size": 10.5, "font_color": INK},
            },
        )
        self.book.set_properties(
            {
                "title": report.title,
                "subject": self.words("workbook.subject"),
                "author": report.brand,
                "company": report.brand,
                "comments": self.words("page.generated", date=self.writing.value(report.generated_at, DAY)),
                "created": report.generated_at.replace(tzinfo=None),
            }
        )
        taken: set[str] = set()
        chapters = [sheet_name(f"{n} {c.short}", taken) for n, c in enumerate(report.chapters, start=1)]
        lists = [sheet_name(known.title, taken) for known in report.lists]
        self.data_sheet = sheet_name(self.words("workbook.chart_data"), taken)
        self._contents(chapters, lists, taken)
        for number, (chapter, name) in enumerate(zip(report.chapters, chapters, strict=True), start=1):
            _ChapterSheet(self, self.book.add_worksheet(name), number).write(
                chapter.title, chapter.lead, chapter.blocks
            )
        for known, name in zip(report.lists, lists, strict=True):
            self._list(known, name)
        self._chart_data()
        self.book.close()

    # -- formats ---------------------------------------------------------------------------------------------------

    def style(self, **properties: Any) -> Any:
        """A cell format, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format({"valign": "top", **properties})
        return self.formats[key]

    def number_format(self, shape: Column | Axis) -> str:
        """The number format of a kind of value."""
        chinese = self.report.language is Language.CHINESE
        if shape.kind is Kind.DATE:
            return 'yyyy"年"m"月"d"日"' if chinese else "d mmm yyyy"
        if shape.kind is Kind.MONTH:
            return 'yyyy"年"m"月"' if chinese else "mmm yyyy"
        if shape.kind is Kind.TEXT:
            return "@"
        digits = DIGITS[shape.kind] if shape.digits is None else shape.digits
        decimals = "." + "0" * digits if digits else ""
        if shape.kind is Kind.PERCENT:
            return f"0{decimals}%"
        symbol = self.writing.currency_symbol() if shape.kind is Kind.MONEY else ""
        plain = f'"{symbol}"#,##0{decimals}' if symbol else f"#,##0{decimals}"
        return f"{plain};-{plain}"

    def cell(self, sheet: Any, row: int, column: int, value: Value, shape: Column | Axis, **look: Any) -> None:
        """One value, typed."""
        align: dict[str, Any] = {"align": "left"} if shape.kind in LEFT else {}
        if shape.kind in LEFT and column:
            align["indent"] = 1
        style = self.style(num_format=self.number_format(shape), **align, **look)
        if value is None:
            sheet.write_blank(row, column, None, style)
        elif isinstance(value, bool):
            sheet.write_string(row, column, self.words("value.yes" if value else "value.no"), style)
        elif isinstance(value, datetime | date):
            plain = value.replace(tzinfo=None) if isinstance(value, datetime) else value
            sheet.write_datetime(row, column, plain, style)
        elif isinstance(value, int | float):
            sheet.write_number(row, column, value, style)
        else:
            sheet.write_string(row, column, str(value)[:CELL_TEXT_MAX], style)

    def header(self, sheet: Any, row: int, shapes: Iterable[Column | Axis]) -> None:
        """The header of a table."""
        for column, shape in enumerate(shapes):
            look: dict[str, Any] = {"align": "left" if shape.kind in LEFT else "right", "valign": "vcenter"}
            if shape.kind in LEFT and column:
                look["indent"] = 1
            style = self.style(bold=True, font_color="white", bg_color=NAVY, text_wrap=True, **look)
            sheet.write_string(row, column, shape.label, style)

    # -- sheets ----------------------------------------------------------------------------------------------------

    def _contents(self, chapters: list[str], lists: list[str], taken: set[str]) -> None:
        report, say = self.report, self.writing.value
        sheet = self.book.add_worksheet(sheet_name(self.words("workbook.summary"), taken))
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 76)
        sheet.set_column(2, 2, 14)
        sheet.set_row(0, 34)
        sheet.write_string(0, 0, report.title, self.style(bold=True, font_size=20, font_color=NAVY))
        sheet.write_string(1, 0, report.brand, self.style(bold=True, font_color="#a34f00"))
        sheet.write_string(2, 0, report.subtitle, self.style(font_color=MUTED))
        dates = f"{self.words('page.as_of', date=say(report.data_until, DAY))} · "
        dates += self.words("page.generated", date=say(report.generated_at, DAY))
        sheet.write_string(3, 0, dates, self.style(font_color=MUTED))
        columns = [Column(key=key, label=self.words(f"workbook.{key}")) for key in ("sheet", "holds", "rows")]
        self.header(sheet, 5, columns)
        entries: list[tuple[str, str, int | None]] = [
            (name, chapter.title, None) for name, chapter in zip(chapters, report.chapters, strict=True)
        ]
        entries += [(name, known.title, known.total_rows) for name, known in zip(lists, report.lists, strict=True)]
        entries.append((self.data_sheet, self.words("workbook.chart_data"), None))
        link = self.style(font_color="#12507b", underline=1, bottom=1, bottom_color=LINE)
        for row, (name, holds, rows) in enumerate(entries, start=6):
            quoted = name.replace("'", "''")
            sheet.write_url(row, 0, f"internal:'{quoted}'!A1", link, name)
            self.cell(sheet, row, 1, holds, columns[1], bottom=1, bottom_color=LINE, text_wrap=True)
            self.cell(sheet, row, 2, rows, COUNT, bottom=1, bottom_color=LINE)
        _paper(sheet)

    def _list(self, known: CustomerList, name: str) -> None:
        sheet = self.book.add_worksheet(name)
        say = self.writing.value
        shown = min(known.total_rows, self.list_rows_max)
        key = "workbook.list_whole" if shown == known.total_rows else "workbook.list_part"
        values = {"total": say(known.total_rows, COUNT), "file": known.file_name}
        note = (
            self.words(key, **values)
            if shown == known.total_rows
            else self.words(key, shown=say(shown, COUNT), **values)
        )
        for column, shape in enumerate(known.columns):
            wide = 26.0 if shape.kind is Kind.TEXT else 14.0
            sheet.set_column(column, column, max(wide, min(36.0, cell_width(shape.label) + 4)))
        sheet.set_row(0, 22)
        sheet.write_string(0, 0, known.title, self.style(bold=True, font_size=14, font_color=NAVY))
        sheet.write_string(1, 0, note, self.style(font_color=MUTED))
        self.header(sheet, 3, known.columns)
        row = 4
        for batch in known.batches():
            if row - 4 >= shown:
                break
            for values_of in zip(*(batch.column(c.key).to_pylist() for c in known.columns), strict=True):
                if row - 4 >= shown:
                    break
                for column, (value, shape) in enumerate(zip(values_of, known.columns, strict=True)):
                    self.cell(sheet, row, column, value, shape)
                row += 1
        sheet.freeze_panes(4, 1)
        sheet.autofilter(3, 0, max(3, row - 1), len(known.columns) - 1)
        _paper(sheet, repeat=3)

    def place_data(self, title: str, grid: Grid) -> Place:
        """Where the numbers of a chart will stand on the sheet of chart data."""
        place = Place(self.data_sheet, self.next_data_row + 1)
        self.data.append((title, grid, place.row))
        self.next_data_row = place.row + len(grid.rows) + 2
        return place

    def _chart_data(self) -> None:
        sheet = self.book.add_worksheet(self.data_sheet)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 40, 16)
        sheet.write_string(
            0, 0, self.words("workbook.chart_data"), self.style(bold=True, font_size=14, font_color=NAVY)
        )
        _paper(sheet)
        for title, grid, row in self.data:
            sheet.write_string(row - 1, 0, title, self.style(bold=True, font_color=NAVY))
            self.header(sheet, row, grid.axes)
            for index, line in enumerate(grid.rows, start=row + 1):
                for column, (value, axis) in enumerate(zip(line, grid.axes, strict=True)):
                    self.cell(sheet, index, column, value, axis)
        sheet.freeze_panes(1, 1)


@dataclass
class _ChapterSheet:
    """One chapter, block under block."""

    book: _Book
    sheet: Any
    number: int
    row: int = 0
    points: dict[int, float] = field(default_factory=dict)  # heights of the rows that are not of the usual height
    kept: list[tuple[int, int]] = field(default_factory=list)  # first row, and the one after the last, of one page

    def write(self, title: str, lead: str, blocks: tuple[Any, ...]) -> None:
        self.sheet.hide_gridlines(2)
        self.sheet.set_default_row(ROW_POINTS)
        self._columns(blocks)
        self.paragraph(title, bold=True, font_size=16, font_color=NAVY)
        self.sheet.freeze_panes(1, 0)
        if lead:
            self.paragraph(lead, font_size=11.5)
        self.row += 1
        begun: int | None = None  # where the headings stand that go with the next block
        for block, item in outline_items(self.book.report, self.number, blocks):
            begun = self.row if begun is None else begun
            if isinstance(block, ChartBlock):
                kept = self.chart(block, item)
            elif isinstance(block, TableBlock):
                self.caption(item)
                kept = self.table(block)
            else:
                self.lines(item)
                kept = self.row
            if not isinstance(block, Heading):
                self.kept.append((begun, kept))
                begun = None
            self.row += 1
        self._paper()

    def _paper(self) -> None:
        """As wide as a page, with breaks that part no figure, no card and no short table."""
        _paper(self.sheet)
        scale = min(1.0, PAGE_WIDTH_PX / sum(int(width * 7 + 5) for width in self.widths))  # as the programs fit it
        self.sheet.print_area(0, 0, max(0, self.row - 1), len(self.widths) - 1)
        heights = [self.points.get(row, ROW_POINTS) for row in range(self.row)]
        self.sheet.set_h_pagebreaks(page_breaks(heights, self.kept, PAGE_POINTS / scale))

    def _tall(self, points: float, row: int | None = None) -> None:
        """Give a row (the current one) another height."""
        row = self.row if row is None else row
        self.points[row] = max(ROW_POINTS, points)
        self.sheet.set_row(row, self.points[row])

    def _columns(self, blocks: tuple[Any, ...]) -> None:
        """Columns as wide as the tables under each other want them, within reason."""
        widths = [22.0] + [13.0] * (TEXT_COLUMNS - 1)
        for block in blocks:
            table = block.table if isinstance(block, ChartBlock) else block
            if not isinstance(table, TableBlock):
                continue
            for place, column in enumerate(table.columns):
                texts = [self.book.writing.value(row[place], column) for row in table.rows[:200]]
                wanted = min(44.0, max(map(cell_width, [column.label, *texts])) + 2.5)
                if place >= len(widths):
                    widths.append(wanted)
                widths[place] = max(widths[place], wanted)
            if isinstance(block, ChartBlock) and block.chart.kind in MATRICES:
                across = len(grid_of(block.chart, self.book.writing).axes)
                widths += [CELL_WIDTH] * (across - len(widths))
        for place, width in enumerate(widths):
            self.sheet.set_column(place, place, width)
        self.widths = widths
        self.width = sum(widths[:TEXT_COLUMNS])

    def paragraph(self, text: str, **look: Any) -> None:
        """A text across the sheet, as high as it needs to be."""
        size = float(look.get("font_size", 10.5))
        lines = sum(
            max(1, math.ceil(cell_width(part) * size / 10.5 / (self.width * 0.94))) for part in text.split("\n")
        )
        self._tall(lines * size * 1.55)
        style = self.book.style(text_wrap=True, **look)
        self.sheet.merge_range(self.row, 0, self.row, TEXT_COLUMNS - 1, "", style)
        self.sheet.write_string(self.row, 0, text[:CELL_TEXT_MAX], style)
        self.row += 1

    def caption(self, item: Item) -> None:
        self.paragraph(f"{item['number']}  {item['title']}", bold=True, font_size=12, font_color=NAVY, top=2)

    def chart(self, block: ChartBlock, item: Item) -> int:
        """The figure and its numbers; the row after what belongs on one page."""
        self.caption(item)
        self.paragraph(block.reading, font_color=MUTED)
        grid = grid_of(block.chart, self.book.writing)
        if block.chart.kind in MATRICES:
            self.matrix(block, grid)
        elif grid.rows:
            place = self.book.place_data(f"{item['number']}  {block.title}", grid)
            shapes = (block.chart.x, *grid.axes, block.chart.y)
            formats = {axis.field: self.book.number_format(axis) for axis in shapes}
            chart = native_chart(self.book.book, block.chart, grid, place, formats)
            self.sheet.insert_chart(self.row, 0, chart, {"description": block.reading, "x_offset": 4, "y_offset": 4})
            self.row += CHART_ROWS
        if block.source:
            self.paragraph(f"{self.book.words('page.source')}{block.source}", font_color=MUTED, font_size=9)
        kept = self.row
        self.table(block.table)
        return kept

    def matrix(self, block: ChartBlock, grid: Grid) -> None:
        """A grid with coloured cells."""
        first = self.row + 1
        self.book.header(self.sheet, self.row, grid.axes)
        for index, line in enumerate(grid.rows, start=first):
            for column, (value, axis) in enumerate(zip(line, grid.axes, strict=True)):
                self.book.cell(self.sheet, index, column, value, axis)
        self.row = first + len(grid.rows)
        scale: dict[str, Any] = {"type": "2_color_scale", "min_color": SEQUENTIAL[0], "max_color": SEQUENTIAL[3]}
        if block.chart.diverging:
            middle = {"mid_color": "white", "mid_type": "num", "mid_value": 0}
            scale = {"type": "3_color_scale", "min_color": DIVERGING[1], "max_color": DIVERGING[3], **middle}
        if grid.rows and len(grid.axes) > 1:
            self.sheet.conditional_format(first, 1, self.row - 1, len(grid.axes) - 1, scale)

    def table(self, block: TableBlock) -> int:
        """The table; the row after what belongs on one page."""
        self.book.header(self.sheet, self.row, block.columns)
        first = self.row + 1
        shown = len(block.rows) - block.last_is_total
        for index, line in enumerate(block.rows):
            if (lines := self._lines_of(line)) > 1:
                self._tall(ROW_POINTS * lines, first + index)
            total = {"bold": True, "top": 1} if block.last_is_total and index == shown else {}
            for column, (value, shape) in enumerate(zip(line, block.columns, strict=True)):
                wrap = {"text_wrap": True} if shape.kind is Kind.TEXT else {}
                look = {"bottom": 1, "bottom_color": LINE, **wrap, **total}
                self.book.cell(self.sheet, first + index, column, value, shape, **look)
        self.row = first + len(block.rows)
        for column, shape in enumerate(block.columns):
            if shape.bar and shown:
                bars = {
                    "type": "data_bar",
                    "bar_solid": True,
                    "bar_color": SEQUENTIAL[1],
                    "bar_border_color": SEQUENTIAL[1],
                }
                self.sheet.conditional_format(first, column, first + shown - 1, column, bars)
        if block.total_rows is not None and block.total_rows > shown:
            say = self.book.writing.value
            values = {"shown": say(shown, COUNT), "total": say(block.total_rows, COUNT)}
            self.paragraph(self.book.words("page.rows_shown", **values), font_color=MUTED, font_size=9)
        if block.note:
            self.paragraph(block.note, font_color=MUTED, font_size=9)
        return self.row if len(block.rows) <= KEPT_ROWS_MAX else first + KEPT_ROWS_FIRST

    def _lines_of(self, line: tuple[Value, ...]) -> int:
        """How many lines the longest text of a row takes in its column."""
        texts = ((value, width) for value, width in zip(line, self.widths, strict=False) if isinstance(value, str))
        return max((math.ceil(cell_width(text) / (width - 1)) for text, width in texts), default=1)

    def lines(self, item: Item) -> None:
        """A block of words."""
        match item["kind"]:
            case "heading":
                self.paragraph(item["text"], bold=True, font_size=13, font_color=NAVY)
            case "text":
                for text in item["paragraphs"]:
                    self.paragraph(text)
                for text in item["points"]:
                    self.paragraph(f"• {text}")
            case "key_figures":
                for figure in item["items"]:
                    self.fact(figure["label"], figure["value"], figure["note"])
            case "callout":
                self.paragraph(item["title"], bold=True, font_color="#a34f00", bg_color="#f5f7f9")
                self.paragraph(item["text"], bg_color="#f5f7f9")
            case "finding":
                self.finding(item)
            case "strategy":
                self.strategy(item)

    def card(self, label: str, title: str, item: Item) -> None:
        """The head of a finding or a strategy."""
        self.paragraph(f"{label}  {title}", bold=True, font_size=12, font_color=NAVY, top=2)
        for fact in item["facts"]:
            self.fact(fact["label"], fact["value"], fact["note"])

    def finding(self, item: Item) -> None:
        self.card(item["number"], item["headline"], item)
        for text in item["evidence"]:
            self.paragraph(f"• {text}")
        self.list_line("finding.list", item)

    def strategy(self, item: Item) -> None:
        words = self.book.words
        self.card(item["stage"], item["title"], item)
        self.fact(words("strategy.why"), item["why"], "")
        for text in item["actions"]:
            self.fact(words("strategy.actions"), text, "")
        self.fact(words("strategy.measure"), item["measure"], "")
        if item["findings"]:
            self.fact(words("strategy.findings"), ", ".join(f["label"] for f in item["findings"]), "")
        self.list_line("strategy.list", item)

    def fact(self, label: str, value: str, note: str) -> None:
        """A label and what it says, side by side."""
        text = f"{value}  {note}".strip()
        lines = math.ceil(cell_width(text) / max(1.0, (self.width - 22) * 0.94))
        self._tall(lines * ROW_POINTS)
        self.sheet.write_string(self.row, 0, label, self.book.style(font_color=MUTED))
        style = self.book.style(text_wrap=True, bold=not note and len(value) < 24)
        self.sheet.merge_range(self.row, 1, self.row, TEXT_COLUMNS - 1, "", style)
        self.sheet.write_string(self.row, 1, text[:CELL_TEXT_MAX], style)
        self.row += 1

    def list_line(self, key: str, item: Item) -> None:
        if item["list"]:
            self.fact(self.book.words(key), f"{item['list']['title']} ({item['list']['file']})", "")


def sheet_name(wanted: str, taken: set[str]) -> str:
    """A name that a sheet may have: at most 31 letters, none of ``[]:*?/\\``, no quote at its ends, not yet taken."""
    plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", wanted).strip().strip("'").strip() or "-"
    name, number = plain[:31].rstrip("' "), 1
    while name.lower() in taken:
        number += 1
        suffix = f" ({number})"
        name = plain[: 31 - len(suffix)].rstrip("' ") + suffix
    taken.add(name.lower())
    return name


def cell_width(text: str) -> float:
    """The width of a text in the unit of column widths: a Chinese character is nearly twice as wide as a digit."""
    return sum(1.9 if ord(letter) > 0x2E80 else 1.05 for letter in text)


def page_breaks(heights: list[float], kept: list[tuple[int, int]], page: float) -> list[int]:
    """The rows that begin a new page so that no range of ``kept`` (first row, row after the last) is parted, where it
    fits on a page. ``heights`` and ``page`` are in points; other rows fill the pages as they come, by breaks that are
    written too, since a program's own would fall elsewhere and move all that follow."""
    below = [0.0, *accumulate(heights)]
    breaks: list[int] = []
    top = 0
    for first, end in [*kept, (len(heights), len(heights))]:
        while below[first] - below[top] > page:
            top = max(top + 1, bisect_right(below, below[top] + page) - 1)
            breaks.append(top)
        if below[end] - below[top] > page >= below[end] - below[first] and first > top:
            breaks.append(first)
            top = first
    return breaks


def _paper(sheet: Any, *, repeat: int | None = None) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.set_margins(**MARGINS)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&8&A&R&8&P / &N")
    if repeat is not None:
        sheet.repeat_rows(repeat)
