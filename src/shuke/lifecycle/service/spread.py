"""How customers are spread: over stages then and now, over scores, and over what they are worth.

Each looks at all customers once, which takes some tenths of a second at a million.
"""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from shuke.base.errors import BadInput
from shuke.lifecycle.model import Flow, Flows, RfmCell, ValueBand, Values
from shuke.lifecycle.rules import bands
from shuke.lifecycle.service.reading import last_refresh
from shuke.lifecycle.tables import customer_facts as facts
from shuke.lifecycle.tables import customer_facts_history as history
from shuke.lifecycle.tables import refreshes
from shuke.platform import Transaction

__all__ = ["QUANTILES", "flows", "rfm_cells", "values"]

#: Shares of the customers whose value is said to be at most so much.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_FIFTH = 5
_VALUE = sa.func.coalesce(facts.c.total_clv_minor, facts.c.historic_clv_minor)


def flows(tx: Transaction, *, since: datetime, until: datetime) -> Flows:
    """How many went from which stage to which, as the facts were at the last refresh by each of the two moments.

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
    if last is None or latest is None:
        return Flows(first, last, None, ())
    before, after = _stood(since).subquery("before"), _stood(until).subquery("after")
    stages = (before.c.stage, after.c.stage)
    rows = tx.execute(
        sa.select(*stages, sa.func.count(), sa.func.sum(sa.func.coalesce(after.c.historic_clv_minor, 0)))
        .select_from(before.join(after, before.c.customer_id == after.c.customer_id, full=True))
        .where(stages[0].is_not(None) | stages[1].is_not(None))
        .group_by(*stages)
        .order_by(stages[0].nulls_first(), stages[1].nulls_first())
    )
    return Flows(
        first, last, latest.currency, tuple(Flow(was, now, count, int(value)) for was, now, count, value in rows)
    )


def _stood(moment: datetime) -> sa.Select[Any]:
    """Each customer as they were known at this moment."""
    return (
        sa.select(history.c.customer_id, history.c.stage, history.c.historic_clv_minor)
        .ext(distinct_on(history.c.customer_id))
        .where(history.c.as_of <= moment)
        .order_by(history.c.customer_id, history.c.as_of.desc())
    )


def rfm_cells(tx: Transaction) -> tuple[RfmCell, ...]:
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
        .group_by(*scores)
        .order_by(*scores)
    )
    return tuple(
        RfmCell(recency, frequency, count, int(historic), None if predicted is None else int(predicted), group)
        for recency, frequency, count, historic, predicted, group in rows
    )


def values(tx: Transaction) -> Values:
    """How the value of customers is spread."""
    latest = last_refresh(tx)
    within = [sa.func.percentile_disc(share).within_group(_VALUE) for share in QUANTILES]
    sums = (sa.func.count(), sa.func.sum(_VALUE), sa.func.min(_VALUE), sa.func.max(_VALUE))
    count, total, lowest, highest, *quantiles = tx.execute(sa.select(*sums, *within)).one()
    if latest is None or not count:
        return Values(None, 0, None, (), None, ())
    edges = bands(lowest=lowest, low=quantiles[0], highest=highest)
    # Which of the edges a value has passed: the first is 1.
    place = sa.func.width_bucket(_VALUE, sa.cast(list(edges), sa.ARRAY(sa.BigInteger))).label("place")
    rows = tx.execute(sa.select(place, sa.func.count(), sa.func.sum(_VALUE)).group_by(sa.text("place"))).all()
    found = {number: (customers, int(value)) for number, customers, value in rows}
    fifth = sa.select(_VALUE.label("value")).order_by(_VALUE.desc()).limit(-(-count // _FIFTH)).subquery()
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
