"""Files of events: the collecting protocol's messages, one JSON object a line, into the inbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.base.progress import Progress, silent
from shuke.collect.model import EVENT_BYTES_MAX
from shuke.collect.rules.requests import batch_of
from shuke.collect.service import inbox
from shuke.collect.service.imports.ledger import Counts, Imported, Step, fingerprint, run_steps
from shuke.collect.service.imports.rows import Left
from shuke.collect.service.origins import ensure_source, find_source
from shuke.collect.service.sources import find_files
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
        files: JSON Lines in UTF-8.
        source: the name of the source.
        now: the clock.
        wake: has the inbox processed.
        dry_run: only count; nothing stays.
        rejects_folder: where lines that are no event are written with their reasons.
        language: of the reasons.
        progress: told the share that is done.

    Raises:
        BadInput: ``collect.no_files``, ``collect.file_missing``.
    """
    paths = find_files(files)
    left = Left()
    with workplace.database.begin() as tx:
        source_id = find_source(tx, source) if dry_run else ensure_source(tx, source, now=now())
    seen: dict[bytes, int] = {}
    steps: list[Step] = [
        partial(_store, workplace, source_id, piece, left, now) for path in paths for piece in _pieces(path, seen)
    ]
    counts, resumed = run_steps(
        workplace.database,
        kind="events",
        source_id=source_id,
        mark=fingerprint(paths),
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
    workplace: Workplace, source_id: int, piece: _Piece, left: Left, now: Callable[[], datetime], tx: Transaction
) -> Counts:
    with piece.path.open("rb") as file:
        file.seek(piece.start)
        lines = file.read(piece.size).splitlines()
    envelopes: list[bytes] = []
    for place, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            event = _with_id(line, piece.repeats.get(place, 0))
            envelopes += batch_of(b'{"batch":[' + event + b"]}")[1]
        except BadInput:
            left.note(piece.path.name, piece.first_line + place + 1, "no_event")
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
