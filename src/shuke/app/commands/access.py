"""``shuke access key``: an API key made at the command line, such as the first one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import click

from shuke import access
from shuke.app.place import open_place
from shuke.base.language import Language, catalogue
from shuke.platform import Settings

__all__ = ["AccessOptions", "run"]


@dataclass(frozen=True, kw_only=True)
class AccessOptions:
    """What was asked for; ``places`` are the regions or stores of a role that is for some only."""

    action: Literal["key"]
    name: str
    role: str
    days: int = access.DAYS_DEFAULT
    places: tuple[str, ...] = ()
    language: Language = Language.ENGLISH


def run(options: AccessOptions) -> None:
    """Make the key, on the database of the server, running or not; raises the errors of the room."""
    text = catalogue("shuke.app", options.language)
    now = datetime.now(UTC)
    wanted = access.NewKey(name=options.name, role=options.role, days=options.days, places=options.places)
    with open_place(Settings.of_environment(), text) as place:
        with place.database.begin() as tx:
            key, secret = access.make_key(tx, access.COMMAND, wanted, now)
            about = {"key_id": key.key_id, "name": key.name, "role": key.role}
            access.record(tx, place.keyring, access.COMMAND, access.Deed("access.key", about), now)
        until = key.expires_at.date().isoformat()
        click.echo(text("access.key", name=key.name, role=key.role, until=until), err=True)
        # Alone on standard output, and only once the key counts.
        click.echo(secret)
