"""What there is to be allowed, which roles are shipped, and who may give what to whom."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from types import MappingProxyType

from shuke.access.model import FIELDS, Fields, Permission, Reader, Role, Seen, Where, all_fields
from shuke.base.errors import BadInput

__all__ = [
    "COMMAND",
    "DIVIDED",
    "KNOWN",
    "OWN",
    "PERMISSIONS",
    "PLACES_MAX",
    "SHIPPED_ROLES",
    "beyond",
    "checked_places",
    "checked_role",
    "checked_scope",
    "narrowed",
]

#: What everybody who is signed in has: their own session and account.
OWN: Permission = "own"

#: What everybody has whom we know, a key, too: the work that they asked for. No role says it, and none is without.
KNOWN: Permission = "known"

#: Everything that a role can allow. A route names one of these, or is marked as public.
PERMISSIONS: tuple[Permission, ...] = (
    OWN,
    "audit.read",
    "catalog.read",
    "catalog.write",
    "connectors.read",
    "connectors.write",
    "customers.export",
    "customers.merge",
    "customers.read",
    "customers.reveal",
    "customers.write",
    "data.read",
    "data.write",
    "keys.write",
    "lifecycle.read",
    "lifecycle.refresh",
    "orders.read",
    "orders.write",
    "people.read",
    "people.write",
    "privacy.read",
    "privacy.write",
    "reports.read",
    "reports.write",
    "segments.read",
    "segments.write",
    "settings.read",
    "settings.write",
)

#: What a role that is for some customers only can allow: what touches nothing but customers, which the scope divides,
#: and the catalogue, which is everybody's.
DIVIDED = frozenset(
    {
        OWN,
        "catalog.read",
        "customers.export",
        "customers.read",
        "customers.reveal",
        "customers.write",
        "lifecycle.read",
        "orders.read",
        "privacy.read",
    }
)

#: Regions or stores of one person or key.
PLACES_MAX = 500
PLACE_CHARACTERS_MAX = 200

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# From the least to the most that is seen.
_ORDER = (Seen.HIDDEN, Seen.MASKED, Seen.CLEAR)


def _role(name: str, where: Where, fields: Fields, *permissions: Permission) -> Role:
    return Role(name, frozenset({OWN, *permissions}), where, MappingProxyType(dict(fields)), shipped=True)


def _reads(*rooms: str) -> tuple[Permission, ...]:
    return tuple(f"{room}.read" for room in rooms)


_BY_NAME = {**all_fields(Seen.MASKED), "name": Seen.CLEAR}

#: The roles that every brand begins with. Nobody can change them; who wants others makes others.
SHIPPED_ROLES: tuple[Role, ...] = (
    # Sees personal values in part like others: a look at the whole is a reveal, which leaves a trace.
    _role("owner", Where.ALL, all_fields(Seen.MASKED), *PERMISSIONS),
    _role(
        "operations_manager",
        Where.ALL,
        all_fields(Seen.MASKED),
        *_reads(
            "catalog",
            "connectors",
            "customers",
            "data",
            "lifecycle",
            "orders",
            "people",
            "privacy",
            "reports",
            "segments",
            "settings",
        ),
        *("catalog.write", "connectors.write", "customers.export", "customers.merge", "customers.reveal"),
        *("customers.write", "data.write", "lifecycle.refresh", "orders.write", "reports.write"),
        *("segments.write", "settings.write"),
    ),
    _role(
        "analyst",
        Where.ALL,
        all_fields(Seen.HIDDEN),
        *_reads("catalog", "customers", "data", "lifecycle", "orders", "reports", "segments"),
        *("reports.write", "segments.write"),
    ),
    _role(
        "service_agent",
        Where.ALL,
        _BY_NAME,
        *_reads("catalog", "customers", "lifecycle", "orders", "privacy"),
        *("customers.reveal", "customers.write"),
    ),
    _role(
        "store_associate",
        Where.STORE,
        {**_BY_NAME, "other": Seen.HIDDEN},
        *_reads("catalog", "customers", "lifecycle", "orders"),
        *("customers.reveal", "customers.write"),
    ),
    _role(
        "data_protection_officer",
        Where.ALL,
        all_fields(Seen.CLEAR),
        *_reads("audit", "customers", "data", "orders", "people", "privacy", "settings"),
        *("customers.export", "customers.reveal", "privacy.write"),
    ),
    _role(
        "auditor",
        Where.ALL,
        all_fields(Seen.HIDDEN),
        *_reads("audit", "people", "settings"),
    ),
)


#: Who sits at the command line of the server has the keys and the database, and so everything.
COMMAND = Reader(
    "command", None, "command line", "owner", frozenset(PERMISSIONS), Where.ALL, (), all_fields(Seen.CLEAR)
)


def checked_role(role: Role) -> Role:
    """The role itself, with what everybody has.

    Raises:
        BadInput: ``access.bad_role_name``; ``access.unknown_permissions``, which it names; ``access.not_for_some``
            where the scope does not divide what is allowed; ``access.bad_fields`` when not every group of personal
            values is said.
    """
    if not _NAME.fullmatch(role.name):
        raise BadInput("access.bad_role_name", name=role.name[:40])
    if unknown := sorted(role.permissions - set(PERMISSIONS)):
        raise BadInput("access.unknown_permissions", permissions=[one[:40] for one in unknown])
    checked_scope(role.permissions, role.where)
    if set(role.fields) != set(FIELDS):
        raise BadInput("access.bad_fields", fields=list(FIELDS))
    return Role(role.name, role.permissions | {OWN}, role.where, dict(role.fields))


def checked_scope(permissions: Collection[Permission], where: Where) -> None:
    """Refuse a scope for permissions that know none: BadInput ``access.not_for_some``."""
    if where is not Where.ALL and (whole := sorted(set(permissions) - DIVIDED)):
        raise BadInput("access.not_for_some", permissions=whole)


def checked_places(where: Where, places: Sequence[str]) -> tuple[str, ...]:
    """The places, each once; BadInput ``access.bad_places`` where the scope wants some and there are none."""
    kept = tuple(sorted(set(places)))
    wanted = where in (Where.REGION, Where.STORE)
    if bool(kept) != wanted or len(kept) > PLACES_MAX or any(not 0 < len(one) <= PLACE_CHARACTERS_MAX for one in kept):
        raise BadInput("access.bad_places", where=where.value, limit=PLACES_MAX)
    return kept


def beyond(
    reader: Reader, permissions: Iterable[Permission], where: Where, places: Collection[str] | None, fields: Fields
) -> tuple[str, ...]:
    """What of this a reader does not have, and so may not give: permissions, ``where``, ``places``, groups of fields.

    Who may reveal a value may also let others see it. ``places`` is None for a role, which has none of its own: whoever
    it is given to gets those, and is looked at then.
    """
    # Everybody who signs in has their own account; a key, which has none, may give it all the same.
    excess = sorted(set(permissions) - reader.permissions - {OWN})
    if reader.where is not Where.ALL:
        if where is not reader.where:
            excess.append("where")
        elif places is not None and not set(places) <= set(reader.places):
            excess.append("places")
    if "customers.reveal" not in reader.permissions:
        excess += [one for one in FIELDS if _ORDER.index(fields[one]) > _ORDER.index(reader.fields[one])]
    return tuple(excess)


def narrowed(role: Role, permissions: Collection[Permission] | None) -> frozenset[Permission]:
    """The role's permissions, or those of them that are asked for.

    Raises:
        BadInput: ``access.unknown_permissions`` for what the role does not have.
    """
    if permissions is None:
        return role.permissions
    if unknown := sorted(set(permissions) - role.permissions):
        raise BadInput("access.unknown_permissions", permissions=[one[:40] for one in unknown])
    return frozenset(permissions) | {OWN}
