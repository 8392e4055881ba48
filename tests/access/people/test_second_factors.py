"""The second factor: asked for, used once, slow to guess, and taken away only by who is surely its owner."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
import sqlalchemy as sa

from shuke.access.service import second_factors
from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.platform import Database, Keyring, Workplace

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
STEP = timedelta(seconds=30)


def code_at(secret: str, now: datetime) -> str:
    return pyotp.TOTP(secret).at(now)


@pytest.fixture
def anna(add_user: Callable[..., UUID]) -> UUID:
    return add_user("anna@brand.cn")


@pytest.fixture
def secret(database: Database, keyring: Keyring, anna: UUID) -> str:
    """Of an app that is set up, an hour ago."""
    before = NOW - timedelta(hours=1)
    with database.begin() as tx:
        made = second_factors.begin_totp(tx, keyring, anna, "anna@brand.cn", before)
        second_factors.confirm_totp(tx, keyring, anna, code_at(made.secret, before), before)
    return made.secret


def test_an_app_counts_once_it_is_confirmed(database: Database, keyring: Keyring, anna: UUID) -> None:
    with database.begin() as tx:
        with pytest.raises(NotFound):
            second_factors.confirm_totp(tx, keyring, anna, "123456", NOW)
        first = second_factors.begin_totp(tx, keyring, anna, "anna@brand.cn", NOW)
        made = second_factors.begin_totp(tx, keyring, anna, "anna@brand.cn", NOW)
        assert made.uri.startswith("otpauth://totp/Shuke:anna%40brand.cn?secret=")
        assert not second_factors.uses_totp(tx, keyring, anna, code_at(made.secret, NOW), NOW)
        with pytest.raises(BadInput):
            second_factors.confirm_totp(tx, keyring, anna, code_at(first.secret, NOW), NOW)
        codes = second_factors.confirm_totp(tx, keyring, anna, code_at(made.secret, NOW), NOW)
        assert len(set(codes)) == 10
        with pytest.raises(Conflict):
            second_factors.begin_totp(tx, keyring, anna, "anna@brand.cn", NOW)
        kept = str(tx.execute(sa.text("SELECT totp::text FROM totp")).all())
        kept += str(tx.execute(sa.text("SELECT recovery_codes::text FROM recovery_codes")).all())
    assert made.secret.encode().hex() not in kept
    assert all(code not in kept for code in codes)


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_one_step(
    steps: int, good: bool, database: Database, keyring: Keyring, anna: UUID, secret: str
) -> None:
    with database.begin() as tx:
        assert second_factors.uses_totp(tx, keyring, anna, code_at(secret, NOW + steps * STEP), NOW) is good


def replayed(database: Database, keyring: Keyring, anna: UUID, secret: str) -> int:
    """How often one code gets somebody in, tried by many at once."""
    code = code_at(secret, NOW)

    def use(_: int) -> bool:
        with database.begin() as tx:
            return second_factors.uses_totp(tx, keyring, anna, code, NOW)

    with ThreadPoolExecutor(8) as workers:
        return sum(workers.map(use, range(16)))


def test_a_code_is_used_once(
    database: Database, keyring: Keyring, anna: UUID, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert replayed(database, keyring, anna, secret) == 1
    with database.begin() as tx:
        # Nor one of before it, which somebody may have read over a shoulder.
        assert not second_factors.uses_totp(tx, keyring, anna, code_at(secret, NOW - STEP), NOW)
        assert second_factors.uses_totp(tx, keyring, anna, code_at(secret, NOW + STEP), NOW)
    # Planted: the last step is forgotten.
    whole = second_factors._uses_step

    def forgets(tx: Any, *rest: Any) -> bool:
        tx.execute(sa.text("UPDATE totp SET last_step = 0"))
        return whole(tx, *rest)

    monkeypatch.setattr(second_factors, "_uses_step", forgets)
    assert replayed(database, keyring, anna, secret) > 1


def test_a_recovery_code_is_used_once_however_it_is_written(database: Database, anna: UUID) -> None:
    with database.begin() as tx:
        codes = second_factors.new_recovery_codes(tx, anna)
        written = codes[0].replace("-", " ").upper()
        assert not second_factors.uses_recovery_code(tx, anna, codes[0][:-1], NOW)
        assert second_factors.uses_recovery_code(tx, anna, written, NOW)
        assert not second_factors.uses_recovery_code(tx, anna, codes[0], NOW)
        newer = second_factors.new_recovery_codes(tx, anna)
        assert not second_factors.uses_recovery_code(tx, anna, codes[1], NOW)
        assert second_factors.uses_recovery_code(tx, anna, newer[1], NOW)


def test_secrets_go_under_the_new_master_key(database: Database, keyring: Keyring, anna: UUID, secret: str) -> None:
    rotated = keyring.rotated()
    with database.begin() as tx:
        assert second_factors.rewrap_secrets(tx, rotated) == 1
        assert second_factors.rewrap_secrets(tx, rotated) == 0
    newest = Keyring({rotated.version: rotated.masters[rotated.version]}, rotated.index_root)
    with database.begin() as tx:
        assert second_factors.uses_totp(tx, newest, anna, code_at(secret, NOW), NOW)


def set_up(browser: Any) -> tuple[str, list[str]]:
    """An app and recovery codes for whoever is signed in."""
    secret = browser.post("/api/totp").json()["secret"]
    answer = browser.post("/api/totp/confirm", {"code": code_at(secret, datetime.now(UTC))})
    assert answer.status_code == 200, answer.text
    browser.learn()
    return secret, answer.json()["recovery_codes"]


def test_the_password_alone_is_not_enough(owner: Any, new_browser: Callable[..., Any]) -> None:
    secret, codes = set_up(owner)
    assert owner.learn()["second_factors"] == ["totp", "recovery"]
    browser = new_browser()
    assert browser.sign_in("owner@brand.cn").json() == {"state": "second_factor", "methods": ["totp", "recovery"]}
    assert browser.get("/api/session").status_code == 401
    assert browser.get("/api/users").status_code == 401
    wrong = browser.post("/api/session/second", {"method": "totp", "code": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "access.wrong_code")
    before = {cookie.name: cookie.value for cookie in browser.cookies.jar}
    # The next one, since the one of now has been used; whenever the step changes, both are good.
    right = browser.post("/api/session/second", {"method": "totp", "code": code_at(secret, datetime.now(UTC) + STEP)})
    assert right.json() == {"state": "signed_in", "methods": []}
    after = {cookie.name: cookie.value for cookie in browser.cookies.jar}
    assert before["shuke_session"] != after["shuke_session"]
    assert browser.get("/api/session").status_code == 200
    again = browser.post("/api/session/second", {"method": "recovery", "code": codes[0]})
    assert again.json()["code"] == "access.no_second_factor_due"
    browser = new_browser()
    browser.sign_in("owner@brand.cn")
    assert browser.post("/api/session/second", {"method": "recovery", "code": codes[0]}).status_code == 200
    browser = new_browser()
    browser.sign_in("owner@brand.cn")
    assert browser.post("/api/session/second", {"method": "recovery", "code": codes[0]}).status_code == 403


def test_another_way_to_come_in_ends_all_other_sessions(owner: Any, new_browser: Callable[..., Any]) -> None:
    elsewhere = new_browser()
    elsewhere.sign_in("owner@brand.cn")
    set_up(owner)
    assert elsewhere.get("/api/session").status_code == 401
    assert owner.get("/api/session").status_code == 200


def test_codes_are_slow_to_guess(owner: Any, new_browser: Callable[..., Any]) -> None:
    set_up(owner)
    told = []
    for number in range(7):
        # The password is known, and each guess begins anew, from elsewhere.
        thief = new_browser(address=f"192.0.2.{number}")
        thief.sign_in("owner@brand.cn")
        told.append(thief.post("/api/session/second", {"method": "totp", "code": f"{number:06}"}).status_code)
    assert told == [403] * 5 + [429] * 2


def test_taking_it_away_needs_a_fresh_sign_in(owner: Any, long_ago: Callable[[], None]) -> None:
    set_up(owner)
    long_ago()
    for method, path in (("DELETE", "/api/totp"), ("POST", "/api/recovery-codes"), ("POST", "/api/passkeys/options")):
        refused = owner(method, path)
        assert (refused.status_code, refused.json()["code"]) == (403, "access.sign_in_again"), path
    assert owner.learn()["second_factors"] == ["totp", "recovery"]


def test_without_it_the_password_is_enough_again(
    owner: Any, workplace: Workplace, new_browser: Callable[..., Any]
) -> None:
    set_up(owner)
    assert owner.delete("/api/totp").status_code == 204
    owner.learn()
    assert owner.delete("/api/totp").status_code == 404
    assert owner.post("/api/recovery-codes").json()["code"] == "access.no_second_factor"
    assert new_browser().sign_in("owner@brand.cn").json()["state"] == "signed_in"
    with workplace.database.read() as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM recovery_codes")).scalar_one() == 0
