"""Orders and refunds: stated again they change nothing, late statements change nothing, each is one fact."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace as line_with

from shuke import profiles
from shuke.base.errors import BadInput
from shuke.collect import tables
from shuke.collect.model import Order, OrderLine, OrderStatus, Refund, Stated
from shuke.collect.service import orders as service
from shuke.collect.service.origins import ensure_source
from shuke.platform import Database, Keyring, Transaction

pytestmark = pytest.mark.oldest

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
THEN = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
TEA = OrderLine("tea-1", "龙井", "Tea", "Hu", Decimal(2), 39_800, 16_000)
CUP = OrderLine("cup", "杯", None, None, Decimal("1.5"), 10_200, None)
ALICE = (("member_number", "A1"),)


@pytest.fixture
def source(database: Database) -> int:
    with database.begin() as tx:
        return ensure_source(tx, "shop", now=NOW)


def order(source: int, number: str = "1001", **changed: Any) -> Order:
    plain = Order(
        source_id=source,
        order_id=number,
        ids=ALICE,
        ordered_at=THEN,
        amount_minor=50_000,
        currency="CNY",
        channel="mini",
        store="s1",
        region="浙江",
        lines=(TEA, CUP),
    )
    return replace(plain, **changed)


def refund(source: int, number: str = "r1", **changed: Any) -> Refund:
    plain = Refund(
        source_id=source,
        refund_id=number,
        order_id="1001",
        refunded_at=NOW - timedelta(days=2),
        amount_minor=10_200,
        currency="CNY",
        line=2,
    )
    return replace(plain, **changed)


KEPT = (tables.orders, tables.order_lines, tables.refunds, tables.facts)


def everything(database: Database) -> list[Any]:
    """All rows, and which transaction wrote each: so that a row that was written anew as it was is seen, too."""
    with database.read() as tx:
        return [
            tx.execute(sa.select(table, sa.literal_column("xmin::text")).order_by(sa.text("1, 2"))).all()
            for table in KEPT
        ]


def save(database: Database, keyring: Keyring, *orders: Order, at: datetime = NOW) -> Stated:
    with database.begin() as tx:
        return service.save_orders(tx, keyring, orders, at)


def test_an_order_is_kept_with_its_lines_and_is_a_fact(database: Database, keyring: Keyring, source: int) -> None:
    assert save(database, keyring, order(source)) == Stated(created=1)
    with database.read() as tx:
        (kept,) = tx.execute(sa.select(tables.orders)).mappings()
        lines = tx.execute(sa.select(tables.order_lines).order_by("line")).mappings().all()
        (fact,) = tx.execute(sa.select(tables.facts)).mappings()
        customer = profiles.find(tx, keyring, "member_number", "A1")
    assert customer is not None
    assert (kept["order_id"], kept["ordered_at"], kept["amount_minor"], kept["status"]) == (
        "1001",
        THEN,
        50_000,
        "completed",
    )
    assert [(line["line"], line["product_id"], line["quantity"], line["cost_minor"]) for line in lines] == [
        (1, "tea-1", 2, 16_000),
        (2, "cup", Decimal("1.5"), None),
    ]
    assert fact["identity_id"] == kept["identity_id"] is not None
    assert (fact["kind"], fact["name"], fact["occurred_at"], fact["received_at"]) == (
        "order",
        "Order Completed",
        THEN,
        NOW,
    )
    assert (fact["order_id"], fact["amount_minor"], fact["currency"]) == ("1001", 50_000, "CNY")
    assert fact["properties"] == {"lines": 2, "region": "浙江", "status": "completed"}


def check_again_changes_nothing(database: Database, keyring: Keyring, source: int) -> None:
    given = [order(source, str(number)) for number in range(3)]
    returned = [refund(source), refund(source, "r2", ids=ALICE)]
    save(database, keyring, *given)
    with database.begin() as tx:
        service.save_refunds(tx, keyring, returned, NOW)
    before = everything(database)
    for hours in (1, 2):
        assert save(database, keyring, *given, at=NOW + timedelta(hours=hours)) == Stated(unchanged=3)
        with database.begin() as tx:
            again = service.save_refunds(tx, keyring, returned, NOW + timedelta(hours=hours))
        assert again == Stated(unchanged=2)
    assert everything(database) == before
    assert [len(rows) for rows in before] == [3, 6, 2, 5]


def test_the_same_again_changes_nothing(database: Database, keyring: Keyring, source: int) -> None:
    check_again_changes_nothing(database, keyring, source)


FACT_EACH_TIME = (
    service._ORDER_FACTS.replace("md5('order/' || source_id || '/' || order_id)::uuid", "gen_random_uuid()")
    .replace("outcome = 'created'", "true")
    .replace(":now", "now()")
)
FAULTS = {
    "a fact for each time that an order is stated": ("_UPDATE_ORDERS", service._UPDATE_ORDERS, FACT_EACH_TIME),
    "every order written anew": ("_COMPARE_ORDERS", "ELSE 'unchanged'", "ELSE 'updated'"),
    "every refund written anew": ("_UPDATE_REFUNDS", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_statement_that_writes_twice_would_be_noticed(
    fault: str, database: Database, keyring: Keyring, source: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement, right, wrong = FAULTS[fault]
    faulty = getattr(service, statement).replace(right, wrong)
    assert faulty != getattr(service, statement)
    monkeypatch.setattr(service, statement, faulty)
    with pytest.raises(AssertionError):
        check_again_changes_nothing(database, keyring, source)


def test_what_changed_is_changed_and_the_fact_stays(database: Database, keyring: Keyring, source: int) -> None:
    save(database, keyring, order(source), order(source, "1002"))
    facts = everything(database)[3]
    dearer = line_with(TEA, amount_minor=40_000)
    changed = order(source, amount_minor=40_000, lines=(dearer,), status=OrderStatus.CANCELLED)
    later = NOW + timedelta(hours=1)
    assert save(database, keyring, changed, order(source, "1002"), at=later) == Stated(updated=1, unchanged=1)
    assert save(database, keyring, changed, at=later + timedelta(hours=1)) == Stated(unchanged=1)
    with database.read() as tx:
        kept = tx.execute(sa.select(tables.orders).where(tables.orders.c.order_id == "1001")).mappings().one()
        lines = tx.execute(
            sa.select(tables.order_lines.c.order_id, tables.order_lines.c.amount_minor).order_by("order_id", "line")
        ).all()
    assert (kept["amount_minor"], kept["status"], kept["cancelled_at"]) == (40_000, "cancelled", later)
    assert [tuple(line) for line in lines] == [("1001", 40_000), ("1002", 39_800), ("1002", 10_200)]
    assert everything(database)[3] == facts


def test_a_changed_line_alone_is_a_change(database: Database, keyring: Keyring, source: int) -> None:
    save(database, keyring, order(source))
    renamed = order(source, lines=(line_with(TEA, category="绿茶"), CUP))
    assert save(database, keyring, renamed) == Stated(updated=1)
    assert save(database, keyring, order(source, lines=None)) == Stated(unchanged=1)
    assert save(database, keyring, order(source, lines=())) == Stated(updated=1)
    assert everything(database)[1] == []


def test_an_order_without_a_customer_gets_one_and_keeps_it(database: Database, keyring: Keyring, source: int) -> None:
    assert save(database, keyring, order(source, ids=())) == Stated(created=1)
    assert save(database, keyring, order(source)) == Stated(updated=1)
    assert save(database, keyring, order(source, ids=(("member_number", "null"),))) == Stated(unchanged=1)
    with database.read() as tx:
        assert tx.execute(sa.select(tables.orders.c.identity_id)).scalar_one() is not None


def test_a_refund_belongs_to_the_customer_of_its_order(database: Database, keyring: Keyring, source: int) -> None:
    save(database, keyring, order(source))
    with database.begin() as tx:
        stated = service.save_refunds(tx, keyring, [refund(source), refund(source, "r9", order_id="unknown")], NOW)
    assert stated == Stated(created=2)
    with database.begin() as tx:
        assert service.save_refunds(tx, keyring, [refund(source, amount_minor=1)], NOW) == Stated(updated=1)
    with database.read() as tx:
        facts = tx.execute(
            sa.select(tables.facts.c.order_id, tables.facts.c.identity_id, tables.facts.c.amount_minor)
            .where(tables.facts.c.kind == "refund")
            .order_by("order_id")
        ).all()
        owner = tx.execute(sa.select(tables.orders.c.identity_id)).scalar_one()
    assert [tuple(fact) for fact in facts] == [("1001", owner, 10_200), ("unknown", None, 10_200)]


def statements(source: int) -> Iterator[Order]:
    """Five orders, each stated eight times in a row, some at the same moment."""
    for number in range(5):
        for at in range(8):
            yield order(
                source,
                str(number),
                amount_minor=number * 100 + at,
                lines=(line_with(TEA, amount_minor=at),) * (at % 3),
                status=OrderStatus.CANCELLED if at == 7 else OrderStatus.COMPLETED,
                stated_at=THEN + timedelta(minutes=at // 2),
            )


def state(tx: Transaction) -> list[Any]:
    order_columns = [column for column in tables.orders.columns if column.name != "identity_id"]
    return [
        tx.execute(sa.select(*order_columns).order_by("order_id")).all(),
        tx.execute(sa.select(tables.order_lines).order_by("order_id", "line")).all(),
    ]


def check_shuffled(database: Database, keyring: Keyring, source: int) -> None:
    in_order = list(statements(source))
    found = []
    for seed in range(4):
        sent = in_order + in_order[::3]
        if seed:
            random.Random(seed).shuffle(sent)  # noqa: S311 - the same on each run
        for one in sent:
            save(database, keyring, one)
        with database.begin() as tx:
            found.append(state(tx))
            tx.execute(sa.text("DELETE FROM orders"))
    assert all(other == found[0] for other in found)
    assert len(found[0][0]) == 5


def test_shuffled_and_repeated_statements_end_the_same(database: Database, keyring: Keyring, source: int) -> None:
    check_shuffled(database, keyring, source)


def test_the_last_that_comes_in_winning_would_be_noticed(
    database: Database, keyring: Keyring, source: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = service._COMPARE_ORDERS.replace("(i.stated_at, i.stated_by) < (o.stated_at, o.stated_by)", "false")
    assert wrong != service._COMPARE_ORDERS
    monkeypatch.setattr(service, "_COMPARE_ORDERS", wrong)
    with pytest.raises(AssertionError):
        check_shuffled(database, keyring, source)


@pytest.mark.parametrize(
    "changed",
    [
        {"order_id": ""},
        {"order_id": " 1"},
        {"order_id": "a\0b"},
        {"order_id": "someone@example.com"},
        {"order_id": "x" * 201},
        {"amount_minor": -1},
        {"amount_minor": 2**53 + 1},
        {"discount_minor": -1},
        {"currency": "QQQ"},
        {"ordered_at": datetime(1989, 12, 31, tzinfo=UTC)},
        {"ordered_at": datetime(9999, 12, 31, tzinfo=UTC)},
        {"stated_at": datetime(9999, 12, 31, tzinfo=UTC)},
        {"cancelled_at": THEN},
        {"channel": "a\0b"},
        {"region": "\ud800"},
        {"lines": (line_with(TEA, quantity=Decimal("NaN")),)},
        {"lines": (line_with(TEA, amount_minor=-1),)},
        {"lines": (line_with(TEA, product_name="x" * 501),)},
        {"lines": (TEA,) * 1001},
    ],
)
def test_what_cannot_be_kept_is_refused_whole(
    changed: dict[str, Any], database: Database, keyring: Keyring, source: int
) -> None:
    before = everything(database)
    with pytest.raises(BadInput):
        save(database, keyring, order(source, "good"), replace(order(source, "bad"), **changed))
    assert everything(database) == before


def test_one_order_twice_in_a_batch_is_refused(database: Database, keyring: Keyring, source: int) -> None:
    with pytest.raises(BadInput) as refused:
        save(database, keyring, order(source), order(source))
    assert refused.value.code == "collect.stated_twice"


def test_many_at_once_end_the_same(database: Database, keyring: Keyring, source: int) -> None:
    """Batches that overlap, from several senders at once: nobody is locked out, and the latest word counts."""
    everything_said = list(statements(source))

    def send(seed: int) -> None:
        # One statement of each order in a batch, in an order of its own.
        for turn in range(8):
            batch = [everything_said[number * 8 + (turn + seed) % 8] for number in range(5)]
            random.Random(seed * 100 + turn).shuffle(batch)  # noqa: S311 - the same on each run
            save(database, keyring, *batch)

    with ThreadPoolExecutor(6) as senders:
        list(senders.map(send, range(6)))
    with database.begin() as tx:
        at_once = state(tx)
        tx.execute(sa.text("DELETE FROM orders"))
    for one in everything_said:
        save(database, keyring, one)
    with database.read() as tx:
        assert state(tx) == at_once
        assert tx.execute(sa.text("SELECT count(*), count(DISTINCT order_id) FROM facts")).one() == (5, 5)
