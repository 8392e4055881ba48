"""Typed Parquet from opened files: one file at a time, each column by a rule for the whole column."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from shuke.base.errors import BadInput
from shuke.collect.model import ID_FIELDS, NUMBER_FIELDS, FieldMatch, Note
from shuke.collect.rules.dates import DatePlan, day_month_order, needs_order, plan_dates
from shuke.collect.rules.headers import DATE_ORDER
from shuke.collect.rules.numbers import decimal_mark
from shuke.collect.service import cells
from shuke.collect.service.desk import Desk, listed, named, quoted
from shuke.collect.service.sources import Opened

_SHAPES_MAX = 2_000
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_FLOATS = {"FLOAT", "DOUBLE"}
_MONEY_LIMIT = 10**13
_SIGNS = {"£": "GBP", "€": "EUR", "¥": "CNY", "￥": "CNY", "元": "CNY"}


@dataclass(frozen=True)
class Typed:
    """One file with a known type for every field.

    ``path`` is the Parquet file that holds the rows, ``columns`` the column of each field in it; ``direct`` says that
    it is the person's own file. ``scan`` yields ``row`` and the fields, for DuckDB.
    """

    opened: Opened
    path: Path
    columns: dict[str, str]
    names: dict[str, str]  # what the person's file calls the column of each field
    direct: bool
    scan: str
    has_clock: bool  # of no meaning where orders have numbers
    sign: str | None = None  # the currency that the amounts carry
    notes: tuple[Note, ...] = field(default=())


def type_file(
    desk: Desk,
    opened: Opened,
    matches: Sequence[FieldMatch],
    number: int,
    *,
    mapping: Mapping[str, str],
    timezone: str | None,
) -> Typed:
    """The fields of one file in their types; the file itself where they are right already.

    Raises BadInput ``collect.ambiguous_dates``, ``collect.no_readable_time``.
    """
    if opened.file.kind == "parquet" and _is_right(desk, opened, matches):
        columns = {match.field: match.column for match in matches}
        chosen = ", ".join(f"{opened.column(column)} AS {named(name)}" for name, column in columns.items())
        scan = f"SELECT row, {chosen} FROM ({opened.scan})"
        return Typed(
            opened=opened,
            path=opened.path,
            columns=columns,
            names=columns,
            direct=True,
            scan=scan,
            has_clock=_has_clock(desk, opened, matches),
        )
    notes: list[Note] = list(opened.notes)
    chosen_sql: list[str] = []
    has_clock, sign = False, None
    for match in matches:
        column, kind = opened.column(match.column), opened.type_of(match.column)
        if match.field == "time":
            expression, has_clock = _time(desk, opened, match, mapping=mapping, timezone=timezone, notes=notes)
        elif match.field in NUMBER_FIELDS:
            expression, found = _number(desk, opened, match, notes)
            sign = found if match.field in ("amount", "price") and found else sign
        elif match.field in ID_FIELDS:
            expression = _identifier(desk, opened, column, kind)
        else:
            expression = cells.text(_cell(desk, opened, column)) if kind == "VARCHAR" else f"CAST({column} AS VARCHAR)"
        chosen_sql.append(f"{expression} AS {named(match.field)}")
    chosen_sql += _id_flags(opened, matches)
    path = desk.write(f"SELECT row, {', '.join(chosen_sql)} FROM ({opened.scan})", f"typed_{number}.parquet")
    return Typed(
        opened=opened,
        path=path,
        columns={match.field: match.field for match in matches},
        names={match.field: match.column for match in matches},
        direct=False,
        scan=f"SELECT * FROM read_parquet({quoted(path)})",
        has_clock=has_clock,
        sign=sign,
        notes=tuple(notes),
    )


def _is_right(desk: Desk, opened: Opened, matches: Sequence[FieldMatch]) -> bool:
    """Whether every column has its type and nothing to clean: no blanks around texts, no odd numbers."""
    tests: list[str] = []
    for match in matches:
        column, kind = opened.column(match.column), opened.type_of(match.column)
        if match.field == "time":
            if not (kind == "DATE" or (kind.startswith("TIMESTAMP") and "TIME ZONE" not in kind)):
                return False
        elif match.field in NUMBER_FIELDS:
            if kind in _FLOATS:
                tests.append(f"NOT (abs({column}) < {_MONEY_LIMIT})")
            elif kind not in _INTEGERS and not kind.startswith("DECIMAL"):
                return False
        elif kind == "VARCHAR":
            tests.append(f"coalesce(regexp_matches({column}, {quoted(cells.UNTIDY)}), false)")
        elif kind not in _INTEGERS:
            return False
    if not tests:
        return True
    (dirty,) = desk.row(f"SELECT coalesce(bool_or({' OR '.join(tests)}), false) FROM ({opened.scan})")
    return not dirty


def _cell(desk: Desk, opened: Opened, column: str) -> cells.Cell:
    return cells.Cell(column, *desk.row(f"SELECT {cells.traits(column)} FROM ({opened.scan})"))


def _has_clock(desk: Desk, opened: Opened, matches: Sequence[FieldMatch]) -> bool:
    if any(match.field == "order" for match in matches):
        return True  # nobody asks: orders have numbers
    match = next(match for match in matches if match.field == "time")
    column = opened.column(match.column)
    if opened.type_of(match.column) == "DATE":
        return False
    (found,) = desk.row(
        f"SELECT coalesce(bool_or({column} <> date_trunc('day', {column})), false) FROM ({opened.scan})"
    )
    return bool(found)


def _identifier(desk: Desk, opened: Opened, column: str, kind: str) -> str:
    if kind in _INTEGERS:
        return column
    if kind in _FLOATS:
        (whole,) = desk.row(
            f"SELECT coalesce(bool_and({column} = trunc({column})), true) FROM ({opened.scan}) WHERE isfinite({column})"
        )
        return (
            f"CASE WHEN isfinite({column}) THEN CAST({column} AS BIGINT) END" if whole else f"CAST({column} AS VARCHAR)"
        )
    if kind != "VARCHAR":
        return f"CAST({column} AS VARCHAR)"
    cell = _cell(desk, opened, column)
    (floats,) = desk.row(
        f"SELECT coalesce(bool_and(suffix({cells.text(cell)}, '.0') AND try_cast({cells.text(cell)} AS DOUBLE) "
        f"IS NOT NULL) FILTER ({cells.text(cell)} IS NOT NULL), false) FROM ({opened.scan})"
    )
    return cells.identifier(cell, floats=bool(floats))


def _id_flags(opened: Opened, matches: Sequence[FieldMatch]) -> list[str]:
    """A column that says whether the customer's or the order's id has lost its digits to a spreadsheet."""
    tests = [
        f"coalesce(regexp_matches({opened.column(match.column)}, '{cells.SCIENTIFIC}'), false)"
        for match in matches
        if match.field in ("customer", "order") and opened.type_of(match.column) == "VARCHAR"
    ]
    return [f"({' OR '.join(tests)}) AS broken_id"] if tests else []


def read_numbers(desk: Desk, opened: Opened, match: FieldMatch) -> str:
    """DuckDB SQL of a column's numbers, by one rule for all of it."""
    return _number(desk, opened, match, [])[0]


def read_moments(desk: Desk, opened: Opened, match: FieldMatch) -> tuple[str, bool]:
    """DuckDB SQL of a column's moments, by one rule for all of it, and whether they have a time of day.

    Raises BadInput ``collect.ambiguous_dates``, ``collect.no_readable_time``.
    """
    return _time(desk, opened, match, mapping={}, timezone=None, notes=[])


def _number(desk: Desk, opened: Opened, match: FieldMatch, notes: list[Note]) -> tuple[str, str | None]:
    column, kind = opened.column(match.column), opened.type_of(match.column)
    if kind in _FLOATS:
        return f"CASE WHEN abs({column}) < {_MONEY_LIMIT} THEN CAST({column} AS {cells.DECIMAL}) END", None
    if kind != "VARCHAR":
        return f"try_cast({column} AS {cells.DECIMAL})", None
    cell = _cell(desk, opened, column)
    text, number = cells.text(cell), cells.plain_number(cell)
    (plain,) = desk.row(f"SELECT count({text}) = count({number}) FROM ({opened.scan})")
    if plain:
        return number, None
    shapes = _shapes(desk, opened, column, cells.shape(cells.half_width(replace(cell, column="cell"))))
    mark = decimal_mark(shapes, semicolons=opened.file.delimiter == ";")
    if mark == ",":
        notes.append(Note("decimal_comma", (("file", opened.file.name), ("column", match.column))))
    signs = {_SIGNS[sign] for shape, _ in shapes for sign in _SIGNS if sign in shape}
    return cells.number(cell, mark=mark), signs.pop() if len(signs) == 1 else None


def _time(
    desk: Desk,
    opened: Opened,
    match: FieldMatch,
    *,
    mapping: Mapping[str, str],
    timezone: str | None,
    notes: list[Note],
) -> tuple[str, bool]:
    column, kind = opened.column(match.column), opened.type_of(match.column)
    if kind == "DATE":
        return f"CAST({column} AS TIMESTAMP)", False
    if kind.startswith("TIMESTAMP"):
        zoned = "TIME ZONE" in kind
        stamp = f"timezone({quoted(timezone or 'UTC')}, {column})" if zoned else f"CAST({column} AS TIMESTAMP)"
        return stamp, _has_clock(desk, opened, [match])
    cell = (
        _cell(desk, opened, column)
        if kind == "VARCHAR"
        else cells.Cell(f"CAST({column} AS VARCHAR)", wide=False, ragged=False, wrapped=False)
    )
    plain = f"try_strptime({cells.text(cell)}, {listed(cells.PLAIN_MOMENTS)})"
    is_plain, clock = desk.row(
        f"SELECT count({cells.text(cell)}) = count({plain}) AND count({plain}) > 0, "
        f"coalesce(bool_or({plain} <> date_trunc('day', {plain})), false) FROM ({opened.scan})"
    )
    if is_plain:
        return plain, bool(clock)
    each = replace(cell, column="cell")
    raw = _shapes(desk, opened, cell.column, cells.shape(cells.half_width(each)))
    marks = "".join({letter for shape, _ in raw for letter in shape})
    spelled = cells.one_spelling(cell, marks)
    shapes = _shapes(desk, opened, cell.column, cells.moment_shape(cells.one_spelling(each, marks)))
    order = None
    if needs_order(shapes):
        parts = [
            f"max(try_cast(regexp_extract({spelled}, '^([0-9]{{1,2}})-([0-9]{{1,2}})-', {part}) AS INTEGER))"
            for part in (1, 2)
        ]
        first, second = desk.row(f"SELECT {', '.join(parts)} FROM ({opened.scan})")
        order = day_month_order(first, second, mapping.get(DATE_ORDER), file=opened.file.name, column=match.column)
        notes.append(
            Note(
                "day_first" if order == "%d-%m" else "month_first",
                (("file", opened.file.name), ("column", match.column)),
            )
        )
    plan = plan_dates(shapes, order=order)
    _check_readable(opened, match, plan)
    if plan.zoned_formats:
        notes.append(
            Note("zone_converted", (("file", opened.file.name), ("timezone", timezone)))
            if timezone
            else Note("zone_kept", (("file", opened.file.name),))
        )
    return cells.moment(spelled, plan, timezone=timezone), plan.has_clock


def _check_readable(opened: Opened, match: FieldMatch, plan: DatePlan) -> None:
    if not (plan.formats or plan.zoned_formats or plan.excel or plan.epoch_seconds or plan.epoch_milliseconds):
        raise BadInput("collect.no_readable_time", file=opened.file.name, column=match.column)


def _shapes(desk: Desk, opened: Opened, column: str, expression: str) -> list[tuple[str, int]]:
    """The shapes of a column with their counts, most frequent first; ``expression`` makes one from ``cell``."""
    # Shapes are dear, and cells repeat themselves: each different cell is looked at once.
    cells_once = f"SELECT {column} AS cell, count(*) AS n FROM ({opened.scan}) GROUP BY 1"
    return [
        (shape, int(count))
        for shape, count in desk.rows(
            f"SELECT {expression} AS shape, sum(n) AS times FROM ({cells_once}) GROUP BY 1 "
            f"HAVING shape IS NOT NULL ORDER BY 2 DESC, 1 LIMIT {_SHAPES_MAX}"
        )
    ]
