"""The tables of ``profiles``: customers, identities, merges, attributes, tags and households."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make them."""
    op.execute(
        """
        CREATE TABLE customers (
            customer_id uuid NOT NULL,
            created_at timestamptz NOT NULL,
            merged_into uuid,
            attributes jsonb NOT NULL DEFAULT '{}',
            updated_at timestamptz NOT NULL,
            erased_at timestamptz,
            CONSTRAINT pk_customers PRIMARY KEY (customer_id),
            CONSTRAINT fk_customers_merged_into FOREIGN KEY (merged_into) REFERENCES customers,
            CONSTRAINT ck_customers_not_into_itself CHECK (merged_into <> customer_id)
        );
        CREATE INDEX ix_customers_merged_into ON customers (merged_into) WHERE merged_into IS NOT NULL;

        CREATE TABLE identities (
            identity_id bigint GENERATED ALWAYS AS IDENTITY,
            kind text NOT NULL,
            lookup bytea NOT NULL,
            customer_id uuid NOT NULL,
            attached_to uuid NOT NULL,
            first_seen_at timestamptz NOT NULL,
            last_seen_at timestamptz NOT NULL,
            CONSTRAINT pk_identities PRIMARY KEY (identity_id),
            CONSTRAINT uq_identities_kind UNIQUE (kind, lookup),
            CONSTRAINT ck_identities_lookup_bytes CHECK (octet_length(lookup) = 16),
            CONSTRAINT fk_identities_customer_id FOREIGN KEY (customer_id) REFERENCES customers,
            CONSTRAINT fk_identities_attached_to FOREIGN KEY (attached_to) REFERENCES customers
        );
        CREATE INDEX ix_identities_customer_id ON identities (customer_id);

        CREATE TABLE merges (
            merge_id uuid NOT NULL,
            winner uuid NOT NULL,
            loser uuid NOT NULL,
            identity_ids bigint[] NOT NULL,
            reason jsonb NOT NULL,
            merged_at timestamptz NOT NULL,
            undone_at timestamptz,
            CONSTRAINT pk_merges PRIMARY KEY (merge_id),
            CONSTRAINT fk_merges_winner FOREIGN KEY (winner) REFERENCES customers,
            CONSTRAINT fk_merges_loser FOREIGN KEY (loser) REFERENCES customers
        );
        CREATE UNIQUE INDEX uq_merges_loser_in_force ON merges (loser) WHERE undone_at IS NULL;
        CREATE INDEX ix_merges_winner ON merges (winner);
        CREATE INDEX ix_merges_loser ON merges (loser);

        CREATE TABLE attribute_definitions (
            name text NOT NULL,
            type text NOT NULL,
            personal boolean NOT NULL,
            choices text[] NOT NULL,
            created_at timestamptz NOT NULL,
            retired_at timestamptz,
            CONSTRAINT pk_attribute_definitions PRIMARY KEY (name),
            CONSTRAINT ck_attribute_definitions_type
                CHECK (type IN ('text', 'number', 'date', 'boolean', 'choice'))
        );

        CREATE TABLE tags (
            customer_id uuid NOT NULL,
            tag text NOT NULL,
            source text NOT NULL,
            added_at timestamptz NOT NULL,
            expires_at timestamptz,
            CONSTRAINT pk_tags PRIMARY KEY (customer_id, tag, source),
            CONSTRAINT fk_tags_customer_id FOREIGN KEY (customer_id) REFERENCES customers
        );
        CREATE INDEX ix_tags_tag ON tags (tag, customer_id);
        CREATE INDEX ix_tags_expires_at ON tags (expires_at) WHERE expires_at IS NOT NULL;

        CREATE TABLE household_members (
            customer_id uuid NOT NULL,
            household_id uuid NOT NULL,
            since timestamptz NOT NULL,
            CONSTRAINT pk_household_members PRIMARY KEY (customer_id),
            CONSTRAINT fk_household_members_customer_id FOREIGN KEY (customer_id) REFERENCES customers
        );
        CREATE INDEX ix_household_members_household_id ON household_members (household_id);
        """
    )


def downgrade() -> None:
    """Drop them; facts keep their identities, but whose these are is lost."""
    op.execute(
        """
        DROP TABLE household_members;
        DROP TABLE tags;
        DROP TABLE attribute_definitions;
        DROP TABLE merges;
        DROP TABLE identities;
        DROP TABLE customers;
        """
    )
