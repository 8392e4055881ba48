from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from shuke import privacy
from shuke.base.errors import BadInput, Conflict, NotAvailable
from shuke.base.ids import new_id
from shuke.platform import Database, Keyring, Transaction

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def test_what_was_written_is_read(database: Database, keyring: Keyring) -> None:
    anna, ben = new_id(), new_id()
    with database.begin() as tx:
        privacy.write_fields(tx, keyring, anna, {"name": "王小明", "city": "杭州"}, NOW)
        assert privacy.write_many(tx, keyring, [(ben, "name", "李雷"), (anna, "name", "王晓明")], NOW) == frozenset()
        assert privacy.read_fields(tx, keyring, [anna, ben, new_id()]) == {
            anna: {"name": "王晓明", "city": "杭州"},
            ben: {"name": "李雷"},
        }
        assert privacy.read_fields(tx, keyring, [anna, ben], ["city"]) == {anna: {"city": "杭州"}}


def test_the_erased_read_as_nothing_for_ever(database: Database, keyring: Keyring) -> None:
    anna = new_id()
    with database.begin() as tx:
        privacy.write_fields(tx, keyring, anna, {"name": "王小明"}, NOW)
        privacy.erase(tx, anna, NOW)
        privacy.erase(tx, anna, NOW)
        assert privacy.read_fields(tx, keyring, [anna]) == {}
        assert privacy.write_many(tx, keyring, [(anna, "name", "王小明")], NOW) == {anna}
        with pytest.raises(Conflict, match="erased"):
            privacy.write_fields(tx, keyring, anna, {"name": "王小明"}, NOW)
        assert tx.scalar(sa.text("SELECT count(*) FROM vault")) == 0


def test_the_latest_of_a_field_counts_and_prefixes_select(database: Database, keyring: Keyring) -> None:
    anna = new_id()
    with database.begin() as tx:
        values = [(anna, "a:1", "x"), (anna, "a:1", "y"), (anna, "a:é", "z"), (anna, "b:1", "w"), (anna, "a;", "v")]
        privacy.write_many(tx, keyring, values, NOW)
        assert privacy.read_fields(tx, keyring, [anna], prefixes=["a:"]) == {anna: {"a:1": "y", "a:é": "z"}}
        assert privacy.read_fields(tx, keyring, [anna], prefixes=["a:", "b:"])[anna].keys() == {"a:1", "a:é", "b:1"}
        privacy.erase_fields(tx, [anna], ["a:1"])
        assert privacy.read_fields(tx, keyring, [anna], ["a:1", "b:1"]) == {anna: {"b:1": "w"}}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vault SET person_id = :other WHERE person_id = :anna AND field = 'name'",
        "UPDATE vault SET field = 'nickname' WHERE person_id = :anna AND field = 'name'",
        "UPDATE vault SET cipher = (SELECT cipher FROM vault WHERE person_id = :other) WHERE person_id = :anna",
    ],
)
def test_a_value_opens_in_its_place_only(database: Database, keyring: Keyring, statement: str) -> None:
    anna, other = new_id(), new_id()
    with database.begin() as tx:
        privacy.write_many(tx, keyring, [(anna, "name", "王小明"), (other, "city", "杭州")], NOW)
        tx.execute(sa.text(statement), {"anna": anna, "other": other})
        with pytest.raises(NotAvailable, match="does_not_open"):
            privacy.read_fields(tx, keyring, [anna, other])


def test_two_writers_of_one_person_make_one_key(database: Database, keyring: Keyring) -> None:
    persons = [new_id() for _ in range(50)]

    def write(number: int) -> None:
        with database.begin() as tx:
            order = persons if number % 2 else persons[::-1]
            privacy.write_many(tx, keyring, [(person, f"field {number}", "x") for person in order], NOW)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(write, range(12)))
    with database.read() as tx:
        read = privacy.read_fields(tx, keyring, persons)
    assert all(len(fields) == 12 for fields in read.values())
    assert read.keys() == set(persons)


def test_keys_are_rewrapped_in_batches_and_values_stay(database: Database, keyring: Keyring) -> None:
    persons = [new_id() for _ in range(25)]
    with database.begin() as tx:
        privacy.write_many(tx, keyring, [(person, "name", f"王 {person}") for person in persons], NOW)
        privacy.erase(tx, persons[0], NOW)
        before = tx.execute(sa.text("SELECT person_id, cipher FROM vault ORDER BY 1")).all()
    rotated = keyring.rotated()
    seen = []
    while not seen or seen[-1].remaining:
        with database.begin() as tx:
            seen.append(privacy.rewrap(tx, rotated, 10))
            # In the middle, all can be read, whatever master key they are under.
            assert len(privacy.read_fields(tx, rotated, persons)) == 24
    assert [(one.done, one.remaining) for one in seen] == [(10, 14), (10, 4), (4, 0)]
    with database.begin() as tx:
        assert privacy.rewrap(tx, rotated, 10) == privacy.Rewrapped(0, 0)
        assert tx.execute(sa.text("SELECT person_id, cipher FROM vault ORDER BY 1")).all() == before
        only_new = Keyring({2: rotated.masters[2]}, rotated.index_root)
        assert len(privacy.read_fields(tx, only_new, persons)) == 24
        with pytest.raises(NotAvailable, match="no_master_key_version"):
            privacy.read_fields(tx, keyring, persons)


def test_limits(database: Database, keyring: Keyring) -> None:
    anna = new_id()
    with database.begin() as tx:
        with pytest.raises(BadInput, match="too_long"):
            privacy.write_fields(tx, keyring, anna, {"note": "x" * 20_001}, NOW)
        with pytest.raises(BadInput, match="too_many"):
            privacy.write_many(tx, keyring, ((anna, str(number), "") for number in range(50_001)), NOW)
        with pytest.raises(BadInput, match="too_many"):
            privacy.read_fields(tx, keyring, [new_id() for _ in range(10_001)])
        with pytest.raises(BadInput, match="too_many"):
            privacy.rewrap(tx, keyring, 0)
        assert tx.scalar(sa.text("SELECT count(*) FROM person_keys")) == 0


def erasure_holds(database: Database, keyring: Keyring) -> None:
    """Neither the database of now nor ciphers that were copied before the erasure give anything back."""
    anna = new_id()
    with database.begin() as tx:
        privacy.write_fields(tx, keyring, anna, {"name": "王小明"}, NOW)
        tx.execute(sa.text("CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM vault"))
        privacy.erase(tx, anna, NOW)
        assert privacy.read_fields(tx, keyring, [anna]) == {}
        # Somebody who can write to the database puts the ciphers back.
        tx.execute(sa.text("INSERT INTO vault SELECT * FROM kept"))
        assert privacy.read_fields(tx, keyring, [anna]) == {}
        assert tx.scalar(sa.text("SELECT wrapped FROM person_keys WHERE person_id = :anna"), {"anna": anna}) is None


def test_an_erasure_holds_though_ciphers_come_back(database: Database, keyring: Keyring) -> None:
    erasure_holds(database, keyring)


def test_an_erasure_that_keeps_the_key_is_noticed(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: values are deleted, and the key stays."""

    def only_values(tx: Transaction, person_id: UUID, _: datetime) -> None:
        tx.execute(sa.text("DELETE FROM vault WHERE person_id = :person"), {"person": person_id})

    monkeypatch.setattr(privacy, "erase", only_values)
    with pytest.raises(AssertionError):
        erasure_holds(database, keyring)
