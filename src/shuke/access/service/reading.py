"""Who asks: by a key, or by the session of somebody who signed in."""

from __future__ import annotations

from datetime import datetime

from shuke.access.model import SignedIn
from shuke.access.service.sessions import note_use, signed_in
from shuke.platform import Transaction

__all__ = ["session_of"]


def session_of(tx: Transaction, token: str, now: datetime) -> SignedIn | None:
    """Whose session this is; None when it is nobody's. That it is in use is written down, to the minute."""
    found = signed_in(tx, token, now)
    if found is not None:
        note_use(tx, found.session_id, now)
    return found
