"""Tables of events: which columns are fields of the message, which name somebody, and what a row says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from shuke.collect.rules.headers import DATE_ORDER, find_column, plain, plain_forms
from shuke.collect.rules.people import IDENTITIES
from shuke.collect.rules.personal import vocabulary

__all__ = ["LITERAL", "EventColumns", "event_columns", "event_of"]

#: A cell that is as it stands a value of JSON: a number without leading zeros, or a truth value.
LITERAL = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?|true|false"


@dataclass(frozen=True)
class EventColumns:
    """Columns by the field of the message and by the kind of identity; all others are properties."""

    fields: Mapping[str, str]
    identities: Mapping[str, str]
    properties: tuple[str, ...]


def event_columns(columns: Sequence[str], mapping: Mapping[str, str]) -> EventColumns:
    """What the person gave comes first, then the names of the vocabulary; each column is one thing."""
    taken: dict[str, str] = {}
    for field, name in mapping.items():
        if field != DATE_ORDER and (at := find_column(name, columns)) is not None:
            taken[field] = columns[at]
    known = vocabulary()["columns"]
    wanted = {field: tuple(plain(name) for name in names) for field, names in known.items()}
    for field, names in {**wanted, **IDENTITIES}.items():
        free = (one for one in columns if one not in taken.values() and set(plain_forms(one)) & set(names))
        if field not in taken and (column := next(free, None)) is not None:
            taken[field] = column
    fields = {field: column for field, column in taken.items() if field in known}
    identities = {kind: column for kind, column in taken.items() if kind not in known}
    return EventColumns(fields, identities, tuple(one for one in columns if one not in taken.values()))


def event_of(cells: Mapping[str, str | None], columns: EventColumns, literal: frozenset[str]) -> dict[str, Any]:
    """One row as a message of the protocol. ``literal`` are the columns whose cells are values of JSON as they stand.

    A row that names an event is ``track``, one that names none ``identify``, unless a column says otherwise. A cell
    that is an object or a list of JSON is taken as such; a column of ``properties`` holds several at once.
    """
    said = {field: cell for field, column in columns.fields.items() if (cell := cells[column]) is not None}
    ids = [
        {"type": kind, "id": cell} for kind, column in columns.identities.items() if (cell := cells[column]) is not None
    ]
    values = {
        column: msgspec.Raw(cell.encode()) if column in literal else _nested(cell)
        for column in columns.properties
        if (cell := cells[column]) is not None
    }
    more = _nested(said.pop("properties", "{}"))
    properties = {**more, **values} if isinstance(more, dict) else {**values, "properties": more}
    kind = said.pop("type", "track" if "event" in said else "identify").strip().lower()
    content = "traits" if kind in ("identify", "group") else "properties"
    return {"type": kind, **said, "context": {"externalIds": ids}, content: properties}


def _nested(cell: str) -> Any:
    if cell[:1] in "{[":
        try:
            return msgspec.json.decode(cell)
        except (msgspec.DecodeError, RecursionError):
            pass
    return cell
