"""Where customers stood at a moment that is past, by the history of their facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from shuke import profiles
from shuke.lifecycle.model import OUTSIDE, StoodIn
from shuke.lifecycle.tables import customer_facts_history as history
from shuke.platform import among

__all__ = ["stood", "stood_in"]


_KNOWN = ("customer_id", "stage", "orders", "historic_clv_minor", "r_score", "f_score", "rfm_group", "currency")


def stood(moment: datetime) -> sa.Select[Any]:
    """Each customer as they were known at this moment, by the columns of their history."""
    return (
        sa.select(*(history.c[name] for name in _KNOWN))
        .ext(distinct_on(history.c.customer_id))
        .where(history.c.as_of <= moment)
        .order_by(history.c.customer_id, history.c.as_of.desc())
    )


def stood_in(places: Sequence[StoodIn]) -> profiles.Chosen:
    """The customers who stood in all of these places; :func:`shuke.lifecycle.flows` counts the same ones."""
    first, last = min(places, key=lambda place: place.at), max(places, key=lambda place: place.at)
    moved = bool(first.stages and last.stages) and set(first.stages).isdisjoint(last.stages)
    known = sa.select(history.c.customer_id).distinct()
    if moved:
        # Whoever is elsewhere by the later moment came there in between, which an index knows.
        known = known.where(history.c.as_of > first.at, history.c.as_of <= last.at, sa.and_(*_fits(history.c, last)))

    def one(customer: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
        ever = sa.select(history.c.orders).where(history.c.customer_id == customer).limit(1).scalar_subquery()
        return sa.and_(ever.is_not(None), *(_stood_then(customer, place) for place in places))

    def some(limit: int) -> sa.Select[Any]:
        people = known.subquery("known")
        if moved:
            return sa.select(people.c.customer_id).where(one(people.c.customer_id)).limit(limit)
        chosen = sa.select(people.c.customer_id)
        for number, place in enumerate(places):
            then = stood(place.at).subquery(f"then_{number}")
            chosen = chosen.outerjoin(then, then.c.customer_id == people.c.customer_id).where(*_fits(then.c, place))
        return chosen.limit(limit)

    return profiles.Chosen(some, one)


def _stood_then(customer: sa.ColumnElement[UUID], place: StoodIn) -> sa.ColumnElement[bool]:
    """Whether a customer stood there; who was not known at the moment stood outside."""
    fits = (
        sa.select(sa.func.coalesce(sa.and_(*_fits(history.c, place)), sa.false()))
        .where(history.c.customer_id == customer, history.c.as_of <= place.at)
        .order_by(history.c.as_of.desc())
        .limit(1)
        .scalar_subquery()
    )
    unknown = OUTSIDE in place.stages and place == StoodIn(place.stages, place.at)
    return sa.func.coalesce(fits, sa.literal(unknown))


def _fits(known: sa.ColumnCollection[str, sa.ColumnElement[Any]], place: StoodIn) -> list[sa.ColumnElement[bool]]:
    """The conditions on what was known of a customer."""
    stage, value = known["stage"], known["historic_clv_minor"]
    fits = [sa.func.coalesce(stage, OUTSIDE) == among("text", place.stages) if place.stages else stage.is_not(None)]
    scores = ((known["r_score"], place.r_scores), (known["f_score"], place.f_scores))
    fits += [score.in_(given) for score, given in scores if given]
    if place.value_min_minor is not None:
        fits.append(value >= place.value_min_minor)
    if place.value_max_minor is not None:
        fits.append(value <= place.value_max_minor)
    return fits
