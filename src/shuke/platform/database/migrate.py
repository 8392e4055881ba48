"""Bring the tables to the state that this release expects, one process at a time."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import shuke
from shuke.base.errors import Conflict
from shuke.platform.database.connect import Database

__all__ = ["migrate", "revision_expected", "revision_found"]

# Any number that is ours alone in this database; held while migrating.
_LOCK = 7_485_380_021


def migrate(database: Database, *, to: str = "head") -> bool:
    """Run the migrations that are missing, all in one transaction; say whether there were any.

    Processes that start together wait for each other, and all but the first find nothing to do.

    Raises:
        Conflict: ``platform.database_newer`` when the database has been at a release that this one does not know.
    """
    with database.begin() as transaction:
        transaction.execute(sa.text("SELECT set_config('statement_timeout', '0', true)"))
        transaction.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = _found(transaction)
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        if found is not None and found not in known:
            raise Conflict("platform.database_newer", found=found)
        if found == (revision_expected() if to == "head" else to):
            return False
        config = _config()
        config.attributes["connection"] = transaction
        (command.downgrade if _is_older(to, found) else command.upgrade)(config, to)
        return True


def revision_expected() -> str | None:
    """The revision that this release brings a database to."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def revision_found(database: Database) -> str | None:
    """The revision that the database is at; None before the first migration."""
    with database.read() as transaction:
        return _found(transaction)


def _found(transaction: sa.Connection) -> str | None:
    return MigrationContext.configure(transaction).get_current_revision()


def _is_older(to: str, found: str | None) -> bool:
    if found is None or to == "head":
        return False
    below = ScriptDirectory.from_config(_config()).iterate_revisions(found, "base")
    return to == "base" or to in {script.revision for script in below}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    return config


def _scripts() -> Path:
    """The migrations: beside the package in the wheel, at the top of the repository while developing."""
    package = Path(shuke.__file__).parent
    shipped = package / "migrations"
    return shipped if shipped.exists() else package.parent.parent / "migrations"
