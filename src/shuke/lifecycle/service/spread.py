"""How customers are spread: over stages then and now, over scores, and over what they are worth.

Each looks at all customers once, which takes some tenths of a second at a million.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shuke.base.errors import BadInput
from shuke.lifecycle.model import Flow, Flows, RfmCell, StageTotal, ValueBand, Values
from shuke.lifecycle.rules import bands
from shuke.lifecycle.service.reading import last_refresh
from shuke.lifecycle.service.standing import stood
from shuke.lifecycle.tables import customer_facts as facts
from shuke.lifecycle.tables import customer_facts_history as history
from shuke.lifecycle.tables import refreshes
from shuke.platform import Transaction

__all__ = ["QUANTILES", "flows", "rfm_cells", "stage_values", "values"]

#: Shares of the customers whose value is said to be at most so much.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_FIFTH = 5
_VALUE = sa.func.coalesce(facts.c.total_clv_minor, facts.c.historic_clv_minor)


def flows(
    tx: Transaction, *, since: datetime, until: datetime, channel: str | None = None, store: str | None = None
) -> Flows:
    """How many went from which stage to which, as the facts were at the last refresh by each of the two moments.

    With a ``channel`` or ``store``, those whose first order was there.

    Raises:
        BadInput: ``lifecycle.bad_span`` when the second moment is not after the first.
    """
    if since >= until:
        raise BadInput("lifecycle.bad_span")
    first, last = (
        tx.scalar(sa.select(sa.func.max(refreshes.c.as_of)).where(refreshes.c.as_of <= moment))
        for moment in (since, until)
    )
    latest = last_refresh(tx)
    earliest = tx.scalar(sa.select(sa.func.min(refreshes.c.as_of)))
    if last is None or latest is None:
        return Flows(earliest, first, last, None, ())
    first_there = _first_there(channel, store)
    before, after = (
        _with_first_order(stood(moment), first_there).subquery(name)
        for moment, name in ((since, "before"), (until, "after"))
    )
    stages = (before.c.stage, after.c.stage)
    rows = tx.execute(
        sa.select(*stages, sa.func.count(), sa.func.sum(sa.func.coalesce(after.c.historic_clv_minor, 0)))
        .select_from(before.join(after, before.c.customer_id == after.c.customer_id, full=True))
        .where(stages[0].is_not(None) | stages[1].is_not(None))
        .group_by(*stages)
        .order_by(stages[0].nulls_first(), stages[1].nulls_first())
    )
    return Flows(
        earliest,
        first,
        last,
        latest.currency,
        tuple(Flow(was, now, count, int(value)) for was, now, count, value in rows),
    )


def _with_first_order(stood: sa.Select[Any], first_there: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """Of these customers those whose facts say so of the first order."""
    if not first_there:
        return stood
    return stood.join(facts, facts.c.customer_id == history.c.customer_id).where(*first_there)


def _first_there(channel: str | None, store: str | None) -> list[sa.ColumnElement[bool]]:
    """The conditions that the first order was by this channel, at this store."""
    given = ((facts.c.first_channel, channel), (facts.c.first_store, store))
    return [column == word for column, word in given if word is not None]


def stage_values(tx: Transaction, *, channel: str | None = None, store: str | None = None) -> tuple[StageTotal, ...]:
    """The customers of each stage as of the last refresh, and what they brought and are expected to bring."""
    rows = tx.execute(
        sa.select(
            facts.c.stage,
            sa.func.count(),
            sa.func.sum(facts.c.orders),
            sa.func.sum(facts.c.historic_clv_minor),
            sa.func.sum(facts.c.predicted_clv_minor),
        )
        .where(*_first_there(channel, store))
        .group_by(facts.c.stage)
        .order_by(facts.c.stage)
    )
    return tuple(
        StageTotal(stage, count, int(orders), int(historic), None if predicted is None else int(predicted), None)
        for stage, count, orders, historic, predicted in rows
    )


def rfm_cells(tx: Transaction, *, channel: str | None = None, store: str | None = None) -> tuple[RfmCell, ...]:
    """Every pair of scores that somebody has, with what these customers brought and are expected to bring."""
    scores = (facts.c.r_score, facts.c.f_score)
    rows = tx.execute(
        sa.select(
            *scores,
            sa.func.count(),
            sa.func.sum(facts.c.historic_clv_minor),
            sa.func.sum(facts.c.predicted_clv_minor),
            sa.func.min(facts.c.rfm_group),
        )
        .where(*_first_there(channel, store))
        .group_by(*scores)
        .order_by(*scores)
    )
    return tuple(
        RfmCell(recency, frequency, count, int(historic), None if predicted is None else int(predicted), group)
        for recency, frequency, count, historic, predicted, group in rows
    )


def values(tx: Transaction, *, channel: str | None = None, store: str | None = None) -> Values:
    """How the value of customers is spread."""
    latest = last_refresh(tx)
    first_there = _first_there(channel, store)
    within = [sa.func.percentile_disc(share).within_group(_VALUE) for share in QUANTILES]
    sums = (sa.func.count(), sa.func.sum(_VALUE), sa.func.min(_VALUE), sa.func.max(_VALUE))
    count, total, lowest, highest, *quantiles = tx.execute(sa.select(*sums, *within).where(*first_there)).one()
    if latest is None or not count:
        return Values(None, 0, None, (), None, ())
    edges = bands(lowest=lowest, low=quantiles[0], highest=highest)
    # Which of the edges a value has passed: the first is 1.
    place = sa.func.width_bucket(_VALUE, sa.cast(list(edges), sa.ARRAY(sa.BigInteger))).label("place")
    summed = sa.select(place, sa.func.count(), sa.func.sum(_VALUE)).where(*first_there)
    rows = tx.execute(summed.group_by(sa.text("place"))).all()
    found = {number: (customers, int(value)) for number, customers, value in rows}
    fifth = (
        sa.select(_VALUE.label("value"))
        .where(*first_there)
        .order_by(_VALUE.desc())
        .limit(-(-count // _FIFTH))
        .subquery()
    )
    best = tx.scalar(sa.select(sa.func.sum(fifth.c.value))) or 0
    return Values(
        currency=latest.currency,
        customers=count,
        mean_minor=round(int(total) / count),
        quantiles=tuple(quantiles),
        top_share=float(best) / float(total) if total > 0 else None,
        bands=tuple(
            ValueBand(low, high, *found.get(number, (0, 0)))
            for number, (low, high) in enumerate(itertools.pairwise(edges), 1)
        ),
    )
