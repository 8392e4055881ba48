"""One customer, put together from the parts that have been merged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from shuke import access, privacy
from shuke.profiles.model import PlainValue

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_GROUPS = ("name", "phone", "email")
_SHOWN_OF = {"first_name": "name", "last_name": "name", "nickname": "name", "name": "name"}


def combined(parts: Sequence[Mapping[str, PlainValue | None]]) -> dict[str, PlainValue | None]:
    """The attributes of parts, the customer's own first: what an earlier part knows counts."""
    whole: dict[str, PlainValue | None] = {}
    for part in parts:
        whole = dict(part) | whole
    return whole


def masked_identity(kind: str, value: str) -> str:
    """An identity for a reader who may not see it: phones and addresses in part, others by their last characters.

    So few that they tell one from another on a page, and most of the value stays hidden.
    """
    if kind in ("phone", "email"):
        return privacy.mask(kind, value)
    shown = 4 if len(value) >= 12 else 2 if len(value) >= 5 else 0
    return "***" + value[len(value) - shown :]


def masked_attribute(name: str, value: str) -> str:
    """A personal attribute for a reader who may not see it: names by their first character, birth by its year."""
    if name == "birth_date" and _DATE.match(value):
        return f"{value[:4]}-**-**"
    return privacy.mask(_SHOWN_OF.get(name, name), value)


def shown_identity(kind: str, value: str, fields: access.Fields) -> str | None:
    """An identity as a reader sees its group; None where it is hidden from them."""
    seen = fields[group_of_identity(kind)]
    if seen is access.Seen.HIDDEN:
        return None
    return value if seen is access.Seen.CLEAR else masked_identity(kind, value)


def group_of_identity(kind: str) -> str:
    """Which group of personal values an identity of this kind belongs to."""
    return kind if kind in _GROUPS else "other"


def group_of_attribute(name: str) -> str:
    """Which group of personal values an attribute or a trait of this name belongs to."""
    group = _SHOWN_OF.get(name, name)
    return group if group in _GROUPS else "other"


def shown_attribute(name: str, value: str, fields: access.Fields) -> str | None:
    """A personal attribute as a reader sees its group; None where it is hidden from them."""
    seen = fields[group_of_attribute(name)]
    if seen is access.Seen.HIDDEN:
        return None
    return value if seen is access.Seen.CLEAR else masked_attribute(name, value)


def own_first(customer_id: UUID, parts: Iterable[UUID]) -> tuple[UUID, ...]:
    """The customer, then its parts from the oldest on."""
    return customer_id, *sorted(set(parts) - {customer_id})
