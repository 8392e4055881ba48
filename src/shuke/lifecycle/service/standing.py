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


def stood(moment: datetime) -> sa.Select[Any]:
    """Each customer as they were known at this moment: customer_id, stage, historic_clv_minor."""
    return (
        sa.select(history.c.customer_id, history.c.stage, history.c.historic_clv_minor)
        .ext(distinct_on(history.c.customer_id))
        .where(history.c.as_of <= moment)
        .order_by(history.c.customer_id, history.c.as_of.desc())
    )


def stood_in(places: Sequence[StoodIn]) -> profiles.Chosen:
    """The customers who stood in all of these places; :func:`shuke.lifecycle.flows` counts the same ones."""
    first, last = min(places, key=lambda place: place.at), max(places, key=lambda place: place.at)
    moved = set(first.stages).isdisjoint(last.stages)
    known = sa.select(history.c.customer_id).distinct()
    if moved:
        # Whoever is elsewhere by the later moment came there in between, which an index knows.
        known = known.where(
            history.c.as_of > first.at, history.c.as_of <= last.at, _words(history.c.stage, last.stages)
        )

    def one(customer: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
        ever = sa.select(history.c.orders).where(history.c.customer_id == customer).limit(1).scalar_subquery()
        return sa.and_(ever.is_not(None), *(_words(_stage_at(customer, place.at), place.stages) for place in places))

    def some(limit: int) -> sa.Select[Any]:
        people = known.subquery("known")
        if moved:
            return sa.select(people.c.customer_id).where(one(people.c.customer_id)).limit(limit)
        chosen = sa.select(people.c.customer_id)
        for number, place in enumerate(places):
            then = stood(place.at).subquery(f"then_{number}")
            chosen = chosen.outerjoin(then, then.c.customer_id == people.c.customer_id).where(
                _words(then.c.stage, place.stages)
            )
        return chosen.limit(limit)

    return profiles.Chosen(some, one)


def _stage_at(customer: sa.ColumnElement[UUID], moment: datetime) -> sa.ScalarSelect[str | None]:
    return (
        sa.select(history.c.stage)
        .where(history.c.customer_id == customer, history.c.as_of <= moment)
        .order_by(history.c.as_of.desc())
        .limit(1)
        .scalar_subquery()
    )


def _words(stage: sa.ColumnElement[Any], words: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(stage, OUTSIDE) == among("text", words)
