"""``/api/sources``: who may send events, and the write keys that they send with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access
from shuke.collect.model import CODE_CHARACTERS_MAX
from shuke.collect.service.write_keys import EventSource, add_source, disable_source, list_sources
from shuke.platform import Metrics, Workplace
from shuke.platform.http import api, refusal

__all__ = ["source_routes"]

_Writing = Annotated[access.Visit, access.needs("data.write")]


class SourceBody(BaseModel):
    """``currency`` is that of amounts that come without one."""

    model_config = ConfigDict(extra="forbid")

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")] | None = None


class WriteKeyAnswer(BaseModel):
    """The key to send with. It is shown this once: only its hash is kept."""

    name: str
    write_key: str


def source_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of sources."""
    router = api("collect")

    @router.get("/sources")
    def get_sources(visit: Annotated[access.Visit, access.needs("data.read")]) -> tuple[EventSource, ...]:
        with visit.read() as tx:
            return list_sources(tx)

    @router.post("/sources/{name}/key", responses=refusal(409, "There are too many sources"))
    def post_key(
        visit: _Writing, name: Annotated[str, Path(min_length=1, max_length=CODE_CHARACTERS_MAX)], body: SourceBody
    ) -> WriteKeyAnswer:
        with visit.begin() as tx:
            key = add_source(tx, name, now=datetime.now(UTC), currency=body.currency)
            visit.tells_secret()
        return WriteKeyAnswer(name=name.strip(), write_key=key)

    @router.delete(
        "/sources/{name}/key",
        status_code=204,
        responses=refusal(404, "There is none"),
    )
    def delete_key(visit: _Writing, name: Annotated[str, Path(min_length=1, max_length=CODE_CHARACTERS_MAX)]) -> None:
        with visit.begin() as tx:
            disable_source(tx, name, now=datetime.now(UTC))

    return list(router.routes)
