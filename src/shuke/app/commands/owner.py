"""``shuke access owner``: a link for an owner who cannot sign in any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import click

from shuke import access
from shuke.app.place import open_place
from shuke.base.language import Language, catalogue
from shuke.platform import Settings

__all__ = ["OwnerOptions", "run"]


@dataclass(frozen=True, kw_only=True)
class OwnerOptions:
    """What was asked for: whom to let in again."""

    email: str
    language: Language = Language.ENGLISH


def run(options: OwnerOptions) -> None:
    """Print the link, on the database of the server, running or not; raises the errors of the room."""
    text = catalogue("shuke.app", options.language)
    settings = Settings.of_environment()
    now = datetime.now(UTC)
    with open_place(settings, text) as place:
        with place.database.begin() as tx:
            token, user_id = access.reset_link_of_owner(tx, options.email, now)
            deed = access.Deed("user.reset", {"user_id": user_id})
            access.record(tx, place.keyring, access.COMMAND, deed, now)
        base = settings.public_url or f"http://localhost:{settings.port}"
        click.echo(text("access.owner"), err=True)
        # Alone on standard output, and only once the link counts.
        click.echo(access.link_to(base, "invite", token))
