"""How the brand stands: customers by stage and what they are worth, and what the last weeks brought."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from shuke import collect, profiles
from shuke.lifecycle.model import Overview, Refresh, StageTotal, Week
from shuke.lifecycle.rules import mondays
from shuke.lifecycle.service.reading import last_refresh
from shuke.lifecycle.service.spread import stage_values
from shuke.lifecycle.tables import customer_facts, refreshes, stage_totals
from shuke.platform import Transaction

__all__ = ["overview"]

WEEKS = 13
_WEEK = timedelta(days=7)


def overview(tx: Transaction, *, everybody: bool = True) -> Overview:
    """How things stand as of the last refresh. Weeks are those of the refresh's time zone, the present one last.

    Where the reader does not see ``everybody``, it is counted of those whom they see, and there is no comparison.
    """
    people = profiles.present().subquery("people")
    present = tx.scalar(sa.select(sa.func.count()).select_from(people)) or 0
    latest = last_refresh(tx)
    if latest is None:
        return Overview(None, None, present, present, (), ())
    compared, stages = _stages(tx, latest.as_of) if everybody else (None, stage_values(tx).stages)
    return Overview(
        refresh=latest,
        compared_with=compared,
        customers=present,
        without_order=max(present - sum(one.customers for one in stages), 0),
        stages=stages,
        weeks=_weeks(tx, latest),
    )


def _stages(tx: Transaction, as_of: datetime) -> tuple[datetime | None, tuple[StageTotal, ...]]:
    """The totals of a refresh, and of the last one that was a week earlier or more."""
    total = stage_totals.c
    compared = tx.scalar(sa.select(sa.func.max(total.as_of)).where(total.as_of <= as_of - _WEEK))
    was = sa.select(total.stage, total.customers).where(total.as_of == compared)
    before = {row.stage: row.customers for row in tx.execute(was)} if compared else {}
    rows = tx.execute(sa.select(stage_totals).where(total.as_of == as_of).order_by(total.stage)).all()
    now = tuple(
        StageTotal(
            row.stage,
            row.customers,
            row.orders,
            row.historic_minor,
            row.predicted_minor,
            before.get(row.stage, 0) if compared else None,
        )
        for row in rows
    )
    return compared, now


def _weeks(tx: Transaction, latest: Refresh) -> tuple[Week, ...]:
    starts = mondays(latest.as_of, latest.time_zone, WEEKS)
    sold = {
        week.monday: week
        for week in collect.sales_by_week(tx, starts=starts, until=latest.as_of, currency=latest.currency or "")
    }
    new = _counted(tx, customer_facts.c.first_order_at, starts)
    # Whoever was lost already when it was looked for the first time was not lost then.
    first = sa.select(sa.func.min(refreshes.c.as_of)).scalar_subquery()
    # Said in the statement itself, so that the index of those who are lost always answers.
    found_lost = (customer_facts.c.stage == sa.literal_column("'lost'"), customer_facts.c.stage_since > first)
    lost = _counted(tx, customer_facts.c.stage_since, starts, *found_lost)
    weeks = []
    for start in starts:
        monday = start.date()
        sales = sold.get(monday)
        weeks.append(
            Week(
                monday,
                sales.orders if sales else 0,
                sales.revenue_minor if sales else 0,
                sales.refunds_minor if sales else 0,
                new.get(monday, 0),
                lost.get(monday, 0),
            )
        )
    return tuple(weeks)


def _counted(
    tx: Transaction,
    moment: sa.ColumnElement[datetime],
    starts: Sequence[datetime],
    *conditions: sa.ColumnElement[bool],
) -> dict[date, int]:
    """How many customers by the Monday before something happened."""
    week = sa.func.width_bucket(moment, sa.cast(list(starts), sa.ARRAY(sa.DateTime(timezone=True))))
    rows = tx.execute(sa.select(week, sa.func.count()).where(moment >= starts[0], *conditions).group_by(week))
    return {starts[row[0] - 1].date(): row[1] for row in rows}
