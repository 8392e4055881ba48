from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.platform import Database, among, array

# The null character has no place in a text of PostgreSQL's, nor has half of a surrogate pair.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
ONE_DATABASE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ONE_DATABASE
@given(values=st.lists(st.none() | texts))
def test_texts_come_back(database: Database, values: list[str | None]) -> None:
    with database.read() as tx:
        assert tx.scalar(sa.text("SELECT CAST(:it AS text[])"), {"it": array(values)}) == values


@ONE_DATABASE
@given(values=st.lists(st.binary()))
def test_bytes_come_back(database: Database, values: list[bytes]) -> None:
    with database.read() as tx:
        back = tx.scalar(sa.text("SELECT CAST(:it AS bytea[])"), {"it": array(values)})
    assert [bytes(value) for value in back or ()] == values


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("uuid", [UUID(int=0), None, uuid4()]),
        ("bigint", [1, -(2**63), None]),
        ("timestamptz", [datetime(2026, 11, 22, 6, 0, 0, 123456, tzinfo=UTC), None]),
        ("jsonb", []),
    ],
)
def test_others_come_back(database: Database, type_: str, values: list[object]) -> None:
    with database.read() as tx:
        assert tx.scalar(sa.text(f"SELECT CAST(:it AS {type_}[])"), {"it": array(values)}) == values  # type: ignore[arg-type]  # any of them


def test_among(database: Database) -> None:
    one, other = uuid4(), uuid4()
    with database.read() as tx:
        assert tx.scalar(sa.select(sa.cast(one, sa.Uuid) == among("uuid", [one, other]))) is True
        assert tx.scalar(sa.select(sa.cast(one, sa.Uuid) == among("uuid", [other]))) is False
        assert tx.scalar(sa.select(sa.literal('a"\\,{}') == among("text", ["b", 'a"\\,{}']))) is True
        assert tx.scalar(sa.select(sa.literal(7) == among("bigint", ()))) is False
