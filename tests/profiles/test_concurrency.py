"""Workers that resolve the same ids at the same time make no doubles, and come to what one alone comes to."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from shuke import profiles
from shuke.platform import Database, Keyring, Transaction
from shuke.profiles.rules.resolution import Key, Known
from shuke.profiles.service import resolving

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
WORKERS = 6
PERSONS = 40

Messages = list[list[tuple[str, str]]]


def shared_messages() -> Messages:
    """Each person has four ids of different kinds, which their messages show by twos; everybody sends all of them."""
    pairs = []
    for person in range(PERSONS):
        names = [(kind, f"{kind} {person}") for kind in ("user_id", "unionid", "device", "anonymous_id")]
        pairs += [[names[0], names[1]], [names[2], names[3]], [names[1], names[3]], [names[0], names[2]]]
    return pairs


def resolve_at_once(database: Database, keyring: Keyring, batch: int = 8) -> None:
    def work(number: int) -> None:
        mine = shared_messages()
        random.Random(number).shuffle(mine)  # noqa: S311 - not for secrets
        for start in range(0, len(mine), batch):
            with database.begin() as tx:
                found = profiles.resolve(tx, keyring, mine[start : start + batch], NOW)
                assert all(found)

    with ThreadPoolExecutor(WORKERS) as workers:
        list(workers.map(work, range(WORKERS)))


def check(database: Database) -> None:
    """Forty persons, four identities each; all others are merged into one of them; nothing is lost in the vault."""
    with database.read() as tx:
        one_each = tx.execute(sa.text("SELECT customer_id, count(*) FROM identities GROUP BY 1")).all()
        standing, merged = tx.execute(
            sa.text(
                "SELECT count(*) FILTER (WHERE merged_into IS NULL), count(*) FILTER (WHERE merged_into IS NOT NULL)"
                " FROM customers"
            )
        ).one()
        edges = tx.scalar(sa.text("SELECT count(*) FROM merges WHERE undone_at IS NULL"))
        values = tx.scalar(sa.text("SELECT count(*) FROM vault"))
        stray = tx.scalar(
            sa.text(
                "SELECT count(*) FROM identities i JOIN customers c ON c.customer_id = i.attached_to"
                " WHERE coalesce(c.merged_into, c.customer_id) <> i.customer_id"
            )
        )
    assert sorted(count for _, count in one_each) == [4] * PERSONS
    assert (standing, merged, values, stray) == (PERSONS, edges, 4 * PERSONS, 0)


def test_workers_at_once_make_no_doubles(database: Database, keyring: Keyring) -> None:
    resolve_at_once(database, keyring)
    check(database)


def show_at_once(database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Two show that two customers are one. Each waits after reading until both have read, ``seconds`` at most."""
    pair = [("user_id", "u1"), ("device", "d1")]
    with database.begin() as tx:
        profiles.resolve(tx, keyring, [[one] for one in pair], NOW)
    read: Callable[..., Known] = resolving._known
    met = threading.Barrier(2)

    def slow(*arguments: object) -> Known:
        known = read(*arguments)
        with suppress(threading.BrokenBarrierError):
            met.wait(seconds)
        return known

    monkeypatch.setattr(resolving, "_known", slow)

    def work(_: int) -> None:
        with database.begin() as tx:
            assert all(profiles.resolve(tx, keyring, [pair], NOW))

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(work, range(2)))
    with database.read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM merges")) == 1
        assert tx.scalar(sa.text("SELECT count(*) FROM customers WHERE merged_into IS NULL")) == 1


def test_of_two_merges_at_once_there_is_one(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_at_once(database, keyring, monkeypatch, seconds=0.3)


def test_without_locks_there_are_two(database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what was read first is believed, and nobody keeps others from changing it."""
    monkeypatch.setattr(resolving, "lock_customers", lambda *_: nullcontext())
    # Either the state is wrong, or the database itself refuses a second merge of one customer.
    with pytest.raises((AssertionError, sa.exc.IntegrityError)):
        show_at_once(database, keyring, monkeypatch, seconds=20)


def cross(database: Database, keyring: Keyring, run: Callable[[Callable[[Transaction], None]], None]) -> None:
    """Two give a new identity each to a customer of theirs, and then an attribute to the customer of the other."""
    names = ("u1", "u2")
    with database.begin() as tx:
        found = profiles.resolve(tx, keyring, [[("user_id", name)] for name in names], NOW)
    customers = [one.customer_id for one in found if one is not None]
    met = threading.Barrier(2)

    def work(number: int) -> None:
        first_time = [True]

        def both(tx: Transaction) -> None:
            tx.execute(sa.text("SET LOCAL deadlock_timeout = '20ms'"))
            profiles.resolve(tx, keyring, [[("user_id", names[number]), ("device", names[number])]], NOW)
            if first_time:
                first_time.clear()
                met.wait(20)
            profiles.set_attributes(tx, keyring, [(customers[1 - number], {"language": names[number]})], NOW)

        run(both)

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(work, range(2)))
    with database.read() as tx:
        assert all(profiles.find(tx, keyring, "device", name) for name in names)
        said = tx.scalars(sa.text("SELECT attributes->>'language' FROM customers ORDER BY customer_id"))
        assert list(said) == ["u2", "u1"]


def test_who_loses_against_another_begins_anew(database: Database, keyring: Keyring) -> None:
    cross(database, keyring, database.run)


def test_a_deadlock_is_one_without_that(database: Database, keyring: Keyring) -> None:
    """Planted: whoever is ended by the database gives up."""

    def once(work: Callable[[Transaction], None]) -> None:
        with database.begin() as tx:
            work(tx)

    with pytest.raises(sa.exc.OperationalError, match="deadlock"):
        cross(database, keyring, once)


def test_a_batch_is_tried_again_when_somebody_was_first(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Callable[..., Known] = resolving._known
    others: list[Key] = []

    def overtaken(*arguments: object) -> Known:
        known = read(*arguments)
        if not others:
            others.append(("user_id", b""))
            with database.begin() as other:
                profiles.resolve(other, keyring, [[("user_id", "u1"), ("device", "d1")]], NOW)
        return known

    monkeypatch.setattr(resolving, "_known", overtaken)
    with database.begin() as tx:
        (mine,) = profiles.resolve(tx, keyring, [[("user_id", "u1"), ("anonymous_id", "a1")]], NOW)
    assert mine is not None
    with database.read() as tx:
        assert profiles.find(tx, keyring, "device", "d1") == mine.customer_id
        assert tx.scalar(sa.text("SELECT count(*) FROM customers")) == 1
