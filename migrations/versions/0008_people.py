"""People: users and teams, sessions, links that let somebody in once, second factors, attempts to sign in."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    op.execute(
        """
        CREATE TABLE teams (
            team_id uuid NOT NULL CONSTRAINT pk_teams PRIMARY KEY,
            name text NOT NULL,
            name_key text COLLATE "C" NOT NULL CONSTRAINT uq_teams_name_key UNIQUE,
            created_at timestamptz NOT NULL
        );

        -- The address of a colleague is the name that they sign in by, and is therefore not encrypted.
        CREATE TABLE users (
            user_id uuid NOT NULL CONSTRAINT pk_users PRIMARY KEY,
            name text NOT NULL,
            email text NOT NULL,
            email_key text COLLATE "C" NOT NULL CONSTRAINT uq_users_email_key UNIQUE,
            password_hash text,
            role text NOT NULL CONSTRAINT fk_users_role REFERENCES roles (name),
            places text[] NOT NULL DEFAULT '{}',
            team_id uuid CONSTRAINT fk_users_team_id REFERENCES teams ON DELETE SET NULL,
            language text NOT NULL,
            created_at timestamptz NOT NULL,
            disabled_at timestamptz,
            signed_in_at timestamptz
        );
        CREATE INDEX ix_users_role ON users (role);
        CREATE INDEX ix_users_team_id ON users (team_id) WHERE team_id IS NOT NULL;

        CREATE TABLE sessions (
            session_id uuid NOT NULL CONSTRAINT pk_sessions PRIMARY KEY,
            token_hash bytea NOT NULL CONSTRAINT uq_sessions_token_hash UNIQUE,
            user_id uuid NOT NULL CONSTRAINT fk_sessions_user_id REFERENCES users ON DELETE CASCADE,
            csrf_token text NOT NULL,
            pending boolean NOT NULL,
            ways text[] NOT NULL,
            agent text NOT NULL,
            created_at timestamptz NOT NULL,
            signed_in_at timestamptz NOT NULL,
            seen_at timestamptz NOT NULL,
            idle_seconds integer NOT NULL,
            ends_at timestamptz NOT NULL
        );
        CREATE INDEX ix_sessions_user_id ON sessions (user_id, created_at);
        CREATE INDEX ix_sessions_ends_at ON sessions (ends_at);

        CREATE TABLE links (
            link_id uuid NOT NULL CONSTRAINT pk_links PRIMARY KEY,
            kind text NOT NULL,
            token_hash bytea NOT NULL CONSTRAINT uq_links_token_hash UNIQUE,
            user_id uuid CONSTRAINT fk_links_user_id REFERENCES users ON DELETE CASCADE,
            email text,
            email_key text COLLATE "C",
            role text CONSTRAINT fk_links_role REFERENCES roles (name),
            places text[] NOT NULL DEFAULT '{}',
            team_id uuid CONSTRAINT fk_links_team_id REFERENCES teams ON DELETE SET NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz,
            used_at timestamptz,
            CONSTRAINT ck_links_for CHECK (CASE kind WHEN 'setup' THEN true WHEN 'reset' THEN user_id IS NOT NULL
                WHEN 'invitation' THEN email_key IS NOT NULL AND role IS NOT NULL ELSE false END)
        );
        -- Of each kind the newest link counts: for the first owner, for an address, for an account.
        CREATE UNIQUE INDEX ix_links_setup ON links (kind) WHERE kind = 'setup' AND used_at IS NULL;
        CREATE UNIQUE INDEX ix_links_email_key ON links (email_key) WHERE kind = 'invitation' AND used_at IS NULL;
        CREATE UNIQUE INDEX ix_links_user_id ON links (user_id) WHERE kind = 'reset' AND used_at IS NULL;

        CREATE TABLE totp (
            user_id uuid NOT NULL CONSTRAINT pk_totp PRIMARY KEY
                CONSTRAINT fk_totp_user_id REFERENCES users ON DELETE CASCADE,
            key_version integer NOT NULL,
            cipher bytea NOT NULL,
            created_at timestamptz NOT NULL,
            confirmed_at timestamptz,
            last_step bigint NOT NULL DEFAULT 0
        );

        CREATE TABLE recovery_codes (
            user_id uuid NOT NULL CONSTRAINT fk_recovery_codes_user_id REFERENCES users ON DELETE CASCADE,
            code_hash bytea NOT NULL,
            used_at timestamptz,
            CONSTRAINT pk_recovery_codes PRIMARY KEY (user_id, code_hash)
        );

        CREATE TABLE passkeys (
            passkey_id uuid NOT NULL CONSTRAINT pk_passkeys PRIMARY KEY,
            credential_id bytea NOT NULL CONSTRAINT uq_passkeys_credential_id UNIQUE,
            user_id uuid NOT NULL CONSTRAINT fk_passkeys_user_id REFERENCES users ON DELETE CASCADE,
            public_key bytea NOT NULL,
            sign_count bigint NOT NULL,
            name text NOT NULL,
            created_at timestamptz NOT NULL,
            used_at timestamptz
        );
        CREATE INDEX ix_passkeys_user_id ON passkeys (user_id);

        CREATE TABLE challenges (
            challenge_hash bytea NOT NULL CONSTRAINT pk_challenges PRIMARY KEY,
            user_id uuid CONSTRAINT fk_challenges_user_id REFERENCES users ON DELETE CASCADE,
            expires_at timestamptz NOT NULL
        );
        CREATE INDEX ix_challenges_expires_at ON challenges (expires_at);

        CREATE TABLE oidc_accounts (
            issuer text COLLATE "C" NOT NULL,
            subject text COLLATE "C" NOT NULL,
            user_id uuid NOT NULL CONSTRAINT fk_oidc_accounts_user_id REFERENCES users ON DELETE CASCADE,
            created_at timestamptz NOT NULL,
            CONSTRAINT pk_oidc_accounts PRIMARY KEY (issuer, subject)
        );
        CREATE INDEX ix_oidc_accounts_user_id ON oidc_accounts (user_id);

        CREATE TABLE attempts (
            bucket bytea NOT NULL CONSTRAINT pk_attempts PRIMARY KEY,
            failures integer NOT NULL,
            last_at timestamptz NOT NULL,
            free_at timestamptz NOT NULL
        );
        CREATE INDEX ix_attempts_last_at ON attempts (last_at);
        """
    )


def downgrade() -> None:
    """Drop everything; nobody can sign in any more."""
    op.execute(
        "DROP TABLE attempts, oidc_accounts, challenges, passkeys, recovery_codes, totp, links, sessions, users, teams"
    )
