"""``/api/keys``: API keys, each shown once, when it is made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke.access.http import doorway
from shuke.access.http.guard import Visit, needs
from shuke.access.http.roles import FieldsBody
from shuke.access.model import Key, Where
from shuke.access.rules.permissions import PLACE_CHARACTERS_MAX, PLACES_MAX
from shuke.access.service import keys
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, api

__all__ = ["KeyBody", "key_body", "key_routes"]

Writing = Annotated[Visit, needs("keys.write")]


class NewKeyBody(BaseModel):
    """A key to make: with what a role allows, or some of it. Nobody can give more than they have."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    role: Annotated[str, Field(max_length=40, description="the maker's own when absent")] | None = None
    permissions: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=100)] | None = None
    where: Where | None = None
    places: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=PLACE_CHARACTERS_MAX)]],
        Field(max_length=PLACES_MAX, description="regions or stores, as `where` says"),
    ] = []
    days: Annotated[int, Field(ge=1, le=keys.DAYS_MAX, strict=True)] = keys.DAYS_DEFAULT


class KeyBody(BaseModel):
    """A key. `last_used_at` is to the hour."""

    key_id: UUID
    name: str
    role: str
    permissions: list[str]
    where: Where
    places: list[str]
    fields: FieldsBody
    made_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class MadeKeyBody(KeyBody):
    """A key that was just made, with its secret, which nobody is told again."""

    secret: str


class KeyPage(BaseModel):
    """Some keys; `next` is what to ask `after` for more."""

    items: list[KeyBody]
    next: UUID | None


def key_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of API keys."""
    router = api("access")

    @router.get("/keys")
    def get_keys(
        visit: Writing,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=keys.PAGE_MAX)] = 100,
    ) -> KeyPage:
        with visit.read() as tx:
            found = keys.list_keys(tx, after=after, limit=limit + 1)
        shown = found[:limit]
        return KeyPage(items=[key_body(key) for key in shown], next=shown[-1].key_id if len(found) > limit else None)

    @router.post("/keys", responses=ABSENT)
    def post_key(visit: Writing, body: NewKeyBody) -> MadeKeyBody:
        wanted = keys.NewKey(**{**body.model_dump(), "role": body.role or visit.reader.role})
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            key, secret = keys.make_key(tx, visit.reader, wanted, datetime.now(UTC))
            visit.note(key_id=key.key_id, after=key_body(key).model_dump(mode="json"))
            visit.tells_secret()
        return MadeKeyBody(**vars(key_body(key)), secret=secret)

    @router.delete("/keys/{key_id}", responses=ABSENT, status_code=204)
    def delete_key(visit: Writing, key_id: UUID) -> None:
        with visit.begin() as tx:
            visit.note(before={"name": keys.revoke_key(tx, key_id, datetime.now(UTC)).name})

    return list(router.routes)


def key_body(key: Key) -> KeyBody:
    """A key as JSON has it."""
    said = vars(key) | {"permissions": list(key.permissions), "places": list(key.places)}
    return KeyBody(**said | {"fields": FieldsBody(**key.fields)})
