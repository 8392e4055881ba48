"""The rows that are in no analysis, written out with the reason, so that a person can mend the file."""

# ruff: noqa: S608 - SQL has no parameters for columns and files; every name in it is ours or quoted by `desk`

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import ibis

from shuke.base.language import Language, catalogue
from shuke.base.spreadsheets import neutral
from shuke.collect import measures
from shuke.collect.model import TREATMENTS, Collected, Source, Treatment
from shuke.collect.service.desk import Desk

#: Rows of one file that are written out at most; the counts of the quality section are complete all the same.
REJECTS_MAX = 1_000_000
_BATCH = 10_000


def write_rejects(collected: Collected, folder: Path, *, language: Language = Language.ENGLISH) -> list[Path]:
    """Write one CSV per file with rows that are no sale and no refund; returns their paths, none where all were used.

    UTF-8 with a byte order mark, so that spreadsheets show Chinese; columns: file, row, reason code, reason in the
    person's language, then the original columns. A cell that a spreadsheet would run as a formula gets an apostrophe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    desk = Desk(folder / ".reading")
    try:
        return [
            path
            for number, source in enumerate(collected.sources)
            if (path := _write_file(desk, collected, number, source, folder, language)) is not None
        ]
    finally:
        desk.close()
        if desk.folder.is_dir() and not any(desk.folder.iterdir()):
            desk.folder.rmdir()


def _write_file(
    desk: Desk, collected: Collected, number: int, source: Source, folder: Path, language: Language
) -> Path | None:
    say = catalogue("shuke.collect", language)
    used = [at for at, (_, treatment) in enumerate(TREATMENTS) if treatment in (Treatment.KEPT, Treatment.REFUND)]
    desk.connection.execute(f"CREATE OR REPLACE VIEW typed AS {source.lines_scan}")
    typed = ibis.duckdb.from_connection(desk.connection).table("typed")
    lines = measures.classify(
        measures.lines_of(typed, source.columns, file=number, texts=source.texts), collected.rules
    )
    left = ibis.to_sql(lines.filter(lines.rule.notin(used)).select("row", "rule"), dialect="duckdb")
    chosen = (
        f"SELECT row, rule, r.* EXCLUDE (row) FROM ({source.scan}) r JOIN ({left}) l USING (row) "
        f"ORDER BY row LIMIT {REJECTS_MAX}"
    )
    rows = desk.connection.execute(chosen)
    batch = rows.fetchmany(_BATCH)
    if not batch and not source.unreadable:
        return None
    path = free_path(folder, Path(source.file.name).stem)
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        titles = [say(f"rejects.{name}") for name in ("file", "row", "code", "reason")]
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([*titles, *(harmless(column) for column in source.file.columns)])
        for line, text in source.unreadable:
            reason = say("reasons.unreadable_line")
            writer.writerow([source.file.name, line, "unreadable_line", reason, harmless(text)])
        while batch:
            for row, rule, *cells in batch:
                code = TREATMENTS[rule][0]
                writer.writerow(
                    [source.file.name, row, code, say(f"reasons.{code}"), *(harmless(cell) for cell in cells)]
                )
            batch = rows.fetchmany(_BATCH)
    return path


def free_path(folder: Path, stem: str) -> Path:
    """Where rejects can be written without writing over others."""
    path, number = folder / f"{stem}.rejects.csv", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}.{number}.rejects.csv"
    return path


def harmless(cell: Any) -> str:
    """A cell as text that no spreadsheet runs. Numbers keep their sign; what only begins like one is quoted."""
    if cell is None:
        return ""
    text = str(cell)
    return text if isinstance(cell, int | float) or _is_number(text) else neutral(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
