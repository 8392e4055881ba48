"""Customers as a file: a table as CSV or XLSX, row after row, that says of itself where it comes from.

What a reader could be tricked with is made harmless: no text becomes a formula. What is written is never held in
memory: a workbook goes to disk by the row.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import xlsxwriter

from shuke.base.language import Catalogue, Language, catalogue
from shuke.base.money import from_minor
from shuke.base.spreadsheets import neutral
from shuke.lifecycle.model import Column, CustomerRow

__all__ = ["MEDIA_TYPES", "Origin", "Table", "columns_of", "open_table"]

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_WIDTHS = {"customer_id": 38, "tags": 30, "email": 26}

Cell = str | int | Decimal | float | date | None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a file comes from: which export it is, of whom, when, in whose name, and what it was asked for with."""

    export_id: UUID
    brand: str
    who: str
    role: str
    at: datetime
    time_zone: str
    language: Language
    conditions: Sequence[tuple[str, str]]
    currency: str | None
    as_of: datetime | None


class Table(Protocol):
    """A file that rows are added to."""

    def add(self, rows: Iterable[CustomerRow]) -> None:
        """Write some more."""
        ...

    def finish(self, customers: int) -> None:
        """Say where it comes from, and how many there are."""
        ...

    def close(self) -> None:
        """Let go of the file, finished or not."""
        ...


@dataclass(frozen=True)
class _Field:
    """A column of the file: its name, and what of a customer stands in it."""

    name: str
    of: Callable[[CustomerRow, Origin], Cell]


def columns_of(chosen: Sequence[Column], origin: Origin) -> list[str]:
    """The headings, in the reader's language."""
    words = catalogue("shuke.lifecycle", origin.language)
    return [_heading(words, field.name, origin) for field in _fields(chosen)]


@contextmanager
def open_table(kind: str, path: Path, chosen: Sequence[Column], origin: Origin) -> Iterator[Table]:
    """A file of this kind (``csv``, ``xlsx``) at this path, with its headings; whole once the block has ended."""
    made: Table = _Csv(path, chosen, origin) if kind == "csv" else _Xlsx(path, chosen, origin)
    try:
        yield made
    finally:
        made.close()


class _Csv:
    """UTF-8 with its mark, without which spreadsheets read Chinese wrongly; where it is from stands below the rows."""

    def __init__(self, path: Path, chosen: Sequence[Column], origin: Origin) -> None:
        self._fields = _fields(chosen)
        self._origin = origin
        path.touch(mode=0o600)
        self._file: IO[str] = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(columns_of(chosen, origin))

    def add(self, rows: Iterable[CustomerRow]) -> None:
        self._writer.writerows([_plain(one.of(row, self._origin)) for one in self._fields] for row in rows)

    def finish(self, customers: int) -> None:
        self._writer.writerow([])
        self._writer.writerows([neutral(name), neutral(value)] for name, value in _said(self._origin, customers))

    def close(self) -> None:
        self._file.close()


class _Xlsx:
    """A workbook: first a sheet that says where it is from, then the customers."""

    def __init__(self, path: Path, chosen: Sequence[Column], origin: Origin) -> None:
        self._fields = _fields(chosen)
        self._origin = origin
        words = catalogue("shuke.lifecycle", origin.language)
        path.touch(mode=0o600)
        self._book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "tmpdir": str(path.parent),
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._bold = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._about = self._book.add_worksheet(words("export.sheet_about"))
        self._sheet = self._book.add_worksheet(words("export.sheet"))
        self._sheet.freeze_panes(1, 0)
        for at, (field, heading) in enumerate(zip(self._fields, columns_of(chosen, origin), strict=True)):
            self._sheet.set_column(at, at, _WIDTHS.get(field.name, 16))
            self._sheet.write_string(0, at, neutral(heading), self._bold)
        self._row = 0

    def add(self, rows: Iterable[CustomerRow]) -> None:
        for row in rows:
            self._row += 1
            for at, field in enumerate(self._fields):
                self._write(at, field.of(row, self._origin))

    def finish(self, customers: int) -> None:
        said = _said(self._origin, customers)
        self._about.set_column(0, 0, 24)
        self._about.set_column(1, 1, 70)
        for at, (name, value) in enumerate(said):
            self._about.write_string(at, 0, neutral(name), self._bold)
            self._about.write_string(at, 1, neutral(value))
        self._sheet.autofilter(0, 0, self._row, len(self._fields) - 1)
        self._book.set_properties(
            {
                "title": said[0][1],
                "author": self._origin.who,
                "company": self._origin.brand,
                "comments": "; ".join(f"{name}: {value}" for name, value in said),
                "created": self._origin.at.replace(tzinfo=None),
            }
        )
        self._book.set_custom_property("shuke_export_id", str(self._origin.export_id), "text")

    def close(self) -> None:
        self._book.close()

    def _write(self, at: int, cell: Cell) -> None:
        if cell is None:
            return
        if isinstance(cell, str):
            self._sheet.write_string(self._row, at, neutral(cell))
        elif isinstance(cell, date):
            self._sheet.write_datetime(self._row, at, cell, self._day)
        else:
            self._sheet.write_number(self._row, at, float(cell))


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    return neutral(cell) if isinstance(cell, str) else str(cell)


def _said(origin: Origin, customers: int) -> list[tuple[str, str]]:
    """Where the file comes from, in the reader's language."""
    words = catalogue("shuke.lifecycle", origin.language)
    zone = ZoneInfo(origin.time_zone)
    at = origin.at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    said = [
        ("what", words("export.title", brand=origin.brand) if origin.brand else words("export.untitled")),
        ("id", str(origin.export_id)),
        ("who", f"{origin.who} ({origin.role})"),
        ("at", f"{at} ({origin.time_zone})"),
        ("customers", str(customers)),
        (
            "conditions",
            "; ".join(f"{name} = {value}" for name, value in origin.conditions) or words("export.everybody"),
        ),
    ]
    if origin.as_of is not None:
        said.append(("as_of", origin.as_of.astimezone(zone).strftime("%Y-%m-%d")))
    said.append(("care", words("export.care_what")))
    return [(words(f"export.{name}"), value) for name, value in said]


def _heading(words: Catalogue, name: str, origin: Origin) -> str:
    heading = words(f"export.columns.{name}")
    return f"{heading} ({origin.currency})" if name in _MONEY and origin.currency else heading


def _money(name: str) -> Callable[[CustomerRow, Origin], Cell]:
    def of(row: CustomerRow, origin: Origin) -> Cell:
        minor: int | None = getattr(row, name)
        return None if minor is None or origin.currency is None else from_minor(minor, origin.currency)

    return of


def _day(name: str) -> Callable[[CustomerRow, Origin], Cell]:
    def of(row: CustomerRow, origin: Origin) -> Cell:
        moment: datetime | None = getattr(row, name)
        return None if moment is None else moment.astimezone(ZoneInfo(origin.time_zone)).date()

    return of


def _as_is(name: str) -> Callable[[CustomerRow, Origin], Any]:
    return lambda row, _: getattr(row, name)


_MONEY = ("value", "value_low", "value_high", "spent")
_FIELDS: dict[Column, tuple[_Field, ...]] = {
    Column.CONTACT: (_Field("contact", lambda row, _: row.phone or row.email),),
    Column.PHONE: (_Field("phone", _as_is("phone")),),
    Column.EMAIL: (_Field("email", _as_is("email")),),
    Column.MEMBER_NUMBER: (_Field("member_number", _as_is("member_number")),),
    Column.STAGE: (_Field("stage", _as_is("stage")),),
    Column.VALUE: tuple(_Field(name, _money(f"{name}_minor")) for name in ("value", "value_low", "value_high")),
    Column.CHURN: (_Field("churn", _as_is("churn_probability")),),
    Column.ORDERS: (_Field("orders", _as_is("orders")),),
    Column.SPENT: (_Field("spent", _money("spent_minor")),),
    Column.FIRST_ORDER: (_Field("first_order", _day("first_order_at")),),
    Column.LAST_ORDER: (_Field("last_order", _day("last_order_at")),),
    Column.NEXT_ORDER: (_Field("next_order", _as_is("next_order_on")),),
    Column.RFM: (_Field("rfm", _as_is("rfm_group")),),
    Column.TAGS: (_Field("tags", lambda row, _: ", ".join(row.tags) or None),),
    Column.CREATED: (_Field("created", _day("created_at")),),
}


def _fields(chosen: Sequence[Column]) -> list[_Field]:
    """The columns of the file: who it is, then what was chosen."""
    who = [_Field("customer_id", lambda row, _: str(row.customer_id)), _Field("name", _as_is("name"))]
    return who + [field for column in dict.fromkeys(chosen) for field in _FIELDS[column]]
