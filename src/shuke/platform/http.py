"""What every HTTP edge shares: problems in the reader's language, request ids, metrics.

Only this module knows which error is which status; rooms raise their own errors and know nothing of HTTP.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

import structlog
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shuke.base.errors import BadInput, CannotSay, Conflict, NotAllowed, NotAvailable, NotFound, ShukeError
from shuke.base.language import Language, explain
from shuke.platform.telemetry import Metrics, log

__all__ = [
    "BODY_BYTES_MAX",
    "PROBLEM",
    "Flag",
    "Moment",
    "OnlyThisMachine",
    "Problem",
    "Requests",
    "api",
    "language_of",
    "problem",
    "status_of",
]

#: Of a request to ``/api``.
BODY_BYTES_MAX = 2_000_000

PROBLEM = "application/problem+json"
_STATUS: tuple[tuple[type[ShukeError], int], ...] = (
    (BadInput, 422),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (CannotSay, 422),
    (NotAvailable, 503),
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# As JSON escapes it; a backslash before it is escaped itself.
_NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _written_out(given: object) -> object:
    """A moment as text; a number could be seconds or milliseconds of any clock."""
    if isinstance(given, datetime) or (isinstance(given, str) and _MOMENT.match(given)):
        return given
    raise ValueError


#: A moment as RFC 3339 writes it, and a flag that is one: bodies are taken as documented, not as they might be meant.
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out, json_schema_input_type=AwareDatetime)]
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
    body = {
        "type": f"urn:shuke:problem:{error.code}",
        "title": error.code,
        "status": status,
        "code": error.code,
        "detail": explain(error, language),
        "request_id": structlog.contextvars.get_contextvars().get("request_id"),
    }
    said = {"content-language": language.value, **(headers or {})}
    return JSONResponse(body, status, media_type=PROBLEM, headers=said)


class Problem(BaseModel):
    """What a refused request is answered with (RFC 9457); ``code`` never changes, ``detail`` is for the reader."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str | None


def api(room: str) -> APIRouter:
    """A router for the routes of a room below ``/api``: bodies are limited, and refusals are documented."""
    answer = {"content": {PROBLEM: {"schema": Problem.model_json_schema()}}}
    return APIRouter(
        prefix="/api",
        tags=[room],
        route_class=_LimitedRoute,
        responses={
            403: {"description": "Whoever asks may not have this", **answer},
            422: {"description": "What was sent cannot be used", **answer},
            503: {"description": "A part is missing at present", **answer},
        },
    )


class _LimitedRoute(APIRoute):
    """Reads a body up to :data:`BODY_BYTES_MAX`, and calls one that cannot be parsed bad input.

    So it does where the null character stands anywhere, which PostgreSQL has no place for.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's own handler, behind the limit."""
        handle = super().get_route_handler()

        async def limited(request: Request) -> Response:
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

            try:
                return await handle(Request(request.scope, again))
            except HTTPException as error:
                # Not UTF-8, or nested too deeply: the framework's only other refusal of a body.
                if error.status_code == 400:
                    raise BadInput("platform.bad_body") from None
                raise

        return limited


class Requests:
    """Middleware: gives each request an id, counts it, and writes one line of log about it.

    The line names the route's pattern and never the address itself, which may hold what must not be in a log. Of
    addresses that begin as ``unwritten`` ones do, which answer thousands a second, only what failed is written.
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
            log.info("request", method=scope["method"], route=pattern, status=status, ms=round(seconds * 1000, 1))


class OnlyThisMachine:
    """Middleware: all but some paths answer only to programs and people on this machine.

    Until there are people and roles, whoever reaches the server may do everything, so nobody else may reach it. What a
    proxy passes on comes from elsewhere, and so does a page that had its own name point here (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, open_paths: tuple[str, ...]) -> None:
        self.app = app
        self.open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 403."""
        if scope["type"] != "http" or scope["path"].startswith(self.open_paths) or self._is_from_here(Request(scope)):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        await problem(NotAllowed("app.only_this_machine"), request)(scope, receive, send)

    @staticmethod
    def _is_from_here(request: Request) -> bool:
        here = {"127.0.0.1", "::1", "localhost"}
        passed_on = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"))
        asks = request.client.host if request.client else None
        return not passed_on and request.url.hostname in here and asks in here
