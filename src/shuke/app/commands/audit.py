"""``shuke audit verify``: whether the audit log is what was written."""

from __future__ import annotations

import re
from dataclasses import dataclass

import click

from shuke import access
from shuke.app.place import open_place
from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue
from shuke.platform import Settings

__all__ = ["AuditOptions", "run"]

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """What was asked for; ``head`` is one that an earlier check printed."""

    language: Language = Language.ENGLISH
    head: str | None = None


def run(options: AuditOptions) -> None:
    """Check every line; exit with status 1 when something does not hold.

    Raises:
        BadInput: ``app.bad_head`` for a head that no check has printed.
    """
    text = catalogue("shuke.app", options.language)
    known = None if options.head is None else _HEAD.fullmatch(options.head.strip())
    if options.head is not None and known is None:
        raise BadInput("app.bad_head", given=options.head)
    pair = None if known is None else (int(known[1]), bytes.fromhex(known[2]))
    with open_place(Settings.of_environment(), text) as place, place.database.read() as tx:
        found = access.verify(tx, place.keyring, known=pair)
    if found.broken is None:
        click.echo(text("audit.holds", entries=found.entries))
        if found.entries:
            click.echo(f"{found.head_seq}:{found.head_hash.hex()}")
        return
    click.echo(text(f"audit.{found.broken.what}", seq=found.broken.seq), err=True)
    raise SystemExit(1)
