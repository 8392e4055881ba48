"""What was answered to writes that may be repeated."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make it."""
    op.execute(
        """
        CREATE TABLE answers (
            reader text NOT NULL,
            key text NOT NULL,
            request_hash bytea NOT NULL,
            at timestamptz NOT NULL,
            status smallint,
            key_version integer,
            body bytea,
            CONSTRAINT pk_answers PRIMARY KEY (reader, key)
        );
        -- For forgetting.
        CREATE INDEX ix_answers_at ON answers (at);
        """
    )


def downgrade() -> None:
    """Drop it; a write that is repeated across this is done again."""
    op.execute("DROP TABLE answers")
