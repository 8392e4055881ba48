"""A first look at a file that somebody wants to import: what it is, its columns and its first rows."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from shuke.base.progress import Progress, silent
from shuke.collect.rules.file_kinds import FILE_KINDS, FileKind, Guess, fields_of, guesses, likely_kind
from shuke.collect.service.desk import Desk
from shuke.collect.service.sources import Opened, open_file

__all__ = ["CELL_CHARACTERS_MAX", "ROWS_SHOWN", "ColumnSeen", "Preview", "look_at"]

ROWS_SHOWN = 20
SAMPLES = 3
# Rows in which samples of columns that are mostly empty are looked for.
_SAMPLED_ROWS = 200
CELL_CHARACTERS_MAX = 200
_MESSAGE = "message"


@dataclass(frozen=True)
class ColumnSeen:
    """A column, and some of the values in it."""

    name: str
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """What a file looks like. ``kind`` is what it probably is; ``guesses`` say what its columns would be in each kind.

    ``fields`` are all that a column can be in each kind. ``encoding``, ``delimiter`` and ``sheet`` are None where they
    mean nothing; a file of messages (``jsonl``) has one column, the message.
    """

    name: str
    format: str  # "csv" | "xlsx" | "parquet" | "jsonl"
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    other_sheets: str | None
    columns: tuple[ColumnSeen, ...]
    rows: tuple[tuple[str | None, ...], ...]
    kind: FileKind
    guesses: tuple[Guess, ...]
    fields: dict[FileKind, tuple[str, ...]]


def look_at(path: Path, *, defined: Collection[str], work_folder: Path, progress: Progress = silent) -> Preview:
    """Look at one file.

    Args:
        path: CSV, XLSX, Parquet or JSON Lines.
        defined: the brand's own attributes.
        work_folder: for intermediate files.
        progress: told how far it is.

    Raises:
        BadInput: the codes of opening a file, ``collect.empty_file``.
    """
    with path.open("rb") as file:
        # Blanks and a byte order mark may stand before the first message.
        if file.read(1_000).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return _messages(path)
    with tempfile.TemporaryDirectory(prefix="look_", dir=work_folder) as folder, closing(Desk(Path(folder))) as desk:
        opened = open_file(desk, path, 0, wanted=(), progress=progress)
        rows = _rows(desk, opened)
    file_read, found = opened.file, guesses(opened.file.columns, defined=defined)
    others = next((dict(note.values)["others"] for note in opened.notes if note.code == "sheet_chosen"), None)
    return Preview(
        name=file_read.name,
        format=file_read.kind,
        encoding=file_read.encoding,
        delimiter=file_read.delimiter,
        sheet=file_read.sheet,
        other_sheets=others,
        columns=tuple(
            ColumnSeen(name, _samples([row[at] for row in rows])) for at, name in enumerate(file_read.columns)
        ),
        rows=rows[:ROWS_SHOWN],
        kind=likely_kind(found),
        guesses=found,
        fields={kind: fields_of(kind, defined) for kind in FILE_KINDS},
    )


def _rows(desk: Desk, opened: Opened) -> tuple[tuple[str | None, ...], ...]:
    cells = (f"left(CAST(c{at} AS VARCHAR), {CELL_CHARACTERS_MAX})" for at in range(1, len(opened.types) + 1))
    return tuple(desk.rows(f"SELECT {', '.join(cells)} FROM ({opened.scan}) LIMIT {_SAMPLED_ROWS}"))


def _samples(cells: list[str | None]) -> tuple[str, ...]:
    """The first values that differ."""
    return tuple(islice(dict.fromkeys(cell for cell in cells if cell is not None and cell.strip()), SAMPLES))


def _messages(path: Path) -> Preview:
    with path.open("rb") as file:
        lines = [line.decode("utf-8", "replace").strip() for line in islice(_short_lines(file), ROWS_SHOWN)]
    shown = [line[:CELL_CHARACTERS_MAX] for line in lines if line]
    return Preview(
        name=path.name,
        format="jsonl",
        encoding="utf-8",
        delimiter=None,
        sheet=None,
        other_sheets=None,
        columns=(ColumnSeen(_MESSAGE, tuple(shown[:SAMPLES])),),
        rows=tuple((line,) for line in shown),
        kind="events",
        guesses=(Guess("events", {}, ()),),
        fields={"events": ()},
    )


def _short_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, of one that has no end its beginning."""
    while line := file.readline(100_000):
        yield line
