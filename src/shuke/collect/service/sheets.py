"""Workbooks: the sheet that holds the orders, as CSV in the work folder."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import python_calamine as calamine

from shuke.base.errors import BadInput
from shuke.base.progress import Progress
from shuke.collect.model import (
    PREAMBLE_LINES_MAX,
    SHEET_FILE_BYTES_MAX,
    SHEET_PARTS_MAX,
    SHEET_ROWS_MAX,
    SHEET_UNPACKED_BYTES_MAX,
)
from shuke.collect.rules.headers import is_known
from shuke.collect.rules.layout import Layout, find_layout

_EXACT_INTEGER_MAX = 2**53


@dataclass(frozen=True)
class Sheet:
    """One sheet, written out as CSV. ``others`` are the sheets of the workbook that were not read."""

    name: str
    csv: Path
    layout: Layout
    others: tuple[str, ...]


def read_sheet(path: Path, target: Path, *, wanted: Sequence[str], progress: Progress) -> Sheet:
    """The sheet whose head has most of the columns that order files have (of equals, the one with more rows).

    Raises BadInput ``collect.file_too_large``, ``collect.broken_file``, ``collect.empty_file``,
    ``collect.too_many_rows``.
    """
    if path.stat().st_size > SHEET_FILE_BYTES_MAX:
        raise BadInput("collect.file_too_large", file=path.name, limit_bytes=SHEET_FILE_BYTES_MAX)
    try:
        _refuse_if_swollen(path)
        book = calamine.load_workbook(str(path))
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
    except (calamine.CalamineError, zipfile.BadZipFile, OSError) as error:
        raise BadInput("collect.broken_file", file=path.name, detail=str(error)) from error
    best: tuple[tuple[int, int], calamine.CalamineSheet] | None = None
    for sheet in sheets:
        if not sheet.height:
            continue
        key = (_known_cells(sheet), sheet.height)
        if best is None or key > best[0]:
            best = (key, sheet)
    if best is None:
        raise BadInput("collect.empty_file", file=path.name)
    chosen = best[1]
    if chosen.height > SHEET_ROWS_MAX:
        raise BadInput("collect.too_many_rows", file=path.name, limit=SHEET_ROWS_MAX)
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for number, row in enumerate(chosen.iter_rows()):
            writer.writerow([_text(cell) for cell in row])
            if number % 50_000 == 0:
                progress("collect.sheet", number / chosen.height)
    with target.open(encoding="utf-8", newline="") as file:
        sample = file.read(256 * 1024)
    layout = find_layout(sample, file=path.name, wanted=wanted, delimiters=(",",))
    others = tuple(sheet.name for sheet in sheets if sheet.name != chosen.name and sheet.height)
    return Sheet(chosen.name, target, layout, others)


def _refuse_if_swollen(path: Path) -> None:
    """BadInput ``collect.file_too_large`` for what would unpack to more than a workbook holds; nothing is unpacked."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as packed:
        parts = packed.infolist()
    if len(parts) > SHEET_PARTS_MAX or sum(part.file_size for part in parts) > SHEET_UNPACKED_BYTES_MAX:
        raise BadInput("collect.file_too_large", file=path.name, limit_bytes=SHEET_UNPACKED_BYTES_MAX)


def _known_cells(sheet: calamine.CalamineSheet) -> int:
    best = 0
    for number, row in enumerate(sheet.iter_rows()):
        if number == PREAMBLE_LINES_MAX:
            break
        best = max(best, sum(is_known(cell) for cell in row if isinstance(cell, str)))
    return best


def _text(cell: object) -> str:
    """A cell as text that the column's rule can read again, whatever the workbook stored."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        # Beyond 2**53 the workbook itself has lost the last digits; the exponent lets the rule for ids see that.
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT_INTEGER_MAX else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds" if not cell.microsecond else "microseconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)
