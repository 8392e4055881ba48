"""``/api/customers``, ``/api/merges`` and ``/api/attributes``.

Personal values are shown as the role of the reader says: in clear, masked, or not at all. An id goes into a body and
never into an address, since addresses are logged on the way.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access, privacy
from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, Flag, Moment, api, refusal
from shuke.profiles.model import AttributeDefinition, AttributeType, Identity, Merge, NewTag, Profile, Resolved
from shuke.profiles.service import (
    attaching,
    attributes,
    consents,
    merging,
    overview,
    reading,
    resolving,
    tagging,
    whose,
)

__all__ = ["routes"]

_Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,49}$")]
_Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_Reference = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.:/-]{0,99}$")]
_Value = Annotated[str, Field(min_length=1, max_length=500)]
_TagText = Annotated[str, Field(min_length=1, max_length=50)]
_Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
_Attributes = Annotated[dict[_Kind, Flag | _Number | _Value | None], Field(max_length=200)]


Reading = Annotated[access.Visit, access.needs("customers.read")]
Writing = Annotated[access.Visit, access.needs("customers.write")]
Merging = Annotated[access.Visit, access.needs("customers.merge")]
Assigning = Annotated[access.Visit, access.needs("people.write")]
Defining = Annotated[access.Visit, access.needs("settings.write")]
PrivacyReading = Annotated[access.Visit, access.needs("privacy.read")]
PrivacyWriting = Annotated[access.Visit, access.needs("privacy.write")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IdentityBody(_Body):
    """One name that the outside world has for a customer, such as a phone number."""

    kind: _Kind
    value: _Value


class NewCustomerBody(_Body):
    """Who somebody is; a customer who is known by one of the identities is that customer."""

    identities: list[IdentityBody] = Field(min_length=1, max_length=50)
    attributes: _Attributes = {}
    store: Annotated[str, Field(min_length=1, max_length=200, description="where they are a customer")] | None = None


class ChangeBody(_Body):
    """Attributes to set; null takes one away."""

    attributes: _Attributes


class TagBody(_Body):
    """A label from a source, which may expire."""

    tag: _TagText
    source: _Code
    expires_at: Moment | None = None


class ConsentBody(_Body):
    """What the customer said, when, to which version of the notice, and how that can be proved."""

    purpose: _Code
    channel: _Code
    state: privacy.ConsentState
    notice_version: _Reference
    method: privacy.ProofMethod
    reference: _Reference | None = None
    at: Moment
    by: _Code
    guardian: UUID | None = None


class GuardianBody(_Body):
    """Who answers for a child."""

    relation: _Code
    name: _Value
    phone: _Value | None = None


class MergeBody(_Body):
    """Two customers who are one; the winner's values count where both have some."""

    winner: UUID
    loser: UUID
    by: _Code
    why: _Code


class DefinitionBody(_Body):
    """What values an attribute has, and whether they are personal; that cannot be changed later."""

    type: AttributeType
    personal: Flag
    choices: list[_Value] = Field(default=[], max_length=200)


class WhoAnswer(BaseModel):
    """A customer."""

    customer_id: UUID


class GuardianAnswer(BaseModel):
    """The person id of a guardian, to be named when they consent."""

    guardian_id: UUID


_REFUSED = ABSENT | refusal(409, "It contradicts the state of things")


def routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of the room."""
    router = api("profiles")
    _customers(router)
    _merges(router)
    _owners(router)
    _tags(router)
    _consents(router)
    _definitions(router)
    return list(router.routes)


def _now() -> datetime:
    return datetime.now(UTC)


def _customers(router: APIRouter) -> None:
    @router.post("/customers", responses=_REFUSED)
    def post_customer(visit: Writing, body: NewCustomerBody) -> Profile:
        now = _now()
        with visit.begin() as tx:
            resolved = _resolved(visit, tx, body, now)
            visit.note(customer_id=resolved.customer_id)
            _set(visit, tx, resolved.customer_id, body.attributes, now)
            return overview.profile_360(tx, visit.keyring, resolved.customer_id, now, fields=visit.fields)

    @router.post("/customers/find", responses=ABSENT)
    def find_customer(visit: Reading, body: IdentityBody) -> WhoAnswer:
        with visit.read() as tx:
            customer_id = reading.find(tx, visit.keyring, body.kind, body.value)
        if customer_id is None:
            raise NotFound("profiles.nobody")
        return WhoAnswer(customer_id=customer_id)

    # Of this form only, so that /customers/find has no other methods than its own.
    # Its tag stands for the attributes: what else is known of a customer changes with every event.
    @router.patch("/customers/{customer_id:uuid}", responses=_REFUSED | access.CHANGED)
    def patch_customer(visit: Writing, customer_id: UUID, body: ChangeBody) -> Profile:
        now = _now()
        with visit.begin() as tx:

            def profile() -> Profile:
                return overview.profile_360(tx, visit.keyring, customer_id, now, fields=visit.fields)

            visit.meant(tx, lambda: profile().attributes)
            _set(visit, tx, customer_id, body.attributes, now)
            changed = profile()
        visit.tagged(changed.attributes)
        return changed

    @router.get("/customers/{customer_id}/identities", responses=ABSENT)
    def get_identities(visit: Reading, customer_id: UUID) -> tuple[Identity, ...]:
        with visit.read() as tx:
            return overview.profile_360(tx, visit.keyring, customer_id, _now(), fields=visit.fields).identities

    @router.post("/customers/{customer_id}/identities", responses=_REFUSED)
    def post_identity(visit: Writing, customer_id: UUID, body: IdentityBody) -> Profile:
        now = _now()
        with visit.begin() as tx:
            attaching.attach_identity(tx, visit.keyring, customer_id, body.kind, body.value, now)
            return overview.profile_360(tx, visit.keyring, customer_id, now, fields=visit.fields)


def _resolved(visit: access.Visit, tx: Any, body: NewCustomerBody, now: datetime) -> Resolved:
    """Who the body is about; who is new becomes the reader's customer.

    Raises:
        BadInput: ``profiles.bad_identity``; ``profiles.which_store`` when a reader with several stores names none.
        Conflict: ``profiles.not_yours`` when one of the identities is a customer's whom the reader may not see. That
            there is one is all that is told; that two of them be merged cannot be asked for this way, either.
    """
    ids = [(one.kind, one.value) for one in body.identities]
    with visit.beyond_scope(tx):
        known = {found for kind, value in ids if (found := reading.find(tx, visit.keyring, kind, value)) is not None}
    if known - merging.standing(tx, known).keys():
        raise Conflict("profiles.not_yours")
    with visit.beyond_scope(tx):
        (resolved,) = resolving.resolve(tx, visit.keyring, [ids], now)
        if resolved is None:
            raise BadInput("profiles.bad_identity", kind=", ".join(sorted({kind for kind, _ in ids})))
        mine = visit.stores(tx)
        store = body.store or (mine[0] if mine is not None and len(mine) == 1 else None)
        if mine is not None and not known and store not in mine:
            raise BadInput("profiles.which_store")
        if store is not None and (mine is None or store in mine):
            whose.note_stores(tx, [(resolved.identity_id, store)])
        if visit.reader.where is access.Where.OWN and not known and visit.reader.acts_for is not None:
            whose.give_to(tx, resolved.customer_id, visit.reader.acts_for, now)
    return resolved


def _set(visit: access.Visit, tx: Any, customer_id: UUID, given: dict[str, Any], now: datetime) -> None:
    """Set all attributes or none: BadInput ``profiles.bad_attributes`` names those that cannot be taken."""
    refused = attributes.set_attributes(tx, visit.keyring, [(customer_id, given)], now)
    if refused:
        raise BadInput("profiles.bad_attributes", attributes=sorted(one.attribute for one in refused))


def _merges(router: APIRouter) -> None:
    @router.get("/customers/{customer_id}/merges", responses=ABSENT)
    def get_merges(visit: Reading, customer_id: UUID) -> tuple[Merge, ...]:
        with visit.read() as tx:
            top = merging.standing_for(tx, {customer_id})[customer_id]
            return merging.merges_of(tx, top)

    @router.post("/merges", responses=_REFUSED)
    def post_merge(visit: Merging, body: MergeBody) -> Merge:
        with visit.begin() as tx:
            reason = {"by": body.by, "why": body.why}
            return merging.merge(tx, body.winner, body.loser, reason, _now())

    @router.post("/merges/{merge_id}/undo", responses=_REFUSED)
    def undo_merge(visit: Merging, merge_id: UUID) -> Merge:
        with visit.begin() as tx:
            return merging.unmerge(tx, merge_id, _now())


def _owners(router: APIRouter) -> None:
    @router.put("/customers/{customer_id}/owners/{user_id}", responses=ABSENT, status_code=204)
    def put_owner(visit: Assigning, customer_id: UUID, user_id: UUID) -> None:
        with visit.begin() as tx:
            whose.give_to(tx, customer_id, user_id, _now())

    @router.delete("/customers/{customer_id}/owners/{user_id}", responses=ABSENT, status_code=204)
    def delete_owner(visit: Assigning, customer_id: UUID, user_id: UUID) -> None:
        with visit.begin() as tx:
            whose.take_from(tx, customer_id, user_id)


def _tags(router: APIRouter) -> None:
    @router.post("/customers/{customer_id}/tags", responses=ABSENT)
    def post_tag(visit: Writing, customer_id: UUID, body: TagBody) -> Profile:
        now = _now()
        with visit.begin() as tx:
            tagging.add_tags(tx, [NewTag(customer_id, body.tag, body.source, body.expires_at)], now)
            return overview.profile_360(tx, visit.keyring, customer_id, now, fields=visit.fields)

    @router.delete("/customers/{customer_id}/tags/{tag}", responses=ABSENT)
    def delete_tag(
        visit: Writing,
        customer_id: UUID,
        tag: Annotated[str, Path(min_length=1, max_length=50)],
        source: Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_.-]{0,49}$")] = None,
    ) -> Profile:
        now = _now()
        with visit.begin() as tx:
            tagging.remove_tag(tx, [customer_id], tag, source)
            return overview.profile_360(tx, visit.keyring, customer_id, now, fields=visit.fields)


def _consents(router: APIRouter) -> None:
    @router.get("/customers/{customer_id}/consents", responses=ABSENT)
    def get_consents(visit: PrivacyReading, customer_id: UUID) -> tuple[privacy.CurrentConsent, ...]:
        with visit.read() as tx:
            merging.standing_for(tx, {customer_id})
            return consents.consents_of(tx, [customer_id])[customer_id]

    @router.post("/customers/{customer_id}/consents", responses=_REFUSED)
    def post_consent(visit: PrivacyWriting, customer_id: UUID, body: ConsentBody) -> tuple[privacy.CurrentConsent, ...]:
        said = privacy.Consent(
            customer_id=customer_id,
            purpose=body.purpose,
            channel=body.channel,
            state=body.state,
            notice_version=body.notice_version,
            proof=privacy.Proof(body.method, body.reference),
            at=body.at,
            by=body.by,
            guardian=body.guardian,
        )
        with visit.begin() as tx:
            consents.record_consents(tx, visit.keyring, [said], _now())
            return consents.consents_of(tx, [customer_id])[customer_id]

    @router.post("/customers/{customer_id}/guardians", responses=ABSENT)
    def post_guardian(visit: PrivacyWriting, customer_id: UUID, body: GuardianBody) -> GuardianAnswer:
        fields = {"name": body.name} | ({"phone": body.phone} if body.phone else {})
        with visit.begin() as tx:
            top = merging.standing_for(tx, {customer_id})[customer_id]
            made = privacy.appoint_guardian(tx, visit.keyring, top, body.relation, fields, _now())
        return GuardianAnswer(guardian_id=made)


def _definition(tx: Any, name: str) -> AttributeDefinition:
    """NotFound ``profiles.no_attribute``."""
    found = attributes.attribute_definitions_of(tx).get(name)
    if found is None:
        raise NotFound("profiles.no_attribute", attribute=name)
    return found


def _definitions(router: APIRouter) -> None:
    @router.get("/attributes")
    def get_attributes(visit: Reading) -> list[AttributeDefinition]:
        with visit.read() as tx:
            return list(attributes.attribute_definitions_of(tx).values())

    @router.get("/attributes/{name}", responses=ABSENT)
    def get_attribute(visit: Reading, name: Annotated[str, Path(max_length=40)]) -> AttributeDefinition:
        with visit.read() as tx:
            return visit.tagged(_definition(tx, name))

    @router.put("/attributes/{name}", responses=access.CHANGED)
    def put_attribute(
        visit: Defining, name: Annotated[str, Path(max_length=40)], body: DefinitionBody
    ) -> AttributeDefinition:
        made = AttributeDefinition(name, body.type, body.personal, tuple(body.choices))
        with visit.begin() as tx:
            visit.meant(tx, lambda: _definition(tx, name))
            attributes.define_attribute(tx, made, _now())
        return visit.tagged(made)

    @router.delete("/attributes/{name}", responses=ABSENT | access.CHANGED, status_code=204)
    def delete_attribute(visit: Defining, name: Annotated[str, Path(max_length=40)]) -> None:
        with visit.begin() as tx:
            visit.meant(tx, lambda: _definition(tx, name))
            attributes.retire_attribute(tx, name, _now())
