"""Passkeys, with an authenticator in software that does what the hardware does (WebAuthn, level 3)."""

import base64
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import cbor2
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from shuke.access.service import passkeys
from shuke.app.web import build_web
from shuke.platform import Workplace

Json = dict[str, Any]
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One key on one device. What it is told of the page comes from the browser, which a page cannot deceive."""

    origin: str = "http://localhost"
    name: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    user: bytes = b""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: sha256(datetime.now(UTC).isoformat().encode()).digest())

    def make(self, options: Json) -> Json:
        """What ``navigator.credentials.create`` gives."""
        assert options["authenticatorSelection"]["userVerification"] == "required"
        self.user = unb64(options["user"]["id"])
        public = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (public.x, public.y))
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cose
        data = self._data(self.flags | ATTESTED) + attested
        said = self._said("webauthn.create", options["challenge"])
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential({"clientDataJSON": b64(said), "attestationObject": b64(attestation)})

    def sign(self, options: Json) -> Json:
        """What ``navigator.credentials.get`` gives."""
        self.count += 1
        data = self._data(self.flags)
        said = self._said("webauthn.get", options["challenge"])
        signature = self.key.sign(data + sha256(said).digest(), ec.ECDSA(SHA256()))
        parts = {"clientDataJSON": said, "authenticatorData": data, "signature": signature, "userHandle": self.user}
        return self._credential({name: b64(part) for name, part in parts.items()})

    def _data(self, flags: int) -> bytes:
        return sha256(self.name.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _said(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _credential(self, response: Json) -> Json:
        name = b64(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}


def add(browser: Any, device: Authenticator, name: str = "Laptop") -> Any:
    options = browser.post("/api/passkeys/options").json()
    answer = browser.post("/api/passkeys", {"name": name, "credential": device.make(options)})
    browser.learn()
    return answer


def sign_in(browser: Any, device: Authenticator) -> Any:
    options = browser.post("/api/session/passkey/options").json()
    return browser.post("/api/session/passkey", {"credential": device.sign(options)})


def test_a_passkey_is_made_used_and_removed(
    owner: Any, new_browser: Callable[..., Any], audited: Callable[[], list[str]]
) -> None:
    device = Authenticator()
    made = add(owner, device).json()
    assert made["passkey"]["name"] == "Laptop"
    assert len(made["recovery_codes"]) == 10
    assert owner.learn()["second_factors"] == ["passkey", "recovery"]
    browser = new_browser()
    for _ in range(2):
        assert sign_in(browser, device).json() == {"state": "signed_in", "methods": []}
    assert browser.learn()["email"] == "owner@brand.cn"
    # The password asks for it, or for one of the codes.
    other = new_browser()
    assert other.sign_in("owner@brand.cn").json() == {"state": "second_factor", "methods": ["passkey", "recovery"]}
    assert sign_in(other, device).json()["state"] == "signed_in"
    (listed,) = owner.get("/api/passkeys").json()["items"]
    assert listed["used_at"] is not None
    assert owner.delete(f"/api/passkeys/{listed['passkey_id']}").status_code == 204
    owner.learn()
    assert owner.delete(f"/api/passkeys/{listed['passkey_id']}").status_code == 404
    refused = sign_in(new_browser(), device)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.passkey_refused")
    assert owner.learn()["second_factors"] == []
    assert "account.passkey" in audited()


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"name": "evil.example"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"count": -1},
        {"user": bytes(16)},
        {"credential_id": bytes(32)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_is_not_the_owners_own_signature_is_refused(
    wrong: Json, owner: Any, new_browser: Callable[..., Any]
) -> None:
    device = Authenticator(count=5)
    add(owner, device)
    assert sign_in(new_browser(), device).status_code == 200
    for name, value in wrong.items():
        setattr(device, name, value)
    refused = sign_in(new_browser(), device)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.passkey_refused")


@pytest.mark.parametrize(
    "wrong", [{"origin": "https://evil.example"}, {"name": "evil.example"}, {"flags": PRESENT}], ids=str
)
def test_a_passkey_of_elsewhere_is_not_kept(wrong: Json, owner: Any) -> None:
    refused = add(owner, Authenticator(**wrong))
    assert (refused.status_code, refused.json()["code"]) == (422, "access.passkey_refused")
    assert owner.get("/api/passkeys").json()["items"] == []


def replayed(browser: Any, device: Authenticator) -> bool:
    """Whether a signature lets somebody in a second time."""
    signed = {"credential": device.sign(browser.post("/api/session/passkey/options").json())}
    assert browser.post("/api/session/passkey", signed).status_code == 200
    device.count = 0
    return bool(browser.post("/api/session/passkey", signed).status_code == 200)


def test_a_signature_is_used_once(
    owner: Any, new_browser: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, workplace: Workplace
) -> None:
    device = Authenticator()
    add(owner, device)
    assert not replayed(new_browser(), device)
    # Planted: any question will do, and the device does not count.
    asked = passkeys._asked

    def any_question(tx: Any, credential: Any, now: datetime, user_id: UUID | None) -> bytes:
        challenge = json.loads(unb64(credential["response"]["clientDataJSON"]))["challenge"]
        tx.execute(sa.text("UPDATE passkeys SET sign_count = 0"))
        row = {"challenge_hash": sha256(unb64(challenge)).digest(), "user_id": user_id, "expires_at": "2100-01-01Z"}
        tx.execute(sa.insert(passkeys.challenges).from_select(list(row), sa.select(*_typed(row))))
        return asked(tx, credential, now, user_id)

    monkeypatch.setattr(passkeys, "_new_challenge", lambda *_: b"7" * 32)
    monkeypatch.setattr(passkeys, "_asked", any_question)
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE passkeys SET sign_count = 0"))
    device.count = 0
    assert replayed(new_browser(), device)


def _typed(row: Json) -> list[Any]:
    columns = passkeys.challenges.c
    return [sa.cast(sa.literal(value), columns[name].type) for name, value in row.items()]


def test_a_question_to_one_is_not_answered_by_another(
    owner: Any, new_browser: Callable[..., Any], add_user: Callable[..., UUID]
) -> None:
    add_user("eve@brand.cn")
    eve = new_browser()
    eve.sign_in("eve@brand.cn")
    device = Authenticator()
    made = device.make(owner.post("/api/passkeys/options").json())
    stolen = eve.post("/api/passkeys", {"name": "mine", "credential": made})
    assert stolen.json()["code"] == "access.passkey_refused"
    # Nor one to sign in with by one to make a passkey.
    signed = device.sign(owner.post("/api/passkeys/options").json())
    assert new_browser().post("/api/session/passkey", {"credential": signed}).status_code == 403


@pytest.mark.parametrize(
    "credential",
    [{}, {"id": 1}, {"response": []}, {"response": {"clientDataJSON": "%%%"}}, {"response": {"clientDataJSON": "e30"}}],
    ids=str,
)
def test_nonsense_is_refused(credential: Json, browser: Any) -> None:
    refused = browser.post("/api/session/passkey", {"credential": credential})
    assert (refused.status_code, refused.json()["code"]) == (403, "access.passkey_refused")


def test_a_passkey_needs_a_name(workplace: Workplace, browser_of: Callable[..., Any]) -> None:
    browser = browser_of(build_web(workplace), base="http://127.0.0.1")
    refused = browser.post("/api/session/passkey/options")
    assert (refused.status_code, refused.json()["code"]) == (422, "access.passkeys_need_a_name")
