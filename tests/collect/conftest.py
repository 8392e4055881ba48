"""A reader of small files that the tests write themselves."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shuke import collect
from shuke.collect import tables
from shuke.platform import Database, Engine, Transaction, open_engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine("duckdb", work_folder=tmp_path / "engine", threads=1) as opened:
        yield opened


@pytest.fixture
def read(tmp_path: Path, engine: Engine) -> Callable[..., collect.Collected]:
    """Reads what is in a text, bytes or files; checks that every row and cent is accounted for."""

    def _read(*contents: str | bytes | Path, suffix: str = ".csv", **options: Any) -> collect.Collected:
        paths: list[str] = []
        for number, content in enumerate(contents):
            if isinstance(content, Path):
                paths.append(str(content))
                continue
            path = tmp_path / f"file{number}{suffix}"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(str(path))
        collected = collect.read_orders(paths, engine=engine, work_folder=tmp_path / "work", **options)
        assert collected.quality.reconciles
        return collected

    return _read


def rows_of(table: Any, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of an expression, sorted, of the columns named."""
    found = table.select(*columns).to_pyarrow().to_pylist()
    return sorted((tuple(row[column] for column in columns) for row in found), key=repr)


def counts_of(collected: collect.Collected) -> dict[str, tuple[int, Decimal]]:
    return {count.code: (count.rows, count.amount) for count in collected.quality.counts}


def fields_of(collected: collect.Collected) -> dict[str, str]:
    return {match.field: match.column for match in collected.recognised.matches}


def csv_of(header: Sequence[str], *rows: Sequence[str]) -> str:
    return "\n".join(",".join(cells) for cells in (header, *rows)) + "\n"


KEPT = (tables.orders, tables.order_lines, tables.refunds, tables.facts)


def everything(tx: Transaction) -> list[Any]:
    """All rows, and which transaction wrote each."""
    names = [*(table.name for table in KEPT), "products", "stores", "channels", "identities", "customers"]
    return [tx.execute(sa.text(f"SELECT *, xmin::text FROM {name} ORDER BY 1, 2")).all() for name in names]  # noqa: S608 - ours


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with database.read() as tx:
        return [tuple(row) for row in tx.execute(sa.text(sql))]


def check_no_half_order(database: Database) -> None:
    """Every order has lines that sum to it, and is a fact; and nothing else does, or is."""
    assert rows(
        database,
        """
        SELECT count(*) FROM orders o FULL JOIN (
            SELECT source_id, order_id, sum(amount_minor) AS amount_minor FROM order_lines GROUP BY 1, 2
        ) l USING (source_id, order_id)
        WHERE o.amount_minor IS DISTINCT FROM l.amount_minor
        """,
    ) == [(0,)]
    assert rows(
        database,
        """
        SELECT count(*) FROM orders o FULL JOIN (SELECT * FROM facts WHERE kind = 'order') f
        USING (source_id, order_id) WHERE o.order_id IS NULL OR f.order_id IS NULL
        """,
    ) == [(0,)]
