"""The tables of ``collect``: what comes in, the timeline, orders, and how good the data are."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables, and the function that makes the months of the timeline."""
    op.execute(
        """
        CREATE TABLE sources (
            source_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_sources PRIMARY KEY,
            name text NOT NULL CONSTRAINT uq_sources_name UNIQUE,
            key_hash bytea CONSTRAINT uq_sources_key_hash UNIQUE,
            currency text,
            created_at timestamptz NOT NULL,
            disabled_at timestamptz,
            CONSTRAINT ck_sources_key_hash CHECK (octet_length(key_hash) = 32)
        );

        -- The hot tables refer to sources without a foreign key: its check would lock the one row of a busy source for
        -- each event. Sources are disabled, never deleted.
        CREATE TABLE inbox (
            seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_inbox PRIMARY KEY,
            source_id integer NOT NULL,
            received_at timestamptz NOT NULL,
            key_version integer NOT NULL,
            cipher bytea NOT NULL
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

        CREATE TABLE message_ids (
            source_id integer NOT NULL,
            message bytea NOT NULL,
            CONSTRAINT pk_message_ids PRIMARY KEY (source_id, message)
        );

        CREATE TABLE facts (
            fact_id uuid NOT NULL,
            occurred_at timestamptz NOT NULL,
            received_at timestamptz NOT NULL,
            identity_id bigint,
            kind text NOT NULL,
            name text NOT NULL DEFAULT '',
            source_id integer,
            channel text,
            store text,
            session text,
            amount_minor bigint,
            currency text,
            order_id text,
            simulated boolean NOT NULL DEFAULT false,
            properties jsonb NOT NULL DEFAULT '{}',
            original_at timestamptz,
            CONSTRAINT pk_facts PRIMARY KEY (fact_id, occurred_at)
        ) PARTITION BY RANGE (occurred_at);

        -- One customer's timeline, newest first, page by page.
        CREATE INDEX ix_facts_timeline ON facts (identity_id, occurred_at DESC, fact_id DESC);

        CREATE TABLE orders (
            source_id integer NOT NULL,
            order_id text NOT NULL,
            identity_id bigint,
            ordered_at timestamptz NOT NULL,
            amount_minor bigint NOT NULL,
            discount_minor bigint NOT NULL DEFAULT 0,
            currency text NOT NULL,
            status text NOT NULL DEFAULT 'completed',
            channel text,
            store text,
            region text,
            cancelled_at timestamptz,
            stated_at timestamptz NOT NULL DEFAULT '-infinity',
            stated_by bytea NOT NULL DEFAULT '',
            lines_stated_at timestamptz NOT NULL DEFAULT '-infinity',
            lines_stated_by bytea NOT NULL DEFAULT '',
            CONSTRAINT pk_orders PRIMARY KEY (source_id, order_id)
        );
        CREATE INDEX ix_orders_identity_id ON orders (identity_id, ordered_at);

        CREATE TABLE order_lines (
            source_id integer NOT NULL,
            order_id text NOT NULL,
            line integer NOT NULL,
            product_id text,
            product_name text,
            category text,
            brand text,
            quantity numeric NOT NULL DEFAULT 1,
            amount_minor bigint NOT NULL,
            cost_minor bigint,
            CONSTRAINT pk_order_lines PRIMARY KEY (source_id, order_id, line),
            CONSTRAINT fk_order_lines FOREIGN KEY (source_id, order_id) REFERENCES orders ON DELETE CASCADE
        );

        CREATE TABLE refunds (
            source_id integer NOT NULL,
            refund_id text NOT NULL,
            order_id text NOT NULL,
            line integer,
            refunded_at timestamptz NOT NULL,
            amount_minor bigint NOT NULL,
            currency text NOT NULL,
            CONSTRAINT pk_refunds PRIMARY KEY (source_id, refund_id)
        );
        CREATE INDEX ix_refunds_order_id ON refunds (source_id, order_id);

        CREATE TABLE costs (
            channel text NOT NULL,
            period date NOT NULL,
            currency text NOT NULL,
            spend_minor bigint NOT NULL,
            CONSTRAINT pk_costs PRIMARY KEY (channel, period, currency)
        );

        CREATE TABLE rejects (
            reject_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_rejects PRIMARY KEY,
            source_id integer NOT NULL,
            reason text NOT NULL,
            received_at timestamptz NOT NULL,
            key_version integer NOT NULL,
            cipher bytea NOT NULL
        );
        CREATE INDEX ix_rejects_received_at ON rejects (received_at);

        CREATE TABLE volumes (
            source_id integer NOT NULL,
            hour timestamptz NOT NULL,
            kind text NOT NULL,
            name text NOT NULL,
            outcome text NOT NULL,
            events bigint NOT NULL,
            CONSTRAINT pk_volumes PRIMARY KEY (source_id, hour, kind, name, outcome)
        );

        CREATE TABLE event_fields (
            source_id integer NOT NULL,
            kind text NOT NULL,
            name text NOT NULL,
            field text NOT NULL,
            type text NOT NULL,
            events bigint NOT NULL,
            first_seen_at timestamptz NOT NULL,
            last_seen_at timestamptz NOT NULL,
            CONSTRAINT pk_event_fields PRIMARY KEY (source_id, kind, name, field, type)
        );
        """
    )
    # A month is made as a table of its own and then attached, which lets others read and write meanwhile; made as a
    # partition at once, it would lock the whole timeline.
    op.execute(
        """
        CREATE FUNCTION make_fact_months(first_moment timestamptz, last_moment timestamptz) RETURNS integer
        LANGUAGE plpgsql AS $$
        DECLARE
            month timestamp := date_trunc('month', first_moment AT TIME ZONE 'UTC');
            months integer := 0;
            named text;
        BEGIN
            IF last_moment - first_moment > interval '200 years' THEN
                RAISE EXCEPTION 'too many months';
            END IF;
            WHILE month <= last_moment AT TIME ZONE 'UTC' LOOP
                named := to_char(month, '"facts_"YYYY"_"MM');
                IF to_regclass(named) IS NULL THEN
                    PERFORM pg_advisory_xact_lock(7485380022);
                    IF to_regclass(named) IS NULL THEN
                        EXECUTE format('CREATE TABLE %I (LIKE facts INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', named);
                        EXECUTE format(
                            'ALTER TABLE facts ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', named,
                            month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC'
                        );
                        months := months + 1;
                    END IF;
                END IF;
                month := month + interval '1 month';
            END LOOP;
            RETURN months;
        END $$
        """
    )


def downgrade() -> None:
    """Drop everything; what was collected is lost."""
    op.execute("DROP FUNCTION make_fact_months(timestamptz, timestamptz)")
    op.execute(
        """
        DROP TABLE event_fields, volumes, rejects, costs, refunds, order_lines, orders, facts, message_ids, inbox,
            sources
        """
    )
