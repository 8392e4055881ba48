"""Segments beside each other and over time: whom they share, how large they were, and what names them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from starlette.routing import BaseRoute

from shuke import access
from shuke.platform import Metrics, Transaction, Workplace
from shuke.platform.http import ABSENT, api
from shuke.segments.model.segment import Size, Using
from shuke.segments.service.asking import asking
from shuke.segments.service.overlapping import OVERLAP_MAX, overlap
from shuke.segments.service.reading import DAYS_MAX, sizes_of, uses_of

__all__ = ["comparing_routes"]

_Reading = Annotated[access.Visit, access.needs("segments.read")]
_Segments = Annotated[list[UUID], Query(min_length=2, max_length=OVERLAP_MAX, description="a segment, again for each")]
_Days = Annotated[int, Query(ge=1, le=DAYS_MAX)]


class SizesAnswer(BaseModel):
    """How many were in a segment at the end of each day of the brand's, the latest last; of today, up to now."""

    items: tuple[Size, ...]


class OverlappingAnswer(BaseModel):
    """A segment, and how many are in it as of the same moment."""

    segment_id: UUID
    name: str
    customers: int


class OverlapAnswer(BaseModel):
    """How many customers each two of the segments share, exactly as of `as_of`; `both` is in their order, each way."""

    as_of: datetime
    segments: list[OverlappingAnswer]
    both: tuple[tuple[int, ...], ...]


class UsesAnswer(BaseModel):
    """What names a segment."""

    items: tuple[Using, ...]


def comparing_routes(
    workplace: Workplace, _: Metrics, *, others: Callable[[Transaction, UUID], tuple[Using, ...]]
) -> list[BaseRoute]:
    """The routes of comparisons; ``others`` is what in rooms above names one segment."""
    router = api("segments")

    @router.get("/segments/overlap", responses=ABSENT)
    def get_overlap(visit: _Reading, of: _Segments) -> OverlapAnswer:
        with visit.read() as tx:
            found = overlap(workplace, tx, asking(tx, workplace), of)
        return OverlapAnswer(
            as_of=found.as_of,
            segments=[
                OverlappingAnswer(segment_id=one.segment_id, name=one.name, customers=found.both[place][place])
                for place, one in enumerate(found.segments)
            ],
            both=found.both,
        )

    @router.get("/segments/{segment_id:uuid}/sizes", responses=ABSENT)
    def get_sizes(visit: _Reading, segment_id: UUID, days: _Days = 90) -> SizesAnswer:
        with visit.read() as tx:
            return SizesAnswer(items=sizes_of(tx, segment_id, days=days, clock=asking(tx, workplace).clock))

    @router.get("/segments/{segment_id:uuid}/uses", responses=ABSENT)
    def get_uses(visit: _Reading, segment_id: UUID) -> UsesAnswer:
        with visit.read() as tx:
            return UsesAnswer(items=(*uses_of(tx, segment_id), *others(tx, segment_id)))

    return list(router.routes)
