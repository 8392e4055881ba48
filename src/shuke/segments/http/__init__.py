"""``/api/segments``: what segments there are, whom they mean, why, and what they can speak of."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from starlette.routing import BaseRoute

from shuke.platform import AnyTask, Metrics, Transaction, Workplace
from shuke.segments.http.compared import comparing_routes
from shuke.segments.http.lists import list_routes
from shuke.segments.http.segments import segment_routes
from shuke.segments.http.words import word_routes
from shuke.segments.model.segment import Using

__all__ = ["routes"]


def routes(
    workplace: Workplace,
    metrics: Metrics,
    *,
    building: AnyTask,
    defined: AnyTask,
    finding: AnyTask,
    others: Callable[[Transaction, UUID], tuple[Using, ...]],
) -> list[BaseRoute]:
    """The routes of the room; the tasks are those of :func:`segment_routes`, ``others`` what in rooms above names one
    segment.
    """
    plain = [route for make in (word_routes, list_routes) for route in make(workplace, metrics)]
    plain += comparing_routes(workplace, metrics, others=others)
    return [*plain, *segment_routes(workplace, metrics, building=building, defined=defined, finding=finding)]
