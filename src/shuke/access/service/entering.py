"""Letting somebody in who has shown who they are: a session, or the question for the second factor."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from shuke.access.people_model import Factor, NewSession, SessionLimits, Way
from shuke.access.service import sessions, users
from shuke.base.errors import NotAllowed
from shuke.platform import Settings, Transaction

__all__ = ["enter", "limits_of"]

# A passkey is a thing that its owner has, and opens with what they are or know: two factors in one.
_ENOUGH = frozenset({Way.PASSKEY, Way.TOTP, Way.RECOVERY, Way.LINK})


def limits_of(settings: Settings) -> SessionLimits:
    """How long sessions last here."""
    return SessionLimits(settings.session_idle_hours * 3600, settings.session_days * 86_400)


def enter(
    tx: Transaction, user_id: UUID, *, ways: Collection[Way], limits: SessionLimits, agent: str, now: datetime
) -> NewSession:
    """A session for somebody who came in by these ways, or one that waits for the second factor that they have set up.

    Raises NotAllowed ``access.wrong_credentials`` when the account is disabled: nobody learns that it is there.
    """
    user = users.get_user(tx, user_id)
    if user.disabled_at is not None:
        raise NotAllowed("access.wrong_credentials")
    asks: tuple[Factor, ...] = () if _ENOUGH & set(ways) else user.second_factors
    return sessions.begin_session(tx, user_id, ways=ways, limits=limits, agent=agent, now=now, asks=asks)
