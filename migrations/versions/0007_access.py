"""The tables of ``access``: roles, API keys and the audit log."""

import json

import sqlalchemy as sa
from alembic import op

from shuke.access import SHIPPED_ROLES

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make them, with the roles that are shipped."""
    op.execute(
        """
        CREATE TABLE roles (
            name text NOT NULL,
            permissions text[] NOT NULL,
            scope text NOT NULL,
            fields jsonb NOT NULL,
            shipped boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT pk_roles PRIMARY KEY (name),
            CONSTRAINT ck_roles_scope CHECK (scope IN ('all', 'region', 'store', 'own'))
        );

        CREATE TABLE api_keys (
            key_id uuid NOT NULL,
            name text NOT NULL,
            secret_hash bytea NOT NULL,
            role text NOT NULL,
            permissions text[] NOT NULL,
            scope text NOT NULL,
            places text[] NOT NULL,
            fields jsonb NOT NULL,
            made_by text NOT NULL,
            acts_for uuid,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            last_used_at timestamptz,
            revoked_at timestamptz,
            CONSTRAINT pk_api_keys PRIMARY KEY (key_id),
            CONSTRAINT uq_api_keys_secret_hash UNIQUE (secret_hash),
            CONSTRAINT ck_api_keys_secret_hash_bytes CHECK (octet_length(secret_hash) = 32),
            CONSTRAINT ck_api_keys_scope CHECK (scope IN ('all', 'region', 'store', 'own'))
        );

        -- Numbered without a gap, by whoever writes. json, not jsonb, which would write numbers anew: the hash is over
        -- what was written.
        CREATE TABLE audit_log (
            seq bigint NOT NULL,
            at timestamptz NOT NULL,
            who_kind text NOT NULL,
            who_id uuid,
            who text NOT NULL,
            action text NOT NULL,
            object json NOT NULL,
            before json,
            after json,
            request_id text,
            previous bytea NOT NULL,
            hash bytea NOT NULL,
            CONSTRAINT pk_audit_log PRIMARY KEY (seq)
        );
        CREATE INDEX ix_audit_log_who_id ON audit_log (who_id, seq) WHERE who_id IS NOT NULL;
        CREATE INDEX ix_audit_log_action ON audit_log (action, seq);
        CREATE INDEX ix_audit_log_at ON audit_log USING brin (at);

        -- Against mistakes. Whoever owns the database can drop it, and is found by the chain and the signed heads.
        CREATE FUNCTION refuse_to_change_audit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit();

        CREATE TABLE audit_heads (
            day date NOT NULL,
            seq bigint NOT NULL,
            hash bytea NOT NULL,
            signature bytea NOT NULL,
            CONSTRAINT pk_audit_heads PRIMARY KEY (day)
        );
        """
    )
    seeded = sa.text(
        """
        INSERT INTO roles (name, permissions, scope, fields, shipped, created_at, updated_at)
        VALUES (:name, :permissions, :scope, CAST(:fields AS jsonb), true, now(), now())
        """
    )
    for role in SHIPPED_ROLES:
        op.execute(
            seeded.bindparams(
                name=role.name,
                permissions=sorted(role.permissions),
                scope=role.where.value,
                fields=json.dumps(dict(role.fields)),
            )
        )


def downgrade() -> None:
    """Drop them; every key ends, and who did what is lost."""
    op.execute(
        """
        DROP TABLE audit_heads;
        DROP TABLE audit_log;
        DROP FUNCTION refuse_to_change_audit();
        DROP TABLE api_keys;
        DROP TABLE roles;
        """
    )
