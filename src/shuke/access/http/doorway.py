"""What the routes share by which people come in: cookies, the count of attempts, and the site that was asked."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shuke.access.http.guard import Visit, session_cookie
from shuke.access.people_model import Factor, Mine, NewSession, Way
from shuke.access.rules.people import EMAIL_CHARACTERS_MAX, NAME_CHARACTERS_MAX
from shuke.access.rules.sessions import refuse_if_long_ago
from shuke.access.service import attempts, entering, sessions, users
from shuke.access.service.passkeys import Site
from shuke.access.service.roles import reader_for
from shuke.base.errors import BadInput, NotAllowed
from shuke.platform import Keyring, Transaction
from shuke.platform.http import ABSENT, LOOPBACK, refusal

__all__ = [
    "COUNTED",
    "REFUSED",
    "Body",
    "Code",
    "Email",
    "Name",
    "Password",
    "SignedInAnswer",
    "Token",
    "answer_of",
    "base_of",
    "count",
    "forget_cookie",
    "forgive",
    "let_in",
    "link_to",
    "now_utc",
    "own",
    "refuse_plain_http",
    "renew",
    "set_cookie",
    "site_of",
    "sure",
    "tries_of",
]

# What is written is looked at by the rules; these limits only keep out what is absurd.
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX)]
Email = Annotated[str, Field(min_length=3, max_length=EMAIL_CHARACTERS_MAX)]
Password = Annotated[str, Field(min_length=1, max_length=1_000)]
Token = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(min_length=1, max_length=60)]

_BROWSER = "shuke_browser"
_BROWSER_SECONDS = 365 * 86_400

REFUSED = ABSENT | refusal(409, "It contradicts the state of things")
COUNTED = refusal(429, "Too many attempts; `Retry-After` says when to come back")


class Body(BaseModel):
    """What is sent; nothing else may be."""

    model_config = ConfigDict(extra="forbid")


class SignedInAnswer(BaseModel):
    """Whether that was enough; where not, by which of the methods to show more."""

    state: Annotated[str, Field(pattern="^(signed_in|second_factor)$")]
    methods: list[Factor]


def now_utc() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def base_of(request: Request) -> str:
    """The address that people reach the server at: as the settings say, else as the browser asked."""
    public: str | None = request.app.state.workplace.settings.public_url
    return public or f"{request.url.scheme}://{request.url.netloc}"


def link_to(base: str, page: str, token: str) -> str:
    """A link that somebody can be given; the token is behind the #, which no browser sends and no log has."""
    return f"{base.rstrip('/')}/{page}#{token}"


def site_of(request: Request) -> Site:
    """What passkeys made here belong to; BadInput ``access.passkeys_need_a_name`` under an IP address."""
    base = base_of(request)
    name = urlsplit(base).hostname or ""
    try:
        ip_address(name)
    except ValueError:
        return Site(name, base)
    raise BadInput("access.passkeys_need_a_name")


def refuse_plain_http(request: Request) -> None:
    """BadInput ``access.needs_https`` where the browser would send a password, and get a cookie, in the open."""
    origin = request.headers.get("origin", "")
    if origin.startswith("http://") and urlsplit(origin).hostname not in LOOPBACK:
        raise BadInput("access.needs_https")


def tries_of(
    visit: Visit, *, email: str | None = None, user_id: UUID | None = None, second: UUID | None = None
) -> attempts.Tries:
    """What an attempt of this visit counts against; ``user_id`` is whose address it is, if anybody's."""
    client = visit.request.client
    return attempts.tries_at(
        visit.keyring,
        address=client.host if client else "",
        account=email,
        browser=None if user_id is None else _known_browser(visit, user_id),
        second=None if second is None else str(second),
    )


def count(visit: Visit, tries: attempts.Tries) -> None:
    """Count an attempt, whatever becomes of it; TooOften ``access.too_many_attempts``."""
    with visit.aside() as tx:
        attempts.count_attempt(tx, tries, now_utc())


def forgive(tx: Transaction, tries: attempts.Tries) -> None:
    """Take back an attempt that went well."""
    attempts.forgive(tx, tries, now_utc())


def let_in(
    visit: Visit, tx: Transaction, response: Response, user_id: UUID, ways: Collection[Way], tries: attempts.Tries
) -> NewSession:
    """Begin a session, or have the second factor asked for; the failures before it are forgotten.

    The session that the browser had ends. Raises NotAllowed ``access.wrong_credentials`` for a disabled account.
    """
    request, now = visit.request, now_utc()
    limits = entering.limits_of(visit.place.settings)
    agent = request.headers.get("user-agent", "")
    made = entering.enter(tx, user_id, ways=ways, limits=limits, agent=agent, now=now)
    attempts.forgive(tx, tries, now)
    old = request.cookies.get(session_cookie(request))
    if old:
        sessions.end_by_token(tx, old)
    _set_session(request, response, made)
    if not made.asks:
        mark = _browser_mark(visit.keyring, user_id, secrets.token_hex(16))
        set_cookie(request, response, _browser_cookie(request), mark, _BROWSER_SECONDS)
    user = users.get_user(tx, user_id)
    reader = reader_for(tx, kind="user", id=user_id, name=user.name, role=user.role, places=user.places)
    action = "session.half" if made.asks else "session.begin"
    visit.note(action, reader=reader, session_id=made.session_id, ways=sorted(way.value for way in ways))
    return made


def answer_of(made: NewSession) -> SignedInAnswer:
    """What is told of a new session."""
    return SignedInAnswer(state="second_factor" if made.asks else "signed_in", methods=list(made.asks))


def own(visit: Visit) -> UUID:
    """Whose session it is; NotAllowed ``access.not_allowed`` for a key, which has no account."""
    if visit.session is None:
        raise NotAllowed("access.not_allowed", permission="own")
    return visit.session.user_id


def sure(visit: Visit, tx: Transaction) -> Mine | None:
    """The session of whoever makes a change that matters; None for a key.

    Raises NotAllowed ``access.sign_in_again`` when the person showed who they are too long ago.
    """
    if visit.session is None:
        return None
    mine = sessions.mine(tx, visit.session.session_id)
    refuse_if_long_ago(mine.signed_in_at, now_utc())
    return mine


def renew(visit: Visit, tx: Transaction, response: Response) -> None:
    """Another token for the session of this visit, and the end of all others, since how one comes in has changed."""
    if visit.session is not None:
        sessions.end_sessions(tx, visit.session.user_id, but=visit.session.session_id)
        _set_session(visit.request, response, sessions.renew(tx, visit.session.session_id))


def forget_cookie(request: Request, response: Response) -> None:
    """Have the browser forget its session."""
    set_cookie(request, response, session_cookie(request), "", 0)


def _set_session(request: Request, response: Response, made: NewSession) -> None:
    set_cookie(request, response, session_cookie(request), made.token, made.seconds_max)


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie that no script reads, that no other site sends along, and that goes over HTTPS only, but on loopback."""
    plain = request.url.scheme == "http" and request.url.hostname in LOOPBACK
    response.set_cookie(name, value, max_age=seconds, path="/", secure=not plain, httponly=True, samesite="lax")


def _browser_mark(keyring: Keyring, user_id: UUID, nonce: str) -> str:
    """What a browser keeps that an account was signed in with; nobody can make one for an account of others."""
    return f"{nonce}.{keyring.index('access.browser_mark', f'{nonce} {user_id}').hex()}"


def _browser_cookie(request: Request) -> str:
    return f"__Host-{_BROWSER}" if request.url.scheme == "https" else _BROWSER


def _known_browser(visit: Visit, user_id: UUID) -> str | None:
    """The name of the browser if the account was signed in with it before."""
    given = visit.request.cookies.get(_browser_cookie(visit.request), "")
    nonce = given.partition(".")[0]
    known = hmac.compare_digest(_browser_mark(visit.keyring, user_id, nonce).encode(), given.encode())
    return nonce if known else None
