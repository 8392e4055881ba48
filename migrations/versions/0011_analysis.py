"""How well the model of each refresh predicts, and what the marks of the analytical pages find customers by."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make it."""
    op.execute(
        """
        -- What the choice and the test of the model found at a refresh; a model never says anything of one customer.
        CREATE TABLE model_checks (
            refresh_id uuid NOT NULL CONSTRAINT pk_model_checks PRIMARY KEY
                CONSTRAINT fk_model_checks_refresh_id REFERENCES refreshes ON DELETE CASCADE,
            found jsonb NOT NULL
        );
        GRANT SELECT ON model_checks TO shuke_by_store, shuke_by_owner;

        -- A cell of scores, and a cohort.
        CREATE INDEX ix_customer_facts_scores ON customer_facts (r_score, f_score, m_score);
        -- Scores go together: without it, the planner thinks that there are several times too few, or too many.
        CREATE STATISTICS st_customer_facts_scores (mcv) ON r_score, f_score, m_score FROM customer_facts;
        CREATE INDEX ix_customer_facts_first_order_at ON customer_facts (first_order_at, customer_id);
        -- Who came into a stage between two moments. Rows of the past never change.
        CREATE INDEX ix_customer_facts_history_as_of ON customer_facts_history (as_of, stage, customer_id);
        -- Who bought a product, by what a line calls it.
        CREATE INDEX ix_order_lines_product ON order_lines (coalesce(product_id, product_name), source_id, order_id);
        """
    )


def downgrade() -> None:
    """Drop it; what past tests of the model found is lost."""
    op.execute(
        """
        DROP INDEX ix_order_lines_product;
        DROP INDEX ix_customer_facts_history_as_of;
        DROP INDEX ix_customer_facts_first_order_at;
        DROP STATISTICS st_customer_facts_scores;
        DROP INDEX ix_customer_facts_scores;
        DROP TABLE model_checks;
        """
    )
