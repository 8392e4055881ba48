"""The tables of ``segments``: what they are called, what they say, whom they mean, who entered and left."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make them. Who sees some customers only sees the rows of those, as of every table."""
    op.execute(
        """
        CREATE TABLE segments (
            segment_id uuid NOT NULL,
            name text NOT NULL,
            version integer NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            built_version integer,
            built_at timestamptz,
            customers integer,
            failed text,
            archived_at timestamptz,
            CONSTRAINT pk_segments PRIMARY KEY (segment_id)
        );
        CREATE UNIQUE INDEX uq_segments_name ON segments (name) WHERE archived_at IS NULL;

        CREATE TABLE segment_versions (
            segment_id uuid NOT NULL,
            version integer NOT NULL,
            definition jsonb NOT NULL,
            made_by text NOT NULL,
            made_at timestamptz NOT NULL,
            CONSTRAINT pk_segment_versions PRIMARY KEY (segment_id, version),
            CONSTRAINT fk_segment_versions FOREIGN KEY (segment_id) REFERENCES segments
        );

        -- A customer who has been merged or erased is found by the next build, which takes them out.
        CREATE TABLE segment_members (
            segment_id uuid NOT NULL,
            customer_id uuid NOT NULL,
            since timestamptz NOT NULL,
            CONSTRAINT pk_segment_members PRIMARY KEY (segment_id, customer_id),
            CONSTRAINT fk_segment_members FOREIGN KEY (segment_id) REFERENCES segments
        );
        CREATE INDEX ix_segment_members_customer_id ON segment_members (customer_id);

        CREATE TABLE segment_changes (
            change_id bigint GENERATED ALWAYS AS IDENTITY,
            segment_id uuid NOT NULL,
            customer_id uuid NOT NULL,
            at timestamptz NOT NULL,
            entered boolean NOT NULL,
            version integer NOT NULL,
            why text NOT NULL,
            CONSTRAINT pk_segment_changes PRIMARY KEY (change_id),
            CONSTRAINT fk_segment_changes FOREIGN KEY (segment_id) REFERENCES segments,
            CONSTRAINT ck_segment_changes_why CHECK (why IN ('definition', 'facts'))
        );
        CREATE INDEX ix_segment_changes_segment_id ON segment_changes (segment_id, change_id);
        CREATE INDEX ix_segment_changes_customer_id ON segment_changes (customer_id, change_id);

        CREATE TABLE segment_lists (
            list_id uuid NOT NULL,
            name text NOT NULL,
            made_by text NOT NULL,
            made_at timestamptz NOT NULL,
            CONSTRAINT pk_segment_lists PRIMARY KEY (list_id)
        );
        CREATE TABLE segment_list_members (
            list_id uuid NOT NULL,
            customer_id uuid NOT NULL,
            CONSTRAINT pk_segment_list_members PRIMARY KEY (list_id, customer_id),
            CONSTRAINT fk_segment_list_members FOREIGN KEY (list_id) REFERENCES segment_lists ON DELETE CASCADE
        );
        CREATE INDEX ix_segment_list_members_customer_id ON segment_list_members (customer_id);

        SELECT limit_to_customers('segment_members', 'customer_id');
        SELECT limit_to_customers('segment_changes', 'customer_id');
        SELECT limit_to_customers('segment_list_members', 'customer_id');
        """
    )


def downgrade() -> None:
    """Drop them; what segments said, and who was in them, is lost."""
    op.execute(
        """
        DROP TABLE segment_list_members, segment_lists, segment_changes, segment_members, segment_versions, segments;
        """
    )
