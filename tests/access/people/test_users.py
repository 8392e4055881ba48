"""Accounts, invitations and links to get back in: nobody gives more than they have, and an owner always stays."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pyotp
import pytest
import sqlalchemy as sa

from shuke import access
from shuke.access.service import keys, links, users
from shuke.base.errors import Conflict, NotFound
from shuke.platform import Database, Workplace

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
PASSWORD = "upward tea lantern"
NEW = {"name": "Anna 王", "password": "kitchen window blue", "language": "zh-CN"}


def test_an_address_is_taken_once_and_stands_in_no_log_of_the_database(
    postgres: Any, workplace: Workplace, add_user: Callable[..., UUID]
) -> None:
    add_user("canary.wang@brand.cn")
    with pytest.raises(Conflict) as taken:
        add_user("Canary.Wang@brand.cn")
    assert taken.value.code == "access.email_taken"
    log = postgres._folders.log
    said = log.read_text("utf-8", "replace")
    assert "canary.wang" not in said
    before = said.count("uq_users_email_key")
    # Planted: the database itself says no. Ours tells its log of no values then, but a brand's own does.
    again = "INSERT INTO users SELECT gen_random_uuid(), name, email, email_key, NULL, role, places, NULL, language,"
    with pytest.raises(sa.exc.IntegrityError), workplace.database.begin() as tx:
        tx.execute(sa.text(f"{again} created_at FROM users WHERE email_key LIKE 'canary%'"))
    assert log.read_text("utf-8", "replace").count("uq_users_email_key") == before + 1


def test_keys_end_with_what_their_maker_may(
    owner: Any, new_browser: Callable[..., Any], workplace: Workplace, key_for: Callable[..., str]
) -> None:
    """Who is disabled, or may less, leaves no key behind that may more, unless it is to go on; audited."""
    token = token_of(invite(owner, role="owner"))
    anna = new_browser()
    anna.post("/api/invitations/accept", {"token": token, **NEW})
    user = anna.learn()["user_id"]
    others = key_for(workplace, "owner")
    made = {
        role: anna.post("/api/keys", {"name": role, "role": role}).json() for role in ("owner", "analyst", "auditor")
    }

    def good() -> set[str]:
        with workplace.database.read() as tx:
            now = datetime.now(UTC)
            return {name for name, key in made.items() if keys.reader_of_key_id(tx, UUID(key["key_id"]), now)}

    def change(**body: Any) -> Any:
        return owner.patch(f"/api/users/{user}", body)

    assert [key["name"] for key in owner.get(f"/api/users/{user}/keys").json()["items"]] == list(made)
    # What changes nothing of what they may ends nothing.
    assert change(disabled=False).status_code == 200
    assert change(role="operations_manager", keep_keys=True).status_code == 200
    assert good() == {"owner", "analyst", "auditor"}
    # As an analyst she could make one for an analyst.
    assert change(role="analyst").status_code == 200
    assert good() == {"analyst"}
    log = owner.get("/api/audit?action=user.change").json()["items"][0]
    assert sorted(log["object"]["ended_keys"]) == sorted(made[role]["key_id"] for role in ("owner", "auditor"))
    # Refused, nothing ends.
    assert change(disabled=True, role="nobody").status_code == 404
    assert good() == {"analyst"}
    assert change(disabled=True).status_code == 200
    assert good() == set()
    assert owner.get(f"/api/users/{user}/keys").json() == {"items": []}
    with workplace.database.read() as tx:
        assert access.reader_of_key(tx, others, datetime.now(UTC)) is not None
    # Enabled again, they stay over.
    assert change(disabled=False).status_code == 200
    assert good() == set()
    assert owner.get(f"/api/users/{uuid4()}/keys").status_code == 404


def invite(browser: Any, email: str = "anna@brand.cn", role: str = "analyst", **other: Any) -> Any:
    return browser.post("/api/invitations", {"email": email, "role": role, **other})


def token_of(answer: Any) -> str:
    link: str = answer.json()["link"]
    # Behind the #, which no browser sends and no log has.
    assert link.startswith("http://localhost/invite#")
    return link.partition("#")[2]


def test_who_is_invited_comes_in_as_what_was_said(
    owner: Any, new_browser: Callable[..., Any], audited: Callable[[], list[str]], workplace: Workplace
) -> None:
    team = owner.post("/api/teams", {"name": "West Lake"}).json()["team_id"]
    made = invite(owner, role="store_associate", places=["s1", "s2"], team_id=team)
    assert made.status_code == 200
    assert [one["email"] for one in owner.get("/api/invitations").json()["items"]] == ["anna@brand.cn"]
    token = token_of(made)
    with workplace.database.read() as tx:
        assert token not in str(tx.execute(sa.text("SELECT links::text FROM links")).all())
        assert token not in str(tx.execute(sa.text("SELECT audit_log::text FROM audit_log")).all())
    anna = new_browser()
    found = anna.post("/api/invitations/find", {"token": token}).json()
    assert found == {"kind": "invitation", "email": "anna@brand.cn", "name": "", "role": "store_associate"}
    assert anna.post("/api/invitations/accept", {"token": token, **NEW}).json()["state"] == "signed_in"
    mine = anna.learn()
    assert (mine["name"], mine["role"], mine["where"], mine["places"]) == (
        "Anna 王",
        "store_associate",
        "store",
        ["s1", "s2"],
    )
    assert owner.get("/api/invitations").json()["items"] == []
    assert owner.get("/api/teams").json()["items"] == [{"team_id": team, "name": "West Lake", "members": 1}]
    again = new_browser().post("/api/invitations/accept", {"token": token, **NEW})
    assert (again.status_code, again.json()["code"]) == (404, "access.link_over")
    assert audited()[1:] == ["team.make", "invitation.make", "invitation.accept"]


def test_an_invitation_ends_is_replaced_and_taken_back(
    owner: Any, new_browser: Callable[..., Any], workplace: Workplace
) -> None:
    first, second = token_of(invite(owner)), token_of(invite(owner, role="auditor"))
    (only,) = owner.get("/api/invitations").json()["items"]
    assert only["role"] == "auditor"
    browser = new_browser()
    assert browser.post("/api/invitations/accept", {"token": first, **NEW}).status_code == 404
    assert owner.delete(f"/api/invitations/{only['invitation_id']}").status_code == 204
    assert owner.delete(f"/api/invitations/{only['invitation_id']}").status_code == 404
    assert browser.post("/api/invitations/accept", {"token": second, **NEW}).status_code == 404
    third = token_of(invite(owner))
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE links SET expires_at = now()"))
    assert browser.post("/api/invitations/accept", {"token": third, **NEW}).status_code == 404
    assert owner.get("/api/invitations").json()["items"] == []
    assert token_of(invite(owner))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "nothing"}, "access.bad_email"),
        ({"role": "no_such_role"}, "access.no_role"),
        ({"role": "store_associate"}, "access.bad_places"),
        ({"places": ["s1"]}, "access.bad_places"),
        ({"team_id": str(uuid4())}, "access.no_team"),
        ({"email": "OWNER@brand.cn"}, "access.email_taken"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any], code: str, owner: Any) -> None:
    assert invite(owner, **change).json()["code"] == code
    assert owner.get("/api/invitations").json()["items"] == []


def accepted_at_once(database: Database) -> int:
    """How many accounts one invitation makes when many use it at the same moment."""
    with database.begin() as tx:
        _, token = links.invite(
            tx, access.COMMAND, email="anna@brand.cn", role="analyst", places=(), team_id=None, now=NOW
        )
    start = threading.Barrier(8)

    def accept(_: int) -> bool:
        start.wait(10)
        try:
            with database.begin() as tx:
                links.accept(tx, token, name="Anna", password_hash="x", language="en", now=NOW)
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(8) as workers:
        return sum(workers.map(accept, range(8)))


def test_an_invitation_is_accepted_once(database: Database) -> None:
    assert accepted_at_once(database) == 1


@pytest.fixture
def manager(owner: Any, new_browser: Callable[..., Any], add_user: Callable[..., UUID]) -> Any:
    """Somebody who looks after people, and has less than an owner."""
    role = {
        "name": "team_lead",
        "permissions": ["people.read", "people.write", "customers.read"],
        "where": "all",
        "fields": {"name": "masked", "phone": "masked", "email": "masked", "other": "hidden"},
    }
    made = owner.post("/api/roles", role)
    assert made.status_code in (200, 201), made.text
    add_user("lead@brand.cn", "team_lead")
    browser = new_browser()
    browser.sign_in("lead@brand.cn")
    return browser


def test_nobody_gives_more_than_they_have(manager: Any, add_user: Callable[..., UUID], browser: Any) -> None:
    anna = add_user("anna@brand.cn", "team_lead")
    boss = next(one for one in manager.get("/api/users").json()["items"] if one["role"] == "owner")["user_id"]
    for refused in (
        invite(manager, "eve@brand.cn", "owner"),
        invite(manager, "eve@brand.cn", "operations_manager"),
        manager.patch(f"/api/users/{anna}", {"role": "owner"}),
        # Nor touches who has more.
        manager.patch(f"/api/users/{boss}", {"role": "team_lead"}),
        manager.patch(f"/api/users/{boss}", {"disabled": True}),
        manager.post(f"/api/users/{boss}/reset"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "access.beyond_your_own")
    assert invite(manager, "eve@brand.cn", "team_lead").status_code == 200
    assert manager.patch(f"/api/users/{anna}", {"disabled": True}).status_code == 200
    assert browser.learn()["role"] == "owner"


def test_a_check_that_is_left_out_is_noticed(
    manager: Any, monkeypatch: pytest.MonkeyPatch, add_user: Callable[..., UUID]
) -> None:
    """Planted: whoever may write accounts may write any."""
    add_user("second@brand.cn", "owner")
    monkeypatch.setattr(users, "outranks", lambda *_: None)
    boss = next(one for one in manager.get("/api/users").json()["items"] if one["role"] == "owner")["user_id"]
    assert manager.patch(f"/api/users/{boss}", {"disabled": True}).status_code == 200


def test_who_has_another_role_signs_in_again(
    owner: Any, new_browser: Callable[..., Any], add_user: Callable[..., UUID], audited: Callable[[], list[str]]
) -> None:
    anna = add_user("anna@brand.cn")
    browser = new_browser()
    browser.sign_in("anna@brand.cn")
    team = owner.post("/api/teams", {"name": "Shanghai"}).json()["team_id"]
    assert owner.patch(f"/api/users/{anna}", {"team_id": team}).json()["team_id"] == team
    assert browser.get("/api/session").status_code == 200
    changed = owner.patch(f"/api/users/{anna}", {"role": "store_associate", "places": ["s1"]})
    assert (changed.json()["role"], changed.json()["places"], changed.json()["team_id"]) == (
        "store_associate",
        ["s1"],
        team,
    )
    assert browser.get("/api/session").status_code == 401
    browser.sign_in("anna@brand.cn")
    # Places of a store are none of a region.
    assert owner.patch(f"/api/users/{anna}", {"role": "analyst"}).json()["places"] == []
    assert owner.patch(f"/api/users/{anna}", {"team_id": None}).json()["team_id"] is None
    off = owner.patch(f"/api/users/{anna}", {"disabled": True})
    assert off.json()["disabled_at"] is not None
    assert browser.sign_in("anna@brand.cn").status_code == 403
    assert owner.patch(f"/api/users/{anna}", {"disabled": False}).json()["disabled_at"] is None
    assert browser.sign_in("anna@brand.cn").status_code == 200
    assert audited().count("user.change") == 6


def test_the_last_owner_stays(owner: Any, add_user: Callable[..., UUID]) -> None:
    me = owner.learn()["user_id"]
    demoted = owner.patch(f"/api/users/{me}", {"role": "analyst"})
    assert (demoted.status_code, demoted.json()["code"]) == (409, "access.last_owner")
    assert owner.patch(f"/api/users/{me}", {"disabled": True}).json()["code"] == "access.not_yourself"
    assert owner.learn()["role"] == "owner"
    add_user("second@brand.cn", "owner")
    assert owner.patch(f"/api/users/{me}", {"role": "analyst"}).status_code == 200


def owners_left(database: Database, add_user: Callable[..., UUID]) -> int:
    """How many owners there are after the two that there were have each made the other something else, at once."""
    with database.begin() as tx:
        tx.execute(sa.text("DELETE FROM users"))
    both = [add_user(f"owner{number}@brand.cn", "owner") for number in range(2)]
    start, looked = threading.Barrier(2), threading.Barrier(2)
    there = users.has_owner

    def looks(tx: Any) -> bool:
        found = there(tx)
        # Each waits for the other's look, unless the other waits for this one's end.
        with contextlib.suppress(threading.BrokenBarrierError):
            looked.wait(1)
        return found

    def demote(user_id: UUID) -> None:
        start.wait(10)
        with contextlib.suppress(Conflict), database.begin() as tx:
            users.change_user(tx, access.COMMAND, user_id, users.Change(role="analyst"), NOW)

    with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(2) as workers:
        patched.setattr(users, "has_owner", looks)
        list(workers.map(demote, both))
    with database.read() as tx:
        return int(tx.execute(sa.text("SELECT count(*) FROM users WHERE role = 'owner'")).scalar_one())


def test_two_who_go_at_once_leave_one(
    database: Database, add_user: Callable[..., UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert owners_left(database, add_user) == 1
    # Planted: they do not wait for each other.
    monkeypatch.setattr(users, "hold_owners", lambda _: None)
    assert owners_left(database, add_user) == 0


def test_a_change_that_matters_needs_a_fresh_sign_in(
    owner: Any, add_user: Callable[..., UUID], long_ago: Callable[[], None]
) -> None:
    anna = add_user("anna@brand.cn")
    long_ago()
    for refused in (
        owner.patch(f"/api/users/{anna}", {"role": "owner"}),
        owner.post(f"/api/users/{anna}/reset"),
        invite(owner),
        owner.post("/api/keys", {"name": "till", "role": "analyst"}),
        owner.post("/api/roles", {"name": "desk", "permissions": [], "fields": dict.fromkeys(access.FIELDS, "masked")}),
        owner.delete("/api/roles/desk"),
        owner.post("/api/webhooks", {"name": "till", "url": "https://brand.cn/hook", "kinds": ["segment.entered"]}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "access.sign_in_again")
    assert owner.get("/api/users").status_code == 200
    owner.sign_in("owner@brand.cn")
    assert owner.patch(f"/api/users/{anna}", {"role": "auditor"}).status_code == 200


def test_a_link_to_get_back_in_takes_all_else_away(
    owner: Any, new_browser: Callable[..., Any], add_user: Callable[..., UUID]
) -> None:
    anna = add_user("anna@brand.cn")
    browser = new_browser()
    browser.sign_in("anna@brand.cn")
    secret = browser.post("/api/totp").json()["secret"]
    code = pyotp.TOTP(secret).at(datetime.now(UTC))
    assert browser.post("/api/totp/confirm", {"code": code}).status_code == 200
    browser.learn()
    old = token_of(owner.post(f"/api/users/{anna}/reset"))
    token = token_of(owner.post(f"/api/users/{anna}/reset"))
    fresh = new_browser()
    assert fresh.post("/api/invitations/find", {"token": old}).status_code == 404
    assert fresh.post("/api/invitations/find", {"token": token}).json()["kind"] == "reset"
    # Nothing has changed until it is used.
    assert browser.get("/api/session").status_code == 200
    used = fresh.post("/api/invitations/accept", {"token": token, "password": "kitchen window blue"})
    assert used.json() == {"state": "signed_in", "methods": []}
    mine = fresh.learn()
    assert (mine["name"], mine["second_factors"]) == ("Anna", [])
    assert browser.get("/api/session").status_code == 401
    assert browser.sign_in("anna@brand.cn").status_code == 403
    assert browser.sign_in("anna@brand.cn", "kitchen window blue").status_code == 200


def test_an_owner_gets_back_in_from_the_command_line(
    workplace: Workplace, owner: Any, new_browser: Callable[..., Any], add_user: Callable[..., UUID]
) -> None:
    add_user("anna@brand.cn")
    with workplace.database.begin() as tx:
        for email in ("anna@brand.cn", "nobody@brand.cn"):
            with pytest.raises(NotFound):
                links.reset_link_of_owner(tx, email, datetime.now(UTC))
        token, _ = links.reset_link_of_owner(tx, "Owner@brand.cn", datetime.now(UTC))
    browser = new_browser()
    assert (
        browser.post("/api/invitations/accept", {"token": token, "password": "kitchen window blue"}).status_code == 200
    )
    assert owner.get("/api/session").status_code == 401


def test_pages_of_accounts_and_teams(owner: Any, add_user: Callable[..., UUID]) -> None:
    for number in range(5):
        add_user(f"p{number}@brand.cn")
    seen, after = [], None
    while True:
        page = owner.get("/api/users", params={"limit": 2} | ({"after": after} if after else {})).json()
        seen += [one["email"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == ["owner@brand.cn", *(f"p{number}@brand.cn" for number in range(5))]
    assert owner.get("/api/users", params={"limit": 201}).status_code == 422
    made = owner.post("/api/teams", {"name": "Care"}).json()
    assert owner.post("/api/teams", {"name": "CARE"}).json()["code"] == "access.team_exists"
    assert owner.patch(f"/api/teams/{made['team_id']}", {"name": "客服"}).json()["name"] == "客服"
    assert owner.patch(f"/api/teams/{uuid4()}", {"name": "x"}).status_code == 404
    assert owner.delete(f"/api/teams/{made['team_id']}").status_code == 204
    assert owner.delete(f"/api/teams/{made['team_id']}").status_code == 404
