"""What an event says: when, who, which order, and what of it is personal."""

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shuke.collect.model import Event, EventVolume, Reject
from shuke.collect.rules import moments
from shuke.collect.rules.changes import sudden_changes
from shuke.collect.rules.commerce import order_of, refund_of
from shuke.collect.rules.events import CONTEXT, read_event
from shuke.collect.rules.moments import occurred
from shuke.collect.rules.personal import apart, is_personal_text

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def read(event: Any, *, type_: str | None = None, sent_at: str | None = None, context: Any = None) -> Event:
    stored = json.dumps([event, type_, sent_at, context]).encode()
    return read_event(stored, received_at=NOW, fallback_id="f", default_currency="CNY")


TRACK: dict[str, Any] = {"type": "track", "event": "Viewed", "userId": "u", "messageId": "m"}


@pytest.mark.parametrize(
    ("original", "sent", "expected"),
    [
        # A clock that is right, and a message that took a minute: what the device says.
        (NOW - 5 * MINUTE, NOW - MINUTE, NOW - 5 * MINUTE),
        # A clock that is an hour behind, and one that is a day ahead.
        (NOW - 65 * MINUTE, NOW - 60 * MINUTE, NOW - 5 * MINUTE),
        (NOW + timedelta(days=1, minutes=-5), NOW + timedelta(days=1), NOW - 5 * MINUTE),
        # Kept offline for a month, with a clock that is right.
        (NOW - timedelta(days=30), NOW, NOW - timedelta(days=30)),
        # No sentAt: believed, but not beyond 23 hours ahead.
        (NOW + timedelta(hours=22), None, NOW + timedelta(hours=22)),
        (NOW + timedelta(hours=24), None, NOW),
        (None, NOW, NOW),
    ],
)
def test_moments(original: datetime | None, sent: datetime | None, expected: datetime) -> None:
    assert occurred(original, sent, NOW) == expected


def test_a_short_delay_does_not_reorder_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first message of a device takes a minute, the second a second; correcting each by its delay swaps them."""

    def in_order() -> bool:
        first = occurred(NOW - 61 * MINUTE / 60, NOW - MINUTE, NOW)
        second = occurred(NOW - 30 * MINUTE / 60, NOW - MINUTE / 60, NOW)
        return first < second

    assert in_order()
    monkeypatch.setattr(moments, "SKEW_BELIEVED", timedelta(0))
    assert not in_order()


def test_the_original_stamp_is_kept_where_it_was_corrected() -> None:
    behind = (NOW - timedelta(hours=2)).isoformat()
    event = read({**TRACK, "timestamp": behind}, sent_at=behind)
    assert (event.occurred_at, event.original_at) == (NOW, NOW - timedelta(hours=2))
    assert read({**TRACK, "timestamp": NOW.isoformat()}).original_at is None


@pytest.mark.parametrize(
    ("text", "personal"),
    [
        ("write to anna@example.com", True),
        ("https://x.com/?mail=anna%40example.com", True),
        ("13812345678", True),
        ("call 138 1234 5678 now", True),
        ("+44 20 7946 0958", True),
        ("from 203.0.113.7", True),
        ("2001:db8:85a3:8d3:1319:8a2e:370:7348", True),
        ("Mug, 2 x 12.50", False),
        ("2026-11-22T06:30:00+08:00", False),
        ("1795305599123", False),
        ("a3f1c2d4-5b6a-7890-abcd-ef1234567890", False),
        ("a @ b", False),
        ("20% off, size 38-40", False),
        ("6.22.1.4567", False),
        ("https://example.com/?m=anna%40example.com", True),
        ("身份证110105199003078515。", True),
        ("99110105199003078515", False),
    ],
)
def test_the_look_of_what_is_personal(text: str, personal: bool) -> None:
    assert is_personal_text(text) == personal


@pytest.mark.parametrize("piece", ["a", "7f", "a@", "a%40", "@a.", "a.", "1 ", "1.", ":a", "+1(", "1-"])
def test_a_long_text_is_looked_at_in_a_moment(piece: str) -> None:
    text = f"{piece * (32_000 // len(piece))}1234567"
    began = time.process_time()
    is_personal_text(text)
    assert time.process_time() - began < 1


def test_what_is_personal_is_taken_apart_by_name_and_look() -> None:
    given = {
        "price": 12.5,
        "手机号": "x",
        "Email_Address": "x",
        "name": "Mug",
        "order_id": "13812345678",
        "other": 13812345678,
        "products": [{"sku": "1", "note": "for Anna"}, {"sku": "2", "gift": "to bob@example.com"}],
        "bob@example.com": 1,
        "nothing": None,
        "null\0": "a\0b",
    }
    open_, personal = apart(given, of_person=False)
    assert open_ == {
        "price": 12.5,
        "name": "Mug",
        "order_id": "13812345678",
        "products": [{"sku": "1"}, {"sku": "2"}],
        "null": "ab",
    }
    assert personal == {
        "手机号": "x",
        "Email_Address": "x",
        "other": 13812345678,
        "products.0.note": "for Anna",
        "products.1.gift": "to bob@example.com",
        "bob@example.com": 1,
    }
    assert apart({"name": "Anna"}, of_person=True) == ({}, {"name": "Anna"})


def test_identify_keeps_what_is_personal_out_of_the_properties() -> None:
    traits = {"email": "Anna@Example.com", "plan": "gold", "手机号": "13812345678", "name": "Anna"}
    event = read({"type": "identify", "anonymousId": "a", "traits": traits, "messageId": "m"})
    assert event.properties == {"plan": "gold"}
    assert event.traits == traits
    assert event.ids == (("email", "Anna@Example.com"), ("phone", "13812345678"), ("anonymous_id", "a"))


def test_ids_come_from_everywhere_and_null_is_none() -> None:
    context = {
        "traits": {"email": "a@b.co"},
        "externalIds": [{"type": "phone", "id": "13812345678"}, {"type": "unknown", "id": "x"}, "bad"],
        "device": {"id": "d-1", "name": "Anna's phone", "type": "ios"},
        "ip": "203.0.113.7",
    }
    event = read({**TRACK, "userId": 17, "anonymousId": None, "context": context})
    assert event.ids == (("user_id", "17"), ("email", "a@b.co"), ("phone", "13812345678"), ("device", "d-1"))
    # Of the context only what is allowed stays.
    assert event.properties == {CONTEXT: {"device": {"type": "ios"}}}


def test_the_context_of_a_batch_lies_under_that_of_the_event() -> None:
    event = read({**TRACK, "context": {"locale": "zh"}}, context={"locale": "en", "timezone": "Asia/Shanghai"})
    assert event.properties[CONTEXT] == {"locale": "zh", "timezone": "Asia/Shanghai"}


def test_alias_brings_two_ids_together() -> None:
    event = read({"type": "alias", "userId": "u", "previousId": "p"})
    assert event.ids == (("user_id", "u"), ("anonymous_id", "p"))
    assert event.message_id == "f"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ([], "bad_type"),
        ({**TRACK, "properties": []}, "bad_type"),
        ({**TRACK, "type": "trace"}, "unknown_type"),
        ({"type": "track", "userId": "u"}, "no_name"),
        ({**TRACK, "userId": None}, "no_identity"),
        ({**TRACK, "timestamp": "yesterday"}, "bad_time"),
        ({**TRACK, "timestamp": "0001-01-01T00:00:00+14:00"}, "bad_time"),
        ({**TRACK, "timestamp": "1969-01-01T00:00:00Z"}, "impossible_time"),
        ({**TRACK, "messageId": "m" * 100}, "long_message_id"),
        ({**TRACK, "properties": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}}}}, "too_deep"),
        ({**TRACK, "properties": {str(number): 1 for number in range(301)}}, "too_many_fields"),
        ({**TRACK, "event": "Order Completed", "properties": {"order_id": "o"}}, "no_amount"),
    ],
)
def test_rejects_have_reasons(event: Any, reason: str) -> None:
    with pytest.raises(Reject) as reject:
        read(event)
    assert reject.value.reason == reason


@pytest.mark.parametrize(
    ("properties", "amount_minor"),
    [
        ({"revenue": 25, "subtotal": 20, "total": 30}, 2500),
        ({"subtotal": "25.00", "total": 30}, 2500),
        ({"total": 30.5, "shipping": 5, "tax": 0.5}, 2500),
        ({"value": 25}, 2500),
        ({"products": [{"price": 12.5, "quantity": 2}]}, 2500),
        ({"revenue": 25, "currency": "JPY"}, 25),
    ],
)
def test_the_amount_of_an_order_is_what_was_paid_for_the_goods(properties: Any, amount_minor: int) -> None:
    order = order_of("completed", {"order_id": "o", **properties}, default_currency="CNY")
    assert order.amount_minor == amount_minor


def test_lines_of_an_order() -> None:
    product = {
        "sku": "s",
        "name": "Mug",
        "brand": "B",
        "category": "Kitchen",
        "price": "0.333",
        "quantity": 3,
        "cost": 0.1,
    }
    order = order_of(
        "completed", {"order_id": 7, "total": 1, "discount": -0.5, "products": [product]}, default_currency="CNY"
    )
    (line,) = order.lines
    assert (order.order_id, order.discount_minor) == ("7", 50)
    assert (line.product_id, line.product_name, line.quantity) == ("s", "Mug", Decimal(3))
    assert (line.amount_minor, line.cost_minor) == (100, 30)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({}, "no_order_id"),
        ({"order_id": "anna@example.com"}, "bad_order_id"),
        ({"order_id": "o", "total": "much"}, "bad_amount"),
        ({"order_id": "o", "total": True}, "bad_amount"),
        ({"order_id": "o", "revenue": -1}, "bad_amount"),
        ({"order_id": "o", "total": 1e300}, "bad_amount"),
        ({"order_id": "o", "total": 1, "currency": "XYZ"}, "unknown_currency"),
        ({"order_id": "o", "products": "mug"}, "bad_products"),
        ({"order_id": "o", "products": [{}] * 1_001}, "bad_products"),
    ],
)
def test_orders_that_cannot_be_used(properties: Any, reason: str) -> None:
    with pytest.raises(Reject) as reject:
        order_of("completed", properties, default_currency="CNY")
    assert reject.value.reason == reason


def test_money_without_a_currency_is_refused() -> None:
    with pytest.raises(Reject, match="no_currency"):
        order_of("completed", {"order_id": "o", "total": 1}, default_currency=None)


def test_a_refund_without_a_number_is_one_for_each_message() -> None:
    first = refund_of({"order_id": "o", "total": 5}, default_currency="CNY", message_id="a")
    second = refund_of({"order_id": "o", "total": 5}, default_currency="CNY", message_id="b")
    named = refund_of({"order_id": "o", "refund_id": "r", "total": 5}, default_currency="CNY", message_id="c")
    assert len({first.refund_id, second.refund_id, named.refund_id}) == 3
    assert (named.refund_id, named.amount_minor) == ("r", 500)


def hourly(counts: list[int]) -> list[EventVolume]:
    """Counts of the last full hour and of that hour of the days before, today first."""
    last = datetime(2026, 11, 22, 5, tzinfo=UTC)
    return [
        EventVolume("site", "track", "Viewed", last - timedelta(days=days), count)
        for days, count in enumerate(counts)
        if count
    ]


@pytest.mark.parametrize(
    ("counts", "sudden"),
    [
        ([100, 110, 95, 105, 99], False),
        ([0, 110, 95, 105, 99], True),
        ([400, 110, 95, 105, 99], True),
        ([130, 110, 95, 105, 99], False),
        # Twice as many, but of few; and a count that differs from day to day anyway.
        ([6, 3, 2, 3, 4], False),
        ([900, 100, 900, 120, 800], False),
        # Too little is known.
        ([0, 100, 100], False),
    ],
)
def test_sudden_changes(counts: list[int], sudden: bool) -> None:
    assert bool(sudden_changes(hourly(counts), NOW)) == sudden
