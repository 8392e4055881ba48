from datetime import UTC, datetime

import pytest

from shuke import profiles
from shuke.platform import Database, Keyring

pytestmark = pytest.mark.oldest

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def test_create_attach_and_merge(database: Database, keyring: Keyring) -> None:
    with database.begin() as tx:
        first, second, third, none = profiles.resolve(
            tx,
            keyring,
            [
                [("anonymous_id", "a1")],
                [("user_id", "u1"), ("email", "Anna@Example.com")],
                [("anonymous_id", "a1"), ("email", "anna@example.com")],
                [("user_id", "null"), ("phone", "0000")],
            ],
            NOW,
        )
        assert none is None
        assert first is not None
        assert second is not None
        assert third is not None
        assert first.customer_id == second.customer_id == third.customer_id
        (again,) = profiles.resolve(tx, keyring, [[("user_id", "ｕ１ ")]], NOW)
        assert again == second
        assert profiles.find(tx, keyring, "anonymous_id", "a1") == first.customer_id
        (merge,) = profiles.merges_of(tx, first.customer_id)
        profiles.unmerge(tx, merge.merge_id, NOW)
        assert profiles.find(tx, keyring, "anonymous_id", "a1") != profiles.find(tx, keyring, "user_id", "u1")
