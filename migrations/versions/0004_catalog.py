"""The tables of ``catalog``: products, stores and channels; and how far each import of files has come."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.execute(
        """
        -- Identifiers sort by their bytes, so that pages are the same whatever the language of the database.
        CREATE TABLE products (
            product_id text COLLATE "C" NOT NULL CONSTRAINT pk_products PRIMARY KEY,
            name text,
            category text,
            brand text,
            price_minor bigint,
            cost_minor bigint,
            currency text,
            active boolean NOT NULL DEFAULT true,
            attributes jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL
        );
        CREATE INDEX ix_products_category ON products (category, product_id);
        CREATE INDEX ix_products_brand ON products (brand, product_id);

        CREATE TABLE stores (
            store_id text COLLATE "C" NOT NULL CONSTRAINT pk_stores PRIMARY KEY,
            name text,
            region text,
            city text,
            time_zone text,
            active boolean NOT NULL DEFAULT true,
            attributes jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL
        );

        CREATE TABLE channels (
            channel text COLLATE "C" NOT NULL CONSTRAINT pk_channels PRIMARY KEY,
            name text,
            kind text NOT NULL,
            active boolean NOT NULL DEFAULT true,
            attributes jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL
        );

        -- A batch of an import and its number here are committed together; a killed import goes on after it.
        CREATE TABLE imports (
            import_id uuid NOT NULL CONSTRAINT pk_imports PRIMARY KEY,
            kind text NOT NULL,
            source_id integer NOT NULL,
            fingerprint bytea NOT NULL,
            batches_done integer NOT NULL DEFAULT 0,
            batches_total integer NOT NULL,
            counts jsonb NOT NULL DEFAULT '{}',
            started_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            finished_at timestamptz
        );
        -- Of what is under way there is one, however many start it.
        CREATE UNIQUE INDEX ix_imports_unfinished ON imports (kind, source_id, fingerprint) WHERE finished_at IS NULL;
        """
    )


def downgrade() -> None:
    """Drop everything; what was known of products, stores and channels is lost."""
    op.execute("DROP TABLE imports, channels, stores, products")
