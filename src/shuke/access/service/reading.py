"""Who asks: by a key, or by the session of somebody who signed in."""

from __future__ import annotations

import contextlib
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from shuke.access.model import SignedIn
from shuke.access.service.sessions import in_use, note_use
from shuke.platform import Transaction

__all__ = ["session_of"]


def session_of(tx: Transaction, token: str, now: datetime) -> SignedIn | None:
    """Whose session this is; None when it is nobody's. That it is in use is written down, to the minute."""
    found = in_use(tx, token, now)
    if found is None:
        return None
    session, unnoted = found
    if unnoted:
        # Whoever only reads is answered although the disk is full.
        with contextlib.suppress(DBAPIError), tx.begin_nested():
            note_use(tx, session.session_id, now)
    return session
