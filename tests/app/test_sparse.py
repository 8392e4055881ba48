"""Sparse answers, of every route that can be asked for fields: for everybody the whole answer without the others."""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.types import ASGIApp

from shuke import access, catalog, collect, lifecycle, profiles
from shuke.access.http.guard import Visit
from shuke.access.people_model import NewUser
from shuke.access.service import users
from shuke.app.openapi import description
from shuke.app.web import build_web
from shuke.connectors.model import EventKind
from shuke.connectors.service.deliveries import send_test
from shuke.connectors.service.endpoints import Wanted, add_endpoint
from shuke.lifecycle.service import reading
from shuke.platform import Database, Keyring, Settings, Workplace
from shuke.segments.rules.checking import read_tree
from shuke.segments.service.asking import asking
from shuke.segments.service.building import build_all
from shuke.segments.service.definitions import add_segment

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
AS_OF = NOW.replace(hour=0)
PHONES = {"s1": "13812345678", "s2": "13912345678"}


@dataclass(frozen=True)
class Brand:
    """A brand with two stores, each with a customer who has a bit of everything."""

    place: Workplace
    web: ASGIApp
    customers: dict[str, UUID]
    #: What fills the addresses of routes.
    named: dict[str, str]
    keys: dict[str, str]

    def ask(self, role: str, method: str, path: str, **options: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self.web, raise_app_exceptions=False)
            headers = {"authorization": f"Bearer {self.keys[role]}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
                return await client.request(method, path, **options)

        return asyncio.run(answer())


@pytest.fixture(scope="module")
def brand(
    new_database: Callable[[], str],
    keyring: Keyring,
    key_for: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Brand]:
    with Database(new_database()) as database:
        place = Workplace(
            Settings(data_folder=tmp_path_factory.mktemp("data"), database_url=database.url), database, keyring
        )
        customers = {}
        with database.begin() as tx:
            catalog.save_stores(tx, [catalog.Store(store_id=store) for store in PHONES], now=NOW)
            catalog.save_products(tx, [catalog.Product(product_id="tea", name="龙井", category="green")], now=NOW)
            catalog.save_channels(tx, [catalog.Channel(channel="shop")], now=NOW)
            source = collect.ensure_source(tx, "shop", now=NOW)
            collect.save_orders(
                tx,
                keyring,
                [
                    collect.Order(
                        source_id=source,
                        order_id=f"{store}-{number}",
                        ids=(("phone", phone),),
                        ordered_at=AS_OF - timedelta(days=30 * number + 1),
                        amount_minor=900,
                        currency="CNY",
                        channel="shop",
                        store=store,
                        lines=(collect.OrderLine("tea", "龙井", None, None, Decimal(1), 900, None),),
                    )
                    for store, phone in PHONES.items()
                    for number in range(3)
                ],
                NOW,
            )
            for store, phone in PHONES.items():
                found = profiles.find(tx, keyring, "phone", phone)
                assert found is not None
                customers[store] = found
                profiles.set_attributes(tx, keyring, [(found, {"name": "王小明", "city": "杭州"})], NOW)
                profiles.add_tags(tx, [profiles.NewTag(found, "VIP", "wecom")], NOW)
            made = NewUser(name="Lin", email="lin@brand.example", role="analyst", language="en")
            user = users.add_user(tx, made, NOW)
            team = users.add_team(tx, "Tea", NOW)
        lifecycle.refresh(place, as_of=AS_OF, now=NOW)
        with database.begin() as tx:
            tea = read_tree({"node": "tag", "tag": "VIP"})
            segment, other = (
                add_segment(tx, asking(tx, place), name, tea, made_by="test", now=NOW) for name in ("VIP", "Also VIP")
            )
            said = Wanted(name="Automation", url="https://hooks.example.com/shuke", kinds=tuple(EventKind))
            endpoint, _ = add_endpoint(tx, keyring, said, own_hosts=(), made_by="test", now=NOW)
            message = send_test(tx, endpoint.endpoint_id, NOW)
        build_all(place, NOW)
        named = {"product_id": "tea", "store_id": "s1", "channel": "shop", "user_id": str(user), "version": "0"}
        named |= {"segment_id": str(segment.segment_id), "other_segment": str(other.segment_id)}
        named |= {"endpoint_id": str(endpoint.endpoint_id), "delivery_id": str(message.delivery_id)}
        named |= {"team_id": str(team.team_id), "customer_id": str(customers["s1"])}
        keys = {"owner": key_for(place, "owner"), "associate": key_for(place, "store_associate", places=["s1"])}
        yield Brand(place, build_web(place), customers, named, keys)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return description()


def sparse_routes(told: dict[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Every route that can be asked for fields, and for which, as the description says."""
    found = {}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "fields":
                    (one, _) = re.findall(r"\(\?:([a-z_|0-9]+)\)", parameter["schema"]["pattern"])
                    found[(method.upper(), path)] = tuple(one.split("|"))
    return found


def address(brand: Brand, path: str) -> str:
    """An address of the route: of what is there, or else of nothing."""
    named = {"name": "analyst" if "/roles/" in path else "city"}
    nothing = str(UUID(int=1))
    return re.sub(r"\{(\w+)\}", lambda part: (brand.named | named).get(part[1], nothing), path)


def without(whole: Any, names: tuple[str, ...], wanted: set[str]) -> Any:
    """The answer as it is to be: only the wanted of these fields, where they stand."""
    if isinstance(whole, list):
        return [without(one, names, wanted) for one in whole]
    if not isinstance(whole, dict):
        return whole
    if whole.keys() >= set(names):
        return {name: value for name, value in whole.items() if name in wanted}
    (rows,) = (name for name, one in whole.items() if isinstance(one, list) and name != "making")
    return {**whole, rows: without(whole[rows], names, wanted)}


def differences(brand: Brand, routes: dict[tuple[str, str], tuple[str, ...]], role: str) -> tuple[list[str], set[str]]:
    """The routes whose sparse answers are other than their whole ones; and those that had an answer."""
    wrong, answered = [], set()
    for (method, path), names in routes.items():
        given = {"json": {}} if method == "POST" else {}
        there = address(brand, path)
        if path.endswith("/flows"):
            there += "?since=2026-01-01T00:00:00Z&until=2026-11-22T00:00:00Z"
        elif path.endswith("/suggestions"):
            there += "?of=tag"
        elif path.endswith("/overlap"):
            there += "?of={segment_id}&of={other_segment}".format_map(brand.named)
        elif path.endswith("/compare"):
            there += "?one={segment_id}&other={other_segment}".format_map(brand.named)
        whole = brand.ask(role, method, there, **given)
        if whole.status_code == 200:
            answered.add(path)
        for wanted in (set(names[::2]), set(names[1::2]) or set(names)):
            asked = f"{there}{'&' if '?' in there else '?'}fields={','.join(sorted(wanted))}"
            found = brand.ask(role, method, asked, **given)
            same = found.status_code == whole.status_code
            if same and whole.status_code == 200:
                same = found.json() == without(whole.json(), names, wanted)
                same = same and found.headers.get("etag") == whole.headers.get("etag")
            if not same:
                wrong.append(f"{method} {path} {sorted(wanted)} {found.text[:200]}")
    return wrong, answered


#: What is not there in this brand, or is for a session.
UNANSWERED = {"/api/session", "/api/sessions", "/api/passkeys"}


def test_every_sparse_answer_is_the_whole_without_the_rest(brand: Brand, told: dict[str, Any]) -> None:
    routes = sparse_routes(told)
    reads = {path for path, methods in told["paths"].items() for method in methods if method == "get"}
    files = {path for path in reads if path.endswith((".csv", "/rejects", "/file", "/events", "/{kind}"))}
    assert {path for method, path in routes if method == "GET"} == reads - files - {
        "/api/oidc/start",
        "/api/oidc/callback",
    }
    assert ("POST", "/api/customers/list") in routes
    wrong, answered = differences(brand, routes, "owner")
    assert wrong == []
    one_of_many = {path for path in reads if re.search(r"\{(import|preview|export|report|job|view)_id\}", path)}
    assert {path for _, path in routes} - answered - one_of_many == UNANSWERED


def of_customers(told: dict[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {route: names for route, names in sparse_routes(told).items() if route[1].startswith("/api/customers/")}


@pytest.mark.parametrize("store", PHONES)
def test_nobody_sees_more_by_asking_for_less(
    store: str, brand: Brand, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is theirs, and of what is not; and a shortcut that forgot who asks is seen."""
    routes = of_customers(told)
    monkeypatch.setitem(brand.named, "customer_id", str(brand.customers[store]))
    wrong, answered = differences(brand, routes, "associate")
    assert wrong == []
    assert ("/api/customers/{customer_id}" in answered) == (store == "s1")

    def is_sparse(visit: Visit) -> bool:
        return getattr(visit.request.state, "fields", None) is not None

    if store == "s1":
        clear = dict.fromkeys(access.FIELDS, access.Seen.CLEAR)
        seen = Visit.fields.fget
        assert seen is not None
        monkeypatch.setattr(Visit, "fields", property(lambda visit: clear if is_sparse(visit) else seen(visit)))
    else:
        enter = Visit._enter_scope
        monkeypatch.setattr(Visit, "_enter_scope", lambda visit, tx: None if is_sparse(visit) else enter(visit, tx))
    wrong, _ = differences(brand, routes, "associate")
    assert any(one.startswith("GET /api/customers/{customer_id} ") for one in wrong)


def test_what_is_not_asked_for_is_not_read(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(room: Any, name: str, part: str) -> None:
        known = getattr(room, name)
        monkeypatch.setattr(room, name, lambda *given, **named: read.append(part) or known(*given, **named))

    noted(reading.collect, "read_traits", "traits")
    noted(reading.collect, "timeline", "timeline")
    noted(reading, "facts_of", "computed")
    there = f"/api/customers/{brand.customers['s1']}?fields="
    assert brand.ask("owner", "GET", f"{there}tags,attributes").json().keys() == {"tags", "attributes"}
    assert read == []
    for part in ("traits", "timeline", "computed"):
        assert brand.ask("owner", "GET", there + part).json().keys() == {part}
        assert read.pop() == part
        assert read == []


@pytest.mark.parametrize("asked", ["fields=nome", "fields=", "fields=name,", "fields=name&fields=nome", "fields=items"])
def test_a_field_that_there_is_not_is_refused_with_those_that_there_are(asked: str, brand: Brand) -> None:
    refused = brand.ask("owner", "GET", f"/api/stores?{asked}")
    assert (refused.status_code, refused.json()["code"]) == (422, "platform.unknown_fields")
    assert "name, active, attributes, region, city, district, time_zone, store_id" in refused.json()["detail"]
    # What is no name is not repeated: it may be what was to stand elsewhere.
    assert "138" not in brand.ask("owner", "GET", "/api/stores?fields=13812345678").text
    assert brand.ask("owner", "GET", "/api/stores?fields=name&fields=city,name").json()["items"][0] == {
        "name": None,
        "city": None,
    }
