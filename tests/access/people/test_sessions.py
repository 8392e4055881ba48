"""Sessions: what a token is good for, and when it is not any more."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from shuke.access import people_tables
from shuke.access.people_model import SESSIONS_MAX, Factor, NewSession, SessionLimits, Way
from shuke.access.service import sessions
from shuke.base.errors import NotFound
from shuke.platform import Database

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
LIMITS = SessionLimits(idle_seconds=3600, seconds_max=86_400)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("name", people_tables.__all__)
def test_a_table_is_as_it_was_migrated(name: str, database: Database) -> None:
    table: sa.Table = getattr(people_tables, name)
    with database.read() as tx:
        found = {
            column["name"]: (re.sub(" COLLATE.*", "", column["type"].compile(tx.dialect)), column["nullable"])
            for column in sa.inspect(tx).get_columns(name)
        }
        declared = {
            column.name: (re.sub(" COLLATE.*", "", column.type.compile(tx.dialect)), column.nullable)
            for column in table.columns
        }
    assert list(found.items()) == list(declared.items())


@pytest.fixture
def anna(add_user: Callable[..., UUID]) -> UUID:
    return add_user("anna@brand.cn")


def begin(database: Database, user_id: UUID, now: datetime = NOW, asks: tuple[Factor, ...] = ()) -> NewSession:
    with database.begin() as tx:
        return sessions.begin_session(
            tx, user_id, ways=[Way.PASSWORD], limits=LIMITS, agent="Mozilla/5.0 (Windows) Chrome/1", now=now, asks=asks
        )


def is_in(database: Database, token: str, now: datetime) -> bool:
    with database.read() as tx:
        return sessions.signed_in(tx, token, now) is not None


def test_a_token_is_a_person(database: Database, anna: UUID) -> None:
    made = begin(database, anna)
    with database.read() as tx:
        found = sessions.signed_in(tx, made.token, NOW)
        assert found is not None
        assert (found.user_id, found.name, found.role, found.places) == (anna, "Anna", "analyst", ())
        assert sessions.signed_in(tx, made.token + "x", NOW) is None
        assert sessions.signed_in(tx, "", NOW) is None
        kept = tx.execute(sa.text("SELECT sessions::text FROM sessions")).scalar_one()
    assert made.token not in kept
    assert "Chrome, Windows" in kept


def test_an_idle_session_ends_and_one_in_use_goes_on_until_it_is_old(database: Database, anna: UUID) -> None:
    idle, used = begin(database, anna), begin(database, anna)
    for hours in range(1, 48):
        now = NOW + hours * HOUR / 2
        with database.begin() as tx:
            assert sessions.signed_in(tx, used.token, now)
            sessions.note_use(tx, used.session_id, now)
        assert is_in(database, idle.token, now) == (hours < 2)
    assert is_in(database, used.token, NOW + 24 * HOUR - timedelta(seconds=1))
    # It was in use a moment ago, and is a day old.
    assert not is_in(database, used.token, NOW + 24 * HOUR)
    with database.begin() as tx:
        assert sessions.forget_sessions(tx, NOW + 24 * HOUR) == 2


def test_use_is_written_down_once_a_minute(database: Database, anna: UUID) -> None:
    made = begin(database, anna)
    for seconds, seen in ((59, 0), (61, 61), (90, 61)):
        with database.begin() as tx:
            sessions.note_use(tx, made.session_id, NOW + timedelta(seconds=seconds))
            (listed,) = sessions.list_sessions(tx, anna, made.session_id, NOW)
        assert listed.seen_at == NOW + timedelta(seconds=seen)


def test_who_has_still_to_show_more_is_not_in(database: Database, anna: UUID) -> None:
    half = begin(database, anna, asks=(Factor.TOTP,))
    assert not is_in(database, half.token, NOW)
    with database.begin() as tx:
        waits = sessions.waiting_for_second(tx, half.token, NOW + timedelta(minutes=9))
        assert waits is not None
        assert (waits.user_id, waits.ways) == (anna, (Way.PASSWORD,))
        assert sessions.waiting_for_second(tx, half.token, NOW + timedelta(minutes=10)) is None
        assert sessions.list_sessions(tx, anna, None, NOW) == ()
        whole = begin(database, anna)
        assert sessions.waiting_for_second(tx, whole.token, NOW) is None


def test_a_renewed_session_has_another_token_and_no_more_time(database: Database, anna: UUID) -> None:
    made = begin(database, anna)
    with database.begin() as tx:
        renewed = sessions.renew(tx, made.session_id)
        before = tx.execute(sa.text("SELECT csrf_token FROM sessions")).scalar_one()
        renewed = sessions.renew(tx, made.session_id)
        assert tx.execute(sa.text("SELECT csrf_token FROM sessions")).scalar_one() != before
    assert not is_in(database, made.token, NOW)
    assert is_in(database, renewed.token, NOW)
    assert not is_in(database, renewed.token, NOW + 24 * HOUR)
    assert renewed.seconds_max == 86_400


def test_who_is_disabled_is_out_at_once(database: Database, anna: UUID) -> None:
    made = begin(database, anna)
    with database.begin() as tx:
        tx.execute(sa.text("UPDATE users SET disabled_at = :now"), {"now": NOW})
    assert not is_in(database, made.token, NOW)


def test_sessions_are_ended_one_or_all_others(database: Database, anna: UUID, add_user: Callable[..., UUID]) -> None:
    bob = add_user("bob@brand.cn")
    theirs = begin(database, bob)
    mine = [begin(database, anna, NOW + timedelta(seconds=number)) for number in range(3)]
    with database.begin() as tx, pytest.raises(NotFound):
        sessions.end_session(tx, anna, theirs.session_id)
    with database.begin() as tx:
        sessions.end_session(tx, anna, mine[0].session_id)
        sessions.end_sessions(tx, anna, but=mine[2].session_id)
        assert [one.session_id for one in sessions.list_sessions(tx, anna, None, NOW)] == [mine[2].session_id]
    assert is_in(database, theirs.token, NOW)


def test_the_oldest_of_too_many_sessions_ends(database: Database, anna: UUID) -> None:
    made = [begin(database, anna, NOW + timedelta(seconds=number)) for number in range(SESSIONS_MAX + 2)]
    later = NOW + timedelta(minutes=5)
    assert [is_in(database, one.token, later) for one in made] == [False, False] + [True] * SESSIONS_MAX
