"""How customers are spread: over stages then and now, over scores, and over what they are worth.

Each looks at all customers once, which takes some tenths of a second at a million.

**Of a day that is past** is told what was known at the last refresh by then, from the history of the facts: stages,
scores, orders, and what was brought. What was expected of each customer changes every night and is not kept in full, so
that of it only the sums of each refresh are told. Whoever was merged into somebody since, or erased, is not counted, as
they are in no list.
"""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shuke import profiles
from shuke.base.errors import BadInput
from shuke.lifecycle.model import AsKnown, Flow, Flows, RfmCell, RfmCells, StageTotal, StageValues, ValueBand, Values
from shuke.lifecycle.rules import EDGES, bands
from shuke.lifecycle.service.reading import last_refresh
from shuke.lifecycle.service.standing import stood
from shuke.lifecycle.tables import customer_facts as facts
from shuke.lifecycle.tables import refreshes, stage_totals
from shuke.platform import Transaction

__all__ = ["QUANTILES", "Counted", "flows", "rfm_cells", "stage_values", "values"]

#: Shares of the customers whose value is said to be at most so much.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_FIFTH = 5


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Which customers are counted: by the channel and the store of their first order, and the currency of their facts.

    Channel and store are as they are known now, as in lists.
    """

    channel: str | None = None
    store: str | None = None
    currency: str | None = None


_ALL = Counted()


def flows(tx: Transaction, *, since: datetime, until: datetime, counted: Counted = _ALL) -> Flows:
    """How many went from which stage to which, as the facts were at the last refresh by each of the two moments.

    Raises:
        BadInput: ``lifecycle.bad_span`` when the second moment is not after the first.
    """
    if since >= until:
        raise BadInput("lifecycle.bad_span")
    earliest = tx.scalar(sa.select(sa.func.min(refreshes.c.as_of)))
    (first, _), (last, currency) = (_last_by(tx, moment) for moment in (since, until))
    if last is None or counted.currency not in (None, currency):
        return Flows(earliest, first, last, currency, ())
    before, after = (_then(moment, counted).subquery(name) for moment, name in ((since, "before"), (until, "after")))
    stages = (before.c.stage, after.c.stage)
    rows = tx.execute(
        sa.select(*stages, sa.func.count(), sa.func.sum(sa.func.coalesce(after.c.historic_clv_minor, 0)))
        .select_from(before.join(after, before.c.customer_id == after.c.customer_id, full=True))
        .where(stages[0].is_not(None) | stages[1].is_not(None))
        .group_by(*stages)
        .order_by(stages[0].nulls_first(), stages[1].nulls_first())
    )
    told = tuple(Flow(was, now, count, int(value)) for was, now, count, value in rows)
    return Flows(earliest, first, last, currency, told)


def stage_values(
    tx: Transaction, *, at: datetime | None = None, counted: Counted = _ALL, everybody: bool = True
) -> StageValues:
    """The customers of each stage, and what they brought and are expected to bring.

    Args:
        tx: the caller's.
        at: as known by this moment; None is now.
        counted: which customers.
        everybody: whether the reader sees all customers, of whom alone it is known what was expected in the past.
    """
    known, people = _as_known(tx, at, counted)
    rows = tx.execute(
        sa.select(
            people.c.stage,
            sa.func.count(),
            sa.func.sum(people.c.orders),
            sa.func.sum(people.c.historic_clv_minor),
            sa.func.sum(people.c.predicted_clv_minor),
        )
        .group_by(people.c.stage)
        .order_by(people.c.stage)
    ).all()
    expected = {stage: predicted for stage, *_, predicted in rows}
    if known.past and everybody and (counted.channel, counted.store) == (None, None):
        totals = sa.select(stage_totals.c.stage, stage_totals.c.predicted_minor)
        expected = {
            row.stage: row.predicted_minor for row in tx.execute(totals.where(stage_totals.c.as_of == known.as_of))
        }
    told = tuple(
        StageTotal(stage, count, int(orders), int(historic), _maybe(expected.get(stage)), None)
        for stage, count, orders, historic, _ in rows
    )
    return StageValues(known, told)


def rfm_cells(tx: Transaction, *, at: datetime | None = None, counted: Counted = _ALL) -> RfmCells:
    """Every pair of scores that somebody has, with what these customers brought and are expected to bring.

    Arguments as for :func:`stage_values`.
    """
    known, people = _as_known(tx, at, counted)
    scores = (people.c.r_score, people.c.f_score)
    rows = tx.execute(
        sa.select(
            *scores,
            sa.func.count(),
            sa.func.sum(people.c.historic_clv_minor),
            sa.func.sum(people.c.predicted_clv_minor),
            sa.func.min(people.c.rfm_group),
        )
        .group_by(*scores)
        .order_by(*scores)
    )
    told = (
        RfmCell(recency, frequency, count, int(historic), _maybe(predicted), group)
        for recency, frequency, count, historic, predicted, group in rows
    )
    return RfmCells(known, tuple(told))


def values(tx: Transaction, *, at: datetime | None = None, counted: Counted = _ALL) -> Values:
    """How the value of customers is spread; arguments as for :func:`stage_values`."""
    known, people = _as_known(tx, at, counted)
    # Used thrice, and therefore worked out once.
    worth = sa.select(people.c.value).cte("worth")
    value = worth.c.value
    place = sa.func.width_bucket(value, sa.cast(list(EDGES), sa.ARRAY(sa.BigInteger))).label("place")
    placed = sa.select(place, sa.func.count().label("customers"), sa.func.sum(value).label("minor"))
    placed_rows = placed.group_by(sa.text("place")).subquery("placed")
    fifth = sa.select((sa.func.count() + (_FIFTH - 1)) // _FIFTH).select_from(worth).scalar_subquery()
    best = sa.select(value).order_by(value.desc()).limit(fifth).subquery("best")
    row = tx.execute(
        sa.select(
            sa.func.count(),
            sa.func.sum(value),
            sa.func.min(value),
            sa.func.max(value),
            sa.select(sa.func.sum(best.c.value)).scalar_subquery(),
            sa.select(sa.func.jsonb_agg(sa.func.jsonb_build_array(*placed_rows.c))).scalar_subquery(),
            *(sa.func.percentile_disc(share).within_group(value) for share in QUANTILES),
        )
    ).one()
    count, total, lowest, highest, top, found, *quantiles = row
    if not count:
        return Values(known, 0, None, (), None, ())
    return Values(
        known,
        customers=count,
        mean_minor=round(int(total) / count),
        quantiles=tuple(quantiles),
        top_share=float(top) / float(total) if total > 0 else None,
        bands=_bands(bands(lowest=lowest, low=quantiles[0], highest=highest), found),
    )


def _bands(edges: tuple[int, ...], found: list[tuple[int, int, int]]) -> tuple[ValueBand, ...]:
    """Customers and money by band; ``found`` has them by how many of all edges their value has passed."""
    sums = [[0, 0] for _ in edges[1:]]
    for passed, customers, minor in found:
        band = sums[bisect.bisect(edges, EDGES[passed - 1], lo=1) - 1 if passed else 0]
        band[0] += customers
        band[1] += minor
    pairs = zip(itertools.pairwise(edges), sums, strict=True)
    return tuple(ValueBand(low, high, customers, minor) for (low, high), (customers, minor) in pairs)


def _maybe(minor: Any) -> int | None:
    return None if minor is None else int(minor)


def _last_by(tx: Transaction, moment: datetime) -> tuple[datetime | None, str | None]:
    """The last refresh by a moment, and the currency that all facts were in."""
    row = tx.execute(
        sa.select(refreshes.c.as_of, refreshes.c.currency)
        .where(refreshes.c.as_of <= moment)
        .order_by(refreshes.c.as_of.desc(), refreshes.c.finished_at.desc())
        .limit(1)
    ).one_or_none()
    return (None, None) if row is None else (row.as_of, row.currency)


def _as_known(tx: Transaction, at: datetime | None, counted: Counted) -> tuple[AsKnown, sa.Subquery]:
    """Of when figures are, and the customers whom they count with what was known of them then."""
    latest = last_refresh(tx)
    if latest is None:
        return AsKnown(), _now(counted).subquery("people")
    earliest = tx.scalar(sa.select(sa.func.min(refreshes.c.as_of)))
    if at is None or at >= latest.as_of:
        known = AsKnown(first=earliest, as_of=latest.as_of, currency=latest.currency)
        return known, _now(counted).subquery("people")
    as_of, currency = _last_by(tx, at)
    then = _then(at, counted).subquery("then")
    people = sa.select(
        then, sa.null().cast(sa.BigInteger).label("predicted_clv_minor"), then.c.historic_clv_minor.label("value")
    ).where(then.c.stage.is_not(None))
    return AsKnown(first=earliest, as_of=as_of, past=True, currency=currency), people.subquery("people")


def _now(counted: Counted) -> sa.Select[Any]:
    """Those who are counted as of the last refresh."""
    worth = sa.func.coalesce(facts.c.total_clv_minor, facts.c.historic_clv_minor).label("value")
    return _counted(sa.select(facts, worth), facts.c.currency, counted)


def _then(moment: datetime, counted: Counted) -> sa.Select[Any]:
    """Those who are counted as they were known at a moment; ``stage`` is null once no order was theirs any more."""
    known, present = stood(moment).subquery("known"), profiles.present().subquery("present")
    people = sa.select(known).where(known.c.customer_id.in_(sa.select(present.c.customer_id)))
    if counted.channel is not None or counted.store is not None:
        people = people.join(facts, facts.c.customer_id == known.c.customer_id)
    return _counted(people, known.c.currency, counted)


def _counted(people: sa.Select[Any], currency: sa.ColumnElement[Any], counted: Counted) -> sa.Select[Any]:
    given = (
        (facts.c.first_channel, counted.channel),
        (facts.c.first_store, counted.store),
        (currency, counted.currency),
    )
    return people.where(*(column == word for column, word in given if word is not None))
