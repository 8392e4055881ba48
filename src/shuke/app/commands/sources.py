"""``shuke sources``: who may send events, and what they sent that could not be used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click
from rich.console import Console
from rich.table import Table

from shuke import collect
from shuke.app.place import open_place
from shuke.base.language import Language, catalogue
from shuke.platform import Settings, Workplace

__all__ = ["SourcesOptions", "run"]


@dataclass(frozen=True, kw_only=True)
class SourcesOptions:
    """What was asked for: one of the actions, with the name, currency or file that it takes."""

    action: Literal["add", "list", "disable", "rejects"]
    language: Language = Language.ENGLISH
    name: str = ""
    currency: str | None = None
    out: Path | None = None


def run(options: SourcesOptions) -> None:
    """Do it, on the database of the server, running or not; raises the errors of the rooms."""
    text = catalogue("shuke.app", options.language)
    with open_place(Settings.of_environment(), text) as place:
        if options.action == "rejects":
            written = _write_rejects(place, options.out or Path("rejects.jsonl"), options.language)
            click.echo(text("sources.rejects", events=written, file=str(options.out)))
            return
        with place.database.begin() as tx:
            if options.action == "add":
                key = collect.add_source(tx, options.name, now=datetime.now(UTC), currency=options.currency)
                click.echo(text("sources.added", name=options.name), err=True)
            elif options.action == "disable":
                collect.disable_source(tx, options.name, now=datetime.now(UTC))
                click.echo(text("sources.disabled", name=options.name))
            else:
                _show(collect.list_sources(tx), options.language)
        if options.action == "add":
            # Alone on standard output, and only once the key counts.
            click.echo(key)


def _show(sources: tuple[collect.EventSource, ...], language: Language) -> None:
    text = catalogue("shuke.app", language)
    table = Table(*(text(f"sources.{column}") for column in ("name", "currency", "may_send", "since")))
    for source in sources:
        may_send = text("sources.yes" if source.has_key else "sources.no")
        table.add_row(source.name, source.currency or "", may_send, source.created_at.date().isoformat())
    Console(highlight=False).print(table)


def _write_rejects(place: Workplace, path: Path, language: Language) -> int:
    """Every reject, newest first, one JSON object a line, for nobody else to read; returns how many."""
    text = catalogue("shuke.collect", language)
    written = 0
    before: int | None = None
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as out:
        while True:
            with place.database.read() as tx:
                page = collect.rejected_events(tx, place.keyring, before=before, limit=1_000)
            if not page:
                return written
            for reject in page:
                row = {
                    "source": reject.source,
                    "received_at": reject.received_at.isoformat(),
                    "reason": reject.reason,
                    "why": text(f"event_reasons.{reject.reason}"),
                    "event": reject.event,
                }
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
            written += len(page)
            before = page[-1].reject_id
