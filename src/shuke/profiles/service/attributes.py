"""What a brand wants to know of its customers, and what it does know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke import privacy
from shuke.base.errors import BadInput, NotFound, ShukeError
from shuke.platform import Keyring, Transaction, among, array
from shuke.profiles.model import AttributeDefinition, AttributeType, PlainValue, Refusal
from shuke.profiles.rules.attributes import BUILT_IN, checked_definition, checked_value
from shuke.profiles.service.days import days_of, has_day
from shuke.profiles.service.merging import parts_of, standing_for
from shuke.profiles.service.resolving import lock_customers
from shuke.profiles.service.terms import search_terms
from shuke.profiles.tables import attribute_definitions, customers

DEFINITIONS_MAX = 500
CUSTOMERS_MAX = 10_000
ATTRIBUTES_OF_ONE_MAX = 200
DAYS_BATCH = 1_000


def define_attribute(tx: Transaction, definition: AttributeDefinition, now: datetime) -> None:
    """Add something to know, or give a choice other choices; values that are stored stay as they are.

    Raises:
        BadInput: ``profiles.bad_attribute``; ``profiles.attribute_fixed`` for one that is there with another type, or
            elsewhere (in the vault or not); ``profiles.too_many`` above :data:`DEFINITIONS_MAX`.
    """
    checked_definition(definition)
    there = attribute_definitions_of(tx, retired=True)
    known = there.get(definition.name)
    if known and (known.type, known.personal) != (definition.type, definition.personal):
        raise BadInput("profiles.attribute_fixed", attribute=definition.name)
    if known is None and len(there) - len(BUILT_IN) >= DEFINITIONS_MAX:
        raise BadInput("profiles.too_many", limit=DEFINITIONS_MAX)
    values = {"type": definition.type, "personal": definition.personal, "choices": list(definition.choices)}
    tx.execute(
        insert(attribute_definitions)
        .values(name=definition.name, created_at=now, **values)
        .on_conflict_do_update(index_elements=["name"], set_={"choices": values["choices"], "retired_at": None})
    )


def retire_attribute(tx: Transaction, name: str, now: datetime) -> None:
    """Take no more values; those that are there stay. NotFound ``profiles.no_attribute``."""
    if name not in attribute_definitions_of(tx) or name in BUILT_IN:
        raise NotFound("profiles.no_attribute", attribute=name)
    tx.execute(sa.update(attribute_definitions).where(attribute_definitions.c.name == name).values(retired_at=now))


def attribute_definitions_of(tx: Transaction, *, retired: bool = False) -> dict[str, AttributeDefinition]:
    """Every attribute by its name, built-in ones first; those that were retired only if asked for."""
    statement = sa.select(attribute_definitions).order_by(attribute_definitions.c.name)
    if not retired:
        statement = statement.where(attribute_definitions.c.retired_at.is_(None))
    return dict(BUILT_IN) | {
        row.name: AttributeDefinition(row.name, AttributeType(row.type), row.personal, tuple(row.choices))
        for row in tx.execute(statement)
    }


def set_attributes(
    tx: Transaction, keyring: Keyring, changes: Sequence[tuple[UUID, Mapping[str, object]]], now: datetime
) -> list[Refusal]:
    """Set attributes of many customers; None takes a value away, a later change of the same customer counts.

    What cannot be taken is left out and reported: ``profiles.unknown_attribute``, ``profiles.bad_value``. Only what
    differs from what is there is written. A customer who has been merged is who stands for it.

    Raises:
        BadInput: ``profiles.too_many`` above :data:`CUSTOMERS_MAX` changes, or :data:`ATTRIBUTES_OF_ONE_MAX` of one.
        NotFound: ``profiles.no_customer``.
    """
    if len(changes) > CUSTOMERS_MAX or any(len(given) > ATTRIBUTES_OF_ONE_MAX for _, given in changes):
        raise BadInput("profiles.too_many", limit=CUSTOMERS_MAX)
    definitions = attribute_definitions_of(tx)
    stands = standing_for(tx, {customer for customer, _ in changes})
    plain: dict[UUID, dict[str, PlainValue | None]] = {}
    personal: dict[UUID, dict[str, PlainValue | None]] = {}
    refused: list[Refusal] = []
    for index, (customer, given) in enumerate(changes):
        for name, value in given.items():
            definition = definitions.get(name)
            if definition is None:
                refused.append(Refusal(index, name, "profiles.unknown_attribute"))
                continue
            try:
                read = None if value is None else checked_value(definition, value)
            except ShukeError as error:
                refused.append(Refusal(index, name, error.code))
                continue
            (personal if definition.personal else plain).setdefault(stands[customer], {})[name] = read
    _reach_parts(tx, plain)
    _reach_parts(tx, personal)
    _write_plain(tx, plain, now)
    dated = frozenset(attribute_field(one.name) for one in definitions.values() if has_day(one))
    _write_personal(tx, keyring, personal, dated, now)
    return refused


def add_missing_days(tx: Transaction, keyring: Keyring) -> int:
    """Give up to :data:`DAYS_BATCH` personal dates the days that they lack; returns how many."""
    definitions = attribute_definitions_of(tx, retired=True).values()
    dated = frozenset(attribute_field(one.name) for one in definitions if has_day(one))
    return privacy.add_days(tx, keyring, days_of(keyring, dated), fields=dated, batch=DAYS_BATCH)


def attribute_field(name: str) -> str:
    """The vault's field of a personal attribute."""
    return f"attribute:{name}"


def _reach_parts(tx: Transaction, changes: dict[UUID, dict[str, PlainValue | None]]) -> None:
    """Take a value away from all that the customer consists of: else that of a part would show instead."""
    removing = {customer for customer, given in changes.items() if None in given.values()}
    if not removing:
        return
    for customer, parts in parts_of(tx, removing).items():
        for part in parts[1:]:
            changes[part] = {name: None for name, value in changes[customer].items() if value is None}


def _write_plain(tx: Transaction, changes: dict[UUID, dict[str, PlainValue | None]], now: datetime) -> None:
    wanted = among("uuid", sorted(changes))
    rows = tx.execute(
        sa.select(customers.c.customer_id, customers.c.attributes).where(customers.c.customer_id == wanted)
    )
    differing = {
        customer: changes[customer]
        for customer, there in rows
        if any(there.get(name) != value for name, value in changes[customer].items())
    }
    if not differing:
        return
    lock_customers(tx, set(differing))
    tx.execute(
        sa.text(
            """
            UPDATE customers SET attributes = jsonb_strip_nulls(attributes || patch), updated_at = :now
            FROM unnest(CAST(:ids AS uuid[]), CAST(:patches AS jsonb[])) AS made (id, patch)
            WHERE customer_id = id
            """
        ),
        {
            "now": now,
            "ids": array(sorted(differing)),
            "patches": array(json.dumps(differing[one]) for one in sorted(differing)),
        },
    )


def _write_personal(
    tx: Transaction,
    keyring: Keyring,
    changes: dict[UUID, dict[str, PlainValue | None]],
    dated: frozenset[str],
    now: datetime,
) -> None:
    if not changes:
        return
    names = sorted({name for given in changes.values() for name in given})
    there = privacy.read_fields(tx, keyring, changes.keys(), [attribute_field(name) for name in names])
    written = [
        (customer, attribute_field(name), str(value))
        for customer, given in changes.items()
        for name, value in given.items()
        if value is not None and there.get(customer, {}).get(attribute_field(name)) != str(value)
    ]
    days = days_of(keyring, dated) if any(field in dated for _, field, _ in written) else None
    privacy.write_many(tx, keyring, written, now, terms=search_terms(keyring), days=days)
    for name in names:
        gone = [customer for customer, given in changes.items() if name in given and given[name] is None]
        if gone:
            privacy.erase_fields(tx, gone, [attribute_field(name)])
