"""A tree asked of DuckDB, PostgreSQL, Spark and the plain evaluator, and where they do not say the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Protocol

import duckdb
import ibis
import psycopg
import pyarrow as pa

from shuke.segments.measures import Subjects, members
from shuke.segments.measures.subjects import INSIDE
from shuke.segments.model.clock import Clock
from shuke.segments.model.tree import Group, Node
from shuke.segments.service.following import NOW_US, day_of, now_us

from .evaluator import meant
from .histories import KINDS, SCHEMAS, History

Finds = Callable[[Node, History], set[str]]

_ARROW = {"int64": pa.int64(), "float64": pa.float64(), "date": pa.date32()}
_ON_POSTGRES = {"int64": "bigint", "float64": "double precision", "date": "date", "uuid": "uuid", "string": "text"}


class Asked(Protocol):
    """An engine with a history in it."""

    def load(self, history: History) -> None:
        """Replace what is in the tables."""

    def members(self, tree: Node, history: History) -> set[str]:
        """Whom a tree means, by the measures."""


def _sql(tree: Node, history: History, *, inside: str, dialect: str, ids: str, followed: bool = False) -> str:
    clock = Clock(history.now, history.zone)
    subjects = subjects_of(inside, ids)
    if followed:
        # Only the day is known when the statement is made.
        clock = day_of(clock)
        subjects = replace(subjects, now_us=now_us())
    return str(ibis.to_sql(members(tree, subjects, clock, KINDS), dialect=dialect))


def subjects_of(inside: str, ids: str) -> Subjects:
    """The tables as the engines below have them."""
    tables = {
        name: ibis.table(
            {column: ids if kind == "uuid" else kind for column, kind in schema.items()}, name=f"seg_{name}"
        )
        for name, schema in SCHEMAS.items()
    }
    return Subjects(**tables, inside=INSIDE[inside])


def arrow_of(history: History, table: str) -> pa.Table:
    """A table as Arrow, ids and JSON as texts."""
    schema = pa.schema([(column, _ARROW.get(kind, pa.string())) for column, kind in SCHEMAS[table].items()])
    return pa.Table.from_pylist(list(history.rows(table)), schema=schema)


class OnDuckDB:
    """In memory; ids as texts, as the lake has them."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})

    def load(self, history: History) -> None:
        for name in SCHEMAS:
            self.connection.register("arrived", arrow_of(history, name))
            self.connection.execute(f"CREATE OR REPLACE TABLE seg_{name} AS FROM arrived")

    def members(self, tree: Node, history: History) -> set[str]:
        sql = _sql(tree, history, inside="duckdb", dialect="duckdb", ids="string")
        return _each_once(self.connection.execute(sql).fetchall())


class OnPostgres:
    """In temporary tables of one transaction, as members are followed; ids are uuid and JSON is jsonb."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        connection.execute("SET LOCAL jit = off")
        for name, schema in SCHEMAS.items():
            columns = ", ".join(
                f"{column} " + ("jsonb" if column in ("attributes", "properties") else _ON_POSTGRES[kind])
                for column, kind in schema.items()
            )
            connection.execute(f"CREATE TEMP TABLE seg_{name} ({columns})")  # type: ignore[arg-type] # our own words

    def load(self, history: History) -> None:
        for name, schema in SCHEMAS.items():
            self.connection.execute(f"TRUNCATE seg_{name}")  # type: ignore[arg-type] # our own words
            columns = ", ".join(schema)
            with self.connection.cursor().copy(f"COPY seg_{name} ({columns}) FROM STDIN") as copy:  # type: ignore[arg-type] # likewise
                for row in history.rows(name):
                    copy.write_row([row[column] for column in schema])

    def members(self, tree: Node, history: History) -> set[str]:
        sql = _sql(tree, history, inside="postgres", dialect="postgres", ids="uuid", followed=True)
        now = str(Clock(history.now, "UTC").now_us)
        self.connection.execute("SELECT set_config(%s, %s, true)", (NOW_US, now))
        return _each_once(self.connection.execute(sql).fetchall())  # type: ignore[arg-type] # Ibis wrote it


class OnSpark:
    """In views of a session."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def load(self, history: History) -> None:
        for name in SCHEMAS:
            self.session.createDataFrame(arrow_of(history, name)).cache().createOrReplaceTempView(f"seg_{name}")

    def members(self, tree: Node, history: History) -> set[str]:
        sql = _sql(tree, history, inside="spark", dialect="pyspark", ids="string")
        return _each_once([tuple(row) for row in self.session.sql(sql).collect()])


def _each_once(rows: list[tuple[Any, ...]]) -> set[str]:
    found = [str(row[0]) for row in rows]
    assert len(found) == len(set(found)), "a customer is there twice"
    return set(found)


def difference(tree: Node, history: History, engines: Mapping[str, Asked]) -> str | None:
    """What differs, for a reader; None where all say the same. The history has to be in the engines."""
    wanted = meant(tree, history)
    found: dict[str, set[str] | Exception] = {}
    for name, engine in engines.items():
        try:
            found[name] = engine.members(tree, history)
        except Exception as reason:
            found[name] = reason
    if all(each == wanted for each in found.values()):
        return None
    told = [f"asked at {history.now.isoformat()} in {history.zone}:", written(tree)]
    for name, each in found.items():
        if isinstance(each, Exception):
            told.append(f"{name}: {type(each).__name__}: {each}")
        elif each != wanted:
            told.append(f"{name}: too many {sorted(each - wanted)}, too few {sorted(wanted - each)}")
    return "\n".join(told)


def written(tree: Node) -> str:
    """A tree as a document, without what says nothing."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items() if one not in (None, ())}
        return [plain(one) for one in value] if isinstance(value, tuple) else value

    return json.dumps(plain(asdict(tree)), ensure_ascii=False, indent=1, default=str)


def checked(trees: list[Node], history: History, engines: Mapping[str, Asked]) -> None:
    """Fails with the smallest tree and history that were found, where an engine says another thing."""
    for engine in engines.values():
        engine.load(history)
    for tree in trees:
        if difference(tree, history, engines) is not None:
            tree, history = reduced(tree, history, engines)  # noqa: PLW2901 - told in place of the large ones
            told = difference(tree, history, engines)
            raise AssertionError(f"{told}\n\nof\n{rows_of(history)}")


def rows_of(history: History) -> str:
    """A history as a reader needs it: what is known of each row."""
    rows = [
        f"{name}: { {column: value for column, value in row.items() if value is not None and column != 'mix'} }"
        for name in SCHEMAS
        for row in history.rows(name)
        if name != "everybody" or row not in history.people
    ]
    return "\n".join(rows)


def reduced(tree: Node, history: History, engines: Mapping[str, Asked]) -> tuple[Node, History]:
    """A smaller tree and history about which engines still differ; the history is in the engines then."""

    def differs(tree: Node, history: History) -> bool:
        for engine in engines.values():
            engine.load(history)
        return difference(tree, history, engines) is not None

    smaller = True
    while smaller:
        smaller = False
        for fewer in _smaller(tree):
            if differs(fewer, history):
                tree, smaller = fewer, True
                break
    for person in history.everybody:
        fewer_people = history.only(lambda _, row, out=person["customer_id"]: row["customer_id"] != out)  # type: ignore[misc] # bound now
        if differs(tree, fewer_people):
            history = fewer_people
    for name in SCHEMAS:
        for row in history.rows(name) if name not in ("people", "everybody") else ():
            without = replace(history, **{name: tuple(one for one in history.rows(name) if one is not row)})
            if differs(tree, without):
                history = without
    assert differs(tree, history)
    return tree, history


def _smaller(tree: Node) -> list[Node]:
    if not isinstance(tree, Group):
        return []
    fewer = [replace(tree, of=(*tree.of[:place], *tree.of[place + 1 :])) for place in range(len(tree.of))]
    deeper = [
        replace(tree, of=(*tree.of[:place], inner, *tree.of[place + 1 :]))
        for place, one in enumerate(tree.of)
        for inner in _smaller(one)
    ]
    return [*tree.of, *fewer, *deeper]
