"""What lists of customers are found and sorted by."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make it. Names that are there get their terms by a job, since only it can read them."""
    op.execute(
        """
        -- Keyed hashes of 16 bits. Of most values there are none: those rows are not in the index.
        ALTER TABLE vault ADD COLUMN terms smallint[];
        CREATE INDEX ix_vault_terms ON vault USING gin (terms) WHERE terms IS NOT NULL;
        -- Those that were written before there were terms, until a job has read them.
        CREATE INDEX ix_vault_without_terms ON vault (field) WHERE terms IS NULL AND (
            field LIKE 'identity:phone:%'
            OR field IN ('attribute:name', 'attribute:last_name', 'attribute:first_name', 'attribute:nickname')
        );

        -- Of whoever sees some customers only, every name would be asked whose it is before it is compared, since
        -- PostgreSQL does not know that to compare arrays tells nothing. This tells ids alone, of which the policies
        -- then let through whose customers they are.
        CREATE FUNCTION holders_of(wanted smallint[], most integer) RETURNS SETOF uuid
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
            AS $$ SELECT person_id FROM vault WHERE terms @> wanted LIMIT most $$;

        -- What a list can be sorted by. A night that changes a prediction touches them, which costs a refresh of a
        -- million customers some seconds, and spares each page a look at all of them.
        CREATE INDEX ix_customer_facts_value
            ON customer_facts (coalesce(total_clv_minor, historic_clv_minor), customer_id);
        CREATE INDEX ix_customer_facts_churn ON customer_facts (churn_probability, customer_id);
        CREATE INDEX ix_customer_facts_last_order_at ON customer_facts (last_order_at, customer_id);
        CREATE INDEX ix_customer_facts_orders ON customer_facts (orders, customer_id);
        CREATE INDEX ix_customer_facts_stage
            ON customer_facts (stage, coalesce(total_clv_minor, historic_clv_minor), customer_id);

        CREATE INDEX ix_orders_ordered_at ON orders (ordered_at);

        -- How many customers stood where, and what they were worth, at each refresh.
        CREATE TABLE stage_totals (
            as_of timestamptz NOT NULL,
            stage text NOT NULL,
            currency text NOT NULL,
            customers integer NOT NULL,
            historic_minor bigint NOT NULL,
            predicted_minor bigint,
            orders bigint NOT NULL,
            CONSTRAINT pk_stage_totals PRIMARY KEY (as_of, stage)
        );
        """
    )


def downgrade() -> None:
    """Drop it; the totals of past nights are lost."""
    op.execute(
        """
        DROP FUNCTION holders_of;
        DROP TABLE stage_totals;
        DROP INDEX ix_orders_ordered_at;
        DROP INDEX ix_customer_facts_stage;
        DROP INDEX ix_customer_facts_orders;
        DROP INDEX ix_customer_facts_last_order_at;
        DROP INDEX ix_customer_facts_churn;
        DROP INDEX ix_customer_facts_value;
        DROP INDEX ix_vault_without_terms;
        DROP INDEX ix_vault_terms;
        ALTER TABLE vault DROP COLUMN terms;
        """
    )
