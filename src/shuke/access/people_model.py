"""People who use Shuke: accounts, sessions, links that let somebody in once, and second factors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

__all__ = [
    "Factor",
    "Invitation",
    "LinkKind",
    "Mine",
    "NewSession",
    "NewUser",
    "Passkey",
    "Session",
    "SessionLimits",
    "Team",
    "TotpSecret",
    "User",
    "UserPage",
    "Waiting",
    "Way",
    "Welcome",
]

#: Accounts of one page.
PAGE_MAX = 200
TEAMS_MAX = 500
#: Of one account; what is older goes when another sign-in comes.
SESSIONS_MAX = 50
#: Of one account.
PASSKEYS_MAX = 20
#: Links that were not used yet and have not expired.
INVITATIONS_MAX = 500


class Way(StrEnum):
    """How somebody showed who they are."""

    PASSWORD = "password"  # noqa: S105 - the name of a way
    LINK = "link"
    OIDC = "oidc"
    PASSKEY = "passkey"
    TOTP = "totp"
    RECOVERY = "recovery"


class Factor(StrEnum):
    """What may be asked for after the password."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"


class LinkKind(StrEnum):
    """What a link is for: to make the first owner, to join, or to get back into an account."""

    SETUP = "setup"
    INVITATION = "invitation"
    RESET = "reset"


@dataclass(frozen=True)
class User:
    """An account. ``places`` are the regions or stores of its role's scope."""

    user_id: UUID
    name: str
    email: str
    role: str
    places: tuple[str, ...]
    team_id: UUID | None
    language: str
    created_at: datetime
    disabled_at: datetime | None
    signed_in_at: datetime | None
    second_factors: tuple[Factor, ...]


@dataclass(frozen=True, kw_only=True)
class NewUser:
    """An account to make; without a password its owner signs in otherwise."""

    name: str
    email: str
    role: str
    language: str
    password_hash: str | None = None
    places: tuple[str, ...] = ()
    team_id: UUID | None = None

    def __repr__(self) -> str:
        """Only what it may do."""
        return f"NewUser({self.role})"


@dataclass(frozen=True)
class UserPage:
    """Some accounts; ``next`` is what to ask ``after`` for more."""

    users: tuple[User, ...]
    next: UUID | None


@dataclass(frozen=True)
class Team:
    """People who work together; it says who is who, and allows nothing."""

    team_id: UUID
    name: str
    members: int


@dataclass(frozen=True)
class SessionLimits:
    """How long a session lasts unused, and at most."""

    idle_seconds: int
    seconds_max: int


@dataclass(frozen=True)
class Mine:
    """The session of whoever asks. ``signed_in_at`` is when they last showed who they are."""

    session_id: UUID
    user_id: UUID
    csrf_token: str
    signed_in_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class NewSession:
    """A session as its cookie is made; the token is nowhere else. ``asks`` is what is still to be shown."""

    session_id: UUID
    token: str
    seconds_max: int
    asks: tuple[Factor, ...]


@dataclass(frozen=True)
class Waiting:
    """Who came in by these ways, and has still to show a second factor."""

    user_id: UUID
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Session:
    """A session as its owner sees it; ``agent`` is what the browser calls itself, shortened."""

    session_id: UUID
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    agent: str
    current: bool


@dataclass(frozen=True)
class Welcome:
    """What a link that is still good lets somebody do."""

    kind: LinkKind
    email: str
    name: str
    role: str


@dataclass(frozen=True)
class Invitation:
    """An invitation that was not used yet."""

    invitation_id: UUID
    email: str
    role: str
    places: tuple[str, ...]
    team_id: UUID | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class TotpSecret:
    """What an authenticator app needs: the secret, and the address that a QR code shows."""

    secret: str
    uri: str


@dataclass(frozen=True)
class Passkey:
    """A passkey as its owner sees it."""

    passkey_id: UUID
    name: str
    created_at: datetime
    used_at: datetime | None
