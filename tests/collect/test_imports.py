"""Order files in the database: what the report says, once however often they are imported, whole however they end."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shuke import catalog, collect, profiles
from shuke.base.errors import BadInput
from shuke.collect.service import orders as stating
from shuke.collect.service.imports import ledger
from shuke.collect.service.imports import orders as importing
from shuke.platform import Database, Engine, Transaction, Workplace, driver

from .conftest import KEPT, check_no_half_order, everything, rows

Import = Callable[..., collect.Imported]

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
FILE = """订单号,会员手机号,下单时间,商品编码,商品名称,数量,单价,渠道,门店
A1,13800000001,2026-03-01 09:00:00,tea,龙井,2,199.00,小程序,西湖店
A1,13800000001,2026-03-01 09:00:00,cup,杯,1,50.50,小程序,西湖店
A2,13800000002,2026-03-31 23:30:00,tea,龙井,1,199.00,门店,西湖店
A3,13800000001,2026-04-02 10:00:00,pot,壶,1,300.00,小程序,
A3,13800000001,2026-04-02 10:00:00,cup,杯,-1,50.50,小程序,
A4,,2026-04-02 10:00:00,cup,杯,1,50.50,小程序,
"""


@pytest.fixture
def bring(workplace: Workplace, engine: Engine, tmp_path: Path) -> Import:
    """Imports what is in a text."""

    def _bring(text: str = FILE, *, read: dict[str, Any] | None = None, **options: Any) -> collect.Imported:
        path = tmp_path / "orders.csv"
        path.write_text(text, encoding="utf-8")
        said = {"currency": "CNY", "timezone": "Asia/Shanghai", "source": "shop", **options}
        collected = collect.read_orders(
            [str(path)], engine=engine, work_folder=tmp_path / "work", timezone="Asia/Shanghai", **(read or {})
        )
        return collect.import_orders(workplace, [str(path)], collected, engine=engine, now=lambda: NOW, **said)

    return _bring


def test_a_file_becomes_orders_customers_products_and_facts(bring: Import, workplace: Workplace) -> None:
    imported = bring()
    database = workplace.database
    assert imported.counts["orders.created"] == 3
    assert imported.counts["orders.amount_minor"] == 44_850 + 19_900 + 30_000
    assert imported.counts["refunds.amount_minor"] == 5_050
    assert rows(database, "SELECT order_id, ordered_at, amount_minor, channel, store FROM orders ORDER BY 1") == [
        ("A1", datetime(2026, 3, 1, 1, tzinfo=UTC), 44_850, "小程序", "西湖店"),
        ("A2", datetime(2026, 3, 31, 15, 30, tzinfo=UTC), 19_900, "门店", "西湖店"),
        ("A3", datetime(2026, 4, 2, 2, tzinfo=UTC), 30_000, "小程序", None),
    ]
    assert rows(
        database, "SELECT order_id, line, product_id, quantity, amount_minor FROM order_lines ORDER BY 1, 2"
    ) == [
        ("A1", 1, "cup", 1, 5_050),
        ("A1", 2, "tea", 2, 39_800),
        ("A2", 1, "tea", 1, 19_900),
        ("A3", 1, "pot", 1, 30_000),
    ]
    assert rows(database, "SELECT refund_id, order_id, amount_minor FROM refunds") == [("A3/cup/1", "A3", 5_050)]
    assert rows(database, "SELECT kind, count(*), count(identity_id) FROM facts GROUP BY 1 ORDER BY 1") == [
        ("order", 3, 3),
        ("refund", 1, 1),
    ]
    with database.read() as tx:
        # The column's name says that these are phones, so they are phones however they are written.
        first = profiles.find(tx, workplace.keyring, "phone", "+86 138-0000-0001")
        assert [item.name for item in catalog.list_products(tx).items] == ["杯", "壶", "龙井"]
        assert [item.store_id for item in catalog.list_stores(tx).items] == ["西湖店"]
        assert [item.channel for item in catalog.list_channels(tx).items] == ["小程序", "门店"]
    assert first is not None
    assert rows(database, "SELECT count(*) FROM customers") == [(2,)]


def check_again_changes_nothing(bring: Import, database: Database) -> None:
    bring()
    with database.read() as tx:
        before = everything(tx)
    for _ in range(2):
        again = bring()
        with database.read() as tx:
            assert everything(tx) == before
        assert {name: count for name, count in again.counts.items() if "created" in name or "updated" in name} == {
            f"{what}.{outcome}": 0 for what in ("orders", "refunds", "products") for outcome in ("created", "updated")
        }


def test_the_same_file_again_changes_nothing(bring: Import, workplace: Workplace) -> None:
    check_again_changes_nothing(bring, workplace.database)


def test_orders_under_new_numbers_each_time_would_be_noticed(
    bring: Import, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = importing._Loader._numbers
    times = iter(range(1000))

    def wrong(loader: Any, table: Any) -> Any:
        run = next(times) // 3
        return importing.pc.binary_join_element_wise(right(loader, table), str(run), "#")

    monkeypatch.setattr(importing._Loader, "_numbers", wrong)
    with pytest.raises(AssertionError):
        check_again_changes_nothing(bring, workplace.database)


def test_refunds_by_their_place_in_the_file_would_be_noticed(
    bring: Import, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = importing.measures.refunds_to_import
    times = iter(range(1000))

    def wrong(*given: Any, **options: Any) -> Any:
        table = right(*given, **options)
        return table.mutate(part=table.part + str(next(times)))

    monkeypatch.setattr(importing.measures, "refunds_to_import", wrong)
    with pytest.raises(AssertionError):
        check_again_changes_nothing(bring, workplace.database)


def test_what_changed_in_the_file_changes(bring: Import, workplace: Workplace) -> None:
    bring()
    changed = FILE.replace("tea,龙井,1,199.00", "tea,龙井,1,189.00").replace("pot,壶,1", "pan,锅,1")
    again = bring(changed)
    assert (again.counts["orders.updated"], again.counts["orders.unchanged"]) == (2, 1)
    assert rows(workplace.database, "SELECT amount_minor FROM orders WHERE order_id = 'A2'") == [(18_900,)]
    assert rows(workplace.database, "SELECT product_id FROM order_lines WHERE order_id = 'A3'") == [("pan",)]
    assert rows(workplace.database, "SELECT count(*) FROM facts") == [(4,)]


def test_a_dry_run_counts_and_leaves_nothing(bring: Import, workplace: Workplace) -> None:
    counted = bring(dry_run=True)
    with workplace.database.read() as tx:
        assert not any(everything(tx))
    assert rows(workplace.database, "SELECT * FROM imports") == []
    assert rows(workplace.database, "SELECT * FROM sources") == []
    assert counted.counts == bring().counts
    assert bring(dry_run=True).counts["orders.unchanged"] == 3


def test_an_order_of_several_customers_is_rejected_with_its_reason(
    bring: Import, workplace: Workplace, tmp_path: Path
) -> None:
    twice = FILE + "A2,13800000009,2026-03-31 23:30:00,tea,龙井,1,199.00,门店,西湖店\n"
    imported = bring(twice, rejects_folder=tmp_path / "rejected")
    assert imported.rejected == {"several_customers": 2}
    assert imported.rejected_amount_minor == 2 * 19_900
    assert rows(workplace.database, "SELECT order_id FROM orders ORDER BY 1") == [("A1",), ("A3",)]
    written = {path.name: path for path in imported.rejects}
    with written["whole orders.rejects.csv"].open(encoding="utf-8-sig") as file:
        rejected = list(csv.DictReader(file))
    assert [(row["Order"], row["Reason code"]) for row in rejected] == [("A2", "several_customers")] * 2
    # The line without a customer is told of, too.
    assert len(written) == 2


def test_numbers_made_of_a_customer_are_hidden(bring: Import, workplace: Workplace) -> None:
    without = "\n".join(line.partition(",")[2] for line in FILE.splitlines()) + "\n"
    imported = bring(without)
    assert imported.counts["orders.created"] == 3
    with workplace.database.read() as tx:
        kept = repr([tx.execute(sa.select(table)).all() for table in KEPT])
    assert "1380000" not in kept
    assert bring(without).counts["orders.unchanged"] == 3


def test_numbers_that_hold_a_phone_are_hidden(bring: Import, workplace: Workplace) -> None:
    bring(FILE.replace("A1,13800000001", "13800000001-7,13800000001"))
    with workplace.database.read() as tx:
        kept = repr([tx.execute(sa.select(table)).all() for table in KEPT])
    assert "1380000" not in kept
    assert "'A2'" in kept


def test_the_table_of_imports_is_as_it_was_migrated(workplace: Workplace) -> None:
    with workplace.database.read() as tx:
        found = {
            column["name"]: (column["type"].compile(tx.dialect), column["nullable"])
            for column in sa.inspect(tx).get_columns("imports")
        }
        declared = {
            column.name: (column.type.compile(tx.dialect), column.nullable) for column in ledger.imports.columns
        }
    assert found == declared


def test_cents_are_spread_so_that_lines_sum_to_their_order(bring: Import, workplace: Workplace) -> None:
    head = "order,customer,time,product,amount\n"
    thirds = "".join(f"B{n},7,2026-01-01 00:00:00,p{m},{0.3333}\n" for n in range(3) for m in range(3))
    bring(head + thirds)
    assert (
        rows(
            workplace.database,
            "SELECT o.amount_minor, sum(l.amount_minor), min(l.amount_minor), max(l.amount_minor)"
            " FROM orders o JOIN order_lines l USING (source_id, order_id) GROUP BY o.order_id, o.amount_minor",
        )
        == [(100, 100, 33, 34)] * 3
    )


def test_a_file_without_a_currency_needs_one(bring: Import) -> None:
    with pytest.raises(BadInput) as refused:
        bring(currency=None)
    assert refused.value.code == "collect.currency_needed"


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("会员手机号", "phone"),
        ("Billing Phone", "phone"),
        ("Email", "email"),
        ("customer_email", "email"),
        ("会员号", "member_number"),
        ("CustomerID", "member_number"),
        ("unionid", "unionid"),
    ],
)
def test_the_name_of_the_column_says_what_customers_are(column: str, kind: str) -> None:
    assert importing.identity_kind_of(column) == kind


# ---- Ended in the middle.


class _Killed(BaseException):
    """The process ends here."""


def end_in_the_middle(bring: Import, monkeypatch: pytest.MonkeyPatch, *, commits: bool) -> None:
    """Import batches of one order, and end after the second order was written but not its lines."""
    times = iter(range(100))
    right = importing.merge_orders

    def ending(tx: Transaction, now: datetime) -> Any:
        if next(times) == 1:
            tx.execute(sa.text(stating._CREATE_ORDERS))
            if commits:
                driver(tx).commit()
            raise _Killed
        return right(tx, now)

    with monkeypatch.context() as patched:
        patched.setattr(importing, "merge_orders", ending)
        with pytest.raises(_Killed):
            bring(batch_orders=1)


def test_an_import_that_ends_goes_on_where_it_was(
    bring: Import, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_in_the_middle(bring, monkeypatch, commits=False)
    check_no_half_order(workplace.database)
    assert rows(workplace.database, "SELECT order_id FROM orders") == [("A1",)]
    ended = bring(batch_orders=1)
    # Channels and stores, products, and the first order.
    assert ended.resumed == 3
    assert ended.counts["orders.created"] == 3
    check_no_half_order(workplace.database)
    assert rows(workplace.database, "SELECT count(*), sum(amount_minor) FROM orders") == [(3, 94_750)]
    assert bring(batch_orders=1).resumed == 0


def test_half_an_order_would_be_noticed(bring: Import, workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    end_in_the_middle(bring, monkeypatch, commits=True)
    with pytest.raises(AssertionError):
        check_no_half_order(workplace.database)
