"""``shuke keys rotate``: a new master key, and every data key wrapped anew under it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click
import sqlalchemy as sa

from shuke import access, connectors, privacy
from shuke.app.place import key_file, open_place
from shuke.base.language import Language, catalogue
from shuke.platform import Database, Keyring, Settings, configure_logs, rewrap_files

__all__ = ["KeysOptions", "run"]

BATCH_KEYS = 2_000
# Any number that is ours alone in this database; held while deciding on a new key.
_LOCK = 7_485_380_022


@dataclass(frozen=True, kw_only=True)
class KeysOptions:
    """What ``shuke keys rotate`` was asked for."""

    language: Language = Language.ENGLISH


def run(options: KeysOptions) -> None:
    """Rotate, or finish a rotation that was interrupted."""
    settings = Settings.of_environment()
    configure_logs("json" if settings.log_format == "json" else "text")
    text = catalogue("shuke.app", options.language)
    with open_place(settings, text) as place:
        keyring, keys = _newest(place.database, key_file(settings))
        done = 0
        with click.progressbar(length=keys, label=text("keys.rewrapping"), file=sys.stderr) as bar:
            while True:
                with place.database.begin() as tx:
                    batch = privacy.rewrap(tx, keyring, BATCH_KEYS)
                done += batch.done
                bar.update(batch.done)
                # What others hold at this moment is theirs to wrap, or is met by the next rotation.
                if not batch.done:
                    break
        with place.database.begin() as tx:
            access.rewrap_secrets(tx, keyring)
            connectors.rewrap_secrets(tx, keyring)
            rewrap_files(tx, keyring)
    click.echo(text("keys.rotated", keys=done, version=keyring.version, file=str(key_file(settings))))


def _newest(database: Database, path: Path) -> tuple[Keyring, int]:
    """The keys to wrap with, and how many data keys are to be wrapped.

    A new master key is on the disk before anything is wrapped with it; where some data keys are still under an older
    one, that rotation is finished first. Two who rotate at once would each write a file without the other's key.
    """
    with database.begin() as tx:
        tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        keyring = Keyring.load(path)
        keys = privacy.outdated_keys(tx, keyring)
        if keys == 0:
            keyring = keyring.rotated()
            keyring.save(path)
            keys = privacy.outdated_keys(tx, keyring)
        return keyring, keys
