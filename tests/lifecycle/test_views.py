"""Views: one's own, everybody's, the one to begin with; who may change which, and the way back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from shuke import access
from shuke.base.ids import new_id
from shuke.lifecycle.service import views
from shuke.platform import Workplace

NOW = datetime.now(UTC)
BODY: dict[str, Any] = {
    "name": "流失预警",
    "columns": ["tags", "stage", "value"],
    "query": {"stages": ["at_risk", "lost"], "churn_min": 0.5, "last_order_to": "2026-06-30T15:59:59.999000Z"},
    "sort": "churn",
    "descending": False,
}


@pytest.fixture
def as_person(ask: Callable[..., httpx.Response], workplace: Workplace) -> Callable[..., Callable[..., httpx.Response]]:
    """Asks by a key that acts for a person of their own."""

    def of(role: str, *places: str) -> Callable[..., httpx.Response]:
        with workplace.database.begin() as tx:
            found = access.get_role(tx, "owner")
            maker = access.Reader(
                "user", None, role, "owner", found.permissions, found.where, (), found.fields, acts_for=new_id()
            )
            _, secret = access.make_key(tx, maker, access.NewKey(name=role, role=role, places=places), NOW)
        headers = {"authorization": f"Bearer {secret}"}

        def asked(method: str, path: str, **options: Any) -> httpx.Response:
            return ask(method, path, headers=headers, **options)

        return asked

    return of


def made(asked: Any, **changed: Any) -> dict[str, Any]:
    answer = asked("POST", "/api/views", json={**BODY, **changed})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def names(asked: Any) -> list[str]:
    return [one["name"] for one in asked("GET", "/api/views").json()["items"]]


def test_a_view_is_kept_as_it_was_given_and_is_its_maker_s_alone(as_person: Any) -> None:
    lin, chen = as_person("operations_manager"), as_person("operations_manager")
    view = made(lin)
    said = {name: view[name] for name in BODY}
    assert {name: value for name, value in said["query"].items() if value not in (None, [], False)} == BODY["query"]
    assert {**said, "query": None} == {**BODY, "query": None}
    assert (view["mine"], view["shared"]) == (True, False)
    assert lin("GET", "/api/views").json()["items"] == [view]
    assert names(chen) == []
    path = f"/api/views/{view['view_id']}"
    for method, at in (("PUT", path), ("DELETE", path), ("POST", f"{path}/restore")):
        answer = chen(method, at, **({"json": BODY} if method == "PUT" else {}))
        assert (answer.status_code, answer.json()["code"]) == (404, "lifecycle.no_view")
    assert chen("PUT", "/api/default-view", json={"view_id": view["view_id"]}).status_code == 404
    changed = lin("PUT", path, json={**BODY, "name": "风险", "query": {}}).json()
    assert (changed["name"], changed["view_id"]) == ("风险", view["view_id"])


def test_everybody_s_are_changed_by_who_may_change_settings(as_person: Any) -> None:
    manager, associate = as_person("operations_manager"), as_person("store_associate", "s1")
    shared = made(manager, shared=True)
    assert names(associate) == [BODY["name"]]
    own = made(associate)
    assert [one["mine"] for one in associate("GET", "/api/views").json()["items"]] == [False, True]
    for method, path, body in (
        ("POST", "/api/views", {**BODY, "name": "x", "shared": True}),
        ("PUT", f"/api/views/{own['view_id']}", {**BODY, "shared": True}),
        ("PUT", f"/api/views/{shared['view_id']}", {**BODY, "shared": True}),
        ("PUT", f"/api/views/{shared['view_id']}", BODY),
        ("DELETE", f"/api/views/{shared['view_id']}", None),
    ):
        answer = associate(method, path, **({"json": body} if body else {}))
        assert (answer.status_code, answer.json()["code"]) == (403, "lifecycle.may_not_share"), (method, path)
    assert names(manager) == [BODY["name"]]
    # Taken back from everybody, it is whose who took it.
    other = as_person("owner")
    assert other("PUT", f"/api/views/{shared['view_id']}", json=BODY).json()["mine"] is True
    assert (names(manager), names(associate)) == ([], [BODY["name"]])


def test_a_view_that_was_deleted_comes_back_whole(as_person: Any) -> None:
    lin = as_person("owner")
    view = made(lin)
    path = f"/api/views/{view['view_id']}"
    assert lin("PUT", "/api/default-view", json={"view_id": view["view_id"]}).status_code == 204
    assert lin("GET", "/api/views").json()["default"] == view["view_id"]
    assert lin("DELETE", path).status_code == 204
    assert lin("GET", "/api/views").json() == {"items": [], "default": None}
    assert lin("DELETE", path).status_code == 404
    assert lin("POST", f"{path}/restore").json() == view
    assert lin("GET", "/api/views").json() == {"items": [view], "default": view["view_id"]}
    # Unless another has its name by now.
    lin("DELETE", path)
    made(lin)
    assert lin("POST", f"{path}/restore").json()["code"] == "lifecycle.view_exists"
    assert lin("PUT", "/api/default-view", json={"view_id": None}).status_code == 204


def test_long_deleted_views_are_forgotten(as_person: Any, workplace: Workplace) -> None:
    lin = as_person("owner")
    view = made(lin)
    lin("DELETE", f"/api/views/{view['view_id']}")
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE views SET deleted_at = :at"), {"at": NOW - views.KEPT - timedelta(days=1)})
    assert lin("POST", f"/api/views/{view['view_id']}/restore").status_code == 404
    made(lin, name="another")
    with workplace.database.read() as tx:
        assert tx.scalars(sa.text("SELECT name FROM views")).all() == ["another"]


def test_limits_and_what_makes_no_sense(
    as_person: Any, ask: Callable[..., httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = as_person("owner")
    made(lin)
    for body, code in (
        (BODY, "lifecycle.view_exists"),
        ({**BODY, "name": " a"}, "lifecycle.bad_view_name"),
        ({**BODY, "name": "a\u200b"}, "lifecycle.bad_view_name"),
        ({**BODY, "name": "b", "columns": ["age"]}, "app.bad_request"),
        ({**BODY, "name": "b", "columns": []}, "app.bad_request"),
        ({**BODY, "name": "b", "query": {"search": "138"}}, "app.bad_request"),
    ):
        assert lin("POST", "/api/views", json=body).json()["code"] == code, body
    # The owner's key of these tests was made at the command line, and is nobody's.
    assert ask("POST", "/api/views", json=BODY).json()["code"] == "lifecycle.nobodys_view"
    assert ask("POST", "/api/views", json={**BODY, "shared": True}).status_code == 200
    assert ask("PUT", "/api/default-view", json={"view_id": str(uuid4())}).json()["code"] == "lifecycle.nobodys_view"
    monkeypatch.setattr(views, "OWN_MAX", 1)
    monkeypatch.setattr(views, "SHARED_MAX", 1)
    for shared in (False, True):
        answer = lin("POST", "/api/views", json={**BODY, "name": "c", "shared": shared})
        assert answer.json()["code"] == "lifecycle.too_many_views"


def test_the_log_says_who_changed_which_view(as_person: Any, ask: Callable[..., httpx.Response]) -> None:
    view = made(as_person("owner"))
    (line,) = ask("GET", "/api/audit", params={"action": "view.make"}).json()["items"]
    assert UUID(line["object"]["view_id"]) == UUID(view["view_id"])
    assert line["after"]["name"] == BODY["name"]
