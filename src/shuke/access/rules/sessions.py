"""When somebody has to show anew who they are."""

from __future__ import annotations

from datetime import datetime, timedelta

from shuke.base.errors import NotAllowed

__all__ = ["SEEN_EVERY", "SURE_FOR", "refuse_if_long_ago"]

#: A session's last use is written down this often at most.
SEEN_EVERY = timedelta(minutes=1)
#: A change that matters is taken for so long after signing in.
SURE_FOR = timedelta(minutes=30)


def refuse_if_long_ago(signed_in_at: datetime, now: datetime) -> None:
    """NotAllowed ``access.sign_in_again`` when it is too long ago for a change that matters."""
    if now - signed_in_at > SURE_FOR:
        raise NotAllowed("access.sign_in_again", minutes=SURE_FOR // timedelta(minutes=1))
