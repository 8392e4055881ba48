"""``/api/customers/ID``: one customer seen whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
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
    attributes: dict[str, bool | float | str | None]
    traits: dict[str, collect.Trait]
    identities: tuple[profiles.Identity, ...]
    tags: tuple[profiles.Tag, ...]
    consents: tuple[privacy.CurrentConsent, ...]
    household: tuple[UUID, ...]
    computed: CustomerFacts | None
    timeline: collect.TimelinePage


class RevealBody(BaseModel):
    """Which groups of values to show in clear, and why: a word such as `call_back`, which the audit log keeps."""

    model_config = ConfigDict(extra="forbid")

    fields: Annotated[list[Literal["name", "phone", "email", "other"]], Field(min_length=1, max_length=4)]
    why: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,49}$")]


class Revealed(BaseModel):
    """What of a customer belongs to the groups that were asked for, in clear, and what is not personal."""

    customer_id: UUID
    attributes: dict[str, bool | float | str]
    traits: dict[str, collect.Trait]
    identities: tuple[profiles.Identity, ...]


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
            found = customer_360(tx, visit.keyring, customer_id, datetime.now(UTC), latest=latest, fields=visit.fields)
        return WholeCustomer(
            **vars(found.profile), traits=found.traits, computed=found.computed, timeline=found.timeline
        )

    @router.post("/customers/{customer_id}/reveal", responses=_ABSENT)
    def reveal(
        visit: Annotated[access.Visit, access.needs("customers.reveal")], customer_id: UUID, body: RevealBody
    ) -> Revealed:
        asked = set(body.fields)
        fields = {group: access.Seen.CLEAR if group in asked else access.Seen.HIDDEN for group in access.FIELDS}
        with visit.begin() as tx:
            found = customer_360(tx, visit.keyring, customer_id, datetime.now(UTC), latest=1, fields=fields)
            visit.note("customers.reveal", fields=sorted(asked), why=body.why)
        profile = found.profile
        return Revealed(
            customer_id=profile.customer_id,
            attributes={name: value for name, value in profile.attributes.items() if value is not None},
            traits={name: trait for name, trait in found.traits.items() if trait.value is not None},
            identities=tuple(one for one in profile.identities if one.value is not None),
        )

    return list(router.routes)
