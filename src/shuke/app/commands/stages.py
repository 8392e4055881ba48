"""``shuke stages``: the shipped stages out, as a file that a brand can edit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue
from shuke.insight.stages import shipped_text

__all__ = ["StagesOptions", "run"]


@dataclass(frozen=True, kw_only=True)
class StagesOptions:
    """What ``shuke stages`` was asked for; ``out`` None is standard output."""

    vocabulary: str = "customer"
    out: Path | None = None
    language: Language = Language.ENGLISH


def run(options: StagesOptions) -> None:
    """Write the file with its comments.

    Raises BadInput ``app.file_exists`` rather than writing over somebody's edits, ``app.not_writable`` where it cannot.
    """
    content = shipped_text(options.vocabulary).encode()
    if options.out is None:
        click.echo(content, nl=False)
        return
    try:
        with options.out.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise BadInput("app.file_exists", file=str(options.out)) from error
    except OSError as error:
        raise BadInput("app.not_writable", file=str(options.out)) from error
    click.echo(catalogue("shuke.app", options.language)("stages.written", file=str(options.out)))
