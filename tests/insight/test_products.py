import datetime as dt
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from shuke.base.errors import BadInput, CannotSay
from shuke.insight import products
from shuke.insight.tables import Tables

AS_OF = dt.datetime.fromisoformat("2011-12-10")


def some_lines(rows: list[tuple[str | None, str, str, str, float, str | None]]) -> Any:
    """Lines from (customer, order, day, product, amount, category)."""
    return ibis.memtable(
        {
            "customer_id": [row[0] for row in rows],
            "order_id": [row[1] for row in rows],
            "ordered_at": [dt.datetime.fromisoformat(row[2]) for row in rows],
            "product_id": [row[3] for row in rows],
            "quantity": [1] * len(rows),
            "amount": [row[4] for row in rows],
            "category": [row[5] for row in rows],
        },
        schema={
            "customer_id": "string",
            "order_id": "string",
            "ordered_at": "timestamp",
            "product_id": "string",
            "quantity": "int64",
            "amount": "float64",
            "category": "string",
        },
    )


LINES = [
    ("anna", "1", "2020-01-01", "tea", 60.0, "drinks"),
    ("anna", "2", "2020-02-01", "tea", 20.0, "drinks"),
    ("bert", "3", "2020-01-05", "cup", 10.0, "ware"),
    ("bert", "3", "2020-01-05", "tea", 5.0, "drinks"),
    (None, "4", "2020-01-06", "pot", 5.0, None),
]


def test_contribution_of_a_small_range(duck: Any) -> None:
    refunds = ibis.memtable({"product_id": ["tea", None], "amount": [17.0, 100.0]})
    found = duck.to_pyarrow(products.product_contribution(some_lines(LINES), refunds=refunds)).to_pylist()
    tea, cup, pot = found
    assert (tea["rank"], tea["product_id"], tea["revenue"], tea["orders"], tea["customers"]) == (1, "tea", 85.0, 3, 2)
    assert tea["category"] == "drinks"
    assert tea["share"] == 0.85
    assert tea["repeat_share"] == 0.5
    assert tea["return_rate"] == 0.2
    assert tea["abc_class"] == "A"  # the better ones have nothing
    assert (cup["abc_class"], cup["return_rate"], cup["repeat_share"]) == ("B", 0.0, 0.0)
    assert (pot["abc_class"], pot["customers"], pot["repeat_share"]) == ("C", 0, None)
    assert pot["category"] is None
    assert pot["cumulative_share"] == pytest.approx(1.0, abs=1e-12)


def test_without_refunds_by_product_the_return_rate_is_unknown(duck: Any) -> None:
    found = duck.to_pyarrow(products.product_contribution(some_lines(LINES))).to_pylist()
    assert {row["return_rate"] for row in found} == {None}


def test_categories_keep_lines_without_one(duck: Any) -> None:
    refunds = ibis.memtable({"product_id": ["cup"], "amount": [5.0]})
    found = duck.to_pyarrow(products.category_contribution(some_lines(LINES), refunds=refunds)).to_pylist()
    assert [(row["category"], row["revenue"], row["refunds"]) for row in found] == [
        ("drinks", 85.0, 0.0),
        ("ware", 10.0, 5.0),
        (None, 5.0, 0.0),
    ]
    with pytest.raises(CannotSay, match=r"insight\.no_category"):
        products.category_contribution(some_lines(LINES).drop("category"))


def test_online_retail_products_against_pandas(duck: Any, online_retail: Tables) -> None:
    refunds = duck.table("or_lines").filter(lambda t: t.quantity < 0).mutate(amount=lambda t: -t.amount)
    contribution = products.product_contribution(online_retail.order_lines, refunds=refunds)
    found = contribution.to_pandas().set_index("product_id")

    lines = duck.table("or_lines").to_pandas()
    sold, returned = lines[lines.quantity > 0], lines[lines.quantity < 0]
    by_product = sold.groupby("product_id")
    revenue = by_product.amount.sum()
    np.testing.assert_allclose(found.revenue, revenue[found.index], rtol=1e-12)
    assert found.orders.tolist() == by_product.order_id.nunique()[found.index].tolist()
    assert found.customers.tolist() == by_product.customer_id.nunique()[found.index].tolist()
    often = sold.groupby(["product_id", "customer_id"]).order_id.nunique().ge(2).groupby("product_id").mean()
    np.testing.assert_allclose(found.repeat_share, often[found.index], rtol=1e-12)
    back = -returned.groupby("product_id").amount.sum()
    np.testing.assert_allclose(found.refunds, back.reindex(found.index).fillna(0.0), rtol=1e-9, atol=1e-9)
    assert found.cumulative_share.is_monotonic_increasing
    assert found.index[:3].tolist() == ["23843", "22423", "85123A"]

    # Pareto, the plain way: sort, add up, count until four fifths are reached.
    summed = np.sort(revenue.to_numpy())[::-1].cumsum() / revenue.sum()
    needed = int(np.searchsorted(summed, 0.8) + 1)
    row = products.pareto(contribution).to_pyarrow().to_pylist()[0]
    assert (row["items"], row["items_for_share"]) == (revenue.size, needed)
    assert row["share_of_items"] == needed / revenue.size
    classes = products.abc_classes(contribution).to_pandas().set_index("abc_class")
    assert classes["items"]["A"] == needed
    assert classes["items"].sum() == revenue.size
    assert classes.share.sum() == pytest.approx(1.0, abs=1e-12)


def test_the_name_most_lines_carry(duck: Any) -> None:
    lines = ibis.memtable({"product_id": ["a"] * 4 + ["b"] * 2, "product_name": ["x", "x", "zz", None, "q", "p"]})
    found = duck.to_pyarrow(products.product_attribute(lines, "product_name")).to_pylist()
    assert sorted((row["product_id"], row["product_name"]) for row in found) == [("a", "x"), ("b", "p")]


def test_first_product_compares_only_whole_years(duck: Any) -> None:
    lines = some_lines(
        [
            ("anna", "1", "2020-01-01", "tea", 60.0, "drinks"),
            ("anna", "2", "2020-12-30", "cup", 20.0, "ware"),
            ("anna", "3", "2020-12-31", "cup", 999.0, "ware"),  # day 365: the second year
            ("bert", "4", "2020-01-05", "tea", 5.0, "drinks"),
            ("bert", "4", "2020-01-05", "cup", 10.0, "ware"),
            ("carl", "5", "2020-06-01", "tea", 1000.0, "drinks"),  # not yet a year old
        ]
    )
    orders = lines.group_by("customer_id", "order_id", "ordered_at").aggregate(amount=lambda t: t.amount.sum())
    refunds = ibis.memtable(
        {
            "customer_id": ["anna", "anna"],
            "refunded_at": [dt.datetime.fromisoformat("2020-02-01"), dt.datetime.fromisoformat("2022-01-01")],
            "amount": [10.0, 1.0],
        }
    )
    facts = ibis.memtable({"customer_id": ["anna", "bert"], "predicted_clv": [4.0, 2.0]})
    tables = Tables(orders=orders, order_lines=lines, refunds=refunds)
    expression = products.first_product_value(
        tables, facts, as_of=dt.datetime.fromisoformat("2021-01-10"), min_customers=1
    )
    found = {row["product_id"]: row for row in duck.to_pyarrow(expression).to_pylist()}
    assert found["tea"]["customers"] == 2
    assert found["tea"]["average_value"] == 42.5  # anna 60 + 20 − 10, bert 15
    deviation = 27.5 * 2**0.5
    assert found["tea"]["value_low"] == pytest.approx(42.5 - 1.959964 * deviation / 2**0.5, abs=1e-4)
    assert (found["tea"]["repeat_rate"], found["tea"]["average_predicted_clv"]) == (0.5, 3.0)
    assert (found["cup"]["customers"], found["cup"]["average_value"]) == (1, 15.0)
    assert (found["tea"]["everyone_value"], found["tea"]["everyone_customers"]) == (42.5, 2)

    categories = products.first_product_value(
        tables, facts, as_of=dt.datetime.fromisoformat("2021-01-10"), by="category", min_customers=2
    )
    assert [row["category"] for row in duck.to_pyarrow(categories).to_pylist()] == ["drinks"]
    with pytest.raises(BadInput, match=r"insight\.missing_columns"):
        products.first_product_value(tables, facts, as_of=AS_OF, by="brand")
    with pytest.raises(CannotSay, match=r"insight\.no_lines"):
        products.first_product_value(Tables(orders=orders), facts, as_of=AS_OF)


def test_first_product_of_online_retail_against_pandas(online_retail: Tables, online_retail_facts: Any) -> None:
    days = 180
    found = products.first_product_value(online_retail, online_retail_facts, as_of=AS_OF, days=days).to_pandas()
    assert found.value_low.is_monotonic_decreasing

    orders = online_retail.orders.to_pandas()
    refunds = online_retail.refunds.to_pandas()  # type: ignore[union-attr]  # the fixture fills it
    orders["day"] = orders.ordered_at.dt.normalize()
    orders = orders.sort_values(["ordered_at", "order_id"])
    first = orders.groupby("customer_id").first()
    old = first[first.day + pd.Timedelta(days=days) <= pd.Timestamp(AS_OF)]

    def early(flows: pd.DataFrame, moment: str) -> pd.DataFrame:
        joined = flows.merge(old[["day"]].rename(columns={"day": "first_day"}), left_on="customer_id", right_index=True)
        return joined[joined[moment].dt.normalize() < joined.first_day + pd.Timedelta(days=days)]

    value = early(orders, "ordered_at").groupby("customer_id").amount.sum()
    value = value.sub(early(refunds, "refunded_at").groupby("customer_id").amount.sum(), fill_value=0.0)
    lines = online_retail.order_lines.to_pandas()  # type: ignore[union-attr]  # likewise
    began = lines[lines.order_id.isin(old.order_id)][["customer_id", "product_id"]].drop_duplicates()
    began["value"] = began.customer_id.map(value)
    expected = began.groupby("product_id")["value"].agg(["size", "mean", "sem"])
    expected = expected[expected["size"] >= 30].loc[found.product_id]
    assert found.customers.tolist() == expected["size"].tolist()
    np.testing.assert_allclose(found.average_value, expected["mean"], rtol=1e-10)
    np.testing.assert_allclose(found.value_high, expected["mean"] + 1.959963984540054 * expected["sem"], rtol=1e-9)
    assert found.everyone_value[0] == pytest.approx(value.mean(), rel=1e-12)
