"""The one table of what is connected to what: the routes of the web server, the tasks and schedules of the worker.

Rooms never meet sideways; what one wants of another is written down here.
"""

from __future__ import annotations

from collections.abc import Callable

from procrastinate import Blueprint
from starlette.routing import BaseRoute

from shuke.catalog.http import routes as catalog_routes
from shuke.platform import Metrics, Workplace

# Each makes the routes of a room; the first that fits a request answers it.
ROUTES: tuple[Callable[[Workplace, Metrics], list[BaseRoute]], ...] = (catalog_routes,)

# Each room's tasks, under the room's name.
TASKS: dict[str, Blueprint] = {}
