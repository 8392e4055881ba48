"""Whom trees mean of everybody in columns, as sets: a bit for each customer, in the order of their numbers.

A tree is put together of its statements, each of which is asked once of the same columns. So whoever changes one
statement of a draft waits for that one alone, and what all the others share with it is a matter of comparing bits.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property, reduce
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from shuke.platform import DuckDBEngine, Workplace, duckdb_of
from shuke.segments.measures import Subjects, parted
from shuke.segments.model.tree import Group, Node
from shuke.segments.rules.checking import written_tree
from shuke.segments.service.asking import Asking
from shuke.segments.service.columns import IDS, MEMORY_BYTES_MAX, WORTH, Columns, Turns

__all__ = ["Bits", "Sets", "count", "lately", "turns"]

#: A set: eight customers a byte, whose last one has no more bits set than there are customers.
Bits: TypeAlias = npt.NDArray[np.uint8]

#: What is kept of statements that were asked lately.
BYTES_MAX = 64_000_000
#: For arrays with a place for each customer, in which statements are worked out, beside what engines have otherwise.
ARRAYS_BYTES_MAX = 300_000_000
#: What a statement keeps of a customer meanwhile, at most: two sums of whole numbers.
_STATEMENT_BYTES = 64
#: Who asks columns at once in a process: previews, comparisons and profiles.
AT_ONCE_MAX = 2

turns = Turns(AT_ONCE_MAX)


class _Lately:
    """The sets that were asked for last, no more than so many bytes of them."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max, self._bytes = bytes_max, 0
        self._sets: OrderedDict[tuple[Path, str], Bits] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[Path, str]) -> Bits | None:
        """A set by the folder of its columns and its name; None where it is not kept."""
        with self._lock:
            if key in self._sets:
                self._sets.move_to_end(key)
            return self._sets.get(key)

    def put(self, key: tuple[Path, str], bits: Bits) -> None:
        """Keep a set, in place of those that nobody has asked for longest."""
        with self._lock:
            if key not in self._sets:
                self._sets[key] = bits
                self._bytes += bits.nbytes
            while self._bytes > self._bytes_max:
                self._bytes -= self._sets.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._sets.clear()
            self._bytes = 0


lately = _Lately(BYTES_MAX)


class _Engines:
    """Engines that stay open for who asks the same columns next, since to open one takes as long as to ask it."""

    def __init__(self) -> None:
        self._free: list[tuple[Path, DuckDBEngine, Subjects]] = []
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, workplace: Workplace, columns: Columns) -> Iterator[tuple[DuckDBEngine, Subjects]]:
        """These columns in an engine of one's own; NotAvailable ``segments.busy`` where no turn comes."""
        with turns.taken():
            engine, subjects = self._found(columns.folder) or _opened(workplace, columns)
            try:
                with engine.guarded():
                    yield engine, subjects
            except BaseException:
                engine.close()
                raise
            with self._lock:
                self._free.append((columns.folder, engine, subjects))

    def close(self) -> None:
        """Close those that nobody uses."""
        with self._lock:
            while self._free:
                self._free.pop()[1].close()

    def _found(self, folder: Path) -> tuple[DuckDBEngine, Subjects] | None:
        with self._lock:
            for place, (of, engine, subjects) in enumerate(self._free):
                if of == folder:
                    del self._free[place]
                    return engine, subjects
        # Whoever asks other columns asks newer ones.
        self.close()
        return None


def _opened(workplace: Workplace, columns: Columns) -> tuple[DuckDBEngine, Subjects]:
    engine = duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX)
    try:
        return engine, columns.subjects(engine)
    except BaseException:
        engine.close()
        raise


_engines = _Engines()
atexit.register(_engines.close)


def count(bits: Bits) -> int:
    """How many customers are in a set."""
    return int(np.bitwise_count(bits).sum(dtype=np.int64))


class Sets:
    """Sets of the customers in these columns; a context manager.

    Where the engine is needed it waits for a turn: NotAvailable ``segments.busy``.
    """

    def __init__(self, workplace: Workplace, columns: Columns, asked: Asking) -> None:
        self.columns, self.asked = columns, asked.as_of(columns.at)
        self._workplace, self._open = workplace, ExitStack()
        # What a tree means depends on these as well.
        kinds = sorted((name, kind.value) for name, kind in asked.kinds.items())
        self._by = repr((columns.at, asked.clock.time_zone, kinds))

    def __enter__(self) -> Self:
        """The sets themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the engine, where it was needed."""
        self._open.__exit__(kind, error, trace)

    @cached_property
    def worth(self) -> npt.NDArray[np.int64]:
        """What each customer is worth (so far and expected), in minor units; 0 where nothing is known."""
        found: npt.NDArray[np.int64] = np.load(self.columns.folder / WORTH, mmap_mode="r")
        return found

    def meant(self, tree: Node) -> Bits:
        """Whom a checked tree means."""
        whole = self.asked.whole(tree)
        return self._put_together(whole, self._asked({self._name(one): one for one in _statements(whole)}))

    def of_segment(self, tree: Node) -> Bits:
        """The same of a segment, which is kept in a file beside the columns for whoever asks next."""
        file = self._file(tree)
        if file.exists():
            return np.fromfile(file, dtype=np.uint8)
        found = self.meant(tree)
        file.parent.mkdir(exist_ok=True)
        partial = file.with_suffix(f".{threading.get_ident()}.partial")
        found.tofile(partial)
        partial.replace(file)
        return found

    def has(self, tree: Node) -> bool:
        """Whether somebody has asked :meth:`of_segment` of these columns."""
        return self._file(tree).exists()

    def name(self, tree: Node) -> str:
        """The same for all trees that say the same, with the segments in them that they name."""
        return self._name(self.asked.whole(tree))

    def numbers(self, bits: Bits) -> npt.NDArray[np.intp]:
        """The numbers of the customers in a set, ascending."""
        return np.flatnonzero(np.unpackbits(bits, count=len(self.worth)))

    def ids(self, numbers: Iterable[int]) -> tuple[UUID, ...]:
        """Who these numbers are."""
        ids = np.load(self.columns.folder / IDS, mmap_mode="r")
        return tuple(UUID(bytes=ids[number].tobytes()) for number in numbers)

    @cached_property
    def _own_engine(self) -> tuple[DuckDBEngine, Subjects]:
        return self._open.enter_context(_engines.taken(self._workplace, self.columns))

    def _name(self, whole: Node) -> str:
        said = json.dumps(written_tree(whole), sort_keys=True)
        return hashlib.sha256(f"{self._by}{said}".encode()).hexdigest()

    def _file(self, tree: Node) -> Path:
        return self.columns.folder / "members" / f"{self.name(tree)}.bits"

    def _asked(self, statements: dict[str, Node]) -> dict[str, Bits]:
        """Whom each statement means; those that nobody has asked lately are asked all together."""
        before = {name: lately.get((self.columns.folder, name)) for name in statements}
        held = {name: bits for name, bits in before.items() if bits is not None}
        missing = [name for name in statements if name not in held]
        if not missing:
            return held
        nodes = [statements[name] for name in missing]
        engine, subjects = self._own_engine
        for asked in parted(nodes, subjects, self.asked.clock, self.asked.kinds):
            engine.group_in_arrays(bytes_max=ARRAYS_BYTES_MAX, bytes_each=_STATEMENT_BYTES * len(asked.columns[1:]))
            found = asked.to_pyarrow()
            others = found.filter(pc.is_null(found["customer_id"]))
            rows = found.filter(pc.is_valid(found["customer_id"]))
            numbers = rows["customer_id"].to_numpy()
            for column in asked.columns[1:]:
                holds = np.full(len(self.worth), any(others[column].to_pylist()), dtype=bool)
                holds[numbers] = rows[column].to_numpy()
                name = missing[int(column.removeprefix("holds_"))]
                held[name] = np.packbits(holds)
                lately.put((self.columns.folder, name), held[name])
        return held

    def _put_together(self, node: Node, held: dict[str, Bits]) -> Bits:
        if not isinstance(node, Group):
            return held[self._name(node)]
        of = [self._put_together(one, held) for one in node.of]
        everybody = np.packbits(np.ones(len(self.worth), dtype=bool))
        if node.node == "all":
            return reduce(np.bitwise_and, of, everybody)
        found = reduce(np.bitwise_or, of, np.zeros_like(everybody))
        return found if node.node == "any" else everybody & ~found


def _statements(node: Node) -> list[Node]:
    return [inner for one in node.of for inner in _statements(one)] if isinstance(node, Group) else [node]
