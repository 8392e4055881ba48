"""``shuke segments build``: work out whom each segment means now, on the engine that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import click

from shuke import segments
from shuke.app import terminal
from shuke.app.place import open_place
from shuke.base.language import Language, catalogue
from shuke.base.wording import say_number
from shuke.platform import EngineName, Settings, configure_logs

__all__ = ["SegmentsOptions", "run"]


@dataclass(frozen=True, kw_only=True)
class SegmentsOptions:
    """What ``shuke segments build`` was asked for."""

    engine: EngineName = "duckdb"
    language: Language = Language.ENGLISH


def run(options: SegmentsOptions) -> None:
    """Build all, and say of each how many it means; exit with status 1 when one could not be built.

    Raises the errors of the rooms, which the command line explains.
    """
    settings = Settings.of_environment()
    configure_logs("json" if settings.log_format == "json" else "text")
    text = catalogue("shuke.app", options.language)
    with open_place(settings, text) as place, terminal.workshop(options.engine) as (engine, _):
        done = {one.segment_id: one for one in segments.build_all(place, datetime.now(UTC), engine)}
        with place.database.read() as tx:
            there = segments.list_segments(tx)
    for one in there:
        if one.failed:
            click.echo(text("segments.failed", name=one.name), err=True)
        elif built := done.get(one.segment_id):
            numbers = {
                name: say_number(getattr(built, name), options.language) for name in ("customers", "entered", "left")
            }
            click.echo(text("segments.built", name=one.name, **numbers))
    if not there:
        click.echo(text("segments.none"))
    if any(one.failed for one in there):
        raise SystemExit(1)
