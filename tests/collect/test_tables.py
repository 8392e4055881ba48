"""The tables that the code knows are those that the migrations made, and the timeline has its months."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from shuke.collect import tables
from shuke.platform import Database

TABLES = [getattr(tables, name) for name in tables.__all__]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_is_as_it_was_migrated(table: sa.Table, database: Database) -> None:
    with database.read() as tx:
        inspector = sa.inspect(tx)
        found = {
            column["name"]: (column["type"].compile(tx.dialect), column["nullable"])
            for column in inspector.get_columns(table.name)
        }
        keys = inspector.get_pk_constraint(table.name)["constrained_columns"]
        declared = {column.name: (column.type.compile(tx.dialect), column.nullable) for column in table.columns}
    assert list(found.items()) == list(declared.items())
    assert set(keys) == {column.name for column in table.primary_key}


def test_months_are_made_once_and_take_facts(database: Database) -> None:
    make = sa.text("SELECT make_fact_months(:first, :last)")
    span = {"first": datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), "last": datetime(2027, 2, 1, tzinfo=UTC)}
    with database.begin() as tx:
        assert tx.scalar(make, span) == 4
        assert tx.scalar(make, span) == 0
        tx.execute(
            sa.text(
                "INSERT INTO facts (fact_id, occurred_at, received_at, kind)"
                " SELECT gen_random_uuid(), at, at, 'track' FROM unnest(CAST(:at AS timestamptz[])) AS at"
            ),
            {"at": list(span.values())},
        )
        placed = tx.execute(sa.text("SELECT tableoid::regclass::text FROM facts ORDER BY occurred_at")).scalars().all()
        indexed = tx.scalar(
            sa.text("SELECT count(*) FROM pg_indexes WHERE tablename = 'facts_2027_02' AND indexdef LIKE '%fact_id%'")
        )
    assert placed == ["facts_2026_11", "facts_2027_02"]
    # The timeline's index and the primary key come with the month.
    assert indexed == 2
