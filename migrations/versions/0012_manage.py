"""Working with customers: saved views, tags on many at once; and the brand's own settings and stages."""

from alembic import op

revision = "0012"
down_revision = "0011"

# Shipped roles stay as the code has them; a database that is there gets what they have gained.
_GAINED = {"customers.export": ("owner", "operations_manager", "data_protection_officer")}


def upgrade() -> None:
    """Make them."""
    op.execute(
        """
        -- Which customers, in which columns and order. One that was deleted stays for a while, to be brought back.
        CREATE TABLE views (
            view_id uuid NOT NULL,
            name text NOT NULL,
            made_by uuid,
            shared boolean NOT NULL,
            columns text[] NOT NULL,
            query jsonb NOT NULL,
            sort text NOT NULL,
            descending boolean NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            deleted_at timestamptz,
            CONSTRAINT pk_views PRIMARY KEY (view_id),
            CONSTRAINT ck_views_somebodys CHECK (shared OR made_by IS NOT NULL)
        );
        CREATE UNIQUE INDEX uq_views_own ON views (made_by, lower(name)) WHERE NOT shared AND deleted_at IS NULL;
        CREATE UNIQUE INDEX uq_views_shared ON views (lower(name)) WHERE shared AND deleted_at IS NULL;
        CREATE INDEX ix_views_deleted_at ON views (deleted_at) WHERE deleted_at IS NOT NULL;

        -- The view that somebody begins with.
        CREATE TABLE default_views (
            user_id uuid NOT NULL,
            view_id uuid NOT NULL,
            CONSTRAINT pk_default_views PRIMARY KEY (user_id),
            CONSTRAINT fk_default_views_view_id FOREIGN KEY (view_id) REFERENCES views ON DELETE CASCADE
        );
        CREATE INDEX ix_default_views_view_id ON default_views (view_id);
        GRANT SELECT, INSERT, UPDATE, DELETE ON views, default_views TO shuke_by_store, shuke_by_owner;

        -- A tag that was put on, or taken off, many customers at once, and what it changed: so that exactly that can be
        -- taken back.
        CREATE TABLE tag_batches (
            batch_id uuid NOT NULL,
            made_by uuid,
            tag text NOT NULL,
            source text,
            expires_at timestamptz,
            removed boolean NOT NULL,
            customers integer NOT NULL,
            changed integer NOT NULL,
            made_at timestamptz NOT NULL,
            undone_at timestamptz,
            CONSTRAINT pk_tag_batches PRIMARY KEY (batch_id)
        );
        CREATE INDEX ix_tag_batches_made_at ON tag_batches (made_at);
        -- ``added_at`` and ``expires_at`` are as they were before; no ``added_at``: there was no such tag.
        CREATE TABLE tag_batch_rows (
            batch_id uuid NOT NULL,
            customer_id uuid NOT NULL,
            source text NOT NULL,
            added_at timestamptz,
            expires_at timestamptz,
            CONSTRAINT pk_tag_batch_rows PRIMARY KEY (batch_id, customer_id, source),
            CONSTRAINT fk_tag_batch_rows_batch_id FOREIGN KEY (batch_id) REFERENCES tag_batches ON DELETE CASCADE,
            CONSTRAINT fk_tag_batch_rows_customer_id FOREIGN KEY (customer_id) REFERENCES customers
        );
        CREATE INDEX ix_tag_batch_rows_customer_id ON tag_batch_rows (customer_id);
        GRANT SELECT, INSERT, UPDATE ON tag_batches TO shuke_by_store, shuke_by_owner;
        SELECT limit_to_customers('tag_batch_rows', 'customer_id', 'SELECT, INSERT');

        -- What the brand says of itself: one row, or none yet.
        CREATE TABLE brand (
            only_one boolean NOT NULL DEFAULT true,
            name text,
            time_zone text,
            currency text,
            margin double precision,
            updated_at timestamptz NOT NULL,
            CONSTRAINT pk_brand PRIMARY KEY (only_one),
            CONSTRAINT ck_brand_only_one CHECK (only_one),
            CONSTRAINT ck_brand_margin CHECK (margin > 0 AND margin <= 1)
        );

        -- Every vocabulary of stages that the brand has had; the last is in force.
        CREATE TABLE stage_definitions (
            version integer NOT NULL,
            definition json NOT NULL,
            made_by text NOT NULL,
            made_at timestamptz NOT NULL,
            CONSTRAINT pk_stage_definitions PRIMARY KEY (version)
        );
        GRANT SELECT ON brand, stage_definitions TO shuke_by_store, shuke_by_owner;
        """
    )
    for permission, names in _GAINED.items():
        shipped = ", ".join(f"'{name}'" for name in names)
        op.execute(
            f"""
            UPDATE roles
            SET updated_at = now(), permissions = (
                SELECT array_agg(one ORDER BY one) FROM unnest(array_append(permissions, '{permission}')) AS one
            )
            WHERE shipped AND name IN ({shipped}) AND NOT permissions @> ARRAY['{permission}']
            """  # noqa: S608 - our own words
        )


def downgrade() -> None:
    """Drop them: views, what bulk tags changed, the brand's settings and its stages are lost."""
    for permission in _GAINED:
        op.execute(f"UPDATE roles SET permissions = array_remove(permissions, '{permission}')")  # noqa: S608 - as above
        op.execute(f"UPDATE api_keys SET permissions = array_remove(permissions, '{permission}')")  # noqa: S608
    op.execute(
        """
        DROP TABLE stage_definitions, brand;
        DROP TABLE tag_batch_rows;
        DROP TABLE tag_batches;
        DROP TABLE default_views;
        DROP TABLE views;
        """
    )
