"""From paths and globs to files whose rows DuckDB can see, whatever their make."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

import codecs
import csv
import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from shuke.base.errors import BadInput
from shuke.base.progress import Progress
from shuke.collect.model import COLUMNS_MAX, FILES_MAX, TEXT_FILE_BYTES_MAX, FileRead, Note
from shuke.collect.rules.layout import WHITESPACE, Layout, find_layout
from shuke.collect.service.desk import Desk, listed, named, quoted
from shuke.collect.service.sheets import Sheet, read_sheet

_CHUNK_BYTES = 4 * 1024**2
_SAMPLE_CHARACTERS = 256 * 1024
_UNREADABLE_KEPT_MAX = 100_000


@dataclass(frozen=True)
class Opened:
    """A file whose rows can be seen: ``scan`` yields ``row`` (from 1) and the columns as c1, c2, … in file order."""

    file: FileRead
    path: Path
    scan: str
    types: tuple[str, ...]  # DuckDB type of each column
    unreadable: tuple[tuple[int, str], ...] = ()
    notes: tuple[Note, ...] = ()

    def column(self, name: str) -> str:
        """The SQL name of the column that the file calls ``name``."""
        return f"c{self.file.columns.index(name) + 1}"

    def type_of(self, name: str) -> str:
        """The DuckDB type of a column."""
        return self.types[self.file.columns.index(name)]


def find_files(sources: Sequence[str]) -> list[Path]:
    """The files that paths and globs name, in the order given, globs by name; each once.

    Raises BadInput ``collect.no_files``, ``collect.file_missing``, ``collect.too_many_files``.
    """
    found: dict[Path, None] = {}
    for source in sources:
        path = Path(source).expanduser()
        if path.is_dir():
            raise BadInput("collect.is_folder", file=source)
        matches = [path] if path.is_file() else [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 - Path.glob refuses absolute patterns
        matches = [match for match in matches if match.is_file()]
        if not matches:
            raise BadInput("collect.file_missing", file=source)
        found.update(dict.fromkeys(matches))
    if not found:
        raise BadInput("collect.no_files")
    if len(found) > FILES_MAX:
        raise BadInput("collect.too_many_files", found=len(found), limit=FILES_MAX)
    return list(found)


def open_file(desk: Desk, path: Path, number: int, *, wanted: Sequence[str], progress: Progress) -> Opened:
    """One file, opened by what its first bytes say it is.

    Raises BadInput ``collect.broken_file``, ``collect.old_excel`` and the codes of the layout.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if head[:4] == b"PAR1":
        return _open_parquet(desk, path)
    if head[:4] == b"PK\x03\x04" or head == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        sheet = read_sheet(path, desk.folder / f"sheet_{number}.csv", wanted=wanted, progress=progress)
        return _open_text(desk, path, sheet.csv, number, sheet.layout, sheet=sheet)
    size = path.stat().st_size
    if size > TEXT_FILE_BYTES_MAX:
        raise BadInput("collect.file_too_large", file=path.name, limit_bytes=TEXT_FILE_BYTES_MAX)
    encoding = find_encoding(path, progress=progress)
    layout = find_layout(_sample(path, encoding), file=path.name, wanted=wanted)
    text = path
    if encoding != "utf-8" or layout.delimiter == WHITESPACE:
        text = desk.folder / f"text_{number}.csv"
        layout = _rewrite(path, text, encoding, layout, progress=progress)
    return _open_text(desk, path, text, number, layout, encoding=encoding)


def find_encoding(path: Path, *, progress: Progress) -> Literal["utf-8", "utf-16", "gb18030"]:
    """UTF-16 by its mark (or its zeros), UTF-8 where the whole file is, else GB18030.

    Raises BadInput ``collect.unknown_encoding`` where it is none of them.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    for encoding in ("utf-8", "gb18030"):
        if _decodes(path, encoding, progress):
            return encoding
    raise BadInput("collect.unknown_encoding", file=path.name)


def _decodes(path: Path, encoding: str, progress: Progress) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    size, done = max(1, path.stat().st_size), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
                done += len(chunk)
                progress("collect.encoding", done / size)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _sample(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, newline="") as file:
        text = file.read(_SAMPLE_CHARACTERS)
        whole = not file.read(1)
    text = text.removeprefix("\ufeff")
    cut = max(text.rfind("\n"), text.rfind("\r"))
    return text if whole or cut < 0 else text[: cut + 1]


def _rewrite(path: Path, target: Path, encoding: str, layout: Layout, *, progress: Progress) -> Layout:
    """The text as UTF-8, read and written in pieces; columns aligned by spaces become columns separated by tabs."""
    size = max(1, path.stat().st_size)
    with path.open("rb") as raw, target.open("w", encoding="utf-8", newline="") as out:
        if layout.delimiter == WHITESPACE:
            reader = codecs.getreader(encoding)(raw)
            writer = csv.writer(out, delimiter="\t", lineterminator="\n")
            for number, line in enumerate(reader):
                writer.writerow(line.split())
                if number % 100_000 == 0:
                    progress("collect.transcode", min(1.0, raw.tell() / size))
        else:
            decoder = codecs.getincrementaldecoder(encoding)()
            while chunk := raw.read(_CHUNK_BYTES):
                out.write(decoder.decode(chunk))
                progress("collect.transcode", min(1.0, raw.tell() / size))
    delimiter = "\t" if layout.delimiter == WHITESPACE else layout.delimiter
    return Layout(delimiter, layout.columns, layout.skipped_lines, layout.has_header)


def _open_text(
    desk: Desk,
    path: Path,
    text: Path,
    number: int,
    layout: Layout,
    *,
    encoding: str | None = None,
    sheet: Sheet | None = None,
) -> Opened:
    _check_columns(path, layout.columns)
    names = [f"c{at}" for at in range(1, len(layout.columns) + 1)]
    empty = " AND ".join(f"{name} IS NULL" for name in names)

    def scan(parallel: str) -> str:
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
        return (
            f"SELECT row_number() OVER () AS row, * FROM read_csv({quoted(text)}, auto_detect = false, "
            f"columns = {{{columns}}}, delim = {quoted(layout.delimiter)}, quote = '\"', escape = '\"', "
            f"header = false, skip = {layout.skipped_lines}, null_padding = true, store_rejects = true, "
            f"rejects_table = 'rejects', rejects_scan = 'reject_scans', max_line_size = 16777216, "
            f"parallel = {parallel}) WHERE NOT ({empty})"
        )

    desk.connection.execute("DROP TABLE IF EXISTS rejects; DROP TABLE IF EXISTS reject_scans")
    try:
        staged = desk.write(scan("true"), f"raw_{number}.parquet")
    except duckdb.Error:
        # Short rows and line breaks within quotes together are beyond the parallel reader.
        desk.connection.execute("DROP TABLE IF EXISTS rejects; DROP TABLE IF EXISTS reject_scans")
        try:
            staged = desk.write(scan("false"), f"raw_{number}.parquet")
        except duckdb.Error as error:
            raise BadInput("collect.broken_file", file=path.name, detail=str(error).splitlines()[0]) from error
    unreadable = desk.rows(
        f"SELECT line, any_value(csv_line) FROM rejects GROUP BY line ORDER BY line LIMIT {_UNREADABLE_KEPT_MAX}"
    )
    relation = f"SELECT * FROM read_parquet({quoted(staged)})"
    (rows,) = desk.row(f"SELECT count(*) FROM ({relation})")
    file = FileRead(
        name=path.name,
        rows=rows + len(unreadable),
        columns=layout.columns,
        kind="csv" if sheet is None else "xlsx",
        encoding=encoding,
        delimiter=layout.delimiter if sheet is None else None,
        sheet=None if sheet is None else sheet.name,
        skipped_lines=layout.skipped_lines - layout.has_header,
    )
    notes: tuple[Note, ...] = ()
    if sheet is not None and sheet.others:
        names_of_others = ", ".join(sheet.others)
        notes = (Note("sheet_chosen", (("file", path.name), ("sheet", sheet.name), ("others", names_of_others))),)
    lines = tuple((int(at), str(line)) for at, line in unreadable)
    return Opened(file, path, relation, ("VARCHAR",) * len(names), lines, notes)


def _open_parquet(desk: Desk, path: Path) -> Opened:
    source = f"read_parquet({quoted(path)}, file_row_number = true)"
    try:
        types = desk.types(f"SELECT * EXCLUDE (file_row_number) FROM {source}")
        (rows,) = desk.row(f"SELECT count(*) FROM {source}")
    except duckdb.Error as error:
        raise BadInput("collect.broken_file", file=path.name, detail=str(error).splitlines()[0]) from error
    _check_columns(path, tuple(types))
    columns = ", ".join(f"{named(name)} AS c{at}" for at, name in enumerate(types, start=1))
    file = FileRead(name=path.name, rows=rows, columns=tuple(types), kind="parquet")
    return Opened(file, path, f"SELECT file_row_number + 1 AS row, {columns} FROM {source}", tuple(types.values()))


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    if len(columns) > COLUMNS_MAX:
        raise BadInput("collect.too_many_columns", file=path.name, found=len(columns), limit=COLUMNS_MAX)


def hash_of(opened: Opened) -> str:
    """SQL for a 64-bit hash of a whole row."""
    return "hash(" + ", ".join(f"c{at}" for at in range(1, len(opened.types) + 1)) + ")"


__all__ = ["Opened", "find_encoding", "find_files", "hash_of", "listed", "open_file"]
