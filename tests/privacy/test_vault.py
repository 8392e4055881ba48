from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from shuke import privacy
from shuke.base.errors import Conflict
from shuke.base.ids import new_id
from shuke.platform import Database, Keyring

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
        with pytest.raises(Conflict, match="privacy.erased"):
            privacy.write_fields(tx, keyring, anna, {"name": "王小明"}, NOW)
        assert tx.scalar(sa.text("SELECT count(*) FROM vault")) == 0
