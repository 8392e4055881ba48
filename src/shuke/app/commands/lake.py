"""``shuke lake``: bring the copy for analysis up to date, or make it anew from the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import click

from shuke import collect
from shuke.app.place import open_place
from shuke.base.language import Language, catalogue
from shuke.base.wording import say_number
from shuke.platform import Settings, configure_logs

__all__ = ["LakeOptions", "run"]


@dataclass(frozen=True, kw_only=True)
class LakeOptions:
    """What ``shuke lake`` was asked for."""

    action: Literal["copy", "rebuild"]
    language: Language = Language.ENGLISH


def run(options: LakeOptions) -> None:
    """Copy, and say how many rows were written; raises the errors of the rooms, which the command line explains."""
    settings = Settings.of_environment()
    configure_logs("json" if settings.log_format == "json" else "text")
    text = catalogue("shuke.app", options.language)
    with open_place(settings, text) as place:
        rows = collect.update_lake(place, rebuild=options.action == "rebuild", wait=True)
        folder = collect.lake_of(place).folder
    for table, written in rows.items():
        click.echo(f"{table}: {say_number(written, options.language)}")
    click.echo(text("lake.done", folder=str(folder)))
