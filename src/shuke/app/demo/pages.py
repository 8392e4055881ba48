"""What a person sees of the demo: the page that leads to everything, and the words in the terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import jinja2

from shuke import collect, lifecycle
from shuke.app.demo.notes import OWNER, Notes
from shuke.base.language import Language, catalogue
from shuke.base.money import from_minor
from shuke.base.wording import say_date, say_money, say_number
from shuke.insight import CUSTOMER_STAGES
from shuke.platform import Workplace

__all__ = ["where_things_are", "write_pages"]

_FACTS_SHOWN = 7
# What the person may send, to see at once that it arrives.
_EVENT = "Product Added to Wishlist"
_ROOM = "shuke.app.demo"


@dataclass(frozen=True)
class _Line:
    """One fact in words."""

    when: str
    what: str
    detail: str
    simulated: bool


@dataclass(frozen=True)
class _Card:
    """One customer in words; ``numbers`` are pairs of name and value."""

    number: str
    stage: str
    numbers: list[tuple[str, str]]
    lines: list[_Line]


def write_pages(folder: Path, place: Workplace, notes: Notes, *, first: Language, server: str | None = None) -> None:
    """The page in each language, and as ``index.html`` in the language that comes first.

    Args:
        folder: of the site, where the reports are.
        place: read for the customers that the page shows.
        notes: of the demo.
        first: the language of the person.
        server: the server's address; None where none is running.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("shuke.app", "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    template = environment.get_template("demo.html")
    folder.mkdir(parents=True, exist_ok=True)
    for language in Language:
        page = template.render(
            text=catalogue(_ROOM, language),
            language=language.value,
            languages=[one.value for one in Language],
            weeks=say_number(notes.weeks or 0, language),
            counts={name: say_number(count, language) for name, count in notes.counts.items()},
            cards=_cards(place, notes, language),
            server=server,
            ask=None if server is None else _ask(notes, server),
            curl=None if server is None else _curl(notes, server),
            data=str(notes.folder),
        )
        (folder / f"{language.value}.html").write_text(page, encoding="utf-8")
        if language is first:
            (folder / "index.html").write_text(page, encoding="utf-8")


def where_things_are(language: Language, notes: Notes, *, site: str, server: str, log: Path) -> str:
    """What the terminal says once everything runs."""
    text = catalogue(_ROOM, language)
    customer_id, number = notes.customers[-1] if notes.customers else ("", "")
    names = (
        ("page", site),
        ("console", server),
        ("report", f"{site}{language.value}/report.html"),
        ("customer", f"{server}customers/{customer_id}"),
        ("timeline", f"{server}api/customers/{customer_id}/timeline"),
        ("api", f"{server}openapi.json"),
        ("health", f"{server}readyz"),
        ("metrics", f"{server}metrics"),
        ("data", str(notes.folder)),
        ("log", str(log)),
        ("write_key", notes.write_key),
        ("api_key", notes.api_key),
        ("email", OWNER),
        ("password", notes.password),
    )
    lines = [f"  {text(f'where.{name}')}: {value}" for name, value in names]
    say = text("try_event", number=number)
    asks = [text("try_asking", number=number), "", _ask(notes, server), ""]
    return "\n".join([text("ready"), "", *lines, "", *asks, say, "", _curl(notes, server), ""])


def _ask(notes: Notes, server: str) -> str:
    """One line for a shell that asks for everything about the last customer shown."""
    customer_id, _ = notes.customers[-1]
    return f"curl -H 'authorization: Bearer {notes.api_key}' {server}api/customers/{customer_id}"


def _curl(notes: Notes, server: str) -> str:
    """One line for a shell that sends an event of the last customer shown."""
    _, number = notes.customers[-1]
    event = {
        "event": _EVENT,
        "context": {"externalIds": [{"type": "member_number", "id": number}]},
        "properties": {"product_id": "85123A", "name": "WHITE HANGING HEART T-LIGHT HOLDER"},
    }
    body = shlex.quote(json.dumps(event, separators=(",", ":")))
    return f"curl -u {notes.write_key}: -H 'content-type: application/json' -d {body} {server}v1/track"


def _cards(place: Workplace, notes: Notes, language: Language) -> list[_Card]:
    with place.database.read() as tx:
        known = lifecycle.facts_of(tx, [UUID(customer_id) for customer_id, _ in notes.customers])
        return [
            _card(one, number, collect.timeline(tx, one.customer_id, limit=_FACTS_SHOWN).facts, language)
            for customer_id, number in notes.customers
            if (one := known.get(UUID(customer_id))) is not None
        ]


def _card(
    one: lifecycle.CustomerFacts, number: str, facts: Sequence[collect.TimelineFact], language: Language
) -> _Card:
    text = catalogue(_ROOM, language)

    def money(minor: int | None) -> str:
        return text("unsaid") if minor is None else say_money(from_minor(minor, one.currency), one.currency, language)

    numbers = [
        (text("card.orders"), say_number(one.orders, language)),
        (text("card.last"), say_date(one.last_order_at.date(), language)),
        (text("card.historic"), money(one.historic_clv_minor)),
        (text("card.predicted"), money(one.predicted_clv_minor)),
    ]
    lines = [_line(fact, language) for fact in facts]
    return _Card(number, _stage(one.stage, language), numbers, lines)


def _line(fact: collect.TimelineFact, language: Language) -> _Line:
    text = catalogue(_ROOM, language)
    if fact.kind == "stage":
        what, detail = text("fact.stage"), _stage(fact.name, language)
    else:
        key = f"fact.{fact.name.lower().replace(' ', '_')}"
        what = text(key) if text.has(key) else fact.name
        detail = _detail(fact, language)
    when = f"{say_date(fact.occurred_at.date(), language)} {fact.occurred_at:%H:%M}"
    return _Line(when, what, detail, fact.simulated)


def _detail(fact: collect.TimelineFact, language: Language) -> str:
    """The money of a fact, else the first of its properties that says what it is about."""
    if fact.amount_minor is not None and fact.currency is not None:
        return say_money(from_minor(fact.amount_minor, fact.currency), fact.currency, language, digits=2)
    said = fact.properties
    if "value" in said and "currency" in said:
        return say_money(said["value"], said["currency"], language, digits=2)
    told = ("name", "campaign_id", "topic", "score", "list_id")
    return next((str(said[name]) for name in told if name in said), "")


def _stage(code: str, language: Language) -> str:
    return next((stage.names[language.value] for stage in CUSTOMER_STAGES.stages if stage.code == code), code)
