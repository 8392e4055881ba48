"""Sales by week, straight from the orders, for figures that are to be of this moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shuke.collect.model import OrderStatus, SalesWeek
from shuke.collect.tables import orders, refunds
from shuke.platform import Transaction

__all__ = ["sales_by_week"]


def sales_by_week(
    tx: Transaction, *, starts: Sequence[datetime], until: datetime, currency: str
) -> tuple[SalesWeek, ...]:
    """Weeks in which something was sold or given back, in order; orders in other currencies do not count.

    Args:
        tx: the caller's.
        starts: when the weeks begin, each at midnight of a zone, the earliest first.
        until: exclusive end.
        currency: of the amounts, in minor units.
    """
    sold = _by_week(orders.c.ordered_at, starts, sa.func.count(), sa.func.sum(orders.c.amount_minor)).where(
        orders.c.ordered_at < until,
        orders.c.currency == currency,
        orders.c.status == OrderStatus.COMPLETED.value,
    )
    given_back = _by_week(refunds.c.refunded_at, starts, sa.func.sum(refunds.c.amount_minor)).where(
        refunds.c.refunded_at < until, refunds.c.currency == currency
    )
    sales = {week: (count, int(amount)) for week, count, amount in tx.execute(sold)}
    back = {week: int(amount) for week, amount in tx.execute(given_back)}
    return tuple(
        SalesWeek(starts[week - 1].date(), *sales.get(week, (0, 0)), back.get(week, 0))
        for week in sorted({*sales, *back})
    )


def _by_week(
    moment: sa.ColumnElement[datetime], starts: Sequence[datetime], *sums: sa.ColumnElement[int]
) -> sa.Select[*tuple[Any, ...]]:
    # Which of the weeks, from 1 on: to ask for each row what time it was in the zone takes thrice as long.
    week = sa.func.width_bucket(moment, sa.cast(list(starts), sa.ARRAY(sa.DateTime(timezone=True))))
    return sa.select(week, *sums).where(moment >= starts[0]).group_by(week)
