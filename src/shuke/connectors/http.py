"""``/api/webhooks``: who is told of changes outside, and what was sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access, segments
from shuke.connectors.model import (
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EventKind,
    State,
    Trouble,
    WhyDisabled,
)
from shuke.connectors.rules import NAME_MAX, URL_MAX
from shuke.connectors.service import deliveries, endpoints
from shuke.platform import Metrics, Transaction, Workplace
from shuke.platform.http import ABSENT, Flag, Moment, api, refusal

__all__ = ["routes"]

_Reading = Annotated[access.Visit, access.needs("connectors.read")]
_Writing = Annotated[access.Visit, access.needs("connectors.write")]
_Delivery = Annotated[int, Path(ge=1, lt=2**63)]
_TAKEN = refusal(409, "It contradicts the state")


class EndpointBody(BaseModel):
    """An endpoint: told of events of these `kinds`, of these segments, or where none is named, of all.

    `on` turns it on or off; one that was disabled is told again once it is turned on.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
    url: Annotated[str, Field(min_length=1, max_length=URL_MAX)]
    kinds: Annotated[list[EventKind], Field(min_length=1, max_length=len(EventKind))]
    segment_ids: Annotated[list[UUID], Field(max_length=endpoints.SEGMENTS_MAX)] = []
    on: Flag = True


class NamedSegment(BaseModel):
    """A segment, and what it is called."""

    segment_id: UUID
    name: str


class EndpointAnswer(BaseModel):
    """An endpoint. `failing_since` is there while nothing arrives, `old_secret_until` while two secrets sign."""

    endpoint_id: UUID
    name: str
    url: str
    kinds: list[EventKind]
    segments: list[NamedSegment]
    state: State
    why_disabled: WhyDisabled | None
    failing_since: datetime | None
    old_secret_until: datetime | None
    made_by: str
    created_at: datetime
    updated_at: datetime


class EndpointsAnswer(BaseModel):
    """Every endpoint, by name."""

    items: list[EndpointAnswer]


class MadeEndpointAnswer(EndpointAnswer):
    """An endpoint that was just made, with its secret, which nobody is told again."""

    secret: str


class SecretAnswer(BaseModel):
    """A new secret, which nobody is told again; the one before signs beside it until `old_secret_until`."""

    secret: str
    old_secret_until: datetime


class DeliveryAnswer(BaseModel):
    """A message to an endpoint. `due_at` is when it is tried next; `attempts` how often it was tried."""

    delivery_id: int
    message_id: str
    kind: str
    state: DeliveryState
    customers: int
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    attempts: int


class DeliveriesAnswer(BaseModel):
    """A page of messages, the latest first."""

    items: list[DeliveryAnswer]
    next: str | None


class AttemptAnswer(BaseModel):
    """One attempt: its `status` where there was an answer, `trouble` where it did not arrive, and how long it took.

    `answer` is the beginning of what was answered.
    """

    attempt: int
    at: datetime
    ms: int
    status: int | None
    trouble: Trouble | None
    answer: str


class SentAnswer(DeliveryAnswer):
    """A message with its `body`, as it is sent, and its latest attempts."""

    body: str
    tried: list[AttemptAnswer]


class AgainBody(BaseModel):
    """From when on messages were made that are to be sent again."""

    model_config = ConfigDict(extra="forbid")

    since: Moment


class AgainAnswer(BaseModel):
    """How many messages were queued."""

    messages: int


def routes(place: Workplace, _: Metrics) -> list[BaseRoute]:
    """The routes of webhooks."""
    router = api("connectors")
    _of_endpoints(router, place)
    _of_deliveries(router)
    return list(router.routes)


def _of_endpoints(router: APIRouter, place: Workplace) -> None:
    own_hosts = place.settings.webhook_hosts

    @router.get("/webhooks")
    def get_webhooks(visit: _Reading) -> EndpointsAnswer:
        with visit.read() as tx:
            return EndpointsAnswer(items=_answers(tx, endpoints.list_endpoints(tx, _now())))

    @router.post("/webhooks", responses=_TAKEN)
    def post_webhook(visit: _Writing, body: EndpointBody) -> MadeEndpointAnswer:
        with visit.begin() as tx:
            # Whoever finds a screen unlocked is not to have customers' ids sent to themselves.
            access.sure(visit, tx)
            made, secret = endpoints.add_endpoint(
                tx, visit.keyring, _wanted(body), own_hosts=own_hosts, made_by=visit.reader.name, now=_now()
            )
            visit.note("webhook.make", endpoint_id=made.endpoint_id, after=_said(made))
            visit.tells_secret()
            visit.tagged(_said(made))
            (told,) = _answers(tx, [made])
        return MadeEndpointAnswer(**told.model_dump(), secret=secret)

    @router.get("/webhooks/{endpoint_id}", responses=ABSENT)
    def get_webhook(visit: _Reading, endpoint_id: UUID) -> EndpointAnswer:
        with visit.read() as tx:
            found = endpoints.get_endpoint(tx, endpoint_id, _now())
            visit.tagged(_said(found))
            return _answers(tx, [found])[0]

    @router.put("/webhooks/{endpoint_id}", responses=ABSENT | _TAKEN | access.CHANGED)
    def put_webhook(visit: _Writing, endpoint_id: UUID, body: EndpointBody) -> EndpointAnswer:
        with visit.begin() as tx:
            access.sure(visit, tx)
            visit.meant(tx, lambda: _said(endpoints.get_endpoint(tx, endpoint_id, _now())))
            before = endpoints.get_endpoint(tx, endpoint_id, _now())
            after = endpoints.save_endpoint(tx, endpoint_id, _wanted(body), own_hosts=own_hosts, now=_now())
            visit.note("webhook.change", before=_said(before), after=_said(after))
            visit.tagged(_said(after))
            return _answers(tx, [after])[0]

    @router.delete("/webhooks/{endpoint_id}", responses=ABSENT | access.CHANGED, status_code=204)
    def delete_webhook(visit: _Writing, endpoint_id: UUID) -> None:
        with visit.begin() as tx:
            visit.meant(tx, lambda: _said(endpoints.get_endpoint(tx, endpoint_id, _now())))
            visit.note("webhook.delete", before=_said(endpoints.delete_endpoint(tx, endpoint_id, _now())))

    @router.post("/webhooks/{endpoint_id}/secret", responses=ABSENT)
    def post_secret(visit: _Writing, endpoint_id: UUID) -> SecretAnswer:
        with visit.begin() as tx:
            access.sure(visit, tx)
            now = _now()
            secret = endpoints.rotate_secret(tx, visit.keyring, endpoint_id, now)
            visit.note("webhook.rotate_secret")
            visit.tells_secret()
        return SecretAnswer(secret=secret, old_secret_until=now + endpoints.OLD_SECRET_LASTS)


def _of_deliveries(router: APIRouter) -> None:
    @router.post("/webhooks/{endpoint_id}/test", responses=ABSENT | _TAKEN)
    def post_test(visit: _Writing, endpoint_id: UUID) -> DeliveryAnswer:
        with visit.begin() as tx:
            made = deliveries.send_test(tx, endpoint_id, _now())
            visit.note("webhook.test", delivery_id=made.delivery_id)
        return _delivered(made)

    @router.get("/webhooks/{endpoint_id}/deliveries", responses=ABSENT)
    def get_deliveries(
        visit: _Reading,
        endpoint_id: UUID,
        state: DeliveryState | None = None,
        after: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=deliveries.PAGE_MAX)] = 50,
    ) -> DeliveriesAnswer:
        with visit.read() as tx:
            found = deliveries.list_deliveries(tx, endpoint_id, state=state, after=after, limit=limit, now=_now())
        return DeliveriesAnswer(items=[_delivered(one) for one in found.items], next=found.next)

    @router.get("/webhooks/{endpoint_id}/deliveries/{delivery_id}", responses=ABSENT)
    def get_delivery(visit: _Reading, endpoint_id: UUID, delivery_id: _Delivery) -> SentAnswer:
        with visit.read() as tx:
            found, body = deliveries.get_delivery(tx, endpoint_id, delivery_id)
            tried = [_attempted(one) for one in deliveries.attempts_of(tx, delivery_id)]
        return SentAnswer(**_delivered(found).model_dump(), body=body, tried=tried)

    @router.post("/webhooks/{endpoint_id}/deliveries/{delivery_id}/again", responses=ABSENT | _TAKEN)
    def post_again(visit: _Writing, endpoint_id: UUID, delivery_id: _Delivery) -> DeliveryAnswer:
        with visit.begin() as tx:
            queued = deliveries.send_again(tx, endpoint_id, delivery_id, _now())
            visit.note("webhook.again")
        return _delivered(queued)

    @router.post("/webhooks/{endpoint_id}/again", responses=ABSENT)
    def post_failed_again(visit: _Writing, endpoint_id: UUID, body: AgainBody) -> AgainAnswer:
        with visit.begin() as tx:
            count = deliveries.send_failed_again(tx, endpoint_id, since=body.since, now=_now())
            visit.note("webhook.again", since=body.since.isoformat(), messages=count)
        return AgainAnswer(messages=count)


def _now() -> datetime:
    return datetime.now(UTC)


def _wanted(body: EndpointBody) -> endpoints.Wanted:
    return endpoints.Wanted(**dict(body))


def _said(endpoint: Endpoint) -> dict[str, Any]:
    """What of an endpoint can be changed, and what becomes of it by itself."""
    names = ("name", "url", "kinds", "segment_ids", "state")
    said = {name: getattr(endpoint, name) for name in names}
    return said | {"segment_ids": [str(one) for one in endpoint.segment_ids], "kinds": list(endpoint.kinds)}


def _answers(tx: Transaction, found: list[Endpoint] | tuple[Endpoint, ...]) -> list[EndpointAnswer]:
    names = segments.names_among(tx, {one for endpoint in found for one in endpoint.segment_ids})
    answers = []
    for endpoint in found:
        limited = [NamedSegment(segment_id=one, name=names[one]) for one in endpoint.segment_ids]
        said = {name: value for name, value in vars(endpoint).items() if name not in ("segment_ids", "kinds")}
        answers.append(EndpointAnswer(**said, kinds=list(endpoint.kinds), segments=limited))
    return answers


def _delivered(delivery: Delivery) -> DeliveryAnswer:
    return DeliveryAnswer(**{name: value for name, value in vars(delivery).items() if name != "endpoint_id"})


def _attempted(attempt: Attempt) -> AttemptAnswer:
    return AttemptAnswer(**vars(attempt))
