"""From the inbox to the timeline: one pass takes the oldest events and makes facts of them, in one transaction.

An event that cannot become a fact goes to ``rejects`` with the reason; one that was there before is only counted. What
passes leave behind is the same whichever events they take together: nothing depends on the order of arrival.

Any number of workers may pass at once. Each opens and understands its events for itself, which is half of the work;
then they take turns, since what is said of the same customers is read, compared and written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import msgspec
import sqlalchemy as sa

from shuke import privacy, profiles
from shuke.base.errors import Conflict, NotAvailable
from shuke.base.ids import new_ids
from shuke.collect.model import Event, Reject
from shuke.collect.rules.events import read_event
from shuke.collect.service import inbox
from shuke.collect.service.commerce import StatedOrder, StatedRefund, write_orders, write_refunds
from shuke.collect.service.facts import NewFact, record_facts
from shuke.collect.service.inbox import Claimed
from shuke.collect.service.quality import ALL_FIELDS, DUPLICATE, FACT, FieldKey, VolumeKey, record
from shuke.collect.service.traits import write_traits
from shuke.collect.tables import sources
from shuke.platform import Keyring, Transaction, array, driver, log, may_pass

__all__ = ["Processed", "is_no_fault_of_events", "process", "process_one"]

#: Whose turn it is to write; it ends with the transaction, however its worker ends.
_TURN = 7_485_380_023
#: A vault's field holds this much; what is longer goes into several.
_PART_CHARACTERS = 15_000
#: Source, hour, type of event, its name, its fields: most events of a pass have all of these in common with others.
_Alike = tuple[int, datetime, str, str, tuple[tuple[str, str], ...]]
_request = attrgetter("source_id", "received_at", "key_version")


@dataclass(frozen=True)
class Processed:
    """What became of the events that a pass took."""

    taken: int = 0
    facts: int = 0
    duplicates: int = 0
    rejects: int = 0


class _Understood(msgspec.Struct, frozen=True):
    """An event, its row in the inbox, the hour in which it came, and the blind index of its message."""

    row: Claimed
    hour: datetime
    event: Event
    message: bytes


def process(tx: Transaction, keyring: Keyring, *, now: datetime, limit: int = inbox.CLAIM_MAX) -> Processed:
    """Take up to ``limit`` events out of the inbox and make facts of them. ``taken`` is 0 when nothing waits.

    Raises:
        NotAvailable: ``platform.no_master_key_version`` when the keys that the inbox was written with are not there.
    """
    return _process(tx, keyring, inbox.claim(tx, limit), now)


def process_one(tx: Transaction, keyring: Keyring, *, now: datetime) -> Processed:
    """As :func:`process` with the oldest event alone; it is put among the rejects when it fails.

    Raises:
        Exception: what says nothing of the event, so that it may go well later.
    """
    claimed = inbox.claim(tx, 1)
    try:
        with tx.begin_nested():
            return _process(tx, keyring, claimed, now)
    except Exception as error:
        if is_no_fault_of_events(error):
            raise
        log.error("event set aside", exc_info=error)
    write_rejects(tx, [(row, "", "failed") for row in claimed])
    return Processed(taken=len(claimed))


def is_no_fault_of_events(error: Exception) -> bool:
    """Whether an error says nothing of the events that were being processed: the same may go well later."""
    return may_pass(error) or isinstance(error, NotAvailable | Conflict)


def _process(tx: Transaction, keyring: Keyring, claimed: Sequence[Claimed], now: datetime) -> Processed:
    if not claimed:
        return Processed()
    understood, rejected = _understand(keyring, claimed, _currencies(tx))
    fresh = _fresh(tx, understood)
    places = {ids: place for place, ids in enumerate(dict.fromkeys(one.event.ids for one in fresh))}
    hashed = profiles.hashed(keyring, list(places))
    _wait_for_turn(tx)
    resolved = profiles.resolve(tx, keyring, hashed, now)
    kept, owners = [], []
    for one in fresh:
        owner = resolved[places[one.event.ids]]
        if owner is None:
            rejected.append((one.row, one.event.type, "no_identity"))
        else:
            kept.append(one)
            owners.append(owner)
    _write(tx, keyring, kept, owners, now)
    write_rejects(tx, rejected)
    duplicates = _without(understood, fresh)
    alike = Counter((one.row.source_id, one.hour, one.event.type, one.event.name, one.event.fields) for one in kept)
    record(tx, _volumes(alike, duplicates, rejected), _fields(alike), now)
    return Processed(len(claimed), len(kept), len(duplicates), len(rejected))


def write_rejects(tx: Transaction, rejected: Sequence[tuple[Claimed, str, str]]) -> None:
    """Keep events that cannot become facts, as they are: encrypted, each with (row, type, reason)."""
    if not rejected:
        return
    statement = "COPY rejects (source_id, reason, received_at, key_version, cipher) FROM STDIN"
    with driver(tx).cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row, _, reason in rejected:
            copy.write_row((row.source_id, reason, row.received_at, row.key_version, row.cipher))


def _wait_for_turn(tx: Transaction) -> None:
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})


def _currencies(tx: Transaction) -> dict[int, str | None]:
    rows = tx.execute(sa.select(sources.c.source_id, sources.c.currency))
    return {row.source_id: row.currency for row in rows}


def _understand(
    keyring: Keyring, claimed: Sequence[Claimed], currencies: dict[int, str | None]
) -> tuple[list[_Understood], list[tuple[Claimed, str, str]]]:
    understood, rejected = [], []
    for (source_id, received_at, key_version), rows in groupby(claimed, key=_request):
        # A key that is missing may come back, and ends the pass; a row that was changed never opens.
        opened = inbox.opener(keyring, source_id=source_id, received_at=received_at, key_version=key_version)
        came_at = received_at.astimezone(UTC)
        hour = _hour(came_at)
        currency = currencies.get(source_id)
        for row in rows:
            try:
                event = read_event(
                    opened(row.cipher),
                    received_at=came_at,
                    fallback_id=f"seq:{row.seq}",
                    default_currency=currency,
                )
            except Reject as reject:
                rejected.append((row, "", reject.reason))
            except NotAvailable:
                rejected.append((row, "", "does_not_open"))
            else:
                understood.append(_Understood(row, hour, event, keyring.index("message", event.message_id)))
    return understood, rejected


def _fresh(tx: Transaction, understood: Sequence[_Understood]) -> list[_Understood]:
    """The events whose messages were never seen before, each once; notes that they are seen now."""
    first: dict[tuple[int, bytes], _Understood] = {}
    for one in understood:
        first.setdefault((one.row.source_id, one.message), one)
    # In one order everywhere, so that passes which share messages wait for each other and never in a ring.
    keys = sorted(first)
    with driver(tx).cursor(binary=True) as cursor:
        cursor.execute(
            """
            INSERT INTO message_ids (source_id, message)
            SELECT * FROM unnest(CAST(%s AS integer[]), CAST(%s AS bytea[]))
            ON CONFLICT DO NOTHING RETURNING source_id, message
            """,
            [array(source_id for source_id, _ in keys), array(message for _, message in keys)],
        )
        if cursor.rowcount == len(keys):
            return list(first.values())
        seen_now = set(cursor)
    return [one for key, one in first.items() if key in seen_now]


def _without(understood: Sequence[_Understood], fresh: Sequence[_Understood]) -> list[_Understood]:
    taken = {one.row.seq for one in fresh}
    return [one for one in understood if one.row.seq not in taken]


def _write(
    tx: Transaction,
    keyring: Keyring,
    kept: Sequence[_Understood],
    owners: Sequence[profiles.Resolved],
    now: datetime,
) -> None:
    """The facts, what belongs to them in the vault, and what they say of persons, orders and refunds."""
    facts, personal, said, orders, refunds = [], [], [], [], []
    fact_ids = new_ids(at_ms=int(now.timestamp() * 1000))
    for one, owner in zip(kept, owners, strict=True):
        row, event = one.row, one.event
        fact = _fact(next(fact_ids), row.source_id, owner.identity_id, event)
        facts.append(fact)
        if event.personal:
            personal += [(owner.customer_id, field, text) for field, text in _parts(fact.fact_id, event.personal)]
        if event.traits:
            said += [(owner.customer_id, event.occurred_at, name, value) for name, value in event.traits.items()]
        if event.order is not None:
            orders.append(
                StatedOrder(
                    source_id=row.source_id,
                    identity_id=owner.identity_id,
                    at=event.occurred_at,
                    by=one.message,
                    channel=event.channel,
                    store=event.store,
                    statement=event.order,
                )
            )
        if event.refund is not None:
            refunds.append(StatedRefund(row.source_id, event.occurred_at, event.refund))
    record_facts(tx, facts)
    privacy.write_many(tx, keyring, personal, now)
    write_traits(tx, keyring, said, now)
    write_orders(tx, orders)
    write_refunds(tx, refunds)


def _fact(fact_id: UUID, source_id: int, identity_id: int, event: Event) -> NewFact:
    return NewFact(
        fact_id=fact_id,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        identity_id=identity_id,
        kind=event.kind,
        name=event.name,
        source_id=source_id,
        channel=event.channel,
        store=event.store,
        session=event.session,
        amount_minor=event.amount_minor,
        currency=event.currency,
        order_id=event.order_id,
        properties=event.properties,
        original_at=event.original_at,
    )


def _parts(fact_id: UUID, personal: dict[str, object]) -> Iterable[tuple[str, str]]:
    """The vault's fields for what was taken out of a fact, so that it can be shown whole to who may see it."""
    text = msgspec.json.encode(personal).decode()
    for place in range(0, len(text), _PART_CHARACTERS):
        number = place // _PART_CHARACTERS
        yield f"fact:{fact_id}" + (f":{number}" if number else ""), text[place : place + _PART_CHARACTERS]


def _volumes(
    alike: Counter[_Alike], duplicates: Sequence[_Understood], rejected: Sequence[tuple[Claimed, str, str]]
) -> Counter[VolumeKey]:
    counted: Counter[VolumeKey] = Counter()
    for (source_id, hour, kind, name, _), events in alike.items():
        counted[(source_id, hour, kind, name, FACT)] += events
    counted.update((one.row.source_id, one.hour, one.event.type, one.event.name, DUPLICATE) for one in duplicates)
    counted.update((row.source_id, _hour(row.received_at), kind, "", reason) for row, kind, reason in rejected)
    return counted


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _fields(alike: Counter[_Alike]) -> Counter[FieldKey]:
    counted: Counter[FieldKey] = Counter()
    for (source_id, _, kind, name, fields), events in alike.items():
        for field, type_ in ((ALL_FIELDS, ""), *fields):
            counted[(source_id, kind, name, field, type_)] += events
    return counted
