"""What was imported says the same as the files did, with the customer that each identity belongs to now."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from shuke import collect
from shuke.base.errors import BadInput
from shuke.collect import Order, OrderLine, OrderStatus, Refund
from shuke.platform import Engine, Workplace

NOW = datetime(2026, 7, 1, tzinfo=UTC)
AT = datetime(2026, 3, 5, 20, 30, tzinfo=UTC)


def order(number: str, **values: Any) -> Order:
    customer = values.pop("customer", "m1")
    ids = () if customer is None else (("member_number", customer),)
    given = {"source_id": 1, "order_id": number, "ordered_at": AT, "amount_minor": 10_000, "currency": "CNY"}
    return Order(ids=ids, **{**given, **values})


def line(product: str, minor: int, cost: int | None = None) -> OrderLine:
    return OrderLine(product, product.upper(), None, None, Decimal(2), minor, cost)


@pytest.fixture
def shop(workplace: Workplace) -> Workplace:
    """One order of every kind, and refunds of a known order, of an unknown one, and of nobody."""
    with workplace.database.begin() as tx:
        assert collect.ensure_source(tx, "shop", now=NOW) == 1
        collect.save_orders(
            tx,
            workplace.keyring,
            [
                order("a", lines=(line("tea", 6_000, 2_000), line("pot", 4_000))),
                order("b", customer="m2", amount_minor=5_050, channel="web"),
                order("c", status=OrderStatus.CANCELLED),
                order("d", status=OrderStatus.PENDING),
                order("e", currency="USD"),
                order("f", customer=None),
                order("g", amount_minor=0),
                order("h", customer="m3", ordered_at=datetime(2026, 5, 1, tzinfo=UTC)),
            ],
            NOW,
        )
        given = {"source_id": 1, "refunded_at": AT, "currency": "CNY"}
        collect.save_refunds(
            tx,
            workplace.keyring,
            [
                Refund(refund_id="r1", order_id="a", line=2, amount_minor=4_000, **given),
                Refund(refund_id="r2", order_id="?", amount_minor=50, ids=(("member_number", "m2"),), **given),
                Refund(refund_id="r3", order_id="?", amount_minor=70, **given),
            ],
            NOW,
        )
    collect.update_lake(workplace)
    return workplace


def test_every_order_and_refund_is_in_one_count(shop: Workplace, engine: Engine) -> None:
    before = datetime(2026, 4, 1)  # noqa: DTZ001 - the brand's own time
    stored = collect.read_stored(collect.lake_of(shop), engine=engine, as_of=before)
    assert stored.quality.reconciles
    assert {count.code: (count.rows, float(count.amount)) for count in stored.quality.counts} == {
        "sale": (2, 150.5),
        "after_as_of": (1, 100.0),
        "other_currency": (1, 100.0),
        "cancelled_order": (1, 100.0),
        "unpaid_order": (1, 100.0),
        "no_customer": (2, 99.3),
        "zero_price": (1, 0.0),
        "return_line": (2, -40.5),
    }
    assert [(file.name, file.rows, file.kind) for file in stored.quality.files] == [
        ("PostgreSQL: orders", 8, "database"),
        ("PostgreSQL: refunds", 3, "database"),
    ]
    assert [note.code for note in stored.quality.notes] == ["from_database"]
    assert stored.sources == ()


def test_money_products_and_owners_are_the_stored_ones(shop: Workplace, engine: Engine) -> None:
    tables = collect.read_stored(collect.lake_of(shop), engine=engine).tables
    orders = {row["order_id"]: row for row in tables.orders.to_pyarrow().to_pylist()}
    assert {key: row["amount"] for key, row in orders.items()} == {"a": 100.0, "b": 50.5, "h": 100.0}
    assert (orders["a"]["units"], orders["a"]["cost"], orders["b"]["channel"]) == (4.0, 20.0, "web")
    assert tables.refunds is not None
    refunds = {row["amount"]: row for row in tables.refunds.to_pyarrow().to_pylist()}
    assert (refunds[40.0]["customer_id"], refunds[40.0]["product_id"]) == (orders["a"]["customer_id"], "pot")
    assert (refunds[0.5]["customer_id"], refunds[0.5]["product_id"]) == (orders["b"]["customer_id"], None)
    assert tables.order_lines is not None
    names = {row["product_id"]: row["product_name"] for row in tables.order_lines.to_pyarrow().to_pylist()}
    assert names == {"tea": "TEA", "pot": "POT"}


def test_a_merge_is_seen_by_the_next_copy(shop: Workplace, engine: Engine) -> None:
    with shop.database.begin() as tx:
        tx.execute(sa.text("UPDATE identities SET customer_id = (SELECT min(customer_id::text)::uuid FROM customers)"))
    collect.update_lake(shop)
    tables = collect.read_stored(collect.lake_of(shop), engine=engine).tables
    assert tables.orders.customer_id.nunique().to_pyarrow().as_py() == 1


def test_moments_are_those_of_the_brand(shop: Workplace, engine: Engine) -> None:
    stored = collect.read_stored(collect.lake_of(shop), engine=engine, timezone="Asia/Shanghai")
    assert stored.first_at == datetime(2026, 3, 6, 4, 30)  # noqa: DTZ001 - likewise
    with pytest.raises(BadInput) as caught:
        collect.read_stored(collect.lake_of(shop), engine=engine, timezone="Mars/Phobos")
    assert caught.value.code == "base.unknown_timezone"


def test_the_currency_is_that_of_most_orders_or_the_one_asked_for(shop: Workplace, engine: Engine) -> None:
    lake = collect.lake_of(shop)
    assert collect.read_stored(lake, engine=engine).currency == "CNY"
    dollars = collect.read_stored(lake, engine=engine, currency="usd")
    assert (dollars.currency, dollars.quality.count("sale").rows) == ("USD", 1)
    with pytest.raises(BadInput) as caught:
        collect.read_stored(lake, engine=engine, currency="EUR")
    assert caught.value.code == "collect.currency_absent"


def test_an_empty_database_says_so(workplace: Workplace, engine: Engine) -> None:
    collect.update_lake(workplace)
    with pytest.raises(BadInput) as caught:
        collect.read_stored(collect.lake_of(workplace), engine=engine)
    assert caught.value.code == "collect.nothing_stored"


@pytest.mark.spark
def test_spark_reads_the_same(shop: Workplace, engine: Engine, spark_engine: Engine) -> None:
    both = [
        collect.read_stored(collect.lake_of(shop), engine=one, timezone="Asia/Shanghai")
        for one in (engine, spark_engine)
    ]
    columns = ["customer_id", "order_id", "ordered_at", "amount"]
    one, other = (stored.tables.orders.select(columns).order_by("order_id").to_pyarrow().to_pylist() for stored in both)
    plain = [{**row, "ordered_at": row["ordered_at"].replace(tzinfo=None)} for row in other]
    assert one == plain
    assert both[0].quality == both[1].quality
