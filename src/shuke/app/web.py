"""The web server: the routes of every room, and how a machine can tell that it is well."""

from __future__ import annotations

import asyncio
import contextlib
import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Match, Route

from shuke import access, catalog
from shuke.app.console import BUILT, Console, files_of
from shuke.app.wiring import OPEN_PATHS, ROUTES, UNWRITTEN_PATHS
from shuke.base.errors import BadInput, NotAvailable, NotFound, ShukeError
from shuke.platform import Metrics, Settings, Workplace, log, may_pass, revision_expected, revision_found
from shuke.platform.http import (
    LOOPBACK,
    KnownHosts,
    LastResort,
    Requests,
    SafeAnswers,
    is_from_here,
    problem,
    shape_of_route,
)
from shuke.platform.sparse import Shape

__all__ = ["build_web"]

_TEXTS = Path(__file__).with_name("description.toml")
_FIELD = re.compile("[a-z][a-z0-9_]{0,39}|[0-9]{1,5}")


def build_web(workplace: Workplace) -> FastAPI:
    """The application that an ASGI server runs; LookupError when a route below ``/api`` declares no permission."""
    metrics = Metrics()
    app = FastAPI(title="Shuke", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.state.workplace = workplace
    for make in ROUTES:
        app.router.routes.extend(make(workplace, metrics))
    access.declare_permissions(app.router.routes)

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readiness() -> Response:
        try:
            workplace.database.ping()
            found, expected = revision_found(workplace.database), revision_expected()
        except NotAvailable as reason:
            return JSONResponse({"ready": False, "reason": reason.code}, 503)
        if found != expected:
            return JSONResponse({"ready": False, "reason": "platform.not_migrated"}, 503)
        return JSONResponse({"ready": True})

    async def ready(_: Request) -> Response:
        return await asyncio.to_thread(readiness)

    async def measured(request: Request) -> Response:
        if not is_from_here(request):
            await asyncio.to_thread(access.admitted, request, "settings.read")
        metrics.connections_in_use.set(workplace.database.connections_in_use)
        text, kind = metrics.render()
        return Response(text, media_type=kind)

    app.router.routes.extend([Route("/livez", live), Route("/readyz", ready), Route("/metrics", measured)])

    # Last of all, for what no route answers.
    console = Console(files_of(BUILT), time_zone=_zone(workplace), otherwise=app.router.default)
    app.router.routes.extend(console.routes())
    app.router.default = console

    _describe(app)
    _explain_errors(app)
    app.add_middleware(KnownHosts, hosts=_hosts(workplace.settings), open_paths=OPEN_PATHS)
    app.add_middleware(SafeAnswers, bare=UNWRITTEN_PATHS)
    app.add_middleware(Requests, metrics=metrics, unwritten=UNWRITTEN_PATHS)
    return app


def _zone(workplace: Workplace) -> Callable[[], str]:
    """Asks the brand's zone; while the database does not answer, it is the last that was known."""
    known = workplace.settings.time_zone

    def asked() -> str:
        nonlocal known
        with contextlib.suppress(SQLAlchemyError), workplace.database.read() as tx:
            known = catalog.zone_of(tx, workplace.settings)
        return known

    return asked


def _hosts(settings: Settings) -> frozenset[str]:
    """The names that the server goes by."""
    return frozenset(settings.allowed_hosts) or LOOPBACK | {settings.host}


def _describe(app: FastAPI) -> None:
    """Say in the description of the API what routes are for, what they take, and how a reader says who they are."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        whole = describe()
        shapes = _shapes(app)
        whole.setdefault("components", {})["securitySchemes"] = access.SECURITY_SCHEMES
        for path, methods in whole["paths"].items():
            for method, operation in methods.items():
                said = _texts().get(f"{method.upper()} {path}", {})
                operation["summary"] = said.get("summary", operation.get("summary"))
                if shape := shapes.get((method, path)):
                    operation.setdefault("parameters", []).append(shape.parameter())
                if "example" in said:
                    operation["requestBody"]["content"]["application/json"]["example"] = said["example"]
        return whole

    app.openapi = described  # type: ignore[method-assign] # the framework's own way to extend it


def _shapes(app: FastAPI) -> dict[tuple[str, str], Shape]:
    """What of an answer can be asked for, by method and path of the route."""
    return {
        (method.lower(), route.path_format): shape
        for route in app.routes
        if isinstance(route, APIRoute) and (shape := shape_of_route(route)) is not None
        for method in route.methods or ()
    }


@cache
def _texts() -> dict[str, dict[str, Any]]:
    """The summary of each route, and an example of its body, by method and path."""
    return tomllib.loads(_TEXTS.read_text(encoding="utf-8"))


def _explain_errors(app: FastAPI) -> None:
    """Answer whatever goes wrong with a problem."""

    async def explained(request: Request, error: Exception) -> Response:
        if not isinstance(error, ShukeError):
            log.error("unexpected", exc_info=error)
            error = NotAvailable("app.try_later") if may_pass(error) else ShukeError("app.unexpected")
        return problem(error, request)

    async def unrouted(request: Request, error: Exception) -> Response:
        """What the framework itself refuses: an address that there is not, or not with this method."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 404:
            return problem(NotFound("app.no_page"), request)
        fitting = [one for one in app.routes if isinstance(one, Route) and one.matches(request.scope)[0] != Match.NONE]
        methods = sorted({method for one in fitting for method in one.methods or ()})
        refused = BadInput("app.wrong_method", methods=methods)
        return problem(refused, request, status=status, headers={"allow": ", ".join(methods)})

    async def invalid(request: Request, error: Exception) -> Response:
        given: Any = error.errors() if isinstance(error, RequestValidationError) else []
        # Where and what kind, never the value: it may be personal.
        places = [f"{'.'.join(_known(part) for part in one['loc'])}: {one['type']}" for one in given]
        return problem(BadInput("app.bad_request", places=places), request)

    app.add_exception_handler(ShukeError, explained)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(SQLAlchemyError, explained)
    app.add_exception_handler(HTTPException, unrouted)
    app.add_middleware(LastResort, explain=explained)


def _known(part: object) -> str:
    """A step of the way to a field; what may be a value that was sent in a field's place is not repeated."""
    return str(part) if _FIELD.fullmatch(str(part)) else "?"
