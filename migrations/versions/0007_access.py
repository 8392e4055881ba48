"""The tables of ``access``: roles, API keys and the audit log; and who sees which customers."""

import contextlib
import json

import sqlalchemy as sa
from alembic import op

from shuke.access import SHIPPED_ROLES
from shuke.base.errors import NotAvailable

revision = "0007"
down_revision = "0006"


# Whom PostgreSQL takes a reader for who may see some customers only: neither owns anything, signs in, or passes by a
# policy.
SCOPES = ("shuke_by_store", "shuke_by_owner")

# A customer is theirs at whose store one of the customer's identities was seen, whatever was merged into what. As views
# of the owner of the tables, so that the policies of the tables that they read do not ask for each other in a ring.
VIEWS = """
    -- Each way of its own, so that each is found by an index: who stands for others, and who was merged into them.
    CREATE VIEW customer_places AS
        SELECT i.customer_id, s.store FROM identities i JOIN identity_stores s USING (identity_id)
        UNION ALL
        SELECT c.customer_id, s.store
        FROM customers c
        JOIN identities i ON i.customer_id = c.merged_into
        JOIN identity_stores s USING (identity_id);
    CREATE VIEW identity_places AS
        SELECT i.identity_id, s.store
        FROM identities i
        JOIN identities beside ON beside.customer_id = i.customer_id
        JOIN identity_stores s ON s.identity_id = beside.identity_id;
    -- The customer whom somebody was given, who stands for that one, who was merged into it, and who beside it.
    CREATE VIEW customer_carers AS
        SELECT o.customer_id, o.user_id FROM customer_owners o
        UNION ALL
        SELECT given.merged_into, o.user_id
        FROM customer_owners o JOIN customers given ON given.customer_id = o.customer_id
        WHERE given.merged_into IS NOT NULL
        UNION ALL
        SELECT c.customer_id, o.user_id FROM customer_owners o JOIN customers c ON c.merged_into = o.customer_id
        UNION ALL
        SELECT c.customer_id, o.user_id
        FROM customer_owners o
        JOIN customers given ON given.customer_id = o.customer_id
        JOIN customers c ON c.merged_into = given.merged_into;
    CREATE VIEW identity_carers AS
        SELECT i.identity_id, c.user_id FROM identities i JOIN customer_carers c ON c.customer_id = i.customer_id;
    -- It read as its owner, and so past the policies of the ledger.
    ALTER VIEW consent_states SET (security_invoker = true);
"""

# For later tables, too: each that holds something of a customer is limited by one call in the migration that makes it.
# EXISTS, since the planner can either look up each row or work out all that may be seen once, whichever is less.
LIMITING = """
    CREATE FUNCTION limit_to_scope(tab regclass, by_store text, by_owner text, rights text) RETURNS void
    LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tab);
        EXECUTE format('CREATE POLICY by_store ON %s TO shuke_by_store USING (%s)', tab, by_store);
        EXECUTE format('CREATE POLICY by_owner ON %s TO shuke_by_owner USING (%s)', tab, by_owner);
        EXECUTE format('GRANT %s ON %s TO shuke_by_store, shuke_by_owner', rights, tab);
    END $$;

    CREATE FUNCTION scope_of(tab regclass, col name, places name, held name, setting name, kind text) RETURNS text
    LANGUAGE sql AS $$
        -- As a subquery without a reference the setting is read once, not for each row.
        SELECT format(
            'EXISTS (SELECT FROM %I p WHERE p.%I = %s.%I AND p.%I = ANY ((SELECT current_setting(%L))::%s[]))',
            places, CASE WHEN places LIKE 'customer%' THEN 'customer_id' ELSE 'identity_id' END, tab, col, held,
            setting, kind
        )
    $$;

    -- ``col`` holds the number of a customer, as it was when the row was written.
    CREATE FUNCTION limit_to_customers(tab regclass, col name, rights text DEFAULT 'SELECT') RETURNS void
    LANGUAGE sql AS $$
        SELECT limit_to_scope(
            tab,
            scope_of(tab, col, 'customer_places', 'store', 'shuke.stores', 'text'),
            scope_of(tab, col, 'customer_carers', 'user_id', 'shuke.reader', 'uuid'),
            rights
        )
    $$;

    CREATE FUNCTION limit_to_identities(tab regclass, col name, rights text DEFAULT 'SELECT') RETURNS void
    LANGUAGE sql AS $$
        SELECT limit_to_scope(
            tab,
            scope_of(tab, col, 'identity_places', 'store', 'shuke.stores', 'text'),
            scope_of(tab, col, 'identity_carers', 'user_id', 'shuke.reader', 'uuid'),
            rights
        )
    $$;
"""

LIMITS = """
    SELECT limit_to_customers('customers', 'customer_id', 'SELECT, UPDATE');
    SELECT limit_to_customers('identities', 'customer_id', 'SELECT, INSERT, UPDATE');
    SELECT limit_to_customers('merges', 'winner');
    SELECT limit_to_customers('tags', 'customer_id', 'SELECT, INSERT, UPDATE, DELETE');
    SELECT limit_to_customers('household_members', 'customer_id');
    SELECT limit_to_customers('guardians', 'child_id');
    SELECT limit_to_customers('consent_events', 'customer_id');
    SELECT limit_to_customers('customer_facts', 'customer_id');
    SELECT limit_to_customers('customer_facts_history', 'customer_id');
    SELECT limit_to_identities('facts', 'identity_id');
    SELECT limit_to_identities('orders', 'identity_id');
    -- Those of an order that is seen: the policy of orders is asked in turn.
    SELECT limit_to_scope('order_lines', seen, seen, 'SELECT') FROM (SELECT
        'EXISTS (SELECT FROM orders o WHERE o.source_id = order_lines.source_id AND o.order_id = order_lines.order_id)'
    ) AS of_orders (seen);
    SELECT limit_to_scope('refunds', seen, seen, 'SELECT') FROM (SELECT
        'EXISTS (SELECT FROM orders o WHERE o.source_id = refunds.source_id AND o.order_id = refunds.order_id)'
    ) AS of_orders (seen);
    -- Persons are customers, and those who answer for a child that is one.
    SELECT limit_to_scope(
        tab,
        scope_of(tab, 'person_id', 'customer_places', 'store', 'shuke.stores', 'text') || guarded,
        scope_of(tab, 'person_id', 'customer_carers', 'user_id', 'shuke.reader', 'uuid') || guarded,
        rights
    ) FROM (VALUES
        ('vault'::regclass, 'SELECT, INSERT, UPDATE, DELETE'), ('person_keys', 'SELECT, INSERT, UPDATE')
    ) AS of_persons (tab, rights)
    CROSS JOIN LATERAL (SELECT
        format(' OR EXISTS (SELECT FROM guardians g WHERE g.guardian_id = %s.person_id)', tab)
    ) AS by_guardian (guarded);
    CREATE INDEX ix_guardians_guardian_id ON guardians (guardian_id);
    -- Of where a customer was seen, a reader sees their own stores; of who looks after one, who does beside them.
    SELECT limit_to_scope(
        'identity_stores', 'store = ANY ((SELECT current_setting(''shuke.stores''))::text[])', 'false', 'SELECT'
    );
    SELECT limit_to_scope(
        'customer_owners',
        scope_of('customer_owners', 'customer_id', 'customer_places', 'store', 'shuke.stores', 'text'),
        'user_id = ANY ((SELECT current_setting(''shuke.reader''))::uuid[])',
        'SELECT'
    );
    -- What is nobody's: the catalogue, the definitions, when facts were worked out, and the notes for the lake.
    GRANT SELECT ON customer_places, identity_places, customer_carers, identity_carers, consent_states, products,
        stores, channels, attribute_definitions, refreshes, roles TO shuke_by_store, shuke_by_owner;
    GRANT SELECT (source_id, name, currency, created_at, disabled_at) ON sources TO shuke_by_store, shuke_by_owner;
    GRANT INSERT ON lake_changes TO shuke_by_store, shuke_by_owner;
"""


# The tables of other rooms that are limited.
LIMITED = (
    *(
        "customers",
        "identities",
        "merges",
        "tags",
        "household_members",
        "guardians",
        "consent_events",
        "facts",
        "orders",
    ),
    *("order_lines", "refunds", "vault", "person_keys", "customer_facts", "customer_facts_history"),
)


def _make_scopes() -> None:
    """Make the two roles of PostgreSQL, where this connection may, and see that it may step into them."""
    connection = op.get_bind()
    for name in SCOPES:
        if _may_become(connection, name):
            continue
        with contextlib.suppress(sa.exc.ProgrammingError), connection.begin_nested():
            if not connection.scalar(sa.text("SELECT count(*) FROM pg_roles WHERE rolname = :name"), {"name": name}):
                connection.execute(sa.text(f"CREATE ROLE {name} NOLOGIN NOINHERIT NOBYPASSRLS"))
        with contextlib.suppress(sa.exc.ProgrammingError), connection.begin_nested():
            connection.execute(sa.text(f"GRANT {name} TO CURRENT_USER"))
        if not _may_become(connection, name):
            user = connection.scalar(sa.text("SELECT quote_ident(current_user)"))
            made = [f"CREATE ROLE {one} NOLOGIN NOINHERIT NOBYPASSRLS;" for one in SCOPES]
            raise NotAvailable(
                "access.no_scopes", statements=" ".join([*made, f"GRANT {', '.join(SCOPES)} TO {user};"])
            )


def _may_become(connection: sa.Connection, name: str) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(sa.text(f"SET LOCAL ROLE {name}"))
            connection.execute(sa.text("RESET ROLE"))
    except sa.exc.DBAPIError:
        return False
    return True


def _limit_readers() -> None:
    """Whose a customer is, and the policies that show a reader with a scope theirs alone."""
    op.execute(
        """
        -- Where an identity was seen. With identities, which merges move and undoing one moves back.
        CREATE TABLE identity_stores (
            identity_id bigint NOT NULL,
            store text NOT NULL,
            CONSTRAINT pk_identity_stores PRIMARY KEY (identity_id, store),
            CONSTRAINT fk_identity_stores_identity_id FOREIGN KEY (identity_id) REFERENCES identities ON DELETE CASCADE
        );
        CREATE INDEX ix_identity_stores_store ON identity_stores (store, identity_id);
        INSERT INTO identity_stores (identity_id, store)
            SELECT identity_id, store FROM facts JOIN identities USING (identity_id) WHERE store <> ''
            UNION
            SELECT identity_id, store FROM orders JOIN identities USING (identity_id) WHERE store <> '';

        -- Who looks after a customer.
        CREATE TABLE customer_owners (
            customer_id uuid NOT NULL,
            user_id uuid NOT NULL,
            since timestamptz NOT NULL,
            CONSTRAINT pk_customer_owners PRIMARY KEY (customer_id, user_id),
            CONSTRAINT fk_customer_owners_customer_id FOREIGN KEY (customer_id) REFERENCES customers
        );
        CREATE INDEX ix_customer_owners_user_id ON customer_owners (user_id);
        """
    )
    _make_scopes()
    for statements in (VIEWS, LIMITING, LIMITS):
        op.execute(statements)


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
    _limit_readers()


def downgrade() -> None:
    """Drop them; every key ends, who did what is lost, and so is where customers were seen. The two roles stay."""
    for table in LIMITED:
        for policy in ("by_store", "by_owner"):
            op.execute(f"DROP POLICY {policy} ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute(
        """
        DROP POLICY by_store ON customer_owners;
        DROP VIEW customer_places, identity_places, customer_carers, identity_carers;
        ALTER VIEW consent_states RESET (security_invoker);
        DROP TABLE identity_stores, customer_owners;
        DROP INDEX ix_guardians_guardian_id;
        DROP FUNCTION limit_to_customers, limit_to_identities, limit_to_scope, scope_of;
        DROP TABLE audit_heads;
        DROP TABLE audit_log;
        DROP FUNCTION refuse_to_change_audit();
        DROP TABLE api_keys;
        DROP TABLE roles;
        """
    )
    for name in SCOPES:
        op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}")
        op.execute(f"REVOKE ALL (source_id, name, currency, created_at, disabled_at) ON sources FROM {name}")
