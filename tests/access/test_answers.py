"""Writes that may be repeated are done once, and changes meet what their sender has looked at."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shuke import access
from shuke.access.http.guard import Visit
from shuke.access.people_model import NewUser
from shuke.access.service import answers, users
from shuke.access.tables import answers as kept
from shuke.base.errors import Conflict
from shuke.platform import Workplace

Ask = Callable[..., httpx.Response]
KEY = {"Idempotency-Key": "8c2f"}
SOMEBODY = {"identities": [{"kind": "phone", "value": "+8613800138000"}], "attributes": {}}
VIEW: dict[str, Any] = {"name": "Lost", "shared": True, "columns": ["stage"], "query": {"stages": ["lost"]}}
STORE: dict[str, Any] = {"name": "Bund", "region": "East", "city": None, "time_zone": None}


@pytest.fixture
def ask(ask: Ask, workplace: Workplace, key_for: Callable[..., str]) -> Ask:
    """As an owner, always with the same key."""
    return partial(ask, key=key_for(workplace, "owner"))


def count(place: Workplace, table: str) -> int:
    with place.database.read() as tx:
        return int(tx.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 - our own words


def merge_of(ask: Ask) -> dict[str, str]:
    """A merge that can be asked for: done twice it would be refused."""
    two = [{"identities": [{"kind": kind, "value": "a"}], "attributes": {}} for kind in ("user_id", "device")]
    winner, loser = (ask("POST", "/api/customers", json=one).json()["customer_id"] for one in two)
    return {"winner": winner, "loser": loser, "by": "desk", "why": "same_person"}


def test_the_same_asked_again_is_done_once_and_answered_alike(ask: Ask, workplace: Workplace) -> None:
    wanted = merge_of(ask)
    first = ask("POST", "/api/merges", json=wanted, headers=KEY)
    again = ask("POST", "/api/merges", json=wanted, headers=KEY)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert count(workplace, "merges") == 1
    # Planted: without the key the second is one of its own, and contradicts the first.
    assert ask("POST", "/api/merges", json=wanted).status_code == 409


def test_a_repetition_leaves_no_second_line_in_the_audit_log(ask: Ask, workplace: Workplace) -> None:
    for _ in range(3):
        ask("POST", "/api/customers", json=SOMEBODY, headers=KEY)
    assert count(workplace, "audit_log WHERE action = 'POST /api/customers'") == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/customers", {**SOMEBODY, "store": "s1"}), ("/api/stores", {"stores": []})],
    ids=["another body", "another address"],
)
def test_a_key_is_for_one_thing(ask: Ask, path: str, body: dict[str, Any]) -> None:
    ask("POST", "/api/customers", json=SOMEBODY, headers=KEY)
    refused = ask("POST", path, json=body, headers=KEY)
    assert (refused.status_code, refused.json()["code"]) == (422, "access.another_request")


def test_what_was_refused_can_be_mended_and_asked_again(ask: Ask) -> None:
    bad = {**SOMEBODY, "attributes": {"unheard_of": 1}}
    assert ask("POST", "/api/customers", json=bad, headers=KEY).status_code == 422
    assert ask("POST", "/api/customers", json=SOMEBODY, headers=KEY).status_code == 200


def test_keys_are_each_reader_s_own(workplace: Workplace, key_for: Callable[..., str], ask: Ask) -> None:
    ask("POST", "/api/customers", json=SOMEBODY, headers=KEY)
    other = key_for(workplace, "service_agent")
    found = ask("POST", "/api/customers", key=other, json=SOMEBODY, headers=KEY)
    assert found.status_code == 200
    assert "idempotency-replayed" not in found.headers


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel".encode("latin-1")])
def test_a_key_that_is_none_is_refused(ask: Ask, key: str | bytes) -> None:
    refused = ask("POST", "/api/customers", json=SOMEBODY, headers={b"Idempotency-Key": key})
    assert refused.json()["code"] == "access.bad_idempotency_key"


def test_while_the_first_runs_the_second_waits_outside(workplace: Workplace) -> None:
    wanted = answers.Claim("key:1", "k", b"hash")
    now = datetime.now(UTC)
    with workplace.database.begin() as first:
        assert answers.claim(first, workplace.keyring, wanted, now) is None
        refused = pytest.raises(Conflict, match="still_running")
        with workplace.database.begin() as second, refused:
            answers.claim(second, workplace.keyring, wanted, now)


def test_an_answer_that_was_lost_is_not_made_up(
    ask: Ask, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the process died after the commit: what was done is not done again."""
    wanted = merge_of(ask)
    with monkeypatch.context() as patch:
        patch.setattr(answers, "keep", lambda *_: None)
        assert ask("POST", "/api/merges", json=wanted, headers=KEY).status_code == 200
    again = ask("POST", "/api/merges", json=wanted, headers=KEY)
    assert (again.status_code, again.json()["code"]) == (409, "access.answer_gone")
    assert count(workplace, "merges") == 1


def test_what_is_kept_is_encrypted_and_gone_after_a_day(ask: Ask, workplace: Workplace) -> None:
    ask("POST", "/api/customers", json=SOMEBODY, headers=KEY)
    now = datetime.now(UTC)
    with workplace.database.begin() as tx:
        (row,) = tx.execute(sa.select(kept)).all()
        assert b"8000" not in bytes(row.body)
        assert b"customer_id" not in bytes(row.body)
        assert answers.forget_answers(tx, now) == 0
        wanted = answers.Claim(row.reader, row.key, bytes(row.request_hash))
        assert answers.claim(tx, workplace.keyring, wanted, now + timedelta(hours=23)) is not None
        assert answers.claim(tx, workplace.keyring, wanted, now + answers.KEPT) is None
        assert answers.forget_answers(tx, now + 3 * answers.KEPT) == 1


def test_a_secret_is_told_once_also_to_who_repeats(ask: Ask, workplace: Workplace) -> None:
    body = {"name": "till", "role": "analyst"}
    assert ask("POST", "/api/keys", json=body, headers=KEY).json()["secret"].startswith("sk_")
    again = ask("POST", "/api/keys", json=body, headers=KEY)
    assert (again.status_code, again.json()["code"]) == (409, "access.answer_gone")
    with workplace.database.read() as tx:
        assert tx.scalars(sa.select(kept.c.body)).all() == [None]


def put(ask: Ask, tag: str | None, **changed: Any) -> httpx.Response:
    headers = {} if tag is None else {"If-Match": tag}
    return ask("PUT", "/api/stores/s1", json={**STORE, **changed}, headers=headers)


def test_a_change_meets_what_its_sender_has_looked_at(ask: Ask) -> None:
    put(ask, None)
    seen = ask("GET", "/api/stores/s1").headers["etag"]
    assert put(ask, seen, region="West").status_code == 200
    # Planted: who still means what was there before.
    refused = put(ask, seen, region="North")
    assert (refused.status_code, refused.json()["code"]) == (412, "access.changed_meanwhile")
    now = ask("GET", "/api/stores/s1")
    assert now.json()["region"] == "West"
    assert now.headers["etag"] != seen
    assert put(ask, f'"other", {now.headers["etag"]}').status_code == 200
    assert put(ask, "*").status_code == 200
    assert ask("GET", "/api/stores/s1").headers["etag"] == seen


def test_what_is_not_there_is_not_what_was_looked_at(ask: Ask) -> None:
    assert put(ask, '"seen"').status_code == 412
    assert ask("GET", "/api/stores/s1").status_code == 404


def test_who_makes_something_overwrites_nothing_that_is_there(ask: Ask) -> None:
    new = {"If-None-Match": "*"}
    assert ask("PUT", "/api/stores/s1", json=STORE, headers=new).status_code == 200
    refused = ask("PUT", "/api/stores/s1", json={**STORE, "name": "Other"}, headers=new)
    assert (refused.status_code, refused.json()["code"]) == (412, "access.there_is_one")
    assert ask("GET", "/api/stores/s1").json()["name"] == "Bund"


def test_of_two_who_looked_at_the_same_one_changes_it(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    put(ask, None)
    tag = ask("GET", "/api/stores/s1").headers["etag"]
    assert sorted(at_once(ask, tag, monkeypatch, seconds=0.3)) == [200, 412]


def test_without_the_lock_both_would(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: nobody is held off between looking and changing."""
    put(ask, None)
    tag = ask("GET", "/api/stores/s1").headers["etag"]
    monkeypatch.setattr(sa.func, "pg_advisory_xact_lock", lambda _: sa.literal(1), raising=False)
    assert at_once(ask, tag, monkeypatch, seconds=20) == [200, 200]


def at_once(ask: Ask, tag: str, monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[int]:
    """Two change a store; each waits after looking until both have looked, or for this long."""
    met = threading.Barrier(2)
    look: Callable[..., None] = Visit.meant

    def slow(*arguments: Any) -> None:
        look(*arguments)
        try:
            met.wait(seconds)
        except threading.BrokenBarrierError:
            return

    monkeypatch.setattr(Visit, "meant", slow)
    with ThreadPoolExecutor(2) as people:
        found = people.map(lambda region: put(ask, tag, region=region), ["West", "North"])
        return [one.status_code for one in found]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/api/customers/{customer}", ("PATCH", {"attributes": {"level": "gold"}})),
        ("/api/attributes/level", ("PUT", {"type": "choice", "personal": False, "choices": ["gold", "red"]})),
        ("/api/roles/desk", ("PUT", {"permissions": [], "fields": dict.fromkeys(access.FIELDS, "hidden")})),
        ("/api/products/p1", ("PUT", {"name": "Tea"})),
        ("/api/channels/c1", ("PUT", {"name": "Shop"})),
        ("/api/settings/brand", ("PUT", {"name": "西湖龙井"})),
        ("/api/reports/schedule", ("PUT", {"every": "weekly", "day": 1, "hour": 6, "terms": {}})),
        ("/api/views/{view}", ("PUT", {**VIEW, "name": "Gone"})),
        ("/api/teams/{team}", ("PATCH", {"name": "Night"})),
        ("/api/users/{user}", ("PATCH", {"role": "auditor"})),
    ],
)
def test_everything_that_people_edit_can_be_meant(
    ask: Ask, workplace: Workplace, path: str, change: tuple[str, dict[str, Any]]
) -> None:
    choice = {"type": "choice", "personal": False, "choices": ["gold"]}
    assert ask("PUT", "/api/attributes/level", json=choice).status_code == 200
    fields = dict.fromkeys(access.FIELDS, "masked")
    assert ask("POST", "/api/roles", json={"name": "desk", "permissions": [], "fields": fields}).status_code == 200
    ask("PUT", "/api/products/p1", json={})
    ask("PUT", "/api/channels/c1", json={})
    customer = ask("POST", "/api/customers", json=SOMEBODY).json()["customer_id"]
    view = ask("POST", "/api/views", json=VIEW).json()["view_id"]
    team = ask("POST", "/api/teams", json={"name": "Day"}).json()["team_id"]
    made = NewUser(name="Lin", email="lin@brand.example", role="analyst", language="en")
    with workplace.database.begin() as tx:
        users.add_user(tx, replace(made, role="owner", email="owner@brand.example"), datetime.now(UTC))
        user = users.add_user(tx, made, datetime.now(UTC))
    there = path.format(customer=customer, view=view, team=team, user=user)
    method, body = change
    seen = ask("GET", there).headers["etag"]
    changed = ask(method, there, json=body, headers={"If-Match": seen})
    assert changed.status_code == 200, changed.text
    assert ask(method, there, json=body, headers={"If-Match": seen}).status_code == 412
    now = ask("GET", there).headers["etag"]
    assert now != seen
    # Whoever made the change may go on from it, to take it back, say.
    assert changed.headers["etag"] == now


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/views", VIEW),
        ("/api/teams", {"name": "Day"}),
        ("/api/attributes/level", {"type": "text", "personal": False}),
    ],
)
def test_what_was_changed_meanwhile_is_not_taken_away(ask: Ask, path: str, body: dict[str, Any]) -> None:
    made = ask("PUT" if path.startswith("/api/attributes") else "POST", path, json=body).json()
    there = path if "attributes" in path else f"{path}/{made.get('view_id') or made['team_id']}"
    seen = ask("GET", there).headers["etag"]
    assert ask("DELETE", there, headers={"If-Match": '"other"'}).status_code == 412
    assert ask("GET", there).headers["etag"] == seen
    assert ask("DELETE", there, headers={"If-Match": seen}).status_code in (200, 204)
    assert ask("GET", there).status_code == 404
