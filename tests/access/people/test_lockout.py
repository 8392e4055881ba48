"""Guessing is slow, whoever guesses, and nobody is locked out for good."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from shuke.access.rules.lockout import ACCOUNT, ADDRESS, SECOND, Attempts, Pace, after_another, after_success
from shuke.access.service import attempts
from shuke.base.errors import TooOften
from shuke.platform import Database, Keyring

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
SECOND_ = timedelta(seconds=1)


def test_the_wait_grows_and_ends() -> None:
    waits = [ACCOUNT.wait(failures).total_seconds() for failures in range(14)]
    assert waits == [0, 0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900, 900]
    for pace in (ACCOUNT, ADDRESS, SECOND):
        assert pace.wait(10_000).total_seconds() == pace.seconds_max <= 900


def test_failures_count_until_a_day_without_any() -> None:
    pace = Pace(free=2, first_seconds=10, seconds_max=60)
    known = Attempts(0, NOW, NOW)
    for _ in range(2):
        counted = after_another(known, pace, NOW)
        assert counted is not None
        known = counted
    assert known == Attempts(2, NOW, NOW + 10 * SECOND_)
    assert after_another(known, pace, NOW + 9 * SECOND_) is None
    assert after_another(known, pace, NOW + 10 * SECOND_) == Attempts(3, NOW + 10 * SECOND_, NOW + 30 * SECOND_)
    tomorrow = NOW + timedelta(days=1)
    assert after_another(known, pace, tomorrow) == Attempts(1, tomorrow, tomorrow)
    assert after_success(known) == Attempts(1, NOW, NOW)


def tried(database: Database, keyring: Keyring, now: datetime, **what: str) -> float | None:
    """How long to wait; None when the attempt may be made."""
    tries = attempts.tries_at(keyring, **{"address": "192.0.2.1", **what})
    try:
        with database.begin() as tx:
            attempts.count_attempt(tx, tries, now)
    except TooOften as refused:
        return float(refused.values["seconds"])
    return None


def test_an_account_is_tried_slowly_from_everywhere(database: Database, keyring: Keyring) -> None:
    """From another address each time, which is what many machines at once look like."""
    let_through, now = 0, NOW
    for second in range(0, 3600, 15):
        now = NOW + second * SECOND_
        let_through += tried(database, keyring, now, account="anna@brand.cn", address=f"192.0.2.{second}") is None
    assert let_through == 13


def test_an_attempt_that_is_too_early_makes_nobody_wait_longer(database: Database, keyring: Keyring) -> None:
    """So whoever keeps trying does not keep the owner out for ever."""
    for _ in range(5):
        assert tried(database, keyring, NOW, account="anna@brand.cn") is None
    for second in range(15):
        wait = tried(database, keyring, NOW + second * SECOND_, account="anna@brand.cn")
        assert wait == pytest.approx(16 - second)
    assert tried(database, keyring, NOW + 15 * SECOND_, account="anna@brand.cn") is None


def test_the_browser_of_the_owner_does_not_wait_for_others(database: Database, keyring: Keyring) -> None:
    for number in range(9):
        tried(database, keyring, NOW, account="anna@brand.cn", address=f"192.0.2.{number}")
    assert tried(database, keyring, NOW, account="anna@brand.cn", address="198.51.100.7")
    assert tried(database, keyring, NOW, account="anna@brand.cn", address="198.51.100.7", browser="b1") is None


def test_success_forgets_the_account_and_not_the_address(database: Database, keyring: Keyring) -> None:
    for number in range(60):
        tried(database, keyring, NOW, account=f"nobody{number}@brand.cn")
    assert tried(database, keyring, NOW, account="anna@brand.cn")
    later = NOW + 5 * SECOND_
    assert tried(database, keyring, later, account="anna@brand.cn") is None
    with database.begin() as tx:
        attempts.forgive(tx, attempts.tries_at(keyring, address="192.0.2.1", account="anna@brand.cn"), later)
        left = tx.execute(sa.text("SELECT max(failures) FROM attempts")).scalar_one()
        count = tx.execute(sa.text("SELECT count(*) FROM attempts")).scalar_one()
    # One address, and the fifty accounts that it tried before it had to wait.
    assert (left, count) == (50, 51)


def test_what_is_counted_names_nobody(database: Database, keyring: Keyring) -> None:
    tried(database, keyring, NOW, account="anna@brand.cn")
    with database.read() as tx:
        kept = str(tx.execute(sa.text("SELECT attempts::text FROM attempts")).all())
    assert b"anna".hex() not in kept
    assert "192.0.2.1" not in kept
    with database.begin() as tx:
        assert attempts.forget_attempts(tx, NOW + timedelta(days=1)) == 0
        assert attempts.forget_attempts(tx, NOW + timedelta(days=1) + SECOND_) == 2


def let_through_at_once(database: Database, keyring: Keyring) -> int:
    """How many of thirty attempts at the same moment may be made."""
    start = threading.Barrier(10)

    def attempt(number: int) -> bool:
        if number < 10:
            start.wait(10)
        return tried(database, keyring, NOW, account="anna@brand.cn", address=f"192.0.2.{number}") is None

    with ThreadPoolExecutor(10) as workers:
        return sum(workers.map(attempt, range(30)))


def test_many_at_once_get_no_more_attempts_than_one_by_one(database: Database, keyring: Keyring) -> None:
    assert let_through_at_once(database, keyring) == 5


def test_counting_without_a_lock_is_noticed(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: everybody reads the count before anybody writes it."""
    read = threading.Barrier(10)
    locked: Callable[..., dict[bytes, Attempts]] = attempts._locked

    def unlocked(tx: sa.Connection, tries: attempts.Tries, now: datetime) -> dict[bytes, Attempts]:
        rows = tx.execute(sa.text("SELECT * FROM attempts")).all()
        known = {bytes(row.bucket): Attempts(row.failures, row.last_at, row.free_at) for row in rows}
        with contextlib.suppress(threading.BrokenBarrierError):
            read.wait(2)
        locked(tx, tries, now)
        return {bucket: known.get(bucket, Attempts(0, now, now)) for bucket in tries}

    monkeypatch.setattr(attempts, "_locked", unlocked)
    assert let_through_at_once(database, keyring) > 5
