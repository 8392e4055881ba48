"""How the console is served: a page for people, none for programs, files for ever, a policy that lets nothing in."""

import asyncio
import gzip
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Router

from shuke.app import console
from shuke.app.console import Console, Files, files_of, policy

PAGE = '<meta property="csp-nonce" nonce="PAGE_NONCE"><meta content="SHUKE_TIME_ZONE"><script src="/assets/a-1.js">'
PEOPLE = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A small console."""
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "secret.txt").write_text("no")
    (assets / "a-1.js").write_text("let a = 1")
    (assets / "a-1.js.gz").write_bytes(gzip.compress(b"let a = 1"))
    (assets / "b-2.svg").write_text("<svg/>")
    found = files_of(tmp_path)
    assert found is not None
    return found


def asked(files: Files | None, path: str, *, method: str = "GET", headers: Any = PEOPLE) -> httpx.Response:
    """What a visitor is answered."""
    router = Router()
    served = Console(files, time_zone=lambda: "Asia/Shanghai", otherwise=router.default)
    router.routes.extend(served.routes())
    router.default = served

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(router, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as visitor:
            return await visitor.request(method, path, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/", "/customers", "/customers/018f-x", "/settings/team", "/apiary", "/v10"])
def test_people_get_the_page_at_any_address(files: Files, path: str) -> None:
    answer = asked(files, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert 'content="Asia/Shanghai"' in answer.text


@pytest.mark.parametrize("path", ["/api", "/api/none", "/v1/none", "/livez/x", "/metrics/x", "/assets/none.js"])
def test_programs_get_no_page_in_place_of_an_answer(files: Files, path: str) -> None:
    answer = asked(files, path)
    assert answer.status_code == 404
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    ("method", "headers"), [("POST", PEOPLE), ("GET", {"accept": "application/json"}), ("GET", {})]
)
def test_only_who_asks_for_a_page_gets_it(files: Files, method: str, headers: Any) -> None:
    assert asked(files, "/customers", method=method, headers=headers).status_code == 404


def nonces(files: Files) -> list[str]:
    """Of three visits what the page may sign its styles with, where page and policy agree and allow no more."""
    found = []
    for _ in range(3):
        answer = asked(files, "/")
        (nonce,) = re.findall(r'nonce="([\w-]{22})"', answer.text)
        assert answer.headers["content-security-policy"] == policy(nonce)
        found.append(nonce)
    return found


def test_each_visit_has_a_nonce_of_its_own(files: Files) -> None:
    assert len(set(nonces(files))) == 3
    assert "unsafe" not in policy("x")
    assert "http" not in policy("x")


def test_a_nonce_that_stays_is_seen(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.secrets, "token_urlsafe", lambda _: "A" * 22)  # type: ignore[attr-defined]
    assert len(set(nonces(files))) != 3


def test_files_are_kept_for_ever_and_sent_as_they_lie_compressed(files: Files) -> None:
    answer = asked(files, "/assets/a-1.js", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.text == "let a = 1"
    plain = asked(files, "/assets/a-1.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == "let a = 1"
    picture = asked(files, "/assets/b-2.svg", headers={"accept-encoding": "gzip"})
    assert picture.headers["content-type"] == "image/svg+xml; charset=utf-8"
    assert "content-encoding" not in picture.headers


@pytest.mark.parametrize("name", ["..%2Fsecret.txt", "../secret.txt", "a-1.js.gz", "%2e%2e/index.html", ""])
def test_nothing_else_is_served(files: Files, name: str) -> None:
    assert asked(files, f"/assets/{name}", headers={}).status_code == 404


def test_without_files_the_page_says_how_to_build(tmp_path: Path) -> None:
    assert files_of(tmp_path) is None
    answer = asked(None, "/", headers=PEOPLE | {"accept-language": "zh-CN"})
    assert answer.status_code == 503
    assert "make console" in answer.text
    assert "尚未构建" in answer.text
    assert "is not built yet" in asked(None, "/").text
    assert asked(None, "/assets/a-1.js").status_code == 404
