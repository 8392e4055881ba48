"""``/api/stages`` and ``/api/settings/stages``: how the stages are called, what decides, what other rules would do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access
from shuke.base.language import Language
from shuke.insight import CUSTOMER_STAGES
from shuke.insight.stages import FIELDS
from shuke.lifecycle.model import StageCount, StageDefinition
from shuke.lifecycle.service import stages
from shuke.lifecycle.service.reading import last_refresh
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, api

__all__ = ["stage_routes"]

STAGES_MAX = 30
RULES_MAX = 100
CONDITIONS_MAX = 20
#: Versions that come with the stages; each can be asked for.
VERSIONS_SHOWN = 50

_Reading = Annotated[access.Visit, access.needs("settings.read")]
_Writing = Annotated[access.Visit, access.needs("settings.write")]
_Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e15, le=1e15, strict=True)]
_Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LimitsBody(_Body):
    """What a field has to be; a limit that is absent does not bind."""

    at_least: _Number | None = None
    above: _Number | None = None
    at_most: _Number | None = None
    below: _Number | None = None


_Conditions = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=200)], LimitsBody], Field(max_length=CONDITIONS_MAX)
]


class StageBody(_Body):
    """A stage: its code, its name by language, and what data it needs beyond orders."""

    code: _Code
    name: Annotated[dict[Language, Annotated[str, Field(min_length=1, max_length=50)]], Field(max_length=2)] = {}
    needs: Literal["", "people", "events"] = ""


class RuleBody(_Body):
    """`stage` is given when every condition of `when` holds; none always holds.

    `otherwise` decides in place of `when` for customers of whom a field in `when` is not known.
    """

    stage: _Code
    when: _Conditions = {}
    otherwise: _Conditions | None = None


class StagesBody(_Body):
    """Stages in the order of a life, and rules of which the first that holds decides."""

    stages: Annotated[list[StageBody], Field(min_length=1, max_length=STAGES_MAX)]
    rules: Annotated[list[RuleBody], Field(min_length=1, max_length=RULES_MAX)]
    usual_gap_days: Annotated[float, Field(gt=0, le=1e15, strict=True)] | None = None


class FieldBody(BaseModel):
    """What a rule may ask for, and where it comes from."""

    field: str
    kind: Literal["orders", "events", "prediction"]


class VersionBody(BaseModel):
    """When somebody put stages in force."""

    version: int
    made_by: str
    made_at: datetime


class StagesAnswer(StagesBody):
    """The stages that are in force, of version 0 those that are shipped; with what rules may ask for."""

    version: int
    fields: list[FieldBody]
    versions: list[VersionBody]


class NamedStage(BaseModel):
    """A stage, and what it is called."""

    code: str
    name: dict[Language, str]


class NamedStages(BaseModel):
    """The stages in the order of a life."""

    items: list[NamedStage]


class PreviewAnswer(BaseModel):
    """Customers by stage as they are and as they would be, among those who have ordered by `as_of`."""

    as_of: datetime | None
    items: list[StageCount]


def stage_routes(workplace: Workplace, _: Metrics) -> list[BaseRoute]:
    """The routes of stages."""
    router = api("lifecycle")

    @router.get("/stages")
    def get_stage_names(visit: Annotated[access.Visit, access.needs("customers.read")]) -> NamedStages:
        with visit.read() as tx:
            found = stages.current_stages(tx)
        shipped = {one.code: one.names for one in CUSTOMER_STAGES.stages}
        named = {one.code: {**shipped.get(one.code, {}), **one.names} for one in found.stages}
        return NamedStages(
            items=[
                NamedStage(code=code, name={Language(language): name for language, name in names.items()})
                for code, names in named.items()
            ]
        )

    @router.get("/settings/stages")
    def get_stages(visit: _Reading) -> StagesAnswer:
        with visit.read() as tx:
            visit.tagged(stages.current_definition(tx))
            return _answer(stages.definitions(tx, limit=VERSIONS_SHOWN))

    @router.put("/settings/stages", responses=access.CHANGED)
    def put_stages(visit: _Writing, body: StagesBody) -> StagesAnswer:
        with visit.begin() as tx:
            visit.meant(tx, lambda: stages.current_definition(tx))
            before = stages.current_definition(tx)
            made = stages.save_stages(tx, _tree(body), made_by=visit.reader.name, now=datetime.now(UTC))
            visit.note(
                "stages.change", version=made.version, before=None if before is None else before.tree, after=made.tree
            )
            visit.tagged(made)
            return _answer(stages.definitions(tx, limit=VERSIONS_SHOWN))

    # Of this form only, so that /settings/stages/preview has no other methods than its own.
    @router.get("/settings/stages/{version:int}", responses=ABSENT)
    def get_stages_of(visit: _Reading, version: Annotated[int, Path(ge=0, le=2**31 - 1)]) -> StagesBody:
        if version == 0:
            return _body(CUSTOMER_STAGES.as_tree())
        with visit.read() as tx:
            return _body(stages.definition_of(tx, version).tree)

    @router.post("/settings/stages/preview")
    def preview_stages(visit: _Reading, body: StagesBody) -> PreviewAnswer:
        rules = stages.checked_stages(_tree(body))
        everybody = visit.reader.where is access.Where.ALL
        with visit.read() as tx:
            latest = last_refresh(tx)
            items = stages.preview(workplace, tx, rules, everybody=everybody)
            return PreviewAnswer(as_of=latest.as_of if latest else None, items=list(items))

    return list(router.routes)


def _tree(body: StagesBody) -> dict[str, Any]:
    """The body as the TOML of such a vocabulary would have it, which has no empty tables."""

    def limits(conditions: dict[str, LimitsBody]) -> dict[str, Any]:
        return {field: one.model_dump(exclude_none=True) for field, one in conditions.items()}

    tree: dict[str, Any] = {
        "name": CUSTOMER_STAGES.name,
        "stages": [one.model_dump(mode="json") for one in body.stages],
        "rules": [
            {"stage": one.stage}
            | ({"when": limits(one.when)} if one.when else {})
            | ({"otherwise": limits(one.otherwise)} if one.otherwise is not None else {})
            for one in body.rules
        ],
    }
    return tree if body.usual_gap_days is None else {**tree, "usual_gap_days": body.usual_gap_days}


def _body(tree: dict[str, Any]) -> StagesBody:
    return StagesBody(**{name: value for name, value in tree.items() if name != "name"})


def _answer(made: tuple[StageDefinition, ...]) -> StagesAnswer:
    tree = made[0].tree if made else CUSTOMER_STAGES.as_tree()
    return StagesAnswer(
        **_body(tree).model_dump(),
        version=made[0].version if made else 0,
        fields=[FieldBody(field=field, kind=kind) for field, kind in FIELDS.items()],
        versions=[VersionBody(version=one.version, made_by=one.made_by, made_at=one.made_at) for one in made],
    )
