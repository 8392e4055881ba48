"""Typed Parquet from opened files: one file at a time, each column by a rule for the whole column."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from shuke.base.errors import BadInput
from shuke.collect.model import ID_FIELDS, NUMBER_FIELDS, FieldMatch, Note
from shuke.collect.rules.dates import DatePlan, day_month_order, needs_order, plan_dates
from shuke.collect.rules.headers import DATE_ORDER
from shuke.collect.rules.numbers import decimal_mark
from shuke.collect.service import cells
from shuke.collect.service.desk import Desk, named, quoted
from shuke.collect.service.sources import Opened, hash_of, staged, write_rows

_SHAPES_MAX = 2_000
#: The rows at the head of a text by which a reading of all of it is proposed.
_HEAD_ROWS = 20_000
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
    if opened.text is not None:
        typed = _at_once(desk, opened, matches, number)
        if typed is not None:
            return typed
    return _carefully(desk, staged(desk, opened, number), matches, number, mapping=mapping, timezone=timezone)


def _at_once(desk: Desk, opened: Opened, matches: Sequence[FieldMatch], number: int) -> Typed | None:
    """A text typed while it is read for the only time; None where its cells need a closer look.

    The first rows propose that numbers and moments are plainly written and that ids are no floats. Beside every value
    that rests on such a proposal a proof is written, and one row without it refutes the proposal.
    """
    if opened.text is None:
        return None
    try:
        desk.connection.execute(f"CREATE OR REPLACE TEMP TABLE head AS {opened.text.rows()} LIMIT {_HEAD_ROWS}")
    except duckdb.Error:
        return None  # broken, or beyond the parallel reader: whoever reads all of it will say
    forms, proofs = [], []
    for match in matches:
        column, name = opened.column(match.column), named(match.field)
        if match.field in ID_FIELDS:
            forms.append(f"{cells.identifier(column, floats=False)} AS {name}")
        elif match.field == "time" or match.field in NUMBER_FIELDS:
            plain = cells.plain_moment(column) if match.field == "time" else f"try_cast({column} AS {cells.DECIMAL})"
            forms.append(f"{plain} AS {name}")
            proofs.append(f"CASE WHEN {plain} IS NULL THEN {cells.text(column)} IS NULL ELSE true END")
        else:
            forms.append(f"{cells.text(column)} AS {name}")
    proven = " AND ".join(proofs)
    ids = [opened.column(match.column) for match in matches if match.field in ID_FIELDS]
    whole_ids = " AND ".join([f"NOT {_floats_only(column)}" for column in ids]) or "true"
    time = next(opened.column(match.column) for match in matches if match.field == "time")
    (likely,) = desk.row(f"SELECT bool_and({proven}) AND {whole_ids} AND count({time}) > 0 FROM head")
    if not likely:
        return None
    select = f"SELECT {', '.join([*forms, *_row_facts(opened, matches)])}, {proven} AS proven"
    path, counted = write_rows(desk, opened, select, f"typed_{number}.parquet")
    (proven_all,) = desk.row(f"SELECT bool_and(proven) AND count(time) > 0 FROM read_parquet({quoted(path)})")
    if not proven_all:
        return None
    scan = (
        f"SELECT file_row_number + 1 AS row, * EXCLUDE (file_row_number, proven) "
        f"FROM read_parquet({quoted(path)}, file_row_number = true)"
    )
    return _typed(desk, counted, matches, path, scan)


def _floats_only(column: str) -> str:
    """SQL aggregate: whether every id ends as a float does. False of one part of the rows, it is false of all."""
    cell = cells.text(column)
    whole = f"suffix({cell}, '.0') AND try_cast({cell} AS DOUBLE) IS NOT NULL"
    return f"coalesce(bool_and({whole}) FILTER ({column} IS NOT NULL AND {cell} IS NOT NULL), false)"


def _typed(desk: Desk, opened: Opened, matches: Sequence[FieldMatch], path: Path, scan: str) -> Typed:
    has_clock = True  # nobody asks where orders have numbers
    if not any(match.field == "order" for match in matches):
        (has_clock,) = desk.row(f"SELECT coalesce(bool_or(time <> date_trunc('day', time)), false) FROM ({scan})")
    return Typed(
        opened=opened,
        path=path,
        columns={match.field: match.field for match in matches},
        names={match.field: match.column for match in matches},
        direct=False,
        scan=scan,
        has_clock=bool(has_clock),
        notes=opened.notes,
    )


def _carefully(
    desk: Desk,
    opened: Opened,
    matches: Sequence[FieldMatch],
    number: int,
    *,
    mapping: Mapping[str, str],
    timezone: str | None,
) -> Typed:
    """A file typed after as many looks at each column as its rule needs."""
    notes: list[Note] = list(opened.notes)
    chosen_sql: list[str] = []
    sign = None
    for match in matches:
        column, kind = opened.column(match.column), opened.type_of(match.column)
        if match.field == "time":
            expression = _time(desk, opened, match, mapping=mapping, timezone=timezone, notes=notes)
        elif match.field in NUMBER_FIELDS:
            expression, found = _number(desk, opened, match, notes)
            sign = found if match.field in ("amount", "price") and found else sign
        elif match.field in ID_FIELDS:
            expression = _identifier(desk, opened, column, kind)
        else:
            expression = cells.text(column) if kind == "VARCHAR" else f"CAST({column} AS VARCHAR)"
        chosen_sql.append(f"{expression} AS {named(match.field)}")
    chosen_sql += _row_facts(opened, matches)
    path = desk.write(f"SELECT row, {', '.join(chosen_sql)} FROM ({opened.scan})", f"typed_{number}.parquet")
    typed = _typed(desk, opened, matches, path, f"SELECT * FROM read_parquet({quoted(path)})")
    return replace(typed, sign=sign, notes=tuple(notes))


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
    (whole_head,) = desk.row(
        f"SELECT {_floats_only(column)} FROM (SELECT {column} FROM ({opened.scan}) LIMIT {_HEAD_ROWS})"
    )
    floats = whole_head and desk.row(f"SELECT {_floats_only(column)} FROM ({opened.scan})")[0]
    return cells.identifier(column, floats=bool(floats))


def _row_facts(opened: Opened, matches: Sequence[FieldMatch]) -> list[str]:
    """What rows are compared by, and whether the customer's or the order's id has lost its digits to a spreadsheet."""
    facts = [f"{hash_of(opened)} AS whole"]
    tests = [
        cells.is_broken(opened.column(match.column))
        for match in matches
        if match.field in ("customer", "order") and opened.type_of(match.column) == "VARCHAR"
    ]
    return [*facts, f"({' OR '.join(tests)}) AS broken_id"] if tests else facts


def read_numbers(desk: Desk, opened: Opened, match: FieldMatch) -> str:
    """DuckDB SQL of a column's numbers, by one rule for all of it."""
    return _number(desk, opened, match, [])[0]


def read_moments(
    desk: Desk,
    opened: Opened,
    match: FieldMatch,
    *,
    mapping: Mapping[str, str] | None = None,
    timezone: str | None = None,
) -> str:
    """DuckDB SQL of a column's moments on the clock of ``timezone``, by one rule for all of it.

    Raises BadInput ``collect.ambiguous_dates``, ``collect.no_readable_time``.
    """
    return _time(desk, opened, match, mapping=mapping or {}, timezone=timezone, notes=[])


def _number(desk: Desk, opened: Opened, match: FieldMatch, notes: list[Note]) -> tuple[str, str | None]:
    column, kind = opened.column(match.column), opened.type_of(match.column)
    if kind in _FLOATS:
        return f"CASE WHEN abs({column}) < {_MONEY_LIMIT} THEN CAST({column} AS {cells.DECIMAL}) END", None
    if kind != "VARCHAR":
        return f"try_cast({column} AS {cells.DECIMAL})", None
    text, number = cells.text(column), cells.plain_number(column)
    (plain,) = desk.row(f"SELECT count({text}) = count({number}) FROM ({opened.scan})")
    if plain:
        return number, None
    shapes = _shapes(desk, opened, column, cells.shape(cells.half_width("cell")))
    mark = decimal_mark(shapes, semicolons=opened.file.delimiter == ";")
    if mark == ",":
        notes.append(Note("decimal_comma", (("file", opened.file.name), ("column", match.column))))
    signs = {_SIGNS[sign] for shape, _ in shapes for sign in _SIGNS if sign in shape}
    return cells.number(column, mark=mark), signs.pop() if len(signs) == 1 else None


def _time(
    desk: Desk,
    opened: Opened,
    match: FieldMatch,
    *,
    mapping: Mapping[str, str],
    timezone: str | None,
    notes: list[Note],
) -> str:
    column, kind = opened.column(match.column), opened.type_of(match.column)
    if kind == "DATE":
        return f"CAST({column} AS TIMESTAMP)"
    if kind.startswith("TIMESTAMP"):
        zoned = "TIME ZONE" in kind
        return f"timezone({quoted(timezone or 'UTC')}, {column})" if zoned else f"CAST({column} AS TIMESTAMP)"
    if kind != "VARCHAR":
        column = f"CAST({column} AS VARCHAR)"
    plain = cells.plain_moment(cells.text(column))
    (is_plain,) = desk.row(
        f"SELECT count({cells.text(column)}) = count({plain}) AND count({plain}) > 0 FROM ({opened.scan})"
    )
    if is_plain:
        return plain
    raw = _shapes(desk, opened, column, cells.shape(cells.half_width("cell")))
    marks = "".join({letter for shape, _ in raw for letter in shape})
    spelled = cells.one_spelling(column, marks)
    shapes = _shapes(desk, opened, column, cells.moment_shape(cells.one_spelling("cell", marks)))
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
    return cells.moment(spelled, plan, timezone=timezone)


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
