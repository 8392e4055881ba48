"""A session's cookie: read by anybody's page it writes nothing, and a wrong key is not made good by it."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shuke import access
from shuke.access.http import guard
from shuke.platform import Workplace

HERE = "http://localhost"
TOKEN = "t" * 43
SESSION = access.SignedIn(uuid4(), uuid4(), "Lin", "owner", (), "c" * 43)

# What comes with a write, and whether it is done.
WRITES: dict[str, tuple[dict[str, str], bool]] = {
    "our own page": ({"sec-fetch-site": "same-origin", "origin": HERE, "x-shuke-csrf": SESSION.csrf_token}, True),
    "an older browser": ({"origin": HERE, "x-shuke-csrf": SESSION.csrf_token}, True),
    "no token": ({"sec-fetch-site": "same-origin", "origin": HERE}, False),
    "a wrong token": ({"sec-fetch-site": "same-origin", "origin": HERE, "x-shuke-csrf": "x"}, False),
    "another site": ({"sec-fetch-site": "cross-site", "origin": "http://evil.example"}, False),
    "another site that knows the token": (
        {"sec-fetch-site": "cross-site", "origin": "http://evil.example", "x-shuke-csrf": SESSION.csrf_token},
        False,
    ),
    "a neighbour": ({"sec-fetch-site": "same-site", "origin": HERE, "x-shuke-csrf": SESSION.csrf_token}, False),
    "another port": ({"origin": "http://localhost:8080", "x-shuke-csrf": SESSION.csrf_token}, False),
    "a page that hides where it is": ({"origin": "null", "x-shuke-csrf": SESSION.csrf_token}, False),
    "no browser": ({"x-shuke-csrf": SESSION.csrf_token}, False),
}


@pytest.fixture
def _signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "session_of", lambda _tx, token, _now: SESSION if token == TOKEN else None)


def done(ask: Any) -> dict[str, bool]:
    found = {}
    for case, (headers, _) in WRITES.items():
        sent = {"cookie": f"shuke_session={TOKEN}", **headers}
        answer = ask("PUT", "/api/channels/web", headers=sent, json={"name": case})
        assert answer.status_code in (200, 403), answer.text
        found[case] = answer.status_code == 200
    return found


@pytest.mark.usefixtures("_signed_in")
def test_only_our_own_pages_write(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {case: good for case, (_, good) in WRITES.items()}
    assert done(ask) == expected
    # Each half of the defence is missed when it is taken away.
    monkeypatch.setattr(guard, "_refuse_other_sites", lambda *_, **__: None)
    assert done(ask)["another site that knows the token"]
    monkeypatch.undo()


@pytest.mark.usefixtures("_signed_in")
def test_who_is_signed_in_reads_with_the_cookie_alone(ask: Any) -> None:
    cookie = {"cookie": f"shuke_session={TOKEN}"}
    assert ask("GET", "/api/channels", headers=cookie).status_code == 200
    assert ask("GET", "/api/channels", headers={"cookie": "shuke_session=other"}).status_code == 401
    # The cookie does not make a wrong key good.
    assert ask("GET", "/api/channels", headers=cookie, key="sk_wrong").status_code == 401
    page = {"sec-fetch-site": "same-origin", "origin": HERE, "x-shuke-csrf": SESSION.csrf_token}
    assert ask("PUT", "/api/channels/app", headers=cookie | page, json={}).status_code == 200
    (line,) = ask("GET", "/api/audit", headers=cookie).json()["items"]
    assert (line["who_kind"], line["who_id"], line["who"]) == ("user", str(SESSION.user_id), "Lin")


def test_over_https_the_cookie_cannot_be_set_by_a_neighbour() -> None:
    for scheme, name in (("http", "shuke_session"), ("https", "__Host-shuke_session")):
        scope = {"type": "http", "scheme": scheme, "headers": [(b"host", b"localhost")], "path": "/", "server": None}
        assert access.session_cookie(guard.Request(scope)) == name


@pytest.mark.usefixtures("_signed_in")
def test_who_has_a_scope_gets_at_their_own_account(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of an account is granted to the roles of a scope, and nothing of a customer to anybody past them."""
    associate = access.SignedIn(uuid4(), uuid4(), "Lin", "store_associate", ("s1",), "c" * 43)
    monkeypatch.setattr(guard, "session_of", lambda *_: associate)
    found = {}
    for permission in ("own", "customers.read"):
        scope = {
            "type": "http",
            "method": "GET",
            "headers": [(b"cookie", b"shuke_session=t")],
            "app": SimpleNamespace(state=SimpleNamespace(workplace=workplace)),
            "scheme": "http",
            "server": ("localhost", 80),
            "path": "/",
        }
        with guard.admitted(guard.Request(scope), permission).read() as tx:
            found[permission] = tx.scalar(sa.text("SELECT current_user = session_user"))
    assert found == {"own": True, "customers.read": False}
