"""Products, stores and channels: stated again they change nothing; lists go on where they stopped."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp

from shuke import catalog
from shuke.base.errors import BadInput, NotFound
from shuke.catalog import Channel, ChannelKind, Product, Saved, Store, service, tables
from shuke.platform import Database, Workplace

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TEA = Product(
    product_id="tea-1",
    name="龙井",
    category="Tea",
    brand="Hu",
    price_minor=19_900,
    cost_minor=8_000,
    currency="CNY",
    attributes={"year": 2026, "organic": True, "note": "第一批"},
)


class Client:
    """Asks the application, without a network."""

    def __init__(self, app: ASGIApp) -> None:
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


@pytest.fixture
def client(workplace: Workplace, web_of: Callable[..., ASGIApp]) -> Client:
    return Client(web_of(workplace))


def everything(database: Database) -> list[Any]:
    with database.read() as tx:
        return [tx.execute(sa.select(getattr(tables, name)).order_by(sa.text("1"))).all() for name in tables.__all__]


@pytest.mark.parametrize("table", [getattr(tables, name) for name in tables.__all__], ids=lambda table: table.name)
def test_a_table_is_as_it_was_migrated(table: sa.Table, database: Database) -> None:
    with database.read() as tx:
        inspector = sa.inspect(tx)
        found = {
            column["name"]: (re.sub(" COLLATE.*", "", column["type"].compile(tx.dialect)), column["nullable"])
            for column in inspector.get_columns(table.name)
        }
        declared = {
            column.name: (re.sub(" COLLATE.*", "", column.type.compile(tx.dialect)), column.nullable)
            for column in table.columns
        }
    assert list(found.items()) == list(declared.items())


def test_what_is_saved_is_read_back(database: Database) -> None:
    shop = Store(store_id="s1", name="西湖店", region="浙江", city="杭州", time_zone="Asia/Shanghai")
    mini = Channel(channel="mini", name="小程序", kind=ChannelKind.MINI_PROGRAM, active=False)
    with database.begin() as tx:
        assert catalog.save_products(tx, [TEA], now=NOW) == Saved(created=1)
        assert catalog.save_stores(tx, [shop], now=NOW) == Saved(created=1)
        assert catalog.save_channels(tx, [mini], now=NOW) == Saved(created=1)
    with database.read() as tx:
        assert catalog.get_product(tx, "tea-1") == TEA
        assert catalog.get_store(tx, "s1") == shop
        assert catalog.get_channel(tx, "mini") == mini
        with pytest.raises(NotFound):
            catalog.get_product(tx, "tea-2")


def check_again_changes_nothing(database: Database) -> None:
    rows = [TEA, Product(product_id="tea-2"), Product(product_id="tea-3", name="x")]
    with database.begin() as tx:
        catalog.save_products(tx, rows, now=NOW)
    before = everything(database)
    with database.begin() as tx:
        saved = catalog.save_products(tx, rows, now=LATER)
    assert everything(database) == before
    assert saved == Saved(unchanged=3)


def test_the_same_again_changes_nothing(database: Database) -> None:
    check_again_changes_nothing(database)


def test_an_upsert_that_always_writes_would_be_noticed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.sa, "or_", lambda *_: sa.true())
    with pytest.raises(AssertionError):
        check_again_changes_nothing(database)


def test_a_change_is_counted_and_dated(database: Database) -> None:
    with database.begin() as tx:
        catalog.save_products(tx, [TEA, Product(product_id="tea-2")], now=NOW)
        changed = Product(product_id="tea-1", name="龙井 2026")
        assert catalog.save_products(tx, [changed, Product(product_id="tea-2")], now=LATER) == Saved(0, 1, 1)
        dates = dict(tx.execute(sa.select(tables.products.c.product_id, tables.products.c.updated_at)).all())
        # A statement is whole: what it leaves out is gone.
        assert catalog.get_product(tx, "tea-1") == changed
    assert dates == {"tea-1": LATER, "tea-2": NOW}


def test_a_statement_of_some_fields_leaves_the_others(database: Database) -> None:
    with database.begin() as tx:
        catalog.save_products(tx, [TEA], now=NOW)
        catalog.save_products(tx, [Product(product_id="tea-1", name="New", brand="Lost")], now=NOW, only={"name"})
        found = catalog.get_product(tx, "tea-1")
    assert (found.name, found.brand, found.price_minor) == ("New", "Hu", 19_900)


def test_a_product_seen_in_passing_only_fills_gaps(database: Database) -> None:
    with database.begin() as tx:
        catalog.save_products(tx, [Product(product_id="p", name="Official")], now=NOW)
        seen = [Product(product_id="p", name="scribbled", brand="B"), Product(product_id="q", name="new")]
        assert catalog.add_products(tx, seen, now=LATER) == Saved(created=1, updated=1)
        assert catalog.add_products(tx, seen, now=LATER) == Saved(unchanged=2)
        found = catalog.get_product(tx, "p")
        assert catalog.add_channels(tx, [Channel(channel="web")], now=NOW) == Saved(created=1)
        assert catalog.add_channels(tx, [Channel(channel="web")], now=NOW) == Saved(unchanged=1)
    assert (found.name, found.brand) == ("Official", "B")


def test_pages_hold_everything_once(database: Database) -> None:
    ids = [f"{name}{number}" for name in ("a", "B", "商品", "Ä") for number in range(30)]
    with database.begin() as tx:
        catalog.save_products(tx, [Product(product_id=one, category=one[0]) for one in ids], now=NOW)
    seen: list[str] = []
    after = None
    with database.read() as tx:
        while True:
            page = catalog.list_products(tx, after=after, limit=7)
            seen += [item.product_id for item in page.items]
            after = page.next
            if after is None:
                break
        whole = catalog.list_products(tx, category="B", limit=30)
    assert len(seen) == 120
    assert seen == sorted(ids, key=str.encode)
    assert len(whole.items) == 30
    assert whole.next is None


@pytest.mark.parametrize(
    ("products", "code"),
    [
        ([Product(product_id="p"), Product(product_id="p")], "catalog.given_twice"),
        ([Product(product_id=" ")], "catalog.bad_id"),
        ([Product(product_id="p\0")], "catalog.bad_id"),
        ([Product(product_id="p", name="a\0b")], "catalog.bad_value"),
        ([Product(product_id="p", price_minor=-1, currency="CNY")], "catalog.bad_value"),
        ([Product(product_id="p", price_minor=1)], "catalog.no_currency"),
        ([Product(product_id="p", currency="QQQ")], "base.unknown_currency"),
        ([Product(product_id="p", attributes={"a": "\ud800"})], "catalog.bad_value"),
        ([Product(product_id="p", attributes={"a": float("nan")})], "catalog.bad_value"),
        ([Product(product_id=str(n)) for n in range(10_001)], "catalog.too_many"),
    ],
)
def test_what_cannot_be_kept_is_refused_whole(products: list[Product], code: str, database: Database) -> None:
    before = everything(database)
    with pytest.raises(BadInput) as refused, database.begin() as tx:
        catalog.save_products(tx, [TEA, *products], now=NOW)
    assert refused.value.code == code
    assert everything(database) == before


def test_the_api_saves_and_lists(client: Client) -> None:
    body = {"name": "龙井", "price_minor": 19_900, "currency": "CNY", "attributes": {"year": 2026, "organic": True}}
    assert client.put("/api/products/tea-1", json=body).json() == {"created": 1, "updated": 0, "unchanged": 0}
    assert client.put("/api/products/tea-1", json=body).json() == {"created": 0, "updated": 0, "unchanged": 1}
    many = {"products": [{"product_id": f"p{number}"} for number in range(5)]}
    assert client.post("/api/products", json=many).json()["created"] == 5
    page = client.get("/api/products", params={"limit": 2}).json()
    assert [item["product_id"] for item in page["items"]] == ["p0", "p1"]
    rest = client.get("/api/products", params={"after": page["next"]}).json()
    assert [item["product_id"] for item in rest["items"]] == ["p2", "p3", "p4", "tea-1"]
    assert rest["next"] is None
    assert client.get("/api/products/tea-1").json()["attributes"] == {"year": 2026, "organic": True}
    assert client.put("/api/stores/s1", json={"time_zone": "Asia/Shanghai"}).status_code == 200
    assert client.post("/api/stores", json={"stores": [{"store_id": "s2"}]}).json()["created"] == 1
    assert client.get("/api/stores").json()["items"][0]["time_zone"] == "Asia/Shanghai"
    assert client.get("/api/stores/s2").json()["name"] is None
    assert client.put("/api/channels/app", json={"kind": "app"}).status_code == 200
    assert client.post("/api/channels", json={"channels": [{"channel": "web"}]}).json()["created"] == 1
    assert client.get("/api/channels").json()["items"][0]["kind"] == "app"
    assert client.get("/api/channels/app").json()["channel"] == "app"


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("GET", "/api/products/none", None, 404, "catalog.no_product"),
        ("GET", "/api/products/%00", None, 422, "platform.null_character"),
        ("GET", "/api/stores/none", None, 404, "catalog.no_store"),
        ("GET", "/api/channels/none", None, 404, "catalog.no_channel"),
        ("GET", "/api/products?limit=0", None, 422, "app.bad_request"),
        ("GET", "/api/products?after=%00", None, 422, "platform.null_character"),
        ("GET", "/api/data-quality?source=%00", None, 422, "platform.null_character"),
        ("PUT", "/api/products/p", b"{", 422, "app.bad_request"),
        ("PUT", "/api/products/p", b'{"name": "\xff"}', 422, "platform.bad_body"),
        ("PUT", "/api/products/p", b"[" * 100_000, 422, "platform.bad_body"),
        ("PUT", "/api/products/p", b'{"name": "\\u0000"}', 422, "platform.null_character"),
        ("PUT", "/api/products/p", b'{"name": "\\\\u0000", "price_minor": 1}', 422, "catalog.no_currency"),
        ("PUT", "/api/products/p", b'{"attributes": {"a": NaN}}', 422, "app.bad_request"),
        ("PUT", "/api/products/p", b'{"attributes": {"a": 1e999}}', 422, "app.bad_request"),
        ("PUT", "/api/products/p", b'{"price_minor": 1}', 422, "catalog.no_currency"),
        ("PUT", "/api/products/p", b'{"unknown": 1}', 422, "app.bad_request"),
        ("PUT", "/api/stores/p", b'{"time_zone": "Mars"}', 422, "catalog.bad_value"),
        ("PUT", "/api/products/p", b" " * 2_000_001, 422, "platform.body_too_large"),
    ],
)
def test_bad_requests_are_explained(
    method: str, path: str, content: bytes | None, status: int, code: str, client: Client
) -> None:
    for language in ("en", "zh-CN"):
        headers = {"content-type": "application/json", "accept-language": language}
        answer = client.request(method, path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["detail"]
    assert client.get("/api/products").json()["items"] == []


def test_refusals_are_in_the_description(client: Client) -> None:
    described = client.get("/openapi.json").json()["paths"]
    mine = {path: item for path, item in described.items() if path.startswith(("/api/products", "/api/stores"))}
    assert len(mine) == 4
    for item in mine.values():
        for operation in item.values():
            assert set(operation["responses"]) >= {"200", "422"}
            assert "application/problem+json" in operation["responses"]["422"]["content"]
