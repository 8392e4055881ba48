"""``/api/audit``: who did what to what, and when; page by page, and as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.responses import Response
from starlette.routing import BaseRoute

from shuke.access.http.guard import Visit, needs
from shuke.access.model import Entry, Kind
from shuke.access.service import audit
from shuke.base.spreadsheets import neutral
from shuke.platform import Metrics, Transaction, Workplace
from shuke.platform.http import Moment, api

__all__ = ["audit_routes"]

#: Lines of one file; the next one begins before the last of them.
EXPORT_MAX = 50_000

Reading = Annotated[Visit, needs("audit.read")]
Code = Annotated[str, Query(max_length=200)]
_COLUMNS = ("seq", "at", "who_kind", "who_id", "who", "action", "object", "before", "after", "request_id", "hash")


class EntryBody(BaseModel):
    """One line: who did what to what. Personal values in `before` and `after` are masked."""

    seq: int
    at: datetime
    who_kind: Kind
    who_id: UUID | None
    who: str
    action: str
    object: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None
    hash: str


class AuditPage(BaseModel):
    """Some lines, newest first; `next` is what to ask `before` for more."""

    items: list[EntryBody]
    next: int | None


def _wanted(
    who: UUID | None = None,
    action: Code | None = None,
    about: Annotated[str | None, Query(max_length=200, description="an id or code that the object names")] = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> audit.Wanted:
    return audit.Wanted(who=who, action=action, about=about, since=since, until=until)


Filtered = Annotated[audit.Wanted, Depends(_wanted)]
Before = Annotated[int | None, Query(ge=1, le=2**62, description="`next` of the page before")]


def audit_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of the audit log."""
    router = api("access")

    @router.get("/audit")
    def get_audit(
        visit: Reading,
        wanted: Filtered,
        before: Before = None,
        limit: Annotated[int, Query(ge=1, le=audit.PAGE_MAX)] = 100,
    ) -> AuditPage:
        with visit.read() as tx:
            found = audit.entries(tx, wanted, before=before, limit=limit)
        # The number after the last line may be of a page that turns out to be empty.
        return AuditPage(items=[_body(entry) for entry in found], next=found[-1].seq if len(found) == limit else None)

    # Not below /audit/{…}: a file is something else than a line.
    @router.get("/audit.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
    def export_audit(visit: Reading, wanted: Filtered, before: Before = None) -> Response:
        with visit.begin() as tx:
            text = io.StringIO()
            writer = csv.writer(text)
            writer.writerow(_COLUMNS)
            rows = [[neutral(_cell(value)) for value in _row(entry)] for entry in _some(tx, wanted, before)]
            writer.writerows(rows)
            visit.note("audit.export", lines=len(rows))
        return Response(
            # With a mark of its encoding, without which a spreadsheet reads Chinese wrongly.
            "\ufeff" + text.getvalue(),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="audit.csv"'},
        )

    return list(router.routes)


def _some(tx: Transaction, wanted: audit.Wanted, before: int | None) -> Iterator[Entry]:
    """The lines of a file, page by page."""
    for _ in range(EXPORT_MAX // audit.PAGE_MAX):
        page = audit.entries(tx, wanted, before=before, limit=audit.PAGE_MAX)
        yield from page
        if len(page) < audit.PAGE_MAX:
            return
        before = page[-1].seq


def _row(entry: Entry) -> list[object]:
    said = vars(entry) | {"hash": entry.hash.hex(), "at": entry.at.isoformat()}
    return [said[column] for column in _COLUMNS]


def _cell(value: object) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _body(entry: Entry) -> EntryBody:
    said = {name: value for name, value in vars(entry).items() if name not in ("previous", "hash")}
    return EntryBody(**said, hash=entry.hash.hex())
