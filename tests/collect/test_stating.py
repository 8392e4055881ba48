"""Orders and refunds over HTTP."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shuke.app.web import build_web
from shuke.collect import ensure_source, tables
from shuke.platform import Workplace

ORDER = {
    "customer": [{"kind": "phone", "value": "138 0000 0001"}, {"kind": "member_number", "value": "A1"}],
    "ordered_at": "2026-11-01T09:00:00+08:00",
    "amount_minor": 49_900,
    "currency": "CNY",
    "channel": "mini",
    "lines": [
        {"product_id": "tea", "product_name": "龙井", "quantity": "2", "amount_minor": 39_800, "cost_minor": 16_000},
        {"product_id": "cup", "quantity": 1.5, "amount_minor": 10_100},
    ],
}
REFUND = {"order_id": "1001", "refunded_at": "2026-11-03T09:00:00+08:00", "amount_minor": 10_100, "currency": "CNY"}


class Client:
    """Asks the application, without a network."""

    def __init__(self, workplace: Workplace) -> None:
        self.transport = httpx.ASGITransport(build_web(workplace), raise_app_exceptions=False)

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://shuke") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())


@pytest.fixture
def ask(workplace: Workplace) -> Client:
    with workplace.database.begin() as tx:
        ensure_source(tx, "shop", now=datetime(2026, 1, 1, tzinfo=UTC))
    return Client(workplace)


def counts(**given: int) -> dict[str, int]:
    return {"created": 0, "updated": 0, "unchanged": 0, "outdated": 0, **given}


def test_an_order_and_its_refund_are_stated(ask: Client, workplace: Workplace) -> None:
    assert ask("PUT", "/api/orders/shop/1001", json=ORDER).json() == counts(created=1)
    assert ask("PUT", "/api/orders/shop/1001", json=ORDER).json() == counts(unchanged=1)
    changed = {**ORDER, "amount_minor": 1}
    assert ask("PUT", "/api/orders/shop/1001", json=changed).json() == counts(updated=1)
    assert ask("PUT", "/api/refunds/shop/r1", json=REFUND).json() == counts(created=1)
    assert ask("PUT", "/api/refunds/shop/r1", json=REFUND).json() == counts(unchanged=1)
    with workplace.database.read() as tx:
        facts = tx.execute(sa.select(tables.facts.c.kind, tables.facts.c.identity_id)).all()
        lines = tx.execute(sa.select(tables.order_lines.c.quantity).order_by("line")).scalars().all()
        customers = tx.execute(sa.text("SELECT count(*) FROM customers")).scalar()
    assert sorted(fact.kind for fact in facts) == ["order", "refund"]
    assert len({fact.identity_id for fact in facts}) == 1
    assert [str(quantity) for quantity in lines] == ["2", "1.5"]
    assert customers == 1


def test_many_at_once_and_late_ones(ask: Client) -> None:
    rows = [
        {**ORDER, "source": "shop", "order_id": str(number), "stated_at": "2026-11-02T00:00:00Z"} for number in range(5)
    ]
    assert ask("POST", "/api/orders", json={"orders": rows}).json() == counts(created=5)
    late = [{**row, "amount_minor": 5, "stated_at": "2026-11-01T00:00:00Z"} for row in rows]
    assert ask("POST", "/api/orders", json={"orders": late}).json() == counts(outdated=5)
    refunds = [{**REFUND, "source": "shop", "refund_id": str(number)} for number in range(3)]
    assert ask("POST", "/api/refunds", json={"refunds": refunds}).json() == counts(created=3)


@pytest.mark.parametrize(
    ("path", "change", "status", "code"),
    [
        ("/api/orders/none/1", {}, 404, "collect.no_source"),
        ("/api/orders/%00/1", {}, 404, "collect.no_source"),
        ("/api/orders/shop/%00", {}, 422, "collect.bad_statement"),
        ("/api/orders/shop/a@b.cn", {}, 422, "collect.bad_statement"),
        ("/api/orders/shop/1", {"amount_minor": -1}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"amount_minor": 1.5}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"currency": "QQQ"}, 422, "base.unknown_currency"),
        ("/api/orders/shop/1", {"ordered_at": "2026-11-01T09:00:00"}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"ordered_at": "0001-01-01T00:00:00+14:00"}, 422, "collect.bad_statement"),
        ("/api/orders/shop/1", {"ordered_at": "9999-12-31T23:59:59-14:00"}, 422, "collect.bad_statement"),
        ("/api/orders/shop/1", {"cancelled_at": "2026-11-01T09:00:00Z"}, 422, "collect.bad_statement"),
        ("/api/orders/shop/1", {"region": "\0"}, 422, "collect.bad_statement"),
        ("/api/orders/shop/1", {"lines": [{"amount_minor": 1, "quantity": "NaN"}]}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"lines": [{"amount_minor": 1, "quantity": "1e-9"}]}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"customer": [{"kind": "Phone", "value": "1"}]}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"customer": [{"kind": "phone", "value": "\0"}]}, 200, None),
        ("/api/orders/shop/1", {"customer": [{"kind": "member_number", "value": "a\0b"}]}, 200, None),
        ("/api/orders/shop/1", {"unknown": 1}, 422, "app.bad_request"),
    ],
)
def test_bad_orders_are_explained(
    path: str, change: dict[str, Any], status: int, code: str | None, ask: Client, workplace: Workplace
) -> None:
    answer = ask("PUT", path, json={**ORDER, **change})
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    if code is not None:
        assert answer.json()["detail"]
        with workplace.database.read() as tx:
            assert tx.execute(sa.select(tables.orders)).all() == []
            # A refused order leaves no customer behind either.
            assert tx.execute(sa.text("SELECT * FROM customers")).all() == []


def test_one_bad_order_refuses_all(ask: Client, workplace: Workplace) -> None:
    rows = [{**ORDER, "source": "shop", "order_id": "1"}, {**ORDER, "source": "shop", "order_id": "1"}]
    answer = ask("POST", "/api/orders", json={"orders": rows})
    assert (answer.status_code, answer.json()["code"]) == (422, "collect.stated_twice")
    with workplace.database.read() as tx:
        assert tx.execute(sa.select(tables.orders)).all() == []
