"""Customers over HTTP: one seen whole, some of them as a list, and how the brand stands.

What is looked for goes into a body and never into an address: it may be a phone number.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access, collect, privacy, profiles
from shuke.lifecycle.model import CustomerFacts, CustomerPage, CustomerQuery, Overview, Sort, StoodIn
from shuke.lifecycle.service.listing import MOMENTS_MAX, PAGE_MAX, WORDS_MAX, Members, list_customers
from shuke.lifecycle.service.overview import overview
from shuke.lifecycle.service.reading import LATEST_MAX, PARTS, customer_360
from shuke.platform import Metrics, Transaction, Workplace
from shuke.platform.http import ABSENT, READS, Flag, Moment, api

__all__ = ["Conditions", "SearchBody", "customer_routes", "query_of"]


_Words = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=WORDS_MAX)]
_Minor = Annotated[int, Field(strict=True, ge=-(2**62), le=2**62)]
_Whole = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
_Scores = Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=5)], ...], Field(max_length=5)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]


class StoodBody(BaseModel):
    """Where customers stood at a moment: in one of these stages; `outside` is before a first order, or without one.

    Without stages, in any but that. Scores are those of then, and the value is what they had brought by then.
    """

    model_config = ConfigDict(extra="forbid")

    stages: _Words = ()
    at: Moment
    r_scores: _Scores = ()
    f_scores: _Scores = ()
    value_min_minor: _Minor | None = None
    value_max_minor: _Minor | None = None


class BoughtBody(BaseModel):
    """An order that the customer has: with any of the products, or with all of them `together`, and of a category.

    `no_category` is a product of none, beside those of the `categories`.
    """

    model_config = ConfigDict(extra="forbid")

    products: _Words = ()
    together: Flag = False
    categories: _Words = ()
    no_category: Flag = False
    since: Moment | None = None
    until: Moment | None = None
    channels: _Words = ()
    stores: _Words = ()


class OrderedOnBody(BaseModel):
    """On how many days the customer had ordered by a moment; bounds are included."""

    model_config = ConfigDict(extra="forbid")

    until: Moment
    days_min: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] = 1
    days_max: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None


class Conditions(BaseModel):
    """Which customers are wanted, beyond a search. All conditions hold; of several words any.

    `no_channel` is a first order that names none, beside those of the `channels`. `segment` wants those who are in it
    (`segments.read`).
    """

    model_config = ConfigDict(extra="forbid")

    stages: _Words = ()
    rfm_groups: _Words = ()
    value_groups: _Words = ()
    r_scores: _Scores = ()
    f_scores: _Scores = ()
    m_scores: _Scores = ()
    tags: _Words = ()
    channels: _Words = ()
    no_channel: Flag = False
    stores: _Words = ()
    stood: Annotated[tuple[StoodBody, ...], Field(max_length=MOMENTS_MAX)] = ()
    bought: BoughtBody | None = None
    ordered_on: OrderedOnBody | None = None
    first_products: _Words = ()
    value_min_minor: _Minor | None = None
    value_max_minor: _Minor | None = None
    churn_min: _Share | None = None
    churn_max: _Share | None = None
    orders_min: _Whole | None = None
    orders_max: _Whole | None = None
    order_days_min: _Whole | None = None
    order_days_max: _Whole | None = None
    came_back_within_days: Annotated[int, Field(strict=True, ge=1, le=36_500)] | None = None
    segment: UUID | None = None
    first_order_from: Moment | None = None
    first_order_to: Moment | None = None
    last_order_from: Moment | None = None
    last_order_to: Moment | None = None


class SearchBody(Conditions):
    """Which customers are wanted. All conditions hold; of several words any.

    ``search`` is part of a name, the last four digits of a phone number, or an identity given whole.
    """

    search: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class ListBody(SearchBody):
    """Which customers are wanted, in which order, and which page of them."""

    sort: Sort = Sort.CREATED
    descending: Flag = True
    after: Annotated[str, Field(max_length=300)] | None = None
    limit: Annotated[int, Field(strict=True, ge=1, le=PAGE_MAX)] = 50


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


_PLAIN = frozenset(declared.name for declared in fields(CustomerQuery)) - {"stood", "bought", "ordered_on", "segment"}
_Figures = Annotated[access.Visit, access.needs("lifecycle.read")]


def query_of(body: Conditions, visit: access.Visit, tx: Transaction, members: Members) -> CustomerQuery:
    """The conditions as the service takes them; errors as those of ``members``."""
    return CustomerQuery(
        **{name: value for name, value in body if name in _PLAIN},
        stood=tuple(StoodIn(**dict(one)) for one in body.stood),
        bought=None if body.bought is None else collect.Bought(**dict(body.bought)),
        segment=None if body.segment is None else members(visit.reader, tx, body.segment),
        ordered_on=None if body.ordered_on is None else collect.OrderedOn(**dict(body.ordered_on)),
    )


def customer_routes(_: Workplace, __: Metrics, *, members: Members) -> list[BaseRoute]:
    """The routes of customers, and of all of them in figures; ``members`` are those of segments."""
    router = api("lifecycle")

    # Of this form only, so that /customers/find and /customers/list have no other methods than their own.
    @router.get("/customers/{customer_id:uuid}", responses=ABSENT)
    def get_customer(
        visit: Annotated[access.Visit, access.needs("customers.read")],
        customer_id: UUID,
        *,
        latest: Annotated[int, Query(ge=1, le=LATEST_MAX, description="how many facts of the timeline")] = 20,
    ) -> WholeCustomer:
        with visit.read() as tx:
            found = customer_360(
                tx,
                visit.keyring,
                customer_id,
                datetime.now(UTC),
                latest=latest,
                fields=visit.fields,
                parts=[part for part in PARTS if visit.wants(part)],
            )
        visit.tagged(found.profile.attributes)
        return WholeCustomer(
            **vars(found.profile), traits=found.traits, computed=found.computed, timeline=found.timeline
        )

    @router.post("/customers/{customer_id}/reveal", responses=ABSENT)
    def reveal(
        visit: Annotated[access.Visit, access.needs("customers.reveal")], customer_id: UUID, body: RevealBody
    ) -> Revealed:
        asked = set(body.fields)
        shown = {group: access.Seen.CLEAR if group in asked else access.Seen.HIDDEN for group in access.FIELDS}
        with visit.begin() as tx:
            found = customer_360(tx, visit.keyring, customer_id, datetime.now(UTC), latest=1, fields=shown)
            visit.note("customers.reveal", fields=sorted(asked), why=body.why)
        profile = found.profile
        return Revealed(
            customer_id=profile.customer_id,
            attributes={name: value for name, value in profile.attributes.items() if value is not None},
            traits={name: trait for name, trait in found.traits.items() if trait.value is not None},
            identities=tuple(one for one in profile.identities if one.value is not None),
        )

    @router.post("/customers/list", openapi_extra=READS)
    def post_list(visit: Annotated[access.Visit, access.needs("customers.read")], body: ListBody) -> CustomerPage:
        with visit.read() as tx:
            return list_customers(
                tx,
                visit.keyring,
                query_of(body, visit, tx, members),
                sort=body.sort,
                descending=body.descending,
                after=body.after,
                limit=body.limit,
                fields=visit.fields,
            )

    @router.get("/overview")
    def get_overview(visit: _Figures) -> Overview:
        with visit.read() as tx:
            return overview(tx, everybody=visit.reader.where is access.Where.ALL)

    return list(router.routes)
