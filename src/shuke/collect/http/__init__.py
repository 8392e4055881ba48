"""Over HTTP: the collector at the root of the host, and below ``/api`` what reads what it took."""

from shuke.collect.http.collector import collector_routes
from shuke.collect.http.imports import import_routes
from shuke.collect.http.reading import reading_routes
from shuke.collect.http.sources import source_routes
from shuke.collect.http.stating import stating_routes

__all__ = ["collector_routes", "import_routes", "reading_routes", "source_routes", "stating_routes"]
