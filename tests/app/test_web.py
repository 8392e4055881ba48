"""Who may reach what, until there are people and roles."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shuke.app.web import build_web
from shuke.collect import add_source
from shuke.platform import Workplace
from shuke.platform.http import OnlyThisMachine

HERE = ("127.0.0.1", 50_000)
ELSEWHERE = ("203.0.113.7", 50_000)
PRIVATE = "/openapi.json"
ONLY_HERE = {"here": True, "by name": True, "elsewhere": False, "another name": False, "proxy": False}


def asked(
    workplace: Workplace,
    path: str,
    *,
    method: str = "GET",
    address: tuple[str, int] = HERE,
    host: str = "127.0.0.1:8600",
    **given: Any,
) -> httpx.Response:
    """What a visitor from this address, who called us by this name, is answered."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(build_web(workplace), client=address, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as visitor:
            return await visitor.request(method, path, **given)

    return asyncio.run(ask())


def may_read(workplace: Workplace) -> dict[str, bool]:
    """Whether each kind of visitor gets at what only this machine may have."""
    return {
        "here": asked(workplace, PRIVATE).status_code == 200,
        "by name": asked(workplace, PRIVATE, host="localhost").status_code == 200,
        "elsewhere": asked(workplace, PRIVATE, address=ELSEWHERE).status_code == 200,
        "another name": asked(workplace, PRIVATE, host="rebound.example").status_code == 200,
        "proxy": asked(workplace, PRIVATE, headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 200,
    }


def test_only_this_machine_reaches_what_has_no_key(workplace: Workplace) -> None:
    assert may_read(workplace) == ONLY_HERE
    refused = asked(workplace, PRIVATE, address=ELSEWHERE, headers={"Accept-Language": "zh-CN"})
    assert refused.status_code == 403
    assert refused.json()["code"] == "app.only_this_machine"
    assert "只能" in refused.json()["detail"]


def test_a_guard_that_trusts_everybody_is_seen(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OnlyThisMachine, "_is_from_here", staticmethod(lambda _: True))
    assert may_read(workplace) != ONLY_HERE


def test_anybody_reaches_the_collector_and_what_says_that_all_is_well(workplace: Workplace) -> None:
    outside: dict[str, Any] = {"address": ELSEWHERE, "host": "events.example"}
    assert asked(workplace, "/livez", **outside).status_code == 200
    assert asked(workplace, "/readyz", **outside).status_code == 200
    assert asked(workplace, "/v1/track", method="POST", json={"event": "Seen"}, **outside).status_code == 401


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
