"""Customers exported, by a worker, as whoever asked sees them by then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter

from shuke import access, catalog, profiles
from shuke.base.errors import BadInput, NotFound
from shuke.base.language import Language
from shuke.lifecycle.exports import MEDIA_TYPES, Origin, open_table
from shuke.lifecycle.model import Column, CustomerQuery, CustomerRow, Sort
from shuke.lifecycle.service.listing import Members, everybody_who, these_customers, walk_customers
from shuke.lifecycle.service.reading import last_refresh
from shuke.platform import (
    Asker,
    FileWriter,
    Running,
    StoredFile,
    Transaction,
    Workplace,
    delete_file,
    get_file,
    new_file,
    read_file,
    store_path,
)

__all__ = ["EXPORT", "KEPT_DAYS", "PERMISSION", "ROWS_MAX", "export_customers", "keep_request", "made_file"]

#: What the job is called, the file that is made, and the file with what was asked for.
EXPORT = "lifecycle.export"
_REQUEST = "lifecycle.export_request"
PERMISSION = "customers.export"
#: Customers of one file; a sheet takes 1,048,576 rows.
ROWS_MAX = 1_000_000
#: Days that a file is kept.
KEPT_DAYS = 7

_QUERY = TypeAdapter(CustomerQuery)


@contextmanager
def keep_request(place: Workplace, asker: Asker, request: Mapping[str, Any]) -> Iterator[FileWriter]:
    """A file that says of whom an export is to be, to be finished in the transaction that queues the job.

    What is searched for may be a phone number, and jobs hold nothing personal.
    """
    media_type = "application/json"
    with new_file(place, kind=_REQUEST, name="request.json", media_type=media_type, asker=asker, days=KEPT_DAYS) as out:
        out.write(json.dumps(request).encode())
        yield out


def made_file(tx: Transaction, result: Mapping[str, Any], asker: Asker) -> StoredFile:
    """The file of an export, of its asker alone.

    Raises:
        NotFound: ``lifecycle.no_export_file`` when there is none, or none any more.
    """
    file_id = result.get("file_id")
    if file_id is None:
        raise NotFound("lifecycle.no_export_file")
    try:
        return get_file(tx, UUID(file_id), kind=EXPORT, asker=asker)
    except NotFound:
        raise NotFound("lifecycle.no_export_file") from None


def export_customers(running: Running, *, members: Members) -> None:
    """Make the file of a job that was asked for, as the asker is by now: their role, scope and what they see.

    ``members`` says who is in a segment.

    Raises:
        NotAllowed: ``access.not_any_more``.
        BadInput: ``lifecycle.export_too_large`` above :data:`ROWS_MAX`, and the codes of lists.
        Others: those of ``members``.
    """
    place, job, now = running.place, running.job, datetime.now(UTC)
    with place.database.read() as tx:
        reader = access.reader_by_now(tx, job.asker, PERMISSION, now)
        wanted = _request(tx, place, job.asked, job.asker, partial(members, reader, tx))
        origin = _origin(tx, place, job.job_id, reader, job.asked, now)
    kind = job.asked["format"]
    with running.folder() as folder:
        path = folder / f"customers.{kind}"
        customers = 0
        columns = [Column(one) for one in job.asked["columns"]]
        # One state of the database for the whole file; PostgreSQL itself holds back whom they may not see.
        with open_table(kind, path, columns, origin) as table, place.database.read() as tx:
            access.see_as(tx, reader)
            expected = _expected(tx, place, wanted, reader)
            for rows in _walk(tx, place, wanted, job.asked, reader):
                customers += len(rows)
                if customers > ROWS_MAX:
                    raise BadInput("lifecycle.export_too_large", limit=ROWS_MAX)
                table.add(rows)
                running.progress("lifecycle.export", 0.95 * customers / max(expected, customers, 1))
            table.finish(customers)
        _keep(running, reader, path, kind, customers)


def _keep(running: Running, reader: access.Reader, path: Path, kind: str, customers: int) -> None:
    place, job = running.place, running.job
    name = f"customers-{job.created_at:%Y-%m-%d}-{str(job.job_id)[-6:]}.{kind}"
    with new_file(place, kind=EXPORT, name=name, media_type=MEDIA_TYPES[kind], asker=job.asker, days=KEPT_DAYS) as out:
        store_path(path, out)
        with place.database.begin() as tx:
            now = datetime.now(UTC)
            # Who was disabled meanwhile gets nothing.
            access.reader_by_now(tx, job.asker, PERMISSION, now)
            file = out.finish(tx)
            delete_file(tx, UUID(job.asked["request_id"]))
            running.done(
                tx,
                {
                    "file_id": str(file.file_id),
                    "name": file.name,
                    "size_bytes": file.size_bytes,
                    "expires_at": file.expires_at.isoformat(),
                    "customers": customers,
                },
            )
            about = {"export_id": job.job_id, "format": kind, "query": job.asked["query"]}
            after = {"customers": customers, "sha256": file.sha256}
            access.record(tx, place.keyring, reader, access.Deed("customers.exported", about, after=after), now)


def _request(
    tx: Transaction,
    place: Workplace,
    asked: Mapping[str, Any],
    asker: Asker,
    in_segment: Callable[[UUID], profiles.Chosen],
) -> dict[str, Any]:
    """Whom it is to be of: a query, or numbers of customers."""
    file = get_file(tx, UUID(asked["request_id"]), kind=_REQUEST, asker=asker)
    found: dict[str, Any] = json.loads(b"".join(read_file(place, file)))
    if found.get("query") is not None:
        segment = found["query"].pop("segment", None)
        query = _QUERY.validate_python(found["query"])
        return {"query": query if segment is None else replace(query, segment=in_segment(UUID(segment)))}
    return {"customer_ids": [UUID(one) for one in found["customer_ids"]]}


def _walk(
    tx: Transaction, place: Workplace, wanted: Mapping[str, Any], asked: Mapping[str, Any], reader: access.Reader
) -> Iterator[list[CustomerRow]]:
    if "customer_ids" in wanted:
        return these_customers(tx, place.keyring, wanted["customer_ids"], fields=reader.fields)
    sort, descending = Sort(asked["sort"]), asked["descending"]
    return walk_customers(tx, place.keyring, wanted["query"], sort=sort, descending=descending, fields=reader.fields)


def _expected(tx: Transaction, place: Workplace, wanted: Mapping[str, Any], reader: access.Reader) -> int:
    """How many there will be, about; what is too much already is refused before anything is written."""
    if "customer_ids" in wanted:
        return len(wanted["customer_ids"])
    if wanted["query"].search is not None:
        return ROWS_MAX
    chosen = everybody_who(tx, place.keyring, wanted["query"], most=ROWS_MAX + 1, fields=reader.fields)
    some = chosen.limit(ROWS_MAX + 1).subquery()
    found = tx.scalar(sa.select(sa.func.count()).select_from(some)) or 0
    if found > ROWS_MAX:
        raise BadInput("lifecycle.export_too_large", limit=ROWS_MAX)
    return found


def _origin(
    tx: Transaction, place: Workplace, export_id: UUID, reader: access.Reader, asked: Mapping[str, Any], now: datetime
) -> Origin:
    latest = last_refresh(tx)
    return Origin(
        export_id=export_id,
        brand=catalog.brand_of(tx).name or "",
        who=reader.name,
        role=reader.role,
        at=now,
        time_zone=catalog.zone_of(tx, place.settings),
        language=Language(asked["language"]),
        conditions=[(name, _shown(value)) for name, value in (asked["query"] or {}).items()],
        currency=latest.currency if latest else None,
        as_of=latest.as_of if latest else None,
    )


def _shown(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
