"""The report as data: every figure behind it, and its chapters, findings, strategies and charts as they stand."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from shuke.reports.model import CustomerList, Report

__all__ = ["SCHEMA", "write_json"]

SCHEMA = "shuke.report/1"
"""The version of the file's layout; a change that breaks readers raises the number."""


def write_json(report: Report, path: Path) -> None:
    """Write report.json: keys always in the same order, dates as ISO text, what cannot be said as null."""
    document = {
        "schema": SCHEMA,
        "title": report.title,
        "subtitle": report.subtitle,
        "brand": report.brand,
        "language": report.language.value,
        "as_of": report.as_of.isoformat(),
        "generated_at": report.generated_at.isoformat(),
        "currency": report.currency,
        "figures": plain(report.figures),
        "chapters": [plain(chapter) for chapter in report.chapters],
        "lists": [plain(known) for known in report.lists],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def plain(value: Any) -> Any:
    """A value of the model as JSON has it; blocks carry their kind as ``"block"``.

    A number that is none (NaN, infinite) raises ValueError: "cannot say" is None. So does anything else that is no
    value, with TypeError.
    """
    made: Any = value
    match value:
        case Enum():
            made = value.value
        case None | bool() | int() | str():
            pass
        case float():
            if not math.isfinite(value):
                raise ValueError(f"a report holds no {value}; say None")
        case Decimal():
            made = float(value)
        case datetime() | date():
            made = value.isoformat()
        case CustomerList():
            columns = [plain(column) for column in value.columns]
            made = {"code": value.code, "title": value.title, "file": value.file_name, "rows": value.total_rows}
            made["columns"] = columns
        case Mapping():
            made = {str(key): plain(part) for key, part in value.items()}
        case list() | tuple():
            made = [plain(part) for part in value]
        case np.generic():
            made = plain(value.item())
        case _ if dataclasses.is_dataclass(value):
            name = type(value).__name__
            fields = {known.name: plain(getattr(value, known.name)) for known in dataclasses.fields(value)}
            made = ({"block": name} if name in BLOCKS else {}) | fields
        case _:
            raise TypeError(f"a report holds no {type(value).__name__}")
    return made


BLOCKS = {
    "Callout", "ChartBlock", "FindingBlock", "Heading", "KeyFigures", "StrategyBlock", "TableBlock", "Text",
}  # fmt: skip
