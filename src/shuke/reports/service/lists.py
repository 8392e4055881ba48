"""The lists of customers that findings and strategies name, cut from the facts and readable by a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from shuke import insight
from shuke.reports import measures
from shuke.reports.model import CustomerList, Kind
from shuke.reports.rules.said import Term
from shuke.reports.service.gather.desk import Desk
from shuke.reports.service.gather.prediction import model_sees_leaving, pair_table
from shuke.reports.service.words import Words

__all__ = ["customer_lists"]

COLUMNS: tuple[tuple[str, Kind], ...] = (
    ("customer_id", Kind.TEXT),
    ("why", Kind.TEXT),
    ("stage", Kind.TEXT),
    ("rfm_group", Kind.TEXT),
    ("first_order_at", Kind.DATE),
    ("last_order_at", Kind.DATE),
    ("recency_days", Kind.INTEGER),
    ("orders", Kind.INTEGER),
    ("historic_clv", Kind.MONEY),
    ("amount_365", Kind.MONEY),
    ("average_order_value", Kind.MONEY),
    ("refunds", Kind.MONEY),
    ("predicted_clv", Kind.MONEY),
    ("churn_probability", Kind.PERCENT),
    ("expected_date_of_next_order", Kind.DATE),
)
PREDICTED = {"predicted_clv", "churn_probability", "expected_date_of_next_order"}
BATCH_ROWS = 10_000
ORDERED_BY = {"due_soon": "expected_date_of_next_order", "return_prone": "refunds"}


def customer_lists(
    desk: Desk, codes: Iterable[str], pair: tuple[str, str] | None, words: Words, *, folder: Path
) -> tuple[CustomerList, ...]:
    """The lists with these codes, the customers with the most at stake first.

    They are run once, into Parquet files in ``folder``, and read from there as often as they are written.
    """
    model = desk.facts.model
    hidden = PREDICTED if model is None else () if model_sees_leaving(model.name) else ("churn_probability",)
    columns = [(key, kind) for key, kind in COLUMNS if key not in hidden]
    found = []
    for code in dict.fromkeys(codes):
        table = (
            pair_table(desk, pair)
            if code == "pair_missing" and pair
            else measures.list_of(desk.customers, code, desk.limits)
        )
        if table is None:
            continue
        path = folder / f"{code}.parquet"
        rows = desk.engine.write_parquet(_readable(table, code, [key for key, _ in columns], desk.stages, words), path)
        found.append(
            CustomerList(
                code=code,
                title=words(f"list.{code}"),
                columns=tuple(words.column(key, kind) for key, kind in columns),
                total_rows=rows,
                batches=_batches(path),
            )
        )
    return tuple(found)


def _readable(table: ir.Table, code: str, keys: list[str], stages: insight.StageRules, words: Words) -> ir.Table:
    """Codes by their names, moments as days, in a useful order."""
    key = ORDERED_BY.get(code, "amount_365" if code != "lost_valuable" else "historic_clv")
    order = [ibis.asc(key) if key == "expected_date_of_next_order" else ibis.desc(key), ibis.asc("customer_id")]
    named = table.mutate(
        customer_id=table.customer_id.cast("string"),
        why=ibis.literal(words(f"list.why.{code}", loyal=Term("stage.loyal"))),
        stage=table.stage.cases(*((one, words.term("stage", one)) for one in stages.codes), else_=table.stage),
        rfm_group=table.rfm_group.cases(
            *((one, words.term("rfm", one)) for one in insight.RFM_GROUPS), else_=table.rfm_group
        ),
        first_order_at=table.first_order_at.date(),
        last_order_at=table.last_order_at.date(),
        expected_date_of_next_order=table.expected_date_of_next_order.cast("date"),
    )
    return named.order_by(*order).select(*keys)


def _batches(path: Path) -> Callable[[], Iterable[pa.RecordBatch]]:
    def read() -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(BATCH_ROWS)

    return read
