"""Signing in by a provider of identities: a real one, and answers that are not to be believed."""

import base64
import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pyotp
import pytest
import sqlalchemy as sa
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from shuke.access.service import oidc
from shuke.app.web import build_web
from shuke.base.errors import NotAllowed, NotAvailable
from shuke.platform import Settings, Workplace

CALLBACK = "http://localhost/api/oidc/callback"
SECRET = "a secret of the client's, thirty-two bytes"
ANNA = {"sub": "anna-7", "email": "Anna@brand.cn", "email_verified": True, "name": "Anna 王"}
NOW = datetime.now(UTC)


@dataclass
class Identities:
    """The provider, and who signs in there next."""

    issuer: str

    def sign_in_as(self, person: dict[str, Any]) -> None:
        assert httpx.post(f"{self.issuer}/as", json=person).status_code == 200

    def answer(self, address: str) -> dict[str, str]:
        """What comes back to the callback from a browser that was sent to this address."""
        with httpx.Client() as browser:
            for _ in range(10):
                address = str(browser.get(address).headers["location"])
                if address.startswith("/"):
                    address = self.issuer + address
                if address.startswith(CALLBACK):
                    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        raise AssertionError(address)


@pytest.fixture(scope="session")
def identities(segment_clients: Path) -> Iterator[Identities]:
    node = shutil.which("node")
    assert node is not None
    client = {"client_id": "shuke", "client_secret": SECRET, "redirect_uris": [CALLBACK]}
    other = {**client, "client_id": "other"}
    command = [node, str(Path(__file__).with_name("provider.mjs")), str(segment_clients), json.dumps([client, other])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            issuer = next(line for line in process.stdout if line.startswith("http"))
            yield Identities(issuer.strip())
        finally:
            process.terminate()


@pytest.fixture
def settings(identities: Identities, workplace: Workplace, tmp_path: Path) -> Settings:
    (tmp_path / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    return replace(
        workplace.settings,
        oidc_issuer=identities.issuer,
        oidc_client_id="shuke",
        oidc_client_secret_file=tmp_path / "secret",
        oidc_name="飞书",
    )


@pytest.fixture
def provider(settings: Settings) -> oidc.Provider:
    found = oidc.provider_of(settings)
    assert found is not None
    return found


@pytest.fixture
def site(workplace: Workplace, browser_of: Callable[..., Any]) -> Callable[[Settings], Any]:
    """A browser that visits a server with these settings."""
    return lambda settings: browser_of(build_web(replace(workplace, settings=settings)))


def come_in(browser: Any, identities: Identities) -> str:
    """Sign in by the provider; where the browser is sent then."""
    sent = browser.get("/api/oidc/start")
    assert sent.status_code == 303
    back = browser.get("/api/oidc/callback", params=identities.answer(sent.headers["location"]))
    assert back.status_code == 303
    browser.learn()
    return str(back.headers["location"])


def test_whoever_has_the_address_comes_in(
    identities: Identities,
    settings: Settings,
    site: Callable[[Settings], Any],
    add_user: Callable[..., UUID],
    audited: Callable[[], list[str]],
) -> None:
    anna = add_user("anna@brand.cn", password=None)
    browser = site(settings)
    assert browser.get("/api/oidc").json() == {"items": [{"name": "飞书"}]}
    identities.sign_in_as(ANNA)
    assert come_in(browser, identities) == "/"
    assert browser.learn()["user_id"] == str(anna)
    # From now on by who they are there, whatever their address becomes.
    identities.sign_in_as({**ANNA, "email": "wang@brand.cn"})
    again = site(settings)
    assert come_in(again, identities) == "/"
    assert again.learn()["user_id"] == str(anna)
    assert audited() == ["session.begin"] * 2


def test_without_settings_there_is_no_provider(browser: Any) -> None:
    assert browser.get("/api/oidc").json() == {"items": []}
    assert browser.get("/api/oidc/start").headers["location"] == "/sign-in?error=access.oidc_off"
    assert browser.get("/api/oidc/callback").headers["location"] == "/sign-in?error=access.oidc_off"


def test_another_site_does_not_have_somebody_signed_in(settings: Settings, site: Callable[[Settings], Any]) -> None:
    browser = site(settings)
    for elsewhere in ("cross-site", "same-site"):
        sent = browser.get("/api/oidc/start", headers={"sec-fetch-site": elsewhere})
        assert sent.headers["location"] == "/sign-in"
    for here in ("same-origin", "none"):
        sent = browser.get("/api/oidc/start", headers={"sec-fetch-site": here})
        assert sent.headers["location"].startswith(settings.oidc_issuer)


def test_strangers_are_not_told_where_files_are(
    workplace: Workplace, site: Callable[[Settings], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = tmp_path / "absent"
    settings = replace(
        workplace.settings,
        oidc_issuer="https://login.example.com",
        oidc_client_id="shuke",
        oidc_client_secret_file=absent,
    )
    refused = site(settings).get("/api/oidc")
    assert (refused.status_code, refused.json()["code"]) == (503, "access.no_secret_file")
    assert str(tmp_path) not in refused.text
    assert str(absent) in capsys.readouterr().out


def test_whoever_is_invited_joins_by_it(
    identities: Identities, settings: Settings, site: Callable[[Settings], Any], owner: Any
) -> None:
    identities.sign_in_as(ANNA)
    browser = site(settings)
    assert come_in(browser, identities) == "/sign-in?error=access.oidc_not_invited"
    invited = {"email": "anna@brand.cn", "role": "store_associate", "places": ["s1"]}
    assert owner.post("/api/invitations", invited).status_code == 200
    assert come_in(browser, identities) == "/"
    mine = browser.learn()
    assert (mine["name"], mine["role"], mine["places"]) == ("Anna 王", "store_associate", ["s1"])
    assert owner.get("/api/invitations").json()["items"] == []


def test_the_role_of_the_settings_is_for_newcomers(
    identities: Identities, settings: Settings, site: Callable[[Settings], Any]
) -> None:
    identities.sign_in_as(ANNA)
    for role in ("owner", "store_associate", "no_such_role"):
        refused = come_in(site(replace(settings, oidc_role=role)), identities)
        assert refused == "/sign-in?error=access.oidc_bad_role"
    browser = site(replace(settings, oidc_role="analyst"))
    assert come_in(browser, identities) == "/"
    assert browser.learn()["role"] == "analyst"


@pytest.mark.parametrize(
    ("person", "domains"),
    [
        ({**ANNA, "email_verified": False}, ()),
        ({**ANNA, "email_verified": "true"}, ()),
        ({"sub": "anna-7", "name": "Anna"}, ()),
        ({**ANNA, "email": "anna@brand.cn.evil.example"}, ("brand.cn",)),
        ({**ANNA, "email": "anna@evil.example"}, ("brand.cn", "brand.com")),
    ],
)
def test_an_address_that_proves_nothing_lets_nobody_in(
    person: dict[str, Any],
    domains: tuple[str, ...],
    identities: Identities,
    settings: Settings,
    site: Callable[[Settings], Any],
    add_user: Callable[..., UUID],
) -> None:
    add_user("anna@brand.cn")
    identities.sign_in_as(person)
    browser = site(replace(settings, oidc_domains=domains, oidc_role="analyst"))
    assert come_in(browser, identities) == "/sign-in?error=access.oidc_refused&why=email"
    assert browser.get("/api/session").status_code == 401


def test_a_second_factor_is_asked_for_here_too(
    identities: Identities, settings: Settings, site: Callable[[Settings], Any], owner: Any
) -> None:
    secret = owner.post("/api/totp").json()["secret"]
    owner.post("/api/totp/confirm", {"code": pyotp.TOTP(secret).at(datetime.now(UTC))})
    identities.sign_in_as({**ANNA, "email": "owner@brand.cn"})
    browser = site(settings)
    assert come_in(browser, identities) == "/sign-in?methods=totp%2Crecovery"
    assert browser.get("/api/session").status_code == 401
    code = pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))
    assert browser.post("/api/session/second", {"method": "totp", "code": code}).status_code == 200


def test_who_is_disabled_or_says_no_stays_out(
    identities: Identities,
    settings: Settings,
    site: Callable[[Settings], Any],
    add_user: Callable[..., UUID],
    workplace: Workplace,
) -> None:
    add_user("anna@brand.cn")
    identities.sign_in_as({**ANNA, "denies": True})
    assert come_in(site(settings), identities) == "/sign-in?error=access.oidc_refused&why=denied"
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE users SET disabled_at = now()"))
    identities.sign_in_as(ANNA)
    assert come_in(site(settings), identities) == "/sign-in?error=access.wrong_credentials"


def begun_elsewhere(identities: Identities, victim: Any, attacker: Any) -> str:
    """Where a browser is sent that is made to finish what another began."""
    answer = identities.answer(attacker.get("/api/oidc/start").headers["location"])
    victim.get("/api/oidc/start")
    return str(victim.get("/api/oidc/callback", params=answer).headers["location"])


def test_nobody_is_signed_in_as_somebody_else_by_a_link(
    identities: Identities, settings: Settings, site: Callable[[Settings], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    identities.sign_in_as({**ANNA, "sub": "eve-1", "email": "eve@brand.cn"})
    with_role = replace(settings, oidc_role="analyst")
    victim, attacker = site(with_role), site(with_role)
    assert begun_elsewhere(identities, victim, attacker) == "/sign-in?error=access.oidc_refused&why=state"
    # And not at all without a cookie, or with one that we did not make.
    answer = identities.answer(attacker.get("/api/oidc/start").headers["location"])
    for cookie in ("", "1.00", "x", "9.abcdef", "1." + "0" * 200):
        bare = site(with_role)
        bare.cookies.set("shuke_oidc", cookie, domain="localhost.local")
        assert bare.get("/api/oidc/callback", params=answer).headers["location"].endswith("why=state")
    # Planted: the state is not looked at. The nonce and PKCE still hold.
    monkeypatch.setattr(oidc.hmac, "compare_digest", lambda *_: True)
    assert "access.oidc_refused" in begun_elsewhere(identities, victim, attacker)


@dataclass
class Case:
    """An attempt as it was begun, what came back, and when that is looked at."""

    provider: oidc.Provider
    attempt: oidc.Attempt
    given: dict[str, str]
    now: datetime


@pytest.fixture
def case(identities: Identities, provider: oidc.Provider) -> Case:
    identities.sign_in_as(ANNA)
    address, attempt = oidc.begin(provider, oidc.Discovery(), CALLBACK, NOW)
    query = parse_qs(urlsplit(address).query)
    assert (query["code_challenge_method"], query["response_type"]) == (["S256"], ["code"])
    assert attempt.verifier not in address
    return Case(provider, attempt, identities.answer(address), datetime.now(UTC))


def finish(case: Case) -> oidc.Told:
    return oidc.finish(case.provider, oidc.Discovery(), case.attempt, case.given, case.now)


def wrong_nonce(case: Case) -> None:
    case.attempt = replace(case.attempt, nonce="another")


def too_late(case: Case) -> None:
    case.now += timedelta(hours=2)


@pytest.mark.parametrize("wrong", [wrong_nonce, too_late])
def test_a_token_of_another_attempt_or_time_is_refused(wrong: Callable[[Case], None], case: Case) -> None:
    wrong(case)
    with pytest.raises(NotAllowed) as refused:
        finish(case)
    assert refused.value.code == "access.oidc_refused"


@pytest.mark.parametrize("wrong", [wrong_nonce, too_late])
def test_claims_that_nobody_checks_are_noticed(
    wrong: Callable[[Case], None], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the signature is enough."""
    wrong(case)
    monkeypatch.setattr(CodeIDToken, "validate", lambda *_, **__: None)
    assert finish(case) == oidc.Told("anna-7", "Anna@brand.cn", "Anna 王")


def token_of(case: Case) -> dict[str, Any]:
    """What the provider gives for the code."""
    kept: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(oidc, "_claims", lambda *given: kept.append(given[2]) or {"sub": "x", "email": ""})
        finish(case)
    return kept[0]


def believed(case: Case, provider: oidc.Provider, token: dict[str, Any]) -> bool:
    """Whether a token is taken for one of this attempt."""
    try:
        oidc._claims(provider, oidc.Discovery(), token, case.attempt.nonce, case.now)
    except NotAllowed:
        return False
    return True


def test_a_token_for_another_audience_is_refused(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(case)
    assert believed(case, case.provider, token)
    ours = replace(case.provider, client_id="other")
    assert not believed(case, ours, token)
    assert not believed(case, case.provider, token | {"id_token": "x.y.z"})
    assert not believed(case, case.provider, {})
    # Planted: the audience is not looked at.
    monkeypatch.setattr(CodeIDToken, "validate", lambda *_, **__: None)
    assert believed(case, ours, token)


def test_a_signature_of_somebody_else_is_none(case: Case) -> None:
    token = token_of(case)
    claims = _claims_of(token["id_token"])
    keys = {"RS256": RSAKey.generate_key(2048, {"kid": "first"}), "HS256": OctKey.import_key(SECRET)}
    for algorithm, key in keys.items():
        forged = jwt.encode({"alg": algorithm, "kid": "first"}, claims, key, algorithms=[algorithm])
        assert not believed(case, case.provider, token | {"id_token": forged}), algorithm
    body = token["id_token"].split(".")[1]
    nothing = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    assert not believed(case, case.provider, token | {"id_token": f"{nothing}.{body}."})


def _claims_of(signed: str) -> dict[str, Any]:
    body = signed.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def test_a_code_is_of_use_to_who_began_only(case: Case) -> None:
    """PKCE: who has stolen the code, and even the client's secret, has not what the challenge was made of."""
    case.attempt = replace(case.attempt, verifier="another" * 8)
    with pytest.raises(NotAllowed) as refused:
        finish(case)
    assert refused.value.values["why"] == "invalid_grant"


def test_another_provider_does_not_answer_for_this_one(case: Case) -> None:
    case.given["iss"] = "https://evil.example"
    with pytest.raises(NotAllowed) as refused:
        finish(case)
    assert refused.value.values["why"] == "issuer"


def test_a_provider_that_does_not_answer_is_said(
    provider: oidc.Provider, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for issuer in ("http://127.0.0.1:1", f"{provider.issuer}/nowhere"):
        with pytest.raises(NotAvailable) as refused:
            oidc.begin(replace(provider, issuer=issuer), oidc.Discovery(), CALLBACK, NOW)
        assert refused.value.code == "access.oidc_unreachable"
    # Whoever describes somebody else describes nobody.
    monkeypatch.setattr(oidc, "_fetched", lambda _: {"issuer": "https://login.example.com/"})
    for issuer, known in (("https://login.example.com/", True), ("https://login.example.com", False)):
        with contextlib.nullcontext() if known else pytest.raises(NotAvailable):
            oidc.Discovery().metadata(replace(provider, issuer=issuer))
    with pytest.raises(NotAvailable) as missing:
        oidc.provider_of(replace(settings, oidc_client_secret_file=tmp_path / "none"))
    assert missing.value.code == "access.no_secret_file"


def test_what_is_kept_of_an_attempt_ends(workplace: Workplace, case: Case) -> None:
    sealed = case.attempt.sealed(workplace.keyring)
    assert case.attempt.verifier not in sealed
    for minutes, there in ((0, True), (10, True), (11, False), (-1, False)):
        opened = oidc.Attempt.opened(sealed, workplace.keyring, NOW + timedelta(minutes=minutes))
        assert (opened == case.attempt) == there
