"""The room over HTTP: customers, and all of them in figures."""

from __future__ import annotations

from functools import partial

from starlette.routing import BaseRoute

from shuke.lifecycle.http.customers import customer_routes
from shuke.lifecycle.http.exports import export_routes
from shuke.lifecycle.http.figures import figure_routes
from shuke.lifecycle.http.stages import stage_routes
from shuke.lifecycle.http.tagging import tagging_routes
from shuke.lifecycle.http.views import view_routes
from shuke.lifecycle.service.listing import Members
from shuke.platform import Metrics, Workplace

__all__ = ["export_routes", "figure_routes", "routes"]


def routes(workplace: Workplace, metrics: Metrics, *, members: Members) -> list[BaseRoute]:
    """All but those of figures; what stands first is asked first. ``members`` says who is in a segment."""
    tagging, customers = partial(tagging_routes, members=members), partial(customer_routes, members=members)
    made = (tagging, view_routes, stage_routes, customers)
    return [route for make in made for route in make(workplace, metrics)]
