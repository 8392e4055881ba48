"""Lists of customers that somebody gave, to be named in definitions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, api, refusal
from shuke.segments.model.segment import GivenList
from shuke.segments.service.asking import asking
from shuke.segments.service.definitions import NAME_MAX
from shuke.segments.service.lists import LISTED_MAX, add_list, delete_list, list_lists

__all__ = ["list_routes"]

_Reading = Annotated[access.Visit, access.needs("segments.read")]
_Writing = Annotated[access.Visit, access.needs("segments.write")]
_Text = Annotated[str, Field(max_length=500)]
_TAKEN = refusal(409, "It contradicts the state")


class GivenListBody(BaseModel):
    """A name, and the customers: each by their id, or by a phone number, an e-mail address or a member number."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
    customers: Annotated[list[_Text], Field(min_length=1, max_length=LISTED_MAX)]


class ListsAnswer(BaseModel):
    """Every list, by name."""

    items: tuple[GivenList, ...]


class NewListAnswer(BaseModel):
    """How many customers are on the new list; `unknown` is what names nobody: told here alone, and kept nowhere."""

    list_id: UUID
    name: str
    customers: int
    unknown: tuple[str, ...]


def list_routes(workplace: Workplace, _: Metrics) -> list[BaseRoute]:
    """The routes of lists."""
    router = api("segments")

    @router.get("/segments/lists")
    def get_lists(visit: _Reading) -> ListsAnswer:
        with visit.read() as tx:
            return ListsAnswer(items=list_lists(tx))

    @router.post("/segments/lists", responses=_TAKEN)
    def post_list(visit: _Writing, body: GivenListBody) -> NewListAnswer:
        with visit.begin() as tx:
            made, unknown = add_list(
                tx, visit.keyring, body.name, body.customers, made_by=visit.reader.name, now=datetime.now(UTC)
            )
            visit.note("segment.list_make", list_id=made.list_id, after=_said(made))
        if unknown:
            visit.tells_secret()
        return NewListAnswer(list_id=made.list_id, name=made.name, customers=made.customers, unknown=unknown)

    @router.delete("/segments/lists/{list_id:uuid}", responses=ABSENT | _TAKEN, status_code=204)
    def remove_list(visit: _Writing, list_id: UUID) -> None:
        with visit.begin() as tx:
            gone = delete_list(tx, asking(tx, workplace), list_id)
            visit.note("segment.list_delete", before=_said(gone))

    return list(router.routes)


def _said(given: GivenList) -> dict[str, object]:
    return {"name": given.name, "customers": given.customers}
