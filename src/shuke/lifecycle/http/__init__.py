"""The room over HTTP: customers, and all of them in figures."""

from __future__ import annotations

from starlette.routing import BaseRoute

from shuke.lifecycle.http.customers import customer_routes
from shuke.lifecycle.http.exports import export_routes
from shuke.lifecycle.http.figures import figure_routes
from shuke.lifecycle.http.stages import stage_routes
from shuke.lifecycle.http.tagging import tagging_routes
from shuke.lifecycle.http.views import view_routes
from shuke.platform import Metrics, Workplace

__all__ = ["export_routes", "figure_routes", "routes"]


def routes(workplace: Workplace, metrics: Metrics) -> list[BaseRoute]:
    """All but those of figures; what stands first is asked first."""
    made = (tagging_routes, view_routes, stage_routes, customer_routes)
    return [route for make in made for route in make(workplace, metrics)]
