"""The day of the year of dates in the vault, under a number that says which only with the keys; who changes touches."""

from alembic import op

revision = "0018"
down_revision = "0017"

# On each row by its condition: most values are no dates, and rows laid aside for a statement would hold all of them.
TOUCHING = {
    "inserted": ("INSERT", "NEW.day IS NOT NULL", "NEW"),
    "updated": ("UPDATE", "NEW.day IS DISTINCT FROM OLD.day", "NEW"),
    "deleted": ("DELETE", "OLD.day IS NOT NULL", "OLD"),
}


def upgrade() -> None:
    """Make them. Dates that are there get their days by a job, since only it can read them."""
    op.execute(
        """
        ALTER TABLE vault ADD COLUMN day smallint;
        CREATE INDEX ix_vault_day ON vault (person_id) INCLUDE (field, day) WHERE day IS NOT NULL;
        CREATE INDEX ix_vault_without_day ON vault (field)
            WHERE day IS NULL AND terms IS NULL AND field LIKE 'attribute:%';
        """
    )
    for name, (event, condition, row) in TOUCHING.items():
        # Whoever may change one customer may not see what segments note.
        op.execute(
            f"""
            CREATE FUNCTION note_{name}_day_for_segments() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
            BEGIN
                INSERT INTO segment_touched (customer_id) VALUES ({row}.person_id);
                RETURN NULL;
            END $$;
            CREATE TRIGGER {name}_day_for_segments AFTER {event} ON vault FOR EACH ROW WHEN ({condition})
                EXECUTE FUNCTION note_{name}_day_for_segments();
            """  # noqa: S608 - names are those above
        )


def downgrade() -> None:
    """Drop them."""
    for name in TOUCHING:
        op.execute(f"DROP TRIGGER {name}_day_for_segments ON vault")
        op.execute(f"DROP FUNCTION note_{name}_day_for_segments()")
    op.execute("DROP INDEX ix_vault_day, ix_vault_without_day; ALTER TABLE vault DROP COLUMN day")
