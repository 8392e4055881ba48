"""A customer's orders, page by page, whole; and sources with their write keys, over HTTP."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import httpx
import pytest

from shuke import collect, profiles
from shuke.base.errors import BadInput
from shuke.platform import Workplace

NOW = datetime(2026, 7, 1, tzinfo=UTC)


Ask = Callable[..., httpx.Response]


def ordered(place: Workplace, phone: str, *order_ids: str) -> UUID:
    """A customer with these orders, the later the earlier named, each of a line."""
    with place.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        line = collect.OrderLine("p1", "Mug", None, None, Decimal(1), 500, None)
        orders = [
            collect.Order(
                source_id=source,
                order_id=order_id,
                ordered_at=NOW - timedelta(days=days // 2),
                amount_minor=500,
                currency="CNY",
                ids=(("phone", phone),),
                lines=(line,),
            )
            for days, order_id in enumerate(order_ids)
        ]
        collect.save_orders(tx, place.keyring, orders, NOW)
        found = profiles.find(tx, place.keyring, "phone", phone)
        assert found is not None
        return found


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_every_order_is_on_one_page(workplace: Workplace, limit: int) -> None:
    # Two of each day, so that pages end between orders of one moment, too.
    names = ("e", "d", "c", "b", "a")
    customer = ordered(workplace, "13812345678", *names)
    ordered(workplace, "13912345678", "other")
    seen: list[str] = []
    before = None
    with workplace.database.read() as tx:
        while True:
            page = collect.orders_of(tx, customer, before=before, limit=limit)
            assert len(page.orders) <= limit
            seen += [order.order_id for order in page.orders]
            before = page.next
            if before is None:
                break
    assert tuple(seen) == names


def test_an_order_has_its_lines_and_what_was_given_back(workplace: Workplace, ask: Ask) -> None:
    customer = ordered(workplace, "13812345678", "o1")
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        refund = collect.Refund(
            source_id=source, refund_id="r1", order_id="o1", refunded_at=NOW, amount_minor=200, currency="CNY"
        )
        collect.save_refunds(tx, workplace.keyring, [refund], NOW)
        other = profiles.resolve(tx, workplace.keyring, [[("email", "a@example.com")]], NOW)[0]
        assert other is not None
        profiles.merge(tx, other.customer_id, customer, {"by": "test"}, NOW)
    (order,) = ask("GET", f"/api/customers/{other.customer_id}/orders").json()["orders"]
    assert (order["order_id"], order["refunded_minor"], order["status"]) == ("o1", 200, "completed")
    assert [(line["product_id"], line["amount_minor"]) for line in order["lines"]] == [("p1", 500)]
    assert ask("GET", f"/api/customers/{uuid4()}/orders").json() == {"orders": [], "next": None}


@pytest.mark.parametrize(
    "place",
    [
        *([], ["2026-07-01T00:00:00+00:00", 1], ["2026-07-01T00:00:00", 1, "o"], ["x", 1, "o"]),
        *(["2026-07-01T00:00:00+00:00", 2**40, "o"], ["2026-07-01T00:00:00+00:00", 1, 7], 7, None),
    ],
)
def test_a_page_that_is_none_is_refused(workplace: Workplace, place: object) -> None:
    before = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
    with workplace.database.read() as tx:
        for given in (before, "x", "é"):
            with pytest.raises(BadInput) as refused:
                collect.orders_of(tx, uuid4(), before=given)
            assert refused.value.code == "collect.bad_page"


def test_a_source_gets_a_key_once_and_loses_it(ask: Ask) -> None:
    made = ask("POST", "/api/sources/Shop/key", json={"currency": "CNY"}).json()
    assert made["name"] == "Shop"
    (listed,) = ask("GET", "/api/sources").json()
    assert (listed["name"], listed["currency"], listed["has_key"]) == ("Shop", "CNY", True)
    assert made["write_key"] not in json.dumps(listed)
    again = ask("POST", "/api/sources/Shop/key", json={}).json()
    assert again["write_key"] != made["write_key"]
    assert ask("DELETE", "/api/sources/Shop/key").status_code == 204
    assert ask("GET", "/api/sources").json()[0]["has_key"] is False
    assert ask("DELETE", "/api/sources/none/key").status_code == 404
    refused = ask("POST", "/api/sources/Shop/key", json={"currency": "QQQ"})
    assert (refused.status_code, refused.json()["code"]) == (422, "base.unknown_currency")
