import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pytest

from shuke.insight.summary import customer_summary, last_known_day
from shuke.insight.tables import Tables

MakeOrders = Callable[[list[tuple[str, str, float]]], ir.Table]
AS_OF = dt.datetime(2020, 3, 1)  # noqa: DTZ001 - the brand's own time

ROWS = [
    ("a", "2020-01-01T09:00", 10.0),
    ("a", "2020-01-01T21:00", 5.0),  # the same day: one occasion
    ("a", "2020-01-15T00:00", 30.0),
    ("a", "2020-02-29T23:59:59", 50.0),
    ("a", "2020-03-01T00:00", 1000.0),  # not yet known
    ("b", "2020-02-29T12:00", 7.0),
]


def rows_of(table: ir.Table) -> dict[str, dict[str, Any]]:
    return {row["customer_id"]: row for row in table.to_pyarrow().to_pylist()}


def test_a_history_by_hand(make_orders: MakeOrders) -> None:
    refunds = ibis.memtable(
        {
            "customer_id": ["a", "a", "b"],
            "refunded_at": [dt.datetime(2020, 1, 2), dt.datetime(2020, 2, 1), AS_OF],  # noqa: DTZ001
            "amount": [3.0, 1.5, 7.0],
        }
    )
    found = rows_of(customer_summary(Tables(orders=make_orders(ROWS), refunds=refunds), as_of=AS_OF, unit="day"))
    assert found["a"] == {
        "customer_id": "a",
        "first_order_at": dt.datetime(2020, 1, 1, 9),  # noqa: DTZ001
        "last_order_at": dt.datetime(2020, 2, 29, 23, 59, 59),  # noqa: DTZ001
        "orders": 4,
        "order_days": 3,
        "frequency": 2,
        "recency": 59.0,
        "age": 59.0,
        "recency_days": 0,
        "gross_amount": 95.0,
        "refunds": 4.5,
        "net_amount": 90.5,
        "average_order_value": 23.75,
        "average_days_between_orders": 29.5,
        "repeat_amount": 40.0,
        "log_gap_sum": pytest.approx(math.log(14) + math.log(45), rel=1e-15),
    }
    assert found["b"] | {"first_order_at": None, "last_order_at": None} == {
        "customer_id": "b",
        "first_order_at": None,
        "last_order_at": None,
        "orders": 1,
        "order_days": 1,
        "frequency": 0,
        "recency": 0.0,
        "age": 0.0,
        "recency_days": 0,
        "gross_amount": 7.0,
        "refunds": 0.0,
        "net_amount": 7.0,
        "average_order_value": 7.0,
        "average_days_between_orders": None,
        "repeat_amount": None,
        "log_gap_sum": 0.0,
    }


def test_weeks_are_seven_days(make_orders: MakeOrders) -> None:
    tables = Tables(orders=make_orders(ROWS))
    days, weeks = (rows_of(customer_summary(tables, as_of=AS_OF, unit=unit))["a"] for unit in ("day", "week"))
    assert weeks["recency"] == days["recency"] / 7
    assert weeks["age"] == days["age"] / 7
    assert weeks["log_gap_sum"] == pytest.approx(days["log_gap_sum"] - 2 * math.log(7), rel=1e-14)
    assert weeks["recency_days"] == days["recency_days"]


def test_what_is_not_asked_for_is_not_there_and_the_rest_is_the_same(make_orders: MakeOrders) -> None:
    tables = Tables(orders=make_orders(ROWS))
    full = rows_of(customer_summary(tables, as_of=AS_OF))
    lean = rows_of(customer_summary(tables, as_of=AS_OF, with_gaps=False, with_repeat_amount=False))
    for customer, row in full.items():
        assert {name: row[name] for name in row if name not in ("log_gap_sum", "repeat_amount")} == lean[customer]


def test_days_are_counted_alike_with_and_without_a_table_of_them(make_orders: MakeOrders) -> None:
    dice = np.random.default_rng(7)
    # Moments before and after 1970, over many blocks of days, several on one day and on the days where blocks meet.
    numbers = [*dice.integers(0, 200, 300), *(63 * dice.integers(0, 300, 300) + dice.choice([-1, 0, 62, 63], 300))]
    start = dt.date(1, 1, 1) + dt.timedelta(days=63 * 11_411)
    days = [start + dt.timedelta(days=int(number)) for number in numbers]
    assert min(days) < dt.date(1970, 1, 1) < max(days)
    rows = [(str(dice.choice(["a", "b", "c"])), f"{day}T{dice.integers(0, 24):02}:00", 1.0) for day in days]
    tables = Tables(orders=make_orders(rows))
    known = [(customer, moment[:10]) for customer, moment, _ in rows if moment < AS_OF.isoformat()]
    lean = rows_of(customer_summary(tables, as_of=AS_OF, with_gaps=False, with_repeat_amount=False))
    for customer in "abc":
        assert lean[customer]["order_days"] == len({day for who, day in known if who == customer})
        assert lean[customer]["orders"] == sum(who == customer for who, _ in known)


def test_counts_are_whole_numbers_and_money_is_float(make_orders: MakeOrders) -> None:
    orders = make_orders(ROWS)
    orders = orders.mutate(amount=orders.amount.cast("decimal(12, 2)"))
    schema = customer_summary(Tables(orders=orders), as_of=AS_OF).to_pyarrow().schema
    kinds = {name: str(schema.field(name).type) for name in schema.names}
    assert {kinds[name] for name in ("orders", "order_days", "frequency", "recency_days")} == {"int64"}
    floats = {"recency", "age", "gross_amount", "refunds", "net_amount", "average_order_value", "log_gap_sum"}
    assert {kinds[name] for name in floats} == {"double"}


def test_orders_without_a_customer_are_no_customer(make_orders: MakeOrders) -> None:
    orders = make_orders([*ROWS, ("", "2020-01-01", 9.0)])
    orders = orders.mutate(customer_id=orders.customer_id.nullif(""))
    assert set(rows_of(customer_summary(Tables(orders=orders), as_of=AS_OF))) == {"a", "b"}


@pytest.mark.parametrize(
    ("as_of", "day"),
    [
        (dt.datetime(2020, 3, 1), dt.date(2020, 2, 29)),  # noqa: DTZ001
        (dt.datetime(2020, 3, 1, 0, 0, 1), dt.date(2020, 3, 1)),  # noqa: DTZ001
        (dt.datetime(2020, 3, 1, 23, 59), dt.date(2020, 3, 1)),  # noqa: DTZ001
    ],
)
def test_the_last_known_day(as_of: dt.datetime, day: dt.date) -> None:
    assert last_known_day(as_of) == day


def cdnow_orders(shared_data: Path) -> list[tuple[str, dt.date, float]]:
    """Lines of the sample: its own number, the number in the master file, date, discs, money."""
    lines = (shared_data / "cdnow" / "CDNOW_sample.txt").read_text().splitlines()
    rows = [line.split() for line in lines if line.strip()[:1].isdigit()]
    return [(own, dt.date.fromisoformat(day), float(money)) for _, own, day, _, money in rows]


def test_cdnow_as_published(shared_data: Path, make_orders: MakeOrders) -> None:
    """Totals of the calibration as the R packages BTYD and CLVTools give them for the 1/10 sample."""
    rows = cdnow_orders(shared_data)
    orders = make_orders([(customer, day.isoformat(), money) for customer, day, money in rows])
    summary = customer_summary(Tables(orders=orders), as_of=dt.datetime(1997, 10, 1))  # noqa: DTZ001
    totals = summary.agg(
        customers=summary.count(),
        repeaters=(summary.frequency > 0).sum(),
        x=summary.frequency.sum(),
        t_x=summary.recency.sum(),
        T=summary.age.sum(),
    )
    row = totals.to_pyarrow().to_pylist()[0]
    assert (row["customers"], row["repeaters"], row["x"]) == (2357, 946, 2457)
    # The published table rounds each customer's weeks to two decimals.
    assert row["t_x"] == pytest.approx(16135.5, abs=0.1)
    assert round(row["T"]) == 77111


def test_every_customer_of_cdnow_by_plain_python(shared_data: Path, make_orders: MakeOrders) -> None:
    rows = cdnow_orders(shared_data)
    end = dt.date(1997, 9, 30)
    days: dict[str, dict[dt.date, float]] = defaultdict(lambda: defaultdict(float))
    for customer, day, money in rows:
        if day <= end:
            days[customer][day] += money
    orders = make_orders([(customer, day.isoformat(), money) for customer, day, money in rows])
    found = rows_of(customer_summary(Tables(orders=orders), as_of=dt.datetime(1997, 10, 1), unit="day"))  # noqa: DTZ001
    assert set(found) == set(days)
    for customer, spent in days.items():
        visits = sorted(spent)
        row = found[customer]
        gaps = [(later - earlier).days for earlier, later in pairwise(visits)]
        assert row["frequency"] == len(gaps)
        assert row["recency"] == sum(gaps)
        assert row["age"] == (end - visits[0]).days
        assert row["recency_days"] == (end - visits[-1]).days
        assert row["log_gap_sum"] == pytest.approx(sum(math.log(gap) for gap in gaps), abs=1e-12)
        assert row["gross_amount"] == pytest.approx(sum(spent.values()), abs=1e-9)
        if gaps:
            assert row["repeat_amount"] == pytest.approx(sum(spent[day] for day in visits[1:]) / len(gaps), abs=1e-9)
            assert row["average_days_between_orders"] == pytest.approx(sum(gaps) / len(gaps), rel=1e-14)
        else:
            assert row["repeat_amount"] is None
