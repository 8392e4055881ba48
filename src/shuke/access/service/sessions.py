"""Sessions, kept on the server: the browser has a random token, the database its hash and everything else.

Whoever shows anew who they are gets a new session, and the old one ends; so a token that was planted in a browser
before is worth nothing after.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa

from shuke.access.model import SignedIn
from shuke.access.people_model import SESSIONS_MAX, Factor, Mine, NewSession, Session, SessionLimits, Waiting, Way
from shuke.access.people_tables import passkeys, recovery_codes, sessions, totp, users
from shuke.access.rules.people import short_agent
from shuke.access.rules.sessions import SEEN_EVERY
from shuke.base.errors import NotFound
from shuke.base.ids import new_id
from shuke.platform import Transaction

__all__ = [
    "PENDING",
    "begin_session",
    "end_by_token",
    "end_session",
    "end_sessions",
    "factors_of",
    "forget_sessions",
    "hash_of",
    "in_use",
    "list_sessions",
    "mine",
    "new_token",
    "note_use",
    "renew",
    "signed_in",
    "waiting_for_second",
]

_TOKEN_BYTES = 32
#: How long the second factor may be waited for.
PENDING = SessionLimits(idle_seconds=600, seconds_max=600)


def new_token() -> str:
    """A token of 256 bits, as it stands in a cookie or a link."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """What is kept of a token. It is random and long, so a plain hash cannot be tried."""
    return sha256(token.encode()).digest()


def begin_session(
    tx: Transaction,
    user_id: UUID,
    *,
    ways: Collection[Way],
    limits: SessionLimits,
    agent: str,
    now: datetime,
    asks: tuple[Factor, ...] = (),
) -> NewSession:
    """A new session of this person; where something is still asked for, one that lets nobody in and ends soon."""
    lasts = PENDING if asks else limits
    token, session_id = new_token(), new_id()
    tx.execute(
        sa.insert(sessions).values(
            session_id=session_id,
            token_hash=hash_of(token),
            user_id=user_id,
            csrf_token=new_token(),
            pending=bool(asks),
            ways=sorted(ways),
            agent=short_agent(agent),
            created_at=now,
            signed_in_at=now,
            seen_at=now,
            idle_seconds=lasts.idle_seconds,
            ends_at=now + timedelta(seconds=lasts.seconds_max),
        )
    )
    if not asks:
        tx.execute(sa.update(users).where(users.c.user_id == user_id).values(signed_in_at=now))
        _end_oldest(tx, user_id)
    return NewSession(session_id, token, lasts.seconds_max, asks)


def signed_in(tx: Transaction, token: str, now: datetime) -> SignedIn | None:
    """Whose token this is, if the session is good and the account is not disabled. Changes nothing."""
    found = in_use(tx, token, now)
    return found and found[0]


def in_use(tx: Transaction, token: str, now: datetime) -> tuple[SignedIn, bool] | None:
    """Likewise, and whether it is time to write down that the session is in use."""
    person = (users.c.user_id, users.c.name, users.c.role, users.c.places)
    columns = (sessions.c.session_id, *person, sessions.c.csrf_token, sessions.c.seen_at)
    chosen = sa.select(*columns).join(users, users.c.user_id == sessions.c.user_id)
    row = tx.execute(chosen.where(sessions.c.token_hash == hash_of(token), ~sessions.c.pending, _lasts(now))).first()
    if row is None:
        return None
    found = SignedIn(row.session_id, row.user_id, row.name, row.role, tuple(row.places), row.csrf_token)
    return found, row.seen_at < now - SEEN_EVERY


def mine(tx: Transaction, session_id: UUID) -> Mine:
    """The session of whoever asks; NotFound ``access.no_session`` when it has just ended."""
    columns = (sessions.c.session_id, sessions.c.user_id, sessions.c.csrf_token, sessions.c.signed_in_at)
    row = tx.execute(sa.select(*columns, sessions.c.seen_at).where(sessions.c.session_id == session_id)).first()
    if row is None:
        raise NotFound("access.no_session")
    return Mine(*row)


def waiting_for_second(tx: Transaction, token: str, now: datetime, *, lock: bool = True) -> Waiting | None:
    """Who of this token has still to show a second factor; nobody else can take their session meanwhile."""
    chosen = sa.select(sessions.c.user_id, sessions.c.ways).join(users, users.c.user_id == sessions.c.user_id)
    chosen = chosen.where(sessions.c.token_hash == hash_of(token), sessions.c.pending, _lasts(now))
    row = tx.execute(chosen.with_for_update(of=sessions) if lock else chosen).first()
    return row and Waiting(row.user_id, tuple(Way(way) for way in row.ways))


def note_use(tx: Transaction, session_id: UUID, now: datetime) -> None:
    """Write down that a session is in use, to the minute."""
    tx.execute(
        sa.update(sessions)
        .where(sessions.c.session_id == session_id, sessions.c.seen_at < now - SEEN_EVERY)
        .values(seen_at=now)
    )


def renew(tx: Transaction, session_id: UUID) -> NewSession:
    """Another token for a session, whose old one is refused from now on; to be done when its rights change."""
    token = new_token()
    changed = sa.update(sessions).where(sessions.c.session_id == session_id)
    row = tx.execute(
        changed.values(token_hash=hash_of(token), csrf_token=new_token()).returning(
            sa.func.extract("epoch", sessions.c.ends_at - sessions.c.created_at)
        )
    ).first()
    if row is None:
        raise NotFound("access.no_session")
    return NewSession(session_id, token, int(row[0]), ())


def list_sessions(tx: Transaction, user_id: UUID, current: UUID | None, now: datetime) -> tuple[Session, ...]:
    """The sessions of a person that have not ended, the one last used first."""
    chosen = sa.select(sessions).where(sessions.c.user_id == user_id, ~sessions.c.pending, _is_live(now))
    rows = tx.execute(chosen.order_by(sessions.c.seen_at.desc(), sessions.c.session_id).limit(SESSIONS_MAX))
    return tuple(
        Session(
            session_id=row.session_id,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=min(row.ends_at, row.seen_at + timedelta(seconds=row.idle_seconds)),
            agent=row.agent,
            current=row.session_id == current,
        )
        for row in rows
    )


def end_session(tx: Transaction, user_id: UUID, session_id: UUID) -> None:
    """End one of a person's sessions; NotFound ``access.no_session``."""
    found = tx.execute(sa.delete(sessions).where(sessions.c.session_id == session_id, sessions.c.user_id == user_id))
    if found.rowcount == 0:
        raise NotFound("access.no_session")


def end_by_token(tx: Transaction, token: str) -> None:
    """End the session of a token, if there is one, and whether or not it is good."""
    tx.execute(sa.delete(sessions).where(sessions.c.token_hash == hash_of(token)))


def end_sessions(tx: Transaction, user_id: UUID, *, but: UUID | None = None) -> None:
    """End all of a person's sessions, or all others than one."""
    chosen = sa.delete(sessions).where(sessions.c.user_id == user_id)
    tx.execute(chosen if but is None else chosen.where(sessions.c.session_id != but))


def forget_sessions(tx: Transaction, now: datetime) -> int:
    """Delete sessions that have ended; returns how many."""
    return tx.execute(sa.delete(sessions).where(~_is_live(now))).rowcount


def factors_of(tx: Transaction, user_ids: Sequence[UUID]) -> dict[UUID, tuple[Factor, ...]]:
    """What each of these may be asked for after the password; nothing for who has set up nothing."""
    given = list(user_ids)
    rows = tx.execute(
        sa.union_all(
            sa.select(totp.c.user_id, sa.literal(Factor.TOTP.value).label("factor")).where(
                totp.c.user_id.in_(given), totp.c.confirmed_at.is_not(None)
            ),
            sa.select(passkeys.c.user_id, sa.literal(Factor.PASSKEY.value)).where(passkeys.c.user_id.in_(given)),
            sa.select(recovery_codes.c.user_id, sa.literal(Factor.RECOVERY.value)).where(
                recovery_codes.c.user_id.in_(given), recovery_codes.c.used_at.is_(None)
            ),
        )
    ).all()
    has: dict[UUID, set[Factor]] = {}
    for user_id, factor in rows:
        has.setdefault(user_id, set()).add(Factor(factor))
    return {user_id: tuple(factor for factor in Factor if factor in has.get(user_id, ())) for user_id in given}


def _is_live(now: datetime) -> sa.ColumnElement[bool]:
    idle = sa.func.make_interval(0, 0, 0, 0, 0, 0, sessions.c.idle_seconds)
    return (sessions.c.ends_at > now) & (sessions.c.seen_at + idle > now)


def _lasts(now: datetime) -> sa.ColumnElement[bool]:
    return _is_live(now) & users.c.disabled_at.is_(None)


def _end_oldest(tx: Transaction, user_id: UUID) -> None:
    """Keep the latest sessions of a person only."""
    latest = sa.select(sessions.c.session_id).where(sessions.c.user_id == user_id)
    latest = latest.order_by(sessions.c.created_at.desc(), sessions.c.session_id.desc()).limit(SESSIONS_MAX)
    tx.execute(sa.delete(sessions).where(sessions.c.user_id == user_id, sessions.c.session_id.not_in(latest)))
