"""The web console: its page, with a policy and a nonce of its own for each visit, and the files that the page loads.

The files are built from ``console/`` and lie in ``console_files``. Their names hold a hash of what is in them, so a
browser may keep them for ever; the page that names them is asked for each time.
"""

from __future__ import annotations

import asyncio
import html
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from types import MappingProxyType

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from shuke.base.errors import NotFound
from shuke.base.language import catalogue
from shuke.platform.http import language_of, problem

__all__ = ["BUILT", "Console", "Files", "files_of", "policy"]

#: Where ``make console`` puts what it builds.
BUILT = Path(__file__).parent / "console_files"

# The page has these in place of what only the server knows.
_NONCE, _ZONE = "PAGE_NONCE", "SHUKE_TIME_ZONE"
# Addresses of programs: whoever asks for one that there is not is told so, and given no page.
_NO_PAGES = ("/api", "/v1", "/assets", "/livez", "/readyz", "/metrics", "/openapi.json")
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Files:
    """What was built: the page, and the files beside it by name, with those that lie compressed, too."""

    page: str
    assets: Mapping[str, Path]
    compressed: Mapping[str, Path]


def files_of(folder: Path) -> Files | None:
    """The console's files; None where it was not built."""
    page = folder / "index.html"
    if not page.is_file():
        return None
    found = {path.name: path for path in (folder / "assets").iterdir()}
    plain = {name: path for name, path in found.items() if not name.endswith(".gz")}
    compressed = {name: found[f"{name}.gz"] for name in plain if f"{name}.gz" in found}
    return Files(page.read_text(encoding="utf-8"), MappingProxyType(plain), MappingProxyType(compressed))


def policy(nonce: str) -> str:
    """What the page may load and do; styles that scripts write need the nonce."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            # Reports, which are shown by a stricter policy of their own.
            "frame-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Console:
    """Answers what no route does: with the console's page where a person asks for one, else as before."""

    def __init__(self, files: Files | None, *, time_zone: Callable[[], str], otherwise: ASGIApp) -> None:
        self.files = files
        self.time_zone = time_zone
        self.otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a page."""
        if not _wants_page(scope):
            await self.otherwise(scope, receive, send)
            return
        # What the log calls it; the address itself may hold what must not be in a log.
        scope["route"] = _PAGE
        request = Request(scope, receive)
        answer = await self._page() if self.files else self._not_built(request)
        await answer(scope, receive, send)

    def routes(self) -> list[BaseRoute]:
        """The files that the page loads."""
        return [Route("/assets/{name}", self._asset, methods=["GET"])]

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if self.files is None or name not in self.files.assets:
            return problem(NotFound("app.no_page"), request)
        kind = guess_type(name)[0] or "application/octet-stream"
        # As the framework adds it to plain text.
        kind += "; charset=utf-8" if kind.endswith("+xml") else ""
        headers = {"cache-control": _FOR_EVER, "x-content-type-options": "nosniff", "vary": "accept-encoding"}
        compressed = self.files.compressed.get(name)
        if compressed and "gzip" in request.headers.get("accept-encoding", ""):
            return FileResponse(compressed, media_type=kind, headers=headers | {"content-encoding": "gzip"})
        return FileResponse(self.files.assets[name], media_type=kind, headers=headers)

    async def _page(self) -> Response:
        if self.files is None:
            raise NotFound("app.no_page")
        nonce = secrets.token_urlsafe(16)
        zone = await asyncio.to_thread(self.time_zone)
        text = self.files.page.replace(_NONCE, nonce).replace(_ZONE, html.escape(zone))
        return HTMLResponse(text, headers=_headers(nonce))

    def _not_built(self, request: Request) -> Response:
        text = catalogue("shuke.app", language_of(request))
        nonce = secrets.token_urlsafe(16)
        page = (
            f'<!doctype html><html lang="{text.language.value}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{text('console.title')}</title>"
            f'<style nonce="{nonce}">:root{{color-scheme:light dark}}'
            "body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1.5rem}</style>"
            f"<h1>{text('console.not_built')}</h1><p>{text('console.build')}</p><pre>make console</pre>"
            f"<p>{text('console.rest_works')}</p>"
        )
        return HTMLResponse(page, 503, headers=_headers(nonce))


def _headers(nonce: str) -> dict[str, str]:
    return {
        "content-security-policy": policy(nonce),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "vary": "accept, accept-language",
    }


def _wants_page(scope: Scope) -> bool:
    """Whether this is a browser that opens an address of the console's."""
    path = scope["path"]
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    if any(path == taken or path.startswith(f"{taken}/") for taken in _NO_PAGES):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


async def _nothing(_: Request) -> Response:
    raise NotFound("app.no_page")


_PAGE = Route("/{page:path}", _nothing)
