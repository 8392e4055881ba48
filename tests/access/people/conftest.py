"""A server without a network, browsers that visit it, and people to sign in."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from fastapi import FastAPI

from shuke.access.people_model import NewUser
from shuke.access.service import passwords, users
from shuke.app.web import build_web
from shuke.platform import Workplace

PASSWORD = "upward tea lantern"


@pytest.fixture(autouse=True)
def hasty_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing takes long on purpose; what it keeps safe is looked at elsewhere."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys.cache_clear()


class Browser:
    """Keeps cookies and sends along what pages of ours do, without a network."""

    def __init__(self, app: FastAPI, *, base: str = "http://localhost", address: str = "127.0.0.1") -> None:
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 5000))
        self.base = base
        self.cookies = httpx.Cookies()
        self.csrf = ""

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            headers = {"origin": self.base, "x-shuke-csrf": self.csrf, **options.pop("headers", {})}
            client = httpx.AsyncClient(transport=self.transport, base_url=self.base, cookies=self.cookies)
            async with client:
                answer = await client.request(method, path, headers=headers, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self("POST", path, json={} if body is None else body, **options)

    def patch(self, path: str, body: Any) -> httpx.Response:
        return self("PATCH", path, json=body)

    def delete(self, path: str) -> httpx.Response:
        return self("DELETE", path)

    def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        answer = self.post("/api/session", {"email": email, "password": password})
        self.learn()
        return answer

    def learn(self) -> Any:
        """Whoever is signed in; the page keeps the token for its writes."""
        mine = self.get("/api/session")
        if mine.status_code == 200:
            self.csrf = mine.json()["csrf_token"]
        return mine.json()


@pytest.fixture
def app(workplace: Workplace) -> FastAPI:
    return build_web(workplace)


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return Browser(app)


@pytest.fixture
def new_browser(app: FastAPI) -> Callable[..., Browser]:
    return lambda **options: Browser(app, **options)


@pytest.fixture
def browser_of() -> Callable[..., Browser]:
    """A browser of another server."""
    return Browser


@pytest.fixture
def add_user(workplace: Workplace) -> Callable[..., UUID]:
    """Makes somebody who can sign in with :data:`PASSWORD`."""

    def added(
        email: str, role: str = "analyst", *, places: tuple[str, ...] = (), password: str | None = PASSWORD
    ) -> UUID:
        hashed = None if password is None else passwords.hashed(password)
        name = email.partition("@")[0].title()
        given = NewUser(name=name, email=email, role=role, language="en", places=places, password_hash=hashed)
        with workplace.database.begin() as tx:
            return users.add_user(tx, given, datetime.now(UTC))

    return added


@pytest.fixture
def owner(browser: Browser, add_user: Callable[..., UUID]) -> Browser:
    """The browser of an owner who is signed in."""
    add_user("owner@brand.cn", "owner")
    assert browser.sign_in("owner@brand.cn").json() == {"state": "signed_in", "methods": []}
    return browser


@pytest.fixture
def long_ago(workplace: Workplace) -> Callable[[], None]:
    """Has everybody signed in an hour ago."""

    def aged() -> None:
        with workplace.database.begin() as tx:
            tx.execute(sa.text("UPDATE sessions SET signed_in_at = signed_in_at - interval '1 hour'"))

    return aged


@pytest.fixture
def audited(workplace: Workplace) -> Callable[[], list[str]]:
    """What the audit log says was done."""

    def actions() -> list[str]:
        with workplace.database.read() as tx:
            return list(tx.scalars(sa.text("SELECT action FROM audit_log ORDER BY seq")))

    return actions
