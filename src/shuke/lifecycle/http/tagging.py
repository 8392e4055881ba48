"""A tag on many customers at once: on those whom a list shows, or on those who are named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access, profiles
from shuke.base.errors import BadInput
from shuke.lifecycle.http.customers import SearchBody, query_of
from shuke.lifecycle.service.listing import Members, all_of, everybody_who
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, Flag, Moment, api, refusal

__all__ = ["NAMED_MAX", "said_of", "tagging_routes"]

#: Customers that can be named one by one.
NAMED_MAX = 10_000

_Writing = Annotated[access.Visit, access.needs("customers.write")]
_REFUSED = ABSENT | refusal(409, "It contradicts the state of things")


class ManyTagsBody(BaseModel):
    """A tag for all whom `query` finds, or for those in `customer_ids`: one of the two.

    With `remove` it is taken off them; then without `source` from whatever source it is.
    """

    model_config = ConfigDict(extra="forbid")

    query: SearchBody | None = None
    customer_ids: Annotated[list[UUID], Field(min_length=1, max_length=NAMED_MAX)] | None = None
    tag: Annotated[str, Field(min_length=1, max_length=50)]
    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,49}$")] | None = None
    expires_at: Moment | None = None
    remove: Flag = False


def tagging_routes(_: Workplace, __: Metrics, *, members: Members) -> list[BaseRoute]:
    """The routes of tags on many; ``members`` are those of segments."""
    router = api("lifecycle")

    @router.post("/customers/tags", responses=ABSENT)
    def post_many_tags(visit: _Writing, body: ManyTagsBody) -> profiles.TagBatch:
        if (body.query is None) == (body.customer_ids is None):
            raise BadInput("lifecycle.which_customers")
        if not body.remove and body.source is None:
            raise BadInput("lifecycle.which_source")
        given = profiles.ManyTags(body.tag, body.source, body.expires_at)
        change = profiles.untag_many if body.remove else profiles.tag_many
        with visit.begin() as tx:
            if body.query is None:
                chosen = all_of(tx, body.customer_ids or ())
            else:
                most = profiles.BATCH_CUSTOMERS_MAX + 1
                query = query_of(body.query, visit, tx, members)
                chosen = everybody_who(tx, visit.keyring, query, most=most, fields=visit.fields)
            made = change(tx, chosen, given, visit.reader.id, datetime.now(UTC))
            visit.note(
                "customers.untag" if body.remove else "customers.tag",
                batch_id=made.batch_id,
                tag=made.tag,
                source=made.source,
                query=None if body.query is None else said_of(body.query),
                after={"customers": made.customers, "changed": made.changed},
            )
        return made

    @router.post("/customers/tags/{batch_id}/undo", responses=_REFUSED)
    def undo_many_tags(visit: _Writing, batch_id: UUID) -> profiles.TagBatch:
        with visit.begin() as tx:
            undone = profiles.undo_batch(tx, batch_id, visit.reader.id, datetime.now(UTC))
            visit.note("customers.tag_undo", tag=undone.tag, after={"changed": undone.changed})
        return undone

    return list(router.routes)


def said_of(query: SearchBody) -> dict[str, Any]:
    """The conditions as the audit log has them; what was searched for may be a name, and only that it was is said."""
    conditions = query.model_dump(mode="json", exclude_defaults=True, exclude={"search"})
    return conditions | ({} if query.search is None else {"search": "***"})
