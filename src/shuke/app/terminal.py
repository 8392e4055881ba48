"""What commands share: the bar, what was recognised, the margin, and the engine as the settings want it."""

from __future__ import annotations

import shutil
import tempfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shuke import collect
from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue
from shuke.base.progress import Progress as Hear
from shuke.insight.stages import StageRules, shipped
from shuke.platform import Engine, EngineName, Settings, open_engine

__all__ = ["bar", "margin_of", "show_recognised", "stages_of", "workshop"]

SHIPPED_STAGES = ("customer", "contact")


@contextmanager
def workshop(name: EngineName) -> Iterator[tuple[Engine, Path]]:
    """An engine as the environment's settings want it, and a folder for intermediate results; both go at the end."""
    settings = Settings.of_environment()
    settings.work_folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="shuke-", dir=settings.work_folder))
    try:
        with open_engine(
            name,
            work_folder=folder,
            memory_limit_bytes=settings.memory_limit_bytes,
            threads=settings.threads,
            master=settings.spark_master,
        ) as engine:
            yield engine, folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def bar(console: Console, language: Language) -> Iterator[Hear]:
    """A bar that is drawn only for a person at a terminal; stages are named by the catalogue of their room."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=1.0)

        def hear(stage: str, share: float) -> None:
            room, _, step = stage.partition(".")
            words = catalogue(f"shuke.{room}", language)
            key = f"progress.{step}"
            progress.update(task, completed=share, description=words(key) if words.has(key) else step)

        yield hear


def show_recognised(collected: collect.Collected, console: Console, language: Language) -> None:
    """Say on stderr which column was taken for what, so that a wrong guess is seen at once."""
    words, text = catalogue("shuke.collect", language), catalogue("shuke.app", language)
    table = Table(box=None, pad_edge=False, title=text("report.recognised"), title_justify="left")
    for heading in ("field", "column", "file"):
        table.add_column(text(f"report.{heading}"))
    for match in collected.recognised.matches:
        table.add_row(words(f"fields.{match.field}"), match.column, match.file)
    console.print(table)
    if not collected.quality.reconciles:
        console.print(text("report.not_reconciled"))


def margin_of(given: str | None) -> tuple[float | None, str | None]:
    """A rate (``0.45``, ``45%``) or a column's name; BadInput ``app.bad_margin`` for a rate that is none."""
    if given is None:
        return None, None
    try:
        rate = float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        return None, given
    if not 0 < rate <= 1:
        raise BadInput("app.bad_margin", given=given)
    return rate, None


def stages_of(given: str | None) -> StageRules:
    """The stages of a file of the brand's own, or the shipped ones of this name; None is the customer vocabulary.

    Raises:
        BadInput: ``app.no_stages`` for a file that cannot be read, ``app.stages_encoding`` for one that is no text, and
            the codes of :meth:`StageRules.from_toml`, which then name the file.
    """
    if given is None or given in SHIPPED_STAGES:
        return shipped(given or "customer")
    try:
        content = Path(given).read_bytes()
    except OSError as error:
        raise BadInput("app.no_stages", file=given) from error
    # PowerShell writes what a command prints as UTF-16.
    encoding = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8"
    try:
        return StageRules.from_toml(content.decode(encoding))
    except UnicodeDecodeError as error:
        raise BadInput("app.stages_encoding", file=given) from error
    except BadInput as error:
        raise BadInput(error.code, **{**error.values, "name": given}) from error
