"""Views: made, changed, shared, deleted and brought back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from shuke.base.errors import BadInput, Conflict, NotAllowed, NotFound
from shuke.base.ids import new_id
from shuke.lifecycle.model import Column, Sort, View, ViewGiven
from shuke.lifecycle.tables import default_views, views
from shuke.platform import Transaction

__all__ = [
    "NAME_CHARACTERS_MAX",
    "OWN_MAX",
    "SHARED_MAX",
    "Who",
    "change_view",
    "choose_default",
    "default_view",
    "delete_view",
    "get_view",
    "list_views",
    "make_view",
    "restore_view",
]

NAME_CHARACTERS_MAX = 80
#: Views of one person, and of all together.
OWN_MAX = 100
SHARED_MAX = 200
#: For so long a view that was deleted can be brought back.
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Who:
    """Whose views they are, of a key that nobody made nobody's; and whether they may change everybody's."""

    person: UUID | None
    shares: bool


def list_views(tx: Transaction, person: UUID | None) -> tuple[View, ...]:
    """Everybody's views, then those of this person, by name."""
    mine = ~views.c.shared & (views.c.made_by == person)
    rows = tx.execute(
        sa.select(views)
        .where(views.c.deleted_at.is_(None), views.c.shared | mine)
        .order_by(views.c.shared.desc(), sa.func.lower(views.c.name), views.c.view_id)
        .limit(OWN_MAX + SHARED_MAX)
    )
    return tuple(_view(row) for row in rows)


def get_view(tx: Transaction, person: UUID | None, view_id: UUID) -> View:
    """One view; NotFound ``lifecycle.no_view``, also of what is another's own."""
    row = tx.execute(sa.select(views).where(views.c.view_id == view_id, *_seen_by(person))).one_or_none()
    if row is None:
        raise NotFound("lifecycle.no_view", view_id=str(view_id))
    return _view(row)


def default_view(tx: Transaction, person: UUID | None) -> UUID | None:
    """The view that this person begins with, if they may see it still."""
    return tx.scalar(
        sa.select(views.c.view_id)
        .join(default_views, default_views.c.view_id == views.c.view_id)
        .where(default_views.c.user_id == person, *_seen_by(person))
    )


def make_view(tx: Transaction, who: Who, given: ViewGiven, now: datetime) -> View:
    """Keep a view.

    Raises:
        BadInput: ``lifecycle.bad_view_name``, ``lifecycle.nobodys_view``, ``lifecycle.too_many_views``.
        NotAllowed: ``lifecycle.may_not_share``.
        Conflict: ``lifecycle.view_exists`` when one of the same name is there.
    """
    _check(who, given)
    _make_room(tx, who, shared=given.shared)
    row = {**_columns(given), "made_by": who.person, "created_at": now, "updated_at": now}
    view_id = new_id(at_ms=int(now.timestamp() * 1000))
    tx.execute(sa.delete(views).where(views.c.deleted_at < now - KEPT))
    return _kept(tx, sa.insert(views).values(view_id=view_id, **row).returning(views), given.name)


def change_view(tx: Transaction, who: Who, view_id: UUID, given: ViewGiven, now: datetime) -> tuple[View, View]:
    """Replace what a view says; the view before, and now. Errors as :func:`make_view`, and NotFound as for others."""
    _check(who, given)
    before = _find(tx, who, view_id)
    if given.shared != before.shared:
        _make_room(tx, who, shared=given.shared)
    # Who takes a view back for themselves takes it from everybody, and so it is theirs.
    owner = {} if given.shared == before.shared or given.shared else {"made_by": who.person}
    changed = sa.update(views).where(views.c.view_id == view_id).values(**_columns(given), **owner, updated_at=now)
    return before, _kept(tx, changed.returning(views), given.name)


def delete_view(tx: Transaction, who: Who, view_id: UUID, now: datetime) -> View:
    """Delete a view; for :data:`KEPT` it can be brought back.

    Raises:
        NotFound: ``lifecycle.no_view``, also of what is another's own.
        NotAllowed: ``lifecycle.may_not_share`` for everybody's.
    """
    gone = _find(tx, who, view_id)
    tx.execute(sa.update(views).where(views.c.view_id == view_id).values(deleted_at=now))
    return gone


def restore_view(tx: Transaction, who: Who, view_id: UUID, now: datetime) -> View:
    """Bring back a view that was deleted; errors as :func:`delete_view` and :func:`make_view`."""
    found = _find(tx, who, view_id, deleted_since=now - KEPT)
    _make_room(tx, who, shared=found.shared)
    again = sa.update(views).where(views.c.view_id == view_id).values(deleted_at=None)
    return _kept(tx, again.returning(views), found.name)


def choose_default(tx: Transaction, who: Who, view_id: UUID | None) -> None:
    """Let a person begin with a view, or with none.

    Raises:
        BadInput: ``lifecycle.nobodys_view``.
        NotFound: ``lifecycle.no_view``.
    """
    if who.person is None:
        raise BadInput("lifecycle.nobodys_view")
    if view_id is None:
        tx.execute(sa.delete(default_views).where(default_views.c.user_id == who.person))
        return
    if tx.scalar(sa.select(views.c.view_id).where(views.c.view_id == view_id, *_seen_by(who.person))) is None:
        raise NotFound("lifecycle.no_view", view_id=str(view_id))
    choosing = insert(default_views).values(user_id=who.person, view_id=view_id)
    tx.execute(choosing.on_conflict_do_update(index_elements=["user_id"], set_={"view_id": view_id}))


def _seen_by(person: UUID | None) -> tuple[sa.ColumnElement[bool], ...]:
    return views.c.deleted_at.is_(None), views.c.shared | (views.c.made_by == person)


def _check(who: Who, given: ViewGiven) -> None:
    name = given.name
    if name != name.strip() or not name.isprintable() or not 0 < len(name) <= NAME_CHARACTERS_MAX:
        raise BadInput("lifecycle.bad_view_name", limit=NAME_CHARACTERS_MAX)
    if given.shared and not who.shares:
        raise NotAllowed("lifecycle.may_not_share")
    if not given.shared and who.person is None:
        raise BadInput("lifecycle.nobodys_view")


def _make_room(tx: Transaction, who: Who, *, shared: bool) -> None:
    """BadInput ``lifecycle.too_many_views`` when there is no room for another."""
    there = views.c.shared if shared else ~views.c.shared & (views.c.made_by == who.person)
    count = tx.scalar(sa.select(sa.func.count()).select_from(views).where(views.c.deleted_at.is_(None), there)) or 0
    limit = SHARED_MAX if shared else OWN_MAX
    if count >= limit:
        raise BadInput("lifecycle.too_many_views", limit=limit)


def _find(tx: Transaction, who: Who, view_id: UUID, *, deleted_since: datetime | None = None) -> View:
    """A view that may be changed, which nobody else changes meanwhile."""
    state = views.c.deleted_at.is_(None) if deleted_since is None else views.c.deleted_at >= deleted_since
    row = tx.execute(sa.select(views).where(views.c.view_id == view_id, state).with_for_update()).one_or_none()
    if row is None or not (row.shared or (row.made_by is not None and row.made_by == who.person)):
        raise NotFound("lifecycle.no_view", view_id=str(view_id))
    if row.shared and not who.shares:
        raise NotAllowed("lifecycle.may_not_share")
    return _view(row)


def _kept(tx: Transaction, statement: Any, name: str) -> View:
    try:
        with tx.begin_nested():
            return _view(tx.execute(statement).one())
    except IntegrityError:
        raise Conflict("lifecycle.view_exists", name=name) from None


def _columns(given: ViewGiven) -> dict[str, Any]:
    return {**vars(given), "columns": [column.value for column in given.columns], "sort": given.sort.value}


def _view(row: sa.Row[Any]) -> View:
    said = {declared.name: getattr(row, declared.name) for declared in fields(View)}
    return View(**{**said, "columns": tuple(Column(one) for one in row.columns), "sort": Sort(row.sort)})
