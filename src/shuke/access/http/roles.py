"""``/api/roles`` and ``/api/permissions``: what there is to be allowed, and the roles that allow it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke.access.http import doorway
from shuke.access.http.guard import CHANGED, Visit, needs
from shuke.access.model import FIELDS, Role, Seen, Where
from shuke.access.rules.permissions import PERMISSIONS
from shuke.access.service import roles
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, api, refusal

__all__ = ["FieldsBody", "RoleBody", "role_routes"]

Reading = Annotated[Visit, needs("people.read")]
Writing = Annotated[Visit, needs("people.write")]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class FieldsBody(BaseModel):
    """How personal values are shown, by group; `other` are all that are no name, phone number or e-mail address."""

    model_config = ConfigDict(extra="forbid")

    name: Seen
    phone: Seen
    email: Seen
    other: Seen


class _Changeable(BaseModel):
    """What of a role can change."""

    model_config = ConfigDict(extra="forbid")

    permissions: Annotated[
        list[Annotated[str, Field(max_length=40)]],
        Field(max_length=100, description="of those that GET /api/permissions lists"),
    ]
    where: Where = Where.ALL
    fields: FieldsBody


class NewRoleBody(_Changeable):
    """A role to make."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class ChangedRoleBody(_Changeable):
    """A role as it is to be."""


class RoleBody(BaseModel):
    """A role: what it allows, for whose customers, and how it shows personal values."""

    name: str
    permissions: list[str]
    where: Where
    fields: FieldsBody
    shipped: bool


class RolesBody(BaseModel):
    """All roles: the shipped ones, then the brand's own."""

    items: list[RoleBody]


class PermissionsBody(BaseModel):
    """Everything that a role can allow, and the groups of personal values."""

    permissions: list[str]
    fields: list[str]


_TAKEN = refusal(409, "It contradicts the state")
_REFUSED = _TAKEN | ABSENT


def role_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of roles."""
    router = api("access")

    @router.get("/permissions")
    def get_permissions(_: Reading) -> PermissionsBody:
        return PermissionsBody(permissions=list(PERMISSIONS), fields=list(FIELDS))

    @router.get("/roles")
    def get_roles(visit: Reading) -> RolesBody:
        with visit.read() as tx:
            return RolesBody(items=[_body(role) for role in roles.list_roles(tx)])

    @router.get("/roles/{name}", responses=ABSENT)
    def get_role(visit: Reading, name: Name) -> RoleBody:
        with visit.read() as tx:
            return visit.tagged(_body(roles.get_role(tx, name)))

    @router.post("/roles", responses=_TAKEN)
    def post_role(visit: Writing, body: NewRoleBody) -> RoleBody:
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            made = roles.make_role(tx, visit.reader, _given(body.name, body), datetime.now(UTC))
            visit.note(role=made.name, after=_plain(made))
        return _body(made)

    @router.put("/roles/{name}", responses=_REFUSED | CHANGED)
    def put_role(visit: Writing, name: Name, body: ChangedRoleBody) -> RoleBody:
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            visit.meant(tx, lambda: _body(roles.get_role(tx, name)))
            old, new = roles.change_role(tx, visit.reader, _given(name, body), datetime.now(UTC))
            visit.note(before=_plain(old), after=_plain(new))
        return visit.tagged(_body(new))

    @router.delete("/roles/{name}", responses=_REFUSED | CHANGED, status_code=204)
    def delete_role(visit: Writing, name: Name) -> None:
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            visit.meant(tx, lambda: _body(roles.get_role(tx, name)))
            visit.note(before=_plain(roles.delete_role(tx, visit.reader, name)))

    return list(router.routes)


def _given(name: str, body: _Changeable) -> Role:
    fields = {group: Seen(getattr(body.fields, group)) for group in FIELDS}
    return Role(name, frozenset(body.permissions), body.where, fields)


def _body(role: Role) -> RoleBody:
    return RoleBody(**_plain(role), shipped=role.shipped)


def _plain(role: Role) -> dict[str, Any]:
    """A role as JSON has it."""
    said = asdict(role) | {"permissions": sorted(role.permissions), "fields": dict(role.fields)}
    return {name: said[name] for name in ("name", "permissions", "where", "fields")}
