"""The tables of ``lifecycle``, and what tells the lake which rows to copy.

Two ways to know what is new, because there are two kinds of tables. Facts are only ever added: each carries the number
of the transaction that wrote it. Rows of the other tables change and go: triggers note their keys, once a statement.
Both compare transaction numbers with the oldest transaction that is still running, so that one that commits late is
never skipped.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

# Columns of the key, and those of the lake beside it, in which a change counts.
COPIED = {
    "orders": (
        ("source_id", "order_id"),
        (
            *("identity_id", "ordered_at", "amount_minor", "discount_minor", "currency", "status"),
            *("channel", "store", "region", "cancelled_at"),
        ),
    ),
    "order_lines": (
        ("source_id", "order_id", "line"),
        ("product_id", "product_name", "category", "brand", "quantity", "amount_minor", "cost_minor"),
    ),
    "refunds": (
        ("source_id", "refund_id"),
        ("order_id", "line", "product_id", "refunded_at", "amount_minor", "currency"),
    ),
    "products": (
        ("product_id",),
        ("name", "category", "brand", "price_minor", "cost_minor", "currency", "active"),
    ),
    "costs": (("channel", "period", "currency"), ("spend_minor",)),
    # Not the moment when an identity was last seen, which changes with every event.
    "identities": (("identity_id",), ("customer_id",)),
}


def upgrade() -> None:
    """Make the tables and the triggers."""
    # The number of a transaction never comes again (it counts past 32 bits); as a plain number it has a block index,
    # which costs next to nothing for rows that are added in that order. Rows that are there get this transaction's.
    op.execute(
        """
        ALTER TABLE facts ADD COLUMN written_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
        CREATE INDEX ix_facts_written_in ON facts USING brin (written_in);

        -- Files tell of returns by credit notes of their own, which name a product but no line of an order.
        ALTER TABLE refunds ADD COLUMN product_id text;

        CREATE TABLE lake_changes (
            table_name text NOT NULL,
            key text[] NOT NULL,
            written_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
        );
        CREATE INDEX ix_lake_changes_written_in ON lake_changes (table_name, written_in);

        -- Up to where the changes of a table have been deleted: a lake that is older has to be made anew.
        CREATE TABLE lake_pruned (
            table_name text NOT NULL CONSTRAINT pk_lake_pruned PRIMARY KEY,
            below bigint NOT NULL
        );

        CREATE TABLE refreshes (
            refresh_id uuid NOT NULL CONSTRAINT pk_refreshes PRIMARY KEY,
            as_of timestamptz NOT NULL,
            time_zone text NOT NULL,
            horizon_days integer NOT NULL,
            currency text,
            model text,
            cannot_say jsonb NOT NULL,
            customers integer NOT NULL,
            changed integer NOT NULL,
            stage_changes integer NOT NULL,
            started_at timestamptz NOT NULL,
            finished_at timestamptz NOT NULL
        );
        CREATE INDEX ix_refreshes_as_of ON refreshes (as_of, finished_at);
        """
    )
    op.execute(
        """
        -- Every night changes most rows: the space left in each page lets them change in place. No foreign key, whose
        -- check would double the time of the first refresh: who is refreshed was found among the customers.
        CREATE TABLE customer_facts (
            customer_id uuid NOT NULL CONSTRAINT pk_customer_facts PRIMARY KEY,
            refresh_id uuid NOT NULL,
            currency text NOT NULL,
            first_order_at timestamptz NOT NULL,
            last_order_at timestamptz NOT NULL,
            orders integer NOT NULL,
            order_days integer NOT NULL,
            recency_days integer NOT NULL,
            average_days_between_orders double precision,
            gross_minor bigint NOT NULL,
            refunds_minor bigint NOT NULL,
            average_order_minor bigint NOT NULL,
            historic_clv_minor bigint NOT NULL,
            cohort date NOT NULL,
            first_channel text,
            first_store text,
            region text,
            r_score smallint NOT NULL,
            f_score smallint NOT NULL,
            m_score smallint NOT NULL,
            rfm_group text NOT NULL,
            value_group text NOT NULL,
            p_alive double precision,
            churn_probability double precision,
            predicted_number_of_orders double precision,
            predicted_orders_low double precision,
            predicted_orders_high double precision,
            expected_order_minor bigint,
            predicted_clv_minor bigint,
            predicted_clv_low_minor bigint,
            predicted_clv_high_minor bigint,
            total_clv_minor bigint,
            expected_date_of_next_order date,
            stage text NOT NULL,
            stage_since timestamptz NOT NULL
        ) WITH (fillfactor = 70);

        -- A row where something changed that time alone does not change. Null stage: no orders are theirs any more.
        CREATE TABLE customer_facts_history (
            customer_id uuid NOT NULL,
            as_of timestamptz NOT NULL,
            refresh_id uuid NOT NULL,
            currency text,
            orders integer NOT NULL,
            gross_minor bigint NOT NULL,
            refunds_minor bigint NOT NULL,
            historic_clv_minor bigint NOT NULL,
            r_score smallint,
            f_score smallint,
            m_score smallint,
            rfm_group text,
            value_group text,
            p_alive double precision,
            predicted_clv_minor bigint,
            stage text,
            CONSTRAINT pk_customer_facts_history PRIMARY KEY (customer_id, as_of)
        );
        """
    )
    for table, (key, others) in COPIED.items():
        _note_changes(table, key, others)


def _note_changes(table: str, key: tuple[str, ...], others: tuple[str, ...]) -> None:
    def noted(rows: str, prefix: str = "") -> str:
        array = ", ".join(f"{prefix}{column}::text" for column in key)
        return f"INSERT INTO lake_changes (table_name, key) SELECT '{table}', ARRAY[{array}] FROM {rows}"  # noqa: S608 - names are those above

    same = " AND ".join(f"o.{column} = n.{column}" for column in key)
    old, new = (", ".join(f"{side}.{column}" for column in others) for side in "on")
    op.execute(
        f"""
        -- The planner knows nothing of how many rows a statement changed, and would compare each with each.
        CREATE FUNCTION note_{table}_for_lake() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                {noted("new_rows")};
            ELSIF TG_OP = 'DELETE' THEN
                {noted("old_rows")};
            ELSE
                {noted("new_rows n", "n.")}
                JOIN old_rows o ON {same} WHERE ROW({new}) IS DISTINCT FROM ROW({old});
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER inserted_for_lake AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION note_{table}_for_lake();
        CREATE TRIGGER updated_for_lake AFTER UPDATE ON {table}
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION note_{table}_for_lake();
        CREATE TRIGGER deleted_for_lake AFTER DELETE ON {table} REFERENCING OLD TABLE AS old_rows
            FOR EACH STATEMENT EXECUTE FUNCTION note_{table}_for_lake();
        """
    )


def downgrade() -> None:
    """Drop everything; computed facts and their history are lost, the lake has to be made anew."""
    for table in COPIED:
        for what in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER {what}_for_lake ON {table}")
        op.execute(f"DROP FUNCTION note_{table}_for_lake()")
    op.execute("DROP TABLE customer_facts_history, customer_facts, refreshes, lake_pruned, lake_changes")
    op.execute("ALTER TABLE refunds DROP COLUMN product_id")
    op.execute("ALTER TABLE facts DROP COLUMN written_in")
