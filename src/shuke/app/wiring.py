"""The one table of what is connected to what: the routes of the web server, the tasks and schedules of the worker.

Rooms never meet sideways; what one wants of another is written down here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from procrastinate import App, Blueprint, PsycopgConnector
from starlette.routing import BaseRoute

from shuke.access.http import (
    audit_routes,
    factor_routes,
    key_routes,
    oidc_routes,
    role_routes,
    session_routes,
    user_routes,
)
from shuke.access.jobs import tasks as access_tasks
from shuke.app.jobs import job_routes
from shuke.catalog.http import routes as catalog_routes
from shuke.collect.http import collector_routes, import_routes, reading_routes, source_routes, stating_routes
from shuke.collect.jobs import import_files, preview_file
from shuke.collect.jobs import tasks as collect_tasks
from shuke.collect.jobs import wake as wake_collect
from shuke.connectors import told_of
from shuke.connectors.http import routes as webhook_routes
from shuke.connectors.jobs import tasks as connector_tasks
from shuke.lifecycle.http import export_routes, figure_routes
from shuke.lifecycle.http import routes as lifecycle_routes
from shuke.lifecycle.jobs import export_with, refresh_now
from shuke.lifecycle.jobs import tasks as lifecycle_tasks
from shuke.platform import Metrics, Workplace
from shuke.platform.tidying import tasks as platform_tasks
from shuke.profiles.http import routes as profiles_routes
from shuke.profiles.jobs import blueprint as profiles_tasks
from shuke.reports.http import routes as report_routes
from shuke.reports.jobs import make_report
from shuke.reports.jobs import tasks as report_tasks
from shuke.segments import in_segment
from shuke.segments.http import routes as segment_routes
from shuke.segments.jobs import build_defined, build_now, find_clusters
from shuke.segments.jobs import tasks as segment_tasks

__all__ = ["EXPORT_LIST", "JOBS", "OPEN_PATHS", "ROUTES", "TASKS", "wake_collect"]

# Customers are listed and exported by the segment that they are in, of which lists know nothing.
EXPORT_LIST = export_with(in_segment)

# Each makes the routes of a room; the first that fits a request answers it.
ROUTES: tuple[Callable[[Workplace, Metrics], list[BaseRoute]], ...] = (
    partial(collector_routes, wake=wake_collect),
    session_routes,
    factor_routes,
    oidc_routes,
    user_routes,
    role_routes,
    key_routes,
    audit_routes,
    catalog_routes,
    profiles_routes,
    reading_routes,
    stating_routes,
    source_routes,
    partial(import_routes, preview=preview_file, importing=import_files),
    partial(export_routes, exporting=EXPORT_LIST),
    partial(lifecycle_routes, members=in_segment),
    partial(figure_routes, refreshing=refresh_now),
    partial(segment_routes, building=build_now, defined=build_defined, finding=find_clusters, others=told_of),
    webhook_routes,
    partial(report_routes, making=make_report),
    job_routes,
)

# What answers under any name of this host: the collector, which asks for a write key, and what says that the server is
# well, which is asked by address.
OPEN_PATHS = ("/v1/", "/livez", "/readyz")

# Of these only what failed is written into the log: the collector takes thousands of requests a second, and counts
# them.
UNWRITTEN_PATHS = ("/v1/",)

# Each room's tasks, under the room's name.
TASKS: dict[str, Blueprint] = {
    "access": access_tasks,
    "collect": collect_tasks,
    "connectors": connector_tasks,
    "lifecycle": lifecycle_tasks,
    "platform": platform_tasks,
    "profiles": profiles_tasks,
    "reports": report_tasks,
    "segments": segment_tasks,
}

# All of them, on no database yet. Made here, since a task gets its room's name by it, and whoever queues a job (the web
# server, too) has to call it by the name that the worker knows.
JOBS = App(connector=PsycopgConnector())
for _room, _tasks in TASKS.items():
    JOBS.add_tasks_from(_tasks, namespace=_room)
