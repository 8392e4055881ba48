"""Who may reach what, what browsers are told, and what is written of it."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import APIRouter
from starlette.routing import Route

from shuke import access
from shuke.app import web
from shuke.app.web import build_web
from shuke.collect import add_source
from shuke.platform import Workplace
from shuke.platform.http import KnownHosts, LastResort, api

HERE = ("127.0.0.1", 50_000)
ELSEWHERE = ("203.0.113.7", 50_000)
KNOWN = {"here": True, "by name": True, "version 6": True, "another name": False, "no name": False, "two names": False}


def asked(
    workplace: Workplace,
    path: str,
    *,
    method: str = "GET",
    address: tuple[str, int] = HERE,
    host: str = "127.0.0.1:8600",
    scheme: str = "http",
    **given: Any,
) -> httpx.Response:
    """What a visitor from this address, who called us by this name, is answered."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(build_web(workplace), client=address, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://{host}") as visitor:
            return await visitor.request(method, path, **given)

    return asyncio.run(ask())


def known(workplace: Workplace) -> dict[str, bool]:
    """Whether each way to call us gets as far as to be asked who it is."""
    session = "/api/session"
    two = [("host", "localhost"), ("host", "rebound.example")]
    return {
        "here": asked(workplace, session).status_code == 401,
        "by name": asked(workplace, session, host="LocalHost").status_code == 401,
        "version 6": asked(workplace, session, host="[::1]:8600").status_code == 401,
        "another name": asked(workplace, session, host="rebound.example").status_code == 401,
        "no name": asked(workplace, session, headers={"host": ""}).status_code == 401,
        "two names": asked(workplace, session, headers=two).status_code == 401,
    }


def test_only_who_calls_us_by_our_name_is_answered(workplace: Workplace) -> None:
    assert known(workplace) == KNOWN
    refused = asked(workplace, "/openapi.json", host="rebound.example", headers={"Accept-Language": "zh-CN"})
    assert (refused.status_code, refused.json()["code"]) == (421, "platform.unknown_host")
    assert "SHUKE_ALLOWED_HOSTS" in refused.json()["detail"]
    named = replace(workplace, settings=replace(workplace.settings, allowed_hosts=("crm.example.com",)))
    assert asked(named, "/openapi.json", host="crm.example.com:443", scheme="https").status_code == 200
    assert asked(named, "/openapi.json").status_code == 421
    listening = replace(workplace, settings=replace(workplace.settings, host="192.0.2.1"))
    assert asked(listening, "/openapi.json", host="192.0.2.1:8600").status_code == 200


def test_a_guard_that_knows_every_host_is_seen(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KnownHosts, "_is_known", lambda *_: True)
    assert known(workplace) != KNOWN


def test_anybody_reaches_the_collector_and_what_says_that_all_is_well(workplace: Workplace) -> None:
    outside: dict[str, Any] = {"address": ELSEWHERE, "host": "events.example"}
    assert asked(workplace, "/livez", **outside).status_code == 200
    assert asked(workplace, "/readyz", **outside).status_code == 200
    refused = asked(workplace, "/v1/track", method="POST", json={"event": "Seen"}, **outside)
    assert (refused.status_code, refused.headers["x-content-type-options"]) == (401, "nosniff")


def test_figures_are_for_this_machine_and_for_who_may(workplace: Workplace, key_for: Callable[..., str]) -> None:
    assert asked(workplace, "/metrics").status_code == 200
    assert asked(workplace, "/metrics", address=ELSEWHERE).status_code == 401
    assert asked(workplace, "/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 401
    for role, status in (("auditor", 200), ("store_associate", 403)):
        key = key_for(workplace, role, places=["s1"] if role == "store_associate" else [])
        bearer = {"authorization": f"Bearer {key}"}
        assert asked(workplace, "/metrics", address=ELSEWHERE, headers=bearer).status_code == status


def test_a_route_that_declares_no_permission_stops_the_server(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bare(_: Any) -> None:
        pass

    def undeclared(*_: Any) -> list[Any]:
        router: APIRouter = api("planted")
        router.get("/planted")(lambda: None)
        return list(router.routes)

    for planted in (undeclared, lambda *_: [Route("/api/planted", bare)]):
        monkeypatch.setattr(web, "ROUTES", (planted,))
        with pytest.raises(LookupError, match="/api/planted declares no permission"):
            build_web(workplace)


def test_every_route_says_what_it_needs(workplace: Workplace) -> None:
    told = asked(workplace, "/openapi.json").json()
    assert told["components"]["securitySchemes"].keys() == {"key", "session"}
    operations = [
        one for path, methods in told["paths"].items() if path.startswith("/api/") for one in methods.values()
    ]
    assert len(operations) > 40
    for one in operations:
        assert ("x-permission" in one) == bool(one["security"]), one
        assert {"401", "403"} <= one["responses"].keys()


def test_browsers_are_told_what_not_to_do(workplace: Workplace) -> None:
    answer = asked(workplace, "/openapi.json").headers
    assert "access-control-allow-origin" not in answer
    assert "unsafe" not in answer["content-security-policy"]
    for rule in ("default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"):
        assert rule in answer["content-security-policy"]
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in answer
    assert "cache-control" not in answer
    secure = asked(workplace, "/api/products", scheme="https", host="localhost")
    assert secure.status_code == 401
    assert secure.headers["www-authenticate"] == "Bearer"
    assert secure.headers["strict-transport-security"].startswith("max-age=")
    assert secure.headers["cache-control"] == "no-store"


def test_what_nobody_expected_is_answered_as_safely(
    workplace: Workplace,
    key_for: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a value of somebody's")

    def failed() -> httpx.Response:
        return asked(workplace, "/api/products", headers={"authorization": f"Bearer {key}", "x-request-id": "r-1"})

    key = key_for(workplace, "owner")
    monkeypatch.setattr("shuke.catalog.service.list_products", breaks)
    answer = failed()
    assert (answer.status_code, answer.json()["code"]) == (500, "app.unexpected")
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "r-1"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    said = capsys.readouterr().out
    assert "ZeroDivisionError" in said
    assert said.count("request_id=r-1") == 2
    assert "somebody's" not in answer.text
    # Planted: the framework answers it, outside of all that is ours.
    monkeypatch.setattr(LastResort, "__call__", lambda self, *given: self.app(*given))
    assert "x-request-id" not in failed().headers


def test_the_log_says_who_asked_and_why_nothing_was_done(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    with workplace.database.begin() as tx:
        made, secret = access.make_key(tx, access.COMMAND, access.NewKey(name="BI", role="auditor"), datetime.now(UTC))
    for key, code in ((secret, "access.not_allowed"), ("sk_wrong", "access.not_signed_in")):
        asked(workplace, "/api/products", headers={"authorization": f"Bearer {key}"})
        said = capsys.readouterr().out
        assert f"code={code}" in said
        assert (f"who=key:{made.key_id}" in said) == (key == secret)
        assert key not in said


def test_other_methods_are_refused(workplace: Workplace) -> None:
    for method in ("TRACE", "DELETE", "OPTIONS"):
        answer = asked(workplace, "/api/products", method=method)
        assert (answer.status_code, answer.json()["code"]) == (405, "app.wrong_method"), method
        assert answer.headers["allow"] == "GET, POST"


def test_where_a_message_ends_is_said_once(workplace: Workplace, serve: Callable[..., Any]) -> None:
    """What two servers might read differently is read by none of ours: else one could hide a request in another."""
    begin = "POST /v1/track HTTP/1.1\r\nHost: localhost\r\n"
    told = {
        "both": f"{begin}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "two lengths": f"{begin}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        "no number": f"{begin}Content-Length: +4\r\n\r\nabcd",
        "not last": f"{begin}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    }
    with serve(build_web(workplace)) as address:
        place = urlsplit(address)
        for case, request in told.items():
            with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
                connection.sendall(request.encode())
                assert connection.recv(20).startswith(b"HTTP/1.1 400 "), case


def test_what_the_collector_takes_is_counted_and_not_written(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    with workplace.database.begin() as tx:
        key = add_source(tx, "site", now=datetime.now(UTC))
    good = {"type": "page", "userId": "u", "messageId": "m"}
    for given, status in (({**good, "writeKey": key}, 200), ({**good, "writeKey": "none"}, 401)):
        assert asked(workplace, "/v1/page", method="POST", json=given).status_code == status
        assert (f"status={status}" in capsys.readouterr().out) == (status != 200)
    assert asked(workplace, "/readyz").status_code == 200
    assert "status=200" in capsys.readouterr().out
