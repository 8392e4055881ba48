"""``/api/views``: lists of customers that somebody wants to see again, their own or everybody's."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access
from shuke.lifecycle.http.customers import Conditions
from shuke.lifecycle.model import Column, Sort, View, ViewGiven
from shuke.lifecycle.service import views
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, Flag, api, refusal

__all__ = ["view_routes"]

_Reading = Annotated[access.Visit, access.needs("customers.read")]
_TAKEN = refusal(409, "It contradicts the state")


class ViewBody(BaseModel):
    """A list of customers: who is in it, in which columns and order. With `shared` it is everybody's.

    What is searched for is no part of it: it may be a phone number.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=views.NAME_CHARACTERS_MAX)]
    shared: Flag = False
    columns: Annotated[list[Column], Field(min_length=1, max_length=len(Column))]
    query: Conditions = Conditions()
    sort: Sort = Sort.VALUE
    descending: Flag = True


class ViewAnswer(ViewBody):
    """A view that is kept; `mine` says whether the reader made it."""

    view_id: UUID
    mine: bool
    created_at: datetime
    updated_at: datetime


class ViewsAnswer(BaseModel):
    """Everybody's views and one's own, by name; and the one that the reader begins with."""

    items: list[ViewAnswer]
    default: UUID | None


class DefaultBody(BaseModel):
    """The view to begin with; null is the list as it comes."""

    model_config = ConfigDict(extra="forbid")

    view_id: UUID | None


def view_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of views."""
    router = api("lifecycle")

    @router.get("/views")
    def get_views(visit: _Reading) -> ViewsAnswer:
        person = visit.reader.acts_for
        with visit.read() as tx:
            found = views.list_views(tx, person)
            default = views.default_view(tx, person)
        return ViewsAnswer(items=[_answer(one, person) for one in found], default=default)

    @router.post("/views", responses=_TAKEN)
    def post_view(visit: _Reading, body: ViewBody) -> ViewAnswer:
        with visit.begin() as tx:
            made = views.make_view(tx, _who(visit), _given(body), datetime.now(UTC))
            visit.note("view.make", view_id=made.view_id, after=_noted(made))
        return _answer(made, visit.reader.acts_for)

    @router.get("/views/{view_id}", responses=ABSENT)
    def get_view(visit: _Reading, view_id: UUID) -> ViewAnswer:
        with visit.read() as tx:
            found = views.get_view(tx, visit.reader.acts_for, view_id)
        visit.tagged(_said(found))
        return _answer(found, visit.reader.acts_for)

    @router.put("/views/{view_id}", responses=ABSENT | _TAKEN | access.CHANGED)
    def put_view(visit: _Reading, view_id: UUID, body: ViewBody) -> ViewAnswer:
        with visit.begin() as tx:
            visit.meant(tx, lambda: _said(views.get_view(tx, visit.reader.acts_for, view_id)))
            before, after = views.change_view(tx, _who(visit), view_id, _given(body), datetime.now(UTC))
            visit.note("view.change", before=_noted(before), after=_noted(after))
        visit.tagged(_said(after))
        return _answer(after, visit.reader.acts_for)

    @router.delete("/views/{view_id}", responses=ABSENT | access.CHANGED, status_code=204)
    def delete_view(visit: _Reading, view_id: UUID) -> None:
        with visit.begin() as tx:
            visit.meant(tx, lambda: _said(views.get_view(tx, visit.reader.acts_for, view_id)))
            gone = views.delete_view(tx, _who(visit), view_id, datetime.now(UTC))
            visit.note("view.delete", before=_noted(gone))

    @router.post("/views/{view_id}/restore", responses=ABSENT | _TAKEN)
    def restore_view(visit: _Reading, view_id: UUID) -> ViewAnswer:
        with visit.begin() as tx:
            found = views.restore_view(tx, _who(visit), view_id, datetime.now(UTC))
            visit.note("view.restore", after=_noted(found))
        return _answer(found, visit.reader.acts_for)

    # Not below /views/{…}: it is somebody's choice, and no view.
    @router.put("/default-view", responses=ABSENT, status_code=204)
    def put_default(visit: _Reading, body: DefaultBody) -> None:
        with visit.begin() as tx:
            views.choose_default(tx, _who(visit), body.view_id)
            visit.note("view.default", view_id=body.view_id)

    return list(router.routes)


def _who(visit: access.Visit) -> views.Who:
    return views.Who(visit.reader.acts_for, shares="settings.write" in visit.reader.permissions)


def _given(body: ViewBody) -> ViewGiven:
    return ViewGiven(
        name=body.name,
        shared=body.shared,
        columns=tuple(body.columns),
        query=body.query.model_dump(mode="json", exclude_defaults=True),
        sort=body.sort,
        descending=body.descending,
    )


def _answer(view: View, person: UUID | None) -> ViewAnswer:
    said = {name: value for name, value in vars(view).items() if name != "made_by"}
    return ViewAnswer(**said, mine=view.made_by is not None and view.made_by == person)


def _said(view: View) -> ViewGiven:
    """What of a view can be changed."""
    return ViewGiven(**{declared.name: getattr(view, declared.name) for declared in fields(ViewGiven)})


def _noted(view: View) -> dict[str, object]:
    return {"name": view.name, "shared": view.shared, "query": view.query}
