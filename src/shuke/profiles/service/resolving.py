"""Which customers messages are about, for thousands of messages in a few statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from shuke import privacy
from shuke.base.errors import BadInput, Conflict
from shuke.base.ids import new_id, new_ids
from shuke.platform import Keyring, Transaction, array, driver
from shuke.profiles.model import ExternalId, Resolved
from shuke.profiles.rules.identifiers import compared, usable
from shuke.profiles.rules.resolution import Key, Known, Plan, plan
from shuke.profiles.service.terms import search_terms

MESSAGES_MAX = 10_000
# Each attempt that fails means that somebody else got something done.
_ATTEMPTS_MAX = 20
# An identity that was seen within this time is not noted again: it would be written for every page view.
SEEN_GRAIN = timedelta(hours=1)


class _ChangedMeanwhile(Exception):  # noqa: N818 - a signal to try again, which never leaves this file
    """Another transaction stored one of our identities, or changed whose it is."""


@dataclass(frozen=True)
class Hashed:
    """Messages, each as the keys of the ids that can be used, best first; and what each key stands for."""

    keys: list[tuple[Key, ...]]
    values: dict[Key, ExternalId]


def hashed(keyring: Keyring, messages: Sequence[Sequence[tuple[str, str]]]) -> Hashed:
    """What can be done of :func:`resolve` without the database, before anything is locked there.

    Raises:
        BadInput: ``profiles.too_many`` above :data:`MESSAGES_MAX` messages, ``profiles.bad_kind``.
    """
    if len(messages) > MESSAGES_MAX:
        raise BadInput("profiles.too_many", limit=MESSAGES_MAX)
    values: dict[Key, ExternalId] = {}
    return Hashed([_keys(keyring, ids, values) for ids in messages], values)


def resolve(
    tx: Transaction, keyring: Keyring, messages: Sequence[Sequence[tuple[str, str]]] | Hashed, now: datetime
) -> list[Resolved | None]:
    """The customer of each message, which is given as its ids (kind, value); None where no id can be used.

    Messages are taken in their order, and each sees what those before it changed. Any number of workers may do so at
    once: an identity belongs to one customer, whoever comes first.

    Raises:
        BadInput: as :func:`hashed`.
        Conflict: ``profiles.busy`` when others changed the same customers again and again; the transaction is good.
    """
    asked = messages if isinstance(messages, Hashed) else hashed(keyring, messages)
    for _ in range(_ATTEMPTS_MAX):
        try:
            # A savepoint, since what an attempt locked and stored has to be let go when it fails.
            with tx.begin_nested():
                return _attempt(tx, keyring, asked.keys, asked.values, now)
        except _ChangedMeanwhile:
            continue
    raise Conflict("profiles.busy")


def key_of(keyring: Keyring, one: ExternalId) -> Key:
    """How a normalised id is looked up."""
    return one.kind, keyring.index(one.kind, compared(one.kind, one.value))


def field_of(kind: str, identity_id: int) -> str:
    """The vault's field of an identity's value; a customer can have several of one kind."""
    return f"identity:{kind}:{identity_id}"


def lock_customers(tx: Transaction, customer_ids: set[UUID]) -> None:
    """Keep others from changing whose identities these are, until the transaction or the savepoint ends.

    In one order everywhere, so that two who lock the same customers wait and never lock each other out.
    """
    tx.execute(
        sa.text(
            "SELECT 1 FROM customers WHERE customer_id = ANY(CAST(:ids AS uuid[]))"
            " ORDER BY customer_id FOR NO KEY UPDATE"
        ),
        {"ids": array(sorted(customer_ids))},
    )


def _keys(keyring: Keyring, ids: Sequence[tuple[str, str]], values: dict[Key, ExternalId]) -> tuple[Key, ...]:
    found = []
    for one in usable(ids):
        key = key_of(keyring, one)
        values.setdefault(key, one)
        found.append(key)
    return tuple(found)


def _attempt(
    tx: Transaction, keyring: Keyring, keys: list[tuple[Key, ...]], values: dict[Key, ExternalId], now: datetime
) -> list[Resolved | None]:
    wanted = sorted(values)
    known, made = _planned(tx, keys, wanted, now)
    if locked := made.touched:
        # What was read before the locks may be old by now.
        lock_customers(tx, locked)
        known, made = _planned(tx, keys, wanted, now)
        if not made.touched <= locked:
            raise _ChangedMeanwhile
    identity_ids = {key: identity_id for key, (identity_id, _) in known.owners.items()}
    identity_ids |= _store(tx, keyring, made, values, now)
    _note_seen(tx, [identity_id for identity_id, _ in known.owners.values()], now)
    return [result and Resolved(result[0], identity_ids[result[1]]) for result in made.results]


def _planned(tx: Transaction, keys: list[tuple[Key, ...]], wanted: list[Key], now: datetime) -> tuple[Known, Plan]:
    known = _known(tx, keys, wanted)
    at_ms = int(now.timestamp() * 1000)
    # Ids that follow each other: of two customers of one batch the one who came first is the older.
    made = plan(keys, known, new_ids(at_ms=at_ms))
    if made.merges and (apart := taken_apart(tx, set(known.held))):
        known = replace(known, apart=apart)
        made = plan(keys, known, new_ids(at_ms=at_ms))
    return known, made


def _known(tx: Transaction, keys: list[tuple[Key, ...]], wanted: list[Key]) -> Known:
    with driver(tx).cursor(binary=True) as cursor:
        cursor.execute(
            """
            SELECT place, identity_id, customer_id
            FROM unnest(CAST(%s AS text[]), CAST(%s AS bytea[])) WITH ORDINALITY AS wanted (kind, lookup, place)
            JOIN identities USING (kind, lookup)
            """,
            [array(kind for kind, _ in wanted), array(lookup for _, lookup in wanted)],
        )
        owners = {wanted[place - 1]: (identity_id, customer) for place, identity_id, customer in cursor}
    # Only customers of messages that bring something new, or that bring two together, can change.
    changing: set[UUID] = set()
    for ids in keys:
        if len(ids) == 1:
            continue
        known = {owners[key][1] for key in ids if key in owners}
        if len(known) > 1 or any(key not in owners for key in ids):
            changing |= known
    held: dict[UUID, list[tuple[str, int]]] = {customer: [] for customer in changing}
    if changing:
        found = tx.execute(
            sa.text(
                "SELECT customer_id, kind, identity_id FROM identities WHERE customer_id = ANY(CAST(:ids AS uuid[]))"
            ),
            {"ids": array(sorted(changing))},
        )
        for customer, kind, identity_id in found:
            held[customer].append((kind, identity_id))
    return Known(owners, held)


def taken_apart(tx: Transaction, customer_ids: set[UUID]) -> frozenset[frozenset[UUID]]:
    """The pairs of these customers whose merge somebody has undone: they are not to be merged by a message again."""
    rows = tx.execute(
        sa.text(
            """
            WITH parts AS (
                SELECT customer_id, coalesce(merged_into, customer_id) AS customer FROM customers
                WHERE customer_id = ANY(CAST(:ids AS uuid[])) OR merged_into = ANY(CAST(:ids AS uuid[]))
            )
            SELECT winners.customer, losers.customer
            FROM merges
            JOIN parts AS winners ON winners.customer_id = winner
            JOIN parts AS losers ON losers.customer_id = loser
            WHERE undone_at IS NOT NULL AND winners.customer <> losers.customer
            """
        ),
        {"ids": array(sorted(customer_ids))},
    )
    return frozenset(frozenset(pair) for pair in rows)


def _store(
    tx: Transaction, keyring: Keyring, made: Plan, values: dict[Key, ExternalId], now: datetime
) -> dict[Key, int]:
    """Write what a plan changes; returns the numbers of the new identities."""
    if made.created:
        tx.execute(
            sa.text(
                """
                INSERT INTO customers (customer_id, merged_into, created_at, updated_at)
                SELECT *, CAST(:now AS timestamptz), CAST(:now AS timestamptz)
                FROM unnest(CAST(:ids AS uuid[]), CAST(:into AS uuid[]))
                """
            ),
            {"now": now, "ids": array(made.created), "into": array(made.into.get(one) for one in made.created)},
        )
    numbers = _store_identities(tx, made, now) if made.attached else {}
    if made.merges:
        _store_merges(tx, made, numbers, now)
    if numbers:
        persons = [(made.attached[key], field_of(key[0], numbers[key]), values[key].value) for key in numbers]
        privacy.write_many(tx, keyring, persons, now, terms=search_terms(keyring))
    return numbers


def _store_identities(tx: Transaction, made: Plan, now: datetime) -> dict[Key, int]:
    keys = sorted(made.attached)
    attached = [made.attached[key] for key in keys]
    rows = tx.execute(
        sa.text(
            """
            INSERT INTO identities (kind, lookup, customer_id, attached_to, first_seen_at, last_seen_at)
            SELECT *, CAST(:now AS timestamptz), CAST(:now AS timestamptz)
            FROM unnest(CAST(:kinds AS text[]), CAST(:lookups AS bytea[]), CAST(:customers AS uuid[]),
                        CAST(:attached AS uuid[]))
            ON CONFLICT (kind, lookup) DO NOTHING
            RETURNING kind, lookup, identity_id
            """
        ),
        {
            "now": now,
            "kinds": array(kind for kind, _ in keys),
            "lookups": array(lookup for _, lookup in keys),
            "customers": array(made.into.get(customer, customer) for customer in attached),
            "attached": array(attached),
        },
    )
    numbers = {(kind, bytes(lookup)): identity_id for kind, lookup, identity_id in rows}
    if len(numbers) < len(keys):
        raise _ChangedMeanwhile
    return numbers


def _store_merges(tx: Transaction, made: Plan, numbers: dict[Key, int], now: datetime) -> None:
    at_ms = int(now.timestamp() * 1000)
    tx.execute(
        sa.text(
            """
            INSERT INTO merges (merge_id, winner, loser, identity_ids, reason, merged_at)
            SELECT merge_id, winner, loser, CAST(moved AS bigint[]), CAST(reason AS jsonb), :now
            FROM unnest(CAST(:ids AS uuid[]), CAST(:winners AS uuid[]), CAST(:losers AS uuid[]),
                        CAST(:moved AS text[]), CAST(:reasons AS text[]))
                AS made (merge_id, winner, loser, moved, reason)
            """
        ),
        {
            "now": now,
            "ids": array(new_id(at_ms=at_ms) for _ in made.merges),
            "winners": array(merge.winner for merge in made.merges),
            "losers": array(merge.loser for merge in made.merges),
            # Arrays of unequal lengths cannot be one array; as text each is itself.
            "moved": array(
                array(one if isinstance(one, int) else numbers[one] for one in merge.moved) for merge in made.merges
            ),
            "reasons": array(json.dumps({"by": "message", "kinds": merge.kinds}) for merge in made.merges),
        },
    )
    point_to(tx, made.into, now)


def point_to(tx: Transaction, into: dict[UUID, UUID], now: datetime) -> None:
    """Let each customer, and all who are part of it, be part of the given other; their identities go with them."""
    losers = sorted(into)
    arguments = {"now": now, "losers": array(losers), "winners": array(into[loser] for loser in losers)}
    pairs = "unnest(CAST(:losers AS uuid[]), CAST(:winners AS uuid[])) AS made (loser, winner)"
    tx.execute(
        sa.text(
            f"""
            UPDATE customers SET merged_into = winner, updated_at = :now FROM {pairs}
            WHERE (customer_id = loser OR merged_into = loser) AND merged_into IS DISTINCT FROM winner
            """  # noqa: S608 - our own words
        ),
        arguments,
    )
    tx.execute(
        sa.text(f"UPDATE identities SET customer_id = winner FROM {pairs} WHERE customer_id = loser"),  # noqa: S608
        arguments,
    )


def _note_seen(tx: Transaction, identity_ids: list[int], now: datetime) -> None:
    # Who is being noted by another worker just now need not be waited for.
    tx.execute(
        sa.text(
            """
            WITH due AS (
                SELECT identity_id FROM identities
                WHERE identity_id = ANY(CAST(:ids AS bigint[])) AND last_seen_at < :before
                FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE identities SET last_seen_at = :now FROM due WHERE identities.identity_id = due.identity_id
            """
        ),
        {"ids": array(identity_ids), "now": now, "before": now - SEEN_GRAIN},
    )
