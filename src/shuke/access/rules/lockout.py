"""How long to wait before the next attempt to sign in.

Attempts are counted by what is tried (an account, the second factor of one) and by the address that they come from. The
wait grows with each that fails and has an end, so that nobody is locked out for good. A browser that an account has
signed in with before is counted apart: whoever tries the account from elsewhere does not make its owner wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["ACCOUNT", "ADDRESS", "SECOND", "Attempts", "Pace", "after_another", "after_success"]


@dataclass(frozen=True)
class Pace:
    """After ``free`` failures each doubles the wait, from ``first_seconds`` to ``seconds_max``."""

    free: int
    first_seconds: int
    seconds_max: int

    def wait(self, failures: int) -> timedelta:
        """The wait after so many failures in a row."""
        beyond = failures - self.free
        if beyond < 0:
            return timedelta()
        return timedelta(seconds=min(self.first_seconds << min(beyond, 20), self.seconds_max))


#: An account, as seen from anywhere or from one browser that is known.
ACCOUNT = Pace(free=5, first_seconds=15, seconds_max=900)
#: An address, which may be that of a whole office.
ADDRESS = Pace(free=50, first_seconds=5, seconds_max=300)
#: The second factor of an account: a million codes, three of which are good at any time.
SECOND = Pace(free=5, first_seconds=30, seconds_max=900)

#: Failures are forgotten when nothing was tried for so long.
FORGOTTEN_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class Attempts:
    """What was tried so far: failures in a row, when the last was, and from when on another is taken."""

    failures: int
    last_at: datetime
    free_at: datetime


def after_another(known: Attempts, pace: Pace, now: datetime) -> Attempts | None:
    """The count with one more attempt, which is taken for a failure until it succeeds; None if it is too early."""
    if now < known.free_at:
        return None
    before = 0 if now - known.last_at >= FORGOTTEN_AFTER else known.failures
    return Attempts(before + 1, now, now + pace.wait(before + 1))


def after_success(known: Attempts) -> Attempts:
    """The count of an address after one of its attempts went well: that one is no failure, and the others stay."""
    return Attempts(max(known.failures - 1, 0), known.last_at, known.last_at)
