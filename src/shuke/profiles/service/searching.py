"""Customers in lists: who is meant by a search, and what a list shows of who somebody is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke import access, privacy
from shuke.base.errors import BadInput, NotAllowed
from shuke.platform import Keyring, Transaction, among
from shuke.profiles.model import Card
from shuke.profiles.rules.profile import shown_attribute, shown_identity
from shuke.profiles.rules.search import NAMES, Search, is_ideographic, means, seen_of, understood
from shuke.profiles.service.attributes import attribute_field
from shuke.profiles.service.resolving import key_of
from shuke.profiles.service.terms import numbers, search_terms
from shuke.profiles.tables import customers, identities, tags

__all__ = ["Candidates", "Chosen", "add_missing_terms", "candidates", "cards", "present", "tagged"]

CARDS_MAX = 1_000
TERMS_BATCH = 1_000
_KINDS = ("phone", "email", "member_number")
_NAME_FIELDS = {attribute_field(name): name for name in NAMES}


@dataclass(frozen=True)
class Chosen:
    """Customers who are chosen by what stands in other tables.

    Who chooses from many customers asks for the ids where these are few, and asks of one after the other where most
    are: either way takes long in the other case.
    """

    #: The ids of all of them, some twice, where they are at most so many; else as many or more, or a null.
    some: Callable[[int], sa.Select[Any]]
    #: The condition that the customer of this column is among them.
    one: Callable[[sa.ColumnElement[UUID]], sa.ColumnElement[bool]]
    #: Whether ``some`` are really chosen; else ``one`` has to be asked of each of them.
    sure: bool = True


@dataclass(frozen=True)
class Candidates:
    """Who may be meant by a search; whether one is, :func:`cards` says. ``exact`` have an identity given whole."""

    search: Search
    exact: frozenset[UUID]
    chosen: Chosen


def candidates(tx: Transaction, keyring: Keyring, text: str, *, fields: access.Fields = access.MASKED) -> Candidates:
    """Who may be meant by this text, as far as the reader sees at least a part of what is looked for.

    Raises:
        BadInput: as :func:`~shuke.profiles.rules.search.understood`.
        NotAllowed: ``profiles.search_hidden`` when all that it may mean is hidden from them.
    """
    search = seen_of(understood(text), fields)
    if search is None:
        raise NotAllowed("profiles.search_hidden")
    keys = [key_of(keyring, one) for one in search.ids]
    by_identity = sa.select(identities.c.customer_id).where(sa.tuple_(identities.c.kind, identities.c.lookup).in_(keys))
    exact = frozenset(tx.scalars(by_identity)) if keys else frozenset()
    whole = among("uuid", sorted(exact))
    # The longest word first: of those who have it, fewer are to be asked for the others.
    words = sorted((numbers(keyring, terms) for terms in search.terms), key=len, reverse=True)
    holding = [_by_person(partial(privacy.holders, terms), partial(privacy.holds, terms=terms)) for terms in words]
    given_whole = sa.select(customers.c.customer_id).where(customers.c.customer_id == whole)

    def some(limit: int) -> sa.Select[Any]:
        if not holding:
            return given_whole
        alike = holding[0].some(limit).subquery()
        return sa.union_all(given_whole, sa.select(alike.c.customer_id)).subquery().select()

    def is_one(customer: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
        if not holding:
            return customer == whole
        return (customer == whole) | sa.and_(*(one.one(customer) for one in holding))

    return Candidates(search, exact, Chosen(some, is_one, sure=len(holding) < 2))


def tagged(any_of: Collection[str]) -> Chosen:
    """The customers with one of these tags that has not expired, by ``now()`` of the transaction."""
    now = sa.func.now()
    valid = sa.select(tags.c.customer_id).where(
        tags.c.tag == among("text", any_of), tags.c.expires_at.is_(None) | (tags.c.expires_at > now)
    )

    def has(person: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
        return valid.where(tags.c.customer_id == person).limit(1).scalar_subquery().is_not(None)

    return _by_person(valid.limit, has)


def _by_person(
    some_persons: Callable[[int], sa.Select[Any]], is_one: Callable[[sa.ColumnElement[UUID]], sa.ColumnElement[bool]]
) -> Chosen:
    """The customers who stand for persons: of whom some are found, and each can be asked of."""

    def some(limit: int) -> sa.Select[Any]:
        persons = some_persons(limit).subquery()
        stands = sa.func.coalesce(customers.c.merged_into, customers.c.customer_id)
        return (
            sa.select(stands.label("customer_id"))
            .select_from(persons.outerjoin(customers, persons.c[0] == customers.c.customer_id))
            # Whom the reader does not see is none; that there are too many is told to everybody.
            .where(persons.c[0].is_(None) | customers.c.customer_id.is_not(None))
        )

    def one(customer: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
        part = customers.alias()
        of_parts = sa.select(part.c.customer_id).where(part.c.merged_into == customer, is_one(part.c.customer_id))
        return is_one(customer) | of_parts.limit(1).scalar_subquery().is_not(None)

    return Chosen(some, one)


def present() -> sa.Select[Any]:
    """Everybody who is a customer of their own now: neither merged into another nor erased."""
    return sa.select(customers.c.customer_id, customers.c.created_at).where(
        customers.c.merged_into.is_(None), customers.c.erased_at.is_(None)
    )


def cards(
    tx: Transaction,
    keyring: Keyring,
    customer_ids: Collection[UUID],
    *,
    fields: access.Fields = access.MASKED,
    meant: Candidates | None = None,
) -> dict[UUID, Card]:
    """Who these customers are, by id; shown as ``fields`` say.

    With ``meant`` only those who are really meant by the search. Raises BadInput ``profiles.too_many`` above
    :data:`CARDS_MAX`.
    """
    if len(customer_ids) > CARDS_MAX:
        raise BadInput("profiles.too_many", limit=CARDS_MAX)
    wanted = among("uuid", customer_ids)
    rows = tx.execute(
        sa.select(customers.c.customer_id, customers.c.merged_into)
        .where((customers.c.customer_id == wanted) | (customers.c.merged_into == wanted))
        .order_by(customers.c.merged_into.nulls_first(), customers.c.customer_id)
    )
    parts: dict[UUID, list[UUID]] = {}
    for part, into in rows:
        parts.setdefault(into or part, []).append(part)
    everybody = [part for of_one in parts.values() for part in of_one]
    values = privacy.read_fields(
        tx, keyring, everybody, prefixes=(*_NAME_FIELDS, *(f"identity:{kind}:" for kind in _KINDS))
    )
    labels = _tags(tx, everybody)
    made: dict[UUID, Card] = {}
    for customer, ids in parts.items():
        known = [values.get(part, {}) for part in ids]
        names = [fields[field] for fields in known for field in _NAME_FIELDS if field in fields]
        of_kind = {kind: [text for fields in known for text in _of(fields, kind)] for kind in _KINDS}
        if meant and customer not in meant.exact and not means(meant.search, names=names, phones=of_kind["phone"]):
            continue
        made[customer] = _card(customer, known, of_kind, _joined(labels, ids), fields=fields)
    return made


def add_missing_terms(tx: Transaction, keyring: Keyring) -> int:
    """Give up to :data:`TERMS_BATCH` names and phone numbers the terms that they lack; returns how many."""
    return privacy.add_terms(
        tx, keyring, search_terms(keyring), fields=_NAME_FIELDS, prefix="identity:phone:", batch=TERMS_BATCH
    )


def _of(fields: Mapping[str, str], kind: str) -> list[str]:
    return [text for field, text in fields.items() if field.startswith(f"identity:{kind}:")]


def _card(
    customer: UUID,
    known: list[dict[str, str]],
    of_kind: Mapping[str, list[str]],
    labels: tuple[str, ...],
    *,
    fields: access.Fields,
) -> Card:
    name = _name(
        {said: text for part in reversed(known) for field, said in _NAME_FIELDS.items() if (text := part.get(field))}
    )
    first = {kind: shown_identity(kind, texts[0], fields) for kind, texts in of_kind.items() if texts}
    return Card(
        customer_id=customer,
        name=None if name is None else shown_attribute("name", name, fields),
        phone=first.get("phone"),
        email=first.get("email"),
        member_number=first.get("member_number"),
        tags=labels,
    )


def _name(said: Mapping[str, str]) -> str | None:
    """The name as the brand keeps it, whole or in parts, else what the customer is called."""
    if "name" in said:
        return said["name"]
    family, given = said.get("last_name", ""), said.get("first_name", "")
    whole = family + given if is_ideographic(family) else f"{given} {family}".strip()
    return whole or said.get("nickname")


def _tags(tx: Transaction, persons: Collection[UUID]) -> dict[UUID, list[str]]:
    rows = tx.execute(
        sa.select(tags.c.customer_id, tags.c.tag)
        .where(tags.c.customer_id == among("uuid", persons))
        .where(tags.c.expires_at.is_(None) | (tags.c.expires_at > sa.func.now()))
        .order_by(tags.c.tag)
    )
    found: dict[UUID, list[str]] = {}
    for customer, tag in rows:
        found.setdefault(customer, []).append(tag)
    return found


def _joined(labels: Mapping[UUID, list[str]], ids: Iterable[UUID]) -> tuple[str, ...]:
    return tuple(sorted({tag for one in ids for tag in labels.get(one, ())}))
