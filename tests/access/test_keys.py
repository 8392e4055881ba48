"""API keys: shown once, stored as a hash, never more than their maker has, over when they are over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shuke import access
from shuke.access.service import keys, roles
from shuke.access.tables import api_keys
from shuke.base.errors import BadInput, NotAllowed
from shuke.platform import Database, Workplace

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
Readers = Callable[..., access.Reader]
ROLE = {"name": "desk", "permissions": ["customers.read"], "where": "all"}
FIELDS = {"name": "clear", "phone": "masked", "email": "masked", "other": "hidden"}


def made(database: Database, reader: access.Reader, **wanted: Any) -> tuple[access.Key, str]:
    with database.begin() as tx:
        return access.make_key(tx, reader, access.NewKey(**{"name": "k", "role": "owner", **wanted}), NOW)


def read(database: Database, secret: str, now: datetime = NOW) -> access.Reader | None:
    with database.begin() as tx:
        return keys.reader_of_key(tx, secret, now)


def test_a_key_is_its_holder_s_alone(database: Database) -> None:
    key, secret = made(database, access.COMMAND)
    other = made(database, access.COMMAND)[1]
    assert secret.startswith("sk_")
    assert len(secret) == 46
    assert secret != other
    with database.read() as tx:
        stored = str(tx.execute(sa.select(api_keys)).all())
    assert secret not in stored
    found = read(database, secret)
    assert found is not None
    assert (found.kind, found.id, found.role, found.where) == ("key", key.key_id, "owner", access.Where.ALL)
    # What is for a person alone is for no key.
    assert found.permissions == set(access.PERMISSIONS) - {"own"}
    for wrong in (secret[:-1], secret + "A", secret[3:], "", f"{key.key_id}"):
        assert read(database, wrong) is None


def test_a_key_ends(database: Database) -> None:
    key, secret = made(database, access.COMMAND, days=1)
    assert read(database, secret, NOW + timedelta(hours=23)) is not None
    assert read(database, secret, NOW + timedelta(days=1)) is None
    with database.begin() as tx:
        assert keys.list_keys(tx)[0].last_used_at == NOW.replace(minute=0) + timedelta(hours=23)
        keys.revoke_key(tx, key.key_id, NOW)
    assert read(database, secret) is None
    for days in (0, keys.DAYS_MAX + 1):
        with pytest.raises(BadInput, match=r"access\.bad_key_days"):
            made(database, access.COMMAND, days=days)


def test_a_key_made_with_a_key_does_not_outlive_it(database: Database) -> None:
    first, secret = made(database, access.COMMAND, days=10)
    maker = read(database, secret)
    assert maker is not None
    assert made(database, maker, days=700)[0].expires_at == first.expires_at
    assert made(database, maker, days=5)[0].expires_at == NOW + timedelta(days=5)


GIVEN_TOO_MUCH: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "permissions": ("store_associate", ("s1",), {"role": "service_agent", "places": ["s1"]}),
    "everybody's customers": ("store_associate", ("s1",), {"role": "store_associate", "where": access.Where.ALL}),
    "another store": ("store_associate", ("s1",), {"role": "store_associate", "places": ["s1", "s2"]}),
    "what is hidden from them": ("analyst", (), {"role": "analyst_clear"}),
}


@pytest.mark.parametrize("case", GIVEN_TOO_MUCH)
def test_nobody_gives_more_than_they_have(
    case: str, database: Database, reader: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, places, wanted = GIVEN_TOO_MUCH[case]
    analyst = reader("analyst")
    with database.begin() as tx:
        clear = access.Role(
            "analyst_clear", analyst.permissions, access.Where.ALL, access.all_fields(access.Seen.CLEAR)
        )
        roles.make_role(tx, access.COMMAND, clear, NOW)
    with pytest.raises(NotAllowed, match=r"access\.beyond_your_own"):
        made(database, reader(role, *places), **wanted)
    with database.read() as tx:
        assert keys.list_keys(tx) == ()
    # A maker whose own limits are not looked at is seen.
    monkeypatch.setattr(keys, "beyond", lambda *_: ())
    if case != "everybody's customers":
        assert made(database, reader(role, *places), **wanted)


def test_a_part_of_a_role_in_a_part_of_the_stores(database: Database, reader: Readers) -> None:
    associate = reader("store_associate", "s1", "s2")
    key, _ = made(database, associate, role="store_associate", permissions=["customers.read"], places=["s2"])
    assert (key.permissions, key.where, key.places) == (("customers.read",), access.Where.STORE, ("s2",))
    assert made(database, associate, role="store_associate")[0].places == ("s1", "s2")
    narrow, _ = made(
        database, reader("owner"), where=access.Where.REGION, places=["east"], permissions=["customers.read"]
    )
    assert (narrow.where, narrow.places) == (access.Where.REGION, ("east",))
    with pytest.raises(BadInput, match=r"access\.not_for_some"):
        made(database, reader("owner"), where=access.Where.REGION, places=["east"])
    for wanted in ({"places": ["s1"]}, {"where": access.Where.STORE}):
        with pytest.raises(BadInput, match=r"access\.bad_places"):
            made(database, reader("owner"), permissions=["customers.read"], **wanted)
    with pytest.raises(BadInput, match=r"access\.unknown_permissions"):
        made(database, associate, role="analyst", permissions=["customers.merge"])


def test_keys_over_http(ask: Any, workplace: Workplace, key_for: Callable[..., str]) -> None:
    owner = key_for(workplace, "owner")
    answer = ask("POST", "/api/keys", key=owner, json={"name": "BI", "role": "analyst", "days": 30})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert ask("GET", "/api/products", key=told["secret"]).status_code == 200
    assert ask("PUT", "/api/products/p", key=told["secret"], json={}).status_code == 403
    page = ask("GET", "/api/keys", key=owner, params={"limit": 1}).json()
    rest = ask("GET", "/api/keys", key=owner, params={"after": page["next"]}).json()
    listed = page["items"] + rest["items"]
    assert rest["next"] is None
    assert [one["name"] for one in listed] == ["owner", "BI"]
    assert "secret" not in str(listed)
    assert told["secret"] not in ask("GET", "/api/audit", key=owner).text
    assert ask("DELETE", f"/api/keys/{told['key_id']}", key=owner).status_code == 204
    assert ask("GET", "/api/products", key=told["secret"]).status_code == 401
    again = ask("DELETE", f"/api/keys/{told['key_id']}", key=owner)
    assert (again.status_code, again.json()["code"]) == (404, "access.no_key")


def test_roles_over_http(ask: Any, workplace: Workplace, key_for: Callable[..., str]) -> None:
    owner = key_for(workplace, "owner")
    body = {**ROLE, "fields": FIELDS}
    assert ask("POST", "/api/roles", key=owner, json=body).status_code == 200
    assert ask("POST", "/api/roles", key=owner, json=body).json()["code"] == "access.role_exists"
    changed = {**body, "permissions": ["customers.read", "orders.read"]}
    del changed["name"]
    assert "orders.read" in ask("PUT", "/api/roles/desk", key=owner, json=changed).json()["permissions"]
    names = [one["name"] for one in ask("GET", "/api/roles", key=owner).json()["items"]]
    assert names == [*(role.name for role in access.SHIPPED_ROLES), "desk"]
    shipped = ask("PUT", "/api/roles/auditor", key=owner, json=changed)
    assert (shipped.status_code, shipped.json()["code"]) == (409, "access.shipped_role")
    wrong = ask("POST", "/api/roles", key=owner, json={**body, "name": "d2", "permissions": ["everything"]})
    assert wrong.json()["code"] == "access.unknown_permissions"
    line = ask("GET", "/api/audit", key=owner, params={"action": "PUT /api/roles/{name}"}).json()["items"][0]
    assert (line["before"]["permissions"], line["after"]["permissions"]) == (
        ["customers.read", "own"],
        ["customers.read", "orders.read", "own"],
    )
    assert ask("DELETE", "/api/roles/desk", key=owner).status_code == 204
    assert ask("DELETE", "/api/roles/desk", key=owner).status_code == 404


def test_who_looks_after_people_makes_no_role_beyond_their_own(database: Database, reader: Readers) -> None:
    lesser = reader("operations_manager", permissions=frozenset({"people.write", "people.read", "own"}))
    great = access.Role("great", frozenset({"keys.write"}), access.Where.ALL, access.all_fields(access.Seen.HIDDEN))
    with database.begin() as tx, pytest.raises(NotAllowed, match=r"access\.beyond_your_own"):
        roles.make_role(tx, lesser, great, NOW)
    with database.begin() as tx:
        roles.make_role(tx, access.COMMAND, great, NOW)
        small = access.Role("great", frozenset(), access.Where.ALL, great.fields)
        # Nor do they take away from one that has more than they do.
        with pytest.raises(NotAllowed):
            roles.change_role(tx, lesser, small, NOW)
        with pytest.raises(NotAllowed):
            roles.delete_role(tx, lesser, "great")
        owner = access.get_role(tx, "owner")
        with pytest.raises(NotAllowed):
            access.may_give_role(lesser, owner, ())
        with pytest.raises(BadInput, match=r"access\.bad_places"):
            access.may_give_role(access.COMMAND, access.get_role(tx, "store_associate"), ())
