"""The district of a store, by which segments find who lives near it."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add it."""
    op.execute("ALTER TABLE stores ADD COLUMN district text")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE stores DROP COLUMN district")
