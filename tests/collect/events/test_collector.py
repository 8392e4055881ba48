"""The protocol: what is taken, what is refused with which status, and that only what is stored is acknowledged."""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shuke.collect import add_source, disable_source
from shuke.collect.http import collector
from shuke.collect.service import inbox
from shuke.platform import Keyring, Transaction, Workplace

TRACK = {"type": "track", "event": "Viewed", "userId": "u", "messageId": "m"}


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def stored(workplace: Workplace) -> Callable[[], int]:
    def count() -> int:
        with workplace.database.read() as tx:
            return tx.scalar(sa.text("SELECT count(*) FROM inbox")) or 0

    return count


def basic(key: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


@pytest.mark.parametrize("call", ["identify", "track", "page", "screen", "group", "alias"])
def test_single_calls_with_basic_authorization(
    call: str, client: httpx.Client, key: str, stored: Callable[[], int]
) -> None:
    answer = client.post(f"/v1/{call}", json=TRACK, headers=basic(key))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert stored() == 1


@pytest.mark.parametrize("call", list("itpsga"))
def test_browsers_post_text_with_the_key_in_the_body(
    call: str, client: httpx.Client, key: str, stored: Callable[[], int]
) -> None:
    body = json.dumps({**TRACK, "writeKey": key})
    answer = client.post(f"/v1/{call}", content=body, headers={"content-type": "text/plain", "origin": "https://a.b"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert stored() == 1


def test_a_preflight_is_answered(client: httpx.Client) -> None:
    asked = {"origin": "https://a.b", "access-control-request-method": "POST"}
    answer = client.options("/v1/t", headers=asked)
    assert answer.status_code == 204
    assert "authorization" in answer.headers["access-control-allow-headers"]


def test_gzip_is_taken(client: httpx.Client, key: str, stored: Callable[[], int]) -> None:
    body = gzip.compress(json.dumps({"batch": [TRACK, TRACK], "writeKey": key}).encode())
    assert client.post("/v1/batch", content=body, headers={"content-encoding": "gzip"}).status_code == 200
    assert stored() == 2


def test_an_empty_batch_is_a_batch(client: httpx.Client, key: str) -> None:
    assert client.post("/v1/batch", json={"batch": []}, headers=basic(key)).status_code == 200


BIG = {**TRACK, "properties": {"text": "x" * 32_768}}
REFUSED: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "no json": (b"{", {}, 400, "malformed"),
    "no utf-8": (b'{"batch":[{"a":"\xff"}]}', {}, 400, "malformed"),
    "no batch": (b"{}", {}, 400, "malformed"),
    "an event that is none": (b'{"batch":[7]}', {}, 400, "malformed"),
    "nested without end": (b'{"batch":' + b"[" * 100_000 + b"]" * 100_000 + b"}", {}, 400, "malformed"),
    "a large event": (json.dumps({"batch": [TRACK, BIG]}).encode(), {}, 400, "event_too_large"),
    "a long messageId": (json.dumps({"batch": [{"messageId": "m" * 100}]}).encode(), {}, 400, "long_message_id"),
    "many events": (b'{"batch":[' + b",".join([b"{}"] * 2_501) + b"]}", {}, 400, "too_many_events"),
    "a large body": (b" " * 512_001, {}, 413, "body_too_large"),
    "a small body that unpacks large": (
        gzip.compress(b" " * 9_000_000),
        {"content-encoding": "gzip"},
        413,
        "body_too_large",
    ),
    "a context for each": (
        json.dumps({"batch": [{}] * 2_000, "context": {"x": "x" * 30_000}}).encode(),
        {},
        413,
        "batch_too_large",
    ),
    "no gzip": (b"{}", {"content-encoding": "gzip"}, 400, "bad_encoding"),
    "half of a gzip": (gzip.compress(b'{"batch":[]}')[:-9], {"content-encoding": "gzip"}, 400, "bad_encoding"),
    "another encoding": (b"{}", {"content-encoding": "br"}, 400, "bad_encoding"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_will_never_be_taken_is_refused_for_good(
    case: str, client: httpx.Client, key: str, stored: Callable[[], int]
) -> None:
    body, headers, status, code = REFUSED[case]
    answer = client.post("/v1/batch", content=body, headers={**basic(key), **headers})
    assert (answer.status_code, answer.json()["code"]) == (status, f"collect.{code}")
    assert answer.json()["message"]
    assert stored() == 0


@pytest.mark.parametrize("size", [32_768, 32_769])
def test_the_limit_of_an_event_is_exact(size: int, client: httpx.Client, key: str) -> None:
    empty = len(json.dumps({**TRACK, "x": ""}).encode())
    body = json.dumps({**TRACK, "x": "x" * (size - empty)}).encode()
    assert len(body) == size
    answer = client.post("/v1/track", content=body, headers=basic(key))
    assert answer.status_code == (200 if size == 32_768 else 400)


@pytest.mark.parametrize("headers", [{}, basic("wrong"), {"authorization": "Basic ***"}, {"authorization": "Bearer x"}])
def test_a_key_that_is_not_known(headers: dict[str, str], client: httpx.Client, key: str) -> None:  # noqa: ARG001 - there is a key, but another
    answer = client.post("/v1/batch", json={"batch": [TRACK]}, headers={**headers, "accept-language": "zh-CN"})
    assert answer.status_code == 401
    assert "密钥" in answer.json()["message"]


def test_keys_count_soon_after_they_change(
    client: httpx.Client, key: str, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "KEYS_SECONDS", 0.0)
    monkeypatch.setattr(collector, "UNKNOWN_KEY_SECONDS", 0.0)
    assert client.post("/v1/track", json=TRACK, headers=basic(key)).status_code == 200
    with workplace.database.begin() as tx:
        newer = add_source(tx, "site", now=datetime.now(UTC))
    assert client.post("/v1/track", json=TRACK, headers=basic(key)).status_code == 401
    assert client.post("/v1/track", json=TRACK, headers=basic(newer)).status_code == 200
    with workplace.database.begin() as tx:
        disable_source(tx, "site", now=datetime.now(UTC))
    assert client.post("/v1/track", json=TRACK, headers=basic(newer)).status_code == 401


def test_no_key_is_kept(key: str, workplace: Workplace) -> None:
    with workplace.database.read() as tx:
        row = tx.execute(sa.text("SELECT sources::text FROM sources")).scalar_one()
    assert key not in row


def test_other_calls_and_methods(client: httpx.Client) -> None:
    assert client.post("/v1/delete", json={}).status_code == 404
    assert client.get("/v1/track").status_code == 405


def test_too_much_waiting_is_said_and_passes(
    client: httpx.Client, key: str, workplace: Workplace, monkeypatch: pytest.MonkeyPatch, stored: Callable[[], int]
) -> None:
    monkeypatch.setattr(collector, "KEYS_SECONDS", 0.0)
    monkeypatch.setattr(collector, "INBOX_EVENTS_MAX", 3)
    batch = {"batch": [TRACK] * 3}
    # The look at the inbox is part of a commit: the first fills it, the second finds it full.
    statuses = [client.post("/v1/batch", json=batch, headers=basic(key)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = client.post("/v1/batch", json=batch, headers=basic(key))
    assert refused.headers["retry-after"] == "5"
    assert stored() == 6
    with workplace.database.begin() as tx:
        inbox.claim(tx, 100)
    until = [client.post("/v1/batch", json=batch, headers=basic(key)).status_code for _ in range(50)]
    assert 200 in until


def never_acknowledged(client: httpx.Client, key: str, workplace: Workplace, stored: Callable[[], int]) -> bool:
    """Whether a commit that fails is told as a fault that passes, and leaves nothing behind."""
    with workplace.database.begin() as tx:
        # A check that is made at the commit, and not before.
        tx.execute(sa.text("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'"))
        tx.execute(
            sa.text(
                "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON inbox DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )
    answer = client.post("/v1/batch", json={"batch": [TRACK]}, headers=basic(key))
    assert stored() == 0
    with workplace.database.begin() as tx:
        tx.execute(sa.text("DROP FUNCTION refuse CASCADE"))
    return answer.status_code == 503


def test_a_commit_that_fails_is_not_acknowledged(
    client: httpx.Client, key: str, workplace: Workplace, stored: Callable[[], int]
) -> None:
    assert never_acknowledged(client, key, workplace, stored)
    # It goes on without a restart.
    assert client.post("/v1/batch", json={"batch": [TRACK]}, headers=basic(key)).status_code == 200
    assert stored() == 1


def test_an_answer_before_the_commit_would_be_noticed(
    client: httpx.Client, key: str, workplace: Workplace, stored: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the collector that answers when the rows are written, whatever becomes of the transaction."""

    def hasty(self: collector.Collector, arrivals: list[Any]) -> list[Any]:
        outcomes = real(self, arrivals)
        return [1 if getattr(one, "status", 0) == 503 else one for one in outcomes]

    real = collector.Collector._commit
    monkeypatch.setattr(collector.Collector, "_commit", hasty)
    assert not never_acknowledged(client, key, workplace, stored)


def test_requests_at_once_are_committed_together(
    client: httpx.Client, key: str, stored: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = []

    def counted(tx: Transaction, keyring: Keyring, requests: list[inbox.Accepted]) -> int:
        commits.append(len(requests))
        return store(tx, keyring, requests)

    store = inbox.store
    monkeypatch.setattr(inbox, "store", counted)
    with ThreadPoolExecutor(16) as pool:
        bodies = [{"batch": [{**TRACK, "messageId": f"m{number}"}]} for number in range(200)]
        answers = list(pool.map(lambda body: client.post("/v1/batch", json=body, headers=basic(key)), bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert stored() == 200 == sum(commits)
    assert len(commits) < 200


def test_one_bad_request_of_a_group_harms_no_other(client: httpx.Client, key: str, stored: Callable[[], int]) -> None:
    bodies = [json.dumps({"batch": [TRACK]}) if number % 3 else "{" for number in range(60)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: client.post("/v1/batch", content=body, headers=basic(key)), bodies))
    assert [answer.status_code for answer in answers] == [200 if number % 3 else 400 for number in range(60)]
    assert stored() == 40


def test_the_inbox_is_closed_to_who_has_no_key(client: httpx.Client, key: str, workplace: Workplace) -> None:
    canary = "anna.canary@example.com"
    client.post("/v1/track", json={**TRACK, "userId": canary}, headers=basic(key))
    with workplace.database.read() as tx:
        row = tx.execute(sa.text("SELECT * FROM inbox")).one()
    plain = inbox.reveal(
        workplace.keyring,
        source_id=row.source_id,
        received_at=row.received_at,
        key_version=row.key_version,
        cipher=bytes(row.cipher),
    )
    assert canary.encode() in plain
    assert canary.encode() not in bytes(row.cipher)
