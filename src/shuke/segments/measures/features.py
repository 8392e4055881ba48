"""What customers with an order are grouped by: each a value that the segment language can ask for."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from shuke.segments.measures.profile import DAY_US
from shuke.segments.measures.subjects import Subjects
from shuke.segments.model.clock import Clock
from shuke.segments.model.features import Feature

__all__ = ["features"]


def features(subjects: Subjects, clock: Clock, asked: Sequence[Feature]) -> ir.Table:
    """Of every customer with an order: customer_id, mix, and ``f_0``, ``f_1``, … as double, null where not known.

    Days since the last order are whole days back from today; what was spent is in minor units.
    """
    people, orders, lines = subjects.people, subjects.orders, subjects.lines
    discounted = ibis.coalesce(orders.discount_minor, 0) > 0
    of_orders = {
        f"f_{number}": orders.count(where=discounted if one.of == "discounted" else orders.channel == one.value)
        for number, one in enumerate(asked)
        if one.of in ("discounted", "channel")
    }
    of_lines = {
        f"f_{number}": lines.amount_minor.sum(where=lines.category == one.value)
        for number, one in enumerate(asked)
        if one.of == "category"
    }
    rows = people.filter(people.orders >= 1)
    for table, found in ((orders, of_orders), (lines, of_lines)):
        if found:
            rows = rows.left_join(table.group_by("customer_id").aggregate(**found), "customer_id")
            rows = rows.drop("customer_id_right")
    # The first moment of tomorrow, so that today is 0 days ago.
    end = clock.begins_us(clock.today) + DAY_US
    said = {}
    for number, one in enumerate(asked):
        if one.of == "days":
            # An order of a clock that is ahead is of today.
            days = ((end - 1 - rows.last_order_at) / DAY_US).floor().cast("float64")
            said[f"f_{number}"] = ibis.greatest(days, 0.0)
        elif one.of == "figure":
            said[f"f_{number}"] = rows[str(one.value)].cast("float64")
        else:
            said[f"f_{number}"] = ibis.coalesce(rows[f"f_{number}"], 0).cast("float64")
    return rows.select("customer_id", "mix", **said)
