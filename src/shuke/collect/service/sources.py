"""From paths and globs to files whose rows DuckDB can see, whatever their make."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from shuke.base.errors import BadInput
from shuke.base.progress import Progress
from shuke.collect.model import COLUMNS_MAX, FILES_MAX, TEXT_FILE_BYTES_MAX, UNREADABLE_KEPT_MAX, FileRead, Note
from shuke.collect.rules.layout import WHITESPACE, Layout, find_layout
from shuke.collect.service.desk import Desk, named, quoted
from shuke.collect.service.sheets import Sheet, read_sheet
from shuke.collect.service.texts import Text, find_encoding, forget_rejects, noted_rejects, rewrite, sample_of


@dataclass(frozen=True)
class Opened:
    """A file whose rows can be seen: ``scan`` yields ``row`` (from 1) and the columns as c1, c2, … in file order.

    The rows of a ``text`` are counted, and the lines that are none are known, once all of it was read (`write_rows`).
    """

    file: FileRead
    path: Path
    scan: str
    types: tuple[str, ...]  # DuckDB type of each column
    text: Text | None = None
    unreadable_rows: int = 0
    unreadable: tuple[tuple[int, str], ...] = ()  # the first of them: line number and text
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
        return _open_text(path, _text(sheet.csv, sheet.layout), sheet.layout, sheet=sheet)
    size = path.stat().st_size
    if size > TEXT_FILE_BYTES_MAX:
        raise BadInput("collect.file_too_large", file=path.name, limit_bytes=TEXT_FILE_BYTES_MAX)
    encoding = find_encoding(path, progress=progress)
    layout = find_layout(sample_of(path, encoding), file=path.name, wanted=wanted)
    text = path
    if encoding != "utf-8" or layout.delimiter == WHITESPACE:
        text = desk.folder / f"text_{number}.csv"
        layout = rewrite(path, text, encoding, layout, progress=progress)
    return _open_text(path, _text(text, layout), layout, encoding=encoding)


def _text(path: Path, layout: Layout) -> Text:
    return Text(path, layout.delimiter, layout.skipped_lines, len(layout.columns))


def _open_text(
    path: Path, text: Text, layout: Layout, *, encoding: str | None = None, sheet: Sheet | None = None
) -> Opened:
    _check_columns(path, layout.columns)
    file = FileRead(
        name=path.name,
        rows=0,
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
    return Opened(file, path, text.numbered(), ("VARCHAR",) * text.columns, text=text, notes=notes)


def write_rows(desk: Desk, opened: Opened, select: str, name: str) -> tuple[Path, Opened]:
    """The rows of a text, of which ``select`` chooses, as Parquet in their order; and the file with its rows counted.

    Raises BadInput ``collect.broken_file``, ``collect.empty_file``.
    """
    text = opened.text
    if text is None:
        raise TypeError(f"{opened.file.name} is no text")
    forget_rejects(desk)
    try:
        path = desk.write(f"{select} FROM ({text.rows(note_rejects=True)})", name, columns=text.columns)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        if not text.parallel:
            raise BadInput("collect.broken_file", file=opened.file.name, detail=str(error).splitlines()[0]) from error
        # Short rows and line breaks within quotes together are beyond the parallel reader.
        serial = replace(text, parallel=False)
        return write_rows(desk, replace(opened, text=serial, scan=serial.numbered()), select, name)
    (rows,) = desk.row(f"SELECT count(*) FROM read_parquet({quoted(path)})")
    unreadable_rows, unreadable = noted_rejects(desk, UNREADABLE_KEPT_MAX)
    if not rows + unreadable_rows:
        raise BadInput("collect.empty_file", file=opened.file.name)
    file = replace(opened.file, rows=rows + unreadable_rows)
    return path, replace(opened, file=file, unreadable_rows=unreadable_rows, unreadable=unreadable)


def staged(desk: Desk, opened: Opened, number: int) -> Opened:
    """A text whose rows are in Parquet, for columns that need several looks; other files as they are."""
    if opened.text is None:
        return opened
    path, counted = write_rows(desk, opened, "SELECT *", f"raw_{number}.parquet")
    columns = ", ".join(f"c{at}" for at in range(1, len(opened.types) + 1))
    scan = f"SELECT file_row_number + 1 AS row, {columns} FROM read_parquet({quoted(path)}, file_row_number = true)"
    return replace(counted, text=None, scan=scan)


def _open_parquet(desk: Desk, path: Path) -> Opened:
    source = f"read_parquet({quoted(path)}, file_row_number = true)"
    try:
        types = desk.types(f"SELECT * EXCLUDE (file_row_number) FROM {source}")
        (rows,) = desk.row(f"SELECT count(*) FROM {source}")
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise BadInput("collect.broken_file", file=path.name, detail=str(error).splitlines()[0]) from error
    if not rows:
        raise BadInput("collect.empty_file", file=path.name)
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
