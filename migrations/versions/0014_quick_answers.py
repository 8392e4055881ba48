"""What keeps searches for common names, and the overview, quick among a million customers."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make it; the index of orders takes some seconds for millions of them."""
    op.execute(
        """
        -- A part of those who have a common name serves nobody, least of all whoever sees some customers only: of those
        -- whom it took among all, hardly anybody would be theirs. So it is all of them, or a single null where they are
        -- more than `most`. Of a name that very many have the planner knows that; to find so many and then drop them
        -- took longer than the page. Of several terms it guesses too few, which are then looked up. It is volatile for
        -- EXPLAIN alone, which no other function may ask.
        CREATE OR REPLACE FUNCTION holders_of(wanted smallint[], most integer) RETURNS SETOF uuid
            LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
            AS $$
            DECLARE
                plan jsonb;
                found uuid[];
            BEGIN
                EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM vault WHERE terms @> %L::smallint[]', wanted)
                INTO plan;
                IF (plan -> 0 -> 'Plan' -> 'Plan Rows')::bigint / 2 <= most THEN
                    found := ARRAY(SELECT person_id FROM vault WHERE terms @> wanted LIMIT most::bigint + 1);
                    IF cardinality(found) <= most THEN
                        RETURN QUERY SELECT unnest(found);
                        RETURN;
                    END IF;
                END IF;
                RETURN NEXT NULL;
            END
            $$;

        -- Weeks of sales are summed from the index alone.
        DROP INDEX ix_orders_ordered_at;
        CREATE INDEX ix_orders_ordered_at ON orders (ordered_at) INCLUDE (currency, status, amount_minor);

        -- Who was lost in the last weeks, without a look at everybody.
        CREATE INDEX ix_customer_facts_lost_since ON customer_facts (stage_since) WHERE stage = 'lost';
        """
    )


def downgrade() -> None:
    """As it was."""
    op.execute(
        """
        DROP INDEX ix_customer_facts_lost_since;
        DROP INDEX ix_orders_ordered_at;
        CREATE INDEX ix_orders_ordered_at ON orders (ordered_at);
        CREATE OR REPLACE FUNCTION holders_of(wanted smallint[], most integer) RETURNS SETOF uuid
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
            AS $$ SELECT person_id FROM vault WHERE terms @> wanted LIMIT most $$;
        """
    )
