"""The gate opens exactly at its limits, and names every reason for staying shut."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import ibis.expr.types as ir
import pytest

from shuke.base.errors import CannotSay
from shuke.insight.gate import Gate, Reason, gate
from shuke.insight.tables import Tables

Make = Callable[[list[tuple[str, str, float]]], ir.Table]
AS_OF = dt.datetime.fromisoformat("2024-07-01")


def enough() -> list[tuple[str, str, float]]:
    """500 customers, of whom one has three orders; the first order 180 days and the last 30 days before."""
    rows = [(f"c{number}", "2024-03-01T12:00:00", 10.0) for number in range(499)]
    return [
        *rows,
        *[("often", moment, 10.0) for moment in ("2024-01-03T00:00:00", "2024-02-01", "2024-06-01T00:00:00")],
    ]


def test_the_gate_opens_at_its_limits(make_orders: Make) -> None:
    assert gate(Tables(make_orders(enough())), AS_OF) == Gate(ok=True, reasons=())


def test_one_customer_fewer_shuts_it(make_orders: Make) -> None:
    found = gate(Tables(make_orders(enough()[1:])), AS_OF)
    assert found == Gate(ok=False, reasons=(Reason("too_few_customers", 500, 499),))


@pytest.mark.parametrize(
    ("at", "moment", "reason"),
    [
        (-3, "2024-01-03T00:00:01", Reason("history_too_short", 180, 179)),
        (-1, "2024-05-31T00:00:01", None),
        (-1, "2024-05-31T00:00:00", Reason("no_recent_order", 30, 31)),
    ],
)
def test_days_are_whole_days_of_24_hours(make_orders: Make, at: int, moment: str, reason: Any) -> None:
    rows = enough()
    rows[at] = (rows[at][0], moment, 10.0)
    assert gate(Tables(make_orders(rows)), AS_OF).reasons == (() if reason is None else (reason,))


def test_without_frequent_buyers_there_is_no_rhythm_to_see(make_orders: Make) -> None:
    rows = [(f"x{number}", moment, value) for number, (_, moment, value) in enumerate(enough())]
    assert gate(Tables(make_orders(rows)), AS_OF).reasons == (Reason("too_few_frequent_buyers", 1, 0),)


def test_orders_from_as_of_on_are_not_yet_known(make_orders: Make) -> None:
    rows = [*enough()[1:], ("late", "2024-07-01T00:00:00", 10.0)]
    assert gate(Tables(make_orders(rows)), AS_OF).reasons == (Reason("too_few_customers", 500, 499),)


def test_an_empty_shop_lacks_everything_and_says_so(make_orders: Make) -> None:
    shut = gate(Tables(make_orders([("c", "2025-01-01", 1.0)])), AS_OF)
    assert [(reason.code, reason.found) for reason in shut.reasons] == [
        ("too_few_customers", 0),
        ("history_too_short", 0),
        ("no_recent_order", None),
        ("too_few_frequent_buyers", 0),
    ]
    with pytest.raises(CannotSay) as caught:
        shut.require()
    assert caught.value.code == "insight.gate"


def test_online_retail_passes_and_the_end_of_its_second_month_does_not(online_retail: Tables) -> None:
    assert gate(online_retail, dt.datetime.fromisoformat("2011-12-10")).ok
    gate(online_retail, dt.datetime.fromisoformat("2011-12-10")).require()
    early = gate(online_retail, dt.datetime.fromisoformat("2011-02-01"))
    assert early.reasons == (Reason("history_too_short", 180, 61),)
