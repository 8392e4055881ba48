"""``/api/segments``: what segments there are, whom they mean, why, and what they can speak of."""

from __future__ import annotations

from starlette.routing import BaseRoute

from shuke.platform import AnyTask, Metrics, Workplace
from shuke.segments.http.compared import comparing_routes
from shuke.segments.http.lists import list_routes
from shuke.segments.http.segments import segment_routes
from shuke.segments.http.words import word_routes

__all__ = ["routes"]


def routes(
    workplace: Workplace, metrics: Metrics, *, building: AnyTask, defined: AnyTask, finding: AnyTask
) -> list[BaseRoute]:
    """The routes of the room; the tasks are those of :func:`segment_routes`."""
    plain = [route for make in (word_routes, list_routes, comparing_routes) for route in make(workplace, metrics)]
    return [*plain, *segment_routes(workplace, metrics, building=building, defined=defined, finding=finding)]
