"""Files of events into the inbox: the collecting protocol's messages, one JSON object a line, or tables of events."""

# ruff: noqa: S608 - SQL has no parameters for columns; every name in it is ours or quoted by `desk`

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from shuke.base.clock import known_timezone
from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.base.progress import Progress, silent
from shuke.collect.model import EVENT_BYTES_MAX, FieldMatch
from shuke.collect.rules.event_tables import LITERAL, EventColumns, event_columns, event_of
from shuke.collect.rules.personal import is_reference
from shuke.collect.rules.requests import batch_of
from shuke.collect.service import inbox
from shuke.collect.service.desk import quoted
from shuke.collect.service.imports.ledger import Counts, Imported, Step, fingerprint, run_steps
from shuke.collect.service.imports.rows import Left, Listed, open_list
from shuke.collect.service.origins import ensure_source, find_source
from shuke.collect.service.sources import find_files
from shuke.collect.service.staging import read_moments
from shuke.platform import Transaction, Workplace

__all__ = ["import_events"]

BATCH_LINES = 1_000
BATCH_BYTES = 2_000_000


def import_events(  # noqa: PLR0913 - what a person may say about it; all but the files by keyword
    workplace: Workplace,
    files: Sequence[str],
    *,
    source: str,
    now: Callable[[], datetime],
    wake: Callable[[Transaction], None],
    work_folder: Path,
    mapping: Mapping[str, str] | None = None,
    timezone: str | None = None,
    dry_run: bool = False,
    rejects_folder: Path | None = None,
    language: Language = Language.ENGLISH,
    progress: Progress = silent,
) -> Imported:
    """Put events into the inbox, from where the worker makes facts of them as of those that come over HTTP.

    A message that was taken before, by its ``messageId`` and the source, is one fact. A line without one gets an id
    made of what it says and of how many lines before it say the same, so that the file can be imported again.

    Args:
        workplace: whose database; its transactions are opened here, one for each batch.
        files: JSON Lines in UTF-8, or tables (CSV, XLSX, Parquet) with a row for each event: columns that the message
            has fields for, columns that name somebody, and all others as properties.
        source: the name of the source.
        now: the clock.
        wake: has the inbox processed.
        work_folder: for intermediate files.
        mapping: for tables, field of the message or kind of identity → column name or number from 1.
        timezone: of times in tables that name none; UTC without it.
        dry_run: only count; nothing stays.
        rejects_folder: where lines that are no event are written with their reasons.
        language: of the reasons.
        progress: told the share that is done.

    Raises:
        BadInput: ``collect.no_files``, ``collect.file_missing``; of tables, ``collect.missing_event_time``,
            ``collect.no_identity_column``, ``base.unknown_timezone``, and the codes of opening files.
    """
    given = dict(mapping or {})
    paths = find_files(files)
    left = Left()
    with workplace.database.begin() as tx:
        source_id = find_source(tx, source) if dry_run else ensure_source(tx, source, now=now())
    seen: dict[bytes, int] = {}
    with tempfile.TemporaryDirectory(prefix="events_", dir=work_folder) as folder:
        told = [_told(path, Path(folder) / f"{number}.jsonl", given, timezone) for number, path in enumerate(paths)]
        steps: list[Step] = [
            partial(_store, workplace, source_id, path.name, piece, left, now)
            for path, lines in zip(paths, told, strict=True)
            for piece in _pieces(lines, seen)
        ]
        counts, resumed = run_steps(
            workplace.database,
            kind="events",
            source_id=source_id,
            mark=fingerprint(paths, given, timezone),
            steps=steps,
            now=now,
            dry_run=dry_run,
            progress=progress,
        )
    if not dry_run:
        with workplace.database.begin() as tx:
            wake(tx)
    rejects = left.write(rejects_folder, "events", language)
    return Imported(counts=counts, resumed=resumed, rejected=dict(left.counts), rejects=rejects)


def _told(path: Path, lines: Path, mapping: Mapping[str, str], timezone: str | None) -> Path:
    """The file itself where it holds messages, else its rows as messages; a row and its line have the same number."""
    with path.open("rb") as file:
        # Blanks and a byte order mark may stand before the first message.
        if file.read(1_000).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return path
    zone = known_timezone(timezone or "UTC").key
    with open_list(path, work_folder=lines.parent, wanted=list(mapping.values())) as table, lines.open("wb") as out:
        columns = _columns(table, mapping)
        literal, chosen = _cells(table, columns, mapping, zone)
        rows, written = table.keep(chosen), 0
        for number in range(-(-rows // BATCH_LINES)):
            for row in table.batch(number, BATCH_LINES):
                event = msgspec.json.encode(event_of(row, columns, literal))
                out.write(b"\n" * (row["row"] - written - 1) + event + b"\n")
                written = row["row"]
    return lines


def _columns(table: Listed, mapping: Mapping[str, str]) -> EventColumns:
    columns = event_columns(table.columns, mapping)
    said = {"file": table.opened.file.name, "columns": ", ".join(table.columns)}
    if "timestamp" not in columns.fields:
        raise BadInput("collect.missing_event_time", **said)
    if "anonymousId" not in columns.fields and not columns.identities:
        raise BadInput("collect.no_identity_column", **said)
    return columns


def _cells(
    table: Listed, columns: EventColumns, mapping: Mapping[str, str], zone: str
) -> tuple[frozenset[str], dict[str, str]]:
    """The columns that are values of JSON as they stand, and how each column is read: as text, times in UTC."""
    chosen = {column: table.text(column) for column in table.columns}
    column = columns.fields["timestamp"]
    match = FieldMatch(table.opened.file.name, "time", column, "given", 1.0)
    clock = read_moments(table.desk, table.opened, match, mapping=mapping, timezone=zone)
    moment = f"timezone('UTC', timezone({quoted(zone)}, {clock}))"
    # A time that cannot be read stays as it is, so that the event is refused for it.
    chosen[column] = f"coalesce(strftime({moment}, '%Y-%m-%dT%H:%M:%S.%fZ'), {chosen[column]})"
    looked_at = [one for one in columns.properties if not is_reference(one)]
    fits = ", ".join(f"coalesce(bool_and(regexp_full_match({chosen[one]}, '{LITERAL}')), false)" for one in looked_at)
    found = table.desk.row(f"SELECT {fits} FROM ({table.opened.scan})") if looked_at else ()
    return frozenset(one for one, yes in zip(looked_at, found, strict=True) if yes), chosen


@dataclass(frozen=True)
class _Piece:
    """Some lines of a file. ``repeats`` are how often a line, by its place here, was there before."""

    path: Path
    start: int
    size: int
    first_line: int
    repeats: dict[int, int]


def _pieces(path: Path, seen: dict[bytes, int]) -> Iterator[_Piece]:
    """The file in pieces of whole lines; one pass over it, which keeps sixteen bytes of each line without an id."""
    start = first_line = 0
    size, lines, repeats = 0, 0, dict[int, int]()
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if lines and (lines == BATCH_LINES or size + len(line) > BATCH_BYTES):
                yield _Piece(path, start, size, first_line, repeats)
                start, first_line, size, lines, repeats = start + size, number, 0, 0, {}
            if b'"messageId"' not in line and line.strip():
                mark = _mark(line)
                seen[mark] = seen.get(mark, -1) + 1
                if seen[mark]:
                    repeats[lines] = seen[mark]
            size += len(line)
            lines += 1
    if lines:
        yield _Piece(path, start, size, first_line, repeats)


def _store(
    workplace: Workplace,
    source_id: int,
    file: str,
    piece: _Piece,
    left: Left,
    now: Callable[[], datetime],
    tx: Transaction,
) -> Counts:
    with piece.path.open("rb") as opened:
        opened.seek(piece.start)
        lines = opened.read(piece.size).splitlines()
    envelopes: list[bytes] = []
    for place, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            event = _with_id(line, piece.repeats.get(place, 0))
            envelopes += batch_of(b'{"batch":[' + event + b"]}")[1]
        except BadInput:
            left.note(file, piece.first_line + place + 1, "no_event")
    stored = inbox.store(tx, workplace.keyring, [inbox.Accepted(source_id, now(), envelopes)])
    return {"events.rows": stored}


def _with_id(line: bytes, repeat: int) -> bytes:
    """The event with a messageId; BadInput ``collect.malformed`` for what is no object, or ``event_too_large``."""
    if len(line) > EVENT_BYTES_MAX:
        raise BadInput("collect.event_too_large", place=0, limit_bytes=EVENT_BYTES_MAX)
    try:
        event = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput("collect.malformed", place=0) from None
    if bytes(event.get("messageId", b"null")) in (b"null", b'""'):
        event["messageId"] = msgspec.Raw(b'"line-%s-%d"' % (_mark(line).hex().encode(), repeat))
    return msgspec.json.encode(event)


def _mark(line: bytes) -> bytes:
    return hashlib.sha256(line.strip()).digest()[:16]
