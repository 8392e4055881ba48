"""The queue of background jobs, which is Procrastinate's."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Procrastinate's own statements, of the release that is locked."""
    # Past SQLAlchemy, which would take the percent signs for placeholders.
    op.get_bind().connection.driver_connection.execute(SchemaManager.get_schema())


def downgrade() -> None:
    """Drop everything of that name; jobs that wait are lost."""
    op.execute(
        """
        DO $$
        DECLARE
            here regnamespace := current_schema()::regnamespace;
            one text;
        BEGIN
            FOR one IN SELECT format('TABLE %s', oid::regclass) FROM pg_class
                WHERE relname LIKE 'procrastinate\\_%' AND relkind = 'r' AND relnamespace = here
            LOOP EXECUTE format('DROP %s CASCADE', one); END LOOP;
            FOR one IN SELECT format('FUNCTION %s', oid::regprocedure) FROM pg_proc
                WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = here
            LOOP EXECUTE format('DROP %s CASCADE', one); END LOOP;
            FOR one IN SELECT format('TYPE %s', oid::regtype) FROM pg_type
                WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c') AND typnamespace = here
            LOOP EXECUTE format('DROP %s CASCADE', one); END LOOP;
        END $$
        """
    )
