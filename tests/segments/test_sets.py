"""Sets of customers: put together of statements they are whom the tree means; asked once; no more than some kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shuke.insight import CUSTOMER_STAGES
from shuke.platform import Settings, Workplace, duckdb_of
from shuke.segments.model.clock import Clock
from shuke.segments.model.tree import Group, Node, Tagged
from shuke.segments.rules.checking import Vocabulary
from shuke.segments.service import sets as module
from shuke.segments.service.asking import Asking
from shuke.segments.service.columns import IDS, WORTH, Columns, with_own
from shuke.segments.service.previewing import _most
from shuke.segments.service.sets import Bits, Sets, count
from shuke.segments.service.subjects import COLUMNS

from .engines import arrow_of
from .evaluator import meant
from .histories import KINDS, PROPERTIES, History, history_of
from .trees import trees_of

#: Properties that stand in columns of their own; others are looked for in the document.
OWN = (*PROPERTIES[:2], "product_id", "from")


@pytest.fixture(autouse=True)
def _nothing_lately() -> Iterator[None]:
    module.lately.clear()
    yield
    module.lately.clear()
    module._engines.close()


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """Without a database, which no set needs."""
    settings = Settings(data_folder=tmp_path / "data", work_folder=tmp_path / "work")
    return Workplace(settings, cast(Any, None), cast(Any, None))


def laid_down(history: History, folder: Path) -> tuple[Columns, list[str]]:
    """Columns of a history, and the ids of its customers in the order of their numbers."""
    ids = sorted(row["customer_id"] for row in history.everybody)
    number = {one: place for place, one in enumerate(ids)}
    for name in COLUMNS:
        table = arrow_of(history, "everybody" if name == "people" else name)
        of = [number.get(one) for one in table["customer_id"].to_pylist()]
        table = table.set_column(table.column_names.index("customer_id"), "customer_id", pa.array(of, pa.int32()))
        # In no order, as the engine writes them.
        pq.write_table(table.filter(table["customer_id"].is_valid())[::-1], folder / f"{name}.parquet")
    np.save(folder / WORTH, np.arange(len(ids), dtype=np.int64))
    np.save(folder / IDS, np.frombuffer(b"".join(UUID(one).bytes for one in ids), np.uint8).reshape(-1, 16))
    with duckdb_of(Settings(data_folder=folder, work_folder=folder / "work")) as engine:
        facts = with_own(engine.read_parquet(folder / "facts.parquet"), OWN)
        engine.write_parquet(facts, folder / "facts.parquet")
    return Columns(folder, history.now, 0, None, OWN), ids


def asking_of(history: History) -> Asking:
    return Asking(Vocabulary(attributes=KINDS), Clock(history.now, history.zone), "CNY", CUSTOMER_STAGES)


@pytest.fixture
def history() -> History:
    return with_everybody(history_of(1))


def with_everybody(history: History) -> History:
    """Of whom trees are asked here: of all that there are."""
    return replace(history, people=history.everybody)


def named(bits: Bits, ids: list[str]) -> set[str]:
    return {one for one, holds in zip(ids, np.unpackbits(bits, count=len(ids)), strict=True) if holds}


def differing(folder: Path, workplace: Workplace, seeds: range, many: int) -> Iterator[Node]:
    """Random trees of which the sets are not whom the plain evaluator finds."""
    for seed in seeds:
        history = with_everybody(history_of(seed))
        (folder / str(seed)).mkdir()
        columns, ids = laid_down(history, folder / str(seed))
        with Sets(workplace, columns, asking_of(history)) as sets:
            for tree in trees_of(seed, history, many):
                of_it = sets.meant(tree)
                if named(of_it, ids) != meant(tree, history) or count(of_it) != len(meant(tree, history)):
                    yield tree


def test_sets_are_whom_the_whole_tree_means(tmp_path: Path, place: Workplace) -> None:
    assert list(differing(tmp_path, place, range(8), 15)) == []


@pytest.mark.parametrize("fault", ["name", "none", "others", "own"])
def test_a_wrong_set_would_be_noticed(
    tmp_path: Path, place: Workplace, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "name":
        # What one statement was asked for is taken for another of its kind.
        monkeypatch.setattr(Sets, "_name", lambda _, node: type(node).__name__)
    elif fault == "others":
        # Of those who are not in a table nothing holds.
        asked = module.parted
        monkeypatch.setattr(
            module, "parted", lambda *given: (one.filter(one.customer_id.notnull()) for one in asked(*given))
        )
    elif fault == "own":
        # A property is looked for in the column of another one.
        monkeypatch.setattr(Columns, "own", property(lambda _: OWN[::-1], lambda *_: None))
    else:
        # Bits behind the last customer are not minded.
        put_together = Sets._put_together

        def careless(sets: Sets, node: Node, held: dict[str, Bits]) -> Bits:
            if isinstance(node, Group) and node.node == "none":
                return ~put_together(sets, Group(node="any", of=node.of), held)
            return put_together(sets, node, held)

        monkeypatch.setattr(Sets, "_put_together", careless)
    assert next(differing(tmp_path, place, range(8), 15), None) is not None


def test_what_was_asked_is_not_asked_again(
    history: History, tmp_path: Path, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns, ids = laid_down(history, tmp_path)
    vip, slow = Tagged(tag="vip"), Tagged(tag="slow")
    with Sets(place, columns, asking_of(history)) as sets:
        sets.of_segment(vip)
        sets.meant(slow)
    monkeypatch.setattr(module, "parted", None)
    both, either = Group(node="all", of=(vip, slow)), Group(node="any", of=(vip, slow))
    with Sets(place, columns, asking_of(history)) as sets:
        for tree in (both, either):
            assert named(sets.meant(tree), ids) == meant(tree, history)
        assert sets.has(vip)
        assert not sets.has(slow)
    # Of a segment not even by another process.
    module.lately.clear()
    with Sets(place, columns, asking_of(history)) as sets:
        assert named(sets.of_segment(vip), ids) == meant(vip, history)
    # In another zone it may be another day.
    elsewhere = replace(asking_of(history), clock=Clock(history.now, "Pacific/Apia"))
    with pytest.raises(TypeError), Sets(place, columns, elsewhere) as sets:
        sets.of_segment(vip)


def test_no_more_is_kept_than_the_limit() -> None:
    lately = module._Lately(bytes_max=100)
    keys = [(Path("columns"), str(number)) for number in range(3)]
    for key in keys[:2]:
        lately.put(key, np.zeros(50, np.uint8))
    # Whoever is asked for again stays.
    assert lately.get(keys[0]) is not None
    lately.put(keys[2], np.zeros(50, np.uint8))
    assert [lately.get(key) is not None for key in keys] == [True, False, True]
    lately.put(keys[1], np.zeros(101, np.uint8))
    assert [lately.get(key) for key in keys] == [None, None, None]


@pytest.mark.parametrize("worth", [[], [5], [1, 3, 3, 2, 3], [0] * 30, list(range(30)), [7, 7, *range(7), 7, 9]])
def test_those_who_are_worth_most_come_first(worth: list[int]) -> None:
    found = _most(np.array(worth, dtype=np.int64), 3).tolist()
    assert found == sorted(range(len(worth)), key=lambda place: -worth[place])[:3]


def test_an_engine_is_asked_again_of_the_same_columns_only(
    history: History, tmp_path: Path, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    open_one = module.duckdb_of

    def counted(*given: Any, **named: Any) -> Any:
        opened.append(open_one(*given, **named))
        return opened[-1]

    monkeypatch.setattr(module, "duckdb_of", counted)
    folders = [tmp_path / name for name in ("older", "newer")]
    for folder in folders:
        folder.mkdir()
    older, newer = (laid_down(history, folder)[0] for folder in folders)
    for columns, tag, engines in ((older, "vip", 1), (older, "slow", 1), (newer, "vip", 2), (newer, "slow", 2)):
        with Sets(place, columns, asking_of(history)) as sets:
            sets.meant(Tagged(tag=tag))
        assert len(opened) == engines
        assert [one.folder.exists() for one in opened] == [one is opened[-1] for one in opened]
    # One that has failed is not asked again.
    monkeypatch.setattr(module, "parted", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), Sets(place, newer, asking_of(history)) as sets:
        sets.meant(Tagged(tag="other"))
    assert not opened[-1].folder.exists()


def test_a_turn_is_only_taken_where_something_has_to_be_asked(
    history: History, tmp_path: Path, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns, _ = laid_down(history, tmp_path)
    taken: list[Any] = []
    with Sets(place, columns, asking_of(history)) as sets:
        sets.meant(Tagged(tag="vip"))
    monkeypatch.setattr(module.turns, "taken", lambda: taken.append(1))
    with Sets(place, columns, asking_of(history)) as sets:
        sets.meant(Group(node="none", of=(Tagged(tag="vip"),)))
    assert taken == []
