"""What is personal, let into a running server by every way there is, stands nowhere in the open; and of whom the brand
erased, nothing can be read any more, not even from what was kept of the vault.
"""

import contextlib
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import polars as pl
import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp

from shuke import collect, privacy, profiles
from shuke.base.errors import NotFound
from shuke.collect.jobs import empty_inbox, wake
from shuke.collect.rules import events as reading
from shuke.collect.rules import personal
from shuke.collect.service import lake
from shuke.platform import Database, EmbeddedPostgres, Engine, Workplace, open_engine
from shuke.platform.http import Requests

SHUKE = str(Path(sys.executable).with_name("shuke"))
WAIT_SECONDS = 120
Json = dict[str, Any]

MAIL, PHONE, CARD = "canary.jin@example.com", "13655550123", "110105199003078515"
NAME, STREET, OPENID = "金丝雀·安娜", "金丝雀巷四十二号", "oCanary8uMuAJOM2pxb1Q9zNjWeS"
CANARIES = (MAIL, PHONE, CARD, NAME, STREET, OPENID, "203.0.113.199")

TRAITS = {"email": MAIL, "phone": PHONE, "name": NAME, "address": {"street": STREET}, "openid": OPENID, "id_card": CARD}
CONTEXT = {"ip": "203.0.113.199", "traits": TRAITS, "page": {"url": f"https://example.com/?m={MAIL}"}}
SAID = {
    "note": f"call {NAME}",
    "text": f"{PHONE} or {MAIL}, {CARD}",
    "收货人": NAME,
    "shipping_address": STREET,
    PHONE: 1,
}
ORDER = {
    "customer": [{"kind": "phone", "value": PHONE}, {"kind": "openid", "value": OPENID}],
    "ordered_at": "2026-11-01T09:00:00+08:00",
    "amount_minor": 4_900,
    "currency": "CNY",
    "lines": [{"product_id": "tea", "amount_minor": 4_900}],
}


def events() -> list[Json]:
    """Every type of event, full of what is personal, in its fields and out of place."""
    base: Json = {"userId": MAIL, "anonymousId": OPENID, "context": CONTEXT}
    products = [{"product_id": MAIL, "name": f"for {PHONE}", "price": 1}]
    made: list[Json] = [
        {"type": "identify", "traits": TRAITS},
        {"type": "track", "event": f"Called {PHONE}", "properties": SAID},
        {"type": "track", "event": "Order Completed", "properties": {**SAID, "order_id": MAIL, "products": products}},
        {"type": "page", "name": MAIL, "properties": {"title": CARD, "url": f"https://x.cn/{PHONE}"}},
        {"type": "screen", "name": PHONE, "properties": SAID},
        {"type": "group", "groupId": MAIL, "traits": TRAITS},
        {"type": "alias", "previousId": PHONE},
        {"type": f"no type {MAIL}", "properties": SAID},
    ]
    return [base | event | {"messageId": f"{PHONE}-{number}"} for number, event in enumerate(made)]


def let_in(client: httpx.Client, key: str) -> None:
    """By each call of the collector, by the orders and by the profiles."""
    for event in events():
        kind = event["type"].split(" ")[0]
        call = kind if kind != "no" else "track"
        assert client.post(f"/v1/{call}", json=event, auth=(key, "")).status_code == 200
        short = json.dumps({**event, "messageId": f"{event['messageId']}-{MAIL}", "writeKey": key})
        assert client.post(f"/v1/{call[0]}", content=short).status_code == 200
    again = [{**event, "messageId": f"{NAME}{number}"} for number, event in enumerate(events())]
    assert client.post("/v1/batch", json={"batch": again, "context": CONTEXT}, auth=(key, "")).status_code == 200
    assert client.put("/api/orders/shop/1", json=ORDER).status_code == 200
    returned = {key: ORDER[key] for key in ("customer", "amount_minor", "currency")}
    refund = {**returned, "order_id": "1", "refunded_at": "2026-11-02T09:00:00+08:00"}
    assert client.put("/api/refunds/shop/1", json=refund).status_code == 200
    ids = [{"kind": "phone", "value": PHONE}, {"kind": "email", "value": MAIL}, {"kind": "openid", "value": OPENID}]
    given = {"name": NAME, "address": STREET, "birth_date": "1990-03-07"}
    made = client.post("/api/customers", json={"identities": ids, "attributes": given})
    assert made.status_code == 200
    customer = made.json()["customer_id"]
    guardian = {"relation": "mother", "name": NAME, "phone": PHONE}
    assert client.post(f"/api/customers/{customer}/guardians", json=guardian).status_code == 200
    assert client.put("/api/attributes/id_card", json={"type": "text", "personal": True}).status_code == 200
    assert client.patch(f"/api/customers/{customer}", json={"attributes": {"id_card": CARD}}).status_code == 200


def refusals(client: httpx.Client, key: str) -> list[httpx.Response]:
    """What is answered to what cannot be taken."""
    auth = (key, "")
    return [
        client.post("/v1/track", content=f'{{"event": "{MAIL}"', auth=auth),
        client.post("/v1/track", content=json.dumps({"event": MAIL}), auth=(MAIL, "")),
        client.post("/v1/batch", json={"batch": [{"messageId": MAIL * 9}]}, auth=auth),
        client.post(f"/v1/{MAIL}", json={}),
        client.get(f"/api/{PHONE}"),
        client.get(f"/api/customers/{PHONE}"),
        client.get(f"/api/customers/{PHONE}/timeline", params={"before": MAIL}),
        client.put(f"/api/orders/shop/{MAIL}", json=ORDER),
        client.put(f"/api/orders/{PHONE}/1", json={**ORDER, NAME: MAIL}),
        client.put("/api/orders/shop/2", json={**ORDER, "region": MAIL}),
        client.put("/api/orders/shop/2", json={**ORDER, "currency": PHONE}),
        client.put("/api/orders/shop/2", json={**ORDER, "lines": [{"amount_minor": CARD}]}),
        client.post("/api/customers", json={"identities": [{"kind": "phone", "value": f"{PHONE}{CARD}"}]}),
        client.post("/api/customers", json={"identities": [{"kind": PHONE, "value": MAIL}]}),
        client.post("/api/customers", json={"identities": ORDER["customer"], "attributes": {PHONE: {NAME: MAIL}}}),
        client.post("/api/customers", json={"identities": ORDER["customer"], "attributes": {"birth_date": MAIL}}),
        client.post("/api/customers/find", json={"kind": "phone", "value": f"{PHONE}9", "who": NAME}),
        client.post("/api/customers/find", json={"kind": "email", "value": f"not.{MAIL}"}),
    ]


def shown(answers: list[httpx.Response]) -> set[str]:
    """The canaries in answers."""
    return seen_in("\n".join(f"{answer.headers} {answer.text}" for answer in answers))


def read(client: httpx.Client) -> list[httpx.Response]:
    """What a reader sees who may not see it whole."""
    found = client.post("/api/customers/find", json={"kind": "email", "value": MAIL})
    customer = found.json()["customer_id"]
    return [found, *(client.get(f"/api/customers/{customer}{page}") for page in ("", "/identities", "/timeline"))]


def import_all(place: Workplace, engine: Engine, folder: Path) -> None:
    """By each kind of file that knows of persons."""
    folder.mkdir()
    said: Json = {"now": lambda: datetime.now(UTC), "rejects_folder": folder / "rejected"}
    orders = folder / "orders.csv"
    orders.write_text(f"order_id,手机号,order_date,amount,region\n{MAIL},{PHONE},2026-11-01,5,{MAIL}\n", "utf-8")
    collected = collect.read_orders([str(orders)], engine=engine, work_folder=folder / "work", currency="CNY")
    collect.import_orders(place, [str(orders)], collected, engine=engine, source="file", **said)
    people = folder / "customers.csv"
    people.write_text(
        f"phone,email,openid,name,address,city\n{PHONE},{MAIL},{OPENID},{NAME},{STREET},{MAIL}\n", "utf-8"
    )
    collect.import_customers(place, [str(people)], work_folder=folder, **said)
    lines = folder / "events.jsonl"
    lines.write_text("\n".join(json.dumps({**one, "messageId": f"f{one['messageId']}"}) for one in events()), "utf-8")
    collect.import_events(place, [str(lines)], source="file", wake=wake, work_folder=folder, **said)


def spellings(canary: str) -> tuple[str, ...]:
    """As it is, as JSON and as a binary column of PostgreSQL would show it."""
    return canary, json.dumps(canary)[1:-1], canary.encode().hex()


def seen_in(text: str) -> set[str]:
    return {canary for canary in CANARIES if any(one in text for one in spellings(canary))}


def in_database(database: Database) -> dict[str, set[str]]:
    """The canaries in each table, of all that there are."""
    found = {}
    with database.read() as tx:
        tables = tx.scalars(
            sa.text(
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'm') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
            )
        ).all()
        assert len(tables) > 30
        for table in tables:
            rows = tx.scalars(sa.text(f"SELECT string_agg(one::text, chr(10)) FROM {table} AS one"))  # noqa: S608
            if seen := seen_in(rows.one() or ""):
                found[table] = seen
    return found


def in_files(folder: Path) -> dict[str, set[str]]:
    """The canaries in each file, and in the rows of each file of the lake."""
    found = {}
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            text += pl.read_parquet(path).write_json()
        if seen := seen_in(text):
            found[path.name] = seen
    assert any(path.suffix == ".parquet" and "facts" in str(path) for path in files)
    return found


@pytest.fixture
def key(workplace: Workplace) -> str:
    """The write key of a site; there is a shop, too."""
    with workplace.database.begin() as tx:
        collect.ensure_source(tx, "shop", now=datetime.now(UTC))
        return collect.add_source(tx, "site", now=datetime.now(UTC), currency="CNY")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine("duckdb", work_folder=tmp_path.parent / f"{tmp_path.name}-work", threads=1) as opened:
        yield opened


@contextlib.contextmanager
def running(place: Workplace) -> Iterator[tuple[str, Path]]:
    """Web and worker as processes of their own; the address, and the file of their log."""
    log = place.settings.data_folder / "log"
    place.keyring.save(place.settings.data_folder / "master.keys")
    environment = {
        **os.environ,
        "DATABASE_URL": place.database.url,
        "SHUKE_DATA_FOLDER": str(place.settings.data_folder),
        "SHUKE_LOG_FORMAT": "json",
    }
    with log.open("wb") as out, contextlib.ExitStack() as stack:
        for part in (["web", "--port", "0"], ["worker"]):
            process = stack.enter_context(subprocess.Popen([SHUKE, *part], env=environment, stdout=out, stderr=out))
            stack.callback(process.terminate)
        until = time.monotonic() + WAIT_SECONDS
        while (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text("utf-8"))) is None:
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.1)
        yield found[0], log


def test_what_is_personal_stands_nowhere_in_the_open(
    workplace: Workplace,
    postgres: EmbeddedPostgres,
    key: str,
    engine: Engine,
    tmp_path: Path,
    key_for: Callable[..., str],
) -> None:
    secret = key_for(workplace, "owner")

    def with_key(request: httpx.Request) -> httpx.Request:
        if request.url.path.startswith("/api/"):
            request.headers["authorization"] = f"Bearer {secret}"
        return request

    with running(workplace) as (address, log), httpx.Client(base_url=address, timeout=30, auth=with_key) as client:
        let_in(client, key)
        import_all(workplace, engine, tmp_path.parent / f"{tmp_path.name}-files")
        assert in_database(workplace.database) == {}
        until = time.monotonic() + WAIT_SECONDS
        while waiting(workplace.database):
            assert time.monotonic() < until
            time.sleep(0.1)
        refused, seen = refusals(client, key), read(client)
        metrics = client.get("/metrics").text
    lake.update_lake(workplace, wait=True)
    assert in_database(workplace.database) == {}
    assert in_files(workplace.settings.data_folder) == {}
    assert '"request"' in log.read_text("utf-8")
    # That of the database, too.
    assert seen_in(postgres._folders.log.read_text("utf-8", "replace")) == set()
    assert "shuke_collected_events_total" in metrics
    assert seen_in(metrics) == set()
    assert [answer.url for answer in refused if not 400 <= answer.status_code < 500] == []
    assert all(answer.status_code == 200 for answer in seen)
    assert shown(refused + seen) == set()
    # And yet all of it is there for who may see it.
    assert readable(workplace) == {*CANARIES} - {"203.0.113.199"}


def waiting(database: Database) -> int:
    with database.read() as tx:
        return tx.scalars(sa.text("SELECT count(*) FROM inbox")).one()


def readable(place: Workplace) -> set[str]:
    """The canaries that whoever has the keys can read of all persons."""
    with place.database.read() as tx:
        persons = tx.scalars(sa.text("SELECT DISTINCT person_id FROM vault")).all()
        read = privacy.read_fields(tx, place.keyring, persons)
    text = "\n".join(value for fields in read.values() for value in fields.values())
    return seen_in(text.replace("\\\\", "\\")) | ({PHONE} if f"+86{PHONE}" in text else set())


def test_leaks_of_every_kind_are_noticed(
    workplace: Workplace,
    key: str,
    serve: Callable[[ASGIApp], AbstractContextManager[str]],
    web_of: Callable[..., ASGIApp],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Planted: texts are not looked at, addresses are logged and counted by, and refusals repeat what was sent."""

    def tells_addresses(self: Requests, scope: Json, status: int, _: float) -> None:
        self.metrics.requests.labels(scope["method"], scope["path"], str(status)).inc()
        logging.getLogger("shuke").warning("request %s", scope["path"])

    # What is found under the fault is not to be remembered after it.
    for module, name in ((personal, "is_personal_name"), (personal, "is_personal_trait"), (reading, "_described")):
        monkeypatch.setattr(module, name, getattr(module, name).__wrapped__)
    monkeypatch.setattr(personal, "_clean", set())
    monkeypatch.setattr(personal, "_SUSPECT", re.compile("(?!)"))
    monkeypatch.setattr(Requests, "_say", tells_addresses)
    monkeypatch.setattr("shuke.app.web._known", str)
    with serve(web_of(workplace)) as address, httpx.Client(base_url=address, timeout=30) as client:
        let_in(client, key)
        assert empty_inbox(workplace, seconds_max=60)
        assert shown(refusals(client, key))
        assert seen_in(client.get("/metrics").text)
    lake.update_lake(workplace)
    assert any(table.startswith("facts") for table in in_database(workplace.database))
    assert any(name.endswith(".parquet") for name in in_files(workplace.settings.data_folder / "lake"))
    assert seen_in(caplog.text)


def forget(place: Workplace) -> set[UUID]:
    """Erase everybody who has one of the names; put back what an older copy of the vault had of them."""
    names = [("user_id", MAIL), ("email", MAIL), ("phone", PHONE), ("openid", OPENID), ("anonymous_id", OPENID)]
    with place.database.begin() as tx:
        tx.execute(sa.text("CREATE TABLE older AS SELECT * FROM vault"))
        known = {profiles.find(tx, place.keyring, kind, value) for kind, value in names} - {None}
        for customer in known:
            with contextlib.suppress(NotFound):
                profiles.erase(tx, customer, datetime.now(UTC))
        tx.execute(sa.text("INSERT INTO vault SELECT * FROM older ON CONFLICT DO NOTHING"))
        tx.execute(sa.text("DROP TABLE older"))
    return {one for one in known if one is not None}


def known_to(client: httpx.Client, customers: set[UUID]) -> list[str]:
    """By which ways readers still find one of them."""
    names = [{"kind": "phone", "value": PHONE}, {"kind": "email", "value": MAIL}, {"kind": "openid", "value": OPENID}]
    found = [one["kind"] for one in names if client.post("/api/customers/find", json=one).status_code != 404]
    for customer in customers:
        pages = ("", "/identities", "/merges", "/consents")
        found += [page for page in pages if client.get(f"/api/customers/{customer}{page}").status_code != 404]
        if client.get(f"/api/customers/{customer}/timeline").json()["facts"]:
            found.append("/timeline")
    return found


@pytest.mark.parametrize("fault", ["", "the key stays", "who is erased is still found"])
def test_the_erased_are_unreadable_everywhere(
    fault: str,
    workplace: Workplace,
    key: str,
    engine: Engine,
    serve: Callable[[ASGIApp], AbstractContextManager[str]],
    web_of: Callable[..., ASGIApp],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With both faults planted, and without: the values by the vault, the person by what readers ask."""
    if fault == "the key stays":
        monkeypatch.setattr(privacy, "erase", lambda *_: None)
    if fault == "who is erased is still found":
        monkeypatch.setattr(profiles, "erase", privacy.erase)
    with serve(web_of(workplace)) as address, httpx.Client(base_url=address, timeout=30) as client:
        let_in(client, key)
        import_all(workplace, engine, tmp_path.parent / f"{tmp_path.name}-files")
        assert empty_inbox(workplace, seconds_max=60)
        customers = forget(workplace)
        assert len(customers) >= 1
        assert bool(readable(workplace)) == (fault == "the key stays")
        assert bool(known_to(client, customers)) == (fault == "who is erased is still found")
        if not fault:
            # Who comes again is somebody new.
            again = client.post("/api/customers", json={"identities": ORDER["customer"]})
            assert UUID(again.json()["customer_id"]) not in customers
    lake.update_lake(workplace)
    assert in_database(workplace.database) == {}
    assert in_files(workplace.settings.data_folder) == {}
