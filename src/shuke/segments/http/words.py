"""What trees can speak of: the words that there are, and what values they have."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from starlette.routing import BaseRoute

from shuke import access
from shuke.base.language import Catalogue, catalogue
from shuke.platform import Metrics, Workplace
from shuke.platform.http import api
from shuke.segments.model.kinds import FIGURES, Kind
from shuke.segments.model.words import Agreed, Happening, Held, Labelled, Named, Used
from shuke.segments.rules.checking import written_tree
from shuke.segments.rules.wording import sentence
from shuke.segments.service.asking import asking
from shuke.segments.service.definitions import list_segments
from shuke.segments.service.lists import list_lists
from shuke.segments.service.reading import names_of
from shuke.segments.service.templates import templates_for
from shuke.segments.service.words import Of, labels_of, suggested, words_now

__all__ = ["word_routes"]

_Reading = Annotated[access.Visit, access.needs("segments.read")]
_Word = Annotated[str | None, Query(max_length=100)]


class StageWord(BaseModel):
    """A stage, and what it is called."""

    code: str
    name: str


class IdentityWord(BaseModel):
    """A kind of identities, what it is called, and how many customers have one."""

    kind: str
    label: str
    customers: int


class ListWord(BaseModel):
    """A list of customers that somebody gave."""

    list_id: UUID
    name: str
    customers: int


class SegmentWord(BaseModel):
    """A segment; `customers` is null before it was built once."""

    segment_id: UUID
    name: str
    customers: int | None


class VocabularyAnswer(BaseModel):
    """What a definition can speak of, the most frequent first, as of `as_of`.

    `times` are facts (of a kind and a name), orders (channels, stores) or lines of orders (categories, brands). The
    properties of facts are counted among `looked_at` of them, drawn at random.
    """

    as_of: datetime
    attributes: list[Named]
    figures: list[Named]
    stages: list[StageWord]
    tags: tuple[Held, ...]
    identities: list[IdentityWord]
    consents: tuple[Agreed, ...]
    facts: tuple[Happening, ...]
    channels: tuple[Used, ...]
    stores: list[Labelled]
    categories: tuple[Used, ...]
    brands: tuple[Used, ...]
    lists: list[ListWord]
    segments: list[SegmentWord]


class SuggestionsAnswer(BaseModel):
    """Values that are there, the most frequent first.

    `times` are customers of attributes and tags, lines of orders of products, categories and brands, orders of channels
    and stores; of properties facts among those that were drawn at random, at most some thousands of each name.
    """

    items: tuple[Labelled, ...]


class TemplateAnswer(BaseModel):
    """A definition to begin with: what it is called, why one would want it, and what it says in words."""

    code: str
    group: str
    group_name: str
    name: str
    why: str
    definition: dict[str, Any]
    text: str


class TemplatesAnswer(BaseModel):
    """All that this brand can ask."""

    items: list[TemplateAnswer]


#: Of each list of the answer.
WORDS_MAX = 200


def word_routes(workplace: Workplace, _: Metrics) -> list[BaseRoute]:
    """The routes of words."""
    router = api("segments")

    @router.get("/segments/vocabulary")
    def get_vocabulary(visit: _Reading) -> VocabularyAnswer:
        words = words_now(workplace)
        called = catalogue("shuke.segments", visit.language)
        with visit.read() as tx:
            asked = asking(tx, workplace)
            names = labels_of(tx, "store", values=[one.value for one in words.stores])
            lists = [ListWord(list_id=one.list_id, name=one.name, customers=one.customers) for one in list_lists(tx)]
            built = [
                SegmentWord(segment_id=one.segment_id, name=one.name, customers=one.customers)
                for one in list_segments(tx)
            ]
        # Who adds a statement begins with the first, which is rather what more can be asked of.
        kinds = sorted(asked.kinds.items(), key=lambda one: (one[1] is Kind.YEARLY, one[0]))
        return VocabularyAnswer(
            as_of=words.as_of,
            attributes=[Named(name=name, label=_called(called, "attributes", name), kind=kind) for name, kind in kinds][
                :WORDS_MAX
            ],
            figures=[
                Named(name=one.value, label=_called(called, "figures", one.value), kind=kind)
                for one, kind in FIGURES.items()
            ],
            stages=[StageWord(code=code, name=name) for code, name in asked.stage_names(visit.language).items()],
            tags=words.tags,
            identities=[
                IdentityWord(kind=one.kind, label=_called(called, "identities", one.kind), customers=one.customers)
                for one in words.identities
            ],
            consents=words.consents,
            facts=words.facts,
            channels=words.channels,
            stores=[
                Labelled(value=one.value, label=names.get(one.value, one.value), times=one.times)
                for one in words.stores
            ],
            categories=words.categories,
            brands=words.brands,
            lists=sorted(lists, key=lambda one: -one.customers)[:WORDS_MAX],
            segments=sorted(built, key=lambda one: -(one.customers or 0))[:WORDS_MAX],
        )

    @router.get("/segments/suggestions")
    def get_suggestions(
        visit: _Reading,
        of: Of,
        *,
        name: Annotated[str | None, Query(max_length=100, description="of which attribute, or property")] = None,
        fact_kind: _Word = None,
        fact_name: Annotated[str | None, Query(max_length=200)] = None,
        where: Annotated[
            str | None, Query(max_length=100, description="only of facts of which this property …")
        ] = None,
        where_is: Annotated[str, Query(max_length=500, description="… is this")] = "",
        begins: Annotated[str, Query(max_length=100, description="what has been typed: it is in the value")] = "",
    ) -> SuggestionsAnswer:
        with visit.read() as tx:
            asked = asking(tx, workplace)
        found = suggested(
            workplace,
            asked,
            of,
            name=name,
            fact_kind=fact_kind,
            fact_name=fact_name,
            where=None if where is None else (where, where_is),
            begins=begins,
        )
        return SuggestionsAnswer(items=found)

    @router.get("/segments/templates")
    def get_templates(visit: _Reading) -> TemplatesAnswer:
        with visit.read() as tx:
            asked = asking(tx, workplace)
            names = names_of(tx, asked, visit.language)
        called = catalogue("shuke.segments", visit.language)
        return TemplatesAnswer(
            items=[
                TemplateAnswer(
                    code=one.code,
                    group=one.group,
                    group_name=called(f"template_groups.{one.group}"),
                    name=called(f"templates.{one.code}.name"),
                    why=called(f"templates.{one.code}.why"),
                    definition=written_tree(one.definition),
                    text=sentence(one.definition, visit.language, names),
                )
                for one in templates_for(asked.vocabulary)
            ]
        )

    return list(router.routes)


def _called(words: Catalogue, kind: str, code: str) -> str:
    key = f"text.{kind}.{code}"
    return words(key) if words.has(key) else code
