"""Nobody's answer changes by time alone who was not expected to change."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import ibis
import pytest
from hypothesis import HealthCheck, given, settings

from shuke.segments.measures import Subjects
from shuke.segments.measures.subjects import INSIDE
from shuke.segments.model import tree as trees
from shuke.segments.model.clock import Clock
from shuke.segments.model.tree import Did, Facts, Figure, FigureName, Group, Node, Op

from .engines import OnDuckDB, written
from .evaluator import meant
from .histories import KINDS, SCHEMAS, History, histories, history_of, us_of
from .test_values import NOON, TEA, history_with, spent, together
from .trees import seeds, trees_of

# The module, whose parts are replaced by wrong ones; the door has its function under the same name.
dues = importlib.import_module("shuke.segments.measures.dues")
STEPS = (timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=31), timedelta(hours=9), timedelta(days=2))


@pytest.fixture(scope="module")
def duckdb() -> OnDuckDB:
    return OnDuckDB()


def waiting(tree: Node, history: History, step: timedelta) -> Any:
    """The expression of who is due, of tables as they are in the engine."""
    tables = {
        name: ibis.table(
            {column: "string" if kind == "uuid" else kind for column, kind in schema.items()}, name=f"seg_{name}"
        )
        for name, schema in SCHEMAS.items()
    }
    clock = Clock(history.now, history.zone)
    return dues.dues(tree, Subjects(**tables, inside=INSIDE["duckdb"]), clock, history.now + step, KINDS)


def expected(engine: OnDuckDB, tree: Node, history: History, step: timedelta) -> dict[str, int]:
    """Who is due, and when."""
    found = waiting(tree, history, step)
    rows = [] if found is None else engine.connection.execute(str(ibis.to_sql(found, dialect="duckdb"))).fetchall()
    assert len(rows) == len(dict(rows)), "a customer is there twice"
    return dict(rows)


def leaves(tree: Node) -> list[Node]:
    return [leaf for one in tree.of for leaf in leaves(one)] if isinstance(tree, Group) else [tree]


def unexpected(engine: OnDuckDB, tree: Node, history: History, step: timedelta) -> set[str]:
    """Whose answer changed in this time, though nobody expected it, or only later."""
    later = replace(history, now=history.now + step)
    changed = meant(tree, history) ^ meant(tree, later)
    due = expected(engine, tree, history, step)
    return {one for one in changed if due.get(one, us_of(later.now) + 1) > us_of(later.now)}


@settings(max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(history=histories(), seed=seeds())
def test_whoever_changes_by_time_was_expected_to(duckdb: OnDuckDB, history: History, seed: int) -> None:
    duckdb.load(history)
    dice = Random(seed)  # noqa: S311 - to be made again
    whole = trees_of(seed, history, 8)
    for node in (*whole, *(leaf for tree in whole for leaf in leaves(tree)[:2])):
        step = dice.choice(STEPS)
        missed = unexpected(duckdb, node, history, step)
        assert not missed, f"{missed} after {step} of\n{written(node)}\nat {history.now} in {history.zone}"


def test_most_wait_for_nothing(duckdb: OnDuckDB) -> None:
    # Else asking everybody again and again would pass, too.
    due = customers = 0
    for number in range(5):
        history = history_of(number)
        duckdb.load(history)
        for tree in trees_of(number, history, 10):
            due += len(expected(duckdb, tree, history, timedelta(minutes=1)))
            customers += len(history.people)
    assert due < customers / 4


STATIC: tuple[Node, ...] = (
    Did(what=Facts(name="view")),
    Figure(name=FigureName.ORDERS, test=trees.Test(op=Op.AT_LEAST, values=(1.0,))),
    Group(node="none", of=(Did(what=Facts(name="pay"), window=trees.SinceStage()),)),
)


@pytest.mark.parametrize("tree", STATIC, ids=["ever", "a figure", "since a stage"])
def test_what_time_does_not_change_waits_for_nothing(tree: Node) -> None:
    assert waiting(tree, history_of(1), timedelta(days=9)) is None


@pytest.mark.parametrize("fault", [False, True])
def test_a_share_waits_for_the_rest_of_what_was_spent(
    duckdb: OnDuckDB, *, fault: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pot of 30 days ago is not of the last 30 days any more from midnight on; then all was spent on tea."""
    if fault:
        monkeypatch.setattr(dues, "measured_of", lambda node: node.what)
    rows = together(spent(1, "2024-03-10", ("tea", 30)), spent(2, "2024-02-14", ("pot", 50)))
    history = history_with({"one": rows}, "Asia/Shanghai", NOON)
    duckdb.load(history)
    month = trees.Last(span=trees.Span(n=30, unit=trees.Unit.DAYS))
    all_tea = trees.Test(op=Op.IS, values=(1.0,))
    what = trees.Orders(goods=TEA)
    node = trees.Measured(what=what, of="amount_minor", by="share", window=month, test=all_tea)
    assert bool(unexpected(duckdb, node, history, timedelta(hours=13))) is fault


Plant = Callable[[pytest.MonkeyPatch], None]
FAULTS: dict[str, Plant] = {
    "midnights do not come": lambda patch: patch.setattr(dues, "_midnights", lambda *_: ()),
    "hours are days": lambda patch: patch.setattr(dues, "is_exact", lambda _: False),
    "tags last": lambda patch: patch.setattr(dues, "Tagged", type(None)),
    "what did not follow is known at once": lambda patch: patch.setattr(dues, "exact_us", lambda _: 0),
    "days of values stay": lambda patch: patch.setattr(dues, "_BY_DAY", ()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whoever_is_forgotten_is_found(duckdb: OnDuckDB, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[fault](monkeypatch)
    for number in range(60):
        history = history_of(number)
        duckdb.load(history)
        # One by one, since what is wrong in one part of a tree seldom matters to the whole.
        for leaf in (leaf for tree in trees_of(number, history, 10) for leaf in leaves(tree)):
            if unexpected(duckdb, leaf, history, STEPS[number % len(STEPS)]):
                return
    pytest.fail("nobody was missed")
