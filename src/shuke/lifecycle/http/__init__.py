"""The room over HTTP: customers, and all of them in figures."""

from shuke.lifecycle.http.customers import routes as customer_routes
from shuke.lifecycle.http.figures import routes as figure_routes

__all__ = ["customer_routes", "figure_routes"]
