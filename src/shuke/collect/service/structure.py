"""What rows have to do with one another: lines of one order, totals repeated on them, rows that are there twice."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shuke.collect.model import NUMBER_OF, ORDER_FIELDS, Note
from shuke.collect.rules.lines import OrderStatistics, is_order_total
from shuke.collect.service.cells import DECIMAL
from shuke.collect.service.desk import Desk, named
from shuke.collect.service.sources import hash_of
from shuke.collect.service.staging import Typed

#: How far apart integers may lie for a bitmap of them to be cheaper than a set of them.
_BITMAP_SPREAD = 64
_BATCH_ROWS = 500_000
#: Where a column repeats itself, it mostly does so among the first rows.
_HEAD_ROWS = 10_000
_SPREADABLE = ("amount", "refund", "discount", "postage")
_CONTENT = ("customer", "order", "time", "product", "product_name", "quantity", "price", "amount")


@dataclass(frozen=True)
class Structured:
    """A typed file whose rows are whole lines: each with its order's facts and its own share of its order's total."""

    typed: Typed
    one_row_per_order: bool


def is_unique(desk: Desk, scan: str, column: str) -> bool:
    """Whether no value of a column occurs twice and none is missing."""
    rows, found, low, high = desk.row(f"SELECT count(*), count({column}), min({column}), max({column}) FROM ({scan})")
    if found < rows or not rows:
        return False
    if desk.row(f"SELECT count(*) > count(DISTINCT {column}) FROM (SELECT {column} FROM ({scan}) LIMIT {_HEAD_ROWS})")[
        0
    ]:
        return False
    distinct = f"count(DISTINCT {column})"
    if isinstance(low, int):
        if _rises(desk, f"SELECT {column} FROM ({scan})"):
            return True
        if high - low < max(1_000_000, _BITMAP_SPREAD * rows):
            bits = f"CAST({column} AS BIGINT), CAST({low} AS BIGINT), CAST({high} AS BIGINT)"
            distinct = f"bit_count(bitstring_agg({bits}))"
    (different,) = desk.row(f"SELECT {distinct} FROM ({scan})")
    return bool(different == rows)


def _rises(desk: Desk, sql: str) -> bool:
    """Whether integers only ever rise (or fall) from row to row, as the numbers of an export mostly do."""
    last: int | None = None
    sign = 0
    for batch in desk.connection.sql(sql).to_arrow_reader(_BATCH_ROWS):
        values = batch.column(0).to_numpy()
        if last is not None:
            values = np.concatenate(([last], values))
        if len(values) < 2:
            last = int(values[-1]) if len(values) else last
            continue
        sign = sign or (1 if values[1] > values[0] else -1)
        if not bool(np.all(values[1:] > values[:-1] if sign > 0 else values[1:] < values[:-1])):
            return False
        last = int(values[-1])
    return True


def structure(desk: Desk, typed: Typed, number: int) -> Structured:
    """Lines that stand alone: order facts filled down, order totals shared out among the lines of their order."""
    if "order" not in typed.columns:
        return Structured(typed, one_row_per_order=False)
    if is_unique(desk, typed.scan, named("order")):
        return Structured(typed, one_row_per_order=True)
    asked = _asked(desk, typed)
    statistics = _statistics(desk, typed, asked) if asked else {}
    totals = [
        name for name in _SPREADABLE if name in asked and is_order_total(name, statistics[name], _column(typed, name))
    ]
    filled = [name for name in ORDER_FIELDS if name in asked and statistics[name].partly_there]
    if not totals and not filled:
        return Structured(typed, one_row_per_order=False)
    notes = [
        Note("order_total", (("file", typed.opened.file.name), ("column", _column(typed, name)))) for name in totals
    ]
    if filled:
        columns = ", ".join(_column(typed, name) for name in filled)
        notes.append(Note("filled_down", (("file", typed.opened.file.name), ("columns", columns))))
    path = desk.write(_whole_lines(typed, totals, filled), f"lines_{number}.parquet")
    scan = f"SELECT * FROM read_parquet('{path}')"
    staged = replace(
        typed,
        path=path,
        columns={name: name for name in typed.columns},
        direct=False,
        scan=scan,
        notes=(*typed.notes, *notes),
    )
    return Structured(staged, one_row_per_order=False)


def _column(typed: Typed, name: str) -> str:
    return typed.names[name]


def _asked(desk: Desk, typed: Typed) -> list[str]:
    """The fields that orders may share: not a column without gaps, nor amounts that are price × quantity throughout."""
    fields = set(typed.columns)
    asked = [name for name in _SPREADABLE if name in fields]
    tests = {name: f"count({named(name)}) < count(*)" for name in ORDER_FIELDS if name in fields}
    if {"price", "quantity", "amount"} <= fields:
        tests["amount"] = f"NOT coalesce(bool_and(coalesce(amount = CAST(price * quantity AS {DECIMAL}), false)), true)"
        asked.remove("amount")
    if tests:
        found = desk.row(f"SELECT {', '.join(tests.values())} FROM ({typed.scan})")
        asked += [name for name, needed in zip(tests, found, strict=True) if needed]
    return asked


def _statistics(desk: Desk, typed: Typed, fields: Sequence[str]) -> dict[str, OrderStatistics]:
    """Of each field, over the orders with several rows: how often it is constant, on one row only, and so on."""
    per_order = ["count(*) AS n"]
    for name in fields:
        # Refunds and discounts are zero where there are none.
        column = f"nullif({named(name)}, 0)" if name in ("refund", "discount", "postage") else named(name)
        per_order += [f"count({column}) AS {name}_n", f"min({column}) AS {name}_lo", f"max({column}) AS {name}_hi"]
    priced = "amount" in fields and {"price", "quantity"} <= set(typed.columns)
    if priced:
        value = "CAST(price AS DOUBLE) * CAST(quantity AS DOUBLE)"
        per_order += [
            f"sum({value}) AS goods",
            f"max(abs(CAST(amount AS DOUBLE) - {value})) AS line_gap",
        ]
    order = named("order")
    grouped = (
        f"SELECT {', '.join(per_order)} FROM ({typed.scan}) WHERE {order} IS NOT NULL "
        f"GROUP BY {order} HAVING count(*) > 1"
    )
    wanted: list[str] = ["count(*)"]
    for name in fields:
        wanted += [
            f"count(*) FILTER ({name}_n > 0 AND {name}_n < n)",
            f"count(*) FILTER ({name}_n = 1)",
            f"count(*) FILTER ({name}_n = n AND {name}_lo = {name}_hi)",
            f"approx_count_distinct({name}_lo)",
            f"count(*) FILTER ({name}_n > 0)",
        ]
    if priced:
        wanted += [
            "count(*) FILTER (abs(CAST(amount_lo AS DOUBLE) - goods) <= 0.005 + 0.25 * abs(goods))",
            "count(*) FILTER (line_gap <= 0.005 + 0.01 * abs(goods))",
        ]
    found = list(desk.row(f"SELECT {', '.join(wanted)} FROM ({grouped})"))
    orders = found.pop(0)
    result: dict[str, OrderStatistics] = {}
    for name in fields:
        part, found = found[:5], found[5:]
        result[name] = OrderStatistics(orders, *part)
    if priced:
        result["amount"] = replace(result["amount"], fits_order=found[0], fits_line=found[1])
    return result


def _whole_lines(typed: Typed, totals: Sequence[str], filled: Sequence[str]) -> str:
    order = named("order")
    window = f"PARTITION BY {order}"
    replaced = []
    for name in filled:
        column = named(name)
        replaced.append(
            f"CASE WHEN {order} IS NULL THEN {column} ELSE coalesce({column}, "
            f"arg_min({column}, row) OVER ({window})) END AS {column}"
        )
    for name in totals:
        column = named(name)
        total = f"max({column}) OVER ({window})"
        if name not in ("amount", "postage"):
            first = f"row = min(row) OVER ({window})"
            replaced.append(f"CASE WHEN {order} IS NULL THEN {column} WHEN {first} THEN {total} END AS {column}")
    inner = f"SELECT * REPLACE ({', '.join(replaced)}) FROM ({typed.scan})" if replaced else typed.scan
    return _shared(typed, inner, [name for name in totals if name in ("amount", "postage")])


def _shared(typed: Typed, rows: str, totals: Sequence[str]) -> str:
    """The rows, with the totals of each order shared among its lines by price × quantity, or quantity, or evenly."""
    if not totals:
        return rows
    order = named("order")
    window = f"PARTITION BY {order}"
    weight = "1.0"
    if {"price", "quantity"} <= set(typed.columns):
        weight = "abs(CAST(price AS DOUBLE) * CAST(quantity AS DOUBLE))"
    elif "quantity" in typed.columns:
        weight = "abs(CAST(quantity AS DOUBLE))"
    wholes = [f"CAST(max({name}) OVER ({window}) AS {DECIMAL}) AS whole_{name}" for name in totals]
    weighed = (
        f"SELECT *, {', '.join(wholes)}, coalesce({weight}, 0) AS weight, "
        f"sum(coalesce({weight}, 0)) OVER ({window}) AS weights, count(*) OVER ({window}) AS n, "
        f"row = min(row) OVER ({window}) AS is_first FROM ({rows})"
    )
    share = "CASE WHEN weights > 0 THEN weight / weights ELSE 1.0 / n END"
    parts = [f"CAST(CAST(whole_{name} AS DOUBLE) * {share} AS {DECIMAL}) AS part_{name}" for name in totals]
    # The first line takes what rounding leaves, so that the parts sum to the total exactly.
    replaced = [
        f"CASE WHEN {order} IS NULL THEN CAST({name} AS {DECIMAL}) WHEN is_first THEN "
        f"CAST(whole_{name} - sum(CASE WHEN is_first THEN 0 ELSE part_{name} END) OVER ({window}) AS {DECIMAL}) "
        f"ELSE part_{name} END AS {name}"
        for name in totals
    ]
    helpers = ", ".join(f"whole_{name}, part_{name}" for name in totals)
    return (
        f"SELECT * EXCLUDE ({helpers}, weight, weights, n, is_first) REPLACE ({', '.join(replaced)}) "
        f"FROM (SELECT *, {', '.join(parts)} FROM ({weighed}))"
    )


def find_flags(desk: Desk, files: Sequence[Structured]) -> str | None:
    """SQL of (file, row, flag) for rows that are there twice or whose id is broken; None where there are none.

    A *duplicate* equals an earlier row of its file in every column, in a file that numbers its orders or names its
    products: without either, two equal rows may well be two purchases. An *overlap* is a line that an earlier file
    has too: the same customer, order, moment, product, quantity, price and amount, as often as it is there.
    """
    parts: list[str] = []
    for number, file in enumerate(files):
        opened, typed = file.typed.opened, file.typed
        if "broken_id" in desk.types(typed.scan):
            parts.append(
                f"SELECT {number} AS file, row, {NUMBER_OF['ambiguous_id']} AS flag FROM ({typed.scan}) WHERE broken_id"
            )
        if not file.one_row_per_order and {"order", "product", "product_name"} & set(typed.columns):
            whole = hash_of(opened)
            hashes = f"SELECT {whole} AS whole FROM ({opened.scan})" if typed.direct else typed.scan
            twice = f"twice_{number}"
            desk.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {twice} AS SELECT whole FROM ({hashes}) GROUP BY 1 HAVING count(*) > 1"
            )
            if desk.row(f"SELECT count(*) FROM {twice}") == (0,):
                continue
            columns = ", ".join(f"c{at}" for at in range(1, len(opened.types) + 1))
            copies = f"row_number() OVER (PARTITION BY {columns} ORDER BY row)"
            rows = f"SELECT row, {copies} AS copy FROM ({opened.scan}) WHERE {whole} IN (FROM {twice})"
            parts.append(
                f"SELECT {number} AS file, row, {NUMBER_OF['duplicate_line']} AS flag FROM ({rows}) WHERE copy > 1"
            )
    if parts:
        desk.connection.execute(f"CREATE OR REPLACE TABLE flags AS {' UNION ALL '.join(parts)}")
    else:
        desk.connection.execute("CREATE OR REPLACE TABLE flags (file INTEGER, row BIGINT, flag INTEGER)")
    if len(files) > 1:
        desk.connection.execute(f"INSERT INTO flags {_overlaps(files)}")
    (found,) = desk.row("SELECT count(*) FROM flags")
    return "SELECT file, row, min(flag) AS flag FROM flags GROUP BY file, row" if found else None


def _overlaps(files: Sequence[Structured]) -> str:
    rows = []
    for number, file in enumerate(files):
        fields = set(file.typed.columns)
        # Without a number, a product or a time of day, equal rows of two files may be two purchases.
        if not ({"order", "product", "product_name"} & fields or file.typed.has_clock):
            continue
        content = []
        for name in _CONTENT:
            column = (
                f"CAST({named(name)} AS {DECIMAL})"
                if name in ("quantity", "price", "amount")
                else f"CAST({named(name)} AS VARCHAR)"
            )
            content.append(f"{column if name in fields else 'NULL'} AS {named(name)}")
        rows.append(f"SELECT {number} AS file, row, {', '.join(content)} FROM ({file.typed.scan})")
    if len(rows) < 2:
        return "SELECT 0, 0, 0 WHERE false"
    names = ", ".join(named(name) for name in _CONTENT)
    everything = " UNION ALL ".join(rows)
    twice = f"SELECT hash({names}) AS h FROM ({everything}) GROUP BY 1 HAVING min(file) < max(file)"
    left = f"SELECT * FROM ({everything}) AS r ANTI JOIN flags USING (file, row) WHERE hash({names}) IN ({twice})"
    nth = f"SELECT *, row_number() OVER (PARTITION BY file, {names} ORDER BY row) AS nth FROM ({left})"
    first = f"SELECT file, row, min(file) OVER (PARTITION BY nth, {names}) AS first FROM ({nth})"
    return f"SELECT file, row, {NUMBER_OF['overlap_line']} FROM ({first}) WHERE first < file"
