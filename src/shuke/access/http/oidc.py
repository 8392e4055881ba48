"""``/api/oidc``: signing in by a provider of identities. A browser comes along here, so answers are ways to go on."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute

from shuke.access.http import doorway
from shuke.access.http.guard import Visit, public
from shuke.access.people_model import Way
from shuke.access.service import oidc
from shuke.base.errors import NotAvailable, ShukeError
from shuke.platform import Metrics, Workplace, log
from shuke.platform.http import api, language_of

__all__ = ["oidc_routes"]

Open = Annotated[Visit, public()]
_Given = Annotated[str | None, Query(max_length=4_000)]

_COOKIE = "shuke_oidc"
_SIGN_IN = "/sign-in"


class ProviderAnswer(BaseModel):
    """A provider to sign in by, as the button says."""

    name: str


class ProvidersAnswer(BaseModel):
    """The providers that the settings name: one or none."""

    items: list[ProviderAnswer]


def oidc_routes(workplace: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of signing in by a provider."""
    router = api("access")
    discovery = oidc.Discovery()
    going_on: dict[int | str, dict[str, Any]] = {
        303: {"description": "Where the browser goes on: to the provider, in, or back to signing in"}
    }

    @router.get("/oidc")
    def get_providers(_: Open) -> ProvidersAnswer:
        provider = oidc.provider_of(workplace.settings)
        return ProvidersAnswer(items=[ProviderAnswer(name=provider.name)] if provider else [])

    @router.get("/oidc/start", response_class=RedirectResponse, status_code=303, responses=going_on)
    def start(visit: Open) -> RedirectResponse:
        request = visit.request
        if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            # Another site sends the browser here; whether to sign in is for whoever sits before it to say.
            return RedirectResponse(_SIGN_IN, 303)
        try:
            redirect = f"{doorway.base_of(request)}/api/oidc/callback"
            address, attempt = oidc.begin(_provider(workplace), discovery, redirect, doorway.now_utc())
        except ShukeError as error:
            return _back(error)
        answer = RedirectResponse(address, 303)
        seconds = int(oidc.FLOW_LASTS.total_seconds())
        doorway.set_cookie(request, answer, _cookie(request), attempt.sealed(visit.keyring), seconds)
        return answer

    @router.get("/oidc/callback", response_class=RedirectResponse, status_code=303, responses=going_on)
    def come_back(
        visit: Open, code: _Given = None, state: _Given = None, iss: _Given = None, error: _Given = None
    ) -> RedirectResponse:
        request = visit.request
        given = {"code": code, "state": state, "iss": iss, "error": error}
        answer = RedirectResponse("/", 303)
        try:
            tries = doorway.tries_of(visit)
            doorway.count(visit, tries)
            provider, now = _provider(workplace), doorway.now_utc()
            attempt = oidc.Attempt.opened(request.cookies.get(_cookie(request), ""), visit.keyring, now)
            said = {name: value for name, value in given.items() if value is not None}
            told = oidc.finish(provider, discovery, attempt, said, now)
            with visit.begin() as tx:
                user_id = oidc.account_of(tx, provider, told, language_of(request).value, now)
                made = doorway.let_in(visit, tx, answer, user_id, [Way.OIDC], tries)
        except ShukeError as reason:
            log.info("sign-in refused", way="oidc", why=reason.code, detail=reason.values.get("why"))
            answer = _back(reason)
        else:
            if made.asks:
                answer.headers["location"] = f"{_SIGN_IN}?{urlencode({'methods': ','.join(made.asks)})}"
        doorway.set_cookie(request, answer, _cookie(request), "", 0)
        return answer

    return list(router.routes)


def _provider(workplace: Workplace) -> oidc.Provider:
    provider = oidc.provider_of(workplace.settings)
    if provider is None:
        raise NotAvailable("access.oidc_off")
    return provider


def _cookie(request: Request) -> str:
    return f"__Host-{_COOKIE}" if request.url.scheme == "https" else _COOKIE


def _back(error: ShukeError) -> RedirectResponse:
    """To the page where people sign in, which says what went wrong in their language."""
    said = {"error": error.code} | {
        name: str(value) for name, value in error.values.items() if name in ("why", "seconds")
    }
    return RedirectResponse(f"{_SIGN_IN}?{urlencode(said)}", 303)
