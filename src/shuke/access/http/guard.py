"""The guard in front of every route below ``/api``: who asks, whether they may, and what they leave in the audit log.

A route names its permission where it is declared, and gets a :class:`Visit` for it::

    Reading = Annotated[Visit, needs("customers.read")]

    @router.get("/customers/{customer_id}")
    def get_customer(visit: Reading, customer_id: UUID) -> Profile:
        with visit.read() as tx:
            ...

A visit is the only way to the database: it knows whose customers the reader may see, and has what was written noted in
the audit log, in the same transaction.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from shuke.access.model import Deed, Fields, Permission, Reader, Seen, SignedIn, Where, all_fields
from shuke.access.rules.permissions import KNOWN, OWN, PERMISSIONS
from shuke.access.service import audit, scope
from shuke.access.service.keys import reader_of_key
from shuke.access.service.reading import session_of
from shuke.access.service.roles import reader_for
from shuke.base.errors import NotAllowed, NotSignedIn
from shuke.base.language import Language
from shuke.platform import Asker, Keyring, Transaction, Workplace
from shuke.platform.http import language_of

__all__ = [
    "CSRF_HEADER",
    "NOBODY",
    "SECURITY_SCHEMES",
    "Visit",
    "admitted",
    "declare_permissions",
    "needs",
    "public",
    "session_cookie",
]

CSRF_HEADER = "x-shuke-csrf"

#: Who asks where a route is open to everybody.
NOBODY = Reader("nobody", None, "", "", frozenset(), Where.OWN, (), all_fields(Seen.HIDDEN))

#: How a reader says who they are, for the description of the API.
SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key: `sk_…`"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "shuke_session",
        "description": "The session of somebody who signed in; writes carry the header `X-Shuke-CSRF`, too. Over"
        " HTTPS the name is `__Host-shuke_session`.",
    },
}

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_COOKIE = "shuke_session"


@dataclass
class _Note:
    """What the line of the audit log is to say beyond the route and the ids in its address."""

    reader: Reader
    action: str
    about: dict[str, Any]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    wanted: bool = True


@dataclass
class Visit:
    """One request of a reader: what they see, and the transactions that may be opened for them."""

    reader: Reader
    request: Request = field(repr=False)
    #: Of the cookie, where that is how the reader came.
    session: SignedIn | None = None
    #: What the route needs; None where it is open to everybody.
    permission: Permission | None = None
    _note: _Note = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Begin the note with what the request itself tells."""
        action = f"{self.request.method} {self.pattern}"
        about = dict(self.request.path_params)
        self._note = _Note(self.reader, action, about, wanted=self.request.method not in _SAFE)

    @property
    def place(self) -> Workplace:
        """What this process works with."""
        made: Workplace = self.request.app.state.workplace
        return made

    @property
    def keyring(self) -> Keyring:
        """The keys of this process."""
        return self.place.keyring

    @property
    def fields(self) -> Fields:
        """How the reader sees each group of personal values."""
        return self.reader.fields

    @property
    def asker(self) -> Asker:
        """The reader as whose a file is kept, or long work is done."""
        return Asker(self.reader.kind, self.reader.id, self.reader.name)

    @property
    def language(self) -> Language:
        """The language that the reader asked for."""
        return language_of(self.request)

    @property
    def pattern(self) -> str:
        """The route, without the values in its address."""
        return getattr(self.request.scope.get("route"), "path", "unknown")

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One transaction that only reads, of what the reader may see."""
        with self.place.database.read() as tx:
            self._enter_scope(tx)
            yield tx

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """One transaction on what the reader may see; what it did is in the audit log when it is committed."""
        with self.place.database.begin() as tx:
            self._enter_scope(tx)
            yield tx
            scope.leave(tx)
            self._record(tx)

    @contextmanager
    def beyond_scope(self, tx: Transaction) -> Iterator[None]:
        """See everything meanwhile: to find out who somebody is, of which nothing may be told but whose they are."""
        scope.leave(tx)
        yield
        self._enter_scope(tx)

    def stores(self, tx: Transaction) -> list[str] | None:
        """The stores whose customers the reader may see; None where stores do not limit them."""
        limited = self.reader.where in (Where.REGION, Where.STORE)
        return scope.stores_of(tx, self.reader) if limited else None

    @contextmanager
    def aside(self) -> Iterator[Transaction]:
        """One transaction that leaves no line, for what counts whatever becomes of the request: attempts to sign in."""
        with self.place.database.begin() as tx:
            yield tx

    def note(
        self,
        action: str | None = None,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reader: Reader | None = None,
        **about: Any,
    ) -> None:
        """Say more in the audit log of what this visit does: ids and codes, and values only masked.

        Args:
            action: a code in place of the route; where the route only reads, this is what has a line written at all.
            before: what was there.
            after: what is there now.
            reader: who did it, where the visit itself found that out (who signs in, say).
            about: what it was done to, beside the ids in the address.
        """
        note = self._note
        note.about |= about
        note.reader = reader or note.reader
        note.before = note.before if before is None else dict(before)
        note.after = note.after if after is None else dict(after)
        if action is not None:
            note.action, note.wanted = action, True

    def _enter_scope(self, tx: Transaction) -> None:
        # Accounts, sessions and jobs are no customer's: nobody signs in or changes a password within a scope.
        if self.permission not in (None, OWN, KNOWN):
            scope.enter(tx, self.reader)

    def _record(self, tx: Transaction) -> None:
        note = self._note
        if note.wanted:
            request_id = structlog.contextvars.get_contextvars().get("request_id")
            deed = Deed(note.action, note.about, note.before, note.after, request_id)
            audit.record(tx, self.keyring, note.reader, deed, datetime.now(UTC))


@dataclass(frozen=True)
class Needs:
    """A route's declaration: the permission that it needs; None where it is open to everybody."""

    permission: Permission | None

    def __call__(self, request: Request) -> Visit:
        """Who asks; NotSignedIn or NotAllowed when they may not have this."""
        if self.permission is None:
            if request.method not in _SAFE:
                _refuse_other_sites(request)
            return Visit(NOBODY, request)
        return admitted(request, self.permission)


def needs(permission: Permission) -> Any:
    """The mark of a route that needs this permission; it gives the :class:`Visit`."""
    if permission not in (*PERMISSIONS, KNOWN):
        raise LookupError(permission)
    return Depends(Needs(permission))


def public() -> Any:
    """The mark of a route that is open to everybody, such as the one to sign in; it gives the :class:`Visit`."""
    return Depends(Needs(None))


def admitted(request: Request, permission: Permission) -> Visit:
    """The visit of whoever asks.

    Raises:
        NotSignedIn: ``access.not_signed_in`` without a key or session that is good.
        NotAllowed: ``access.not_allowed`` without the permission; ``access.other_site`` for a write that another site
            may have had a browser send.
    """
    place: Workplace = request.app.state.workplace
    now = datetime.now(UTC)
    with place.database.begin() as tx:
        visit = _of_key(tx, request, now) or _of_session(tx, request, now)
    if visit is None:
        raise NotSignedIn("access.not_signed_in")
    if permission not in visit.reader.permissions | {KNOWN}:
        raise NotAllowed("access.not_allowed", permission=permission)
    visit.permission = permission
    return visit


def session_cookie(request: Request) -> str:
    """The name of the cookie of a session; over HTTPS one that no neighbour of this host can set."""
    return f"__Host-{_COOKIE}" if request.url.scheme == "https" else _COOKIE


def _of_key(tx: Transaction, request: Request, now: datetime) -> Visit | None:
    """The visit by an API key. Who sends a wrong one is refused, whatever cookie comes along."""
    given = request.headers.get("authorization")
    if given is None:
        return None
    scheme, _, secret = given.partition(" ")
    reader = reader_of_key(tx, secret.strip(), now) if scheme.lower() == "bearer" else None
    if reader is None:
        raise NotSignedIn("access.not_signed_in")
    return Visit(reader, request)


def _of_session(tx: Transaction, request: Request, now: datetime) -> Visit | None:
    token = request.cookies.get(session_cookie(request))
    found = session_of(tx, token, now) if token else None
    if found is None:
        return None
    if request.method not in _SAFE:
        _refuse_other_sites(request, required=True)
        if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), found.csrf_token.encode()):
            raise NotAllowed("access.other_site")
    reader = reader_for(tx, kind="user", id=found.user_id, name=found.name, role=found.role, places=found.places)
    return Visit(reader, request, found)


def _refuse_other_sites(request: Request, *, required: bool = False) -> None:
    """NotAllowed ``access.other_site`` when the browser says that another site sends this.

    Every browser says so in one of two ways; where a cookie is trusted, one who says nothing is no browser, and refused
    (``required``).
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    # Behind a proxy the browser may have been at another address than the one that is asked here.
    own = (f"{request.url.scheme}://{request.url.netloc}", request.app.state.workplace.settings.public_url)
    if (site is not None and site != "same-origin") or (origin is not None and origin not in own):
        raise NotAllowed("access.other_site")
    if required and site is None and origin is None:
        raise NotAllowed("access.other_site")


def declare_permissions(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], Permission | None]:
    """The permission of each route below ``/api`` by method and pattern, written into its description, too.

    Raises:
        LookupError: a route has declared none.
    """
    found: dict[tuple[str, str], Permission | None] = {}
    for route in routes:
        if not isinstance(route, Route) or not (route.path == "/api" or route.path.startswith("/api/")):
            continue
        declared = _declared(route.dependant) if isinstance(route, APIRoute) else None
        if declared is None:
            raise LookupError(f"{route.path} declares no permission")
        if isinstance(route, APIRoute):
            ways: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]
            said = {"x-permission": declared.permission, "security": ways} if declared.permission else {"security": []}
            route.openapi_extra = {**(route.openapi_extra or {}), **said}
        found |= {(method, route.path): declared.permission for method in route.methods or ()}
    return found


def _declared(dependant: Dependant) -> Needs | None:
    """What the route, or what it depends on, says that it needs."""
    if isinstance(dependant.call, Needs):
        return dependant.call
    return next((found for one in dependant.dependencies if (found := _declared(one)) is not None), None)
