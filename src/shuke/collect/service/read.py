"""From the person's files to canonical tables, with every row accounted for."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from shuke.base.clock import known_timezone
from shuke.base.errors import BadInput
from shuke.base.progress import Progress, silent
from shuke.collect import measures
from shuke.collect.model import (
    EARLIEST_YEAR,
    FEE_PRODUCTS_MAX,
    STATUSES_MAX,
    TREATMENTS,
    Collected,
    FieldMatch,
    Note,
    Quality,
    QualityCount,
    Recognised,
    RowRules,
    Source,
)
from shuke.collect.rules.headers import DATE_ORDER, check_mapping, check_needed, find_column, notes_on, recognise
from shuke.collect.rules.words import Fees, find_fees, status_class
from shuke.collect.service.cells import DECIMAL
from shuke.collect.service.desk import Desk, named
from shuke.collect.service.sources import Opened, find_files, open_file
from shuke.collect.service.staging import Typed, type_file
from shuke.collect.service.structure import Structured, find_flags, is_unique, structure
from shuke.insight.tables import Tables
from shuke.platform.engines import Engine

#: Fields in which no rule but those on missing and impossible values can find anything.
_PLAIN_FIELDS = frozenset({"customer", "order", "time", "amount", "channel", "store", "region"})

NEED = ("customer", "time", "amount")


def read_orders(  # noqa: PLR0913 - what a person may say about order files; all but the files by keyword
    sources: Sequence[str],
    *,
    engine: Engine,
    work_folder: Path,
    mapping: Mapping[str, str] | None = None,
    currency: str | None = None,
    margin_column: str | None = None,
    timezone: str | None = None,
    as_of: datetime | None = None,
    need: Sequence[str] = NEED,
    progress: Progress = silent,
) -> Collected:
    """Read order files of any make into canonical tables.

    Args:
        sources: paths and globs of CSV, XLSX and Parquet files; each may have a layout of its own.
        engine: what runs the analysis; files are staged for it in ``work_folder``, which must outlive the result.
        work_folder: where typed Parquet files are written when a file cannot be read as it is.
        mapping: field → column name or number from 1, before anything that names suggest; ``date_order`` → dmy | mdy.
        currency: the code to analyse; without it that of most lines. Lines in others are set aside.
        margin_column: a column with the margin of each line, as a share (all within ±1) or as money.
        timezone: the brand's zone (IANA name), into which stamps with a zone are brought.
        as_of: facts from this moment on are set aside.
        need: the indispensable fields; without ``amount`` it may be missing, and is then null.
        progress: called with a stage and the share of it that is done.

    Raises:
        BadInput: with a code under ``collect.`` for whatever cannot be understood; see the catalogue.
    """
    given = dict(mapping or {})
    if margin_column is not None:
        given["margin"] = margin_column
    check_mapping(given)
    if timezone is not None:
        known_timezone(timezone)
    work_folder.mkdir(parents=True, exist_ok=True)
    # A folder of its own, so that a second reading leaves the tables of the first alone.
    with closing(Desk(Path(tempfile.mkdtemp(prefix="collect_", dir=work_folder)))) as desk:
        opened = _open_all(desk, sources, given, progress)
        matches = _recognise_all(opened, given, need)
        files: list[Structured] = []
        for number, (file, found) in enumerate(zip(opened, matches, strict=True)):
            progress("collect.stage", number / len(opened))
            file = replace(file, notes=(*file.notes, *notes_on(found)))  # noqa: PLW2901 - the same file, with more known
            typed = type_file(desk, file, found, number, mapping=given, timezone=timezone)
            files.append(structure(desk, typed, number))
        progress("collect.check", 0.0)
        files = _flagged(desk, files)
        reading = _Reading(desk, files, engine)
        latest = datetime.now(ZoneInfo(timezone or "UTC")).replace(tzinfo=None) + timedelta(days=1)
        collected = reading.collect(
            _rules(desk, files, currency=currency, latest=latest, as_of=as_of, needs_amount="amount" in need),
            Recognised(tuple(match for found in matches for match in found), _unused(opened, matches)),
            progress,
        )
        progress("collect.check", 1.0)
        return collected


def _open_all(desk: Desk, sources: Sequence[str], given: Mapping[str, str], progress: Progress) -> list[Opened]:
    paths = find_files(sources)
    wanted = [column for field, column in given.items() if field != DATE_ORDER]
    opened: list[Opened] = []
    for number, path in enumerate(paths):
        progress("collect.open", number / len(paths))
        opened.append(open_file(desk, path, number, wanted=wanted, progress=progress))
    for field, column in given.items():
        if field != DATE_ORDER and all(find_column(column, file.file.columns) is None for file in opened):
            columns = ", ".join(opened[0].file.columns)
            raise BadInput("collect.unknown_column", field=field, column=column, columns=columns)
    return opened


def _recognise_all(
    opened: Sequence[Opened], given: Mapping[str, str], need: Sequence[str]
) -> list[tuple[FieldMatch, ...]]:
    matches = []
    for file in opened:
        found = recognise(file.file.columns, file=file.file.name, mapping=given, need=need)
        fields = [match.field for match in found]
        check_needed(fields, columns=file.file.columns, file=file.file.name, need=need)
        matches.append(found)
    return matches


def _unused(opened: Sequence[Opened], matches: Sequence[tuple[FieldMatch, ...]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (file.file.name, column)
        for file, found in zip(opened, matches, strict=True)
        for column in file.file.columns
        if column not in {match.column for match in found}
    )


def _flagged(desk: Desk, files: Sequence[Structured]) -> list[Structured]:
    """The files, with the flags beside the rows where rows carry some."""
    flags = find_flags(desk, files)
    if flags is None:
        return list(files)
    desk.connection.execute(f"CREATE OR REPLACE TABLE flagged AS {flags}")
    result = list(files)
    for (number,) in desk.rows("SELECT DISTINCT file FROM flagged"):
        typed = files[number].typed
        sql = (
            f"SELECT t.*, CAST(f.flag AS TINYINT) AS flag FROM ({typed.scan}) t "
            f"LEFT JOIN (SELECT row, flag FROM flagged WHERE file = {number}) f USING (row)"
        )
        path = desk.write(sql, f"flagged_{number}.parquet")
        staged = replace(
            typed,
            path=path,
            columns={name: name for name in typed.columns},
            direct=False,
            scan=f"SELECT * FROM read_parquet('{path}')",
        )
        result[number] = replace(files[number], typed=staged)
    return result


def _everything(files: Sequence[Structured]) -> str:
    """SQL of all lines, each column cast so that the files agree where they must."""
    return " UNION ALL BY NAME ".join(f"({file.typed.scan})" for file in files)


def _has(files: Sequence[Structured], *fields: str) -> bool:
    return all(any(field in file.typed.columns for file in files) for field in fields)


def _rules(
    desk: Desk,
    files: Sequence[Structured],
    *,
    currency: str | None,
    latest: datetime,
    as_of: datetime | None,
    needs_amount: bool,
) -> RowRules:
    statuses: dict[str | None, list[str]] = {}
    if _has(files, "status"):
        for status in _distinct(desk, files, "status", STATUSES_MAX):
            statuses.setdefault(status_class(status), []).append(status)
    fees = _fees(desk, files)
    credit = False
    if _has(files, "order", "quantity"):
        credit = _credit_notes(desk, files)
    return RowRules(
        latest=latest,
        as_of=as_of,
        needs_amount=needs_amount,
        currency=_currency(desk, files, currency),
        cancelled=tuple(statuses.get("cancelled", ())),
        unpaid=tuple(statuses.get("unpaid", ())),
        refunded=tuple(statuses.get("refunded", ())),
        fee_codes=fees.codes,
        fee_names=fees.names,
        credit_orders=credit,
    )


def _distinct(desk: Desk, files: Sequence[Structured], field: str, limit: int) -> list[str]:
    counted: Counter[str] = Counter()
    for file in files:
        if field in file.typed.columns:
            rows = desk.rows(f"SELECT {named(field)}, count(*) FROM ({file.typed.scan}) GROUP BY 1 LIMIT {limit}")
            counted.update({str(value): count for value, count in rows if value is not None})
    return [value for value, _ in counted.most_common()]


def _fees(desk: Desk, files: Sequence[Structured]) -> Fees:
    texts = len({_is_text(desk, file, "product") for file in files if "product" in file.typed.columns}) > 1
    products: list[tuple[str | int | None, str | None, int]] = []
    for file in files:
        fields = file.typed.columns
        if not {"product", "product_name"} & set(fields):
            continue
        code = ("CAST(product AS VARCHAR)" if texts else "product") if "product" in fields else "NULL"
        name = "product_name" if "product_name" in fields else "NULL"
        products += desk.rows(
            f"SELECT {code}, {name}, count(*) FROM ({file.typed.scan}) GROUP BY ALL "
            f"ORDER BY 3 DESC LIMIT {FEE_PRODUCTS_MAX}"
        )
    return find_fees(products)


def _is_text(desk: Desk, file: Structured, field: str) -> bool:
    return desk.types(f"SELECT {named(field)} FROM ({file.typed.scan})")[field] == "VARCHAR"


def _credit_notes(desk: Desk, files: Sequence[Structured]) -> bool:
    """Whether orders named C and digits are credit notes: nearly all of their lines take something back."""
    backs = rows = 0
    for file in files:
        if {"order", "quantity"} <= set(file.typed.columns) and _is_text(desk, file, "order"):
            back, all_rows = desk.row(
                f"SELECT count(*) FILTER (quantity < 0), count(*) FROM ({file.typed.scan}) "
                f"WHERE prefix({named('order')}, 'C') AND regexp_full_match({named('order')}, 'C[0-9]+')"
            )
            backs, rows = backs + back, rows + all_rows
    return rows > 0 and backs >= 0.9 * rows


def _currency(desk: Desk, files: Sequence[Structured], given: str | None) -> str | None:
    """The currency to analyse: the one asked for, that of most lines, or the one that the amounts are signed with."""
    counted: Counter[str] = Counter()
    for file in files:
        if "currency" in file.typed.columns:
            rows = desk.rows(f"SELECT upper(currency), count(*) FROM ({file.typed.scan}) GROUP BY 1")
            counted.update({code: count for code, count in rows if code is not None})
    if given is not None:
        if counted and given.upper() not in counted:
            raise BadInput("collect.currency_absent", currency=given, found=", ".join(sorted(counted)))
        return given.upper()
    if counted:
        return counted.most_common(1)[0][0]
    signs = {file.typed.sign for file in files if file.typed.sign}
    return signs.pop() if len(signs) == 1 else None


class _Reading:
    """The last leg: from typed files to tables and their account."""

    def __init__(self, desk: Desk, files: Sequence[Structured], engine: Engine) -> None:
        self.desk = desk
        self.files = files
        self.engine = engine
        self.texts: tuple[str, ...] = ()

    def collect(self, rules: RowRules, recognised: Recognised, progress: Progress) -> Collected:
        """Treat the rows, count them, and make the tables."""
        shape = self._shape()
        lines = self._lines()
        has_products = bool({"product", "product_name"} & set(lines.columns))
        amount = sum((self._total(file.typed) for file in self.files), Decimal())
        plain = self._all_sales(rules)
        if plain is not None:
            lines, counted = measures.all_sales(lines), [{**plain, "rule": 0, "amount": amount}]
        else:
            lines = measures.classify(lines, rules)
            # Lines with products are read again and again: for orders, names, lines, refunds and the count.
            lines = self._keep(lines, "lines") if has_products else lines
            counted = measures.counts(lines).to_pyarrow().to_pylist()
        progress("collect.check", 0.5)
        quality = self._quality(counted, amount, rules)
        sold = next((row for row in counted if row["rule"] == 0), None)
        if sold is None:
            reasons = ", ".join(f"{count.code}: {count.rows}" for count in quality.counts)
            raise BadInput("collect.no_sales", rows=quality.rows, reasons=reasons)
        progress("collect.check", 0.7)
        orders = measures.orders_of(lines, shape)
        order_lines = measures.order_lines_of(lines, shape)
        refunds = None if plain is not None else measures.refunds_of(lines, shape, rules)
        if not shape.one_row_per_order:
            orders = self._keep(orders, "orders")
            order_lines = None if order_lines is None else self._keep(order_lines, "order_lines")
            refunds = None if refunds is None else self._keep(refunds, "refunds")
        return Collected(
            tables=Tables(orders=orders, order_lines=order_lines, refunds=refunds),
            quality=quality,
            recognised=recognised,
            currency=rules.currency,
            first_at=sold["first_at"],
            last_at=sold["last_at"],
            has_lines=order_lines is not None,
            lines=lines,
            rules=rules,
            sources=tuple(self._source(file) for file in self.files),
        )

    def _keep(self, table: ir.Table, name: str) -> ir.Table:
        return self.engine.keep(table, f"{self.desk.folder.name}_{name}")

    def _lines(self) -> ir.Table:
        read = [(self.engine.read_parquet(file.typed.path), file.typed.columns) for file in self.files]
        self.texts = measures.id_types(read)
        return measures.union_of(
            [measures.lines_of(table, columns, file=at, texts=self.texts) for at, (table, columns) in enumerate(read)]
        )

    def _shape(self) -> measures.Shape:
        has_order = _has(self.files, "order")
        single = has_order and all(file.one_row_per_order for file in self.files)
        if single and len(self.files) > 1:
            parts = [f"SELECT CAST({named('order')} AS VARCHAR) AS o FROM ({file.typed.scan})" for file in self.files]
            single = is_unique(self.desk, " UNION ALL ".join(parts), "o")
        missing = False
        if has_order and not single:
            missing = any(
                "order" not in file.typed.columns
                or self.desk.row(f"SELECT count(*) > count({named('order')}) FROM ({file.typed.scan})")[0]
                for file in self.files
            )
        margin = None
        if _has(self.files, "margin"):
            tops = [
                self.desk.row(f"SELECT max(abs(margin)) FROM ({file.typed.scan})")[0]
                for file in self.files
                if "margin" in file.typed.columns
            ]
            margin = "share" if max((top for top in tops if top is not None), default=0) <= 1 else "money"
        return measures.Shape(
            one_row_per_order=single,
            has_order=has_order,
            orders_missing=missing,
            has_clock=all(file.typed.has_clock for file in self.files),
            margin=margin,  # type: ignore[arg-type] # one of the two literals
        )

    def _all_sales(self, rules: RowRules) -> dict[str, Any] | None:
        """Rows and span where the columns' own bounds show that no rule finds anything; else None.

        DuckDB takes counts and bounds of Parquet columns from their statistics, so this spares large and tidy files
        (one row per order, no products, no status) the pass over all rows.
        """
        rows, first, last = 0, None, None
        for file in self.files:
            fields = set(file.typed.columns)
            if (fields - _PLAIN_FIELDS) or "amount" not in fields or file.typed.opened.unreadable_rows or rules.as_of:
                return None
            if {"flag", "broken_id"} & set(self.desk.types(file.typed.scan)):
                return None
            bounds = [f"count({named(name)})" for name in ("customer", "time", "amount")]
            bounds += ["min(amount)", "CAST(min(time) AS TIMESTAMP)", "CAST(max(time) AS TIMESTAMP)", "count(*)"]
            customers, times, amounts, least, low, high, found = (
                self.desk.row(f"SELECT {bound} FROM ({file.typed.scan})")[0] for bound in bounds
            )
            if not (customers == times == amounts == found and found and least > 0):
                return None
            if low.year < EARLIEST_YEAR or high >= rules.latest:
                return None
            rows += found
            first, last = min(first or low, low), max(last or high, high)
        return {"rows": rows, "first_at": first, "last_at": last}

    def _quality(self, counted: Sequence[Mapping[str, Any]], amount: Decimal, rules: RowRules) -> Quality:
        by_rule = {row["rule"]: row for row in counted}
        unreadable = sum(file.typed.opened.unreadable_rows for file in self.files)
        postage = sum((row.get("postage") or Decimal() for row in counted), Decimal())
        counts = []
        for number, (code, treatment) in enumerate(TREATMENTS):
            found = by_rule.get(number)
            rows, money = (found["rows"], found["amount"] or Decimal()) if found else (0, Decimal())
            rows += unreadable if code == "unreadable_line" else 0
            money += postage if code == "postage_part" else 0
            if rows or money or code == "sale":
                counts.append(QualityCount(code, rows, money, treatment))
        notes = [note for file in self.files for note in file.typed.notes]
        if not _has(self.files, "order"):
            clock = all(file.typed.has_clock for file in self.files)
            notes.append(Note("order_is_moment" if clock else "order_is_day"))
        if not rules.needs_amount:
            notes.append(Note("no_amount"))
        for opened in (file.typed.opened for file in self.files):
            kept = len(opened.unreadable)
            if opened.unreadable_rows > kept:
                values = {"file": opened.file.name, "found": str(opened.unreadable_rows), "kept": str(kept)}
                notes.append(Note("unreadable_kept", tuple(values.items())))
        return Quality(
            files=tuple(file.typed.opened.file for file in self.files),
            counts=tuple(counts),
            rows=sum(file.typed.opened.file.rows for file in self.files),
            amount=amount,
            notes=tuple(notes),
        )

    def _total(self, typed: Typed) -> Decimal:
        """The money in a file, without any rule: what the treatments must add up to."""
        fields = set(typed.columns)
        goods = f"CAST(CAST(price AS {DECIMAL}) * CAST(quantity AS {DECIMAL}) AS {DECIMAL})"
        if {"price", "quantity"} <= fields and "amount" in fields:
            value = f"coalesce(CAST(amount AS {DECIMAL}), {goods})"
        elif "amount" in fields:
            value = f"CAST(amount AS {DECIMAL})"
        elif {"price", "quantity"} <= fields:
            off = f"coalesce(abs(CAST(discount AS {DECIMAL})), 0)" if "discount" in fields else "0"
            value = f"{goods} - CASE WHEN quantity < 0 THEN -{off} ELSE {off} END"
        else:
            return Decimal()
        (total,) = self.desk.row(f"SELECT sum(CAST({value} AS {DECIMAL})) FROM ({typed.scan})")
        return total if total is not None else Decimal()

    def _source(self, file: Structured) -> Source:
        opened = file.typed.opened
        fields = {name: name for name in file.typed.columns}
        return Source(opened.file, opened.scan, file.typed.scan, fields, self.texts, opened.unreadable)
