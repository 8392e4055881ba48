import datetime as dt
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from shuke.base.errors import CannotSay
from shuke.insight import economics
from shuke.insight.tables import Tables

Z = float(norm.ppf(0.975))


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def orders_of(rows: list[tuple[str | None, str, float, str | None]], **columns: list[Any]) -> ir.Table:
    """Orders from (customer, day, amount, channel)."""
    data = {
        "customer_id": [row[0] for row in rows],
        "order_id": list(range(len(rows))),
        "ordered_at": [moment(row[1]) for row in rows],
        "amount": [row[2] for row in rows],
        "channel": [row[3] for row in rows],
        **columns,
    }
    schema = {"customer_id": "string", "order_id": "int64", "ordered_at": "timestamp", "amount": "float64"}
    return ibis.memtable(data, schema={**schema, "channel": "string", **dict.fromkeys(columns, "float64")})


def refunds_of(*rows: tuple[str, str, float]) -> ir.Table:
    return ibis.memtable(
        {
            "customer_id": [row[0] for row in rows],
            "refunded_at": [moment(row[1]) for row in rows],
            "amount": [row[2] for row in rows],
        }
    )


def costs_of(*rows: tuple[str, str, float]) -> ir.Table:
    return ibis.memtable(
        {
            "channel": [row[0] for row in rows],
            "period": [dt.date.fromisoformat(row[1]) for row in rows],
            "spend": [row[2] for row in rows],
        }
    )


ORDERS = orders_of(
    [
        ("a", "2020-01-02", 100.0, "shop"),
        ("a", "2020-03-20", 50.0, "wechat"),
        ("b", "2020-01-20", 10.0, "shop"),
        ("c", "2020-02-03", 30.0, "wechat"),
        ("d", "2020-04-02", 20.0, "shop"),
        ("e", "2020-02-03", 5.0, None),
    ]
)
COSTS = costs_of(
    ("shop", "2020-01-01", 60.0),
    ("shop", "2020-01-01", 20.0),  # two bookings in one month add up
    ("shop", "2020-02-01", 10.0),  # nobody came
    ("shop", "2020-04-01", 99.0),  # not over by the date of the report
    ("mail", "2020-02-01", 7.0),
    ("shop", "2019-12-01", 500.0),  # before the first order
)
FACTS = ibis.memtable(
    {
        "customer_id": ["a", "b", "c", "d", "e"],
        "historic_clv": [150.0, 10.0, 30.0, 20.0, 5.0],
        "total_clv": [300.0, 20.0, 30.0, 20.0, 5.0],
        "cohort": [dt.date(2020, 1, 1)] * 5,  # as the facts carry it; not to be confused with the first order's
        "first_channel": ["x"] * 5,
    }
)
TABLES = Tables(orders=ORDERS, costs=COSTS)
AS_OF = moment("2020-04-10")


def test_acquisition_by_channel_and_month(duck: Any) -> None:
    rows = duck.to_pyarrow(economics.acquisition_costs(TABLES, FACTS, as_of=AS_OF)).to_pylist()
    found = {(row["channel"], row["cohort"].month): row for row in rows}
    january = found["shop", 1]
    assert (january["new_customers"], january["spend"], january["cac"]) == (2, 80.0, 40.0)
    assert (january["average_historic_clv"], january["value_to_cac"]) == (80.0, 2.0)
    assert (january["total_value_to_cac"], january["complete"]) == (4.0, True)
    assert (found["shop", 2]["new_customers"], found["shop", 2]["cac"]) == (0, None)
    assert found["shop", 4]["complete"] is False
    assert (found["wechat", 2]["new_customers"], found["wechat", 2]["spend"], found["wechat", 2]["cac"]) == (
        1,
        None,
        None,
    )
    assert found["mail", 2]["new_customers"] == 0
    assert found[None, 2]["new_customers"] == 1


def test_acquisition_by_channel_counts_only_months_with_a_cost(duck: Any) -> None:
    rows = duck.to_pyarrow(economics.acquisition_by_channel(TABLES, FACTS, as_of=AS_OF)).to_pylist()
    found = {row["channel"]: row for row in rows}
    assert [row["channel"] for row in rows][:2] == ["shop", "mail"]
    shop = found["shop"]
    assert (shop["months"], shop["new_customers"], shop["customers_without_cost"]) == (2, 2, 1)
    assert (shop["spend"], shop["cac"], shop["value_to_cac"]) == (90.0, 45.0, 80.0 / 45.0)
    reach = Z * np.std([150.0, 10.0], ddof=1) / np.sqrt(2)
    assert shop["historic_clv_low"] == pytest.approx(80.0 - reach, rel=1e-12)
    assert shop["value_to_cac_high"] == pytest.approx((80.0 + reach) / 45.0, rel=1e-12)
    assert shop["total_value_to_cac"] == pytest.approx(160.0 / 45.0, rel=1e-12)
    assert (found["mail"]["new_customers"], found["mail"]["spend"], found["mail"]["cac"]) == (0, 7.0, None)
    assert (found["wechat"]["customers_without_cost"], found["wechat"]["spend"]) == (1, None)


def test_what_is_missing_is_said() -> None:
    with pytest.raises(CannotSay, match=r"insight\.no_costs"):
        economics.acquisition_costs(Tables(orders=ORDERS), FACTS, as_of=AS_OF)
    without = Tables(orders=ORDERS.drop("channel"), costs=COSTS)
    with pytest.raises(CannotSay, match=r"insight\.no_channel"):
        economics.acquisition_by_channel(without, FACTS, as_of=AS_OF)
    with pytest.raises(CannotSay, match=r"insight\.no_channel"):
        economics.payback_curve(without, as_of=AS_OF)
    with pytest.raises(CannotSay, match=r"insight\.no_margin"):
        economics.profit_contribution(TABLES)
    with pytest.raises(CannotSay, match=r"insight\.no_discount"):
        economics.discount_summary(ORDERS)


def test_the_customers_channel_serves_where_orders_have_none(duck: Any) -> None:
    customers = ibis.memtable({"customer_id": ["a", "b"], "channel": ["fair", "fair"]})
    tables = Tables(orders=ORDERS.drop("channel"), costs=COSTS, customers=customers)
    rows = duck.to_pyarrow(economics.acquisition_by_channel(tables, FACTS, as_of=AS_OF)).to_pylist()
    assert {row["channel"]: row["customers_without_cost"] for row in rows}["fair"] == 2


def test_first_orders_break_ties_by_number(duck: Any) -> None:
    orders = orders_of([("a", "2020-05-07", 1.0, "x"), ("a", "2020-05-07", 2.0, "y"), (None, "2020-01-01", 3.0, "z")])
    rows = duck.to_pyarrow(economics.first_orders(orders)).to_pylist()
    assert [(row["order_id"], row["channel"], row["cohort"]) for row in rows] == [(0, "x", dt.date(2020, 5, 1))]


def test_payback_by_hand(duck: Any) -> None:
    orders = orders_of(
        [
            ("a", "2020-01-01", 10.0, "shop"),
            ("a", "2020-02-01", 30.0, "shop"),  # day 31: second month of age
            ("b", "2020-01-31", 20.0, "shop"),
            ("b", "2020-03-20", 1000.0, "shop"),  # in a month of age that b has not yet lived through
            ("c", "2020-02-25", 500.0, "shop"),  # acquired in a month without a cost
        ]
    )
    tables = Tables(
        orders=orders, costs=costs_of(("shop", "2020-01-01", 25.0)), refunds=refunds_of(("a", "2020-02-10", 4.0))
    )
    curve = economics.payback_curve(tables, as_of=moment("2020-03-25"), margin=0.5, min_customers=1)
    rows = duck.to_pyarrow(curve).to_pylist()
    # a is 84 days old (2 whole months of age), b 54 days (1): month 1 averages both, month 2 only a.
    assert [(row["month_of_age"], row["customers"]) for row in rows] == [(1, 2), (2, 1)]
    assert [row["contribution"] for row in rows] == [7.5, 13.0]
    assert [row["cumulative_contribution"] for row in rows] == [7.5, 20.5]
    assert [row["cac"] for row in rows] == [12.5, 12.5]
    assert [row["paid_back"] for row in rows] == [False, True]
    assert duck.to_pyarrow(economics.payback(curve)).to_pylist() == [
        {"channel": "shop", "cac": 12.5, "observed_months": 2, "cumulative_contribution": 20.5, "payback_months": 2}
    ]
    few = economics.payback_curve(tables, as_of=moment("2020-03-25"), margin=0.5, min_customers=2)
    assert duck.to_pyarrow(economics.payback(few))["payback_months"].to_pylist() == [None]


def test_payback_of_online_retail_against_pandas(online_retail: Tables) -> None:
    as_of, rate = moment("2011-12-10"), 0.35
    channels = online_retail.orders.mutate(channel=(online_retail.orders.customer_id.cast("int64") % 3).cast("string"))
    months = [f"{2010 + (11 + number) // 12}-{(11 + number) % 12 + 1:02}-01" for number in range(11)]
    costs = costs_of(*[(channel, month, 9000.0) for channel in "012" for month in months])
    tables = Tables(orders=channels, refunds=online_retail.refunds, costs=costs)
    found = economics.payback_curve(tables, as_of=as_of, margin=rate).to_pandas()

    orders = online_retail.orders.to_pandas()
    refunds = online_retail.refunds.to_pandas()  # type: ignore[union-attr]  # the fixture fills it
    first = orders.groupby("customer_id").ordered_at.min().dt.normalize()
    first = first[first < pd.Timestamp("2011-11-01")]
    lived = np.floor((pd.Timestamp(as_of) - first).dt.days / 30.4375)
    money = pd.concat(
        [
            pd.DataFrame({"id": orders.customer_id, "at": orders.ordered_at, "money": rate * orders.amount}),
            pd.DataFrame({"id": refunds.customer_id, "at": refunds.refunded_at, "money": -rate * refunds.amount}),
        ]
    )
    money = money[money.id.isin(first.index)]
    age = np.floor((money["at"].dt.normalize() - money.id.map(first)).dt.days / 30.4375)
    for channel in "012":
        people = lived[(lived.index.astype(int) % 3).astype(str) == channel]
        curve = found[found.channel == channel]
        assert curve.cac.iloc[0] == pytest.approx(11 * 9000.0 / people.size)
        total = 0.0
        for row in curve.itertuples():
            number = row.month_of_age - 1
            old = people[people > number]
            assert row.customers == old.size
            total += money.money[money.id.isin(old.index) & (age == number)].sum() / old.size
            assert row.cumulative_contribution == pytest.approx(total, rel=1e-9)
        assert (people > len(curve)).sum() < 30


def test_profit_with_a_rate(duck: Any) -> None:
    tables = Tables(orders=ORDERS, refunds=refunds_of(("a", "2020-01-31", 20.0), ("a", "2020-05-01", 1.0)), costs=COSTS)
    rows = duck.to_pyarrow(economics.profit_contribution(tables, margin=0.4)).to_pylist()
    assert [row["month"].month for row in rows] == [1, 2, 3, 4, 5]
    january = rows[0]
    assert (january["revenue"], january["refunds"], january["net_revenue"]) == (110.0, 20.0, 90.0)
    assert january["contribution"] == pytest.approx(36.0)
    assert january["margin_rate"] == pytest.approx(0.4)
    assert (january["spend"], january["contribution_after_spend"]) == (80.0, pytest.approx(-44.0))
    assert (rows[2]["spend"], rows[2]["contribution_after_spend"]) == (None, None)
    assert (rows[4]["revenue"], rows[4]["net_revenue"]) == (0.0, -1.0)


def test_profit_with_costs_of_goods(duck: Any) -> None:
    orders = orders_of(
        [("a", "2020-01-01", 100.0, None), ("a", "2020-01-02", 100.0, None), ("b", "2020-01-03", 50.0, None)],
        cost=[60.0, 20.0, None],
    )
    tables = Tables(orders=orders, refunds=refunds_of(("a", "2020-01-05", 10.0)))
    row = duck.to_pyarrow(economics.profit_contribution(tables)).to_pylist()[0]
    # 40 + 80 known; the rate is 0.6; 50 without a cost bring 30, 10 refunded take 6.
    assert row["contribution"] == pytest.approx(144.0)
    assert (row["net_revenue"], row["spend"], row["contribution_after_spend"]) == (240.0, None, None)


def test_discounts(duck: Any) -> None:
    orders = orders_of(
        [("a", "2020-01-01", 80.0, None), ("b", "2020-01-01", 100.0, None), ("c", "2020-01-01", 20.0, None)],
        discount=[20.0, 0.0, None],
    )
    row = duck.to_pyarrow(economics.discount_summary(orders)).to_pylist()[0]
    assert (row["orders"], row["discounted_orders"], row["discount"]) == (3, 1, 20.0)
    assert row["discounted_share"] == pytest.approx(1 / 3)
    assert (row["depth"], row["revenue_share"]) == (0.2, 0.4)
    assert (row["average_order_value_discounted"], row["average_order_value_full_price"]) == (80.0, 60.0)


def test_customers_won_with_a_discount_against_scipy(duck: Any) -> None:
    generator = np.random.default_rng(11)
    cheap, dear = generator.gamma(2.0, 30.0, 40), generator.gamma(2.0, 45.0, 60)
    rows = [(f"c{n}", "2020-01-01", float(amount), None) for n, amount in enumerate(np.append(cheap, dear))]
    rows += [("c0", "2020-03-01", 5.0, None), ("late", "2020-12-01", 1.0, None)]
    discount = [1.0] * 40 + [0.0] * 60 + [0.0, 9.0]
    tables = Tables(orders=orders_of(rows, discount=discount))
    expression = economics.discount_acquired(tables, as_of=moment("2020-12-31"), days=300)
    full, reduced = duck.to_pyarrow(expression).to_pylist()
    assert (full["first_order_discounted"], full["customers"], reduced["customers"]) == (False, 60, 40)
    cheap[0] += 5.0
    error = np.sqrt(cheap.var(ddof=1) / 40 + dear.var(ddof=1) / 60)
    assert reduced["average_value"] == pytest.approx(cheap.mean(), rel=1e-12)
    assert reduced["repeat_rate"] == 1 / 40
    assert reduced["difference"] == pytest.approx(cheap.mean() - dear.mean(), rel=1e-10)
    assert reduced["difference_low"] == pytest.approx(cheap.mean() - dear.mean() - Z * error, rel=1e-10)
    assert full["difference_high"] == pytest.approx(cheap.mean() - dear.mean() + Z * error, rel=1e-10)
    assert full["value_low"] == pytest.approx(dear.mean() - Z * dear.std(ddof=1) / np.sqrt(60), rel=1e-12)


def test_one_kind_of_customer_is_not_compared(duck: Any) -> None:
    orders = orders_of([("a", "2020-01-01", 1.0, None), ("b", "2020-01-01", 2.0, None)], discount=[0.0, 0.0])
    rows = duck.to_pyarrow(economics.discount_acquired(Tables(orders=orders), as_of=moment("2021-06-01"))).to_pylist()
    assert [(row["customers"], row["difference"], row["difference_low"]) for row in rows] == [(2, None, None)]
