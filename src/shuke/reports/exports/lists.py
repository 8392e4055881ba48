"""The customer lists as CSV that opens rightly in a spreadsheet: UTF-8 with a byte order mark, no living formulas."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

from shuke.base.language import Language
from shuke.base.spreadsheets import neutral
from shuke.reports.exports.writing import Writing
from shuke.reports.model import Column, CustomerList, Kind, Report, Value

__all__ = ["write_list", "write_lists"]


def write_lists(report: Report, folder: Path) -> list[Path]:
    """Write every list into ``folder``/lists and say where they are."""
    return [write_list(known, folder / known.file_name, report.language) for known in report.lists]


def write_list(known: CustomerList, path: Path, language: Language) -> Path:
    """Write one list, batch by batch, its header in the report's language."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writing = Writing(language, None)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([neutral(column.label) for column in known.columns])
        for batch in known.batches():
            columns = [batch.column(column.key).to_pylist() for column in known.columns]
            for line in zip(*columns, strict=True):
                rows.writerow([_cell(value, shape, writing) for value, shape in zip(line, known.columns, strict=True)])
    return path


def _cell(value: Value, shape: Column, writing: Writing) -> str:
    """Numbers and dates as machines read them (1234.5, 2011-12-09), texts harmless."""
    match value:
        case None:
            text = ""
        case bool():
            text = writing.words("value.yes" if value else "value.no")
        case datetime():
            text = value.date().isoformat() if shape.kind is Kind.DATE else value.isoformat(" ")
        case date():
            text = value.isoformat()
        case int():
            text = str(value)
        case float():
            digits = {Kind.MONEY: 2, Kind.INTEGER: 0}.get(shape.kind, 6) if shape.digits is None else shape.digits
            text = f"{value:.{digits + 2 if shape.kind is Kind.PERCENT else digits}f}"
        case _:
            text = neutral(str(value))
    return text
