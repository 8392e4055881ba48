"""What every HTTP edge shares: problems in the reader's language, request ids, metrics, and what browsers are told.

Only this module knows which error is which status; rooms raise their own errors and know nothing of HTTP.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from copy import copy, deepcopy
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any
from uuid import uuid4

import structlog
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shuke.base.errors import (
    BadInput,
    CannotSay,
    Conflict,
    NotAllowed,
    NotAvailable,
    NotFound,
    NotSignedIn,
    Outdated,
    ShukeError,
    TooOften,
)
from shuke.base.language import Language, explain
from shuke.platform.sparse import Shape, asked_fields, shape_of
from shuke.platform.telemetry import Metrics, log

__all__ = [
    "ABSENT",
    "BODY_BYTES_MAX",
    "LOOPBACK",
    "PROBLEM",
    "READS",
    "Answered",
    "Day",
    "Flag",
    "KnownHosts",
    "LastResort",
    "Moment",
    "Problem",
    "Requests",
    "SafeAnswers",
    "api",
    "is_from_here",
    "is_kept_whole",
    "language_of",
    "problem",
    "refusal",
    "shape_of_route",
    "status_of",
    "uploads",
]

#: Of a request to ``/api``.
BODY_BYTES_MAX = 2_000_000

#: The names of this machine.
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

PROBLEM = "application/problem+json"
_STATUS: tuple[tuple[type[ShukeError], int], ...] = (
    (BadInput, 422),
    (NotSignedIn, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (Outdated, 412),
    (Conflict, 409),
    (CannotSay, 422),
    (TooOften, 429),
    (NotAvailable, 503),
)
# Values that are for whoever looks after the server: where its files are, and what its database said.
_INSIDE = frozenset({"file", "folder", "reason"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# As JSON escapes it; a backslash before it is escaped itself.
_NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _written_out(given: object) -> object:
    """A moment as text; a number could be seconds or milliseconds of any clock."""
    if isinstance(given, datetime) or (isinstance(given, str) and _MOMENT.match(given)):
        return given
    raise ValueError


def _day_written_out(given: object) -> object:
    """A day as text; a number could be seconds, too."""
    if isinstance(given, date) or (isinstance(given, str) and _DAY.fullmatch(given)):
        return given
    raise ValueError


#: A moment and a day as RFC 3339 writes them, and a flag that is one: what is asked is taken as documented, not as it
#: might be meant.
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out, json_schema_input_type=AwareDatetime)]
Day = Annotated[date, BeforeValidator(_day_written_out, json_schema_input_type=date)]
Flag = Annotated[bool, Field(strict=True)]


def status_of(error: ShukeError) -> int:
    """The HTTP status that an error is answered with."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def language_of(request: Request) -> Language:
    """The language that the reader asked for, else English."""
    for part in request.headers.get("accept-language", "").split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return Language.CHINESE
        if tag.startswith("en"):
            return Language.ENGLISH
    return Language.ENGLISH


def problem(
    error: ShukeError, request: Request, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error as RFC 9457 has it, with our stable code; ``status`` where the error does not say it itself."""
    status = status or status_of(error)
    language = language_of(request)
    request.scope["shuke.code"] = error.code
    told: ShukeError = error
    if isinstance(error, NotAvailable) and _INSIDE & error.values.keys():
        log.error("not available", code=error.code, **error.values)
        told = NotAvailable("platform.inside")
    body = {
        "type": f"urn:shuke:problem:{error.code}",
        "title": error.code,
        "status": status,
        "code": error.code,
        "detail": explain(told, language),
        "request_id": structlog.contextvars.get_contextvars().get("request_id"),
    }
    if isinstance(place := told.values.get("place"), str):
        body["place"] = place
    said = {"content-language": language.value, **(headers or {})}
    if status == 401:
        said["www-authenticate"] = "Bearer"
    if isinstance(error, TooOften):
        said["retry-after"] = str(error.values["seconds"])
    return JSONResponse(body, status, media_type=PROBLEM, headers=said)


class Problem(BaseModel):
    """What a refused request is answered with (RFC 9457); ``code`` never changes, ``detail`` is for the reader.

    ``place`` is where in the body it is wrong, for errors that know, such as ``all/of/0/window``.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str | None
    place: str | None = None


Responses = dict[int | str, dict[str, Any]]
# Worked out once: there are hundreds of refusals.
_PROBLEM_SCHEMA = Problem.model_json_schema()


def refusal(status: int, why: str) -> Responses:
    """How a route describes that it refuses something; several are joined by ``|``."""
    # A copy, as whoever joins several may write into it.
    return {status: {"description": why, "content": {PROBLEM: {"schema": deepcopy(_PROBLEM_SCHEMA)}}}}


#: What a route answers where the address names nothing.
ABSENT = refusal(404, "There is none")


def api(room: str) -> APIRouter:
    """A router for the routes of a room below ``/api``: bodies are limited, and refusals are documented."""
    return _router(room, _LimitedRoute)


def uploads(room: str) -> APIRouter:
    """A router for routes that take a file as it comes, by ``job_answers.receiving``, and no other."""
    return _router(room, _UnreadRoute)


def _router(room: str, kind: type[APIRoute]) -> APIRouter:
    return APIRouter(
        prefix="/api",
        tags=[room],
        route_class=kind,
        responses=refusal(401, "Nobody knows who asks: no key or session, or none that is good")
        | refusal(403, "Whoever asks may not have this")
        | refusal(422, "What was sent cannot be used")
        | refusal(503, "A part is missing at present"),
    )


#: The mark of a POST that only reads: what it looks for may be personal, and addresses stand in logs on the way.
READS: dict[str, Any] = {"x-reads": True}


def shape_of_route(route: APIRoute) -> Shape | None:
    """What of the route's answer can be asked for by ``fields``; None where nothing can."""
    return route.shape if isinstance(route, _LimitedRoute) else None


def is_kept_whole(route: APIRoute) -> bool:
    """Whether a body is read before the route begins, so that a second can be told from it."""
    return isinstance(route, _LimitedRoute)


class Answered(Exception):  # noqa: N818 - no error: what was asked has been done before
    """Raised to give this answer in place of the route's own."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        super().__init__(answer.status_code)


class _LimitedRoute(APIRoute):
    """Reads a body up to :data:`BODY_BYTES_MAX`, and calls one that cannot be parsed bad input.

    So it does where the null character stands anywhere, which PostgreSQL has no place for. Of the request it leaves
    ``state.body_hash``, and gives the answer to ``state.keep_answer`` where that was set meanwhile. A read answers with
    some ``fields`` only where it is asked to, which are left as ``state.fields``.
    """

    @cached_property
    def shape(self) -> Shape | None:
        """What of the answer can be asked for; None where the route changes something, or answers with a file."""
        reads = "GET" in (self.methods or ()) or (self.openapi_extra or {}).keys() >= READS.keys()
        return shape_of(self.response_model) if reads and self.response_model is not None else None

    def _sparse(self, shape: Shape, wanted: frozenset[str]) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler of a route like this one that answers with these fields."""
        like = copy(self)
        like.response_model_include = shape.included(wanted)
        return super(_LimitedRoute, like).get_route_handler()

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's own handler, behind the limit."""
        whole = super().get_route_handler()

        async def limited(request: Request) -> Response:
            handle = whole
            body = bytearray()
            async for part in request.stream():
                body += part
                if len(body) > BODY_BYTES_MAX:
                    raise BadInput("platform.body_too_large", limit_bytes=BODY_BYTES_MAX)
            scope = request.scope
            if b"%00" in scope["query_string"] or "\0" in scope["path"] or _NULL.search(body):
                raise BadInput("platform.null_character")

            async def again() -> Message:
                return {"type": "http.request", "body": bytes(body), "more_body": False}

            request.state.body_hash = sha256(body).digest()
            if (given := request.query_params.getlist("fields")) and (shape := self.shape) is not None:
                request.state.fields = asked_fields(shape, given)
                handle = self._sparse(shape, request.state.fields)
            try:
                answer = await handle(Request(request.scope, again))
            except Answered as before:
                return before.answer
            except HTTPException as error:
                # Not UTF-8, or nested too deeply: the framework's only other refusal of a body.
                if error.status_code == 400:
                    raise BadInput("platform.bad_body") from None
                raise
            if keep := getattr(request.state, "keep_answer", None):
                await run_in_threadpool(keep, answer)
            return answer

        return limited


class _UnreadRoute(APIRoute):
    """Leaves the body unread; refuses the null character in an address as others do."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's own handler, behind the check."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if b"%00" in request.scope["query_string"] or "\0" in request.scope["path"]:
                raise BadInput("platform.null_character")
            return await handle(request)

        return checked


class Requests:
    """Middleware: gives each request an id, counts it, and writes one line of log about it.

    The line names the route's pattern and never the address itself, which may hold what must not be in a log. It says
    who asked, by kind and id, and why nothing was done, by the code of the problem (``shuke.who`` and ``shuke.code`` of
    the scope). Of addresses that begin as ``unwritten`` ones do, which answer thousands a second, only what failed is
    written.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, *, unwritten: tuple[str, ...] = ()) -> None:
        self.app = app
        self.metrics = metrics
        self.unwritten = unwritten

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        status = 500
        began = time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, answer)
            finally:
                self._say(scope, status, time.perf_counter() - began)

    def _say(self, scope: Scope, status: int, seconds: float) -> None:
        route: Any = scope.get("route")
        pattern = getattr(route, "path", None) or "unknown"
        self.metrics.requests.labels(scope["method"], pattern, str(status)).inc()
        self.metrics.request_seconds.labels(pattern).observe(seconds)
        if status >= 400 or not scope["path"].startswith(self.unwritten):
            known = {name: scope.get(f"shuke.{name}") for name in ("who", "code")}
            said = {name: value for name, value in known.items() if value is not None}
            ms = round(seconds * 1000, 1)
            log.info("request", method=scope["method"], route=pattern, status=status, ms=ms, **said)


class LastResort:
    """Middleware: answers what nobody has expected as ``explain`` says.

    The framework would do so outside of all middleware: without an id, and without what browsers are told.
    """

    def __init__(self, app: ASGIApp, explain: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self.app = app
        self.explain = explain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; what fails once an answer has begun goes on to the server, which breaks it off."""
        began = False

        async def answer(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            if began or scope["type"] != "http":
                raise
            await (await self.explain(Request(scope, receive), error))(scope, receive, send)


#: What a page of ours may load and do: only what comes from here, and no script or style written into the page itself.
_CONTENT_POLICY = (
    "default-src 'self'; frame-ancestors 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "img-src 'self' data:; connect-src 'self'"
)
_YEAR_SECONDS = 31_536_000


class SafeAnswers:
    """Middleware: tells browsers what not to do with an answer, and everybody between not to keep those of ``/api``.

    An answer that says one of these things itself is left as it is. Paths that begin as ``bare`` ones do get none: they
    are for programs, and answer thousands a second.
    """

    def __init__(self, app: ASGIApp, *, bare: tuple[str, ...] = ()) -> None:
        self.app = app
        self.bare = bare

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["path"].startswith(self.bare):
            await self.app(scope, receive, send)
            return
        said = {
            "content-security-policy": _CONTENT_POLICY,
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            # Not none at all: then browsers would not say, either, that our own pages send us something.
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
        }
        if scope["path"].startswith("/api/"):
            said["cache-control"] = "no-store"
        if scope["scheme"] == "https":
            said["strict-transport-security"] = f"max-age={2 * _YEAR_SECONDS}"

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in said.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, answer)


class KnownHosts:
    """Middleware: answers only who calls us by a name of ours, but for some paths.

    A page elsewhere can have its own name point here (DNS rebinding), and would then be taken for one of our own.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], open_paths: tuple[str, ...]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)
        self.open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 421."""
        if scope["type"] != "http" or scope["path"].startswith(self.open_paths) or self._is_known(scope):
            await self.app(scope, receive, send)
            return
        refused = NotAllowed("platform.unknown_host", variable="SHUKE_ALLOWED_HOSTS")
        await problem(refused, Request(scope, receive), status=421)(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        named = [value for name, value in scope["headers"] if name == b"host"]
        # Without a name, or with two, nobody can say which one counts.
        return len(named) == 1 and _host_of(named[0].decode("latin-1")) in self.hosts


def _host_of(named: str) -> str:
    """The name without its port; addresses of version 6 stand in brackets."""
    if named.startswith("["):
        return named[1:].partition("]")[0].lower()
    return named.partition(":")[0].lower().rstrip(".")


def is_from_here(request: Request) -> bool:
    """Whether a program or person on this machine asks; what a proxy passes on comes from elsewhere."""
    passed_on = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"))
    asks = request.client.host if request.client else None
    return not passed_on and _host_of(request.headers.get("host", "")) in LOOPBACK and asks in LOOPBACK
