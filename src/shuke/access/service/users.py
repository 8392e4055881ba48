"""Accounts of people, and their teams. There is always an owner who can sign in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from shuke.access.model import Reader
from shuke.access.people_model import PAGE_MAX, TEAMS_MAX, NewUser, Team, User, UserPage
from shuke.access.people_tables import teams, users
from shuke.access.rules.people import checked_name, email_key
from shuke.access.rules.permissions import beyond
from shuke.access.service import keys, sessions
from shuke.access.service.roles import get_role, may_give_role, reader_for
from shuke.access.tables import roles
from shuke.base.errors import BadInput, Conflict, NotAllowed, NotFound
from shuke.base.ids import new_id
from shuke.platform import Transaction

__all__ = [
    "OWNER",
    "Change",
    "Changed",
    "Credentials",
    "add_team",
    "add_user",
    "change_self",
    "change_user",
    "credentials_of",
    "delete_team",
    "get_team",
    "get_user",
    "has_owner",
    "hold_owners",
    "list_teams",
    "list_users",
    "make_first_owner",
    "outranks",
    "rename_team",
    "set_password",
]

OWNER = "owner"

_TEAMS = sa.select(
    teams.c.team_id,
    teams.c.name,
    sa.select(sa.func.count()).where(users.c.team_id == teams.c.team_id).scalar_subquery(),
)


@dataclass(frozen=True)
class Credentials:
    """What a password is checked against; never printed. ``email`` and ``name`` are what it may not be made of."""

    user_id: UUID
    email: str
    name: str
    password_hash: str | None
    disabled: bool

    def __repr__(self) -> str:
        """Only whose they are."""
        return f"Credentials({self.user_id})"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to change of an account; None stays as it is. ``team`` is (None,) to be in no team.

    With ``keep_keys`` the API keys go on that the person made and could not make any more.
    """

    role: str | None = None
    places: tuple[str, ...] | None = None
    disabled: bool | None = None
    team: tuple[UUID | None] | None = None
    keep_keys: bool = False


@dataclass(frozen=True)
class Changed:
    """An account as it was and as it is, and the API keys that ended with what changed."""

    before: User
    after: User
    ended_keys: tuple[UUID, ...]


def credentials_of(tx: Transaction, *, email: str | None = None, user_id: UUID | None = None) -> Credentials | None:
    """The credentials of the account with this address or id, if there is one."""
    which = users.c.user_id == user_id if email is None else users.c.email_key == email_key(email)
    columns = (users.c.user_id, users.c.email, users.c.name, users.c.password_hash, users.c.disabled_at)
    row = tx.execute(sa.select(*columns).where(which)).first()
    return row and Credentials(row.user_id, row.email, row.name, row.password_hash, row.disabled_at is not None)


def get_user(tx: Transaction, user_id: UUID) -> User:
    """One account; NotFound ``access.no_user``."""
    row = tx.execute(sa.select(users).where(users.c.user_id == user_id)).first()
    if row is None:
        raise NotFound("access.no_user")
    return _users(tx, [row])[0]


def list_users(tx: Transaction, *, after: UUID | None = None, limit: int = 100) -> UserPage:
    """Accounts in the order that they were made, at most :data:`PAGE_MAX` at a time."""
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput("access.bad_limit", limit=PAGE_MAX)
    chosen = sa.select(users).order_by(users.c.user_id).limit(limit + 1)
    rows = tx.execute(chosen if after is None else chosen.where(users.c.user_id > after)).all()
    shown = rows[:limit]
    return UserPage(tuple(_users(tx, shown)), shown[-1].user_id if len(rows) > limit else None)


def add_user(tx: Transaction, given: NewUser, now: datetime) -> UUID:
    """Make an account.

    Raises:
        BadInput: ``access.bad_name``.
        Conflict: ``access.email_taken`` when there is one with this address.
    """
    row = {name: getattr(given, name) for name in ("email", "role", "language", "password_hash", "team_id")}
    user_id = new_id(at_ms=int(now.timestamp() * 1000))
    row |= {"user_id": user_id, "created_at": now, "places": list(given.places)}
    row |= {"name": checked_name(given.name), "email_key": email_key(given.email)}
    # Not by way of an error, which PostgreSQL would write into its log together with the address.
    statement = insert(users).values(row).on_conflict_do_nothing(index_elements=["email_key"])
    if tx.execute(statement.returning(users.c.user_id)).first() is None:
        raise Conflict("access.email_taken")
    return user_id


def make_first_owner(tx: Transaction, given: NewUser, now: datetime) -> UUID:
    """Make the first owner; Conflict ``access.has_owner`` when there is one, and errors as for :func:`add_user`."""
    hold_owners(tx)
    if has_owner(tx):
        raise Conflict("access.has_owner")
    return add_user(tx, replace(given, role=OWNER), now)


def change_user(tx: Transaction, reader: Reader, user_id: UUID, change: Change, now: datetime) -> Changed:
    """Change an account. Who has another role, other places or is disabled has to sign in again.

    The API keys end that the person made and could not make any more, all of them of who is disabled, unless they are
    to be kept.

    Raises:
        BadInput: ``access.bad_places``.
        NotFound: ``access.no_user``, ``access.no_role``, ``access.no_team``.
        NotAllowed: ``access.beyond_your_own`` when the account has, or is to have, more than the reader.
        Conflict: ``access.last_owner``, ``access.not_yourself``.
    """
    hold_owners(tx)
    tx.execute(sa.select(users.c.user_id).where(users.c.user_id == user_id).with_for_update())
    before = get_user(tx, user_id)
    outranks(tx, reader, before)
    values: dict[str, Any] = {}
    if change.role is not None or change.places is not None:
        role = get_role(tx, before.role if change.role is None else change.role)
        # Another role has another kind of places.
        kept = before.places if change.role in (None, before.role) else ()
        values["role"] = role.name
        values["places"] = list(may_give_role(reader, role, kept if change.places is None else change.places))
    if change.disabled is not None:
        if change.disabled and reader.kind == "user" and reader.id == user_id:
            raise Conflict("access.not_yourself")
        values["disabled_at"] = (before.disabled_at or now) if change.disabled else None
    if change.team is not None:
        values["team_id"] = _known_team(tx, change.team[0])
    if values:
        tx.execute(sa.update(users).where(users.c.user_id == user_id).values(values))
    if not has_owner(tx):
        raise Conflict("access.last_owner")
    after = get_user(tx, user_id)
    if (before.role, before.places, before.disabled_at) == (after.role, after.places, after.disabled_at):
        return Changed(before, after, ())
    sessions.end_sessions(tx, user_id)
    return Changed(before, after, () if change.keep_keys else _end_keys(tx, after, now))


def _end_keys(tx: Transaction, user: User, now: datetime) -> tuple[UUID, ...]:
    maker = reader_for(tx, kind="user", id=user.user_id, name=user.name, role=user.role, places=user.places)
    return keys.end_keys_beyond(tx, None if user.disabled_at else maker, user.user_id, now)


def outranks(tx: Transaction, reader: Reader, user: User) -> None:
    """NotAllowed ``access.beyond_your_own`` when somebody may do, or see, more than the reader."""
    role = get_role(tx, user.role)
    if excess := beyond(reader, role.permissions, role.where, user.places, role.fields):
        raise NotAllowed("access.beyond_your_own", what=list(excess))


def change_self(tx: Transaction, user_id: UUID, *, name: str | None, language: str | None) -> None:
    """What everybody may change of their own account."""
    given = {"name": None if name is None else checked_name(name), "language": language}
    values = {field: value for field, value in given.items() if value is not None}
    if values:
        tx.execute(sa.update(users).where(users.c.user_id == user_id).values(values))


def set_password(tx: Transaction, user_id: UUID, password_hash: str) -> None:
    """Another password, or the same hashed anew."""
    tx.execute(sa.update(users).where(users.c.user_id == user_id).values(password_hash=password_hash))


def hold_owners(tx: Transaction) -> None:
    """Wait for whoever else is changing who the owners are, and have the others wait until the transaction ends."""
    tx.execute(sa.select(roles.c.name).where(roles.c.name == OWNER).with_for_update(key_share=True))


def has_owner(tx: Transaction) -> bool:
    """Whether there is an owner who can sign in."""
    there = sa.select(users.c.user_id).where(users.c.role == OWNER, users.c.disabled_at.is_(None)).limit(1)
    return tx.execute(there).first() is not None


def list_teams(tx: Transaction) -> tuple[Team, ...]:
    """Every team, by name, with how many accounts are in it."""
    return tuple(Team(*row) for row in tx.execute(_TEAMS.order_by(teams.c.name_key).limit(TEAMS_MAX)))


def get_team(tx: Transaction, team_id: UUID) -> Team:
    """One team; NotFound ``access.no_team``."""
    row = tx.execute(_TEAMS.where(teams.c.team_id == team_id)).first()
    if row is None:
        raise NotFound("access.no_team")
    return Team(*row)


def add_team(tx: Transaction, name: str, now: datetime) -> Team:
    """Make a team.

    Raises:
        BadInput: ``access.bad_name``, ``access.too_many_teams``.
        Conflict: ``access.team_exists``.
    """
    plain = checked_name(name)
    if tx.execute(sa.select(sa.func.count()).select_from(teams)).scalar_one() >= TEAMS_MAX:
        raise BadInput("access.too_many_teams", limit=TEAMS_MAX)
    made = Team(new_id(at_ms=int(now.timestamp() * 1000)), plain, 0)
    named = {"team_id": made.team_id, "name": plain, "name_key": plain.casefold(), "created_at": now}
    _once_by_name(tx, sa.insert(teams).values(named), plain)
    return made


def rename_team(tx: Transaction, team_id: UUID, name: str) -> Team:
    """Give a team another name; errors as for :func:`add_team`, and NotFound ``access.no_team``."""
    plain = checked_name(name)
    changed = sa.update(teams).where(teams.c.team_id == team_id).values(name=plain, name_key=plain.casefold())
    if _once_by_name(tx, changed, plain) == 0:
        raise NotFound("access.no_team")
    return get_team(tx, team_id)


def delete_team(tx: Transaction, team_id: UUID) -> None:
    """Dissolve a team; its people stay. NotFound ``access.no_team``."""
    if tx.execute(sa.delete(teams).where(teams.c.team_id == team_id)).rowcount == 0:
        raise NotFound("access.no_team")


def _once_by_name(tx: Transaction, statement: sa.Insert | sa.Update, name: str) -> int:
    try:
        with tx.begin_nested():
            return tx.execute(statement).rowcount
    except IntegrityError:
        raise Conflict("access.team_exists", name=name) from None


def _known_team(tx: Transaction, team_id: UUID | None) -> UUID | None:
    if team_id is not None and tx.scalar(sa.select(teams.c.team_id).where(teams.c.team_id == team_id)) is None:
        raise NotFound("access.no_team")
    return team_id


def _users(tx: Transaction, rows: Sequence[sa.Row[Any]]) -> list[User]:
    factors = sessions.factors_of(tx, [row.user_id for row in rows])
    return [
        User(
            user_id=row.user_id,
            name=row.name,
            email=row.email,
            role=row.role,
            places=tuple(row.places),
            team_id=row.team_id,
            language=row.language,
            created_at=row.created_at,
            disabled_at=row.disabled_at,
            signed_in_at=row.signed_in_at,
            second_factors=factors[row.user_id],
        )
        for row in rows
    ]
