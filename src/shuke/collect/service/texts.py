"""Text files: their encoding, their layout, and the SQL that reads their rows."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shuke.base.errors import BadInput
from shuke.base.progress import Progress
from shuke.collect.rules.layout import WHITESPACE, Layout
from shuke.collect.service.desk import Desk, quoted

_CHUNK_BYTES = 4 * 1024**2
_SAMPLE_CHARACTERS = 256 * 1024
_LINE_BYTES_MAX = 16 * 1024**2
#: DuckDB would take sixteen times the longest line, and hold several.
_BUFFER_BYTES = 2 * _LINE_BYTES_MAX

Encoding = Literal["utf-8", "utf-16", "gb18030"]


@dataclass(frozen=True)
class Text:
    """The rows of a UTF-8 text as DuckDB sees them, all cells as text, in columns c1, c2, …

    ``parallel`` is off for the few files that only one thread can take apart.
    """

    path: Path
    delimiter: str
    skipped_lines: int
    columns: int
    parallel: bool = True

    def rows(self, *, note_rejects: bool = False) -> str:
        """SQL of the rows. Lines that cannot be split are left out; ``note_rejects`` puts them into ``rejects``."""
        names = [f"c{at}" for at in range(1, self.columns + 1)]
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
        left_out = (
            "store_rejects = true, rejects_table = 'rejects', rejects_scan = 'reject_scans'"
            if note_rejects
            else "ignore_errors = true"
        )
        empty = " AND ".join(f"{name} IS NULL" for name in names)
        return (
            f"SELECT * FROM read_csv({quoted(self.path)}, auto_detect = false, columns = {{{columns}}}, "
            f"delim = {quoted(self.delimiter)}, quote = '\"', escape = '\"', header = false, "
            f"skip = {self.skipped_lines}, null_padding = true, max_line_size = {_LINE_BYTES_MAX}, "
            f"buffer_size = {_BUFFER_BYTES}, "
            f"parallel = {str(self.parallel).lower()}, {left_out}) WHERE NOT ({empty})"
        )

    def numbered(self) -> str:
        """SQL of the rows with their number, ``row``, from 1."""
        return f"SELECT row_number() OVER () AS row, * FROM ({self.rows()})"


def forget_rejects(desk: Desk) -> None:
    """Empty the table of lines that could not be split, before a file is read."""
    desk.connection.execute("DROP TABLE IF EXISTS rejects; DROP TABLE IF EXISTS reject_scans")


def noted_rejects(desk: Desk, limit: int) -> tuple[int, tuple[tuple[int, str], ...]]:
    """How many lines of the file just read could not be split, and the first of them with their numbers."""
    lines = "SELECT line, any_value(csv_line) FROM rejects GROUP BY line"
    (found,) = desk.row("SELECT count(DISTINCT line) FROM rejects")
    kept = desk.rows(f"{lines} ORDER BY line LIMIT {limit}") if found else []
    return int(found), tuple((int(at), str(line)) for at, line in kept)


def find_encoding(path: Path, *, progress: Progress) -> Encoding:
    """UTF-16 by its mark, UTF-8 where the whole file is; else it must be GB18030, which `rewrite` will see."""
    with path.open("rb") as file:
        head = file.read(2)
    if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    size, done = max(1, path.stat().st_size), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                done += len(chunk)
                progress("collect.encoding", done / size)
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def sample_of(path: Path, encoding: Encoding) -> str:
    """The beginning of the text, in whole lines.

    Raises BadInput ``collect.unknown_encoding`` where it is not of this encoding.
    """
    try:
        with path.open(encoding=encoding, newline="") as file:
            text = file.read(_SAMPLE_CHARACTERS)
            whole = not file.read(1)
    except UnicodeDecodeError as error:
        raise BadInput("collect.unknown_encoding", file=path.name) from error
    text = text.removeprefix("\ufeff")
    cut = max(text.rfind("\n"), text.rfind("\r"))
    return text if whole or cut < 0 else text[: cut + 1]


def rewrite(path: Path, target: Path, encoding: Encoding, layout: Layout, *, progress: Progress) -> Layout:
    """The text as UTF-8, read and written in pieces; columns aligned by spaces become columns separated by tabs.

    Raises BadInput ``collect.unknown_encoding`` where it is not of this encoding.
    """
    try:
        if layout.delimiter == WHITESPACE:
            _rewrite_aligned(path, target, encoding, progress)
        else:
            _rewrite_plain(path, target, encoding, progress)
    except UnicodeDecodeError as error:
        raise BadInput("collect.unknown_encoding", file=path.name) from error
    delimiter = "\t" if layout.delimiter == WHITESPACE else layout.delimiter
    return Layout(delimiter, layout.columns, layout.skipped_lines, layout.has_header)


def _rewrite_plain(path: Path, target: Path, encoding: Encoding, progress: Progress) -> None:
    size, decoder = max(1, path.stat().st_size), codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as raw, target.open("wb") as out:
        while chunk := raw.read(_CHUNK_BYTES):
            out.write(decoder.decode(chunk).encode())
            progress("collect.transcode", min(1.0, raw.tell() / size))
        out.write(decoder.decode(b"", final=True).encode())


def _rewrite_aligned(path: Path, target: Path, encoding: Encoding, progress: Progress) -> None:
    size = max(1, path.stat().st_size)
    with path.open("rb") as raw, target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter="\t", lineterminator="\n")
        for number, line in enumerate(codecs.getreader(encoding)(raw)):
            writer.writerow(line.split())
            if number % 100_000 == 0:
                progress("collect.transcode", min(1.0, raw.tell() / size))
