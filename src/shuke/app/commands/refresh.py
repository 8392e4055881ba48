"""``shuke refresh``: work out the facts of every customer in the database now, instead of at night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
from rich.console import Console

from shuke import catalog, lifecycle
from shuke.app import terminal
from shuke.app.place import open_place
from shuke.base.language import Language, catalogue
from shuke.base.wording import say_number
from shuke.platform import Settings, configure_logs

__all__ = ["RefreshOptions", "run"]


@dataclass(frozen=True, kw_only=True)
class RefreshOptions:
    """What ``shuke refresh`` was asked for; ``as_of`` None is the last midnight of the brand's zone."""

    language: Language = Language.ENGLISH
    as_of: datetime | None = None
    currency: str | None = None
    horizon_days: int = 365


def run(options: RefreshOptions) -> None:
    """Refresh, and say what came of it; raises the errors of the rooms, which the command line explains."""
    settings = Settings.of_environment()
    configure_logs("json" if settings.log_format == "json" else "text")
    text = catalogue("shuke.app", options.language)
    now = datetime.now(UTC)
    console = Console(stderr=True, highlight=False)
    with open_place(settings, text) as place, terminal.bar(console, options.language) as hear:
        with place.database.read() as tx:
            zone = catalog.zone_of(tx, settings)
        as_of = lifecycle.last_midnight(now, zone)
        if options.as_of is not None:
            as_of = options.as_of.replace(tzinfo=ZoneInfo(zone))
        done = lifecycle.refresh(
            place,
            as_of=as_of,
            now=now,
            time_zone=zone,
            horizon_days=options.horizon_days,
            currency=options.currency,
            progress=hear,
        )
    numbers = {
        name: say_number(getattr(done, name), options.language) for name in ("customers", "changed", "stage_changes")
    }
    click.echo(text("refresh.done", as_of=as_of.date().isoformat(), **numbers))
    if done.cannot_say:
        click.echo(text("facts.cannot_say", why=_why_not(done.cannot_say, options.language)))


def _why_not(reasons: tuple[lifecycle.Unsaid, ...], language: Language) -> str:
    """Every reason in words; a code that has none is shown as it is."""
    words = catalogue("shuke.lifecycle", language)
    separator = "；" if language is Language.CHINESE else "; "
    said = (
        words(f"unsaid.{one.code}", **one.values) if words.has(f"unsaid.{one.code}") else one.code for one in reasons
    )
    return separator.join(said)
