"""How the text of a file is laid out: its delimiter, its header line, its columns."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shuke.base.errors import BadInput
from shuke.collect.model import PREAMBLE_LINES_MAX
from shuke.collect.rules.headers import is_known, plain

DELIMITERS = (",", "\t", ";", "|")
#: Stands for columns that are aligned by any number of spaces.
WHITESPACE = " "

_SAMPLE_ROWS = 200
_VALUE = re.compile(r"^[\s\"'=¥￥$£€+\-]*[\d０-９][\d０-９\s.,:/\-+TZ年月日时分秒]*[\"元%]?\s*$")


@dataclass(frozen=True)
class Layout:
    """Where the columns are. ``skipped_lines`` are the physical lines before the first row of data."""

    delimiter: str
    columns: tuple[str, ...]
    skipped_lines: int
    has_header: bool


def find_layout(
    sample: str, *, file: str, wanted: Sequence[str] = (), delimiters: Sequence[str] = (*DELIMITERS, WHITESPACE)
) -> Layout:
    """The layout of a text from its beginning; ``wanted`` are column names that the person gave.

    Raises BadInput ``collect.empty_file`` without any text, ``collect.no_columns`` where no delimiter gives columns.
    """
    if not sample.strip():
        raise BadInput("collect.empty_file", file=file)
    best: tuple[tuple[int, float, int], Layout] | None = None
    for delimiter in delimiters:
        rows = _rows(sample, delimiter)
        widths = Counter(len(cells) for cells, _ in rows if len(cells) > 1)
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        at, score = _header(rows, wanted)
        layout = _layout(rows, delimiter, at, width)
        # Spaces are in every text, so they count only when nothing else makes columns.
        share = count / len(rows) if delimiter != WHITESPACE else 0.0
        key = (score if delimiter != WHITESPACE else 0, round(share, 1), width)
        if delimiter == WHITESPACE and (best is not None or count < 0.9 * len(rows)):
            continue
        if best is None or key > best[0]:
            best = (key, layout)
    if best is None:
        raise BadInput("collect.no_columns", file=file)
    return best[1]


def unique_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Names for columns: trimmed, a number where there is none, and a number behind one that is there twice."""
    seen: Counter[str] = Counter()
    names = []
    for at, cell in enumerate(cells, start=1):
        name = cell.strip().strip("\ufeff") or str(at)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def _rows(sample: str, delimiter: str) -> list[tuple[list[str], int]]:
    """Cells and the number of physical lines that were read when they ended; without empty lines."""
    if delimiter == WHITESPACE:
        lines = sample.splitlines()[:_SAMPLE_ROWS]
        return [(line.split(), number) for number, line in enumerate(lines, start=1) if line.strip()]
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    rows: list[tuple[list[str], int]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((cells, reader.line_num))
            if len(rows) == _SAMPLE_ROWS:
                break
    except csv.Error:
        return []
    return rows


def _header(rows: Sequence[tuple[list[str], int]], wanted: Sequence[str]) -> tuple[int | None, int]:
    """The position of the header among the rows, and how many of its cells are known names."""
    wanted_plain = {plain(name) for name in wanted if not name.isdecimal()}
    best_at, best = None, 0
    for at, (cells, _) in enumerate(rows[:PREAMBLE_LINES_MAX]):
        score = sum(is_known(cell) or (plain(cell) in wanted_plain and plain(cell) != "") for cell in cells)
        if score > best:
            best_at, best = at, score
    if best >= 2:
        return best_at, best
    for at, (cells, _) in enumerate(rows[:PREAMBLE_LINES_MAX]):
        if len(cells) > 1:
            named = all(cell.strip() and not _VALUE.match(cell) for cell in cells)
            return (at, best) if named else (None, best)
    return None, 0


def _layout(rows: Sequence[tuple[list[str], int]], delimiter: str, at: int | None, width: int) -> Layout:
    if at is None:
        first = next(number for number, (cells, _) in enumerate(rows) if len(cells) == width)
        skipped = rows[first - 1][1] if first else 0
        return Layout(delimiter, tuple(str(number) for number in range(1, width + 1)), skipped, has_header=False)
    cells, line = rows[at]
    # Some exports end every data line, but not the header, with a delimiter.
    padding = [""] * max(0, width - len(cells))
    return Layout(delimiter, unique_names([*cells, *padding]), line, has_header=True)
