"""What segments follow: who was touched, how far they have followed, and of whom time alone will change the answer."""

from alembic import op

revision = "0016"
down_revision = "0015"

# By table: whom a row touches that was inserted, changed, or deleted; None where that is not watched. What comes with a
# fact on the timeline is found by the fact.
TOUCHING: dict[str, tuple[str | None, str | None, str | None]] = {
    "customers": (
        "SELECT customer_id FROM new_rows",
        """
        SELECT unnest(ARRAY[n.customer_id, n.merged_into, o.merged_into])
        FROM new_rows n JOIN old_rows o USING (customer_id)
        WHERE (n.attributes, n.merged_into, n.erased_at) IS DISTINCT FROM (o.attributes, o.merged_into, o.erased_at)
        """,
        None,
    ),
    "identities": (
        "SELECT customer_id FROM new_rows",
        """
        SELECT unnest(ARRAY[n.customer_id, o.customer_id]) FROM new_rows n JOIN old_rows o USING (identity_id)
        WHERE n.customer_id <> o.customer_id
        """,
        "SELECT customer_id FROM old_rows",
    ),
    "tags": tuple(f"SELECT customer_id FROM {rows}" for rows in ("new_rows", "new_rows", "old_rows")),  # type: ignore[dict-item] # three  # noqa: S608 - names are ours
    "consent_events": ("SELECT customer_id FROM new_rows", None, None),
    # A new order comes with its fact; one that is stated anew does not always.
    "orders": (
        None,
        """
        SELECT i.customer_id FROM (SELECT identity_id FROM new_rows UNION SELECT identity_id FROM old_rows) o
        JOIN identities i USING (identity_id)
        """,
        None,
    ),
    "segment_list_members": ("SELECT customer_id FROM new_rows", None, "SELECT customer_id FROM old_rows"),
}
EVENTS = (
    ("inserted", "INSERT", "NEW TABLE AS new_rows"),
    ("updated", "UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    ("deleted", "DELETE", "OLD TABLE AS old_rows"),
)


def upgrade() -> None:
    """Make them, and the triggers that note whom a change touches."""
    op.execute(
        """
        CREATE TABLE segment_touched (
            customer_id uuid NOT NULL,
            written_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
            at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX ix_segment_touched_written_in ON segment_touched (written_in);
        -- The owner of the tables alone reads what is only noted here.
        SELECT limit_to_scope('segment_touched', 'false', 'false', 'SELECT');

        -- One row: what has been followed is what this snapshot sees; what time alone changes is known until then.
        CREATE TABLE segment_follow (
            only_one boolean NOT NULL DEFAULT true,
            seen text NOT NULL,
            at timestamptz NOT NULL,
            until timestamptz NOT NULL,
            CONSTRAINT pk_segment_follow PRIMARY KEY (only_one),
            CONSTRAINT ck_segment_follow_only_one CHECK (only_one)
        );

        -- Who is to be asked again, and when: at once for what happened, at a later moment for time that will pass.
        CREATE TABLE segment_dues (
            customer_id uuid NOT NULL,
            due_at timestamptz NOT NULL,
            why text NOT NULL,
            CONSTRAINT ck_segment_dues_why CHECK (why IN ('facts', 'time'))
        );
        CREATE INDEX ix_segment_dues_due_at ON segment_dues (due_at);
        CREATE INDEX ix_segment_dues_customer_id ON segment_dues (customer_id);
        SELECT limit_to_scope('segment_dues', 'false', 'false', 'SELECT');

        ALTER TABLE segment_changes DROP CONSTRAINT ck_segment_changes_why;
        ALTER TABLE segment_changes
            ADD CONSTRAINT ck_segment_changes_why CHECK (why IN ('definition', 'facts', 'time'));
        """
    )
    for table, found in TOUCHING.items():
        for (name, event, rows), whom in zip(EVENTS, found, strict=True):
            if whom is not None:
                _note(table, name, event, rows, whom)


def _note(table: str, name: str, event: str, rows: str, whom: str) -> None:
    # Whoever may change one customer may not see all that the change touches: the owner of the tables notes it.
    op.execute(
        f"""
        CREATE FUNCTION note_{name}_{table}_for_segments() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
        BEGIN
            INSERT INTO segment_touched (customer_id)
            SELECT DISTINCT customer_id FROM ({whom}) AS touched (customer_id) WHERE customer_id IS NOT NULL;
            RETURN NULL;
        END $$;
        CREATE TRIGGER {name}_for_segments AFTER {event} ON {table} REFERENCING {rows}
            FOR EACH STATEMENT EXECUTE FUNCTION note_{name}_{table}_for_segments();
        """  # noqa: S608 - names are those above
    )


def downgrade() -> None:
    """Drop them; members are brought up to date by builds alone again."""
    for table, found in TOUCHING.items():
        for (name, _, _), whom in zip(EVENTS, found, strict=True):
            if whom is not None:
                op.execute(f"DROP TRIGGER {name}_for_segments ON {table}")
                op.execute(f"DROP FUNCTION note_{name}_{table}_for_segments()")
    op.execute(
        """
        UPDATE segment_changes SET why = 'facts' WHERE why = 'time';
        ALTER TABLE segment_changes DROP CONSTRAINT ck_segment_changes_why;
        ALTER TABLE segment_changes ADD CONSTRAINT ck_segment_changes_why CHECK (why IN ('definition', 'facts'));
        DROP TABLE segment_touched, segment_follow, segment_dues;
        """
    )
