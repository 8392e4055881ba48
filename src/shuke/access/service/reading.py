"""Who asks: by a key, or by the session of somebody who signed in."""

from __future__ import annotations

from datetime import datetime

from shuke.access.model import SignedIn
from shuke.platform import Transaction

__all__ = ["session_of"]


def session_of(tx: Transaction, token: str, now: datetime) -> SignedIn | None:  # noqa: ARG001
    """Whose session this is; None when it is nobody's."""
    return None
