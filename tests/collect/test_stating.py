"""Orders and refunds over HTTP."""

import asyncio
import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

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

    def __init__(self, app: ASGIApp) -> None:
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())


@pytest.fixture
def ask(workplace: Workplace, web_of: Callable[..., ASGIApp]) -> Client:
    with workplace.database.begin() as tx:
        ensure_source(tx, "shop", now=datetime(2026, 1, 1, tzinfo=UTC))
    return Client(web_of(workplace))


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
        ("/api/orders/%00/1", {}, 422, "platform.null_character"),
        ("/api/orders/shop/%00", {}, 422, "platform.null_character"),
        ("/api/orders/shop/a@b.cn", {}, 422, "collect.bad_statement"),
        ("/api/orders/shop/1", {"amount_minor": -1}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"amount_minor": 1.5}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"currency": "QQQ"}, 422, "base.unknown_currency"),
        ("/api/orders/shop/1", {"ordered_at": "2026-11-01T09:00:00"}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"ordered_at": "0001-01-01T00:00:00+14:00"}, 422, "collect.bad_statement"),
        ("/api/orders/shop/1", {"ordered_at": "9999-12-31T23:59:59-14:00"}, 422, "collect.bad_statement"),
        ("/api/orders/shop/1", {"cancelled_at": "2026-11-01T09:00:00Z"}, 422, "collect.bad_statement"),
        ("/api/orders/shop/1", {"region": "\0"}, 422, "platform.null_character"),
        ("/api/orders/shop/1", {"lines": [{"amount_minor": 1, "quantity": "NaN"}]}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"lines": [{"amount_minor": 1, "quantity": "1e-9"}]}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"customer": [{"kind": "Phone", "value": "1"}]}, 422, "app.bad_request"),
        ("/api/orders/shop/1", {"customer": [{"kind": "phone", "value": "none"}]}, 200, None),
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


# ---- No body whatever makes the routes fail: it is taken, or refused with a reason.

PRODUCT = {
    "name": "龙井",
    "price_minor": 1,
    "cost_minor": 1,
    "currency": "CNY",
    "category": "Tea",
    "active": True,
    "attributes": {"year": 2026},
}
GOOD: dict[str, tuple[str, Any]] = {
    "order": ("PUT /api/orders/shop/1", ORDER | {"stated_at": "2026-11-02T00:00:00Z", "status": "completed"}),
    "orders": ("POST /api/orders", {"orders": [ORDER | {"source": "shop", "order_id": "1"}]}),
    "refund": ("PUT /api/refunds/shop/1", REFUND | {"line": 1, "customer": [{"kind": "phone", "value": "1"}]}),
    "refunds": ("POST /api/refunds", {"refunds": [REFUND | {"source": "shop", "refund_id": "1"}]}),
    "product": ("PUT /api/products/1", PRODUCT),
    "products": ("POST /api/products", {"products": [PRODUCT | {"product_id": "1"}]}),
    "store": ("PUT /api/stores/1", {"name": "x", "region": "y", "city": "z", "time_zone": "Asia/Shanghai"}),
    "channel": ("PUT /api/channels/1", {"name": "x", "kind": "app", "attributes": {}}),
}
NASTY = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, 10**400, 0.5, -0.0, 1e308, 1e-308]),
    st.sampled_from(["", " ", "\0", "\ud800", "NaN", "1e999", "x" * 600, "🍵" * 300, "a@b.cn", "0001-01-01T00:00:00Z"]),
    st.sampled_from(["9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z", "2026-01-01", "%s", "'; --", "\\", "\t\n"]),
    st.text(max_size=5),
    st.sampled_from([[], {}, [[]], [None], {"": ""}, {"\0": "\0"}, [{}] * 3]),
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to every part of a body."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, inner in parts for deeper in places_in(inner, (*path, key)))]


def put_in(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with another value at a place."""
    if not path:
        return value
    changed = copy.deepcopy(body)
    within = changed
    for key in path[:-1]:
        within = within[key]
    within[path[-1]] = value
    return changed


@pytest.mark.parametrize("what", GOOD)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_body_is_taken_or_refused(what: str, ask: Client, data: st.DataObject) -> None:
    where, body = GOOD[what]
    method, _, path = where.partition(" ")
    changed = put_in(body, data.draw(st.sampled_from(places_in(body))), data.draw(NASTY))
    # Half a character goes spelled out, as a careless client sends it.
    content = json.dumps(changed).encode()
    answer = ask(method, path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 404, 422), answer.text
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
