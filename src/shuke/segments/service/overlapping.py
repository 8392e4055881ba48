"""Whom segments share: worked out of columns, in which each segment's members are kept beside everybody.

They are those of its present definition, as of the columns, whoever asks first; so that all figures are of one moment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

import ibis
import ibis.expr.types as ir
import pyarrow.parquet as pq

from shuke.base.errors import BadInput, ShukeError
from shuke.platform import DuckDBEngine, Engine, Transaction, Workplace, duckdb_of
from shuke.segments.measures import members as members_of
from shuke.segments.model.segment import Overlap, Segment, Shared
from shuke.segments.model.tree import Node
from shuke.segments.rules.checking import checked, written_tree
from shuke.segments.service.asking import Asking
from shuke.segments.service.columns import MEMORY_BYTES_MAX, Columns, Turns, columns_now, latest_columns
from shuke.segments.service.definitions import get_segment

__all__ = ["OVERLAP_MAX", "kept_members", "meant", "overlap", "sharing"]

#: Segments of one comparison; of a preview, how many are shown, and how many are worked out where nobody has before.
OVERLAP_MAX = 12
SHARED_MAX = 10
NEW_MAX = 20

_turns = Turns(2)


def meant(engine: Engine, columns: Columns, asked: Asking, tree: Node) -> ir.Table:
    """Whom a checked tree means (``customer_id``, a number of the columns), by the clock of ``asked``."""
    return members_of(asked.whole(tree), columns.subjects(engine), asked.clock, asked.kinds)


def kept_members(engine: DuckDBEngine, columns: Columns, asked: Asking, tree: Node) -> Path:
    """The file with whom a checked tree means: ``customer_id``, ``of`` (the name of the file); made where it is not.

    ``asked`` is as of the columns.
    """
    file = _file(columns, asked, tree)
    if not file.exists():
        found = meant(engine, columns, asked, tree)
        engine.write_parquet(found.select("customer_id", of=ibis.literal(file.stem)), file)
    return file


def _file(columns: Columns, asked: Asking, tree: Node) -> Path:
    # By what it says with the segments in it that it names: where one of those is changed, it is another.
    said = json.dumps(written_tree(asked.whole(tree)), sort_keys=True)
    return columns.folder / "members" / f"{hashlib.sha256(said.encode()).hexdigest()}.parquet"


def sharing(
    engine: DuckDBEngine, columns: Columns, asked: Asking, found: ir.Table, there: Sequence[Segment]
) -> tuple[tuple[Shared, ...], int]:
    """The segments that share most with these customers, and how many segments were looked at.

    Args:
        engine: where ``found`` is kept.
        columns: of whom.
        asked: as of the columns.
        found: ``customer_id``.
        there: the segments. Of those that nobody has asked these columns for yet, the first :data:`NEW_MAX` are.
    """
    files: dict[str, Segment] = {}
    alike: dict[str, list[Segment]] = {}
    new = 0
    for one in there:
        try:
            checked(one.definition, asked.vocabulary)
            file = _file(columns, asked, one.definition)
            if not file.exists():
                if new == NEW_MAX:
                    continue
                new += 1
                kept_members(engine, columns, asked, one.definition)
        except ShukeError:
            # It cannot be built, as its own page says.
            continue
        files[file.stem] = one
        alike.setdefault(file.stem, []).append(one)
    compared = sum(map(len, alike.values()))
    if not files:
        return (), 0
    paths = {stem: columns.folder / "members" / f"{stem}.parquet" for stem in files}
    kept = engine.read_parquet(list(paths.values()))
    both = kept.semi_join(found, "customer_id").group_by("of").aggregate(both=ibis._.count())
    counted = {one["of"]: one["both"] for one in both.to_pyarrow().to_pylist()}
    of_these = int(found.count().to_pyarrow().as_py())
    sizes = {stem: pq.read_metadata(paths[stem]).num_rows for stem in counted}

    def likeness(stem: str) -> float:
        return float(counted[stem] / (of_these + sizes[stem] - counted[stem]))

    most = sorted(counted, key=likeness, reverse=True)[:SHARED_MAX]
    shared = [
        Shared(segment_id=one.segment_id, name=one.name, customers=sizes[stem], both=counted[stem])
        for stem in most
        for one in alike[stem]
    ]
    return tuple(shared[:SHARED_MAX]), compared


def overlap(workplace: Workplace, tx: Transaction, asked: Asking, segment_ids: Sequence[UUID]) -> Overlap:
    """How many customers each two of these segments share, as of the newest columns.

    Raises:
        NotFound: ``segments.no_segment``.
        BadInput: ``segments.bad_overlap`` for other than 2 to :data:`OVERLAP_MAX` segments, and what is wrong with the
            definition of one by now.
        CannotSay: ``platform.no_table`` without a lake.
        NotAvailable: ``segments.busy``.
    """
    wanted = list(dict.fromkeys(segment_ids))
    if not 2 <= len(wanted) <= OVERLAP_MAX:
        raise BadInput("segments.bad_overlap", limit=OVERLAP_MAX)
    there = [get_segment(tx, one) for one in wanted]
    columns = latest_columns(workplace) or columns_now(workplace)
    asked = asked.as_of(columns.at)
    with _turns.taken(), duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
        files = [kept_members(engine, columns, asked, checked(one.definition, asked.vocabulary)) for one in there]
        kept = engine.read_parquet(list(dict.fromkeys(files)))
        left, right = kept.rename(one="of"), kept.rename(other="of")
        pairs = left.join(right, "customer_id").group_by("one", "other").aggregate(both=ibis._.count())
        both: Mapping[tuple[str, str], int] = {
            (row["one"], row["other"]): row["both"] for row in pairs.to_pyarrow().to_pylist()
        }
    table = tuple(tuple(both.get((one.stem, other.stem), 0) for other in files) for one in files)
    return Overlap(as_of=columns.at, segments=tuple(there), both=table)
