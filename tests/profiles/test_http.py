import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.types import ASGIApp

from shuke.platform import Workplace


class Client:
    """Asks the application itself, without a network."""

    def __init__(self, app: ASGIApp) -> None:
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def __getattr__(self, method: str) -> Any:
        return lambda path, **options: self(method.upper(), path, **options)


@pytest.fixture
def client(workplace: Workplace, web_of: Callable[..., ASGIApp]) -> Client:
    return Client(web_of(workplace))


def new_customer(client: Client, **ids: str) -> dict[str, object]:
    given = [{"kind": kind, "value": value} for kind, value in ids.items()]
    answer = client.post("/api/customers", json={"identities": given})
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


def test_a_customer_is_made_found_changed_and_masked(client: Client) -> None:
    made = new_customer(client, phone="138 1234 5678")
    customer = made["customer_id"]
    assert new_customer(client, phone="+86 13812345678") == made
    found = client.post("/api/customers/find", json={"kind": "phone", "value": "13812345678"})
    assert found.json() == {"customer_id": customer}
    changed = client.patch(f"/api/customers/{customer}", json={"attributes": {"name": "王小明", "city": "杭州"}})
    assert changed.json()["attributes"] == {"name": "王**", "city": "杭州"}
    assert changed.json()["identities"][0]["value"] == "138****5678"
    refused = client.patch(f"/api/customers/{customer}", json={"attributes": {"city": "上海", "heart": 1}})
    assert refused.status_code == 422
    assert refused.json()["code"] == "profiles.bad_attributes"
    # A refused request has changed nothing.
    assert changed.json().items() <= client.get(f"/api/customers/{customer}").json().items()
    assert "13812345678" not in changed.text
    assert "王小明" not in changed.text


def test_merge_and_undo(client: Client) -> None:
    old, new = new_customer(client, user_id="u1"), new_customer(client, phone="13812345678")
    body = {"winner": old["customer_id"], "loser": new["customer_id"], "by": "staff-7", "why": "same_person"}
    merged = client.post("/api/merges", json=body).json()
    whole = client.get(f"/api/customers/{new['customer_id']}").json()
    assert whole["customer_ids"] == [old["customer_id"], new["customer_id"]]
    assert client.post("/api/merges", json=body).json()["code"] == "profiles.already_one"
    assert client.get(f"/api/customers/{new['customer_id']}/merges").json() == [merged]
    undone = client.post(f"/api/merges/{merged['merge_id']}/undo")
    assert undone.json()["identity_ids"] == merged["identity_ids"]
    again = client.post(f"/api/merges/{merged['merge_id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "profiles.merge_undone")
    back = client.get(f"/api/customers/{new['customer_id']}").json()
    assert back["identities"] == new["identities"]


def test_identities_tags_attributes_and_consent(client: Client) -> None:
    customer, other = new_customer(client, user_id="u1")["customer_id"], new_customer(client, email="b@x.com")
    here = f"/api/customers/{customer}"
    identity = {"kind": "email", "value": "Anna@x.com"}
    assert client.post(f"{here}/identities", json=identity).status_code == 200
    assert [one["kind"] for one in client.get(f"{here}/identities").json()] == ["user_id", "email"]
    taken = client.post(f"{here}/identities", json={"kind": "email", "value": "b@x.com"})
    assert taken.json()["code"] == "profiles.identity_taken"
    assert client.post(f"{here}/identities", json={"kind": "user_id", "value": "u2"}).status_code == 409
    assert other["customer_id"] != customer

    assert client.put("/api/attributes/shoe_size", json={"type": "number", "personal": False}).status_code == 200
    assert client.patch(here, json={"attributes": {"shoe_size": 38}}).json()["attributes"] == {"shoe_size": 38}
    assert client.delete("/api/attributes/shoe_size").status_code == 204
    assert client.delete("/api/attributes/shoe_size").status_code == 404

    tagged = client.post(f"{here}/tags", json={"tag": "VIP", "source": "wecom"}).json()
    assert [one["tag"] for one in tagged["tags"]] == ["VIP"]
    assert client.delete(f"{here}/tags/VIP").json()["tags"] == []

    said = {
        "purpose": "marketing",
        "channel": "sms",
        "state": "granted",
        "notice_version": "v1",
        "method": "form",
        "at": "2026-11-01T08:00:00+08:00",
        "by": "customer",
    }
    assert client.post(f"{here}/consents", json=said).json()[0]["state"] == "granted"
    client.patch(here, json={"attributes": {"birth_date": "2020-01-01"}})
    assert client.post(f"{here}/consents", json=said).json()["code"] == "privacy.needs_guardian"
    guardian = client.post(f"{here}/guardians", json={"relation": "mother", "name": "王芳"}).json()["guardian_id"]
    assert client.post(f"{here}/consents", json=said | {"guardian": guardian}).status_code == 200
    assert client.get(f"{here}/consents").json()[0]["channel"] == "sms"


@pytest.mark.parametrize("path", ["", "/identities", "/merges", "/consents"])
def test_nobody_is_not_found(client: Client, path: str) -> None:
    answer = client.get(f"/api/customers/{uuid4()}{path}", headers={"accept-language": "zh"})
    assert answer.status_code == 404
    assert "没有客户" in answer.json()["detail"]


def test_what_cannot_be_stored_is_refused_and_not_a_fault(client: Client) -> None:
    customer = new_customer(client, user_id="u1")["customer_id"]
    here = f"/api/customers/{customer}"
    for answer in (
        client.post("/api/customers", json={"identities": [{"kind": "phone", "value": "110\x00"}]}),
        client.patch(here, json={"attributes": {"city": "a\x00b"}}),
        client.post(f"{here}/tags", json={"tag": "a\x00", "source": "wecom"}),
        client.post(f"{here}/tags", json={"tag": "a", "source": "x", "expires_at": "9999-12-31T23:59:59-12:00"}),
        client.delete("/api/attributes/a%00b"),
        client.delete(f"{here}/tags/a%00b?source=x%00"),
        client.delete(f"{here}/tags/a%00b"),
    ):
        assert answer.status_code in (404, 422), answer.text
