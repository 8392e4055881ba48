import pytest
import sqlalchemy as sa

from shuke.platform import Blueprint, Database, Workplace, defer, migrate, revision_expected, revision_found

pytestmark = pytest.mark.oldest

tasks = Blueprint()


@tasks.task(name="test:nothing")
def nothing() -> None:
    """A task that is only ever queued here."""


def test_migrations_go_up_and_down(database: Database) -> None:
    assert revision_found(database) == revision_expected()
    assert not migrate(database)
    assert migrate(database, to="base")
    with database.read() as transaction:
        left = transaction.scalars(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        functions = transaction.scalar(
            sa.text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        )
    assert left == ["alembic_version"]
    assert functions == 0
    assert migrate(database)
    assert revision_found(database) == revision_expected()


def test_a_job_is_queued_with_the_transaction_and_once(workplace: Workplace) -> None:
    def waiting() -> int:
        with workplace.database.read() as transaction:
            return transaction.scalar(sa.text("SELECT count(*) FROM procrastinate_jobs")) or 0

    with pytest.raises(RuntimeError), workplace.database.begin() as transaction:  # noqa: PT012 - what rolls back
        assert defer(transaction, nothing)
        raise RuntimeError
    assert waiting() == 0
    with workplace.database.begin() as transaction:
        assert defer(transaction, nothing, once="one", number=7)
        assert not defer(transaction, nothing, once="one")
        # The transaction is still good after the refusal.
        assert defer(transaction, nothing)
    assert waiting() == 2
