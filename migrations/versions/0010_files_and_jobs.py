"""Files in encrypted pieces, the long work that people ask for, and the reports that are kept."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables of both."""
    op.execute(
        """
        CREATE TABLE files (
            file_id uuid NOT NULL CONSTRAINT pk_files PRIMARY KEY,
            kind text NOT NULL,
            name text NOT NULL,
            media_type text NOT NULL,
            size_bytes bigint NOT NULL,
            sha256 bytea,
            pieces integer NOT NULL,
            key_version integer NOT NULL,
            key_cipher bytea NOT NULL,
            who_kind text NOT NULL,
            who_id uuid,
            who text NOT NULL,
            created_at timestamptz NOT NULL,
            touched_at timestamptz NOT NULL,
            finished_at timestamptz,
            expires_at timestamptz NOT NULL
        );
        CREATE INDEX ix_files_kind ON files (kind, file_id);
        CREATE INDEX ix_files_expires_at ON files (expires_at);

        CREATE TABLE file_pieces (
            file_id uuid NOT NULL CONSTRAINT fk_file_pieces_file_id REFERENCES files ON DELETE CASCADE,
            number integer NOT NULL,
            cipher bytea NOT NULL,
            CONSTRAINT pk_file_pieces PRIMARY KEY (file_id, number)
        );
        -- What is encrypted does not get smaller, however long PostgreSQL tries.
        ALTER TABLE file_pieces ALTER COLUMN cipher SET STORAGE EXTERNAL;

        CREATE TABLE jobs (
            job_id uuid NOT NULL CONSTRAINT pk_jobs PRIMARY KEY,
            kind text NOT NULL,
            task text NOT NULL,
            queue text NOT NULL,
            lock text,
            state text NOT NULL,
            progress double precision NOT NULL DEFAULT 0,
            doing text,
            asked jsonb NOT NULL,
            result jsonb,
            problem jsonb,
            who_kind text NOT NULL,
            who_id uuid,
            who text NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            cancelling boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL,
            started_at timestamptz,
            touched_at timestamptz NOT NULL,
            finished_at timestamptz,
            CONSTRAINT ck_jobs_state CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
            CONSTRAINT ck_jobs_progress CHECK (progress BETWEEN 0 AND 1),
            CONSTRAINT ck_jobs_finished CHECK ((finished_at IS NOT NULL) = (state IN ('done', 'failed', 'cancelled')))
        );
        CREATE INDEX ix_jobs_who_id ON jobs (who_id, job_id);
        CREATE INDEX ix_jobs_kind ON jobs (kind, job_id);
        CREATE INDEX ix_jobs_open ON jobs (touched_at) WHERE finished_at IS NULL;

        CREATE TABLE reports (
            report_id uuid NOT NULL CONSTRAINT pk_reports PRIMARY KEY,
            made_at timestamptz NOT NULL,
            data_until date NOT NULL,
            terms jsonb NOT NULL,
            currency text,
            customers integer NOT NULL,
            policy text NOT NULL,
            files jsonb NOT NULL,
            findings jsonb NOT NULL,
            who text NOT NULL,
            scheduled boolean NOT NULL
        );

        -- One at most.
        CREATE TABLE report_schedule (
            one boolean NOT NULL DEFAULT true CONSTRAINT pk_report_schedule PRIMARY KEY,
            every text NOT NULL,
            day smallint NOT NULL,
            hour smallint NOT NULL,
            terms jsonb NOT NULL,
            who text NOT NULL,
            changed_at timestamptz NOT NULL,
            due_at timestamptz,
            CONSTRAINT ck_report_schedule_one CHECK (one),
            CONSTRAINT ck_report_schedule_every CHECK (every IN ('off', 'weekly', 'monthly')),
            CONSTRAINT ck_report_schedule_due CHECK ((due_at IS NULL) = (every = 'off'))
        );
        """
    )


def downgrade() -> None:
    """Drop them; files that were sent or made, and reports, are lost."""
    op.execute("DROP TABLE report_schedule, reports, jobs, file_pieces, files")
