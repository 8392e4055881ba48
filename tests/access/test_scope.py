"""Readers who may see some customers only: PostgreSQL itself shows them theirs, whatever a query asks for."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa

from shuke import access, catalog, collect, profiles
from shuke.access.rules.permissions import DIVIDED
from shuke.access.service import scope
from shuke.app.web import build_web
from shuke.base.errors import NotAvailable
from shuke.base.ids import new_id
from shuke.base.language import Language, explain
from shuke.collect.service.timeline import timeline
from shuke.platform import Database, Transaction, Workplace, migrate

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
Readers = Callable[..., access.Reader]

# By what the customer of each store is known.
IDS = {"s1": ("user_id", "u-s1"), "s2": ("email", "han@example.com")}

# What holds something of a customer says so by the name of a column.
_HOLDS = ("customer_id", "identity_id", "person_id", "child_id", "winner", "merged_into")


class Brand:
    """Two stores of two regions, with a customer each, who have an order, a tag, a name and a consent."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        self.customers: dict[str, UUID] = {}
        with place.database.begin() as tx:
            stores = [catalog.Store(store_id="s1", region="east"), catalog.Store(store_id="s2", region="west")]
            catalog.save_stores(tx, stores, now=NOW)
            source = collect.ensure_source(tx, "shop", now=NOW)
            for store in ("s1", "s2"):
                order = collect.Order(
                    source_id=source,
                    order_id=f"o-{store}",
                    ids=(IDS[store],),
                    ordered_at=NOW,
                    amount_minor=100,
                    currency="CNY",
                    store=store,
                    lines=(collect.OrderLine("tea", "龙井", None, None, Decimal(1), 100, None),),
                )
                collect.save_orders(tx, place.keyring, [order], NOW)
                found = profiles.find(tx, place.keyring, *IDS[store])
                assert found is not None
                self.customers[store] = found
                profiles.set_attributes(tx, place.keyring, [(found, {"name": "王小明", "city": "杭州"})], NOW)
                profiles.add_tags(tx, [profiles.NewTag(found, "VIP", "wecom")], NOW)
                refund = collect.Refund(
                    source_id=source,
                    refund_id=f"r-{store}",
                    order_id=f"o-{store}",
                    refunded_at=NOW,
                    amount_minor=1,
                    currency="CNY",
                )
                collect.save_refunds(tx, place.keyring, [refund], NOW)


@pytest.fixture
def brand(workplace: Workplace) -> Brand:
    return Brand(workplace)


def limited(tx: Transaction) -> set[str]:
    """Every table that names a customer."""
    return set(
        tx.scalars(
            sa.text(
                """
                SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                    AND a.attname = ANY(:holds)
                """
            ),
            {"holds": list(_HOLDS)},
        )
    )


def unguarded(tx: Transaction) -> set[str]:
    """The tables that name a customer and lack a policy for one of the two scopes."""
    with_policies = tx.execute(
        sa.text(
            """
            SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
            WHERE c.relrowsecurity GROUP BY c.relname
            HAVING array_agg(p.polname ORDER BY p.polname) = '{by_owner,by_store}'
            """
        )
    )
    return limited(tx) - {row.relname for row in with_policies}


def test_every_table_that_names_a_customer_is_limited(database: Database) -> None:
    with database.begin() as tx:
        assert {"customers", "identities", "facts", "orders", "vault", "consent_events"} <= limited(tx)
        assert unguarded(tx) == set()
        # A table that somebody forgets is seen.
        tx.execute(sa.text("CREATE TABLE planted (customer_id uuid)"))
        assert unguarded(tx) == {"planted"}
        tx.execute(sa.text("SELECT limit_to_customers('planted', 'customer_id')"))
        assert unguarded(tx) == set()


SEEN = {
    "everybody": (("owner", ()), {"s1", "s2"}),
    "a store": (("store_associate", ("s1",)), {"s1"}),
    "two stores": (("store_associate", ("s1", "s2")), {"s1", "s2"}),
    "a store that is not there": (("store_associate", ("s3",)), set()),
}


def seen(tx: Transaction, reader: access.Reader) -> dict[str, int]:
    """How many rows of each table the reader sees; -1 of what they may not even ask for."""
    found = {}
    tables = sorted(limited(tx) | {"order_lines", "refunds"})
    scope.enter(tx, reader)
    for table in tables:
        found[table] = tx.scalar(sa.text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - names of our own
    scope.leave(tx)
    return found


@pytest.mark.parametrize("case", SEEN)
def test_each_reader_sees_their_customers(case: str, brand: Brand, reader: Readers) -> None:
    (role, places), stores = SEEN[case]
    with brand.place.database.begin() as tx:
        everything = seen(tx, reader("owner"))
        found = seen(tx, reader(role, *places))
    for table in ("customers", "identities", "orders", "order_lines", "refunds", "tags", "vault", "person_keys"):
        assert everything[table] == 2 * (everything[table] // 2) > 0, table
        assert found[table] == everything[table] * len(stores) // 2, table
    # An order and a refund each.
    assert found["facts"] == 2 * len(stores)


def test_regions_are_those_of_the_stores(brand: Brand, reader: Readers) -> None:
    east = reader("store_associate", "east", where=access.Where.REGION)
    with brand.place.database.begin() as tx:
        assert seen(tx, east)["customers"] == 1
        catalog.save_stores(tx, [catalog.Store(store_id="s2", region="east")], now=NOW)
        assert seen(tx, east)["customers"] == 2


def test_own_customers_are_those_that_one_looks_after(brand: Brand, reader: Readers) -> None:
    me, other = new_id(), new_id()
    mine = reader("store_associate", where=access.Where.OWN, acts_for=me)
    with brand.place.database.begin() as tx:
        assert seen(tx, mine)["customers"] == 0
        profiles.give_to(tx, brand.customers["s2"], me, NOW)
        profiles.give_to(tx, brand.customers["s2"], other, NOW)
        assert {table: rows for table, rows in seen(tx, mine).items() if table in ("customers", "orders", "facts")} == {
            "customers": 1,
            "orders": 1,
            "facts": 2,
        }
        assert seen(tx, mine)["customer_owners"] == 1
        profiles.take_from(tx, brand.customers["s2"], me)
        assert seen(tx, mine)["customers"] == 0


def test_a_merge_and_its_undoing_carry_whose_a_customer_is(brand: Brand, reader: Readers) -> None:
    associate = reader("store_associate", "s2")
    with brand.place.database.begin() as tx:
        before = seen(tx, associate)
        merge = profiles.merge(tx, brand.customers["s1"], brand.customers["s2"], {"by": "t", "why": "same"}, NOW)
        both = seen(tx, associate)
        assert (both["customers"], both["identities"], both["orders"], both["tags"]) == (2, 2, 2, 2)
        profiles.unmerge(tx, merge.merge_id, NOW)
        assert seen(tx, associate) == {**before, "merges": 0}


def test_nothing_is_seen_past_the_scope(brand: Brand, reader: Readers) -> None:
    """What a query could try: other tables, the views that policies rest on, and to become somebody else."""
    associate = reader("store_associate", "s1")
    for forbidden in (
        "SELECT * FROM api_keys",
        "SELECT * FROM audit_log",
        "SELECT * FROM inbox",
        "SELECT key_hash FROM sources",
        "DELETE FROM customers",
        "INSERT INTO audit_log (seq) VALUES (1)",
        "TRUNCATE facts",
    ):
        with brand.place.database.begin() as tx:
            scope.enter(tx, associate)
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                tx.execute(sa.text(forbidden))
    with brand.place.database.begin() as tx:
        scope.enter(tx, associate)
        changed = tx.execute(sa.text("UPDATE customers SET attributes = '{}'"))
        assert changed.rowcount == 1
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
            tx.execute(
                sa.text("INSERT INTO tags (customer_id, tag, source, added_at) VALUES (:other, 'x', 'x', now())"),
                {"other": brand.customers["s2"]},
            )
    # Nothing of it stays with the connection.
    with brand.place.database.begin() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM customers")) == 2
        assert tx.scalar(sa.text("SELECT current_user = session_user"))


# What to send to each route of a customer that has a scope to keep to; one that is not here fails the test.
_HERE = "/api/customers/{customer_id}"
SENT: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", _HERE + ":uuid"): {},
    ("PATCH", _HERE + ":uuid"): {"json": {"attributes": {"city": "上海"}}},
    ("GET", _HERE + "/identities"): {},
    ("POST", _HERE + "/identities"): {"json": {"kind": "phone", "value": "13812345678"}},
    ("GET", _HERE + "/merges"): {},
    ("POST", _HERE + "/tags"): {"json": {"tag": "A", "source": "wecom"}},
    ("DELETE", _HERE + "/tags/{tag}"): {},
    ("GET", _HERE + "/consents"): {},
    ("GET", _HERE + "/timeline"): {},
    ("GET", _HERE + "/orders"): {},
    ("POST", _HERE + "/reveal"): {"json": {"fields": ["other"], "why": "test"}},
}


# What a page of somebody is who is not there.
NOTHING = ({"facts": [], "next": None}, {"orders": [], "next": None})


@pytest.fixture
def associate(workplace: Workplace, key_for: Callable[..., str]) -> str:
    """A key of somebody who may do all that a scope divides, at one store."""
    return key_for(workplace, "service_agent", where=access.Where.STORE, places=["s1"])


def reached(ask: Any, brand: Brand, key: str, store: str) -> set[tuple[str, str]]:
    """By which routes a key gets at the customer of a store, of all that name one."""
    found = set()
    for (method, pattern), needed in access.declare_permissions(build_web(brand.place).router.routes).items():
        if "{customer_id" not in pattern or needed not in DIVIDED:
            continue
        place = pattern.replace("{customer_id:uuid}", "{customer_id}")
        route = (method, place if place == pattern else f"{place}:uuid")
        path = place.replace("{customer_id}", str(brand.customers[store])).replace("{tag}", "VIP")
        answer = ask(method, path, key=key, **SENT[route])
        # Their phone number may be somebody's by now, which only one who sees both is told.
        assert answer.status_code in (200, 404, 409), answer.text
        if answer.status_code != 404 and answer.json() not in NOTHING:
            found.add(route)
    asked = dict(zip(("kind", "value"), IDS[store], strict=True))
    if ask("POST", "/api/customers/find", key=key, json=asked).status_code != 404:
        found.add(("POST", "find"))
    return found


def test_over_http_others_customers_are_not_there(
    ask: Any, brand: Brand, associate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reached(ask, brand, associate, "s1") == {*SENT, ("POST", "find")}
    assert reached(ask, brand, associate, "s2") == set()
    with brand.place.database.read() as tx:
        tags = tx.execute(sa.text("SELECT tag FROM tags WHERE customer_id = :c"), {"c": brand.customers["s2"]})
        assert tags.scalars().all() == ["VIP"]
    # A guard that enters no scope is seen.
    monkeypatch.setattr(scope, "enter", lambda *_: None)
    assert reached(ask, brand, associate, "s2") == {*SENT, ("POST", "find")}


def test_who_is_new_becomes_the_store_s_and_who_is_another_s_stays(ask: Any, brand: Brand, associate: str) -> None:
    def post(*ids: tuple[str, str], key: str = associate, **more: Any) -> Any:
        body = {"identities": [{"kind": kind, "value": value} for kind, value in ids], **more}
        return ask("POST", "/api/customers", key=key, json=body)

    new = post(("phone", "13812345678"), attributes={"name": "李雷"})
    assert new.status_code == 200, new.text
    customer = new.json()["customer_id"]
    assert ask("GET", f"/api/customers/{customer}", key=associate).json()["attributes"] == {"name": "李雷"}
    assert post(("phone", "13812345678")).json()["customer_id"] == customer
    theirs = post(IDS["s2"])
    assert (theirs.status_code, theirs.json()["code"]) == (409, "profiles.not_yours")
    # Nor does one of theirs come along by being named beside one of mine.
    assert post(("phone", "13812345678"), IDS["s2"]).status_code == 409
    with brand.place.database.read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM merges")) == 0


def test_who_has_several_stores_says_which(ask: Any, brand: Brand, workplace: Workplace, key_for: Any) -> None:
    assert brand.customers
    both = key_for(workplace, "store_associate", places=["s1", "s2"])
    body = {"identities": [{"kind": "phone", "value": "13812345678"}]}
    assert ask("POST", "/api/customers", key=both, json=body).json()["code"] == "profiles.which_store"
    assert ask("POST", "/api/customers", key=both, json={**body, "store": "s3"}).status_code == 422
    assert ask("POST", "/api/customers", key=both, json={**body, "store": "s2"}).status_code == 200
    with workplace.database.read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM customers")) == 3


def test_a_scope_is_not_for_what_knows_none(ask: Any, workplace: Workplace, key_for: Any) -> None:
    owner = key_for(workplace, "owner")
    fields = {"name": "clear", "phone": "masked", "email": "masked", "other": "hidden"}
    body = {"name": "regional", "permissions": ["reports.read"], "where": "region", "fields": fields}
    refused = ask("POST", "/api/roles", key=owner, json=body)
    assert refused.json()["code"] == "access.not_for_some"
    assert "reports.read" in refused.json()["detail"]
    key = ask("POST", "/api/keys", key=owner, json={"name": "k", "where": "region", "places": ["east"]})
    assert key.json()["code"] == "access.not_for_some"


@pytest.fixture(scope="module")
def large(new_database: Callable[[], str]) -> Iterator[Database]:
    """Twenty thousand customers of two hundred stores, with three facts each."""
    with Database(new_database()) as database:
        with database.begin() as tx:
            collect.make_months(tx, {NOW, NOW - timedelta(days=40)})
            statements = """
                INSERT INTO customers (customer_id, created_at, updated_at)
                SELECT CAST(md5(n || '') AS uuid), now(), now() FROM generate_series(1, 20000) n;
                INSERT INTO identities (kind, lookup, customer_id, attached_to, first_seen_at, last_seen_at)
                SELECT 'user_id', uuid_send(customer_id), customer_id, customer_id, now(), now() FROM customers;
                INSERT INTO identity_stores SELECT identity_id, 's' || identity_id % 200 FROM identities;
                INSERT INTO facts (fact_id, occurred_at, received_at, identity_id, kind)
                SELECT gen_random_uuid(), :now - n * interval '13 days', now(), identity_id, 'track'
                FROM identities, generate_series(0, 2) n
            """
            for statement in statements.split(";"):
                tx.execute(sa.text(statement), {"now": NOW} if ":now" in statement else {})
            tx.execute(sa.text("ANALYZE"))
        yield database


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def test_policies_use_the_indexes(large: Database, reader: Readers) -> None:
    associate = reader("store_associate", "s7")
    told: list[str] = []
    with large.begin() as tx:
        mine = tx.scalar(sa.text("SELECT customer_id FROM customer_places WHERE store = 's7' LIMIT 1"))

        @sa.event.listens_for(tx, "before_cursor_execute", retval=True)
        def explained(_c: Any, cursor: Any, statement: str, parameters: Any, _x: Any, _m: Any) -> tuple[str, Any]:
            if "FROM facts" in statement or "FROM customers" in statement:
                cursor.execute("EXPLAIN (FORMAT JSON) " + statement, parameters)
                told.append(json.dumps(cursor.fetchone()[0]))
            return statement, parameters

        scope.enter(tx, associate)
        assert len(timeline(tx, mine).facts) == 3
        assert timeline(tx, uuid4()).facts == ()
    assert len(told) >= 2
    for text in told:
        plan = json.loads(text)[0]["Plan"]
        scanned = {one.get("Relation Name", "") for one in nodes(plan) if one["Node Type"] == "Seq Scan"}
        assert not any(name.startswith(("facts", "customers", "identities", "identity_stores")) for name in scanned), (
            text
        )


def test_a_reader_of_everybody_pays_nothing(large: Database, reader: Readers) -> None:
    query = "EXPLAIN SELECT * FROM facts WHERE identity_id = 5 ORDER BY occurred_at DESC LIMIT 10"
    with large.begin() as tx:
        scope.enter(tx, reader("owner"))
        plan = "\n".join(tx.scalars(sa.text(query)))
    assert "identity_stores" not in plan
    assert "SubPlan" not in plan


def test_without_the_right_to_make_roles_the_statements_are_told(postgres: Any) -> None:
    """On a server whose scopes nobody has made: as an ordinary account, which owns its database."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute("CREATE DATABASE plain OWNER plain")
    url = sa.make_url(postgres.url).update_query_dict({"user": "plain"}).set(database="plain")
    with Database(url.render_as_string(hide_password=False), connections=1) as database:
        with pytest.raises(NotAvailable, match=r"access\.no_scopes") as refused:
            migrate(database)
        told = explain(refused.value, Language.ENGLISH)
        grant = told[told.index("GRANT") :].rstrip(";")
        assert grant == "GRANT shuke_by_store, shuke_by_owner TO plain"
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(grant)  # type: ignore[arg-type]
        migrate(database)
