"""Segments themselves: what there are, whom they mean, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access, profiles
from shuke.base.errors import NotAllowed
from shuke.platform import AnyTask, Metrics, Transaction, Workplace, defer, queue_job
from shuke.platform.http import ABSENT, api, refusal
from shuke.platform.job_answers import QueuedBody
from shuke.segments.model.profile import Comparison, Side, Trait
from shuke.segments.model.segment import Change, Explained, Member, Preview, Segment, Shared
from shuke.segments.model.tree import Node
from shuke.segments.rules.checking import attributes_of, checked, written_tree
from shuke.segments.rules.traits import told, worth_telling
from shuke.segments.rules.wording import Names, sentence
from shuke.segments.service.asking import Asking, asking
from shuke.segments.service.clustering import CLUSTERS_MAX, CLUSTERS_MIN
from shuke.segments.service.definitions import (
    NAME_MAX,
    add_segment,
    archive_segment,
    get_segment,
    list_segments,
    save_segment,
    versions_of,
)
from shuke.segments.service.previewing import preview
from shuke.segments.service.profiling import compare, profile
from shuke.segments.service.reading import PAGE_MAX, changes_of, explained, members_of, names_of

__all__ = ["segment_routes"]

_Reading = Annotated[access.Visit, access.needs("segments.read")]
_Writing = Annotated[access.Visit, access.needs("segments.write")]
_After = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]
_Rows = Annotated[int, Query(ge=1, le=PAGE_MAX)]
_TAKEN = refusal(409, "It contradicts the state")
_BUSY = refusal(503, "Too much is being worked out at the moment")


class TreeBody(BaseModel):
    """What a segment says: a tree of statements."""

    model_config = ConfigDict(extra="forbid")

    definition: Node


class SegmentBody(TreeBody):
    """What a segment is called, and what it says."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_MAX)]


class SegmentAnswer(BaseModel):
    """A segment. `text` is its definition in words; `customers` are those of `built_version`, as of `built_at`.

    `failed` is the code of what was wrong the last time that somebody tried to build it.
    """

    segment_id: UUID
    name: str
    version: int
    definition: dict[str, Any]
    text: str
    made_by: str
    created_at: datetime
    updated_at: datetime
    built_version: int | None
    built_at: datetime | None
    customers: int | None
    failed: str | None


class SegmentsAnswer(BaseModel):
    """Every segment, by name."""

    items: list[SegmentAnswer]


class VersionAnswer(BaseModel):
    """What a segment said from a moment on."""

    version: int
    definition: dict[str, Any]
    text: str
    made_by: str
    made_at: datetime


class VersionsAnswer(BaseModel):
    """What a segment has said, the latest first."""

    items: list[VersionAnswer]


class PreviewAnswer(BaseModel):
    """Whom a definition means, exactly, of everybody as of `as_of`; `some` are those who are worth most.

    `value_minor` is what all of them are worth, past and expected. `overlap` are segments that share customers with it
    as of the same moment, those first that are most alike: with the greatest share of `both` in all who are in either;
    `compared` is how many segments were looked at.
    """

    text: str
    as_of: datetime
    customers: int
    everybody: int
    value_minor: int
    some: list[UUID]
    overlap: tuple[Shared, ...]
    compared: int


class MembersAnswer(BaseModel):
    """A page of who is in a segment."""

    items: list[Member]
    next: str | None


class ChangesAnswer(BaseModel):
    """A page of who entered and who left, the latest first."""

    items: list[Change]
    next: str | None


class FactAnswer(BaseModel):
    """Something that a statement looked at; `counts` where it lies within the time that the statement asks about."""

    at: datetime
    text: str
    counts: bool


class ExplainedAnswer(BaseModel):
    """Whether a statement holds for the customer as they are now; `parts` are those that it consists of.

    `known` is the value that it compares. A statement about what happened has the latest of its `facts`, of `found`
    that count, or, where none does, the last one outside the time that it asks about.
    """

    text: str
    holds: bool
    known: str | None
    found: int | None
    facts: list[FactAnswer]
    parts: list[ExplainedAnswer]


def segment_routes(
    workplace: Workplace, _: Metrics, *, building: AnyTask, defined: AnyTask, finding: AnyTask
) -> list[BaseRoute]:
    """The routes of segments; ``building`` is the task that builds one for somebody who waits, ``defined`` the one that
    does so once it has been defined anew, ``finding`` the one that groups customers.
    """
    router = api("segments")
    _of_definitions(router, workplace, defined)
    _of_members(router, workplace)
    _of_knowledge(router, workplace, finding)

    @router.post("/segments/{segment_id:uuid}/build", status_code=202, responses=ABSENT | _TAKEN)
    def build_segment(visit: _Writing, segment_id: UUID) -> QueuedBody:
        with visit.begin() as tx:
            get_segment(tx, segment_id)
            asked = {"segment_id": str(segment_id)}
            lock = f"segments.build.{segment_id}"
            job_id = queue_job(tx, building, kind="segments.build", asker=visit.asker, asked=asked, lock=lock)
            visit.note(job_id=job_id)
        return QueuedBody(job_id=job_id)

    return list(router.routes)


def _of_definitions(router: APIRouter, workplace: Workplace, defined: AnyTask) -> None:

    @router.get("/segments")
    def get_segments(visit: _Reading) -> SegmentsAnswer:
        with visit.read() as tx:
            names = _names(visit, tx)
            return SegmentsAnswer(items=[_answer(one, visit, names) for one in list_segments(tx)])

    @router.post("/segments", responses=_TAKEN)
    def post_segment(visit: _Writing, body: SegmentBody) -> SegmentAnswer:
        with visit.begin() as tx:
            asked = asking(tx, workplace)
            _allow(visit, body.definition, asked)
            made = add_segment(tx, asked, body.name, body.definition, made_by=visit.reader.name, now=datetime.now(UTC))
            defer(tx, defined, segment_id=str(made.segment_id))
            visit.note("segment.make", segment_id=made.segment_id, after=_said(made))
            visit.tagged(_said(made))
            return _answer(made, visit, names_of(tx, asked, visit.language))

    # Only by POST, which no segment's own address has.
    @router.post("/segments/preview", responses=_BUSY)
    def preview_segment(visit: _Reading, body: TreeBody) -> PreviewAnswer:
        with visit.read() as tx:
            asked = asking(tx, workplace)
            _allow(visit, body.definition, asked)
            tree = checked(body.definition, asked.vocabulary)
            text = sentence(tree, visit.language, names_of(tx, asked, visit.language))
        return _previewed(preview(workplace, asked, tree), text)

    @router.get("/segments/{segment_id:uuid}", responses=ABSENT)
    def get_one(visit: _Reading, segment_id: UUID) -> SegmentAnswer:
        with visit.read() as tx:
            found = get_segment(tx, segment_id)
            visit.tagged(_said(found))
            return _answer(found, visit, _names(visit, tx))

    @router.put("/segments/{segment_id:uuid}", responses=ABSENT | _TAKEN | access.CHANGED)
    def put_segment(visit: _Writing, segment_id: UUID, body: SegmentBody) -> SegmentAnswer:
        with visit.begin() as tx:
            visit.meant(tx, lambda: _said(get_segment(tx, segment_id)))
            asked, before = asking(tx, workplace), get_segment(tx, segment_id)
            _allow(visit, body.definition, asked)
            after = save_segment(
                tx, asked, segment_id, body.name, body.definition, made_by=visit.reader.name, now=datetime.now(UTC)
            )
            if after.version != before.version:
                defer(tx, defined, segment_id=str(segment_id))
            visit.note("segment.change", before=_said(before), after=_said(after))
            visit.tagged(_said(after))
            return _answer(after, visit, names_of(tx, asked, visit.language))

    @router.delete("/segments/{segment_id:uuid}", responses=ABSENT | _TAKEN | access.CHANGED, status_code=204)
    def delete_segment(visit: _Writing, segment_id: UUID) -> None:
        with visit.begin() as tx:
            visit.meant(tx, lambda: _said(get_segment(tx, segment_id)))
            gone = archive_segment(tx, asking(tx, workplace), segment_id, now=datetime.now(UTC))
            visit.note("segment.archive", before=_said(gone))

    @router.get("/segments/{segment_id:uuid}/versions", responses=ABSENT)
    def get_versions(visit: _Reading, segment_id: UUID) -> VersionsAnswer:
        with visit.read() as tx:
            names = _names(visit, tx)
            found = versions_of(tx, segment_id)
        return VersionsAnswer(
            items=[
                VersionAnswer(
                    version=one.version,
                    definition=written_tree(one.definition),
                    text=sentence(one.definition, visit.language, names),
                    made_by=one.made_by,
                    made_at=one.made_at,
                )
                for one in found
            ]
        )


def _of_members(router: APIRouter, workplace: Workplace) -> None:
    @router.get("/segments/{segment_id:uuid}/members", responses=ABSENT)
    def get_members(visit: _Reading, segment_id: UUID, after: _After = None, limit: _Rows = 100) -> MembersAnswer:
        with visit.read() as tx:
            found = members_of(tx, segment_id, after=after, limit=limit)
        return MembersAnswer(items=list(found.items), next=found.next)

    @router.get("/segments/{segment_id:uuid}/changes", responses=ABSENT)
    def get_changes(visit: _Reading, segment_id: UUID, after: _After = None, limit: _Rows = 100) -> ChangesAnswer:
        with visit.read() as tx:
            found = changes_of(tx, segment_id, after=after, limit=limit)
        return ChangesAnswer(items=list(found.items), next=found.next)

    @router.get("/segments/{segment_id:uuid}/customers/{customer_id}", responses=ABSENT)
    def get_explanation(visit: _Reading, segment_id: UUID, customer_id: UUID) -> ExplainedAnswer:
        with visit.read() as tx:
            asked = asking(tx, workplace)
            names = names_of(tx, asked, visit.language)
            tree = get_segment(tx, segment_id).definition
            return _told(explained(tx, asked, tree, customer_id, language=visit.language, names=names))


def _allow(visit: access.Visit, tree: Node, asked: Asking) -> None:
    """Refuse to look for whoever is meant by what is hidden from the reader, as a search does; NotAllowed
    ``segments.hidden_attribute``.
    """
    for name in sorted(attributes_of(tree) & asked.vocabulary.personal):
        if visit.reader.fields[profiles.group_of_attribute(name)] is access.Seen.HIDDEN:
            raise NotAllowed("segments.hidden_attribute", attribute=name)


def _names(visit: access.Visit, tx: Transaction) -> Names:
    return names_of(tx, asking(tx, visit.place), visit.language)


def _answer(segment: Segment, visit: access.Visit, names: Names) -> SegmentAnswer:
    said = {name: value for name, value in vars(segment).items() if name != "definition"}
    text = sentence(segment.definition, visit.language, names)
    return SegmentAnswer(**said, definition=written_tree(segment.definition), text=text)


def _previewed(found: Preview, text: str) -> PreviewAnswer:
    return PreviewAnswer(**{**vars(found), "some": list(found.some)}, text=text)


def _told(found: Explained) -> ExplainedAnswer:
    told = {**vars(found), "parts": [_told(one) for one in found.parts]}
    return ExplainedAnswer(**told | {"facts": [FactAnswer(**vars(one)) for one in found.facts]})


def _said(segment: Segment) -> dict[str, Any]:
    """What of a segment can be changed."""
    return {"name": segment.name, "definition": written_tree(segment.definition)}


class TraitAnswer(BaseModel):
    """One thing in which two sides differ, and `text`, which says it.

    `what` is figure, attribute, tag, category, brand or survey (what was last answered); `name` which figure, attribute
    or survey. A `value` has its `share` of all customers of each side (0 to 1) and Cohen's h as its `effect`; a number
    has its `mean` of those of whom it is known, and Cohen's d. An effect above 0 is more on the first side; 0.2 is
    small, 0.5 medium, 0.8 large. The `definition` means whoever has the value; there is none of a number.
    """

    what: str
    name: str | None
    value: str | bool | None
    text: str
    share: float | None
    share_against: float | None
    mean: float | None
    mean_against: float | None
    effect: float
    definition: dict[str, Any] | None


class ProfileAnswer(BaseModel):
    """What sets the `customers` of a segment apart from the `against` others, the greatest effect first, at most 40."""

    as_of: datetime
    customers: int
    against: int
    items: list[TraitAnswer]


class SideAnswer(BaseModel):
    """One of two segments; `value_minor` is what its customers are worth, past and expected."""

    segment_id: UUID
    name: str
    customers: int
    value_minor: int


class ComparisonAnswer(BaseModel):
    """Two segments beside each other: how many are in both and in only one, and what sets `one` apart from `other`."""

    as_of: datetime
    one: SideAnswer
    other: SideAnswer
    both: int
    only_one: int
    only_other: int
    items: list[TraitAnswer]


class ClustersBody(BaseModel):
    """How many groups are wanted; as many as suit where nothing is said."""

    model_config = ConfigDict(extra="forbid")

    clusters: Annotated[int, Field(ge=CLUSTERS_MIN, le=CLUSTERS_MAX)] | None = None


def _of_knowledge(router: APIRouter, workplace: Workplace, finding: AnyTask) -> None:
    @router.post("/segments/clusters", status_code=202, responses=_TAKEN)
    def find_clusters(visit: _Writing, body: ClustersBody) -> QueuedBody:
        with visit.begin() as tx:
            asked = {"clusters": body.clusters, "language": visit.language.value}
            lock = "segments.clusters"
            job_id = queue_job(tx, finding, kind="segments.clusters", asker=visit.asker, asked=asked, lock=lock)
            visit.note(job_id=job_id)
        return QueuedBody(job_id=job_id)

    @router.get("/segments/{segment_id:uuid}/profile", responses=ABSENT | _BUSY)
    def get_profile(visit: _Reading, segment_id: UUID, against: UUID | None = None) -> ProfileAnswer:
        found = profile(workplace, segment_id, against)
        with visit.read() as tx:
            items = _contrasted(found.items, visit, _names(visit, tx))
        return ProfileAnswer(as_of=found.as_of, customers=found.customers, against=found.against, items=items)

    @router.get("/segments/compare", responses=ABSENT | _BUSY)
    def get_comparison(visit: _Reading, one: UUID, other: UUID) -> ComparisonAnswer:
        found = compare(workplace, one, other)
        with visit.read() as tx:
            items = _contrasted(found.items, visit, _names(visit, tx))
        return _compared(found, items)


def _contrasted(traits: tuple[Trait, ...], visit: access.Visit, names: Names) -> list[TraitAnswer]:
    language = visit.language
    return [TraitAnswer(**told(one, language, names)) for one in worth_telling(traits, language, names)]


def _compared(found: Comparison, items: list[TraitAnswer]) -> ComparisonAnswer:
    def side(one: Side) -> SideAnswer:
        return SideAnswer(**vars(one))

    return ComparisonAnswer(**(vars(found) | {"one": side(found.one), "other": side(found.other), "items": items}))
