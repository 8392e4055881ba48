"""``shuke doctor``: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import click
import sqlalchemy as sa

from shuke.app.place import key_file
from shuke.base.errors import ShukeError
from shuke.base.language import Catalogue, Language, catalogue, explain
from shuke.platform import Database, Keyring, Settings, open_database, revision_expected, revision_found

__all__ = ["DoctorOptions", "Finding", "examine", "run"]

POSTGRES_MIN = 150_000
FREE_BYTES_MIN = 2_000_000_000
# A worker says every ten seconds that it is alive.
_WORKER_SILENT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class DoctorOptions:
    """What ``shuke doctor`` was asked for."""

    language: Language = Language.ENGLISH


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: good, worth a look, or broken; ``text`` says how to mend it."""

    state: Literal["good", "look", "broken"]
    what: str
    text: str


def run(options: DoctorOptions) -> None:
    """Print every finding; exit with status 1 when something is broken."""
    text = catalogue("shuke.app", options.language)
    findings = list(examine(options.language))
    marks = {"good": "✓", "look": "!", "broken": "✗"}
    for finding in findings:
        click.echo(f"{marks[finding.state]} {text(f'doctor.{finding.what}')}: {finding.text}")
    if any(finding.state == "broken" for finding in findings):
        raise SystemExit(1)


def examine(language: Language) -> Iterator[Finding]:
    """Look at one thing after the other; what rests on something broken is left out."""
    text = catalogue("shuke.app", language)
    try:
        settings = Settings.of_environment()
    except ShukeError as error:
        yield Finding("broken", "settings", explain(error, language))
        return
    yield Finding("good", "settings", text("doctor.fine"))
    yield _folder(settings, text)
    yield _explained("keys", language, lambda: _keys(settings, text))
    try:
        with open_database(settings) as database:
            database.ping()
            for what, look in (("database", _version), ("tables", _tables), ("worker", _worker), ("jobs", _jobs)):
                yield _explained(what, language, lambda look=look: look(database, text))  # type: ignore[misc]
    except ShukeError as error:
        yield Finding("broken", "database", explain(error, language))


def _explained(what: str, language: Language, look: Callable[[], tuple[Any, str]]) -> Finding:
    try:
        state, said = look()
    except ShukeError as error:
        return Finding("broken", what, explain(error, language))
    return Finding(state, what, said)


def _folder(settings: Settings, text: Catalogue) -> Finding:
    folder = settings.data_folder
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    state: Literal["good", "look"] = "good" if free >= FREE_BYTES_MIN else "look"
    said = text("doctor.free" if state == "good" else "doctor.little_free", folder=str(folder), gb=f"{free / 1e9:.1f}")
    return Finding(state, "folder", said)


def _keys(settings: Settings, text: Catalogue) -> tuple[str, str]:
    path = key_file(settings)
    if not path.exists() and not (settings.data_folder / "postgres").exists() and settings.database_url is None:
        return "look", text("doctor.not_started")
    return "good", text("doctor.keys_found", file=str(path), version=Keyring.load(path).version)


def _version(database: Database, text: Catalogue) -> tuple[str, str]:
    with database.read() as transaction:
        number, shown = transaction.execute(
            sa.text("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
        ).one()
    return ("good" if number >= POSTGRES_MIN else "broken"), text(
        "doctor.version" if number >= POSTGRES_MIN else "doctor.old_version", version=shown
    )


def _tables(database: Database, text: Catalogue) -> tuple[str, str]:
    found, expected = revision_found(database), revision_expected()
    if found == expected:
        return "good", text("doctor.migrated", revision=found)
    return "look", text("doctor.not_migrated", found=found or "–", expected=expected)


def _worker(database: Database, text: Catalogue) -> tuple[str, str]:
    if revision_found(database) is None:
        return "look", text("doctor.not_started")
    with database.read() as transaction:
        alive = transaction.execute(
            sa.text(
                "SELECT count(*) FROM procrastinate_workers"
                " WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
            ),
            {"seconds": _WORKER_SILENT_SECONDS},
        ).scalar_one()
    return ("good", text("doctor.workers", count=alive)) if alive else ("look", text("doctor.no_worker"))


def _jobs(database: Database, text: Catalogue) -> tuple[str, str]:
    if revision_found(database) is None:
        return "look", text("doctor.not_started")
    with database.read() as transaction:
        waiting, failed = transaction.execute(
            sa.text(
                "SELECT count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()),"
                " count(*) FILTER (WHERE status = 'failed') FROM procrastinate_jobs"
            )
        ).one()
    return ("look" if failed else "good"), text("doctor.queue", waiting=waiting, failed=failed)
