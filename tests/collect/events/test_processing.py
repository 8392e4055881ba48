"""From the inbox to the timeline: once each, whatever the order of arrival, and nothing personal in the open."""

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shuke import access, profiles
from shuke.collect import quality, read_traits, rejected_events, timeline
from shuke.collect.jobs import empty_inbox
from shuke.collect.rules import events as reading
from shuke.collect.rules import personal
from shuke.collect.service import commerce, inbox, traits
from shuke.collect.service import process as processing
from shuke.platform import Transaction, Workplace

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)


Json = dict[str, Any]
Arrive = Callable[..., None]
Settle = Callable[..., list[processing.Processed]]

FACTS = """
    SELECT f.occurred_at, f.kind, f.name, i.kind AS identity, encode(i.lookup, 'hex') AS lookup, f.amount_minor,
        f.currency, f.order_id, f.channel, f.store, f.session, f.properties::text
    FROM facts f JOIN identities i USING (identity_id) ORDER BY f.occurred_at, f.properties::text, f.name, lookup
"""
ORDERS = """
    SELECT o.order_id, o.ordered_at, o.amount_minor, o.discount_minor, o.currency, o.status, o.cancelled_at, o.store,
        o.stated_at::text, (SELECT array_agg((l.line, l.product_id, l.quantity, l.amount_minor)::text ORDER BY l.line)
                      FROM order_lines l WHERE l.order_id = o.order_id) AS lines
    FROM orders o ORDER BY o.order_id
"""
REFUNDS = "SELECT refund_id, order_id, refunded_at, amount_minor, currency FROM refunds ORDER BY refund_id"
PEOPLE = """
    SELECT array_agg(encode(lookup, 'hex') ORDER BY lookup)::text AS ids FROM identities
    GROUP BY customer_id ORDER BY ids
"""


def state(workplace: Workplace) -> dict[str, Any]:
    """Everything that must not depend on how the events came in."""
    with workplace.database.read() as tx:
        found: dict[str, Any] = {
            name: [tuple(row) for row in tx.execute(sa.text(query))]
            for name, query in (("facts", FACTS), ("orders", ORDERS), ("refunds", REFUNDS), ("people", PEOPLE))
        }
        found["traits"] = sorted(
            str(read_traits(tx, workplace.keyring, [customer], fields=access.CLEAR))
            for customer in tx.scalars(sa.text("SELECT customer_id FROM customers"))
        )
        found["attributes"] = sorted(tx.scalars(sa.text("SELECT attributes::text FROM customers")))
    return found


def history(events: int, seed: int = 7) -> list[Json]:
    """What some customers do in a month: look, say who they are, order, change, cancel, get money back."""
    chance = random.Random(seed)  # noqa: S311 - data, not secrets
    made: list[Json] = []
    for number in range(events):
        person = chance.randrange(max(events // 15, 1))
        at = NOW - timedelta(days=30) + timedelta(seconds=60 * number)
        event: Json = {"messageId": f"m{number}", "userId": f"u{person}", "timestamp": at.isoformat()}
        what = chance.random()
        order = {"order_id": f"o{chance.randrange(events // 8 + 1)}", "currency": "CNY", "store_id": f"s{number % 5}"}
        products = [{"product_id": str(number % 9), "price": number % 50, "quantity": 1 + number % 3}]
        if what < 0.15:
            event |= {"type": "identify", "traits": {"email": f"p{person}@example.com", "city": f"c{number}"}}
        elif what < 0.3:
            event |= {"type": "track", "event": "Order Completed", "properties": {**order, "products": products}}
        elif what < 0.4:
            stated = {**order, "revenue": number, **({"products": products} if number % 2 else {})}
            event |= {"type": "track", "event": "Order Updated", "properties": stated}
        elif what < 0.45:
            event |= {"type": "track", "event": "Order Cancelled", "properties": order}
        elif what < 0.5:
            refund = {**order, "refund_id": f"r{number % 7}", "total": number}
            event |= {"type": "track", "event": "Order Refunded", "properties": refund}
        else:
            event |= {"type": "page", "name": f"page {number % 20}", "properties": {"n": number}}
        made.append(event)
    return made


def deliver(arrive: Arrive, settle: Settle, events: list[Json], *, pass_size: int = 5_000) -> None:
    for first in range(0, len(events), 500):
        arrive(events[first : first + 500])
        settle(pass_size)


def shuffled(events: list[Json], seed: int) -> list[Json]:
    """The same, a fifth of it twice, a tenth after all else, and none in order."""
    chance = random.Random(seed)  # noqa: S311 - data, not secrets
    twice = [event for event in events if chance.random() < 0.2]
    late = [event for event in events if chance.random() < 0.1]
    known = {event["messageId"] for event in late}
    first = [event for event in events + twice if event["messageId"] not in known]
    chance.shuffle(first)
    chance.shuffle(late)
    return first + late + late


@pytest.fixture
def ordered(arrive: Arrive, settle: Settle, workplace: Workplace) -> tuple[list[Json], dict[str, Any]]:
    """A history, and the state that it leaves when it comes in as it happened; the database is empty again after it."""
    events = history(1_200)
    deliver(arrive, settle, events)
    left = state(workplace)
    assert len(left["facts"]) == 1_200
    assert any(row.count("cancelled") for row in left["orders"])
    wipe(workplace)
    return events, left


def wipe(workplace: Workplace) -> None:
    with workplace.database.begin() as tx:
        tx.execute(
            sa.text(
                "TRUNCATE facts, orders, order_lines, refunds, message_ids, volumes, event_fields, rejects, merges,"
                " identities, customers, vault, person_keys, tags, household_members, identity_stores,"
                " customer_owners, tag_batch_rows"
            )
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_duplicates_late_and_shuffled_deliveries_change_nothing(
    seed: int,
    ordered: tuple[list[Json], dict[str, Any]],
    arrive: Arrive,
    settle: Settle,
    workplace: Workplace,
) -> None:
    events, expected = ordered
    deliver(arrive, settle, shuffled(events, seed), pass_size=97)
    found = state(workplace)
    for name, rows in expected.items():
        assert found[name] == rows, name


@pytest.mark.parametrize("fault", ["every message is new", "the last to arrive counts", "traits as they arrive"])
def test_a_planted_fault_is_noticed(
    fault: str,
    ordered: tuple[list[Json], dict[str, Any]],
    arrive: Arrive,
    settle: Settle,
    workplace: Workplace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if fault == "every message is new":
        monkeypatch.setattr(processing, "_fresh", lambda _tx, understood: list(understood))
    elif fault == "the last to arrive counts":
        broken = commerce._WRITE.replace(commerce._LATER, "true")
        assert broken != commerce._WRITE
        monkeypatch.setattr(commerce, "_WRITE", broken)
    else:
        monkeypatch.setattr("shuke.collect.service.traits._known", lambda *_: {})
    events, expected = ordered
    deliver(arrive, settle, shuffled(events, 1), pass_size=97)
    assert state(workplace) != expected


def at_once(workplace: Workplace, workers: int = 4, pass_size: int = 61) -> None:
    """Process until nothing waits, by several workers, each with passes of its own."""

    def work(_: int) -> None:
        while True:
            with workplace.database.begin() as tx:
                if not processing.process(tx, workplace.keyring, now=NOW, limit=pass_size).taken:
                    return

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))


def test_workers_at_once_come_to_the_same(
    ordered: tuple[list[Json], dict[str, Any]], arrive: Arrive, workplace: Workplace
) -> None:
    events, expected = ordered
    arrive(shuffled(events, 3))
    at_once(workplace)
    found = state(workplace)
    for name, rows in expected.items():
        assert found[name] == rows, name


def last_word_of_two(
    arrive: Arrive, settle: Settle, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The traits of a customer of whom two workers read, at one moment if they can, what was said before.

    The worker with the earlier word writes last.
    """

    def read_together(*given: Any) -> Any:
        known = read(*given)
        with suppress(threading.BrokenBarrierError):
            met.wait(0.5)
        if threading.current_thread() is slower:
            time.sleep(0.2)
        return known

    def work() -> None:
        with workplace.database.begin() as tx:
            processing.process(tx, workplace.keyring, now=NOW, limit=1)

    arrive([{"type": "page", "messageId": "p", "userId": "u"}])
    settle()
    arrive(
        [
            {
                "type": "identify",
                "messageId": word,
                "userId": "u",
                "timestamp": at.isoformat(),
                "traits": {"word": word},
            }
            for word, at in (("earlier", NOW - timedelta(hours=2)), ("later", NOW - timedelta(hours=1)))
        ]
    )
    read, met = traits._known, threading.Barrier(2)
    monkeypatch.setattr(traits, "_known", read_together)
    slower, faster = threading.Thread(target=work), threading.Thread(target=work)
    slower.start()
    # The slower one takes the older event.
    while not holds_an_event(workplace):
        time.sleep(0.01)
    faster.start()
    slower.join(20)
    faster.join(20)
    with workplace.database.read() as tx:
        (customer,) = tx.scalars(sa.text("SELECT customer_id FROM customers"))
        told = read_traits(tx, workplace.keyring, [customer], fields=access.CLEAR)
    return {name: one.value for name, one in told.items()}


def holds_an_event(workplace: Workplace) -> bool:
    """Whether somebody is processing the oldest event."""
    with workplace.database.begin() as tx:
        tx.execute(sa.text("SET LOCAL statement_timeout = '5s'"))
        oldest = sa.text("SELECT seq FROM inbox ORDER BY seq LIMIT 1")
        free = sa.text("SELECT seq FROM inbox ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED")
        return tx.scalar(oldest) != tx.scalar(free)


def test_the_later_word_counts_whoever_writes_last(
    arrive: Arrive, settle: Settle, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert last_word_of_two(arrive, settle, workplace, monkeypatch) == {"word": "later"}


def test_workers_that_do_not_take_turns_are_noticed(
    arrive: Arrive, settle: Settle, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: nobody waits, and what was read of a trait is old when it is written."""
    monkeypatch.setattr(processing, "_wait_for_turn", lambda _: None)
    assert last_word_of_two(arrive, settle, workplace, monkeypatch) == {"word": "earlier"}


@pytest.mark.oldest
def test_sent_is_stored_rejected_and_duplicate(arrive: Arrive, settle: Settle, workplace: Workplace) -> None:
    good = history(300)
    bad = [{"type": "trace", "messageId": f"b{number}", "userId": "u"} for number in range(7)]
    arrive(good + bad + good[:50])
    passes = settle(60)
    assert [sum(getattr(one, name) for one in passes) for name in ("taken", "facts", "duplicates", "rejects")] == [
        *(357, 300, 50, 7)
    ]
    with workplace.database.read() as tx:
        found = quality(tx, now=NOW + timedelta(minutes=1))
        assert found.rejects == {"unknown_type": 7}
        assert sum(one.events for one in found.hours) == 357
        assert tx.scalar(sa.text("SELECT count(*) FROM inbox")) == 0


def test_messages_are_told_apart_by_source(arrive: Arrive, settle: Settle, workplace: Workplace) -> None:
    event = {"type": "track", "event": "A", "userId": "u", "messageId": "same"}
    arrive([event])
    with workplace.database.begin() as tx:
        tx.execute(sa.text("INSERT INTO sources (name, created_at) VALUES ('app', now())"))
        tx.execute(sa.text("INSERT INTO message_ids SELECT max(source_id), '\\x00' FROM sources"))
    settle()
    with workplace.database.begin() as tx:
        # The same message of another source is another message.
        tx.execute(sa.text("UPDATE message_ids SET source_id = source_id + 10"))
    arrive([event])
    assert [one.facts for one in settle()] == [1]


CANARIES = {
    "mail": "canary.anna@example.com",
    "phone": "13912345678",
    "name": "Canaria Annabel",
    "street": "17 Canary Wharf",
    "ip": "203.0.113.77",
}


def with_canaries() -> list[Json]:
    mail, phone, name, street, ip = CANARIES.values()
    base: Json = {"userId": mail, "anonymousId": "a", "context": {"ip": ip, "traits": {"phone": phone, "name": name}}}
    traits = {"email": mail, "手机号": phone, "firstName": name, "address": {"street": street, "city": "X"}, "ip": ip}
    product = {"product_id": mail, "name": f"Mug for {mail}", "brand": phone, "price": 1, "category": mail}
    order = {
        "order_id": "o",
        "total": 1,
        "products": [product],
        "coupon": mail,
        "shipping_address": street,
        "receiver": name,
        "store": phone,
        "channel": mail,
        "region": mail,
        "session_id": mail,
        mail: 1,
    }
    return [
        {**base, "messageId": mail, "type": "identify", "traits": traits},
        {**base, "messageId": "2", "type": "track", "event": "Order Completed", "properties": order},
        {**base, "messageId": "3", "type": "track", "event": f"Called {phone}", "properties": {"q": f"hi {phone}"}},
        {
            **base,
            "messageId": "4",
            "type": "page",
            "name": mail,
            "properties": {"url": f"https://x/?m={mail}", "ip": ip},
        },
        {**base, "messageId": "5", "type": "group", "groupId": "g", "traits": {"email": mail, "name": name}},
        {**base, "messageId": "6", "type": "track", "event": "Order Completed", "properties": {"order_id": mail}},
        {
            **base,
            "messageId": "7",
            "type": "screen",
            "name": "s",
            "context": {**base["context"], "page": {"url": mail}},
        },
    ]


def leaks(workplace: Workplace) -> list[tuple[str, str]]:
    """Tables in which a canary can be read, of all that there are."""
    found = []
    with workplace.database.read() as tx:
        tables = tx.scalars(
            sa.text(
                "SELECT format('%I', relname) FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        ).all()
        for table in tables:
            for row in tx.execute(sa.text(f"SELECT one::text FROM {table} AS one")).scalars():  # noqa: S608 - its name
                # Binary columns show as hexadecimal, in which a canary would be there, too.
                found += [
                    (table, what)
                    for what, canary in CANARIES.items()
                    if canary in row or canary.encode().hex() in row or json.dumps(canary)[1:-1] in row
                ]
    return found


def test_canaries_are_in_no_plain_column(
    arrive: Arrive,
    settle: Settle,
    workplace: Workplace,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arrive(with_canaries())
    assert leaks(workplace) == []
    done = settle()
    assert sum(one.facts for one in done) == 6
    assert leaks(workplace) == []
    said = "".join(capsys.readouterr()) + caplog.text
    assert not any(canary in said for canary in CANARIES.values())
    # And yet all is there for who may see it.
    with workplace.database.read() as tx:
        customer = profiles.find(tx, workplace.keyring, "email", CANARIES["mail"])
        assert customer is not None
        traits = read_traits(tx, workplace.keyring, [customer], fields=access.CLEAR)
    assert traits["firstName"].value == CANARIES["name"]
    assert traits["address"].value["street"] == CANARIES["street"]


@pytest.mark.parametrize("fault", ["names of fields do not matter", "texts are not looked at"])
def test_a_leak_is_noticed(
    fault: str, arrive: Arrive, settle: Settle, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "names of fields do not matter":
        monkeypatch.setattr(personal, "is_personal_name", lambda _: False)
        monkeypatch.setattr(personal, "is_personal_trait", lambda _: False)
    else:
        # What is found under the fault is not to be remembered after it.
        for module, name in ((personal, "is_personal_name"), (personal, "is_personal_trait"), (reading, "_described")):
            monkeypatch.setattr(module, name, getattr(module, name).__wrapped__)
        monkeypatch.setattr(personal, "_SUSPECT", personal.re.compile("(?!)"))
        monkeypatch.setattr(personal, "_clean", set())
    arrive(with_canaries())
    settle()
    assert leaks(workplace)


def test_one_event_cannot_hold_up_the_others(
    arrive: Arrive, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any, **named: Any) -> Any:
        event = read(*given, **named)
        if event.name == "Poison":
            raise ZeroDivisionError
        return event

    read = processing.read_event
    monkeypatch.setattr(processing, "read_event", broken)
    events = history(120)
    poison = {"type": "track", "event": "Poison", "userId": "u", "messageId": "p"}
    arrive([*events[:70], poison, *events[70:]])
    assert empty_inbox(workplace, seconds_max=60)
    with workplace.database.read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM facts")) == 120
        (reject,) = rejected_events(tx, workplace.keyring)
    assert reject.reason == "failed"
    assert json.loads(reject.event or "") == poison


def test_the_event_that_failed_is_set_aside_whoever_takes_the_others(
    arrive: Arrive, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker takes the oldest event as soon as it is let go, which is when a pass has failed."""

    def broken(*given: Any, **named: Any) -> Any:
        event = read(*given, **named)
        if event.name == "Poison":
            raise ZeroDivisionError
        return event

    def steal(number: int, *given: Any) -> int:
        count = write(*given)
        if given[1]:
            with workplace.database.begin() as other:
                stolen.extend(inbox.claim(other, number))
        return count

    read, write, stolen = processing.read_event, processing.write_rejects, list[inbox.Claimed]()
    monkeypatch.setattr(processing, "read_event", broken)
    monkeypatch.setattr(processing, "write_rejects", partial(steal, 1))
    arrive([{"type": "track", "event": "Poison", "userId": "u", "messageId": "p"}, *history(1)])
    with workplace.database.begin() as tx:
        done = processing.process_one(tx, workplace.keyring, now=NOW)
    assert done.taken == 1
    with workplace.database.read() as tx:
        (reject,) = rejected_events(tx, workplace.keyring)
    assert json.loads(reject.event or "")["event"] == "Poison"
    # The other worker got the other event.
    assert len(stolen) == 1


def test_a_fault_that_passes_sets_nothing_aside(
    arrive: Arrive, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(tx: Transaction, *_: Any) -> None:
        tx.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    arrive(history(20))
    with monkeypatch.context() as patch:
        patch.setattr(processing, "record_facts", unreachable)
        with pytest.raises(sa.exc.DBAPIError):
            empty_inbox(workplace, seconds_max=60)
    assert empty_inbox(workplace, seconds_max=60)
    with workplace.database.read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM facts")) == 20
        assert tx.scalar(sa.text("SELECT count(*) FROM rejects")) == 0


def test_what_postgres_cannot_hold_is_no_fault(arrive: Arrive, settle: Settle) -> None:
    odd = {"text": "a\0b", "\0key": 1, "big": 10**400, "small": 1e-300, "emoji": "🧋"}
    event = {"type": "track", "event": "a\0b", "userId": "u\0", "messageId": "\0", "properties": odd}
    arrive([event])
    assert [(one.facts, one.rejects) for one in settle()] in ([(1, 0)], [(0, 1)])


@pytest.mark.oldest
def test_the_timeline_shows_everything_once_newest_first(arrive: Arrive, settle: Settle, workplace: Workplace) -> None:
    arrive(history(800))
    settle()
    with workplace.database.read() as tx:
        customer = tx.scalars(
            sa.text(
                "SELECT customer_id FROM facts JOIN identities USING (identity_id) GROUP BY 1 ORDER BY count(*) DESC, 1"
            )
        ).first()
        assert customer is not None
        expected = tx.scalars(
            sa.text(
                "SELECT fact_id FROM facts JOIN identities USING (identity_id) WHERE customer_id = :customer"
                " ORDER BY occurred_at DESC, fact_id DESC"
            ),
            {"customer": customer},
        ).all()
        shown, before = [], None
        while True:
            page = timeline(tx, customer, before=before, limit=7)
            shown += [fact.fact_id for fact in page.facts]
            before = page.next
            if before is None:
                break
        assert shown == expected
        assert len(expected) > 20
        kinds = [asdict(fact) for fact in timeline(tx, customer, limit=500, kinds=["order", "refund"]).facts]
        assert {fact["kind"] for fact in kinds} == {"order", "refund"}
        since = NOW - timedelta(days=30) + timedelta(hours=2)
        late = timeline(tx, customer, limit=500, since=since, until=since + timedelta(hours=1)).facts
        assert all(since <= fact.occurred_at < since + timedelta(hours=1) for fact in late)


@pytest.mark.oldest
def test_the_quality_view_tells_fields_and_their_share(arrive: Arrive, settle: Settle, workplace: Workplace) -> None:
    def viewed(number: int, properties: Json) -> Json:
        return {"type": "track", "event": "V", "userId": "u", "messageId": str(number), "properties": properties}

    arrive(
        [viewed(0, {"price": 1}), viewed(1, {"price": "1", "color": "red"}), viewed(2, {"color": ""}), viewed(2, {})]
    )
    settle()
    with workplace.database.read() as tx:
        found = quality(tx, now=NOW + timedelta(minutes=1), source="site")
    fields = {(one.field, one.type): round(one.share, 3) for one in found.fields}
    assert fields == {("price", "number"): 0.333, ("price", "text"): 0.333, ("color", "text"): 0.333}
    assert {one.outcome: one.events for one in found.hours} == {"fact": 3, "duplicate": 1}


def test_the_shipped_vocabulary_names_known_kinds() -> None:
    assert Path(personal.__file__).parent.parent.joinpath("events.toml").exists()
    assert all(profiles.priority_of(kind) >= 0 for kind in personal.vocabulary()["identifiers"])
