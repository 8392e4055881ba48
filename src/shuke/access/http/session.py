"""``/api/setup`` and ``/api/session``: the first owner, signing in and out, and one's own account."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response
from starlette.routing import BaseRoute

from shuke.access.http import doorway
from shuke.access.http.doorway import COUNTED, REFUSED, Body, Code, Email, Name, Password, SignedInAnswer, Token
from shuke.access.http.guard import Visit, needs, public, session_cookie
from shuke.access.model import Seen, Where
from shuke.access.people_model import Factor, NewUser, Session, Way
from shuke.access.rules.passwords import checked_password
from shuke.access.rules.people import checked_email, email_key
from shuke.access.service import attempts, links, passwords, second_factors, sessions, users
from shuke.base.errors import BadInput, Conflict, NotAllowed
from shuke.base.language import Language
from shuke.platform import Metrics, Workplace, log
from shuke.platform.http import ABSENT, api, language_of

__all__ = ["session_routes"]

Own = Annotated[Visit, needs("own")]
Open = Annotated[Visit, public()]


class SetupAnswer(BaseModel):
    """Whether the server waits for its first owner."""

    needed: bool


class SetupBody(Body):
    """The first owner; the token is in the link that the server printed when it started."""

    token: Token
    name: Name
    email: Email
    password: Password
    language: Language | None = None


class SignInBody(Body):
    """Who signs in."""

    email: Email
    password: Password


class SecondBody(Body):
    """A code of the authenticator app, or one of the recovery codes."""

    method: Literal["totp", "recovery"]
    code: Code


class ChangeSelfBody(Body):
    """What to change of one's own account; what is absent stays."""

    name: Name | None = None
    language: Language | None = None


class PasswordBody(Body):
    """Another password; all other sessions end."""

    current: Password
    new: Password


class SessionAnswer(BaseModel):
    """Who is signed in, what they may do, where, and what they see. `csrf_token` goes with each write."""

    user_id: UUID
    name: str
    email: str
    role: str
    permissions: list[str]
    where: Where
    places: list[str]
    fields: dict[str, Seen]
    language: Language
    csrf_token: str
    second_factors: list[Factor]


class SessionsAnswer(BaseModel):
    """One's own sessions, the one last used first."""

    items: list[Session]


def session_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes to come in by, and of one's own account."""
    router = api("access")
    _setup(router)
    _signing_in(router)
    _own_account(router)
    _own_sessions(router)
    return list(router.routes)


def _setup(router: APIRouter) -> None:
    @router.get("/setup")
    def get_setup(visit: Open) -> SetupAnswer:
        with visit.read() as tx:
            return SetupAnswer(needed=not users.has_owner(tx))

    @router.post("/setup", responses=REFUSED | COUNTED)
    def post_setup(visit: Open, body: SetupBody, response: Response) -> SignedInAnswer:
        doorway.refuse_plain_http(visit.request)
        tries = doorway.tries_of(visit)
        doorway.count(visit, tries)
        with visit.read() as tx:
            if users.has_owner(tx):
                raise Conflict("access.has_owner")
            links.welcome(tx, body.token, doorway.now_utc())
        email = checked_email(body.email)
        chosen = passwords.hashed(checked_password(body.password, about=[email, body.name]))
        with visit.begin() as tx:
            language = (body.language or language_of(visit.request)).value
            owner = NewUser(name=body.name, email=email, role=users.OWNER, language=language, password_hash=chosen)
            user_id = links.set_up(tx, body.token, owner, doorway.now_utc())
            made = doorway.let_in(visit, tx, response, user_id, [Way.LINK], tries)
            visit.note("setup", user_id=user_id)
        return doorway.answer_of(made)


def _signing_in(router: APIRouter) -> None:
    @router.post("/session", responses=COUNTED)
    def post_session(visit: Open, body: SignInBody, response: Response) -> SignedInAnswer:
        doorway.refuse_plain_http(visit.request)
        with visit.read() as tx:
            known = users.credentials_of(tx, email=body.email)
        tries = doorway.tries_of(visit, email=email_key(body.email), user_id=known.user_id if known else None)
        doorway.count(visit, tries)
        good = passwords.matches(known.password_hash if known else None, body.password)
        if known is None or not good or known.disabled:
            raise _wrong(visit, known.user_id if known else None, Way.PASSWORD)
        outdated = passwords.is_outdated(known.password_hash or "")
        anew = passwords.hashed(body.password) if outdated else None
        with visit.begin() as tx:
            _refuse_if_changed(tx, known)
            if anew is not None:
                users.set_password(tx, known.user_id, anew)
            made = doorway.let_in(visit, tx, response, known.user_id, [Way.PASSWORD], tries)
        return doorway.answer_of(made)

    @router.post("/session/second", responses=COUNTED)
    def post_second(visit: Open, body: SecondBody, response: Response) -> SignedInAnswer:
        token = visit.request.cookies.get(session_cookie(visit.request), "")
        with visit.read() as tx:
            waits = sessions.waiting_for_second(tx, token, doorway.now_utc(), lock=False)
        if waits is None:
            raise NotAllowed("access.no_second_factor_due")
        tries = doorway.tries_of(visit, second=waits.user_id)
        doorway.count(visit, tries)
        with visit.begin() as tx:
            now = doorway.now_utc()
            waits = sessions.waiting_for_second(tx, token, now)
            if waits is None:
                raise NotAllowed("access.no_second_factor_due")
            if body.method == "totp":
                good = second_factors.uses_totp(tx, visit.keyring, waits.user_id, body.code, now)
            else:
                good = second_factors.uses_recovery_code(tx, waits.user_id, body.code, now)
            if good:
                made = doorway.let_in(visit, tx, response, waits.user_id, [*waits.ways, Way(body.method)], tries)
                return doorway.answer_of(made)
            visit.note("session.refused", user_id=waits.user_id, way=body.method)
        raise _wrong_code(waits.user_id, body.method)


def _own_account(router: APIRouter) -> None:
    @router.get("/session")
    def get_session(visit: Own) -> SessionAnswer:
        user_id, reader = doorway.own(visit), visit.reader
        with visit.read() as tx:
            user = users.get_user(tx, user_id)
        return SessionAnswer(
            user_id=user_id,
            name=user.name,
            email=user.email,
            role=user.role,
            permissions=sorted(reader.permissions),
            where=reader.where,
            places=list(reader.places),
            fields=dict(reader.fields),
            language=Language(user.language),
            csrf_token=visit.session.csrf_token if visit.session else "",
            second_factors=list(user.second_factors),
        )

    @router.delete("/session", status_code=204)
    def delete_session(visit: Own, response: Response) -> None:
        with visit.begin() as tx:
            sessions.end_by_token(tx, visit.request.cookies.get(session_cookie(visit.request), ""))
            visit.note("session.end")
        doorway.forget_cookie(visit.request, response)

    @router.patch("/session", status_code=204)
    def patch_session(visit: Own, body: ChangeSelfBody) -> None:
        user_id = doorway.own(visit)
        with visit.begin() as tx:
            language = body.language and body.language.value
            users.change_self(tx, user_id, name=body.name, language=language)
            visit.note("account.change", user_id=user_id, after=body.model_dump(mode="json", exclude_none=True))

    @router.post("/session/password", responses=REFUSED | COUNTED, status_code=204)
    def post_password(visit: Own, body: PasswordBody, response: Response) -> None:
        user_id = doorway.own(visit)
        with visit.read() as tx:
            known = users.credentials_of(tx, user_id=user_id)
        if known is None or known.password_hash is None:
            raise Conflict("access.no_password")
        tries = doorway.tries_of(visit, email=email_key(known.email), user_id=user_id)
        doorway.count(visit, tries)
        if not passwords.matches(known.password_hash, body.current):
            raise BadInput("access.wrong_password")
        chosen = passwords.hashed(checked_password(body.new, about=[known.email, known.name]))
        with visit.begin() as tx:
            _refuse_if_changed(tx, known)
            attempts.forgive(tx, tries, doorway.now_utc())
            users.set_password(tx, user_id, chosen)
            doorway.renew(visit, tx, response)
            visit.note("account.password", user_id=user_id)


def _own_sessions(router: APIRouter) -> None:
    @router.get("/sessions")
    def get_sessions(visit: Own) -> SessionsAnswer:
        user_id = doorway.own(visit)
        with visit.read() as tx:
            found = sessions.list_sessions(tx, user_id, _session_of(visit), doorway.now_utc())
        return SessionsAnswer(items=list(found))

    @router.delete("/sessions/{session_id}", responses=ABSENT, status_code=204)
    def delete_one_session(visit: Own, session_id: UUID) -> None:
        user_id = doorway.own(visit)
        with visit.begin() as tx:
            if session_id != _session_of(visit):
                doorway.sure(visit, tx)
            sessions.end_session(tx, user_id, session_id)
            visit.note("session.end")


def _session_of(visit: Visit) -> UUID | None:
    return None if visit.session is None else visit.session.session_id


def _refuse_if_changed(tx: Any, known: users.Credentials) -> None:
    """NotAllowed ``access.wrong_credentials`` when the password was changed while it was being checked."""
    now_known = users.credentials_of(tx, user_id=known.user_id)
    if now_known is None or now_known.password_hash != known.password_hash:
        raise NotAllowed("access.wrong_credentials")


def _wrong(visit: Visit, user_id: UUID | None, way: Way) -> NotAllowed:
    """The refusal of an attempt, which is noted; it says nothing of whether there is such an account."""
    with visit.begin():
        visit.note("session.refused", user_id=user_id, way=way.value)
    log.info("sign-in refused", way=way.value, user_id=str(user_id) if user_id else None)
    return NotAllowed("access.wrong_credentials")


def _wrong_code(user_id: UUID, method: str) -> NotAllowed:
    log.info("sign-in refused", way=method, user_id=str(user_id))
    return NotAllowed("access.wrong_code")
