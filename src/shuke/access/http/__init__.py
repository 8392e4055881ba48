"""The guard in front of every route, and the room's own routes."""

from shuke.access.http.audit import audit_routes
from shuke.access.http.factors import factor_routes
from shuke.access.http.keys import key_routes
from shuke.access.http.oidc import oidc_routes
from shuke.access.http.roles import role_routes
from shuke.access.http.session import session_routes
from shuke.access.http.users import user_routes

__all__ = [
    "audit_routes",
    "factor_routes",
    "key_routes",
    "oidc_routes",
    "role_routes",
    "session_routes",
    "user_routes",
]
