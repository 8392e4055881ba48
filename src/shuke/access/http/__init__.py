"""The guard in front of every route, and the room's own routes."""

from shuke.access.http.audit import audit_routes
from shuke.access.http.keys import key_routes
from shuke.access.http.roles import role_routes

__all__ = ["audit_routes", "key_routes", "role_routes"]
