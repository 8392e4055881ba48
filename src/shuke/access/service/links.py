"""Links that let somebody in once: to make the first owner, to join, to get back in. The token is only in the link.

Whoever hands a link on says who they trust; so a link for somebody to get back in takes away their second factors, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.access.model import Reader
from shuke.access.people_model import INVITATIONS_MAX, Invitation, LinkKind, NewUser, Welcome
from shuke.access.people_tables import links, teams, users
from shuke.access.rules.people import checked_email, email_key
from shuke.access.service import second_factors, sessions
from shuke.access.service.roles import get_role, may_give_role
from shuke.access.service.users import (
    OWNER,
    add_user,
    get_user,
    has_owner,
    hold_owners,
    outranks,
    set_password,
)
from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.base.ids import new_id
from shuke.platform import Transaction

__all__ = [
    "INVITATION_LASTS",
    "RESET_LASTS",
    "accept",
    "accept_by_email",
    "forget_links",
    "invite",
    "list_invitations",
    "reset_link",
    "reset_link_of_owner",
    "revoke_invitation",
    "set_up",
    "setup_link",
    "welcome",
]

INVITATION_LASTS = timedelta(days=7)
RESET_LASTS = timedelta(hours=24)
#: Links that were used or have expired are kept for so long, so that a late click is told what happened.
_KEPT = timedelta(days=30)


def setup_link(tx: Transaction, now: datetime) -> str | None:
    """A new token to make the first owner with, which replaces the one before; None when there is an owner."""
    hold_owners(tx)
    if has_owner(tx):
        return None
    tx.execute(sa.delete(links).where(links.c.kind == LinkKind.SETUP.value, links.c.used_at.is_(None)))
    token = sessions.new_token()
    tx.execute(sa.insert(links).values(_row(LinkKind.SETUP, token, now)))
    return token


def set_up(tx: Transaction, token: str, given: NewUser, now: datetime) -> UUID:
    """Make the first owner; of many who try at once, one.

    Raises:
        BadInput: ``access.bad_name``.
        NotFound: ``access.link_over``.
        Conflict: ``access.has_owner``.
    """
    # Whoever comes second waits here, and then finds the owner and not only a link that is used up.
    hold_owners(tx)
    if has_owner(tx):
        raise Conflict("access.has_owner")
    _take(tx, token, now, LinkKind.SETUP)
    return add_user(tx, replace(given, role=OWNER), now)


def invite(
    tx: Transaction,
    reader: Reader,
    *,
    email: str,
    role: str,
    places: Sequence[str],
    team_id: UUID | None,
    now: datetime,
) -> tuple[Invitation, str]:
    """An invitation and its token; an earlier one of the same address counts no more.

    Raises:
        BadInput: ``access.bad_email``, ``access.bad_places``, ``access.too_many_invitations``.
        NotAllowed: ``access.beyond_your_own``.
        NotFound: ``access.no_role``, ``access.no_team``.
        Conflict: ``access.email_taken``.
    """
    plain, token = checked_email(email), sessions.new_token()
    kept = may_give_role(reader, get_role(tx, role), places)
    if tx.scalar(sa.select(users.c.user_id).where(users.c.email_key == email_key(plain))) is not None:
        raise Conflict("access.email_taken")
    if team_id is not None and tx.scalar(sa.select(teams.c.team_id).where(teams.c.team_id == team_id)) is None:
        raise NotFound("access.no_team")
    # Those that expired make room.
    tx.execute(sa.delete(links).where(links.c.kind == LinkKind.INVITATION.value, links.c.expires_at <= now))
    open_ones = sa.select(sa.func.count()).where(links.c.kind == LinkKind.INVITATION.value, links.c.used_at.is_(None))
    if tx.execute(open_ones).scalar_one() >= INVITATIONS_MAX:
        raise BadInput("access.too_many_invitations", limit=INVITATIONS_MAX)
    row = _row(LinkKind.INVITATION, token, now, INVITATION_LASTS)
    row |= {"email": plain, "email_key": email_key(plain), "role": role, "places": list(kept), "team_id": team_id}
    statement = insert(links).values(row)
    newer = {name: statement.excluded[name] for name in row if name != "kind"}
    open_one = (links.c.kind == sa.literal_column("'invitation'")) & links.c.used_at.is_(None)
    tx.execute(statement.on_conflict_do_update(index_elements=["email_key"], index_where=open_one, set_=newer))
    return _invitations(tx, links.c.link_id == row["link_id"])[0], token


def list_invitations(tx: Transaction, now: datetime) -> tuple[Invitation, ...]:
    """The invitations that may still be accepted, the latest first."""
    return _invitations(tx, links.c.used_at.is_(None) & (links.c.expires_at > now))


def revoke_invitation(tx: Transaction, invitation_id: UUID) -> None:
    """Take an invitation back; NotFound ``access.no_invitation``."""
    found = tx.execute(
        sa.delete(links).where(
            links.c.link_id == invitation_id, links.c.kind == LinkKind.INVITATION.value, links.c.used_at.is_(None)
        )
    )
    if found.rowcount == 0:
        raise NotFound("access.no_invitation")


def reset_link(tx: Transaction, reader: Reader, user_id: UUID, now: datetime) -> str:
    """The token of a link by which somebody gets back in; an earlier one counts no more.

    Raises:
        NotFound: ``access.no_user``.
        NotAllowed: ``access.beyond_your_own``.
        Conflict: ``access.is_disabled``.
    """
    user = get_user(tx, user_id)
    outranks(tx, reader, user)
    if user.disabled_at is not None:
        raise Conflict("access.is_disabled")
    return _reset(tx, user_id, now)


def reset_link_of_owner(tx: Transaction, email: str, now: datetime) -> tuple[str, UUID]:
    """The token of such a link for an owner, and who it is; NotFound ``access.no_such_owner``.

    An owner who was disabled is let in again, since whoever has the server decides.
    """
    found = sa.select(users.c.user_id).where(users.c.email_key == email_key(email), users.c.role == OWNER)
    user_id = tx.scalar(found)
    if user_id is None:
        raise NotFound("access.no_such_owner")
    tx.execute(sa.update(users).where(users.c.user_id == user_id).values(disabled_at=None))
    return _reset(tx, user_id, now), user_id


def welcome(tx: Transaction, token: str, now: datetime) -> Welcome:
    """What a link is for, while it is good; NotFound ``access.link_over``."""
    chosen = sa.select(
        links.c.kind,
        sa.func.coalesce(users.c.email, links.c.email, ""),
        sa.func.coalesce(users.c.name, ""),
        sa.func.coalesce(users.c.role, links.c.role, OWNER),
    ).select_from(links.outerjoin(users, users.c.user_id == links.c.user_id))
    row = tx.execute(chosen.where(_is_good(token, now))).first()
    if row is None:
        raise NotFound("access.link_over")
    return Welcome(LinkKind(row[0]), *row[1:])


def accept(tx: Transaction, token: str, *, name: str, password_hash: str, language: str, now: datetime) -> UUID:
    """Use an invitation, or a link to get back in, where name and language stay as they are; who it was.

    Raises:
        BadInput: ``access.bad_name``.
        NotFound: ``access.link_over``.
        Conflict: ``access.email_taken``.
    """
    row = _take(tx, token, now, LinkKind.INVITATION, LinkKind.RESET)
    if row.kind == LinkKind.INVITATION.value:
        return add_user(tx, replace(_invited(row, name, language), password_hash=password_hash), now)
    set_password(tx, row.user_id, password_hash)
    second_factors.remove_all(tx, row.user_id)
    sessions.end_sessions(tx, row.user_id)
    user_id: UUID = row.user_id
    return user_id


def accept_by_email(tx: Transaction, *, email: str, name: str, language: str, now: datetime) -> UUID | None:
    """Use the invitation of this address, which somebody else has proved to be theirs; None when there is none."""
    good = (links.c.kind == LinkKind.INVITATION.value) & links.c.used_at.is_(None) & (links.c.expires_at > now)
    used = sa.update(links).where(good, links.c.email_key == email_key(email)).values(used_at=now).returning(links)
    row = tx.execute(used).first()
    return None if row is None else add_user(tx, _invited(row, name, language), now)


def forget_links(tx: Transaction, now: datetime) -> int:
    """Delete what was used or has expired long ago; returns how many."""
    long_ago = now - _KEPT
    return tx.execute(sa.delete(links).where((links.c.used_at < long_ago) | (links.c.expires_at < long_ago))).rowcount


def _invited(row: sa.Row[Any], name: str, language: str) -> NewUser:
    places, team_id = tuple(row.places), row.team_id
    return NewUser(name=name, email=row.email, role=row.role, places=places, team_id=team_id, language=language)


def _reset(tx: Transaction, user_id: UUID, now: datetime) -> str:
    token = sessions.new_token()
    statement = insert(links).values(_row(LinkKind.RESET, token, now, RESET_LASTS) | {"user_id": user_id})
    newer = {name: statement.excluded[name] for name in ("link_id", "token_hash", "created_at", "expires_at")}
    open_one = (links.c.kind == sa.literal_column("'reset'")) & links.c.used_at.is_(None)
    tx.execute(statement.on_conflict_do_update(index_elements=["user_id"], index_where=open_one, set_=newer))
    return token


def _row(kind: LinkKind, token: str, now: datetime, lasts: timedelta | None = None) -> dict[str, Any]:
    return {
        "link_id": new_id(at_ms=int(now.timestamp() * 1000)),
        "kind": kind.value,
        "token_hash": sessions.hash_of(token),
        "created_at": now,
        "expires_at": lasts and now + lasts,
    }


def _is_good(token: str, now: datetime) -> sa.ColumnElement[bool]:
    in_time = links.c.expires_at.is_(None) | (links.c.expires_at > now)
    return (links.c.token_hash == sessions.hash_of(token)) & links.c.used_at.is_(None) & in_time


def _take(tx: Transaction, token: str, now: datetime, *kinds: LinkKind) -> sa.Row[Any]:
    """The link of this token, used from now on; of many at once, one has it."""
    good = _is_good(token, now) & links.c.kind.in_([kind.value for kind in kinds])
    row = tx.execute(sa.update(links).where(good).values(used_at=now).returning(links)).first()
    if row is None:
        raise NotFound("access.link_over")
    return row


def _invitations(tx: Transaction, which: sa.ColumnElement[bool]) -> tuple[Invitation, ...]:
    columns = (links.c.link_id, links.c.email, links.c.role, links.c.places, links.c.team_id)
    chosen = sa.select(*columns, links.c.created_at, links.c.expires_at).order_by(links.c.link_id.desc())
    rows = tx.execute(chosen.where(links.c.kind == LinkKind.INVITATION.value, which).limit(INVITATIONS_MAX))
    return tuple(
        Invitation(row.link_id, row.email, row.role, tuple(row.places), row.team_id, row.created_at, row.expires_at)
        for row in rows
    )
