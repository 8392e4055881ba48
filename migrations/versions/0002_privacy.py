"""The tables of ``privacy``: keys of persons, the vault, the consent ledger and guardians."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make them; the ledger refuses to be changed, whoever asks."""
    op.execute(
        """
        CREATE TABLE person_keys (
            person_id uuid NOT NULL,
            version integer NOT NULL,
            wrapped bytea,
            created_at timestamptz NOT NULL,
            destroyed_at timestamptz,
            CONSTRAINT pk_person_keys PRIMARY KEY (person_id),
            CONSTRAINT ck_person_keys_destroyed_has_no_key CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
        );
        CREATE INDEX ix_person_keys_version ON person_keys (version, person_id) WHERE wrapped IS NOT NULL;

        CREATE TABLE vault (
            person_id uuid NOT NULL,
            -- By its bytes, so that the fields of one kind lie together in the index.
            field text COLLATE "C" NOT NULL,
            cipher bytea NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT pk_vault PRIMARY KEY (person_id, field),
            CONSTRAINT fk_vault_person_id FOREIGN KEY (person_id) REFERENCES person_keys
        );

        CREATE TABLE guardians (
            child_id uuid NOT NULL,
            guardian_id uuid NOT NULL,
            relation text NOT NULL,
            since timestamptz NOT NULL,
            ended_at timestamptz,
            CONSTRAINT pk_guardians PRIMARY KEY (child_id, guardian_id)
        );

        CREATE TABLE consent_events (
            event_id bigint GENERATED ALWAYS AS IDENTITY,
            customer_id uuid NOT NULL,
            purpose text NOT NULL,
            channel text NOT NULL,
            state text NOT NULL,
            notice_version text NOT NULL,
            proof jsonb NOT NULL,
            at timestamptz NOT NULL,
            recorded_at timestamptz NOT NULL,
            by text NOT NULL,
            guardian uuid,
            CONSTRAINT pk_consent_events PRIMARY KEY (event_id),
            CONSTRAINT ck_consent_events_state CHECK (state IN ('granted', 'withdrawn'))
        );
        CREATE INDEX ix_consent_events_current
            ON consent_events (customer_id, purpose, channel, at DESC, event_id DESC);

        CREATE VIEW consent_states AS
            SELECT DISTINCT ON (customer_id, purpose, channel)
                customer_id, purpose, channel, state, notice_version, at, event_id, guardian
            FROM consent_events
            ORDER BY customer_id, purpose, channel, at DESC, event_id DESC;

        CREATE FUNCTION refuse_to_change_consent() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'consent_events is append-only' USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent_events
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_consent();
        """
    )


def downgrade() -> None:
    """Drop them; who was promised what is lost, and so is every personal value."""
    op.execute(
        """
        DROP VIEW consent_states;
        DROP TABLE consent_events;
        DROP FUNCTION refuse_to_change_consent();
        DROP TABLE guardians;
        DROP TABLE vault;
        DROP TABLE person_keys;
        """
    )
