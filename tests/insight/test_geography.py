import datetime as dt
from typing import Any

import ibis
import numpy as np
import pytest

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.geography import region_sales, sales_by
from shuke.insight.tables import Tables

ORDERS = ibis.memtable(
    {
        "customer_id": ["a", "a", "b", None, "b"],
        "order_id": [1, 2, 3, 4, 5],
        "ordered_at": [dt.datetime.fromisoformat("2020-01-01")] * 5,
        "amount": [10.0, 30.0, 40.0, 15.0, 5.0],
        "store": ["north", "north", "north", "north", None],
    },
    schema={
        "customer_id": "string",
        "order_id": "int64",
        "ordered_at": "timestamp",
        "amount": "float64",
        "store": "string",
    },
)


def test_sales_by_store(duck: Any) -> None:
    north, nowhere = duck.to_pyarrow(sales_by(ORDERS, "store")).to_pylist()
    assert north == {
        "store": "north",
        "customers": 2,
        "orders": 4,
        "amount": 95.0,
        "average_order_value": 23.75,
        "amount_per_customer": 40.0,  # without the 15 of nobody
        "amount_share": 0.95,
        "customer_share": 1.0,
        "repeat_rate": 0.5,
    }
    assert (nowhere["store"], nowhere["customers"], nowhere["repeat_rate"]) == (None, 1, 0.0)
    with pytest.raises(CannotSay, match=r"insight\.no_column"):
        sales_by(ORDERS, "channel")


def test_sales_by_customer_is_another_question() -> None:
    with pytest.raises(BadInput) as refused:
        sales_by(ORDERS, "customer_id")
    assert refused.value.code == "insight.sales_by_customer"


def test_the_region_of_the_customer_serves_where_orders_have_none(duck: Any) -> None:
    customers = ibis.memtable({"customer_id": ["a", "b"], "region": ["浙江", "广东"]})
    rows = duck.to_pyarrow(region_sales(Tables(orders=ORDERS, customers=customers))).to_pylist()
    assert [(row["region"], row["amount"]) for row in rows] == [("广东", 45.0), ("浙江", 40.0), (None, 15.0)]
    with pytest.raises(CannotSay, match=r"insight\.no_column"):
        region_sales(Tables(orders=ORDERS))
    with pytest.raises(CannotSay, match=r"insight\.no_column"):
        region_sales(Tables(orders=ORDERS, customers=customers.drop("region")))


def test_online_retail_regions_against_pandas(online_retail: Tables) -> None:
    orders = online_retail.orders.mutate(region=lambda t: t.region)
    found = region_sales(Tables(orders=orders)).to_pandas().set_index("region")
    plain = online_retail.orders.to_pandas()
    by_region = plain.groupby("region")
    assert found.index[0] == "United Kingdom"
    np.testing.assert_allclose(found.amount, by_region.amount.sum()[found.index], rtol=1e-12)
    assert found.customers.tolist() == by_region.customer_id.nunique()[found.index].tolist()
    repeated = plain.groupby(["region", "customer_id"]).size().ge(2).groupby("region").mean()
    np.testing.assert_allclose(found.repeat_rate, repeated[found.index], rtol=1e-12)
    assert found.amount_share.sum() == pytest.approx(1.0, abs=1e-12)
