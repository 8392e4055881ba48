"""The guard in front of every route below ``/api``: who asks, whether they may, and what they leave in the audit log.

A route names its permission where it is declared, and gets a :class:`Visit` for it::

    Reading = Annotated[Visit, needs("customers.read")]

    @router.get("/customers/{customer_id}")
    def get_customer(visit: Reading, customer_id: UUID) -> Profile:
        with visit.read() as tx:
            ...

A visit is the only way to the database: it knows whose customers the reader may see, and has what was written noted in
the audit log, in the same transaction. It also sees to it that a write whose sender repeats it (``Idempotency-Key``) is
done once, and that a change meets what its sender has looked at (``If-Match``).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shuke.access.model import Deed, Fields, Permission, Reader, Seen, SignedIn, Where, all_fields
from shuke.access.rules.permissions import KNOWN, OWN, PERMISSIONS
from shuke.access.service import answers, audit, scope
from shuke.access.service.keys import reader_of_key
from shuke.access.service.reading import session_of
from shuke.access.service.roles import reader_for
from shuke.base.errors import NotAllowed, NotFound, NotSignedIn, Outdated
from shuke.base.language import Language
from shuke.platform import Asker, Keyring, Transaction, Workplace
from shuke.platform.http import Answered, is_kept_whole, language_of, refusal

__all__ = [
    "CHANGED",
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
IDEMPOTENCY_HEADER = "idempotency-key"

Shown = TypeVar("Shown")

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

#: What a route that takes If-Match documents.
CHANGED = refusal(412, "It was changed meanwhile")

_ANY = TypeAdapter(Any)
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
    #: What the route's own headers go into.
    answer: Response = field(default_factory=Response, repr=False)
    _claimed: bool = field(default=False, init=False, repr=False)
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

    def wants(self, name: str) -> bool:
        """Whether this field of the answer is asked for; who names none asks for all."""
        asked = getattr(self.request.state, "fields", None)
        return asked is None or name in asked

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
            self._claim(tx)
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

    def tagged(self, shown: Shown) -> Shown:
        """What is answered, with the tag by which a change can say that it means this (``ETag``)."""
        self.answer.headers["etag"] = _tag(shown)
        return shown

    def meant(self, tx: Transaction, read: Callable[[], object]) -> None:
        """Hold others off from what the address names, and see that it is still what the reader has looked at.

        Who is to make it, and has seen that it is not there, says so by ``If-None-Match: *``.

        Args:
            tx: the transaction of the change.
            read: what :meth:`tagged` would be given at this moment.

        Raises:
            Outdated: ``access.changed_meanwhile`` when ``If-Match`` names another state; ``access.there_is_one`` when
                there is something and ``If-None-Match`` says that there is nothing.
        """
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(self.request.url.path, 0))
        tx.execute(sa.select(lock))
        wanted = [tag.strip() for tag in self.request.headers.get("if-match", "*").split(",")]
        makes = self.request.headers.get("if-none-match") == "*"
        if "*" in wanted and not makes:
            return
        try:
            found = _tag(read())
        except NotFound:
            found = None
        if makes and found is not None:
            raise Outdated("access.there_is_one")
        if "*" not in wanted and found not in wanted:
            raise Outdated("access.changed_meanwhile")

    def tells_secret(self) -> None:
        """Keep no copy of the answer: it has something in it that can be told once only."""
        self.request.state.keep_answer = None

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

    def _claim(self, tx: Transaction) -> None:
        """Do what a POST asks only if it was not done before, where its sender says by a key which one it is.

        Raises:
            Answered: it was; with the answer.
        """
        key = self.request.headers.get(IDEMPOTENCY_HEADER)
        body_hash = getattr(self.request.state, "body_hash", None)
        if key is None or body_hash is None or self._claimed:
            return
        if not _may_be_repeated(self.request.method, self.permission):
            return
        asked = f"{self.request.method} {self.request.url.path}?{self.request.url.query}\n".encode()
        asked_hash = sha256(asked + body_hash).digest()
        claimed = answers.Claim(f"{self.reader.kind}:{self.reader.id}", key, asked_hash)
        before = answers.claim(tx, self.keyring, claimed, datetime.now(UTC))
        if before is not None:
            status, body = before
            headers = {"idempotency-replayed": "true"}
            raise Answered(Response(body, status, headers, media_type="application/json" if body else None))

        def keep(answer: Response) -> None:
            # What is streamed has no body of its own.
            if isinstance(body := getattr(answer, "body", None), bytes):
                with self.place.database.begin() as later:
                    answers.keep(later, self.keyring, claimed, answer.status_code, body)

        self._claimed = True
        self.request.state.keep_answer = keep

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

    def __call__(self, request: Request, answer: Response) -> Visit:
        """Who asks; NotSignedIn or NotAllowed when they may not have this."""
        if self.permission is None:
            if request.method not in _SAFE:
                _refuse_other_sites(request)
            return Visit(NOBODY, request, answer=answer)
        visit = admitted(request, self.permission)
        visit.answer = answer
        return visit


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
    request.scope["shuke.who"] = f"{visit.reader.kind}:{visit.reader.id}"
    if permission not in visit.reader.permissions | {KNOWN}:
        raise NotAllowed("access.not_allowed", permission=permission)
    visit.permission = permission
    return visit


def _tag(shown: object) -> str:
    """A tag of what is shown: equal for what is equal, and else never."""
    return f'"{sha256(_ANY.dump_json(shown)).hexdigest()[:32]}"'


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
            route.openapi_extra = {**(route.openapi_extra or {}), **_described(route, declared.permission)}
        found |= {(method, route.path): declared.permission for method in route.methods or ()}
    return found


def _described(route: APIRoute, permission: Permission | None) -> dict[str, Any]:
    """What a route does not say itself: who may ask, and which headers make a write safe."""
    if permission is None:
        return {"security": []}
    said: dict[str, Any] = {"x-permission": permission, "security": [{name: []} for name in SECURITY_SCHEMES]}
    if is_kept_whole(route) and any(_may_be_repeated(method, permission) for method in route.methods or ()):
        refused = "It contradicts the state of things, or the first request with this Idempotency-Key still runs"
        said["parameters"] = [_header("Idempotency-Key", "asked again with the same, it is done once; for a day")]
        for status, described in refusal(409, refused).items():
            route.responses.setdefault(status, described)
    if 412 in route.responses:
        said["parameters"] = [_header("If-Match", "the ETag of what is to be changed, as it was read")]
        # What states a thing makes it where it is not there.
        if "PUT" in (route.methods or ()) and "{" in route.path and 404 not in route.responses:
            said["parameters"].append(_header("If-None-Match", "`*` makes what is not there yet, and changes nothing"))
    return said


def _header(name: str, meaning: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "description": meaning, "schema": {"type": "string"}}


def _may_be_repeated(method: str, permission: Permission | None) -> bool:
    """Whether a key can have it done once. Signing in and the like is not: its answer sets cookies."""
    return method == "POST" and permission not in (None, OWN)


def _declared(dependant: Dependant) -> Needs | None:
    """What the route, or what it depends on, says that it needs."""
    if isinstance(dependant.call, Needs):
        return dependant.call
    return next((found for one in dependant.dependencies if (found := _declared(one)) is not None), None)
