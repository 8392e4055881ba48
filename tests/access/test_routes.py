"""Every route and every role, from the table of routes: allowed exactly where the role says so, and fields likewise."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import shuke
from shuke import access, profiles
from shuke.access.http import guard
from shuke.app.web import build_web
from shuke.collect.service.traits import write_traits
from shuke.platform import Workplace

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PHONE, MAIL, NAME = "13812345678", "anna@example.com", "王小明"


def filled(pattern: str) -> str:
    """An address of the route, of something that is not there."""

    def value(found: re.Match[str]) -> str:
        return str(uuid4()) if found[1].endswith("_id") else "1" if found[2] == ":int" else "x1"

    return re.sub(r"\{(\w+)(:\w+)?\}", value, pattern)


def answers(
    ask: Any, place: Workplace, key_for: Callable[..., str], roles: Sequence[access.Role] = access.SHIPPED_ROLES
) -> dict[tuple[str, str, str], int]:
    routes = access.declare_permissions(build_web(place).router.routes)
    found = {}
    for role in roles:
        key = key_for(place, role.name, places=["s1"] if role.where is access.Where.STORE else [])
        for method, pattern in routes:
            answer = ask(method, filled(pattern), key=key)
            refused = answer.status_code == 403 and answer.json()["code"] == "access.not_allowed"
            found[(role.name, method, pattern)] = 403 if refused else 200
    return found


@pytest.mark.slow
def test_every_role_may_what_its_permissions_say(
    ask: Any, workplace: Workplace, key_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = access.declare_permissions(build_web(workplace).router.routes)
    assert len(routes) > 40
    allowed = {role.name: role.permissions - {"own"} | {"known"} for role in access.SHIPPED_ROLES}
    expected = {
        (role, method, pattern): 200 if needed is None or needed in allowed[role] else 403
        for role in allowed
        for (method, pattern), needed in routes.items()
    }
    assert answers(ask, workplace, key_for) == expected
    assert {200, 403} == set(expected.values())
    # A guard that lets everybody do everything is seen.
    monkeypatch.setattr(guard, "reader_of_key", lambda *_: access.COMMAND)
    least = [role for role in access.SHIPPED_ROLES if role.name == "auditor"]
    assert not answers(ask, workplace, key_for, least).items() <= expected.items()


def test_who_says_nothing_or_something_wrong_is_refused_everywhere(ask: Any, workplace: Workplace) -> None:
    for (method, pattern), needed in access.declare_permissions(build_web(workplace).router.routes).items():
        for key in (None, "sk_wrong", ""):
            answer = ask(method, filled(pattern), key=key)
            if needed is not None:
                assert (answer.status_code, answer.json()["code"]) == (401, "access.not_signed_in")


def test_no_route_opens_the_database_past_the_guard() -> None:
    """What a route does goes through its visit, which knows what the reader may see and writes the audit log."""
    house = Path(shuke.__file__).parent
    files = [path for path in house.rglob("*.py") if path.name == "http.py" or path.parent.name == "http"]
    past = re.compile(r"database\.(begin|read|run)\(")
    found = {str(path.relative_to(house)) for path in files if past.search(path.read_text(encoding="utf-8"))}
    # The guard itself, and the collector, whose senders have write keys.
    assert found == {"access/http/guard.py", "collect/http/collector.py"}


@pytest.fixture
def anna(workplace: Workplace) -> str:
    with workplace.database.begin() as tx:
        (one,) = profiles.resolve(tx, workplace.keyring, [[("phone", PHONE), ("email", MAIL), ("user_id", "u1")]], NOW)
        assert one is not None
        profiles.set_attributes(tx, workplace.keyring, [(one.customer_id, {"name": NAME, "city": "杭州"})], NOW)
        write_traits(
            tx,
            workplace.keyring,
            [(one.customer_id, NOW, "email", MAIL), (one.customer_id, NOW, "plan", "gold")],
            NOW,
        )
    return str(one.customer_id)


SHOWN: dict[str, tuple[Any, Any, Any, Any]] = {
    "owner": ("王**", "138****5678", "a***@example.com", "***"),
    "analyst": (None, None, None, None),
    "service_agent": (NAME, "138****5678", "a***@example.com", "***"),
    "data_protection_officer": (NAME, "+8613812345678", MAIL, "u1"),
}


@pytest.mark.parametrize("role", SHOWN)
def test_each_role_sees_its_fields(
    role: str, anna: str, ask: Any, workplace: Workplace, key_for: Callable[..., str]
) -> None:
    name, phone, email, other = SHOWN[role]
    key = key_for(workplace, role)
    identities = ask("GET", f"/api/customers/{anna}/identities", key=key).json()
    assert {one["kind"]: one["value"] for one in identities} == {"phone": phone, "email": email, "user_id": other}
    told = ask("GET", f"/api/customers/{anna}", key=key).json()
    assert told["attributes"] == {"name": name, "city": "杭州"}
    assert {name: one["value"] for name, one in told["traits"].items()} == {"email": email, "plan": "gold"}
    assert told["identities"] == identities


def test_a_look_at_the_whole_is_logged_without_what_was_seen(
    anna: str, ask: Any, workplace: Workplace, key_for: Callable[..., str]
) -> None:
    agent, owner = key_for(workplace, "service_agent"), key_for(workplace, "owner")
    body = {"fields": ["phone"], "why": "call_back"}
    shown = ask("POST", f"/api/customers/{anna}/reveal", key=agent, json=body).json()
    assert [one["value"] for one in shown["identities"]] == ["+8613812345678"]
    assert shown["attributes"] == {"city": "杭州"}
    assert shown["traits"].keys() == {"plan"}
    log = ask("GET", "/api/audit", key=owner)
    (line,) = log.json()["items"]
    assert (line["who"], line["action"]) == ("service_agent", "customers.reveal")
    assert line["object"] == {"customer_id": anna, "fields": ["phone"], "why": "call_back"}
    assert PHONE not in log.text
    assert ask("POST", f"/api/customers/{uuid4()}/reveal", key=agent, json=body).status_code == 404
    assert ask("POST", f"/api/customers/{anna}/reveal", key=key_for(workplace, "analyst"), json=body).status_code == 403
    assert ask("POST", f"/api/customers/{anna}/reveal", key=agent, json={**body, "why": "Anna 1381"}).status_code == 422
    assert len(ask("GET", "/api/audit", key=owner).json()["items"]) == 1
