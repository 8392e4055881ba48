"""``/api/customers/exports``: customers as a file, made by a worker, for whoever asked alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.routing import BaseRoute

from shuke import access
from shuke.base.errors import BadInput
from shuke.lifecycle.http.customers import SearchBody
from shuke.lifecycle.http.tagging import NAMED_MAX, said_of
from shuke.lifecycle.model import Column, Sort
from shuke.lifecycle.service.exporting import EXPORT, PERMISSION, keep_request, made_file
from shuke.platform import AnyTask, Metrics, Workplace, get_job, list_jobs, queue_job
from shuke.platform.http import ABSENT, Flag, api, refusal
from shuke.platform.job_answers import JobPage, QueuedBody, file_answer, job_body

__all__ = ["export_routes"]

_PAGE_MAX = 100

_Exporting = Annotated[access.Visit, access.needs(PERMISSION)]
_FULL = refusal(409, "There is too much already")
_SAVED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {"text/csv": {}, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {}},
    }
}


class ExportBody(BaseModel):
    """All whom `query` finds, in their order, or those in `customer_ids`, with these columns.

    Personal values are as one's role shows them. The number and the name of each customer are always there.
    """

    model_config = ConfigDict(extra="forbid")

    query: SearchBody | None = None
    customer_ids: Annotated[list[UUID], Field(min_length=1, max_length=NAMED_MAX)] | None = None
    columns: Annotated[list[Column], Field(max_length=len(Column))]
    format: Literal["csv", "xlsx"] = "xlsx"
    sort: Sort = Sort.VALUE
    descending: Flag = True


def export_routes(_: Workplace, __: Metrics, *, exporting: AnyTask) -> list[BaseRoute]:
    """The routes of exports; ``exporting`` is the task that makes the file."""
    router = api("lifecycle")

    @router.post("/customers/exports", status_code=202, responses=_FULL)
    def post_export(visit: _Exporting, body: ExportBody) -> QueuedBody:
        if (body.query is None) == (body.customer_ids is None):
            raise BadInput("lifecycle.which_customers")
        request = body.model_dump(mode="json", include={"query", "customer_ids"}, exclude_defaults=True)
        query = None if body.query is None else said_of(body.query)
        asked = {
            **body.model_dump(mode="json", include={"columns", "format", "sort", "descending"}),
            "query": query,
            "named": len(body.customer_ids or ()),
            "language": visit.language.value,
        }
        with (
            keep_request(visit.place, visit.asker, {"query": {} if body.query else None, **request}) as out,
            visit.begin() as tx,
            visit.beyond_scope(tx),
        ):
            kept = out.finish(tx)
            asked["request_id"] = str(kept.file_id)
            job_id = queue_job(tx, exporting, kind=EXPORT, asker=visit.asker, asked=asked)
            visit.note("customers.export", export_id=job_id, format=body.format, columns=body.columns, query=query)
        return QueuedBody(job_id=job_id)

    @router.get("/customers/exports")
    def get_exports(
        visit: _Exporting,
        before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 20,
    ) -> JobPage:
        with visit.read() as tx, visit.beyond_scope(tx):
            found = list_jobs(tx, asker=visit.asker, kind=EXPORT, before=before, limit=limit)
        items = [job_body(job, visit.asker, visit.language) for job in found]
        return JobPage(items=items, next=found[-1].job_id if len(found) == limit else None)

    @router.get("/customers/exports/{export_id}/file", response_class=Response, responses=ABSENT | _SAVED)
    def get_export_file(visit: _Exporting, export_id: UUID) -> Response:
        with visit.begin() as tx, visit.beyond_scope(tx):
            job = get_job(tx, export_id, kind=EXPORT, asker=visit.asker)
            file = made_file(tx, job.result or {}, visit.asker)
            visit.note("customers.export_read")
        return file_answer(visit.place, file)

    return list(router.routes)
