"""Products, customers, costs and events from files: again they change nothing, and what is left out has a reason."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from shuke import catalog, collect, profiles
from shuke.base.errors import BadInput
from shuke.collect.jobs import empty_inbox
from shuke.collect.service.imports import events as importing_events
from shuke.platform import Database, Engine, Workplace

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with database.read() as tx:
        return [tuple(row) for row in tx.execute(sa.text(sql))]


def reasons(imported: collect.Imported) -> list[tuple[str, str]]:
    (path,) = imported.rejects
    with path.open(encoding="utf-8-sig") as file:
        return [(row["Row"], row["Reason code"]) for row in csv.DictReader(file)]


# ---- Products

PRODUCTS = """商品编码,商品名称,类目,品牌,价格,成本价
tea,龙井,茶,Hu,199.00,80
cup,杯,,,50.5,
,无编号,,,1,
tea,龙井 2026,茶,Hu,209.00,80
pot,壶,器,Hu,-3,1
"""


@pytest.fixture
def bring_products(workplace: Workplace, tmp_path: Path) -> Callable[..., collect.Imported]:
    def _bring(text: str = PRODUCTS, **options: Any) -> collect.Imported:
        path = tmp_path / "products.csv"
        path.write_text(text, encoding="utf-8")
        said = {"currency": "CNY", "rejects_folder": tmp_path / "rejected", **options}
        return collect.import_products(workplace, [str(path)], work_folder=tmp_path, now=lambda: NOW, **said)

    return _bring


def test_products_go_into_the_catalogue(bring_products: Callable[..., collect.Imported], workplace: Workplace) -> None:
    imported = bring_products()
    assert imported.counts == {"products.created": 2, "products.updated": 0, "products.unchanged": 0}
    assert reasons(imported) == [("3", "bad_product_number"), ("5", "bad_row")]
    with workplace.database.read() as tx:
        cup, tea = catalog.list_products(tx).items
    assert (cup.product_id, cup.name, cup.price_minor, cup.cost_minor, cup.currency) == ("cup", "杯", 5050, None, "CNY")
    # Of two rows of one product the last counts.
    assert (tea.name, tea.price_minor, tea.cost_minor) == ("龙井 2026", 20_900, 8_000)


def test_products_again_change_nothing_and_leave_what_they_do_not_name(
    bring_products: Callable[..., collect.Imported], workplace: Workplace
) -> None:
    bring_products()
    before = rows(workplace.database, "SELECT *, xmin::text FROM products ORDER BY 1")
    assert bring_products().counts["products.unchanged"] == 2
    assert rows(workplace.database, "SELECT *, xmin::text FROM products ORDER BY 1") == before
    assert bring_products("sku,类目\ntea,绿茶\n", currency=None).counts["products.updated"] == 1
    assert rows(workplace.database, "SELECT category, name, price_minor FROM products WHERE product_id = 'tea'") == [
        ("绿茶", "龙井 2026", 20_900)
    ]
    assert bring_products("sku,类目\nnew,x\n", dry_run=True).counts["products.created"] == 1
    assert rows(workplace.database, "SELECT count(*) FROM products") == [(2,)]
    with pytest.raises(BadInput) as refused:
        bring_products("sku,price\ntea,3\n", currency=None)
    assert refused.value.code == "collect.currency_needed"


# ---- Customers

CUSTOMERS = """会员号,手机号,邮箱,姓名,城市,性别,生日,备注
A1,13800000001,a@example.com,王小明,杭州,男,1990-02-03,老客
A2,,b@example.com,李雷,上海,女,1991/12/31,
,,,无名,北京,男,,
A3,13800000003,,韩梅梅,广州,火星,1992-01-01,
"""


@pytest.fixture
def bring_customers(workplace: Workplace, tmp_path: Path) -> Callable[..., collect.Imported]:
    def _bring(text: str = CUSTOMERS, **options: Any) -> collect.Imported:
        path = tmp_path / "customers.csv"
        path.write_text(text, encoding="utf-8")
        said = {"rejects_folder": tmp_path / "rejected", **options}
        return collect.import_customers(workplace, [str(path)], work_folder=tmp_path, now=lambda: NOW, **said)

    return _bring


def test_customers_are_known_by_all_their_identities(
    bring_customers: Callable[..., collect.Imported], workplace: Workplace
) -> None:
    imported = bring_customers()
    assert imported.counts == {"customers.rows": 3}
    assert reasons(imported) == [("3", "no_identity"), ("4", "bad_attribute")]
    with workplace.database.read() as tx:
        known = {
            profiles.find(tx, workplace.keyring, kind, value)
            for kind, value in (("phone", "+8613800000001"), ("member_number", "A1"), ("email", "A@example.com"))
        }
        attributes = (
            tx.execute(sa.text("SELECT attributes FROM customers ORDER BY attributes->>'city'")).scalars().all()
        )
        open_text = repr([tx.execute(sa.text(f"SELECT * FROM {name}")).all() for name in ("customers", "identities")])  # noqa: S608
    assert len(known) == 1
    assert None not in known
    assert attributes == [
        {"city": "上海", "gender": "female"},
        {"city": "广州"},
        {"city": "杭州", "gender": "male"},
    ]
    for personal in ("王小明", "1380000", "example.com", "1990-02-03", "老客"):
        assert personal not in open_text


def test_customers_again_change_nothing(bring_customers: Callable[..., collect.Imported], workplace: Workplace) -> None:
    bring_customers()
    tables = ("customers", "identities", "vault", "merges")
    sql = [f"SELECT *, xmin::text FROM {table} ORDER BY 1, 2" for table in tables]  # noqa: S608 - names are ours
    before = [rows(workplace.database, one) for one in sql]
    assert bring_customers().counts == {"customers.rows": 3}
    assert [rows(workplace.database, one) for one in sql] == before
    assert bring_customers("member_number,city\nA9,深圳\n", dry_run=True).counts == {"customers.rows": 1}
    assert rows(workplace.database, "SELECT count(*) FROM customers") == [(3,)]
    bring_customers("卡,city\nA1,深圳\n", mapping={"member_number": "卡"})
    assert rows(workplace.database, "SELECT count(*) FROM customers WHERE attributes->>'city' = '深圳'") == [(1,)]
    with pytest.raises(BadInput) as refused:
        bring_customers("city,年龄\n杭州,3\n")
    assert refused.value.code == "collect.no_identity_column"


# ---- Costs


def test_costs_are_kept_by_channel_and_month(workplace: Workplace, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"

    def bring(text: str, **options: Any) -> dict[str, int]:
        path.write_text(text, encoding="utf-8")
        said = {"currency": "CNY", **options}
        return dict(collect.import_costs(workplace, [str(path)], engine=engine, now=lambda: NOW, **said).counts)

    text = "渠道,月份,花费\n抖音,2026-01,1000.50\n抖音,2026-02,900\n微信,2026-01,10\n"
    assert bring(text, dry_run=True)["costs.created"] == 3
    assert rows(workplace.database, "SELECT * FROM costs") == []
    assert bring(text) == {"costs.created": 3, "costs.updated": 0, "costs.unchanged": 0}
    before = rows(workplace.database, "SELECT *, xmin::text FROM costs ORDER BY 1, 2")
    assert bring(text) == {"costs.created": 0, "costs.updated": 0, "costs.unchanged": 3}
    assert rows(workplace.database, "SELECT *, xmin::text FROM costs ORDER BY 1, 2") == before
    assert bring(text.replace("900", "901")) == {"costs.created": 0, "costs.updated": 1, "costs.unchanged": 2}
    assert rows(workplace.database, "SELECT channel, period, currency, spend_minor FROM costs ORDER BY 1, 2") == [
        ("微信", date(2026, 1, 1), "CNY", 1_000),
        ("抖音", date(2026, 1, 1), "CNY", 100_050),
        ("抖音", date(2026, 2, 1), "CNY", 90_100),
    ]


# ---- Events

EVENTS = "\n".join(
    [
        json.dumps({"type": "track", "event": "Product Viewed", "userId": "u1", "timestamp": "2026-11-01T08:00:00Z"}),
        json.dumps({"type": "track", "event": "Product Viewed", "userId": "u1", "timestamp": "2026-11-01T08:00:00Z"}),
        json.dumps(
            {"type": "page", "name": "Home", "anonymousId": "x", "messageId": "m1", "timestamp": "2026-11-01T09:00:00Z"}
        ),
        "no event",
        "",
        json.dumps({"type": "track", "event": "Late", "userId": "u2", "timestamp": "2026-11-02T09:00:00Z"}),
    ]
)


def bring_events(
    workplace: Workplace, folder: Path, text: str = EVENTS, *, name: str = "events.jsonl", **options: Any
) -> collect.Imported:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    imported = collect.import_events(
        workplace,
        [str(path)],
        source="web",
        now=lambda: NOW,
        wake=lambda _: None,
        work_folder=folder,
        rejects_folder=folder / "rejected",
        **options,
    )
    empty_inbox(workplace, seconds_max=60)
    return imported


def check_events_count_once(workplace: Workplace, folder: Path) -> None:
    imported = bring_events(workplace, folder)
    assert imported.counts == {"events.rows": 4}
    assert reasons(imported) == [("4", "no_event")]
    sql = "SELECT fact_id, kind, name, xmin::text FROM facts ORDER BY 1"
    before = rows(workplace.database, sql)
    # Two lines that say the same are two facts.
    assert len(before) == 4
    bring_events(workplace, folder)
    assert rows(workplace.database, sql) == before


def test_events_of_a_file_count_once(workplace: Workplace, tmp_path: Path) -> None:
    check_events_count_once(workplace, tmp_path)


def test_events_with_a_new_id_each_time_would_be_noticed(
    workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(range(1000))
    right = importing_events._with_id
    monkeypatch.setattr(importing_events, "_with_id", lambda line, _: right(line, next(numbers)))
    with pytest.raises(AssertionError):
        check_events_count_once(workplace, tmp_path)


TABLE = """事件,时间,手机号,访客ID,price,product_id,page,products
Product Viewed,2026-11-01 08:00:00,13800138000,v1,12.50,00123,Home,
Product Viewed,2026-11-01 08:00:00,13800138000,v1,12.50,00123,Home,
Cart Viewed,2026-11-02 09:30:00,,v2,,,,"[{""product_id"": ""7""}]"
,2026-11-02 10:00:00,13800138000,,,,,
Cart Viewed,yesterday,13800138000,,,,,
"""


def check_a_table_of_events(workplace: Workplace, folder: Path) -> None:
    bring_events(workplace, folder, TABLE, name="table.csv", timezone="Asia/Shanghai")
    sql = "SELECT fact_id, kind, name, occurred_at, properties FROM facts ORDER BY occurred_at, kind, fact_id"
    before = rows(workplace.database, sql)
    viewed = ("track", "Product Viewed", datetime(2026, 11, 1, tzinfo=UTC))
    properties = {"price": 12.5, "product_id": "00123", "page": "Home"}
    assert [row[1:4] for row in before] == [
        viewed,
        viewed,
        ("track", "Cart Viewed", datetime(2026, 11, 2, 1, 30, tzinfo=UTC)),
        ("identify", "", datetime(2026, 11, 2, 2, tzinfo=UTC)),
    ]
    assert [row[4] for row in before] == [properties, properties, {"products": [{"product_id": "7"}]}, {}]
    assert rows(workplace.database, "SELECT reason FROM rejects") == [("bad_time",)]
    people = "SELECT customer_id, array_agg(kind ORDER BY kind) FROM identities GROUP BY 1 ORDER BY 2"
    assert [kinds for _, kinds in rows(workplace.database, people)] == [["anonymous_id"], ["anonymous_id", "phone"]]
    bring_events(workplace, folder, TABLE, name="table.csv", timezone="Asia/Shanghai")
    assert rows(workplace.database, sql) == before


def test_a_table_of_events_is_read_by_its_columns(workplace: Workplace, tmp_path: Path) -> None:
    check_a_table_of_events(workplace, tmp_path)


def test_a_table_read_on_another_clock_would_be_noticed(
    workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing_events, "known_timezone", lambda _: ZoneInfo("UTC"))
    with pytest.raises(AssertionError):
        check_a_table_of_events(workplace, tmp_path)


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("event,phone\nx,13800138000\n", {}, "collect.missing_event_time"),
        ("event,time,colour\nx,2026-11-01,red\n", {}, "collect.no_identity_column"),
        ("event,time,phone\nx,2026-11-01,13800138000\n", {"timezone": "Mars/Base"}, "base.unknown_timezone"),
    ],
)
def test_a_table_without_time_or_person_is_refused(
    workplace: Workplace, tmp_path: Path, text: str, options: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadInput) as error:
        bring_events(workplace, tmp_path, text, name="table.csv", **options)
    assert error.value.code == code
