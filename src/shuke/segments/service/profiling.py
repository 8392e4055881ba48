"""What sets the customers of a segment apart, from the newest columns: all as of the moment of those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import ibis
import ibis.expr.types as ir

from shuke.platform import Workplace, duckdb_of
from shuke.segments.measures import Subjects, members, sides_of, traits
from shuke.segments.model.kinds import Kind
from shuke.segments.model.profile import Comparison, Profile, Side, Trait
from shuke.segments.model.segment import Segment
from shuke.segments.rules.checking import checked
from shuke.segments.service.asking import Asking, asking
from shuke.segments.service.columns import MEMORY_BYTES_MAX, Columns, columns_now, latest_columns
from shuke.segments.service.definitions import get_segment
from shuke.segments.service.sets import turns

__all__ = ["compare", "profile", "traits_of"]


@dataclass(frozen=True)
class _Sides:
    """Two sides as a table of :func:`~shuke.segments.measures.sides_of`, and how many are where."""

    columns: Columns
    asked: Asking
    subjects: Subjects
    table: ir.Table
    counted: dict[str, int]

    def items(self) -> tuple[Trait, ...]:
        return traits_of(traits(self.subjects, self.table, self.asked.clock, self.asked.kinds), self.asked.kinds)


def profile(workplace: Workplace, segment_id: UUID, against: UUID | None) -> Profile:
    """What sets the customers of a segment apart from those of another, or from everybody who is not in it.

    Whom the segments mean is worked out anew, so that who and what are of one moment.

    Raises:
        NotFound: ``segments.no_segment``.
        BadInput: what is wrong with a definition by now.
        NotAvailable: ``segments.busy`` when too many others are worked out at the same time.
    """
    with _sides(workplace, [segment_id] if against is None else [segment_id, against]) as (_, sides):
        counted = sides.counted
        return Profile(as_of=sides.columns.at, customers=counted["one"], against=counted["other"], items=sides.items())


def compare(workplace: Workplace, one: UUID, other: UUID) -> Comparison:
    """Two segments beside each other; errors as for :func:`profile`."""
    with _sides(workplace, [one, other]) as (segments, sides):
        counted = sides.counted
        first, second = (
            Side(
                segment_id=segment.segment_id,
                name=segment.name,
                customers=counted[side],
                value_minor=counted[f"value_{side}"],
            )
            for segment, side in zip(segments, ("one", "other"), strict=True)
        )
        return Comparison(
            as_of=sides.columns.at,
            one=first,
            other=second,
            both=counted["both"],
            only_one=counted["one"] - counted["both"],
            only_other=counted["other"] - counted["both"],
            items=sides.items(),
        )


def traits_of(found: ir.Table, kinds: Mapping[str, Kind]) -> tuple[Trait, ...]:
    """The rows that :func:`~shuke.segments.measures.traits` comes to."""
    return tuple(_trait(row, kinds) for row in found.to_pyarrow().to_pylist())


@contextmanager
def _sides(workplace: Workplace, ids: list[UUID]) -> Iterator[tuple[list[Segment], _Sides]]:
    with workplace.database.read() as tx:
        segments = [get_segment(tx, one) for one in ids]
    with turns.taken():
        columns = latest_columns(workplace) or columns_now(workplace)
        with workplace.database.read() as tx:
            asked = asking(tx, workplace, columns.at)
        trees = [asked.whole(checked(one.definition, asked.vocabulary)) for one in segments]
        with duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
            subjects = columns.subjects(engine)
            meant = [members(tree, subjects, asked.clock, asked.kinds) for tree in trees]
            one = engine.keep(meant[0], "meant")
            table = engine.keep(sides_of(subjects, one, meant[1] if len(meant) > 1 else None), "sides")
            yield segments, _Sides(columns, asked, subjects, table, _counted(subjects, table))


def _counted(subjects: Subjects, table: ir.Table) -> dict[str, int]:
    people = subjects.people
    value = ibis.coalesce(people.total_clv_minor, people.historic_clv_minor, 0)
    rows = people.select("customer_id", value=value).join(table, "customer_id")
    found = rows.aggregate(
        one=rows.one.sum(),
        other=rows.other.sum(),
        both=(rows.one & rows.other).sum(),
        value_one=rows["value"].sum(where=rows.one),
        value_other=rows["value"].sum(where=rows.other),
    )
    return {name: int(number or 0) for name, number in found.to_pyarrow().to_pylist()[0].items()}


def _trait(row: dict[str, Any], kinds: Mapping[str, Kind]) -> Trait:
    truth = row["what"] == "attribute" and kinds[row["name"]] is Kind.TRUTH and row["value"] is not None
    return Trait(**(row | {"value": row["value"] == "true"} if truth else row))
