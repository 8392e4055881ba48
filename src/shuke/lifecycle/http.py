"""``/api/customers/ID``: one customer seen whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from starlette.routing import BaseRoute

from shuke import access, collect, privacy, profiles
from shuke.lifecycle.model import CustomerFacts
from shuke.lifecycle.service import LATEST_MAX, customer_360
from shuke.platform import Metrics, Workplace
from shuke.platform.http import PROBLEM, Problem, api

__all__ = ["routes"]


class WholeCustomer(BaseModel):
    """One customer; `customer_ids` are all that are this customer by now. `computed` is null before a first order."""

    customer_id: UUID
    customer_ids: tuple[UUID, ...]
    created_at: datetime
    updated_at: datetime
    attributes: dict[str, bool | float | str]
    traits: dict[str, collect.Trait]
    identities: tuple[profiles.Identity, ...]
    tags: tuple[profiles.Tag, ...]
    consents: tuple[privacy.CurrentConsent, ...]
    household: tuple[UUID, ...]
    computed: CustomerFacts | None
    timeline: collect.TimelinePage


_ABSENT: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is none", "content": {PROBLEM: {"schema": Problem.model_json_schema()}}}
}


def routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of the room."""
    router = api("lifecycle")

    # Of this form only, so that /customers/find has no other methods than its own.
    @router.get("/customers/{customer_id:uuid}", responses=_ABSENT)
    def get_customer(
        visit: Annotated[access.Visit, access.needs("customers.read")],
        customer_id: UUID,
        *,
        latest: Annotated[int, Query(ge=1, le=LATEST_MAX, description="how many facts of the timeline")] = 20,
    ) -> WholeCustomer:
        with visit.read() as tx:
            found = customer_360(tx, visit.keyring, customer_id, datetime.now(UTC), latest=latest)
        return WholeCustomer(
            **vars(found.profile), traits=found.traits, computed=found.computed, timeline=found.timeline
        )

    return list(router.routes)
