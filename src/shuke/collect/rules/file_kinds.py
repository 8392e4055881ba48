"""What a file is probably of, by its columns, and which of them would mean what. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from shuke.collect.model import FIELDS
from shuke.collect.rules.event_tables import event_columns
from shuke.collect.rules.headers import plain, plain_forms, recognise, vocabulary
from shuke.collect.rules.people import ATTRIBUTES, IDENTITIES, columns_of
from shuke.collect.rules.personal import vocabulary as event_vocabulary

__all__ = ["FILE_KINDS", "FileKind", "Guess", "fields_of", "guesses", "likely_kind"]

FileKind = Literal["orders", "customers", "products", "costs", "events"]
FILE_KINDS: tuple[FileKind, ...] = get_args(FileKind)

_PRODUCT_FIELDS = ("product", "product_name", "category", "brand", "price", "unit_cost", "cost", "currency")


@dataclass(frozen=True)
class Guess:
    """What the columns would be, were the file of this kind: field → column, and what it lacks to be one.

    ``missing`` are fields without which nothing can be said; ``amount`` may also be quantity and price, and
    ``identity`` any column that names somebody.
    """

    kind: FileKind
    mapping: Mapping[str, str]
    missing: tuple[str, ...]


def fields_of(kind: FileKind, defined: Collection[str]) -> tuple[str, ...]:
    """Everything that a column of such a file can be; ``defined`` are the brand's own attributes."""
    if kind == "orders":
        return FIELDS
    if kind == "products":
        return _PRODUCT_FIELDS
    if kind == "costs":
        return tuple(vocabulary()["costs"])
    if kind == "events":
        return (*event_vocabulary()["columns"], *IDENTITIES)
    return tuple(dict.fromkeys((*IDENTITIES, *ATTRIBUTES, *sorted(defined))))


def guesses(columns: Sequence[str], *, defined: Collection[str]) -> tuple[Guess, ...]:
    """What the columns would mean in a file of each kind."""
    return tuple(_guess(kind, columns, defined) for kind in FILE_KINDS)


def likely_kind(found: Sequence[Guess]) -> FileKind:
    """The kind that lacks nothing and says most; what names an event is one, whatever it is also."""
    whole = {guess.kind: guess.mapping for guess in found if not guess.missing}
    if "event" in whole.get("events", {}):
        return "events"
    for kind in ("costs", "orders"):
        if kind in whole:
            return kind
    # A list of goods has no people in it, and one of people no goods.
    if "products" in whole and len(whole["products"]) >= len(whole.get("customers", {})):
        return "products"
    return "customers" if "customers" in whole else "orders"


def _guess(kind: FileKind, columns: Sequence[str], defined: Collection[str]) -> Guess:
    if kind in ("orders", "products"):
        need = ("customer", "time", "amount") if kind == "orders" else ("product",)
        matches = recognise(columns, file="", mapping={}, need=())
        mapping = {match.field: match.column for match in matches if match.field in fields_of(kind, ())}
        lacks = [field for field in need if field not in mapping]
        if {"quantity", "price"} <= mapping.keys() and "amount" in lacks:
            lacks.remove("amount")
        return Guess(kind, mapping, tuple(lacks))
    if kind == "costs":
        mapping = _cost_columns(columns)
        return Guess(kind, mapping, tuple(field for field in vocabulary()["costs"] if field not in mapping))
    if kind == "events":
        events = event_columns(columns, {})
        lacks = [] if "timestamp" in events.fields else ["timestamp"]
        if not events.identities and "anonymousId" not in events.fields:
            lacks.append("identity")
        return Guess(kind, {**events.fields, **events.identities}, tuple(lacks))
    identities, attributes = columns_of(columns, mapping={}, defined=defined)
    return Guess(kind, {**identities, **attributes}, () if identities else ("identity",))


def _cost_columns(columns: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, names in vocabulary()["costs"].items():
        known = {plain(name) for name in names}
        free = (one for one in columns if one not in found.values() and known & set(plain_forms(one)))
        if (column := next(free, None)) is not None:
            found[field] = column
    return found
