"""The tables of ``connectors``: who is told of changes, by which secrets, what was sent, and what was answered."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make them. Whoever sees some customers only sees nothing of them: bodies name customers of everywhere."""
    op.execute(
        """
        CREATE TABLE webhook_endpoints (
            endpoint_id uuid NOT NULL,
            name text NOT NULL,
            url text NOT NULL,
            kinds text[] NOT NULL,
            segment_ids uuid[] NOT NULL,
            state text NOT NULL,
            why_disabled text,
            told_to bigint NOT NULL,
            paused_until timestamptz,
            failing_since timestamptz,
            made_by text NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT pk_webhook_endpoints PRIMARY KEY (endpoint_id),
            CONSTRAINT uq_webhook_endpoints_name UNIQUE (name),
            CONSTRAINT ck_webhook_endpoints_state CHECK (state IN ('on', 'off', 'disabled')),
            CONSTRAINT ck_webhook_endpoints_why CHECK (
                (state = 'disabled') = (why_disabled IS NOT NULL) AND why_disabled IN ('gone', 'failing')
            )
        );

        CREATE TABLE webhook_secrets (
            secret_id uuid NOT NULL,
            endpoint_id uuid NOT NULL,
            key_version integer NOT NULL,
            cipher bytea NOT NULL,
            made_at timestamptz NOT NULL,
            until timestamptz,
            CONSTRAINT pk_webhook_secrets PRIMARY KEY (secret_id),
            CONSTRAINT fk_webhook_secrets FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoints ON DELETE CASCADE
        );
        CREATE INDEX ix_webhook_secrets_endpoint_id ON webhook_secrets (endpoint_id);
        -- One signs without an end.
        CREATE UNIQUE INDEX uq_webhook_secrets_present ON webhook_secrets (endpoint_id) WHERE until IS NULL;

        CREATE TABLE webhook_deliveries (
            delivery_id bigint GENERATED ALWAYS AS IDENTITY,
            message_id uuid NOT NULL DEFAULT gen_random_uuid(),
            endpoint_id uuid NOT NULL,
            kind text NOT NULL,
            body text NOT NULL,
            customers integer NOT NULL DEFAULT 0,
            state text NOT NULL DEFAULT 'waiting',
            created_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            claimed_until timestamptz,
            attempt integer NOT NULL DEFAULT 0,
            tries integer NOT NULL DEFAULT 0,
            ended_at timestamptz,
            CONSTRAINT pk_webhook_deliveries PRIMARY KEY (delivery_id),
            CONSTRAINT fk_webhook_deliveries FOREIGN KEY (endpoint_id)
                REFERENCES webhook_endpoints ON DELETE CASCADE,
            CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('waiting', 'delivered', 'failed'))
        );
        -- What is to be sent next is found however much lies there that has arrived.
        CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (endpoint_id, due_at) WHERE state = 'waiting';
        CREATE INDEX ix_webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, state, delivery_id);
        CREATE INDEX ix_webhook_deliveries_created_at ON webhook_deliveries (created_at);

        CREATE TABLE webhook_attempts (
            delivery_id bigint NOT NULL,
            attempt integer NOT NULL,
            at timestamptz NOT NULL,
            ms integer NOT NULL,
            status integer,
            trouble text,
            answer text NOT NULL,
            CONSTRAINT pk_webhook_attempts PRIMARY KEY (delivery_id, attempt),
            CONSTRAINT fk_webhook_attempts FOREIGN KEY (delivery_id)
                REFERENCES webhook_deliveries ON DELETE CASCADE
        );

        SELECT limit_to_scope(one, 'false', 'false', 'SELECT')
        FROM unnest(ARRAY[
            'webhook_endpoints', 'webhook_secrets', 'webhook_deliveries', 'webhook_attempts'
        ]::regclass[]) AS tables (one);
        """
    )


def downgrade() -> None:
    """Drop them; nobody is told any more, and the secrets are lost."""
    op.execute("DROP TABLE webhook_attempts, webhook_deliveries, webhook_secrets, webhook_endpoints")
