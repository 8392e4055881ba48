"""Sales by week, straight from the orders, for figures that are to be of this moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shuke.collect.model import OrderStatus, SalesWeek
from shuke.collect.tables import orders, refunds
from shuke.platform import Transaction

__all__ = ["sales_by_week"]


def sales_by_week(
    tx: Transaction, *, since: datetime, until: datetime, time_zone: str, currency: str
) -> tuple[SalesWeek, ...]:
    """Weeks of this zone in which something was sold or given back, in order; orders in other currencies do not count.

    Args:
        tx: the caller's.
        since: the first moment that counts.
        until: exclusive end.
        time_zone: where a week begins on Monday at midnight.
        currency: of the amounts, in minor units.
    """
    sold = _by_week(orders.c.ordered_at, time_zone, sa.func.count(), sa.func.sum(orders.c.amount_minor)).where(
        orders.c.ordered_at >= since,
        orders.c.ordered_at < until,
        orders.c.currency == currency,
        orders.c.status == OrderStatus.COMPLETED.value,
    )
    given_back = _by_week(refunds.c.refunded_at, time_zone, sa.func.sum(refunds.c.amount_minor)).where(
        refunds.c.refunded_at >= since, refunds.c.refunded_at < until, refunds.c.currency == currency
    )
    sales = {monday: (count, int(amount)) for monday, count, amount in tx.execute(sold)}
    back = {monday: int(amount) for monday, amount in tx.execute(given_back)}
    return tuple(
        SalesWeek(monday, *sales.get(monday, (0, 0)), back.get(monday, 0)) for monday in sorted({*sales, *back})
    )


def _by_week(
    moment: sa.ColumnElement[datetime], time_zone: str, *sums: sa.ColumnElement[int]
) -> sa.Select[*tuple[Any, ...]]:
    monday = sa.cast(sa.func.date_trunc("week", sa.func.timezone(time_zone, moment)), sa.Date)
    return sa.select(monday, *sums).group_by(monday)
