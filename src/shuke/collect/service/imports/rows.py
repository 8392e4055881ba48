"""Files that are lists of things rather than orders: rows with their cells as text, and why some are left out."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shuke.base.language import Language, catalogue
from shuke.base.progress import silent
from shuke.collect.service import cells
from shuke.collect.service.desk import Desk, named
from shuke.collect.service.rejects import free_path, harmless
from shuke.collect.service.sources import Opened, open_file, staged

__all__ = ["Left", "Listed", "open_list"]

_LEFT_MAX = 100_000


@dataclass
class Left:
    """Rows that were left out, or parts of them: counted all, kept up to a limit to be written out."""

    counts: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[str, int, str, str]] = field(default_factory=list)

    def note(self, file: str, row: int, code: str, what: str = "") -> None:
        """One row; ``what`` is the field or the id that the reason is about."""
        self.counts[code] += 1
        if len(self.kept) < _LEFT_MAX:
            self.kept.append((file, row, code, what))

    def write(self, folder: Path | None, stem: str, language: Language) -> tuple[Path, ...]:
        """A CSV in the folder with file, row, code, reason and field; none where nothing was left out."""
        if folder is None or not self.kept:
            return ()
        say = catalogue("shuke.collect", language)
        folder.mkdir(parents=True, exist_ok=True)
        path = free_path(folder, stem)
        with path.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out, lineterminator="\r\n")
            writer.writerow([say(f"rejects.{name}") for name in ("file", "row", "code", "reason", "field")])
            for file, row, code, what in self.kept:
                writer.writerow([harmless(file), row, code, say(f"import_reasons.{code}"), harmless(what)])
        return (path,)


@dataclass(frozen=True)
class Listed:
    """An opened list. ``rows`` is their number; a batch is read by :meth:`batch`."""

    desk: Desk
    opened: Opened

    @property
    def columns(self) -> tuple[str, ...]:
        """What the file calls its columns."""
        return self.opened.file.columns

    def text(self, column: str) -> str:
        """DuckDB SQL of a column's cells as text; a number that was written as 17850.0 is without its end."""
        cell = f"CAST({self.opened.column(column)} AS VARCHAR)"
        whole = self.opened.type_of(column) in ("DOUBLE", "FLOAT")
        return f"regexp_replace({cell}, '\\.0$', '')" if whole else cells.text(cell)

    def keep(self, chosen: Mapping[str, str], *, once_by: str | None = None) -> int:
        """Read these columns (name → SQL) of all rows, of those with one ``once_by`` the last; returns how many."""
        columns = ", ".join(f"{sql} AS {named(name)}" for name, sql in chosen.items())
        last = f"QUALIFY row_number() OVER (PARTITION BY {named(once_by)} ORDER BY row DESC) = 1" if once_by else ""
        self.desk.connection.execute(
            f"CREATE OR REPLACE TABLE kept AS SELECT *, row_number() OVER (ORDER BY row) - 1 AS place"
            f" FROM (SELECT row, {columns} FROM ({self.opened.scan}) {last})"
        )
        return int(self.desk.row("SELECT count(*) FROM kept")[0])

    def batch(self, number: int, rows: int) -> list[dict[str, Any]]:
        """Some of the rows that were kept, with ``row``, their number in the file."""
        found = self.desk.connection.execute(
            f"SELECT * EXCLUDE (place) FROM kept WHERE place >= {number * rows} AND place < {(number + 1) * rows}"
            " ORDER BY place"
        )
        names = [name for name, *_ in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def open_list(path: Path, *, work_folder: Path, wanted: Sequence[str] = ()) -> Iterator[Listed]:
    """A CSV, XLSX or Parquet file; raises the errors of opening one."""
    work_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="list_", dir=work_folder) as folder, closing(Desk(Path(folder))) as desk:
        opened = staged(desk, open_file(desk, path, 0, wanted=wanted, progress=silent), 0)
        yield Listed(desk, opened)
