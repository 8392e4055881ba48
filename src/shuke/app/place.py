"""Where a command does its work: the settings, the database that is there or is started, and the master keys.

By the names of `platform`, so that a command that needs no database does not wait for its libraries.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from shuke import platform
from shuke.base.errors import NotAvailable
from shuke.base.language import Catalogue

__all__ = ["first_keys", "key_file", "open_place", "open_workplace", "own_database"]


def key_file(settings: platform.Settings) -> Path:
    """Where the master keys are."""
    return settings.master_key_file or settings.data_folder / "master.keys"


def first_keys(settings: platform.Settings) -> None:
    """Make the master keys, but never beside data that other keys protect."""
    with platform.open_database(settings) as database:
        if platform.revision_found(database) is not None:
            raise NotAvailable("platform.no_master_key", file=str(key_file(settings)))
    platform.Keyring.new().save(key_file(settings))


@contextmanager
def open_workplace(settings: platform.Settings) -> Iterator[platform.Workplace]:
    """The workplace of a process, on a database that is there and is migrated if need be."""
    keyring = platform.Keyring.load(key_file(settings))
    with platform.open_database(settings) as database:
        database.ping()
        if platform.revision_found(database) != platform.revision_expected():
            platform.migrate(database)
        yield platform.Workplace(settings, database, keyring)


@contextmanager
def own_database(settings: platform.Settings, text: Catalogue) -> Iterator[platform.EmbeddedPostgres | None]:
    """The database that the settings name, with keys and tables; one of our own is started, and stopped at the end."""
    with ExitStack() as stack:
        settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        postgres: platform.EmbeddedPostgres | None = None
        if settings.database_url is None:

            def waiting(seconds: float) -> None:
                click.echo(text("serve.waiting", seconds=round(seconds)), err=True)

            postgres = stack.enter_context(platform.EmbeddedPostgres.start(settings.data_folder, waiting=waiting))
        _prepare(settings)
        yield postgres


@contextmanager
def open_place(settings: platform.Settings, text: Catalogue) -> Iterator[platform.Workplace]:
    """A workplace for a command: the database that is running, else the data folder's own for as long as it takes."""
    with ExitStack() as stack:
        if _answers(settings):
            _prepare(settings)
        else:
            stack.enter_context(own_database(settings, text))
        yield stack.enter_context(open_workplace(settings))


def _prepare(settings: platform.Settings) -> None:
    if not key_file(settings).exists():
        first_keys(settings)
    with platform.open_database(settings) as database:
        database.ping()
        platform.migrate(database)


def _answers(settings: platform.Settings) -> bool:
    try:
        with platform.open_database(settings) as database:
            database.ping()
    except NotAvailable:
        return False
    return True
