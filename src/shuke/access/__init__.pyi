from .http.doorway import link_to, sure
from .http.guard import (
    CHANGED,
    NOBODY,
    SECURITY_SCHEMES,
    Visit,
    admitted,
    declare_permissions,
    needs,
    public,
    session_cookie,
)
from .model import CLEAR, FIELDS, MASKED, Deed, Fields, Key, Reader, Role, Seen, SignedIn, Where, all_fields
from .people_model import NewUser
from .rules.permissions import COMMAND, PERMISSIONS, SHIPPED_ROLES
from .service.audit import record, verify
from .service.keys import DAYS_DEFAULT, DAYS_MAX, NewKey, make_key, reader_of_key
from .service.links import reset_link_of_owner, setup_link
from .service.passwords import hashed
from .service.returning import reader_by_now, see_as
from .service.roles import get_role, may_give_role, reader_for
from .service.second_factors import rewrap_secrets
from .service.users import make_first_owner

__all__ = [
    "CHANGED",
    "CLEAR",
    "COMMAND",
    "DAYS_DEFAULT",
    "DAYS_MAX",
    "FIELDS",
    "MASKED",
    "NOBODY",
    "PERMISSIONS",
    "SECURITY_SCHEMES",
    "SHIPPED_ROLES",
    "Deed",
    "Fields",
    "Key",
    "NewKey",
    "NewUser",
    "Reader",
    "Role",
    "Seen",
    "SignedIn",
    "Visit",
    "Where",
    "admitted",
    "all_fields",
    "declare_permissions",
    "get_role",
    "hashed",
    "link_to",
    "make_first_owner",
    "make_key",
    "may_give_role",
    "needs",
    "public",
    "reader_by_now",
    "reader_for",
    "reader_of_key",
    "record",
    "reset_link_of_owner",
    "rewrap_secrets",
    "see_as",
    "session_cookie",
    "setup_link",
    "sure",
    "verify",
]
