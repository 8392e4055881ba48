"""The first owner: one, whoever else tries at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from shuke.access.people_model import NewUser
from shuke.access.service import links
from shuke.base.errors import Conflict, NotFound
from shuke.platform import Database, Workplace

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
CONTENDERS = 12


def fresh_link(database: Database) -> str:
    with database.begin() as tx:
        token = links.setup_link(tx, NOW)
    assert token is not None
    return token


def body(token: str, **other: str) -> dict[str, str]:
    given = {"name": "Li Lei", "email": "lei@brand.cn", "password": "upward tea lantern", "language": "zh-CN"}
    return {"token": token, **given, **other}


def test_the_first_person_becomes_the_owner_and_is_in(workplace: Workplace, browser: Any) -> None:
    token = fresh_link(workplace.database)
    assert browser.get("/api/setup").json() == {"needed": True}
    made = browser.post("/api/setup", body(token))
    assert (made.status_code, made.json()) == (200, {"state": "signed_in", "methods": []})
    mine = browser.learn()
    assert (mine["name"], mine["email"], mine["role"], mine["language"]) == ("Li Lei", "lei@brand.cn", "owner", "zh-CN")
    assert mine["where"] == "all"
    assert "people.write" in mine["permissions"]
    assert browser.get("/api/setup").json() == {"needed": False}
    again = browser.post("/api/setup", body(token, email="eve@brand.cn"))
    assert (again.status_code, again.json()["code"]) == (409, "access.has_owner")
    with workplace.database.begin() as tx:
        assert links.setup_link(tx, NOW) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": "no-such-token"}, "access.link_over"),
        ({"email": "no address"}, "access.bad_email"),
        ({"password": "password1234"}, "access.password_guessable"),
        ({"password": "short"}, "access.password_length"),
        ({"name": " \n "}, "access.bad_name"),
    ],
)
def test_what_is_refused_makes_nobody(change: dict[str, str], code: str, workplace: Workplace, browser: Any) -> None:
    token = fresh_link(workplace.database)
    assert browser.post("/api/setup", body(token) | change).json()["code"] == code
    assert browser.get("/api/setup").json() == {"needed": True}
    # The link is still good.
    assert browser.post("/api/setup", body(token)).status_code == 200


def test_the_newest_link_counts_alone(workplace: Workplace, browser: Any) -> None:
    old, new = fresh_link(workplace.database), fresh_link(workplace.database)
    assert browser.post("/api/setup", body(old)).json()["code"] == "access.link_over"
    assert browser.post("/api/setup", body(new)).status_code == 200


def owners_after_a_race(database: Database) -> int:
    """How many owners there are after many have used one link at the same moment."""
    token = fresh_link(database)
    start = threading.Barrier(CONTENDERS)

    def contend(number: int) -> None:
        start.wait(10)
        given = NewUser(name="Li", email=f"li{number}@brand.cn", role="owner", language="en", password_hash="x")
        try:
            with database.begin() as tx:
                links.set_up(tx, token, given, NOW)
        except (Conflict, NotFound):
            pass

    with ThreadPoolExecutor(CONTENDERS) as workers:
        list(workers.map(contend, range(CONTENDERS)))
    with database.read() as tx:
        return tx.execute(sa.text("SELECT count(*) FROM users WHERE role = 'owner'")).scalar_one()


def test_a_race_makes_exactly_one_owner(database: Database) -> None:
    assert owners_after_a_race(database) == 1


def test_looking_before_making_is_noticed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: each looks whether there is an owner, and whether the link is good, and then makes one."""
    looked = threading.Barrier(CONTENDERS)

    def look(tx: Any, token: str, now: datetime, *_: Any) -> None:
        links.welcome(tx, token, now)
        looked.wait(10)

    monkeypatch.setattr(links, "hold_owners", lambda _: None)
    monkeypatch.setattr(links, "_take", look)
    assert owners_after_a_race(database) > 1
