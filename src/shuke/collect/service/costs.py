"""What was spent to win customers: a file of channel, period and spend."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import ibis.expr.types as ir

from shuke.base.errors import BadInput
from shuke.base.progress import silent
from shuke.collect.model import FieldMatch
from shuke.collect.rules.headers import plain, plain_forms, vocabulary
from shuke.collect.service import cells
from shuke.collect.service.desk import Desk
from shuke.collect.service.sources import Opened, open_file, staged
from shuke.collect.service.staging import read_moments, read_numbers
from shuke.platform.engines import Engine

_PERIOD_MONTH = "^([0-9]{4})[-/.年]?([0-9]{1,2})月?$"


def read_costs(path: Path, engine: Engine) -> ir.Table:
    """The canonical ``costs``: channel, period (first day of the month) and spend, one row per channel and month.

    The period may be a month (2024-05, 202405, 2024年5月) or any date of the `read_orders` forms.

    Raises:
        BadInput: ``collect.file_missing``, ``collect.missing_costs`` where a column is not recognised,
            ``collect.unreadable_costs`` with the first row that cannot be read, and the codes of opening a file.
    """
    if not path.is_file():
        raise BadInput("collect.file_missing", file=str(path))
    with tempfile.TemporaryDirectory(prefix="shuke-costs-") as folder, closing(Desk(Path(folder))) as desk:
        opened = open_file(desk, path, 0, wanted=(), progress=silent)
        names = _columns(opened)
        opened = staged(desk, opened, 0)
        cell, numbers = opened.column(names["period"]), opened.column(names["spend"])
        month = f"regexp_extract(CAST({cell} AS VARCHAR), '{_PERIOD_MONTH}', "
        as_month = f"try_strptime({month}1) || '-' || {month}2), '%Y-%m')"
        months, rows = desk.row(f"SELECT count({as_month}), count({cell}) FROM ({opened.scan})")
        if months == rows:
            period = as_month
        else:
            period = read_moments(desk, opened, FieldMatch(opened.file.name, "time", names["period"], "name", 1.0))
        spend = read_numbers(desk, opened, FieldMatch(opened.file.name, "amount", names["spend"], "name", 1.0))
        bad = desk.rows(
            f"SELECT row, CAST({cell} AS VARCHAR), CAST({numbers} AS VARCHAR) FROM ({opened.scan}) "
            f"WHERE ({period}) IS NULL OR ({spend}) IS NULL OR ({spend}) < 0 ORDER BY row LIMIT 1"
        )
        if bad:
            row, when, much = bad[0]
            raise BadInput("collect.unreadable_costs", file=path.name, row=row, period=when, spend=much)
        channel = cells.text(f"CAST({opened.column(names['channel'])} AS VARCHAR)")
        table = desk.connection.sql(
            f"SELECT coalesce({channel}, '') AS channel, CAST(date_trunc('month', {period}) AS DATE) AS period, "
            f"CAST(sum({spend}) AS DOUBLE) AS spend FROM ({opened.scan}) GROUP BY 1, 2 ORDER BY 1, 2"
        ).to_arrow_table()
    return engine.upload(table, "collect_costs")


def _columns(opened: Opened) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, names in vocabulary()["costs"].items():
        for name in names:
            column = next(
                (
                    column
                    for column in opened.file.columns
                    if plain(name) in plain_forms(column) and column not in found.values()
                ),
                None,
            )
            if column is not None:
                found[field] = column
                break
        else:
            raise BadInput(
                "collect.missing_costs", file=opened.file.name, field=field, columns=", ".join(opened.file.columns)
            )
    return found
