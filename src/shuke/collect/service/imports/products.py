"""Files of products into the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from shuke import catalog
from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.base.money import known_currency, to_minor
from shuke.base.progress import Progress, silent
from shuke.collect.model import FieldMatch
from shuke.collect.rules.headers import check_mapping, check_needed, recognise
from shuke.collect.service.imports.ledger import Counts, Imported, Step, fingerprint, run_steps
from shuke.collect.service.imports.rows import Left, Listed, open_list
from shuke.collect.service.origins import NO_SOURCE
from shuke.collect.service.sources import find_files
from shuke.collect.service.staging import read_numbers
from shuke.platform import Transaction, Workplace

__all__ = ["import_products"]

_NEED = ("product",)
# The catalogue's word for what a column of an order file holds.
_TEXTS = {"product_name": "name", "category": "category", "brand": "brand"}
_AMOUNTS = {"price": "price_minor", "unit_cost": "cost_minor", "cost": "cost_minor"}


def import_products(  # noqa: PLR0913 - what a person may say about it; all but the files by keyword
    workplace: Workplace,
    files: Sequence[str],
    *,
    work_folder: Path,
    now: Callable[[], datetime],
    mapping: Mapping[str, str] | None = None,
    currency: str | None = None,
    dry_run: bool = False,
    rejects_folder: Path | None = None,
    language: Language = Language.ENGLISH,
    progress: Progress = silent,
) -> Imported:
    """Bring files of products into the catalogue: what a file has columns for is stated, all else stays.

    Of several rows of one product in a file the last counts. Columns are recognised as in order files.

    Raises:
        BadInput: ``collect.missing_product``, ``collect.currency_needed`` for prices without one, and the codes of
            opening files.
    """
    given = dict(mapping or {})
    check_mapping(given)
    paths = find_files(files)
    left = Left()
    with ExitStack() as stack:
        steps: list[Step] = []
        for path in paths:
            listed = stack.enter_context(open_list(path, work_folder=work_folder, wanted=list(given.values())))
            steps += _steps(listed, given, currency and known_currency(currency), left, now)
        counts, resumed = run_steps(
            workplace.database,
            kind="products",
            source_id=NO_SOURCE,
            mark=fingerprint(paths, given, currency),
            steps=steps,
            now=now,
            dry_run=dry_run,
            progress=progress,
        )
    rejects = left.write(rejects_folder, "products", language)
    return Imported(counts=counts, resumed=resumed, rejected=dict(left.counts), rejects=rejects)


def _steps(
    listed: Listed, given: Mapping[str, str], currency: str | None, left: Left, now: Callable[[], datetime]
) -> list[Step]:
    file = listed.opened.file.name
    matches = {match.field: match for match in recognise(listed.columns, file=file, mapping=given, need=_NEED)}
    check_needed(list(matches), columns=listed.columns, file=file, need=_NEED)
    amounts = {field: match for field, match in matches.items() if field in _AMOUNTS}
    if amounts and currency is None and "currency" not in matches:
        raise BadInput("collect.currency_needed")
    chosen = {"product": listed.text(matches["product"].column)}
    for field in (*_TEXTS, "currency"):
        if field in matches:
            chosen[field] = listed.text(matches[field].column)
    for field, match in amounts.items():
        chosen[field] = _number(listed, match)
    rows = listed.keep(chosen, once_by="product")
    stated = {_TEXTS[field] for field in matches if field in _TEXTS} | {_AMOUNTS[field] for field in amounts}
    only = stated | ({"currency"} if amounts else set())
    batches = -(-rows // catalog.BATCH_MAX)
    return [partial(_save, listed, number, currency, only, left, now) for number in range(batches)]


def _number(listed: Listed, match: FieldMatch) -> str:
    return read_numbers(listed.desk, listed.opened, match)


def _save(
    listed: Listed,
    number: int,
    currency: str | None,
    only: set[str],
    left: Left,
    now: Callable[[], datetime],
    tx: Transaction,
) -> Counts:
    products = []
    for row in listed.batch(number, catalog.BATCH_MAX):
        try:
            products.append(_product(row, currency))
        except BadInput as error:
            left.note(listed.opened.file.name, row["row"], _reason(error), row["product"] or "")
    saved = catalog.save_products(tx, products, now=now(), only=only)
    return {
        "products.created": saved.created,
        "products.updated": saved.updated,
        "products.unchanged": saved.unchanged,
    }


def _product(row: Mapping[str, Any], currency: str | None) -> catalog.Product:
    """One row as a product; BadInput for what the catalogue would not take, so that it does not refuse all."""
    values: dict[str, Any] = {name: row[field] for field, name in _TEXTS.items() if row.get(field) is not None}
    amounts = {_AMOUNTS[field]: row[field] for field in _AMOUNTS if row.get(field) is not None}
    if amounts:
        code = known_currency(row.get("currency") or currency or "")
        values |= {name: to_minor(Decimal(str(amount)), code) for name, amount in amounts.items()}
        values["currency"] = code
    product = catalog.Product(product_id=row["product"] or "", **values)
    catalog.check_product(product)
    return product


def _reason(error: BadInput) -> str:
    return {"catalog.bad_id": "bad_product_number", "base.unknown_currency": "bad_currency"}.get(error.code, "bad_row")
