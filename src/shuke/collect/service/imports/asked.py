"""Imports that somebody asked for over HTTP: their files are kept encrypted, and a worker does the rest.

What names customers stays out of the job's own row, which is plain: the preview and the rows that were left out are
files as the ones that were sent, of whoever sent those.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from shuke import profiles
from shuke.base.errors import BadInput, NotFound
from shuke.base.language import Language, catalogue
from shuke.collect.model import TREATMENTS, Treatment
from shuke.collect.service.imports.files import ImportOptions, import_files
from shuke.collect.service.imports.ledger import Imported
from shuke.collect.service.imports.preview import Preview, look_at
from shuke.platform import (
    Asker,
    FileWriter,
    Running,
    StoredFile,
    Transaction,
    Workplace,
    copy_file,
    get_file,
    new_file,
    read_file,
    store_path,
)

__all__ = [
    "FILES_MAX",
    "IMPORT",
    "PREVIEW",
    "REJECTS_DAYS",
    "ROWS_MAX",
    "UPLOAD",
    "UPLOAD_DAYS",
    "RejectedRow",
    "import_asked",
    "preview_asked",
    "preview_of",
    "reason_of",
    "rejected_rows",
    "rejects_file",
    "sent_files",
]

#: Kinds of jobs, and of files.
PREVIEW, IMPORT = "collect.preview", "collect.import"
UPLOAD = "import"
_PREVIEW_FILE, _REJECTS, _ROWS = "import_preview", "import_rejects", "import_rows"

#: Files of one import that come over HTTP.
FILES_MAX = 20
#: How long what was sent is kept, and what was left out of it.
UPLOAD_DAYS = 7
REJECTS_DAYS = 30
#: Rejected rows that are shown; the file that can be saved has more.
ROWS_MAX = 100


class RejectedRow(msgspec.Struct, frozen=True):
    """A row that was left out: where it stands, the code of the reason, and its cells."""

    file: str
    row: int | None
    code: str
    cells: tuple[str, ...]


def sent_files(tx: Transaction, file_ids: Sequence[UUID], asker: Asker) -> list[StoredFile]:
    """The files that this asker has sent.

    Raises:
        BadInput: ``collect.no_files``.
        NotFound: ``platform.no_file``.
    """
    if not file_ids:
        raise BadInput("collect.no_files")
    return [get_file(tx, file_id, kind=UPLOAD, asker=asker) for file_id in dict.fromkeys(file_ids)]


def preview_asked(running: Running) -> None:
    """Look at a file that was sent, and keep what was seen; the result names it."""
    place, asker = running.place, running.job.asker
    running.progress("collect.open", 0.0)
    with running.folder() as folder:
        with place.database.read() as tx:
            (file,) = sent_files(tx, [UUID(running.job.asked["file_id"])], asker)
            defined = set(profiles.attribute_definitions_of(tx))
        (path,) = _copies(place, [file], folder)
        seen = look_at(path, defined=defined, work_folder=folder, progress=running.progress)
    with _file(place, _PREVIEW_FILE, "preview.json", asker, UPLOAD_DAYS) as out:
        out.write(msgspec.json.encode(seen))
        with place.database.begin() as tx:
            kept = out.finish(tx)
            running.done(tx, {"file_id": str(file.file_id), "preview_id": str(kept.file_id), "kind": seen.kind})


def preview_of(tx: Transaction, place: Workplace, preview_id: UUID, asker: Asker) -> Preview:
    """What was seen of a file of this asker's; NotFound ``platform.no_file``."""
    kept = get_file(tx, preview_id, kind=_PREVIEW_FILE, asker=asker)
    return msgspec.json.decode(b"".join(read_file(place, kept)), type=Preview)


def import_asked(running: Running, *, wake: Callable[[Transaction], None]) -> None:
    """Import files that were sent, and keep what was left out; the result says how many of what."""
    place, job, asked = running.place, running.job, running.job.asked
    language = Language(asked["language"])
    running.progress("collect.open", 0.0)
    with running.folder() as folder:
        with place.database.read() as tx:
            sent = sent_files(tx, [UUID(one["file_id"]) for one in asked["files"]], job.asker)
        paths = _copies(place, sent, folder)
        options = ImportOptions(
            kind=asked["kind"],
            mapping=asked["mapping"],
            currency=asked["currency"],
            timezone=asked["timezone"],
            source=asked["source"],
            identity_kind=asked["identity_kind"],
            dry_run=asked["dry_run"],
            rejects_folder=folder / "rejected",
            language=language,
        )
        (folder / "work").mkdir()
        imported = import_files(
            place,
            [str(path) for path in paths],
            options,
            work_folder=folder / "work",
            now=lambda: datetime.now(UTC),
            wake=wake,
            progress=running.progress,
        )
        result = _result(imported)
        if not imported.rejects:
            with place.database.begin() as tx:
                running.done(tx, result)
            return
        _keep_rejects(running, imported.rejects, result, folder, language)


def _keep_rejects(
    running: Running, rejects: Sequence[Path], result: Mapping[str, Any], folder: Path, language: Language
) -> None:
    place, asker = running.place, running.job.asker
    rows = msgspec.json.encode(_first_rows(rejects, language))
    path = rejects[0] if len(rejects) == 1 else _zipped(rejects, folder / "rejects.zip")
    with (
        _file(place, _ROWS, "rows.json", asker, REJECTS_DAYS) as first,
        _file(place, _REJECTS, path.name, asker, REJECTS_DAYS) as whole,
    ):
        first.write(rows)
        store_path(path, whole)
        with place.database.begin() as tx:
            files = {"rows_id": str(first.finish(tx).file_id), "rejects_id": str(whole.finish(tx).file_id)}
            running.done(tx, {**result, **files})


def rejected_rows(tx: Transaction, place: Workplace, result: Mapping[str, Any], asker: Asker) -> list[RejectedRow]:
    """The first rows that an import left out, for whoever sent them; none where there are none, or not any more."""
    if "rows_id" not in result:
        return []
    try:
        kept = get_file(tx, UUID(result["rows_id"]), kind=_ROWS, asker=asker)
        return msgspec.json.decode(b"".join(read_file(place, kept)), type=list[RejectedRow])
    except NotFound:
        return []


def rejects_file(tx: Transaction, result: Mapping[str, Any], asker: Asker) -> StoredFile:
    """All that an import left out, for whoever sent it; NotFound ``platform.no_file``."""
    if "rejects_id" not in result:
        raise NotFound("platform.no_file")
    return get_file(tx, UUID(result["rejects_id"]), kind=_REJECTS, asker=asker)


def _result(imported: Imported) -> dict[str, Any]:
    """What is told of an import: counts, and why rows were left out, as codes."""
    rejected: dict[str, int] = {}
    if imported.quality is not None:
        for count in imported.quality.counts:
            if count.treatment in (Treatment.SET_ASIDE, Treatment.REJECTED) and count.rows:
                rejected[count.code] = count.rows
    rejected |= {code: rows for code, rows in imported.rejected.items() if rows}
    return {
        "counts": dict(imported.counts),
        "resumed": imported.resumed,
        "rejected": rejected,
        "rejected_amount_minor": imported.rejected_amount_minor,
        "currency": imported.currency,
    }


def _first_rows(paths: Sequence[Path], language: Language) -> list[RejectedRow]:
    """The first rows of the files that were written, as they were written."""
    say = catalogue("shuke.collect", language)
    found: list[RejectedRow] = []
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            titles = next(reader)
            at = {name: titles.index(say(f"rejects.{name}")) for name in ("code", "reason")}
            # Whole orders that were left out have no row.
            places = {"file": say("rejects.file"), "row": say("rejects.row")}
            at |= {name: titles.index(title) for name, title in places.items() if title in titles[:2]}
            for row in islice(reader, ROWS_MAX - len(found)):
                cells = tuple(cell for place, cell in enumerate(row) if place not in at.values())
                name = row[at["file"]] if "file" in at else ""
                number = int(row[at["row"]]) if "row" in at else None
                found.append(RejectedRow(name, number, row[at["code"]], cells))
    return found


#: Reasons that the files of rejects name by their code alone.
_OF_ROWS = {code for code, _ in TREATMENTS}


def reason_of(code: str, language: Language) -> str:
    """Why a row was left out, in the reader's language."""
    say = catalogue("shuke.collect", language)
    return say(f"{'reasons' if code in _OF_ROWS else 'import_reasons'}.{code}")


def _zipped(paths: Sequence[Path], into: Path) -> Path:
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as out:
        for path in paths:
            out.write(path, path.name)
    return into


def _copies(place: Workplace, sent: Sequence[StoredFile], folder: Path) -> list[Path]:
    """The files on disk under their own names, each in a folder of its own, since two may have one name."""
    paths = []
    for number, file in enumerate(sent):
        beside = folder / str(number)
        beside.mkdir()
        copy_file(place, file, beside / file.name)
        paths.append(beside / file.name)
    return paths


def _file(place: Workplace, kind: str, name: str, asker: Asker, days: int) -> AbstractContextManager[FileWriter]:
    media = "application/json" if name.endswith(".json") else "application/zip" if name.endswith(".zip") else "text/csv"
    return new_file(place, kind=kind, name=name, media_type=media, asker=asker, days=days)
