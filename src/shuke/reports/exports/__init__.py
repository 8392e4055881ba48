"""The report as files: web page, PDF, workbook, data and the customer lists. Each renders the same frozen report.

The exports add no statement of their own; what they say themselves (contents, figure, source …) is in ``locale``.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path

from shuke.reports.exports.charts import picture
from shuke.reports.exports.html import write_html
from shuke.reports.exports.json import SCHEMA, write_json
from shuke.reports.exports.lists import write_lists
from shuke.reports.exports.outline import outline
from shuke.reports.exports.pdf import write_pdf
from shuke.reports.exports.xlsx import LIST_ROWS_MAX, write_xlsx
from shuke.reports.model import Report

__all__ = [
    "LIST_ROWS_MAX",
    "SCHEMA",
    "Format",
    "write_html",
    "write_json",
    "write_lists",
    "write_pdf",
    "write_report",
    "write_xlsx",
]


class Format(StrEnum):
    """The formats of a report."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    JSON = "json"


def write_report(
    report: Report, folder: Path, formats: Collection[Format] = tuple(Format), *, list_rows_max: int = LIST_ROWS_MAX
) -> list[Path]:
    """Write report.html, .pdf, .xlsx and .json, as wanted, and the customer lists into ``folder``; say where.

    Figures are drawn once for page and PDF. ``list_rows_max`` bounds the rows of a list in the workbook.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = {wanted: folder / f"report.{wanted}" for wanted in Format if wanted in formats}
    if Format.HTML in places or Format.PDF in places:
        laid_out = outline(report)
        pictures = {name: picture(drawing) for name, drawing in laid_out.drawings.items()}
        if Format.HTML in places:
            write_html(report, places[Format.HTML], laid_out=laid_out, pictures=pictures)
        if Format.PDF in places:
            write_pdf(report, places[Format.PDF], laid_out=laid_out, pictures=pictures)
    if Format.XLSX in places:
        write_xlsx(report, places[Format.XLSX], list_rows_max=list_rows_max)
    if Format.JSON in places:
        write_json(report, places[Format.JSON])
    return [*places.values(), *write_lists(report, folder)]
