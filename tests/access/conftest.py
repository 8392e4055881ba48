"""A client that comes with whatever key it is given."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shuke import access
from shuke.app.web import build_web
from shuke.platform import Workplace

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(workplace: Workplace) -> Ask:
    """Asks the application itself, by method and path, with a key or without."""
    transport = httpx.ASGITransport(build_web(workplace), raise_app_exceptions=False)

    def asked(method: str, path: str, *, key: str | None = None, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers["authorization"] = f"Bearer {key}"

        async def answer() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(answer())

    return asked


@pytest.fixture
def reader() -> Callable[..., access.Reader]:
    """A person who has a shipped role."""

    def made(role: str, *places: str, **changed: Any) -> access.Reader:
        found = next(one for one in access.SHIPPED_ROLES if one.name == role)
        told = {"kind": "user", "id": None, "name": "Lin", "acts_for": None, "places": places, **changed}
        return access.Reader(
            **{"role": role, "permissions": found.permissions, "where": found.where, "fields": found.fields, **told}
        )

    return made
