"""What every gatherer works with, and how tables come out of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import ibis.expr.types as ir

from shuke import insight
from shuke.platform.engines import Engine
from shuke.reports.measures import Limits

__all__ = ["Desk", "row_of", "rows_of"]

Row = dict[str, Any]


@dataclass(frozen=True)
class Desk:
    """The canonical tables, the facts with the report's own columns, and the terms of the report."""

    tables: insight.Tables
    customers: ir.Table  # facts, with the report's columns
    facts: insight.Facts
    engine: Engine
    as_of: datetime
    limits: Limits
    stages: insight.StageRules

    @property
    def history_days(self) -> int:
        """Days from the first order to the analysis day."""
        first = self.tables.orders.ordered_at.min().to_pyarrow().as_py()
        return (self.as_of - cast("datetime", first)).days


def rows_of(table: ir.Table) -> list[Row]:
    """Run it: one dictionary per row."""
    return cast("list[Row]", table.to_pyarrow().to_pylist())


def row_of(table: ir.Table) -> Row:
    """Run a table of one row."""
    return rows_of(table)[0]
