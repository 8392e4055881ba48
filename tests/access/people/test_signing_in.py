"""Signing in and out as a browser does it, and what it is refused."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from shuke.access.http import doorway
from shuke.access.service import passwords, sessions
from shuke.app.web import build_web
from shuke.platform import Workplace

PASSWORD = "upward tea lantern"


def test_who_signs_in_is_known_until_they_sign_out(
    browser: Any, add_user: Callable[..., UUID], audited: Callable[[], list[str]]
) -> None:
    anna = add_user("anna@brand.cn")
    assert browser.get("/api/session").status_code == 401
    assert browser.sign_in("ANNA@Brand.cn ").json() == {"state": "signed_in", "methods": []}
    mine = browser.learn()
    assert {name: mine[name] for name in ("user_id", "name", "email", "role", "where", "places", "second_factors")} == {
        "user_id": str(anna),
        "name": "Anna",
        "email": "anna@brand.cn",
        "role": "analyst",
        "where": "all",
        "places": [],
        "second_factors": [],
    }
    assert browser.patch("/api/session", {"name": "Anna 王", "language": "zh-CN"}).status_code == 204
    assert (browser.learn()["name"], browser.learn()["language"]) == ("Anna 王", "zh-CN")
    assert browser.delete("/api/session").status_code == 204
    assert browser.get("/api/session").status_code == 401
    assert audited() == ["session.begin", "account.change", "session.end"]


def test_a_wrong_password_and_nobody_are_refused_alike(
    browser: Any, add_user: Callable[..., UUID], audited: Callable[[], list[str]], workplace: Workplace
) -> None:
    add_user("anna@brand.cn")
    gone = add_user("gone@brand.cn")
    add_user("none@brand.cn", password=None)
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE users SET disabled_at = now() WHERE user_id = :gone"), {"gone": gone})
    told = [
        browser.sign_in(email, password)
        for email, password in (
            ("anna@brand.cn", "another password"),
            ("nobody@brand.cn", PASSWORD),
            ("gone@brand.cn", PASSWORD),
            ("none@brand.cn", PASSWORD),
        )
    ]
    assert {answer.status_code for answer in told} == {403}
    bodies = [{**answer.json(), "request_id": ""} for answer in told]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["code"] == "access.wrong_credentials"
    assert "set-cookie" not in told[0].headers
    assert audited() == ["session.refused"] * 4


@pytest.mark.parametrize(
    ("base", "name", "secure"),
    [
        ("http://localhost", "shuke_session", False),
        ("https://localhost", "__Host-shuke_session", True),
    ],
)
def test_the_cookie_is_out_of_reach(
    base: str, name: str, secure: bool, new_browser: Callable[..., Any], add_user: Callable[..., UUID]
) -> None:
    add_user("anna@brand.cn")
    answer = new_browser(base=base).sign_in("anna@brand.cn")
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {name, name.replace("session", "browser")}
    for cookie in cookies:
        parts = cookie.lower().split("; ")
        assert {"httponly", "path=/", "samesite=lax"} <= set(parts)
        assert ("secure" in parts) == secure
        assert ("max-age=604800" in parts) == cookie.startswith(name)
        assert not any(part.startswith("domain") for part in parts)


def test_a_password_does_not_go_over_the_network_in_the_open(
    workplace: Workplace, browser_of: Callable[..., Any], add_user: Callable[..., UUID]
) -> None:
    add_user("anna@brand.cn")
    settings = replace(workplace.settings, allowed_hosts=("crm.brand.cn",))
    app = build_web(replace(workplace, settings=settings))
    told = browser_of(app, base="http://crm.brand.cn").sign_in("anna@brand.cn")
    assert (told.status_code, told.json()["code"]) == (422, "access.needs_https")
    assert browser_of(app, base="https://crm.brand.cn").sign_in("anna@brand.cn").status_code == 200


def test_behind_a_proxy_the_address_of_the_settings_counts(
    workplace: Workplace, browser_of: Callable[..., Any], add_user: Callable[..., UUID]
) -> None:
    """One that ends HTTPS and says nothing of it."""
    add_user("anna@brand.cn")
    settings = replace(workplace.settings, allowed_hosts=("crm.brand.cn",), public_url="https://crm.brand.cn")
    browser = browser_of(build_web(replace(workplace, settings=settings)), base="http://crm.brand.cn")
    body = {"email": "anna@brand.cn", "password": PASSWORD}
    came_in = browser.post("/api/session", body, headers={"origin": "https://crm.brand.cn"})
    assert came_in.status_code == 200
    assert all("Secure" in cookie for cookie in came_in.headers.get_list("set-cookie"))
    assert browser.post("/api/session", body, headers={"origin": "https://evil.cn"}).status_code == 403


def test_another_site_cannot_sign_a_browser_in(new_browser: Callable[..., Any], add_user: Callable[..., UUID]) -> None:
    add_user("eve@brand.cn")
    browser = new_browser()
    body = {"email": "eve@brand.cn", "password": PASSWORD}
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert browser.post("/api/session", body, headers=headers).json()["code"] == "access.other_site"
    assert browser.get("/api/session").status_code == 401


def kept_token(browser: Any) -> str:
    return next(cookie.value for cookie in browser.cookies.jar if "shuke_session" in cookie.name)


def planted_token_is_good(browser: Any, new_browser: Callable[..., Any], email: str) -> bool:
    """Whether a token that stood in the browser before somebody signed in lets others in after."""
    planted = kept_token(browser)
    browser.sign_in(email)
    thief = new_browser()
    thief.cookies.set("shuke_session", planted, domain="localhost.local")
    return bool(thief.get("/api/session").status_code == 200)


def test_every_sign_in_has_a_token_of_its_own(
    owner: Any, new_browser: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not planted_token_is_good(owner, new_browser, "owner@brand.cn")
    # Planted: the session that was there goes on.
    monkeypatch.setattr(sessions, "end_by_token", lambda *_: None)
    assert planted_token_is_good(owner, new_browser, "owner@brand.cn")


def test_a_new_password_ends_all_other_sessions(
    owner: Any, new_browser: Callable[..., Any], audited: Callable[[], list[str]]
) -> None:
    elsewhere = new_browser()
    elsewhere.sign_in("owner@brand.cn")
    before = kept_token(owner)
    refused = owner.post("/api/session/password", {"current": "not this one", "new": "kitchen window blue"})
    assert (refused.status_code, refused.json()["code"]) == (422, "access.wrong_password")
    weak = owner.post("/api/session/password", {"current": PASSWORD, "new": "owner@brand.cn"})
    assert weak.json()["code"] == "access.password_guessable"
    assert elsewhere.get("/api/session").status_code == 200
    changed = owner.post("/api/session/password", {"current": PASSWORD, "new": "kitchen window blue"})
    assert changed.status_code == 204
    assert kept_token(owner) != before
    assert owner.get("/api/session").status_code == 200
    assert elsewhere.get("/api/session").status_code == 401
    assert elsewhere.sign_in("owner@brand.cn", PASSWORD).status_code == 403
    assert elsewhere.sign_in("owner@brand.cn", "kitchen window blue").status_code == 200
    assert "account.password" in audited()


def test_a_weaker_hash_is_made_anew(
    browser: Any, add_user: Callable[..., UUID], workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_user("anna@brand.cn")
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    assert browser.sign_in("anna@brand.cn").status_code == 200
    with workplace.database.read() as tx:
        kept = tx.execute(sa.text("SELECT password_hash FROM users")).scalar_one()
    assert "t=2" in kept
    assert browser.sign_in("anna@brand.cn").status_code == 200


def test_sessions_are_listed_and_ended(
    owner: Any, new_browser: Callable[..., Any], long_ago: Callable[[], None]
) -> None:
    elsewhere = new_browser()
    elsewhere.sign_in("owner@brand.cn")
    listed = owner.get("/api/sessions").json()["items"]
    assert [one["current"] for one in listed].count(True) == 1
    (other,) = [one["session_id"] for one in listed if not one["current"]]
    assert owner.delete(f"/api/sessions/{other}").status_code == 204
    assert elsewhere.get("/api/session").status_code == 401
    assert owner.delete(f"/api/sessions/{other}").status_code == 404
    # Whoever has found an open browser ends nobody else's sessions.
    elsewhere.sign_in("owner@brand.cn")
    long_ago()
    listed = owner.get("/api/sessions").json()["items"]
    (mine,), (other,) = ([one["session_id"] for one in listed if one["current"] is it] for it in (True, False))
    assert owner.delete(f"/api/sessions/{other}").json()["code"] == "access.sign_in_again"
    assert elsewhere.get("/api/session").status_code == 200
    assert owner.delete(f"/api/sessions/{mine}").status_code == 204


def test_guessing_a_password_is_answered_with_a_wait(
    new_browser: Callable[..., Any], add_user: Callable[..., UUID]
) -> None:
    add_user("anna@brand.cn")
    attacker = new_browser(address="192.0.2.66")
    told = [attacker.sign_in("anna@brand.cn", f"guess number {number}") for number in range(6)]
    assert [answer.status_code for answer in told] == [403] * 5 + [429]
    assert told[-1].json()["code"] == "access.too_many_attempts"
    assert 0 < int(told[-1].headers["retry-after"]) <= 15
    # Not even the right password is taken now, and nobody learns that it was.
    assert attacker.sign_in("anna@brand.cn").status_code == 429


def test_who_signed_in_with_this_browser_before_does_not_wait_for_an_attacker(
    new_browser: Callable[..., Any], add_user: Callable[..., UUID]
) -> None:
    add_user("anna@brand.cn")
    add_user("eve@brand.cn")
    anna, attacker = new_browser(), new_browser(address="192.0.2.66")
    anna.sign_in("anna@brand.cn")
    # A mark of another account is none of this one.
    attacker.sign_in("eve@brand.cn")
    told = [attacker.sign_in("anna@brand.cn", f"guess number {number}").status_code for number in range(6)]
    assert told == [403] * 5 + [429]
    anna.delete("/api/session")
    assert anna.sign_in("anna@brand.cn").status_code == 200


def test_a_forged_mark_of_a_browser_is_none(
    new_browser: Callable[..., Any], add_user: Callable[..., UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_user("anna@brand.cn")

    def guesses(mark: Callable[[int], str]) -> list[int]:
        attacker = new_browser(address="192.0.2.66")
        told = []
        for number in range(8):
            attacker.cookies.set("shuke_browser", mark(number), domain="localhost.local")
            told.append(attacker.sign_in("anna@brand.cn", f"guess number {number}").status_code)
        return told

    assert guesses(lambda number: f"{number}.{'0' * 32}") == [403] * 5 + [429] * 3
    # Planted: the mark is not checked, and each forged one has attempts of its own.
    monkeypatch.setattr(doorway, "_browser_mark", lambda _, __, nonce: f"{nonce}.{'0' * 32}")
    assert guesses(lambda number: f"{number}.{'0' * 32}") == [403] * 8


def test_a_key_has_no_account(workplace: Workplace, key_for: Callable[..., str], browser: Any) -> None:
    headers = {"authorization": f"Bearer {key_for(workplace, 'owner')}"}
    for method, path in (("GET", "/api/session"), ("GET", "/api/sessions"), ("POST", "/api/totp")):
        assert browser(method, path, headers=headers).status_code == 403


def test_what_is_secret_is_in_no_log(
    browser: Any,
    add_user: Callable[..., UUID],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    add_user("canary.anna@brand.cn")

    def said() -> str:
        browser.sign_in("canary.anna@brand.cn", "canary wrong password")
        browser.sign_in("canary.anna@brand.cn")
        browser.post("/api/invitations/accept", {"token": "canary-token", "password": PASSWORD})
        out = capfd.readouterr()
        return caplog.text + out.out + out.err + kept_token(browser)[:0]

    text = said()
    assert "sign-in refused" in text
    for canary in ("canary", PASSWORD, kept_token(browser), browser.csrf):
        assert canary not in text
    # Planted: what was tried is logged.
    monkeypatch.setattr(passwords, "matches", lambda _, given: logging.getLogger("shuke").error(given))
    assert "canary wrong password" in said()


def test_who_sees_some_customers_only_has_an_account_all_the_same(
    new_browser: Callable[..., Any], add_user: Callable[..., UUID]
) -> None:
    """What limits customers limits nothing of one's own account."""
    add_user("shop@brand.cn", "store_associate", places=("s1",))
    browser = new_browser()
    assert browser.sign_in("shop@brand.cn").json() == {"state": "signed_in", "methods": []}
    assert browser.patch("/api/session", {"name": "Shop"}).status_code == 204
    assert browser.post("/api/totp").status_code == 200
    assert browser.post("/api/passkeys/options").status_code == 200
    assert len(browser.get("/api/sessions").json()["items"]) == 1
    changed = browser.post("/api/session/password", {"current": PASSWORD, "new": "kitchen window blue"})
    assert changed.status_code == 204
    browser.learn()
    assert browser.get("/api/users").status_code == 403
    assert browser.delete("/api/session").status_code == 204
